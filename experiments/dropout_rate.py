"""Study: how large a share dropout drops."""

from cifar_report.spec import Conv2D, Dense, Dropout, Experiment, Flatten, MaxPooling2D, variant

from .dropout import DROPOUT

DROPOUT_LOW = variant(
    DROPOUT,
    "dropout_0.25",
    "Dropout 0.25",
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.25), Dense(32), Dense(10, "softmax")),
)

DROPOUT_HIGH = variant(
    DROPOUT,
    "dropout_0.75",
    "Dropout 0.75",
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.75), Dense(32), Dense(10, "softmax")),
)

EXPERIMENT = Experiment(
    id="dropout_rate",
    order=3,
    section="training_parameters",
    title="Dropout rate",
    question="How do accuracy and overfitting depend on the dropout rate?",
    change="Dropout in front of the hidden layer has a rate of 0.25, 0.5 or 0.75, in the network with 32 filters.",
    explanation=(
        "The rate is the probability with which a value is set to zero, and so the strength of the regularization. A "
        "low rate disturbs little and allows overfitting; a high one slows learning and may cause underfitting."
    ),
    trials=(DROPOUT_LOW, DROPOUT_HIGH),
    points=("dropout_0.25", "dropout", "dropout_0.75"),
    figures=("curves", "study"),
)
