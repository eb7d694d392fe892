"""Study: how large the optimizer's step is."""

from msgspec.structs import replace

from cifar_report.spec import Experiment, Text

from .baseline import BASELINE

LEARNING_RATE_LOW = replace(
    BASELINE,
    id="learning_rate_0.0003",
    title=Text(en="Learning rate 0.0003", el="Ρυθμός μάθησης 0,0003"),
    learning_rate=0.0003,
    one_change="baseline",
    original=None,
)

LEARNING_RATE_HIGH = replace(
    LEARNING_RATE_LOW,
    id="learning_rate_0.003",
    title=Text(en="Learning rate 0.003", el="Ρυθμός μάθησης 0,003"),
    learning_rate=0.003,
)

EXPERIMENT = Experiment(
    id="learning_rate",
    order=2,
    section="training_parameters",
    title=Text(en="Learning rate", el="Ρυθμός μάθησης"),
    question=Text(
        en="How does accuracy depend on the learning rate?",
        el="Πώς εξαρτάται η ακρίβεια από τον ρυθμό μάθησης;",
    ),
    change=Text(
        en="The baseline is trained with a learning rate of 0.0003, 0.001 or 0.003.",
        el="Το μοντέλο αναφοράς εκπαιδεύεται με ρυθμό μάθησης 0,0003, 0,001 ή 0,003.",
    ),
    explanation=Text(
        en=(
            "The learning rate is the factor by which the optimizer multiplies its direction before it changes the "
            "weights. Adam divides the running average of the gradient by the root of the running average of its "
            "square, so that the learning rate is roughly the size of the step that each weight makes. If it is too "
            "small, the epochs end before the network has learned what it could; if it is too large, the steps "
            "overshoot the minimum, the loss fluctuates, and neurons with ReLU can be pushed to where they never "
            "answer again. The best value depends on the network and on the batch size; 0.001 is the default of Keras."
        ),
        el=(
            "Ο ρυθμός μάθησης είναι ο συντελεστής με τον οποίο ο βελτιστοποιητής πολλαπλασιάζει την κατεύθυνσή του "
            "πριν μεταβάλει τα βάρη. Ο Adam διαιρεί τον κινητό μέσο της κλίσης με τη ρίζα του κινητού μέσου του "
            "τετραγώνου της, ώστε ο ρυθμός μάθησης να είναι περίπου το μέγεθος του βήματος που κάνει κάθε βάρος. Αν "
            "είναι πολύ μικρός, οι εποχές τελειώνουν προτού το δίκτυο μάθει όσα μπορούσε· αν είναι πολύ μεγάλος, τα "
            "βήματα υπερβαίνουν το ελάχιστο, η απώλεια ταλαντώνεται και νευρώνες με ReLU μπορεί να βρεθούν εκεί όπου "
            "δεν αποκρίνονται ποτέ ξανά. Η καλύτερη τιμή εξαρτάται από το δίκτυο και από το μέγεθος της παρτίδας· το "
            "0,001 είναι η προεπιλογή του Keras."
        ),
    ),
    trials=(LEARNING_RATE_LOW, LEARNING_RATE_HIGH),
    points=("learning_rate_0.0003", "baseline", "learning_rate_0.003"),
    figures=("curves", "study"),
)
