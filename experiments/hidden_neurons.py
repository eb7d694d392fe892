"""Study: how many neurons the hidden layer needs."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, variant

from .filters import FILTERS_32

HIDDEN_16 = variant(
    FILTERS_32,
    "hidden_16",
    "16 hidden neurons",
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(16), Dense(10, "softmax")),
)

HIDDEN_128 = variant(
    FILTERS_32,
    "hidden_128",
    "128 hidden neurons",
    layers=(Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dense(128), Dense(10, "softmax")),
)

EXPERIMENT = Experiment(
    id="hidden_neurons",
    order=0,
    section="hidden_layer",
    title="Neurons in the hidden layer",
    question="How do accuracy and training time depend on the number of neurons in the hidden layer?",
    change="The hidden layer has 16, 32, 64 or 128 neurons, in the network with 32 filters.",
    explanation=(
        "Whatever the convolution found must pass through the hidden layer, so that few neurons underfit and many "
        "leave room for accidents of the training set. Its weights are almost all weights of this network and grow in "
        "proportion to its neurons."
    ),
    trials=(HIDDEN_16, HIDDEN_128),
    points=("hidden_16", "filters_32", "dense_64", "hidden_128"),
    figures=("curves", "study"),
)
