"""Trial 12: twice as many filters in the third convolution."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .third_conv_64 import THIRD_CONV_64

THIRD_CONV_128 = replace(
    THIRD_CONV_64,
    id="third_conv_128",
    title=Text(en="Third convolution, 128 filters", el="Τρίτη συνέλιξη, 128 φίλτρα"),
    layers=(
        Conv2D(32, 3),
        MaxPooling2D(2),
        Conv2D(64, 3),
        MaxPooling2D(2),
        Conv2D(128, 3, padding="same"),
        MaxPooling2D(2),
        Flatten(),
        Dense(32),
        Dense(10, "softmax"),
    ),
    as_written="baseline",
    one_change="third_conv_64",
    original="third_conv_128",
)

C12 = Claim(
    id="C12",
    code="C12",
    statement=Text(
        en="With 128 filters in the third convolution the network is about as accurate on the test set as with 64.",
        el="Με 128 φίλτρα στην τρίτη συνέλιξη το δίκτυο έχει περίπου την ίδια ακρίβεια στο σύνολο ελέγχου όσο με 64.",
    ),
    said=Text(
        en=(
            "With 128 filters in the third convolution the results are about the same: test accuracy 70.00% against "
            "70.22%."
        ),
        el=(
            "Με 128 φίλτρα στην τρίτη συνέλιξη τα αποτελέσματα είναι περίπου ίδια: ακρίβεια ελέγχου 70,00% έναντι "
            "70,22%."
        ),
    ),
    quantity="accuracy",
    relation="equal",
    subject=Side("third_conv_128"),
    comparator=Side("third_conv_64"),
    comparison="as_written",
    margin=0.01,
    original_difference=-0.0022,
)

EXPERIMENT = Experiment(
    id="third_conv_128",
    order=12,
    section="trials",
    number="12",
    title=Text(en="More filters in the third layer", el="Περισσότερα φίλτρα στο τρίτο επίπεδο"),
    question=Text(
        en="Do 128 filters in the third convolution change anything against 64?",
        el="Αλλάζουν κάτι 128 φίλτρα στην τρίτη συνέλιξη σε σχέση με 64;",
    ),
    change=Text(
        en="The third convolution has 128 filters instead of 64.",
        el="Η τρίτη συνέλιξη έχει 128 φίλτρα αντί για 64.",
    ),
    explanation=Text(
        en=(
            "To double the number of filters where height and width have been halved is the usual rule for "
            "convolutional networks: it keeps the computation of successive layers in the same order of magnitude. "
            "Here it doubles the weights of the third convolution and of the hidden layer behind it. The two "
            "convolutions in front stay as they were, so the new filters have no more information to work with than "
            "the 64 before; they can only divide it more finely. The trial therefore asks whether the capacity of the "
            "third layer was what limited the network."
        ),
        el=(
            "Ο διπλασιασμός των φίλτρων εκεί όπου το ύψος και το πλάτος υποδιπλασιάζονται είναι ο συνήθης κανόνας στα "
            "συνελικτικά δίκτυα: διατηρεί τους υπολογισμούς των διαδοχικών επιπέδων στην ίδια τάξη μεγέθους. Εδώ "
            "διπλασιάζει τα βάρη της τρίτης συνέλιξης και του κρυφού επιπέδου που την ακολουθεί. Οι δύο προηγούμενες "
            "συνελίξεις μένουν όπως ήταν, άρα τα νέα φίλτρα δεν έχουν στη διάθεσή τους περισσότερη πληροφορία από τα "
            "64 προηγούμενα· μπορούν μόνο να τη διαμερίσουν λεπτομερέστερα. Η δοκιμή ρωτά επομένως αν ήταν η "
            "χωρητικότητα του τρίτου επιπέδου εκείνη που περιόριζε το δίκτυο."
        ),
    ),
    trials=(THIRD_CONV_128,),
    claims=(C12,),
)
