"""Trial 3: a convolution that moves on by two pixels."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .baseline import BASELINE

STRIDE_2 = replace(
    BASELINE,
    id="stride_2",
    title=Text(en="Stride 2", el="Βήμα 2"),
    layers=(Conv2D(16, 3, strides=2), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="baseline",
    original="stride_2",
)

C03A = Claim(
    id="C03a",
    code="C03a",
    statement=Text(
        en="A stride of 2 leaves about a quarter of the baseline's parameters.",
        el="Με βήμα 2 απομένει περίπου το ένα τέταρτο των παραμέτρων του μοντέλου αναφοράς.",
    ),
    said=Text(
        en="The network has a quarter of the parameters: 25,898 against 116,010.",
        el="Το δίκτυο έχει το ένα τέταρτο των παραμέτρων: 25.898 έναντι 116.010.",
    ),
    quantity="parameters",
    relation="exact",
    exact_relation="quarter",
    subject=Side("stride_2"),
    comparator=Side("baseline"),
    comparison="as_written",
    original_difference=0.2232,
)

C03B = Claim(
    id="C03b",
    code="C03b",
    statement=Text(
        en="With a stride of 2 training takes clearly less time than the baseline's.",
        el="Με βήμα 2 η εκπαίδευση διαρκεί σαφώς λιγότερο από εκείνη του μοντέλου αναφοράς.",
    ),
    said=Text(
        en="Training took clearly less time: 70.3 s against 259.2 s.",
        el="Η εκπαίδευση διήρκεσε σαφώς λιγότερο: 70,3 s έναντι 259,2 s.",
    ),
    quantity="seconds",
    relation="less",
    subject=Side("stride_2"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
    original_difference=0.2712,
)

C03C_ACCURACY = Claim(
    id="C03c.accuracy",
    code="C03c",
    statement=Text(
        en="A stride of 2 does not make the network much more accurate on the test set than the baseline.",
        el="Το βήμα 2 δεν αυξάνει πολύ την ακρίβεια του δικτύου στο σύνολο ελέγχου σε σχέση με το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="The network converges later and is not much better: test accuracy 58.89% against 59.59%.",
        el="Το δίκτυο συγκλίνει αργότερα και δεν είναι πολύ καλύτερο: ακρίβεια ελέγχου 58,89% έναντι 59,59%.",
    ),
    quantity="accuracy",
    relation="not_better",
    subject=Side("stride_2"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.02,
    family="accuracy as written",
    original_difference=-0.007,
)

C03C_EPOCHS = replace(
    C03C_ACCURACY,
    id="C03c.epochs_to_accuracy",
    statement=Text(
        en="With a stride of 2 the network reaches the fixed validation accuracy in a later epoch than the baseline.",
        el=(
            "Με βήμα 2 το δίκτυο φτάνει την ορισμένη ακρίβεια επικύρωσης σε μεταγενέστερη εποχή από το μοντέλο "
            "αναφοράς."
        ),
    ),
    quantity="epochs_to_accuracy",
    relation="greater",
    margin=1.0,
    family="convergence",
    original_difference=3.0,
)

C03C_LOSS = replace(
    C03C_EPOCHS,
    id="C03c.epoch_of_least_loss",
    statement=Text(
        en="With a stride of 2 the network reaches its least validation loss in a later epoch than the baseline.",
        el="Με βήμα 2 το δίκτυο φτάνει την ελάχιστη απώλεια επικύρωσης σε μεταγενέστερη εποχή από το μοντέλο αναφοράς.",
    ),
    quantity="epoch_of_least_loss",
    original_difference=2.0,
)

EXPERIMENT = Experiment(
    id="stride",
    order=3,
    section="trials",
    number="3",
    title=Text(en="A larger stride", el="Μεγαλύτερο βήμα"),
    question=Text(
        en="How much time does a stride of 2 save, and what does it cost in accuracy?",
        el="Πόσο χρόνο εξοικονομεί ένα βήμα 2 και τι κοστίζει σε ακρίβεια;",
    ),
    change=Text(
        en="The convolution moves on by 2 pixels instead of 1.",
        el="Η συνέλιξη προχωρά κατά 2 εικονοστοιχεία αντί για 1.",
    ),
    explanation=Text(
        en=(
            "The stride is the number of pixels by which a filter moves on between two positions. With a stride of 2 "
            "the filter is evaluated at every second position in both directions, so that each feature map has about a "
            "quarter of the values. Everything behind it shrinks in the same proportion: the flattened vector, the "
            "weights of the hidden layer, and the computation of the convolution itself. In exchange the position of a "
            "pattern is known less precisely, and patterns that fall between two positions are seen only in part."
        ),
        el=(
            "Το βήμα (stride) είναι το πλήθος των εικονοστοιχείων κατά τα οποία μετακινείται ένα φίλτρο ανάμεσα σε δύο "
            "θέσεις. Με βήμα 2 το φίλτρο υπολογίζεται σε κάθε δεύτερη θέση και στις δύο διευθύνσεις, ώστε κάθε χάρτης "
            "χαρακτηριστικών να έχει περίπου το ένα τέταρτο των τιμών. Ό,τι ακολουθεί μικραίνει στην ίδια αναλογία: το "
            "διάνυσμα εισόδου και τα βάρη του κρυφού επιπέδου, καθώς και οι υπολογισμοί της ίδιας της συνέλιξης. Σε "
            "αντάλλαγμα, η θέση ενός μοτίβου είναι γνωστή με μικρότερη ευκρίνεια, ενώ μοτίβα που πέφτουν ανάμεσα σε "
            "δύο θέσεις φαίνονται μόνο εν μέρει."
        ),
    ),
    trials=(STRIDE_2,),
    claims=(C03A, C03B, C03C_ACCURACY, C03C_EPOCHS, C03C_LOSS),
)
