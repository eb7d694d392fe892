"""The final model: one network, trained three times in a row, the third time with augmentation."""

from msgspec.structs import replace

from cifar_report.spec import (
    Augmentation,
    BatchNormalization,
    Claim,
    Conv2D,
    Dense,
    Dropout,
    EarlyStopping,
    Experiment,
    Flatten,
    MaxPooling2D,
    Side,
    Stage,
    Text,
    Trial,
)

FIRST = Stage(id="first", epochs=40, early_stopping=EarlyStopping(patience=4))
SECOND = Stage(id="second", epochs=20, early_stopping=EarlyStopping(patience=4))
AUGMENTED = Stage(
    id="augmented",
    epochs=50,
    early_stopping=EarlyStopping(patience=4),
    augmentation=Augmentation(rotation_degrees=15.0, shift_fraction=0.1, horizontal_flip=True),
)

MODEL_2 = Trial(
    id="model_2",
    title=Text(en="Model 2", el="Μοντέλο 2"),
    layers=(
        Conv2D(16, 3, padding="same"),
        BatchNormalization(),
        MaxPooling2D(2),
        Conv2D(64, 3, padding="same"),
        BatchNormalization(),
        MaxPooling2D(2),
        Conv2D(128, 3, padding="same"),
        BatchNormalization(),
        MaxPooling2D(2),
        Dropout(0.5),
        Flatten(),
        Dense(256),
        BatchNormalization(),
        Dropout(0.5),
        Dense(10, "softmax"),
    ),
    stages=(FIRST, SECOND, AUGMENTED),
    batch_size=64,
    as_written="third_conv_64",
    original="model_2",
)

SAID_FINAL = Text(
    en=(
        "The final model with augmentation reaches 79.51% on the test set and 80.14% on the validation set, with a "
        "test loss of 0.5947; its last training crashed in epoch 20 of 50."
    ),
    el=(
        "Το τελικό μοντέλο με επαύξηση δεδομένων φτάνει 79,51% στο σύνολο ελέγχου και 80,14% στο σύνολο επικύρωσης, με "
        "απώλεια ελέγχου 0,5947· η τελευταία εκπαίδευσή του διακόπηκε από σφάλμα στην εποχή 20 από τις 50."
    ),
)

SAID_STAGES = Text(
    en=(
        "Each further training improves the model: test accuracy 72.6%, then 77.8% (both read from plots), and with "
        "augmentation 79.51%."
    ),
    el=(
        "Κάθε περαιτέρω εκπαίδευση βελτιώνει το μοντέλο: ακρίβεια ελέγχου 72,6%, έπειτα 77,8% (από διαγράμματα και οι "
        "δύο) και με επαύξηση δεδομένων 79,51%."
    ),
)

C13A_ACCURACY = Claim(
    id="C13a.accuracy",
    code="C13a",
    statement=Text(
        en="Model 2 ends at the test accuracy that the original states.",
        el="Το μοντέλο 2 καταλήγει στην ακρίβεια ελέγχου που αναφέρει η αρχική εργασία.",
    ),
    said=SAID_FINAL,
    quantity="accuracy",
    relation="value",
    subject=Side("model_2", "augmented"),
    comparison="absolute",
    margin=0.01,
    value=0.7951,
    original_difference=0.7951,
)

C13A_VALIDATION = replace(
    C13A_ACCURACY,
    id="C13a.validation",
    statement=Text(
        en="Model 2 ends at the validation accuracy that the original states.",
        el="Το μοντέλο 2 καταλήγει στην ακρίβεια επικύρωσης που αναφέρει η αρχική εργασία.",
    ),
    quantity="validation_accuracy",
    value=0.8014,
    original_difference=0.8014,
)

C13A_LOSS = replace(
    C13A_ACCURACY,
    id="C13a.loss",
    statement=Text(
        en="Model 2 ends at the test loss that the original states.",
        el="Το μοντέλο 2 καταλήγει στην απώλεια ελέγχου που αναφέρει η αρχική εργασία.",
    ),
    quantity="loss",
    margin=0.1,
    value=0.5947,
    original_difference=0.5947,
)

C13B_SECOND = Claim(
    id="C13b.second",
    code="C13b",
    statement=Text(
        en="The second training makes model 2 more accurate on the test set than the first left it.",
        el="Η δεύτερη εκπαίδευση αυξάνει την ακρίβεια του μοντέλου 2 στο σύνολο ελέγχου σε σχέση με την πρώτη.",
    ),
    said=SAID_STAGES,
    quantity="accuracy",
    relation="greater",
    subject=Side("model_2", "second"),
    comparator=Side("model_2", "first"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    original_difference=0.052,
)

C13B_AUGMENTED = replace(
    C13B_SECOND,
    id="C13b.augmented",
    statement=Text(
        en="The training with augmentation makes model 2 more accurate on the test set than the second left it.",
        el=(
            "Η εκπαίδευση με επαύξηση δεδομένων αυξάνει την ακρίβεια του μοντέλου 2 στο σύνολο ελέγχου σε σχέση με τη "
            "δεύτερη."
        ),
    ),
    subject=Side("model_2", "augmented"),
    comparator=Side("model_2", "second"),
    original_difference=0.0171,
)

C13C = Claim(
    id="C13c",
    code="C13c",
    statement=Text(
        en="Model 2 has exactly as many trainable parameters as the original states.",
        el="Το μοντέλο 2 έχει ακριβώς όσες εκπαιδεύσιμες παραμέτρους αναφέρει η αρχική εργασία.",
    ),
    said=Text(
        en="The final model has 611,626 parameters; these are the trainable ones, of 612,554 in all.",
        el="Το τελικό μοντέλο έχει 611.626 παραμέτρους· αυτές είναι οι εκπαιδεύσιμες, από 612.554 συνολικά.",
    ),
    quantity="trainable_parameters",
    relation="exact",
    exact_relation="equal",
    subject=Side("model_2"),
    comparison="absolute",
    value=611626.0,
    original_difference=611626.0,
)

C13D = Claim(
    id="C13d",
    code="C13d",
    statement=Text(
        en=(
            "Model 2 is more accurate on the test set than the network with three convolutions, the most accurate of "
            "the original's trials."
        ),
        el=(
            "Το μοντέλο 2 έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από το δίκτυο με τρεις συνελίξεις, το "
            "ακριβέστερο από τις δοκιμές της αρχικής εργασίας."
        ),
    ),
    said=Text(
        en="The final model beats every trial: test accuracy 79.51%, against 70.22% for the best of them.",
        el="Το τελικό μοντέλο ξεπερνά κάθε δοκιμή: ακρίβεια ελέγχου 79,51%, έναντι 70,22% της καλύτερης από αυτές.",
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("model_2", "augmented"),
    comparator=Side("third_conv_64"),
    comparison="as_written",
    margin=0.01,
    family="accuracy as written",
    proxy=Text(
        en=(
            "All trials are represented by the one that was best in the original, the network with a third convolution "
            "of 64 filters."
        ),
        el=(
            "Όλες τις δοκιμές εκπροσωπεί εκείνη που ήταν η καλύτερη στην αρχική εργασία, το δίκτυο με τρίτη συνέλιξη "
            "64 φίλτρων."
        ),
    ),
    original_difference=0.0929,
)

EXPERIMENT = Experiment(
    id="model_2",
    order=0,
    section="model_2",
    title=Text(en="Model 2 and data augmentation", el="Το μοντέλο 2 και η επαύξηση δεδομένων"),
    question=Text(
        en=(
            "How far does a deeper, regularised network come when it is trained three times in a row, at last on "
            "augmented data?"
        ),
        el=(
            "Πόσο μακριά φτάνει ένα βαθύτερο δίκτυο με ομαλοποίηση όταν εκπαιδεύεται τρεις διαδοχικές φορές, την "
            "τελευταία με επαύξηση δεδομένων;"
        ),
    ),
    change=Text(
        en=(
            "Three convolutions, batch normalization, dropout and 256 hidden neurons, with early stopping in each of "
            "the three stages and augmentation in the third."
        ),
        el=(
            "Τρεις συνελίξεις, κανονικοποίηση παρτίδας, απόρριψη (dropout) και 256 κρυφοί νευρώνες, με πρόωρη διακοπή "
            "σε καθένα από τα τρία στάδια και επαύξηση δεδομένων στο τρίτο."
        ),
    ),
    explanation=Text(
        en=(
            "Data augmentation shows the network a different version of each training image in every epoch: mirrored, "
            "turned by up to 15 degrees, shifted by up to a tenth of its size, with the edge repeated where nothing is "
            "known. The label stays right, so the network learns that such changes do not matter, and it never sees "
            "exactly the same image twice; this is one of the usual means against overfitting. Early stopping "
            "ends a stage when the validation loss has not fallen for 4 epochs and restores the weights of its least "
            "value, so that the number of epochs need not be guessed. One and the same network passes through all "
            "three stages: weights and the optimizer's running averages go on, and only the count of early stopping "
            "begins anew. Because validation decides when to stop and which weights stay, only the test set, which "
            "decides nothing, measures the result without bias."
        ),
        el=(
            "Η επαύξηση δεδομένων (data augmentation) δείχνει στο δίκτυο σε κάθε εποχή μια διαφορετική εκδοχή κάθε "
            "εικόνας εκπαίδευσης: κατοπτρισμένη, στραμμένη έως 15 μοίρες, μετατοπισμένη έως το ένα δέκατο του μεγέθους "
            "της, με επανάληψη του άκρου όπου δεν υπάρχει πληροφορία. Η ετικέτα παραμένει σωστή, άρα το δίκτυο "
            "μαθαίνει ότι τέτοιες μεταβολές δεν έχουν σημασία και δεν βλέπει ποτέ δύο φορές ακριβώς την ίδια εικόνα· "
            "είναι ένα από τα συνήθη μέσα κατά της υπερπροσαρμογής. Η πρόωρη διακοπή τερματίζει ένα στάδιο "
            "όταν η απώλεια επικύρωσης δεν έχει μειωθεί επί 4 εποχές και επαναφέρει τα βάρη της ελάχιστης τιμής της, "
            "ώστε το πλήθος των εποχών να μη χρειάζεται να μαντευτεί. Το ίδιο δίκτυο διέρχεται και τα τρία στάδια: τα "
            "βάρη και οι κινητοί μέσοι του βελτιστοποιητή συνεχίζουν, μόνο η μέτρηση της πρόωρης διακοπής ξεκινά από "
            "την αρχή. Επειδή η επικύρωση αποφασίζει πότε σταματά η εκπαίδευση και ποια βάρη μένουν, μόνο το σύνολο "
            "ελέγχου, που δεν αποφασίζει τίποτα, μετρά το αποτέλεσμα αμερόληπτα."
        ),
    ),
    trials=(MODEL_2,),
    claims=(C13A_ACCURACY, C13A_VALIDATION, C13A_LOSS, C13B_SECOND, C13B_AUGMENTED, C13C, C13D),
    figures=("curves", "stages"),
)
