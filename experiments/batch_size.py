"""Study: how many images one training step sees."""

from msgspec.structs import replace

from cifar_report.spec import Experiment, Text

from .baseline import BASELINE

BATCH_16 = replace(
    BASELINE,
    id="batch_16",
    title=Text(en="Batch size 16", el="Μέγεθος παρτίδας 16"),
    batch_size=16,
    one_change="baseline",
    original=None,
)

BATCH_64 = replace(
    BATCH_16,
    id="batch_64",
    title=Text(en="Batch size 64", el="Μέγεθος παρτίδας 64"),
    batch_size=64,
)

BATCH_128 = replace(
    BATCH_16,
    id="batch_128",
    title=Text(en="Batch size 128", el="Μέγεθος παρτίδας 128"),
    batch_size=128,
)

EXPERIMENT = Experiment(
    id="batch_size",
    order=1,
    section="training_parameters",
    title=Text(en="Batch size", el="Μέγεθος παρτίδας"),
    question=Text(
        en="How do accuracy and training time depend on the batch size?",
        el="Πώς εξαρτώνται η ακρίβεια και ο χρόνος εκπαίδευσης από το μέγεθος της παρτίδας;",
    ),
    change=Text(
        en="The baseline is trained with 16, 32, 64 or 128 images in a batch.",
        el="Το μοντέλο αναφοράς εκπαιδεύεται με 16, 32, 64 ή 128 εικόνες ανά παρτίδα.",
    ),
    explanation=Text(
        en=(
            "A training step computes the gradient on one batch of images and then changes all weights once. The "
            "gradient of a batch is an estimate of the gradient over the whole training set; its noise falls with the "
            "square root of the batch size. Small batches make many noisy steps in an epoch, and the noise can keep "
            "the network from settling into solutions that fit only the training set. Large batches make few and more "
            "exact steps and use the processor better, but as the learning rate stays the same here, the network moves "
            "less far in the same number of epochs."
        ),
        el=(
            "Ένα βήμα εκπαίδευσης υπολογίζει την κλίση σε μία παρτίδα εικόνων και έπειτα μεταβάλλει όλα τα βάρη μία "
            "φορά. Η κλίση μιας παρτίδας είναι εκτίμηση της κλίσης σε ολόκληρο το σύνολο εκπαίδευσης· ο θόρυβός της "
            "μειώνεται με την τετραγωνική ρίζα του μεγέθους της παρτίδας. Οι μικρές παρτίδες κάνουν πολλά και θορυβώδη "
            "βήματα σε κάθε εποχή, και ο θόρυβος μπορεί να εμποδίσει το δίκτυο να καταλήξει σε λύσεις που ταιριάζουν "
            "μόνο στο σύνολο εκπαίδευσης. Οι μεγάλες παρτίδες κάνουν λίγα και πιο ακριβή βήματα και αξιοποιούν "
            "καλύτερα τον επεξεργαστή, αλλά επειδή εδώ ο ρυθμός μάθησης μένει ίδιος, το δίκτυο μετακινείται λιγότερο "
            "στο ίδιο πλήθος εποχών."
        ),
    ),
    trials=(BATCH_16, BATCH_64, BATCH_128),
    points=("batch_16", "baseline", "batch_64", "batch_128"),
    figures=("curves", "study"),
)
