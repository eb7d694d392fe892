"""The reference model of the write-up, at its 15 epochs and at 30."""

from msgspec.structs import replace

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Stage, Text, Trial

BASELINE = Trial(
    id="baseline",
    title=Text(en="Baseline", el="Μοντέλο αναφοράς"),
    layers=(Conv2D(16, 3), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    stages=(Stage(epochs=15),),
    original="baseline",
)

BASELINE_30_EPOCHS = replace(
    BASELINE,
    id="baseline_30_epochs",
    title=Text(en="Baseline, 30 epochs", el="Μοντέλο αναφοράς, 30 εποχές"),
    stages=(Stage(epochs=30),),
    one_change="baseline",
    original=None,
)

EXPERIMENT = Experiment(
    id="baseline",
    order=0,
    section="trials",
    title=Text(en="The reference model", el="Το μοντέλο αναφοράς"),
    question=Text(
        en="How well does a network of one convolution and one hidden layer classify CIFAR-10?",
        el="Πόσο καλά ταξινομεί το CIFAR-10 ένα δίκτυο με μία συνέλιξη και ένα κρυφό επίπεδο;",
    ),
    change=Text(
        en="Nothing: every other trial is compared with this one.",
        el="Τίποτα: με αυτό συγκρίνονται όλες οι άλλες δοκιμές.",
    ),
    explanation=Text(
        en=(
            "The reference model reads the image with one convolutional layer: 16 small filters slide over it, and "
            "each computes a weighted sum of the pixels under it, so that a pattern is recognised wherever it stands. "
            "The ReLU activation function sets negative sums to zero, and max pooling keeps the largest value of each "
            "window, which halves height and width and makes the network less sensitive to small shifts. The values "
            "that remain are flattened into one vector and passed to a fully connected hidden layer of 32 neurons; the "
            "softmax of the output layer turns its ten sums into the probabilities of the classes. Training minimises "
            "the categorical cross-entropy, the negative logarithm of the probability that the right class was given, "
            "with Adam, which adapts the step of each weight from running averages of the gradient and of its square. "
            "The same network is also trained for 30 epochs, as a fair partner for the trial that the original ran for "
            "that long."
        ),
        el=(
            "Το μοντέλο αναφοράς διαβάζει την εικόνα με ένα συνελικτικό επίπεδο: 16 μικρά φίλτρα ολισθαίνουν επάνω της "
            "και καθένα υπολογίζει ένα σταθμισμένο άθροισμα των εικονοστοιχείων που καλύπτει, ώστε ένα μοτίβο να "
            "αναγνωρίζεται όπου και αν βρίσκεται. Η συνάρτηση ενεργοποίησης ReLU μηδενίζει τα αρνητικά αθροίσματα, ενώ "
            "η συγκέντρωση μεγίστου (max pooling) κρατά τη μέγιστη τιμή κάθε παραθύρου, πράγμα που υποδιπλασιάζει το "
            "ύψος και το πλάτος και κάνει το δίκτυο λιγότερο ευαίσθητο σε μικρές μετατοπίσεις. Οι τιμές που απομένουν "
            "διατάσσονται σε ένα διάνυσμα και περνούν σε ένα πλήρως συνδεδεμένο κρυφό επίπεδο 32 νευρώνων· η συνάρτηση "
            "softmax του επιπέδου εξόδου μετατρέπει τα δέκα αθροίσματά του σε πιθανότητες των κλάσεων. Η εκπαίδευση "
            "ελαχιστοποιεί την κατηγορική διασταυρούμενη εντροπία, δηλαδή τον αρνητικό λογάριθμο της πιθανότητας που "
            "δόθηκε στη σωστή κλάση, με τον αλγόριθμο Adam, ο οποίος προσαρμόζει το βήμα κάθε βάρους με βάση κινητούς "
            "μέσους της κλίσης και του τετραγώνου της. Το ίδιο δίκτυο εκπαιδεύεται και για 30 εποχές, ώστε να υπάρχει "
            "ισότιμη σύγκριση με τη δοκιμή που στην αρχική εργασία διήρκεσε τόσο."
        ),
    ),
    trials=(BASELINE, BASELINE_30_EPOCHS),
)
