"""Trial 7: a larger window of max pooling."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .filters import FILTERS_32

POOL_3X3 = replace(
    FILTERS_32,
    id="pool_3x3",
    title=Text(en="Pooling 3×3", el="Συγκέντρωση 3×3"),
    layers=(Conv2D(32, 3), MaxPooling2D(3), Flatten(), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="filters_32",
    original="pool_3x3",
)

SAID_PRICE = Text(
    en="The larger window may cost accuracy (59.76%) and converges later, so 2×2 is to be preferred.",
    el="Το μεγαλύτερο παράθυρο μπορεί να κοστίσει σε ακρίβεια (59,76%) και συγκλίνει αργότερα, άρα προτιμάται το 2×2.",
)

C07A = Claim(
    id="C07a.as_written",
    code="C07a",
    statement=Text(
        en="With 32 filters and 3×3 pooling the network trains in less time than the baseline.",
        el="Με 32 φίλτρα και συγκέντρωση 3×3 το δίκτυο εκπαιδεύεται σε λιγότερο χρόνο από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="3×3 pooling saves time: 192.3 s against 289.5 s with 32 filters and 2×2, and 259.2 s for the baseline.",
        el=(
            "Η συγκέντρωση 3×3 εξοικονομεί χρόνο: 192,3 s έναντι 289,5 s με 32 φίλτρα και 2×2, και 259,2 s του "
            "μοντέλου αναφοράς."
        ),
    ),
    quantity="seconds",
    relation="less",
    subject=Side("pool_3x3"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
    original_difference=0.7421,
)

C07A_ONE_CHANGE = replace(
    C07A,
    id="C07a.one_change",
    statement=Text(
        en="With 3×3 pooling the network with 32 filters trains in less time than with 2×2.",
        el="Με συγκέντρωση 3×3 το δίκτυο με 32 φίλτρα εκπαιδεύεται σε λιγότερο χρόνο από ό,τι με 2×2.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=0.6643,
)

C07B_ACCURACY = Claim(
    id="C07b.accuracy.as_written",
    code="C07b",
    statement=Text(
        en="With 32 filters and 3×3 pooling the network is less accurate on the test set than the baseline.",
        el=(
            "Με 32 φίλτρα και συγκέντρωση 3×3 το δίκτυο έχει μικρότερη ακρίβεια στο σύνολο ελέγχου από το μοντέλο "
            "αναφοράς."
        ),
    ),
    said=SAID_PRICE,
    quantity="accuracy",
    relation="less",
    subject=Side("pool_3x3"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    proxy=Text(
        en="The original says only that accuracy may suffer; what is tested is whether it does.",
        el="Η αρχική εργασία λέει μόνο ότι η ακρίβεια μπορεί να μειωθεί· ελέγχεται αν όντως μειώνεται.",
    ),
    original_difference=0.0017,
)

C07B_ACCURACY_ONE_CHANGE = replace(
    C07B_ACCURACY,
    id="C07b.accuracy.one_change",
    statement=Text(
        en="With 3×3 pooling the network with 32 filters is less accurate on the test set than with 2×2.",
        el="Με συγκέντρωση 3×3 το δίκτυο με 32 φίλτρα έχει μικρότερη ακρίβεια στο σύνολο ελέγχου από ό,τι με 2×2.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
    original_difference=None,
)

C07B_EPOCHS = Claim(
    id="C07b.epochs_to_accuracy.as_written",
    code="C07b",
    statement=Text(
        en="With 32 filters and 3×3 pooling the network reaches the fixed validation accuracy later than the baseline.",
        el=(
            "Με 32 φίλτρα και συγκέντρωση 3×3 το δίκτυο φτάνει την ορισμένη ακρίβεια επικύρωσης αργότερα από το "
            "μοντέλο αναφοράς."
        ),
    ),
    said=SAID_PRICE,
    quantity="epochs_to_accuracy",
    relation="greater",
    subject=Side("pool_3x3"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=1.0,
    family="convergence",
    original_difference=5.0,
)

C07B_EPOCHS_ONE_CHANGE = replace(
    C07B_EPOCHS,
    id="C07b.epochs_to_accuracy.one_change",
    statement=Text(
        en="With 3×3 pooling the network with 32 filters reaches the fixed validation accuracy later than with 2×2.",
        el=(
            "Με συγκέντρωση 3×3 το δίκτυο με 32 φίλτρα φτάνει την ορισμένη ακρίβεια επικύρωσης αργότερα από ό,τι με "
            "2×2."
        ),
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=None,
)

C07B_LOSS = replace(
    C07B_EPOCHS,
    id="C07b.epoch_of_least_loss.as_written",
    statement=Text(
        en="With 32 filters and 3×3 pooling the network reaches its least validation loss later than the baseline.",
        el=(
            "Με 32 φίλτρα και συγκέντρωση 3×3 το δίκτυο φτάνει την ελάχιστη απώλεια επικύρωσης αργότερα από το μοντέλο "
            "αναφοράς."
        ),
    ),
    quantity="epoch_of_least_loss",
    original_difference=5.0,
)

C07B_LOSS_ONE_CHANGE = replace(
    C07B_LOSS,
    id="C07b.epoch_of_least_loss.one_change",
    statement=Text(
        en="With 3×3 pooling the network with 32 filters reaches its least validation loss later than with 2×2.",
        el="Με συγκέντρωση 3×3 το δίκτυο με 32 φίλτρα φτάνει την ελάχιστη απώλεια επικύρωσης αργότερα από ό,τι με 2×2.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=-1.0,
)

EXPERIMENT = Experiment(
    id="pooling",
    order=7,
    section="trials",
    number="7",
    title=Text(en="A larger pooling window", el="Μεγαλύτερο παράθυρο συγκέντρωσης"),
    question=Text(
        en="What does max pooling over 3×3 instead of 2×2 save, and what does it cost?",
        el="Τι εξοικονομεί και τι κοστίζει η συγκέντρωση μεγίστου σε παράθυρα 3×3 αντί για 2×2;",
    ),
    change=Text(
        en="The pooling window measures 3×3 instead of 2×2, in the network with 32 filters.",
        el="Το παράθυρο συγκέντρωσης έχει διαστάσεις 3×3 αντί για 2×2, στο δίκτυο με 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "Max pooling divides each feature map into windows that do not overlap and keeps only the largest value of "
            "each. It has no weights; it makes the map smaller and the answer less dependent on the exact position of "
            "a pattern. A 3×3 window keeps one value out of nine instead of one out of four, so that the flattened "
            "vector and the hidden layer shrink to less than half. The larger the window, the more is forgotten about "
            "where a pattern stood and whether it occurred more than once."
        ),
        el=(
            "Η συγκέντρωση μεγίστου (max pooling) χωρίζει κάθε χάρτη χαρακτηριστικών σε παράθυρα που δεν "
            "επικαλύπτονται και κρατά μόνο τη μέγιστη τιμή του καθενός. Δεν έχει βάρη· μικραίνει τον χάρτη και κάνει "
            "την απόκριση λιγότερο εξαρτημένη από την ακριβή θέση ενός μοτίβου. Ένα παράθυρο 3×3 κρατά μία τιμή στις "
            "εννέα αντί για μία στις τέσσερις, ώστε το διάνυσμα που προκύπτει και το κρυφό επίπεδο να περιορίζονται σε "
            "λιγότερο από το μισό. Όσο μεγαλύτερο είναι το παράθυρο, τόσο περισσότερα χάνονται για το πού βρισκόταν "
            "ένα μοτίβο και για το αν εμφανιζόταν περισσότερες από μία φορές."
        ),
    ),
    trials=(POOL_3X3,),
    claims=(
        C07A,
        C07A_ONE_CHANGE,
        C07B_ACCURACY,
        C07B_ACCURACY_ONE_CHANGE,
        C07B_EPOCHS,
        C07B_EPOCHS_ONE_CHANGE,
        C07B_LOSS,
        C07B_LOSS_ONE_CHANGE,
    ),
)
