"""Trial 2: a larger kernel in the convolution."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .baseline import BASELINE

KERNEL_7X7 = replace(
    BASELINE,
    id="kernel_7x7",
    title=Text(en="Kernel 7×7", el="Πυρήνας 7×7"),
    layers=(Conv2D(16, 7), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="baseline",
    original="kernel_7x7",
)

C02A = Claim(
    id="C02a",
    code="C02a",
    statement=Text(
        en="With a 7×7 kernel training takes about one and a half times as long as the baseline's.",
        el="Με πυρήνα 7×7 η εκπαίδευση διαρκεί περίπου μιάμιση φορά όσο εκείνη του μοντέλου αναφοράς.",
    ),
    said=Text(
        en="Training took 1.5 times as long: 378.8 s against 259.2 s.",
        el="Η εκπαίδευση διήρκεσε 1,5 φορά όσο το μοντέλο αναφοράς: 378,8 s έναντι 259,2 s.",
    ),
    quantity="seconds",
    relation="ratio",
    subject=Side("kernel_7x7"),
    comparator=Side("baseline"),
    comparison="as_written",
    value=1.5,
    original_difference=1.4614,
)

C02B = Claim(
    id="C02b",
    code="C02b",
    statement=Text(
        en="With a 7×7 kernel the network is less accurate on the test set than the baseline.",
        el="Με πυρήνα 7×7 το δίκτυο έχει μικρότερη ακρίβεια στο σύνολο ελέγχου από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en=(
            "The large kernel loses important detail; yet its own test accuracy was 60.67% against the baseline's "
            "59.59%."
        ),
        el=(
            "Ο μεγάλος πυρήνας χάνει σημαντικές λεπτομέρειες· ωστόσο η ακρίβεια ελέγχου που μετρήθηκε ήταν 60,67% "
            "έναντι 59,59% του μοντέλου αναφοράς."
        ),
    ),
    quantity="accuracy",
    relation="less",
    subject=Side("kernel_7x7"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    proxy=Text(
        en="The original names a mechanism, the loss of detail; what is tested is only whether accuracy falls with it.",
        el=(
            "Η αρχική εργασία επικαλείται έναν μηχανισμό, την απώλεια λεπτομέρειας· ελέγχεται μόνο αν μαζί της πέφτει "
            "η ακρίβεια."
        ),
    ),
    original_difference=0.0108,
)

EXPERIMENT = Experiment(
    id="kernel",
    order=2,
    section="trials",
    number="2",
    title=Text(en="A larger kernel", el="Μεγαλύτερος πυρήνας"),
    question=Text(
        en="What does the network gain or lose when each filter sees 7×7 pixels instead of 3×3?",
        el="Τι κερδίζει ή τι χάνει το δίκτυο όταν κάθε φίλτρο βλέπει 7×7 εικονοστοιχεία αντί για 3×3;",
    ),
    change=Text(
        en="The kernel of the convolution measures 7×7 instead of 3×3.",
        el="Ο πυρήνας της συνέλιξης έχει διαστάσεις 7×7 αντί για 3×3.",
    ),
    explanation=Text(
        en=(
            "The kernel's size is the size of the window that a filter sees at once, its receptive field. A larger "
            "kernel can describe coarser structures with a single filter, but it needs as many weights and "
            "multiplications as its window has pixels. Since the convolution uses no padding, a larger kernel also "
            "fits into the image at fewer places: the feature maps become smaller, and with them the flattened vector "
            "and the number of weights of the hidden layer. So two things follow from the one argument, a costlier "
            "convolution and a smaller fully connected part."
        ),
        el=(
            "Το μέγεθος του πυρήνα είναι το μέγεθος του παραθύρου που βλέπει κάθε φορά ένα φίλτρο, δηλαδή το δεκτικό "
            "του πεδίο. Ένας μεγαλύτερος πυρήνας μπορεί να περιγράψει πιο αδρές δομές με ένα μόνο φίλτρο, απαιτεί όμως "
            "τόσα βάρη και τόσους πολλαπλασιασμούς όσα είναι τα εικονοστοιχεία του παραθύρου του. Επειδή η συνέλιξη "
            "δεν χρησιμοποιεί συμπλήρωση (padding), ένας μεγαλύτερος πυρήνας χωρά επίσης σε λιγότερες θέσεις της "
            "εικόνας: οι χάρτες χαρακτηριστικών μικραίνουν και μαζί τους το διάνυσμα εισόδου και τα βάρη του κρυφού "
            "επιπέδου. Από μία παράμετρο προκύπτουν έτσι δύο συνέπειες, μια ακριβότερη συνέλιξη και ένα μικρότερο "
            "πλήρως συνδεδεμένο τμήμα."
        ),
    ),
    trials=(KERNEL_7X7,),
    claims=(C02A, C02B),
)
