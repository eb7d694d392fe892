"""Study: how large a share dropout drops."""

from msgspec.structs import replace

from cifar_report.spec import Conv2D, Dense, Dropout, Experiment, Flatten, MaxPooling2D, Text

from .dropout import DROPOUT

DROPOUT_LOW = replace(
    DROPOUT,
    id="dropout_0.25",
    title=Text(en="Dropout 0.25", el="Απόρριψη (dropout) 0,25"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.25), Dense(32), Dense(10, "softmax")),
    as_written=None,
    one_change="dropout",
    original=None,
)

DROPOUT_HIGH = replace(
    DROPOUT_LOW,
    id="dropout_0.75",
    title=Text(en="Dropout 0.75", el="Απόρριψη (dropout) 0,75"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.75), Dense(32), Dense(10, "softmax")),
)

EXPERIMENT = Experiment(
    id="dropout_rate",
    order=3,
    section="training_parameters",
    title=Text(en="Dropout rate", el="Ρυθμός απόρριψης (dropout)"),
    question=Text(
        en="How do accuracy and overfitting depend on the dropout rate?",
        el="Πώς εξαρτώνται η ακρίβεια και η υπερπροσαρμογή από τον ρυθμό απόρριψης (dropout);",
    ),
    change=Text(
        en="Dropout in front of the hidden layer has a rate of 0.25, 0.5 or 0.75, in the network with 32 filters.",
        el="Η απόρριψη (dropout) πριν από το κρυφό επίπεδο έχει ρυθμό 0,25, 0,5 ή 0,75, στο δίκτυο με 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "The rate is the probability with which each value is set to zero in a training step, and so the strength "
            "of the regularisation. A low rate disturbs little: the network learns quickly and can still adapt to "
            "peculiarities of the training set. A high rate leaves only a few values to each step, so that the network "
            "learns more slowly and may no longer be able to describe even the training set well. The right rate "
            "depends on how far the network would overfit without it; a rate of 0.5 gives the greatest variety of "
            "masks."
        ),
        el=(
            "Ο ρυθμός είναι η πιθανότητα με την οποία κάθε τιμή μηδενίζεται σε ένα βήμα εκπαίδευσης, επομένως η ένταση "
            "της ομαλοποίησης. Ένας χαμηλός ρυθμός ενοχλεί λίγο: το δίκτυο μαθαίνει γρήγορα και μπορεί ακόμη να "
            "προσαρμοστεί στις ιδιαιτερότητες του συνόλου εκπαίδευσης. Ένας υψηλός ρυθμός αφήνει σε κάθε βήμα λίγες "
            "μόνο τιμές, ώστε το δίκτυο να μαθαίνει πιο αργά και ίσως να μην μπορεί πια να περιγράψει καλά ούτε το "
            "σύνολο εκπαίδευσης. Ο κατάλληλος ρυθμός εξαρτάται από το πόσο θα υπερπροσαρμοζόταν το δίκτυο χωρίς αυτόν· "
            "ο ρυθμός 0,5 δίνει τη μεγαλύτερη ποικιλία από μάσκες."
        ),
    ),
    trials=(DROPOUT_LOW, DROPOUT_HIGH),
    points=("dropout_0.25", "dropout", "dropout_0.75"),
    figures=("curves", "study"),
)
