"""Trial 11: a third convolutional layer."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .second_conv_64 import SECOND_CONV_64

THIRD_CONV_64 = replace(
    SECOND_CONV_64,
    id="third_conv_64",
    title=Text(en="Third convolution, 64 filters", el="Τρίτη συνέλιξη, 64 φίλτρα"),
    layers=(
        Conv2D(32, 3),
        MaxPooling2D(2),
        Conv2D(64, 3),
        MaxPooling2D(2),
        Conv2D(64, 3, padding="same"),
        MaxPooling2D(2),
        Flatten(),
        Dense(32),
        Dense(10, "softmax"),
    ),
    as_written="baseline",
    one_change="second_conv_64",
    original="third_conv_64",
)

SAID_ACCURACY = Text(
    en=(
        "The third convolutional layer improves the network further and reaches 0.70: test accuracy 70.22% against "
        "68.37%."
    ),
    el=(
        "Το τρίτο συνελικτικό επίπεδο βελτιώνει κι άλλο το δίκτυο και φτάνει το 0,70: ακρίβεια ελέγχου 70,22% έναντι "
        "68,37%."
    ),
)

C11A = Claim(
    id="C11a",
    code="C11a",
    statement=Text(
        en="A third convolution of 64 filters makes the network with two convolutions more accurate on the test set.",
        el="Μια τρίτη συνέλιξη 64 φίλτρων αυξάνει την ακρίβεια του δικτύου με τις δύο συνελίξεις στο σύνολο ελέγχου.",
    ),
    said=SAID_ACCURACY,
    quantity="accuracy",
    relation="greater",
    subject=Side("third_conv_64"),
    comparator=Side("second_conv_64"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=0.0185,
)

C11B = Claim(
    id="C11b",
    code="C11b",
    statement=Text(
        en="With a third convolution of 64 filters the network reaches a test accuracy of 0.70.",
        el="Με τρίτη συνέλιξη 64 φίλτρων το δίκτυο φτάνει ακρίβεια ελέγχου 0,70.",
    ),
    said=SAID_ACCURACY,
    quantity="accuracy",
    relation="value",
    subject=Side("third_conv_64"),
    comparison="absolute",
    margin=0.01,
    value=0.7,
    proxy=Text(
        en="“Reaches” is tested as lying near the named value: an accuracy well above it would be another result, too.",
        el=(
            "Το «φτάνει» ελέγχεται ως τιμή κοντά στην αναφερόμενη: και μια ακρίβεια αρκετά πάνω από αυτήν θα ήταν άλλο "
            "αποτέλεσμα."
        ),
    ),
    original_difference=0.7022,
)

C11C = Claim(
    id="C11c",
    code="C11c",
    statement=Text(
        en="The network with three convolutions trains about five times as long as the baseline.",
        el="Το δίκτυο με τις τρεις συνελίξεις εκπαιδεύεται περίπου πενταπλάσια ώρα από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="Training takes about five times the baseline's time: 1182.8 s against 259.2 s.",
        el="Η εκπαίδευση διαρκεί περίπου πενταπλάσιο χρόνο από το μοντέλο αναφοράς: 1182,8 s έναντι 259,2 s.",
    ),
    quantity="seconds",
    relation="ratio",
    subject=Side("third_conv_64"),
    comparator=Side("baseline"),
    comparison="as_written",
    value=5.0,
    original_difference=4.5636,
)

EXPERIMENT = Experiment(
    id="third_conv_64",
    order=11,
    section="trials",
    number="11",
    title=Text(en="A third convolutional layer", el="Τρίτο συνελικτικό επίπεδο"),
    question=Text(
        en="Does a third convolutional layer of 64 filters improve the network further?",
        el="Βελτιώνει κι άλλο το δίκτυο ένα τρίτο συνελικτικό επίπεδο 64 φίλτρων;",
    ),
    change=Text(
        en=(
            "A third convolution of 64 filters with padding “same” and its own pooling follows the second, which has "
            "64 filters."
        ),
        el=(
            "Μια τρίτη συνέλιξη 64 φίλτρων με συμπλήρωση «same» και δική της συγκέντρωση ακολουθεί τη δεύτερη, που "
            "έχει 64 φίλτρα."
        ),
    ),
    explanation=Text(
        en=(
            "The third convolution combines the parts that the second found into larger ones; each of its filters "
            "covers a large piece of the image. Its padding keeps the small feature maps from shrinking before the "
            "third pooling, which leaves only 3×3 values of each. The hidden layer thereby becomes smaller again, so "
            "that the whole network has fewer parameters than with two convolutions although it is deeper. Its "
            "gradient passes through one more layer on its way back to the first filters, and every training step "
            "needs more computation."
        ),
        el=(
            "Η τρίτη συνέλιξη συνδυάζει τα μέρη που βρήκε η δεύτερη σε μεγαλύτερα· κάθε φίλτρο της καλύπτει ένα μεγάλο "
            "κομμάτι της εικόνας. Η συμπλήρωση (padding) δεν αφήνει τους μικρούς χάρτες χαρακτηριστικών να "
            "συρρικνωθούν πριν από την τρίτη συγκέντρωση, η οποία αφήνει μόνο 3×3 τιμές από τον καθένα. Το κρυφό "
            "επίπεδο μικραίνει έτσι κι άλλο, ώστε ολόκληρο το δίκτυο να έχει λιγότερες παραμέτρους από ό,τι με δύο "
            "συνελίξεις, παρότι είναι βαθύτερο. Η κλίση διασχίζει ένα επίπεδο παραπάνω ώσπου να επιστρέψει στα πρώτα "
            "φίλτρα, και κάθε βήμα εκπαίδευσης απαιτεί περισσότερους υπολογισμούς."
        ),
    ),
    trials=(THIRD_CONV_64,),
    claims=(C11A, C11B, C11C),
)
