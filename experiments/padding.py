"""Trial 4: a convolution that keeps the image's size."""

from msgspec.structs import replace

from cifar_report.spec import Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .baseline import BASELINE

PADDING_SAME = replace(
    BASELINE,
    id="padding_same",
    title=Text(en="Padding “same”", el="Συμπλήρωση “same”"),
    layers=(Conv2D(16, 3, padding="same"), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="baseline",
    original="padding_same",
)

SAID_SLOWER = Text(
    en="All that the padding brings is slower convergence.",
    el="Το μόνο που επιφέρει η συμπλήρωση είναι βραδύτερη σύγκλιση.",
)

SAID_COST = Text(
    en="The padding costs more computation; yet its own training took 156.9 s against the baseline's 259.2 s.",
    el=(
        "Η συμπλήρωση απαιτεί περισσότερους υπολογισμούς· ωστόσο η εκπαίδευση διήρκεσε 156,9 s έναντι 259,2 s του "
        "μοντέλου αναφοράς."
    ),
)

C04A = Claim(
    id="C04a",
    code="C04a",
    statement=Text(
        en="With padding the network is about as accurate on the test set as the baseline.",
        el="Με συμπλήρωση το δίκτυο έχει περίπου την ίδια ακρίβεια στο σύνολο ελέγχου με το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="The padding brought no gain: test accuracy 60.37% against 59.59%.",
        el="Η συμπλήρωση δεν έφερε κέρδος: ακρίβεια ελέγχου 60,37% έναντι 59,59%.",
    ),
    quantity="accuracy",
    relation="equal",
    subject=Side("padding_same"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    original_difference=0.0078,
)

C04B_EPOCHS = Claim(
    id="C04b.epochs_to_accuracy",
    code="C04b",
    statement=Text(
        en="With padding the network reaches the fixed validation accuracy in a later epoch than the baseline.",
        el=(
            "Με συμπλήρωση το δίκτυο φτάνει την ορισμένη ακρίβεια επικύρωσης σε μεταγενέστερη εποχή από το μοντέλο "
            "αναφοράς."
        ),
    ),
    said=SAID_SLOWER,
    quantity="epochs_to_accuracy",
    relation="greater",
    subject=Side("padding_same"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=1.0,
    family="convergence",
    original_difference=1.0,
)

C04B_LOSS = replace(
    C04B_EPOCHS,
    id="C04b.epoch_of_least_loss",
    statement=Text(
        en="With padding the network reaches its least validation loss in a later epoch than the baseline.",
        el=(
            "Με συμπλήρωση το δίκτυο φτάνει την ελάχιστη απώλεια επικύρωσης σε μεταγενέστερη εποχή από το μοντέλο "
            "αναφοράς."
        ),
    ),
    quantity="epoch_of_least_loss",
    original_difference=-1.0,
)

C04C_MACS = Claim(
    id="C04c.macs",
    code="C04c",
    statement=Text(
        en="With padding the network needs more multiply-accumulates per image than the baseline.",
        el=(
            "Με συμπλήρωση το δίκτυο απαιτεί περισσότερες πράξεις πολλαπλασιασμού-συσσώρευσης ανά εικόνα από το "
            "μοντέλο αναφοράς."
        ),
    ),
    said=SAID_COST,
    quantity="macs",
    relation="exact",
    exact_relation="greater",
    subject=Side("padding_same"),
    comparator=Side("baseline"),
    comparison="as_written",
)

C04C_SECONDS = Claim(
    id="C04c.seconds",
    code="C04c",
    statement=Text(
        en="With padding training takes longer than the baseline's.",
        el="Με συμπλήρωση η εκπαίδευση διαρκεί περισσότερο από εκείνη του μοντέλου αναφοράς.",
    ),
    said=SAID_COST,
    quantity="seconds",
    relation="greater",
    subject=Side("padding_same"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
    original_difference=0.6053,
)

EXPERIMENT = Experiment(
    id="padding",
    order=4,
    section="trials",
    number="4",
    title=Text(en="Padding", el="Συμπλήρωση (padding)"),
    question=Text(
        en="Does the network gain anything when the convolution also covers the image's border?",
        el="Κερδίζει κάτι το δίκτυο όταν η συνέλιξη καλύπτει και τα άκρα της εικόνας;",
    ),
    change=Text(
        en="The convolution pads the image (“same”) instead of staying inside it (“valid”).",
        el="Η συνέλιξη συμπληρώνει την εικόνα («same») αντί να μένει μέσα στα όριά της («valid»).",
    ),
    explanation=Text(
        en=(
            "Without padding a filter is evaluated only where it lies wholly inside the image, so that the feature map "
            "is smaller than the image and pixels at the border take part in fewer sums than those in the middle. With "
            "the padding “same” a frame of zeros is laid around the image, and the feature map keeps the image's "
            "height and width. The border then counts as much as the rest, at the price of artificial zeros in its "
            "sums. The feature maps and the flattened vector become somewhat larger, and so do the number of weights "
            "and the computation."
        ),
        el=(
            "Χωρίς συμπλήρωση ένα φίλτρο υπολογίζεται μόνο όπου βρίσκεται ολόκληρο μέσα στην εικόνα, οπότε ο χάρτης "
            "χαρακτηριστικών είναι μικρότερος από αυτήν και τα εικονοστοιχεία των άκρων συμμετέχουν σε λιγότερα "
            "αθροίσματα από εκείνα του κέντρου. Με τη συμπλήρωση «same» προστίθεται γύρω από την εικόνα ένα πλαίσιο "
            "μηδενικών και ο χάρτης χαρακτηριστικών διατηρεί το ύψος και το πλάτος της. Τα άκρα αποκτούν έτσι το ίδιο "
            "βάρος με την υπόλοιπη εικόνα, με αντίτιμο τα τεχνητά μηδενικά στα αθροίσματά τους. Οι χάρτες "
            "χαρακτηριστικών και το διάνυσμα που σχηματίζουν μεγαλώνουν κάπως, και μαζί τους το πλήθος των βαρών και "
            "οι υπολογισμοί."
        ),
    ),
    trials=(PADDING_SAME,),
    claims=(C04A, C04B_EPOCHS, C04B_LOSS, C04C_MACS, C04C_SECONDS),
)
