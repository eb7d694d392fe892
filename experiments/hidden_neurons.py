"""Study: how many neurons the hidden layer needs."""

from msgspec.structs import replace

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Text

from .filters import FILTERS_32

HIDDEN_16 = replace(
    FILTERS_32,
    id="hidden_16",
    title=Text(en="16 hidden neurons", el="16 κρυφοί νευρώνες"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(16), Dense(10, "softmax")),
    as_written=None,
    one_change="filters_32",
    original=None,
)

HIDDEN_128 = replace(
    FILTERS_32,
    id="hidden_128",
    title=Text(en="128 hidden neurons", el="128 κρυφοί νευρώνες"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(128), Dense(10, "softmax")),
    as_written=None,
    one_change="filters_32",
    original=None,
)

EXPERIMENT = Experiment(
    id="hidden_neurons",
    order=0,
    section="hidden_layer",
    title=Text(en="Neurons in the hidden layer", el="Νευρώνες στο κρυφό επίπεδο"),
    question=Text(
        en="How do accuracy and training time depend on the number of neurons in the hidden layer?",
        el="Πώς εξαρτώνται η ακρίβεια και ο χρόνος εκπαίδευσης από το πλήθος των νευρώνων στο κρυφό επίπεδο;",
    ),
    change=Text(
        en="The hidden layer has 16, 32, 64 or 128 neurons, in the network with 32 filters.",
        el="Το κρυφό επίπεδο έχει 16, 32, 64 ή 128 νευρώνες, στο δίκτυο με 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "The hidden layer is the narrowest place of the network: whatever the convolution found must be expressed "
            "by the answers of its neurons before the output layer decides. With very few of them, classes that need "
            "different features have to share a neuron, and the network underfits. With many, there is room for rare "
            "combinations, those included that occur only in the training set by accident. As the layer is connected "
            "to every value of the flattened vector, its weights are almost all the weights of this network, and their "
            "number grows in proportion to the neurons."
        ),
        el=(
            "Το κρυφό επίπεδο είναι το στενότερο σημείο του δικτύου: ό,τι βρήκε η συνέλιξη πρέπει να εκφραστεί με τις "
            "αποκρίσεις των νευρώνων του πριν αποφασίσει το επίπεδο εξόδου. Με πολύ λίγους νευρώνες, κλάσεις που "
            "χρειάζονται διαφορετικά χαρακτηριστικά αναγκάζονται να μοιραστούν τον ίδιο, και το δίκτυο "
            "υποπροσαρμόζεται. Με πολλούς υπάρχει χώρος για σπάνιους συνδυασμούς, ακόμη και για όσους εμφανίζονται "
            "μόνο κατά τύχη στο σύνολο εκπαίδευσης. Επειδή το επίπεδο συνδέεται με κάθε τιμή του διανύσματος εισόδου "
            "του, τα βάρη του είναι σχεδόν όλα τα βάρη αυτού του δικτύου, και το πλήθος τους αυξάνεται ανάλογα με τους "
            "νευρώνες."
        ),
    ),
    trials=(HIDDEN_16, HIDDEN_128),
    points=("hidden_16", "filters_32", "dense_64", "hidden_128"),
    figures=("curves", "study"),
)
