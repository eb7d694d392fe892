"""Nearest neighbours and nearest class centroid on raw pixels, against the network."""

from msgspec.structs import replace

from cifar_report.spec import Claim, ClassicalTrial, Experiment, NearestCentroid, NearestNeighbors, Side, Text

NEAREST_NEIGHBOR_1 = ClassicalTrial(
    id="nearest_neighbor_1",
    title=Text(en="1 nearest neighbour", el="1 πλησιέστερος γείτονας"),
    method=NearestNeighbors(1),
)

NEAREST_NEIGHBOR_3 = replace(
    NEAREST_NEIGHBOR_1,
    id="nearest_neighbor_3",
    title=Text(en="3 nearest neighbours", el="3 πλησιέστεροι γείτονες"),
    method=NearestNeighbors(3),
    one_change="nearest_neighbor_1",
)

NEAREST_CENTROID = ClassicalTrial(
    id="nearest_centroid",
    title=Text(en="Nearest class centroid", el="Πλησιέστερο κέντρο κλάσης"),
    method=NearestCentroid(),
)

NEAREST_NEIGHBOR_1_50K = replace(
    NEAREST_NEIGHBOR_1,
    id="nearest_neighbor_1_50k",
    title=Text(en="1 nearest neighbour, 50,000 images", el="1 πλησιέστερος γείτονας, 50.000 εικόνες"),
    training_images="train+validation",
    one_change="nearest_neighbor_1",
)

NEAREST_NEIGHBOR_3_50K = replace(
    NEAREST_NEIGHBOR_3,
    id="nearest_neighbor_3_50k",
    title=Text(en="3 nearest neighbours, 50,000 images", el="3 πλησιέστεροι γείτονες, 50.000 εικόνες"),
    training_images="train+validation",
    one_change="nearest_neighbor_3",
)

NEAREST_CENTROID_50K = replace(
    NEAREST_CENTROID,
    id="nearest_centroid_50k",
    title=Text(en="Nearest class centroid, 50,000 images", el="Πλησιέστερο κέντρο κλάσης, 50.000 εικόνες"),
    training_images="train+validation",
    one_change="nearest_centroid",
)

SAID_COST = Text(
    en="Nearest centroid is fast, while nearest neighbours cost their time at prediction; no numbers.",
    el=(
        "Το πλησιέστερο κέντρο είναι γρήγορο, ενώ οι πλησιέστεροι γείτονες κοστίζουν χρόνο κατά την πρόβλεψη· χωρίς "
        "αριθμούς."
    ),
)

C14_NEIGHBOR_1 = Claim(
    id="C14.nearest_neighbor_1",
    code="C14",
    statement=Text(
        en="The network is more accurate on the test set than the classifier by 1 nearest neighbour.",
        el="Το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από τον ταξινομητή του 1 πλησιέστερου γείτονα.",
    ),
    said=Text(
        en="The network beats 1 and 3 nearest neighbours and nearest centroid; no numbers.",
        el="Το δίκτυο ξεπερνά τον 1 και τους 3 πλησιέστερους γείτονες και το πλησιέστερο κέντρο· χωρίς αριθμούς.",
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("baseline"),
    comparator=Side("nearest_neighbor_1"),
    comparison="between_methods",
    margin=0.01,
    family="accuracy as written",
    proxy=Text(
        en=(
            "The original does not say which network it means; the reference model stands for all, trained on the same "
            "images as the classifier."
        ),
        el=(
            "Η αρχική εργασία δεν λέει ποιο δίκτυο εννοεί· όλα τα εκπροσωπεί το μοντέλο αναφοράς, εκπαιδευμένο στις "
            "ίδιες εικόνες με τον ταξινομητή."
        ),
    ),
)

C14_NEIGHBOR_3 = replace(
    C14_NEIGHBOR_1,
    id="C14.nearest_neighbor_3",
    statement=Text(
        en="The network is more accurate on the test set than the classifier by 3 nearest neighbours.",
        el="Το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από τον ταξινομητή των 3 πλησιέστερων γειτόνων.",
    ),
    comparator=Side("nearest_neighbor_3"),
)

C14_CENTROID = replace(
    C14_NEIGHBOR_1,
    id="C14.nearest_centroid",
    statement=Text(
        en="The network is more accurate on the test set than the classifier by nearest class centroid.",
        el="Το δίκτυο έχει μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από τον ταξινομητή πλησιέστερου κέντρου κλάσης.",
    ),
    comparator=Side("nearest_centroid"),
)

C15 = Claim(
    id="C15",
    code="C15",
    statement=Text(
        en="3 nearest neighbours are more accurate on the test set than 1.",
        el="Οι 3 πλησιέστεροι γείτονες έχουν μεγαλύτερη ακρίβεια στο σύνολο ελέγχου από τον 1.",
    ),
    said=Text(
        en="Three neighbours are more robust than one; no numbers.",
        el="Οι τρεις γείτονες είναι πιο ανθεκτικοί από τον έναν· χωρίς αριθμούς.",
    ),
    quantity="accuracy",
    relation="greater",
    subject=Side("nearest_neighbor_3"),
    comparator=Side("nearest_neighbor_1"),
    comparison="between_methods",
    margin=0.01,
    family="accuracy as written",
    proxy=Text(
        en="“More robust” is tested through accuracy on the test images.",
        el="Το «πιο ανθεκτικοί» ελέγχεται μέσω της ακρίβειας στις εικόνες ελέγχου.",
    ),
)

C16_CENTROID_1 = Claim(
    id="C16.centroid_and_1_neighbor",
    code="C16",
    statement=Text(
        en="Nearest class centroid predicts in less time than 1 nearest neighbour.",
        el="Το πλησιέστερο κέντρο κλάσης προβλέπει σε λιγότερο χρόνο από τον 1 πλησιέστερο γείτονα.",
    ),
    said=SAID_COST,
    quantity="predict_seconds",
    relation="less",
    subject=Side("nearest_centroid"),
    comparator=Side("nearest_neighbor_1"),
    comparison="between_methods",
    margin=0.1,
    family="time",
)

C16_CENTROID_3 = replace(
    C16_CENTROID_1,
    id="C16.centroid_and_3_neighbors",
    statement=Text(
        en="Nearest class centroid predicts in less time than 3 nearest neighbours.",
        el="Το πλησιέστερο κέντρο κλάσης προβλέπει σε λιγότερο χρόνο από τους 3 πλησιέστερους γείτονες.",
    ),
    comparator=Side("nearest_neighbor_3"),
)

C16_FIT_1 = Claim(
    id="C16.fit_and_prediction_1_neighbor",
    code="C16",
    statement=Text(
        en="With 1 nearest neighbour fitting takes less time than prediction.",
        el="Με 1 πλησιέστερο γείτονα η προσαρμογή διαρκεί λιγότερο από την πρόβλεψη.",
    ),
    said=SAID_COST,
    quantity="fit_seconds",
    relation="less",
    subject=Side("nearest_neighbor_1"),
    comparator=Side("nearest_neighbor_1"),
    comparator_quantity="predict_seconds",
    comparison="between_methods",
    margin=0.1,
    family="time",
)

C16_FIT_3 = replace(
    C16_FIT_1,
    id="C16.fit_and_prediction_3_neighbors",
    statement=Text(
        en="With 3 nearest neighbours fitting takes less time than prediction.",
        el="Με 3 πλησιέστερους γείτονες η προσαρμογή διαρκεί λιγότερο από την πρόβλεψη.",
    ),
    subject=Side("nearest_neighbor_3"),
    comparator=Side("nearest_neighbor_3"),
)

EXPERIMENT = Experiment(
    id="classical",
    order=0,
    section="classical",
    title=Text(en="Nearest neighbours and nearest centroid", el="Πλησιέστεροι γείτονες και πλησιέστερο κέντρο"),
    question=Text(
        en="How does the network compare with classifiers that measure distances between raw pixels?",
        el="Πώς συγκρίνεται το δίκτυο με ταξινομητές που μετρούν αποστάσεις ανάμεσα σε ακατέργαστα εικονοστοιχεία;",
    ),
    change=Text(
        en=(
            "Another method takes the network's place: 1 and 3 nearest neighbours and nearest class centroid, on "
            "40,000 and on 50,000 training images."
        ),
        el=(
            "Τη θέση του δικτύου παίρνει άλλη μέθοδος: 1 και 3 πλησιέστεροι γείτονες και πλησιέστερο κέντρο κλάσης, με "
            "40.000 και με 50.000 εικόνες εκπαίδευσης."
        ),
    ),
    explanation=Text(
        en=(
            "The classifier by nearest neighbours learns nothing: it stores the training images and gives a new image "
            "the class that the majority of its nearest ones have. Its distance is the Euclidean one between all pixel "
            "values, so that a shift or a change of brightness counts as much as another object. Nearest class "
            "centroid stores only the mean image of each class and chooses the class whose mean is nearest; it "
            "compares with ten images instead of tens of thousands and can only draw flat boundaries between classes. "
            "Neither has a random start, so each of them runs once and without a seed. As they choose nothing by the "
            "validation set, they are also shown with it added to the training images."
        ),
        el=(
            "Ο ταξινομητής πλησιέστερων γειτόνων δεν μαθαίνει τίποτα: αποθηκεύει τις εικόνες εκπαίδευσης και δίνει σε "
            "μια νέα εικόνα την κλάση που έχει η πλειονότητα των πλησιέστερών της. Η απόσταση είναι η ευκλείδεια ως "
            "προς όλες τις τιμές των εικονοστοιχείων, άρα μια μετατόπιση ή μια αλλαγή φωτεινότητας μετρά όσο και ένα "
            "άλλο αντικείμενο. Το πλησιέστερο κέντρο κλάσης αποθηκεύει μόνο τη μέση εικόνα κάθε κλάσης και επιλέγει "
            "την κλάση με τον πλησιέστερο μέσο· συγκρίνει με δέκα εικόνες αντί για δεκάδες χιλιάδες και μπορεί να "
            "χαράξει μόνο επίπεδα όρια ανάμεσα στις κλάσεις. Κανένας τους δεν έχει τυχαία αρχικοποίηση, γι’ αυτό "
            "καθένας εκτελείται μία φορά και χωρίς σπόρο. Επειδή δεν επιλέγουν τίποτα με βάση το σύνολο επικύρωσης, "
            "παρουσιάζονται και με εκείνο προστεθειμένο στις εικόνες εκπαίδευσης."
        ),
    ),
    trials=(
        NEAREST_NEIGHBOR_1,
        NEAREST_NEIGHBOR_3,
        NEAREST_CENTROID,
        NEAREST_NEIGHBOR_1_50K,
        NEAREST_NEIGHBOR_3_50K,
        NEAREST_CENTROID_50K,
    ),
    claims=(
        C14_NEIGHBOR_1,
        C14_NEIGHBOR_3,
        C14_CENTROID,
        C15,
        C16_CENTROID_1,
        C16_CENTROID_3,
        C16_FIT_1,
        C16_FIT_3,
    ),
    figures=("methods",),
)
