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
        "The rate is the probability with which each value is set to zero in a training step, and so the strength of "
        "the regularisation. A low rate disturbs little: the network learns quickly and can still adapt to "
        "peculiarities of the training set. A high rate leaves only a few values to each step, so that the network "
        "learns more slowly and may no longer be able to describe even the training set well. The right rate depends "
        "on how far the network would overfit without it; a rate of 0.5 gives the greatest variety of masks."
    ),
    trials=(DROPOUT_LOW, DROPOUT_HIGH),
    points=("dropout_0.25", "dropout", "dropout_0.75"),
    figures=("curves", "study"),
)
