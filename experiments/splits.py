"""Study: how much the result depends on which images are held out for validation."""

from msgspec.structs import replace

from cifar_report.spec import Experiment, Text

from .baseline import BASELINE

SPLIT_43 = replace(
    BASELINE,
    id="split_43",
    title=Text(en="Split 43", el="Διαχωρισμός 43"),
    split_seed=43,
    one_change="baseline",
    original=None,
)

SPLIT_44 = replace(
    SPLIT_43,
    id="split_44",
    title=Text(en="Split 44", el="Διαχωρισμός 44"),
    split_seed=44,
)

SPLIT_45 = replace(
    SPLIT_43,
    id="split_45",
    title=Text(en="Split 45", el="Διαχωρισμός 45"),
    split_seed=45,
)

EXPERIMENT = Experiment(
    id="splits",
    order=4,
    section="training_parameters",
    title=Text(en="Other splits", el="Άλλοι διαχωρισμοί"),
    question=Text(
        en="How much does the baseline's result depend on which images train it and which validate it?",
        el=(
            "Πόσο εξαρτάται το αποτέλεσμα του μοντέλου αναφοράς από το ποιες εικόνες το εκπαιδεύουν και ποιες το "
            "επικυρώνουν;"
        ),
    ),
    change=Text(
        en="The baseline is trained on the splits with random_state 43, 44 and 45, beside the one with 42.",
        el=(
            "Το μοντέλο αναφοράς εκπαιδεύεται και στους διαχωρισμούς με random_state 43, 44 και 45, πέρα από εκείνον "
            "με 42."
        ),
    ),
    explanation=Text(
        en=(
            "Of the 50,000 training images, a fifth is held out at random for validation; which ones these are is "
            "decided by the seed of the split (random_state). All trials use the same split, so that they are compared "
            "on equal terms, but everything that they show then holds for this one split only. Training the baseline "
            "on other splits shows how much of the variation between results comes from the choice of the images. The "
            "test set stays the same in all of them."
        ),
        el=(
            "Από τις 50.000 εικόνες εκπαίδευσης το ένα πέμπτο κρατιέται τυχαία για επικύρωση· ποιες είναι αυτές το "
            "ορίζει ο σπόρος του διαχωρισμού (random_state). Όλες οι δοκιμές χρησιμοποιούν τον ίδιο διαχωρισμό, ώστε "
            "να συγκρίνονται με ίσους όρους, όμως ό,τι δείχνουν ισχύει έτσι μόνο για αυτόν τον έναν. Η εκπαίδευση του "
            "μοντέλου αναφοράς σε άλλους διαχωρισμούς δείχνει πόση από τη διακύμανση των αποτελεσμάτων προέρχεται από "
            "την επιλογή των εικόνων. Το σύνολο ελέγχου μένει ίδιο σε όλους."
        ),
    ),
    trials=(SPLIT_43, SPLIT_44, SPLIT_45),
    points=("baseline", "split_43", "split_44", "split_45"),
    figures=("curves", "study"),
)
