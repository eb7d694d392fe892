"""Trial 10: dropout in front of the hidden layer."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Dropout, Experiment, Flatten, MaxPooling2D, Side, Text

from .filters import FILTERS_32

DROPOUT = replace(
    FILTERS_32,
    id="dropout",
    title=Text(en="Dropout 0.5", el="Απόρριψη (dropout) 0,5"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.5), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="filters_32",
    original="dropout",
)

C10A = Claim(
    id="C10a.as_written",
    code="C10a",
    statement=Text(
        en="With 32 filters and dropout the network is more accurate on the test set than the baseline.",
        el=(
            "Με 32 φίλτρα και απόρριψη (dropout) το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από το μοντέλο "
            "αναφοράς."
        ),
    ),
    said=Text(
        en=(
            "Dropout improves the results: test accuracy 64.67%, against 54.96% with batch normalization and the "
            "baseline's 59.59%."
        ),
        el=(
            "Η απόρριψη (dropout) βελτιώνει τα αποτελέσματα: ακρίβεια ελέγχου 64,67%, έναντι 54,96% με κανονικοποίηση "
            "παρτίδας και 59,59% του μοντέλου αναφοράς."
        ),
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("dropout"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=0.0508,
)

C10A_BATCH_NORM = replace(
    C10A,
    id="C10a.as_written.batch_norm",
    statement=Text(
        en="With dropout the network with 32 filters is more accurate on the test set than with batch normalization.",
        el=(
            "Με απόρριψη (dropout) το δίκτυο με 32 φίλτρα έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από ό,τι με "
            "κανονικοποίηση παρτίδας."
        ),
    ),
    comparator=Side("batch_norm"),
    original_difference=0.0971,
)

C10A_ONE_CHANGE = replace(
    C10A,
    id="C10a.one_change",
    statement=Text(
        en="Dropout makes the network with 32 filters more accurate on the test set.",
        el="Η απόρριψη (dropout) αυξάνει την ακρίβεια του δικτύου με 32 φίλτρα στο σύνολο ελέγχου.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
    original_difference=None,
)

C10B = Claim(
    id="C10b.as_written",
    code="C10b",
    statement=Text(
        en="With 32 filters and dropout the network trains in about the same time as the baseline.",
        el="Με 32 φίλτρα και απόρριψη (dropout) το δίκτυο εκπαιδεύεται στον ίδιο περίπου χρόνο με το μοντέλο αναφοράς.",
    ),
    said=Text(
        en=(
            "Dropout brings the training time back to the baseline's; yet its own training took 693.7 s against 259.2 "
            "s."
        ),
        el=(
            "Η απόρριψη (dropout) επαναφέρει τον χρόνο εκπαίδευσης σε εκείνον του μοντέλου αναφοράς· ωστόσο η "
            "εκπαίδευση διήρκεσε 693,7 s έναντι 259,2 s."
        ),
    ),
    quantity="seconds",
    relation="ratio",
    subject=Side("dropout"),
    comparator=Side("baseline"),
    comparison="as_written",
    value=1.0,
    original_difference=2.6764,
)

C10B_ONE_CHANGE = replace(
    C10B,
    id="C10b.one_change",
    statement=Text(
        en="With dropout the network with 32 filters trains in about the same time as without it.",
        el="Με απόρριψη (dropout) το δίκτυο με 32 φίλτρα εκπαιδεύεται στον ίδιο περίπου χρόνο όπως και χωρίς αυτήν.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=2.396,
)

C10C = Claim(
    id="C10c.as_written",
    code="C10c",
    statement=Text(
        en="With 32 filters and dropout the gap between training and test accuracy is smaller than the baseline's.",
        el=(
            "Με 32 φίλτρα και απόρριψη (dropout) η διαφορά της ακρίβειας εκπαίδευσης από την ακρίβεια ελέγχου είναι "
            "μικρότερη από εκείνη του μοντέλου αναφοράς."
        ),
    ),
    said=Text(
        en="Dropout curbs overfitting; the original shows the curves and gives no number for it.",
        el=(
            "Η απόρριψη (dropout) περιορίζει την υπερπροσαρμογή· η αρχική εργασία δείχνει τις καμπύλες και δεν δίνει "
            "σχετικό αριθμό."
        ),
    ),
    quantity="gap",
    relation="less",
    subject=Side("dropout"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.02,
    family="accuracy as written",
    proxy=Text(
        en=(
            "Overfitting is tested through the gap between the accuracy on training images and on test images, both "
            "evaluated without dropout."
        ),
        el=(
            "Η υπερπροσαρμογή ελέγχεται μέσω της διαφοράς της ακρίβειας στις εικόνες εκπαίδευσης από εκείνη στις "
            "εικόνες ελέγχου, που αξιολογούνται και οι δύο χωρίς απόρριψη."
        ),
    ),
)

C10C_ONE_CHANGE = replace(
    C10C,
    id="C10c.one_change",
    statement=Text(
        en="Dropout narrows the gap between training and test accuracy of the network with 32 filters.",
        el=(
            "Η απόρριψη (dropout) μειώνει τη διαφορά της ακρίβειας εκπαίδευσης από την ακρίβεια ελέγχου του δικτύου με "
            "32 φίλτρα."
        ),
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
)

EXPERIMENT = Experiment(
    id="dropout",
    order=10,
    section="trials",
    number="10",
    title=Text(en="Dropout", el="Απόρριψη (dropout)"),
    question=Text(
        en="Does dropout in front of the hidden layer improve the network and curb overfitting?",
        el="Βελτιώνει το δίκτυο και περιορίζει την υπερπροσαρμογή η απόρριψη (dropout) πριν από το κρυφό επίπεδο;",
    ),
    change=Text(
        en="Dropout at a rate of 0.5 stands in front of the hidden layer, in the network with 32 filters.",
        el="Πριν από το κρυφό επίπεδο παρεμβάλλεται απόρριψη (dropout) με ρυθμό 0,5, στο δίκτυο με 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "In each training step dropout sets a random share of its inputs to zero and scales the others up, so that "
            "their expected sum stays the same. No neuron can then rely on a particular other one being present; the "
            "network has to spread what it knows over many features. This works like training many smaller networks "
            "that share their weights and averaging them. In evaluation nothing is dropped, and the accuracy printed "
            "during training is therefore lower than the one that the same weights reach without dropout. The layer "
            "has no parameters; its rate, here 0.5, is chosen and not learned."
        ),
        el=(
            "Σε κάθε βήμα εκπαίδευσης η απόρριψη (dropout) μηδενίζει ένα τυχαίο ποσοστό των εισόδων της και "
            "πολλαπλασιάζει τις υπόλοιπες ώστε το αναμενόμενο άθροισμά τους να μένει ίδιο. Κανένας νευρώνας δεν μπορεί "
            "τότε να στηριχθεί στην παρουσία κάποιου συγκεκριμένου άλλου· το δίκτυο υποχρεώνεται να κατανείμει ό,τι "
            "γνωρίζει σε πολλά χαρακτηριστικά. Το αποτέλεσμα μοιάζει με την εκπαίδευση πολλών μικρότερων δικτύων που "
            "μοιράζονται τα βάρη τους και με τον υπολογισμό του μέσου όρου τους. Κατά την αξιολόγηση τίποτα δεν "
            "απορρίπτεται, γι’ αυτό η ακρίβεια που εμφανίζεται κατά την εκπαίδευση είναι μικρότερη από εκείνη που "
            "δίνουν τα ίδια βάρη χωρίς απόρριψη. Το επίπεδο δεν έχει παραμέτρους· ο ρυθμός του, εδώ 0,5, επιλέγεται "
            "και δεν μαθαίνεται."
        ),
    ),
    trials=(DROPOUT,),
    claims=(C10A, C10A_BATCH_NORM, C10A_ONE_CHANGE, C10B, C10B_ONE_CHANGE, C10C, C10C_ONE_CHANGE),
)
