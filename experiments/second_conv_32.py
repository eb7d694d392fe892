"""Trial 5: a second convolutional layer."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .filters import FILTERS_32

SECOND_CONV_32 = replace(
    FILTERS_32,
    id="second_conv_32",
    title=Text(en="Second convolution, 32 filters", el="Δεύτερη συνέλιξη, 32 φίλτρα"),
    layers=(
        Conv2D(32, 3),
        MaxPooling2D(2),
        Conv2D(32, 3),
        MaxPooling2D(2),
        Flatten(),
        Dense(32),
        Dense(10, "softmax"),
    ),
    as_written="baseline",
    one_change="filters_32",
    original="second_conv_32",
)

C05A = Claim(
    id="C05a.as_written",
    code="C05a",
    statement=Text(
        en="A network with two convolutions of 32 filters is clearly more accurate on the test set than the baseline.",
        el=(
            "Ένα δίκτυο με δύο συνελίξεις των 32 φίλτρων έχει σαφώς μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από το "
            "μοντέλο αναφοράς."
        ),
    ),
    said=Text(
        en=(
            "The second convolutional layer improved the results clearly: test accuracy 63.56% against the baseline's "
            "59.59%."
        ),
        el=(
            "Το δεύτερο συνελικτικό επίπεδο βελτίωσε σαφώς τα αποτελέσματα: ακρίβεια ελέγχου 63,56% έναντι 59,59% του "
            "μοντέλου αναφοράς."
        ),
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("second_conv_32"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.02,
    family="accuracy as written",
    original_difference=0.0397,
)

C05A_ONE_CHANGE = replace(
    C05A,
    id="C05a.one_change",
    statement=Text(
        en=(
            "A second convolution of 32 filters makes the network with 32 filters clearly more accurate on the test "
            "set."
        ),
        el="Μια δεύτερη συνέλιξη 32 φίλτρων αυξάνει σαφώς την ακρίβεια του δικτύου με 32 φίλτρα στο σύνολο ελέγχου.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
    original_difference=None,
)

C05B = Claim(
    id="C05b.as_written",
    code="C05b",
    statement=Text(
        en="A network with two convolutions of 32 filters trains about twice as long as the baseline.",
        el=(
            "Ένα δίκτυο με δύο συνελίξεις των 32 φίλτρων εκπαιδεύεται περίπου στον διπλάσιο χρόνο από το μοντέλο "
            "αναφοράς."
        ),
    ),
    said=Text(
        en="The second convolutional layer doubled the training time: 539.5 s against the baseline's 259.2 s.",
        el=(
            "Το δεύτερο συνελικτικό επίπεδο διπλασίασε τον χρόνο εκπαίδευσης: 539,5 s έναντι 259,2 s του μοντέλου "
            "αναφοράς."
        ),
    ),
    quantity="seconds",
    relation="ratio",
    subject=Side("second_conv_32"),
    comparator=Side("baseline"),
    comparison="as_written",
    value=2.0,
    original_difference=2.0816,
)

C05B_ONE_CHANGE = replace(
    C05B,
    id="C05b.one_change",
    statement=Text(
        en="A second convolution of 32 filters about doubles the training time of the network with 32 filters.",
        el="Μια δεύτερη συνέλιξη 32 φίλτρων περίπου διπλασιάζει τον χρόνο εκπαίδευσης του δικτύου με 32 φίλτρα.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=1.8635,
)

C05C = Claim(
    id="C05c.as_written",
    code="C05c",
    statement=Text(
        en="A network with two convolutions of 32 filters has fewer parameters than the baseline.",
        el="Ένα δίκτυο με δύο συνελίξεις των 32 φίλτρων έχει λιγότερες παραμέτρους από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="The network has fewer parameters, 47,370, although it has a layer more.",
        el="Το δίκτυο έχει λιγότερες παραμέτρους, 47.370, παρότι έχει ένα επίπεδο παραπάνω.",
    ),
    quantity="parameters",
    relation="exact",
    exact_relation="less",
    subject=Side("second_conv_32"),
    comparator=Side("baseline"),
    comparison="as_written",
    original_difference=-68640.0,
)

C05C_ONE_CHANGE = replace(
    C05C,
    id="C05c.one_change",
    statement=Text(
        en="A second convolution of 32 filters leaves the network with 32 filters fewer parameters than it had.",
        el="Μια δεύτερη συνέλιξη 32 φίλτρων αφήνει στο δίκτυο με 32 φίλτρα λιγότερες παραμέτρους από όσες είχε.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=-184288.0,
)

EXPERIMENT = Experiment(
    id="second_conv_32",
    order=5,
    section="trials",
    number="5",
    title=Text(en="A second convolutional layer", el="Δεύτερο συνελικτικό επίπεδο"),
    question=Text(
        en="Does a second convolutional layer of 32 filters improve the network, and at what cost?",
        el="Βελτιώνει το δίκτυο ένα δεύτερο συνελικτικό επίπεδο 32 φίλτρων, και με ποιο κόστος;",
    ),
    change=Text(
        en="A second convolution of 32 filters with its own pooling follows the first, which has 32 filters too.",
        el="Μια δεύτερη συνέλιξη 32 φίλτρων με δική της συγκέντρωση ακολουθεί την πρώτη, που έχει επίσης 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "A second convolution does not look at pixels but at the feature maps of the first: it combines edges and "
            "colours into parts, such as a corner or a wheel. Because of the pooling in between, each of its filters "
            "also covers a larger piece of the image, so that the receptive field grows with the depth. The second "
            "pooling halves height and width once more; the flattened vector becomes much shorter, and the hidden "
            "layer, where most of the weights lie, becomes smaller. The computation grows nevertheless, since every "
            "filter of the second layer runs over all 32 feature maps of the first. Depth thus trades weights for "
            "computation."
        ),
        el=(
            "Μια δεύτερη συνέλιξη δεν εξετάζει εικονοστοιχεία αλλά τους χάρτες χαρακτηριστικών της πρώτης: συνδυάζει "
            "ακμές και χρώματα σε μέρη αντικειμένων, όπως μια γωνία ή ένας τροχός. Λόγω της συγκέντρωσης που "
            "παρεμβάλλεται, κάθε φίλτρο της καλύπτει και μεγαλύτερο κομμάτι της εικόνας, ώστε το δεκτικό πεδίο να "
            "μεγαλώνει με το βάθος. Η δεύτερη συγκέντρωση υποδιπλασιάζει ακόμη μία φορά το ύψος και το πλάτος· το "
            "διάνυσμα που προκύπτει γίνεται πολύ βραχύτερο και το κρυφό επίπεδο, όπου βρίσκονται τα περισσότερα βάρη, "
            "μικραίνει. Παρ’ όλα αυτά οι υπολογισμοί αυξάνονται, αφού κάθε φίλτρο του δεύτερου επιπέδου διατρέχει και "
            "τους 32 χάρτες χαρακτηριστικών του πρώτου. Το βάθος, επομένως, ανταλλάσσει βάρη με υπολογισμούς."
        ),
    ),
    trials=(SECOND_CONV_32,),
    claims=(C05A, C05A_ONE_CHANGE, C05B, C05B_ONE_CHANGE, C05C, C05C_ONE_CHANGE),
)
