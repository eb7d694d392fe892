"""Trial 6: twice as many filters in the second convolution."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .second_conv_32 import SECOND_CONV_32

SECOND_CONV_64 = replace(
    SECOND_CONV_32,
    id="second_conv_64",
    title=Text(en="Second convolution, 64 filters", el="Δεύτερη συνέλιξη, 64 φίλτρα"),
    layers=(
        Conv2D(32, 3),
        MaxPooling2D(2),
        Conv2D(64, 3),
        MaxPooling2D(2),
        Flatten(),
        Dense(32),
        Dense(10, "softmax"),
    ),
    as_written="baseline",
    one_change="second_conv_32",
    original="second_conv_64",
)

C06A = Claim(
    id="C06a",
    code="C06a",
    statement=Text(
        en="With 64 filters in the second convolution the network is more accurate on the test set than with 32.",
        el="Με 64 φίλτρα στη δεύτερη συνέλιξη το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από ό,τι με 32.",
    ),
    said=Text(
        en=(
            "With 64 filters in the second convolution the results are better still: test accuracy 68.37% against "
            "63.56%."
        ),
        el=(
            "Με 64 φίλτρα στη δεύτερη συνέλιξη τα αποτελέσματα είναι ακόμη καλύτερα: ακρίβεια ελέγχου 68,37% έναντι "
            "63,56%."
        ),
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("second_conv_64"),
    comparator=Side("second_conv_32"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=0.0481,
)

C06B = Claim(
    id="C06b",
    code="C06b",
    statement=Text(
        en="With 64 filters in the second convolution training takes about a ninth longer than with 32.",
        el="Με 64 φίλτρα στη δεύτερη συνέλιξη η εκπαίδευση διαρκεί περίπου κατά ένα ένατο περισσότερο από ό,τι με 32.",
    ),
    said=Text(
        en="The improvement costs a minute more: 594.9 s against 539.5 s.",
        el="Η βελτίωση κοστίζει ένα λεπτό παραπάνω: 594,9 s έναντι 539,5 s.",
    ),
    quantity="seconds",
    relation="ratio",
    subject=Side("second_conv_64"),
    comparator=Side("second_conv_32"),
    comparison="as_written",
    value=1.11,
    proxy=Text(
        en=(
            "A minute of another machine cannot be measured here; it is tested as the share that it was of the "
            "original's own nine minutes, a ratio near 1.11."
        ),
        el=(
            "Ένα λεπτό ενός άλλου υπολογιστή δεν μετριέται εδώ· ελέγχεται ως το μερίδιο των εννέα λεπτών της αρχικής "
            "εργασίας που αποτελούσε, δηλαδή ως λόγος κοντά στο 1,11."
        ),
    ),
    original_difference=1.1027,
)

EXPERIMENT = Experiment(
    id="second_conv_64",
    order=6,
    section="trials",
    number="6",
    title=Text(en="More filters in the second layer", el="Περισσότερα φίλτρα στο δεύτερο επίπεδο"),
    question=Text(
        en="Do 64 filters in the second convolution serve the network better than 32?",
        el="Ωφελούν το δίκτυο 64 φίλτρα στη δεύτερη συνέλιξη περισσότερο από 32;",
    ),
    change=Text(
        en="The second convolution has 64 filters instead of 32.",
        el="Η δεύτερη συνέλιξη έχει 64 φίλτρα αντί για 32.",
    ),
    explanation=Text(
        en=(
            "Deeper layers are usually given more filters than the first: there are few kinds of edges, but many ways "
            "to combine them into parts of objects. Since pooling has already reduced height and width, an additional "
            "filter costs less computation here than in the first layer. Twice as many filters double the weights of "
            "the second convolution and the length of the flattened vector, and so nearly double all the parameters of "
            "the network. Whether the additional patterns help on unseen images, or only describe the training set "
            "more closely, is what the comparison of training and validation shows."
        ),
        el=(
            "Στα βαθύτερα επίπεδα δίνονται συνήθως περισσότερα φίλτρα από ό,τι στο πρώτο: τα είδη των ακμών είναι "
            "λίγα, οι τρόποι όμως να συνδυαστούν σε μέρη αντικειμένων είναι πολλοί. Επειδή η συγκέντρωση έχει ήδη "
            "μειώσει το ύψος και το πλάτος, ένα επιπλέον φίλτρο κοστίζει εδώ λιγότερους υπολογισμούς από ό,τι στο "
            "πρώτο επίπεδο. Τα διπλάσια φίλτρα διπλασιάζουν τα βάρη της δεύτερης συνέλιξης και το μήκος του "
            "διανύσματος που προκύπτει, άρα σχεδόν διπλασιάζουν όλες τις παραμέτρους του δικτύου. Αν τα επιπλέον "
            "μοτίβα βοηθούν σε άγνωστες εικόνες ή απλώς περιγράφουν πιο πιστά το σύνολο εκπαίδευσης, το δείχνει η "
            "σύγκριση εκπαίδευσης και επικύρωσης."
        ),
    ),
    trials=(SECOND_CONV_64,),
    claims=(C06A, C06B),
)
