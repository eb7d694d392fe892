"""Trial 9: batch normalization behind the convolution."""

from msgspec.structs import replace

from cifar_report.spec import BatchNormalization, Claim, Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Side, Text

from .filters import FILTERS_32

BATCH_NORM = replace(
    FILTERS_32,
    id="batch_norm",
    title=Text(en="Batch normalization", el="Κανονικοποίηση παρτίδας"),
    layers=(Conv2D(32, 3), BatchNormalization(), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    as_written="baseline",
    one_change="filters_32",
    original="batch_norm",
)

C09A = Claim(
    id="C09a.as_written",
    code="C09a",
    statement=Text(
        en=(
            "With 32 filters and batch normalization the network is not more accurate on the test set than the "
            "baseline."
        ),
        el=(
            "Με 32 φίλτρα και κανονικοποίηση παρτίδας το δίκτυο δεν έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από το "
            "μοντέλο αναφοράς."
        ),
    ),
    said=Text(
        en="Batch normalization alone fails to improve the network: test accuracy 54.96%, test loss 2.7702.",
        el=(
            "Η κανονικοποίηση παρτίδας από μόνη της δεν βελτιώνει το δίκτυο: ακρίβεια ελέγχου 54,96%, απώλεια ελέγχου "
            "2,7702."
        ),
    ),
    quantity="accuracy",
    relation="not_better",
    subject=Side("batch_norm"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=-0.0463,
)

C09A_ONE_CHANGE = replace(
    C09A,
    id="C09a.one_change",
    statement=Text(
        en="Batch normalization does not make the network with 32 filters more accurate on the test set.",
        el="Η κανονικοποίηση παρτίδας δεν αυξάνει την ακρίβεια του δικτύου με 32 φίλτρα στο σύνολο ελέγχου.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    family="accuracy by one change",
    original_difference=None,
)

C09B = Claim(
    id="C09b",
    code="C09b",
    statement=Text(
        en="With batch normalization the network has converged by epoch 4 and overfits from then on.",
        el=(
            "Με κανονικοποίηση παρτίδας το δίκτυο έχει συγκλίνει ως την εποχή 4 και από εκεί και πέρα "
            "υπερπροσαρμόζεται."
        ),
    ),
    said=Text(
        en="The network converges by epoch 4 and then overfits.",
        el="Το δίκτυο συγκλίνει ως την εποχή 4 και έπειτα υπερπροσαρμόζεται.",
    ),
    quantity="epoch_of_least_loss",
    relation="onset",
    subject=Side("batch_norm"),
    comparison="absolute",
    margin=1.0,
    value=4.0,
    original_difference=4.0,
)

C09C = Claim(
    id="C09c.as_written",
    code="C09c",
    statement=Text(
        en="With 32 filters and batch normalization the network trains longer than the baseline.",
        el="Με 32 φίλτρα και κανονικοποίηση παρτίδας το δίκτυο εκπαιδεύεται περισσότερη ώρα από το μοντέλο αναφοράς.",
    ),
    said=Text(
        en="The training time rises visibly: 720.6 s against 289.5 s without normalization.",
        el="Ο χρόνος εκπαίδευσης αυξάνεται αισθητά: 720,6 s έναντι 289,5 s χωρίς κανονικοποίηση.",
    ),
    quantity="seconds",
    relation="greater",
    subject=Side("batch_norm"),
    comparator=Side("baseline"),
    comparison="as_written",
    margin=0.1,
    family="time",
    original_difference=2.7803,
)

C09C_ONE_CHANGE = replace(
    C09C,
    id="C09c.one_change",
    statement=Text(
        en="With batch normalization the network with 32 filters trains longer than without it.",
        el="Με κανονικοποίηση παρτίδας το δίκτυο με 32 φίλτρα εκπαιδεύεται περισσότερη ώρα από ό,τι χωρίς αυτήν.",
    ),
    comparator=Side("filters_32"),
    comparison="one_change",
    original_difference=2.489,
)

EXPERIMENT = Experiment(
    id="batch_norm",
    order=9,
    section="trials",
    number="9",
    title=Text(en="Batch normalization", el="Κανονικοποίηση παρτίδας"),
    question=Text(
        en="Does batch normalization alone improve the network?",
        el="Βελτιώνει το δίκτυο η κανονικοποίηση παρτίδας από μόνη της;",
    ),
    change=Text(
        en="Batch normalization stands between the convolution and its pooling, in the network with 32 filters.",
        el=(
            "Ανάμεσα στη συνέλιξη και στη συγκέντρωσή της παρεμβάλλεται κανονικοποίηση παρτίδας, στο δίκτυο με 32 "
            "φίλτρα."
        ),
    ),
    explanation=Text(
        en=(
            "During training, batch normalization subtracts from each feature map its mean over the batch and divides "
            "it by its standard deviation; a scale and an offset, both learned, then give the network back the freedom "
            "to choose another range. Gradients thus keep a similar size in all layers, and larger steps become "
            "possible without divergence. When the network is evaluated, running averages take the place of the "
            "batch's own values, so that the answer for one image does not depend on the others. These averages are "
            "parameters that no gradient changes, which is why fewer parameters are trainable than the network has. "
            "Because each image is normalised together with the accidental others of its batch, training also receives "
            "a little noise."
        ),
        el=(
            "Κατά την εκπαίδευση η κανονικοποίηση παρτίδας (batch normalization) αφαιρεί από κάθε χάρτη "
            "χαρακτηριστικών τη μέση τιμή του στην παρτίδα και τον διαιρεί με την τυπική απόκλισή του· ένας "
            "συντελεστής κλίμακας και μια μετατόπιση, που μαθαίνονται και τα δύο, επιστρέφουν έπειτα στο δίκτυο την "
            "ελευθερία να επιλέξει άλλο εύρος τιμών. Έτσι οι κλίσεις διατηρούν παρόμοιο μέγεθος σε όλα τα επίπεδα και "
            "γίνονται δυνατά μεγαλύτερα βήματα χωρίς η εκπαίδευση να αποκλίνει. Κατά την αξιολόγηση του δικτύου τη "
            "θέση των τιμών της παρτίδας παίρνουν κινητοί μέσοι, ώστε η απόκριση για μία εικόνα να μην εξαρτάται από "
            "τις υπόλοιπες. Οι μέσοι αυτοί είναι παράμετροι που καμία κλίση δεν μεταβάλλει, γι’ αυτό οι εκπαιδεύσιμες "
            "παράμετροι είναι λιγότερες από όσες έχει το δίκτυο. Επειδή κάθε εικόνα κανονικοποιείται μαζί με τις "
            "τυχαίες άλλες της παρτίδας της, στην εκπαίδευση εισέρχεται και λίγος θόρυβος."
        ),
    ),
    trials=(BATCH_NORM,),
    claims=(C09A, C09A_ONE_CHANGE, C09B, C09C, C09C_ONE_CHANGE),
)
