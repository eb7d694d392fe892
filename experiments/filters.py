"""Trial 1: twice as many filters in the convolution, at 15 and at 30 epochs."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, Stage, claim, of_original, published, variant

from .baseline import BASELINE, HEAD

FILTERS_32 = published(BASELINE, "filters_32", "32 filters", (Conv2D(32, 3), MaxPooling2D(2), *HEAD))

FILTERS_32_30_EPOCHS = variant(
    FILTERS_32,
    "filters_32_30_epochs",
    "32 filters, 30 epochs",
    stages=(Stage(epochs=30),),
    as_written="baseline",
    one_change="baseline_30_epochs",
)

EXPERIMENT = Experiment(
    id="filters",
    order=1,
    section="trials",
    number="1",
    title="More filters",
    question="Do 32 filters in the convolution serve the network better than 16?",
    change="The convolution has 32 filters instead of 16; a second training runs for 30 epochs instead of 15.",
    explanation=(
        "Each filter learns one local pattern and marks in its feature map where it occurs, so that the number of "
        "filters is the number of patterns that the layer can distinguish. Twice as many double the flattened vector "
        "and with it almost all weights of this network, which raises capacity, cost and the risk of overfitting."
    ),
    trials=(FILTERS_32, FILTERS_32_30_EPOCHS),
    claims=of_original(
        {
            "C01a": (
                "The baseline's 16 filters did better than 32: validation accuracy 59.35% against 53.48% after 15 "
                "epochs, and test accuracy 59.59% (after 15 epochs) against 57.19% (after 30)."
            ),
            "C01b": "The 16 filters converged faster; with 32 the network converged only from epoch 6 on.",
            "C01c": "Both trainings took about the same time: 289.5 s with 32 filters, 259.2 s with 16.",
        },
        claim(
            "C01a.15_epochs: baseline accuracy greater filters_32",
            "After 15 epochs the network with 16 filters is more accurate on the test set than the one with 32.",
        ),
        claim(
            "C01a.15_epochs.validation: baseline validation_accuracy greater filters_32",
            "After 15 epochs the network with 16 filters is more accurate on the validation set than the one with 32.",
            original_difference=0.0587,
        ),
        claim(
            "C01a.30_epochs.as_written: baseline accuracy greater filters_32_30_epochs",
            "The network with 16 filters is after 15 epochs more accurate on the test set than the one with 32 after "
            "30.",
            original_difference=0.024,
        ),
        claim(
            "C01a.30_epochs.one_change: baseline_30_epochs accuracy greater filters_32_30_epochs one_change",
            "After 30 epochs the network with 16 filters is more accurate on the test set than the one with 32.",
        ),
        claim(
            "C01a.30_epochs.validation: baseline_30_epochs validation_accuracy greater filters_32_30_epochs one_change",
            "After 30 epochs the network with 16 filters is more accurate on the validation set than the one with 32.",
        ),
        claim(
            "C01b.epochs_to_accuracy: baseline epochs_to_accuracy less filters_32",
            "The network with 16 filters reaches the fixed validation accuracy in fewer epochs than the one with 32.",
        ),
        claim(
            "C01b.epoch_of_least_loss: baseline epoch_of_least_loss less filters_32",
            "The network with 16 filters reaches its least validation loss in an earlier epoch than the one with 32.",
            original_difference=-6.0,
        ),
        claim(
            "C01c: filters_32 seconds ratio=1.0 baseline",
            "The network with 32 filters trains in about the same time as the one with 16.",
            original_difference=1.117,
        ),
    ),
)
