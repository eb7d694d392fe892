"""Trial 8: twice as many neurons in the hidden layer."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .filters import FILTERS_32

DENSE_64 = replace(
    FILTERS_32,
    id="dense_64",
    title=Text(en="64 hidden neurons", el="64 κρυφοί νευρώνες"),
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(64), Dense(10, "softmax")),
    as_written="baseline",
    one_change="filters_32",
    original="dense_64",
)

SAID_SPEED = Text(
    en="The network converges as fast as with 32 hidden neurons, in 6 epochs.",
    el="Το δίκτυο συγκλίνει εξίσου γρήγορα όσο και με 32 κρυφούς νευρώνες, σε 6 εποχές.",
)

C08A = Claim(
    id="C08a.as_written",
    code="C08a",
    statement=Text(
        en="With 32 filters and 64 hidden neurons the network is more accurate on the test set than the baseline.",
        el=(
            "Με 32 φίλτρα και 64 κρυφούς νευρώνες το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από το μοντέλο "
            "αναφοράς."
        ),
    ),
    said=Text(
        en="64 hidden neurons did better than 32: test accuracy 62.56% against the baseline's 59.59%.",
        el=(
            "Οι 64 κρυφοί νευρώνες έδωσαν καλύτερα αποτελέσματα από τους 32: ακρίβεια ελέγχου 62,56% έναντι 59,59% του "
            "μοντέλου αναφοράς."
        ),
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("dense_64"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=0.0297,
)

C08A_ONE_CHANGE = replace(
    C08A,
    id="C08a.one_change",
    statement=Text(
        en="With 64 hidden neurons the network with 32 filters is more accurate on the test set than with 32.",
        el="Με 64 κρυφούς νευρώνες το δίκτυο με 32 φίλτρα έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από ό,τι με 32.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
    original_difference=None,
)

C08B_EPOCHS = Claim(
    id="C08b.epochs_to_accuracy.as_written",
    code="C08b",
    statement=Text(
        en=(
            "With 32 filters and 64 hidden neurons the network reaches the fixed validation accuracy as early as the "
            "baseline."
        ),
        el=(
            "Με 32 φίλτρα και 64 κρυφούς νευρώνες το δίκτυο φτάνει την ορισμένη ακρίβεια επικύρωσης εξίσου νωρίς με το "
            "μοντέλο αναφοράς."
        ),
    ),
    said=SAID_SPEED,
    quantity="epochs_to_accuracy",
    relation="equal",
    subject=Side("dense_64"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=1.0,
    original_difference=0.0,
)

C08B_EPOCHS_ONE_CHANGE = replace(
    C08B_EPOCHS,
    id="C08b.epochs_to_accuracy.one_change",
    statement=Text(
        en=(
            "With 64 hidden neurons the network with 32 filters reaches the fixed validation accuracy as early as with "
            "32."
        ),
        el=(
            "Με 64 κρυφούς νευρώνες το δίκτυο με 32 φίλτρα φτάνει την ορισμένη ακρίβεια επικύρωσης εξίσου νωρίς όσο με "
            "32."
        ),
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=None,
)

C08B_LOSS = replace(
    C08B_EPOCHS,
    id="C08b.epoch_of_least_loss.as_written",
    statement=Text(
        en=(
            "With 32 filters and 64 hidden neurons the network reaches its least validation loss as early as the "
            "baseline."
        ),
        el=(
            "Με 32 φίλτρα και 64 κρυφούς νευρώνες το δίκτυο φτάνει την ελάχιστη απώλεια επικύρωσης εξίσου νωρίς με το "
            "μοντέλο αναφοράς."
        ),
    ),
    quantity="epoch_of_least_loss",
    original_difference=0.0,
)

C08B_LOSS_ONE_CHANGE = replace(
    C08B_LOSS,
    id="C08b.epoch_of_least_loss.one_change",
    statement=Text(
        en="With 64 hidden neurons the network with 32 filters reaches its least validation loss as early as with 32.",
        el=(
            "Με 64 κρυφούς νευρώνες το δίκτυο με 32 φίλτρα φτάνει την ελάχιστη απώλεια επικύρωσης εξίσου νωρίς όσο με "
            "32."
        ),
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=-6.0,
)

C08C = Claim(
    id="C08c.as_written",
    code="C08c",
    statement=Text(
        en="With 32 filters and 64 hidden neurons the network trains clearly longer than the baseline.",
        el="Με 32 φίλτρα και 64 κρυφούς νευρώνες το δίκτυο εκπαιδεύεται σαφώς περισσότερη ώρα από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="Training took clearly more time: 548.6 s against 289.5 s with 32 hidden neurons.",
        el="Η εκπαίδευση διήρκεσε σαφώς περισσότερο: 548,6 s έναντι 289,5 s με 32 κρυφούς νευρώνες.",
    ),
    quantity="seconds",
    relation="greater",
    subject=Side("dense_64"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
    original_difference=2.1166,
)

C08C_ONE_CHANGE = replace(
    C08C,
    id="C08c.one_change",
    statement=Text(
        en="With 64 hidden neurons the network with 32 filters trains clearly longer than with 32.",
        el="Με 64 κρυφούς νευρώνες το δίκτυο με 32 φίλτρα εκπαιδεύεται σαφώς περισσότερη ώρα από ό,τι με 32.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=1.8948,
)

EXPERIMENT = Experiment(
    id="dense_64",
    order=8,
    section="trials",
    number="8",
    title=Text(en="More neurons in the hidden layer", el="Περισσότεροι νευρώνες στο κρυφό επίπεδο"),
    question=Text(
        en="Do 64 neurons in the hidden layer serve the network better than 32?",
        el="Ωφελούν το δίκτυο 64 νευρώνες στο κρυφό επίπεδο περισσότερο από 32;",
    ),
    change=Text(
        en="The hidden layer has 64 neurons instead of 32, in the network with 32 filters.",
        el="Το κρυφό επίπεδο έχει 64 νευρώνες αντί για 32, στο δίκτυο με 32 φίλτρα.",
    ),
    explanation=Text(
        en=(
            "The fully connected hidden layer combines the features that the convolution found anywhere in the image. "
            "Each of its neurons has one weight for every value of the flattened vector and answers to one weighted "
            "mixture of them; the output layer then decides by these answers alone. The number of neurons is therefore "
            "the width of the bottleneck through which all information about the image must pass. Twice as many "
            "neurons double nearly all the parameters of this network, with the gain in expressive power and the "
            "danger of overfitting that go with them."
        ),
        el=(
            "Το πλήρως συνδεδεμένο κρυφό επίπεδο συνδυάζει τα χαρακτηριστικά που βρήκε η συνέλιξη σε οποιοδήποτε "
            "σημείο της εικόνας. Κάθε νευρώνας του έχει ένα βάρος για κάθε τιμή του διανύσματος εισόδου και "
            "αποκρίνεται σε έναν σταθμισμένο συνδυασμό τους· το επίπεδο εξόδου αποφασίζει έπειτα μόνο με βάση αυτές "
            "τις αποκρίσεις. Το πλήθος των νευρώνων είναι επομένως το εύρος της στενωπού από την οποία πρέπει να "
            "περάσει όλη η πληροφορία για την εικόνα. Οι διπλάσιοι νευρώνες διπλασιάζουν σχεδόν όλες τις παραμέτρους "
            "αυτού του δικτύου, με το κέρδος σε εκφραστικότητα και τον κίνδυνο υπερπροσαρμογής που αυτό συνεπάγεται."
        ),
    ),
    trials=(DENSE_64,),
    claims=(
        C08A,
        C08A_ONE_CHANGE,
        C08B_EPOCHS,
        C08B_EPOCHS_ONE_CHANGE,
        C08B_LOSS,
        C08B_LOSS_ONE_CHANGE,
        C08C,
        C08C_ONE_CHANGE,
    ),
)
