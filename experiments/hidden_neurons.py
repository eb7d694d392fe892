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
        "The hidden layer is the narrowest place of the network: whatever the convolution found must be expressed by "
        "the answers of its neurons before the output layer decides. With very few of them, classes that need "
        "different features have to share a neuron, and the network underfits. With many, there is room for rare "
        "combinations, those included that occur only in the training set by accident. As the layer is connected to "
        "every value of the flattened vector, its weights are almost all the weights of this network, and their "
        "number grows in proportion to the neurons."
    ),
    trials=(HIDDEN_16, HIDDEN_128),
    points=("hidden_16", "filters_32", "dense_64", "hidden_128"),
    figures=("curves", "study"),
)
