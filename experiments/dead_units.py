"""Study: whether dead units in the hidden layer are why some runs fall behind, and why 32 filters do no better than 16.

Ten seeds of each network are wanted, also of `baseline` and `filters_32`: more than the profile has, so a plan declares
them (``cifar-report plan``).
"""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, KerasObject, MaxPooling2D, claim, variant

from .baseline import BASELINE
from .filters import FILTERS_32

OUTPUT = Dense(10, "softmax")
LEAKY = (MaxPooling2D(2), Flatten(), Dense(32, activation=KerasObject("leaky_relu", {"negative_slope": 0.1})), OUTPUT)
HE = (MaxPooling2D(2), Flatten(), Dense(32, kernel_initializer="he_uniform"), OUTPUT)

LEAKY_RELU = variant(BASELINE, "leaky_relu", "16 filters, LeakyReLU", layers=(Conv2D(16, 3), *LEAKY))
HE_WEIGHTS = variant(BASELINE, "he_weights", "16 filters, He’s weights", layers=(Conv2D(16, 3), *HE))
FILTERS_32_LEAKY_RELU = variant(
    FILTERS_32, "filters_32_leaky_relu", "32 filters, LeakyReLU", layers=(Conv2D(32, 3), *LEAKY)
)
FILTERS_32_HE_WEIGHTS = variant(
    FILTERS_32, "filters_32_he_weights", "32 filters, He’s weights", layers=(Conv2D(32, 3), *HE)
)

EXPERIMENT = Experiment(
    id="dead_units",
    order=1,
    section="hidden_layer",
    title="Dead units in the hidden layer",
    question="Do the networks with 16 and with 32 filters gain when their hidden units cannot die?",
    change=(
        "The hidden layer uses LeakyReLU with a slope of 0.1 instead of ReLU or, in other networks, begins with He's "
        "weights instead of Glorot's."
    ),
    explanation=(
        "A unit with ReLU whose sum is negative for every image gives zero, gets no gradient and hardly ever comes "
        "back: it counts as dead here when its output is zero for every test image. LeakyReLU passes on a part of "
        "negative sums, so that by this definition its units are never dead: no claim compares them, and the accuracy "
        "tells whether it helps. He's weights are made for ReLU, but in a layer of 32 units with thousands of inputs "
        "they are less than 1% larger than Glorot's, so that they change little but the draw."
    ),
    trials=(LEAKY_RELU, HE_WEIGHTS, FILTERS_32_LEAKY_RELU, FILTERS_32_HE_WEIGHTS),
    points=(
        *("baseline", "leaky_relu", "he_weights"),
        *("filters_32", "filters_32_leaky_relu", "filters_32_he_weights"),
    ),
    claims=(
        claim(
            "P3.leaky_relu.16: leaky_relu accuracy greater baseline one_change",
            "With LeakyReLU in the hidden layer the network with 16 filters is more accurate on the test set.",
        ),
        claim(
            "P3.leaky_relu.32: filters_32_leaky_relu accuracy greater filters_32 one_change",
            "With LeakyReLU in the hidden layer the network with 32 filters is more accurate on the test set.",
        ),
        claim(
            "P3.leaky_relu.filters: filters_32_leaky_relu accuracy greater leaky_relu one_change",
            "With LeakyReLU in the hidden layer 32 filters are more accurate on the test set than 16.",
        ),
        claim(
            "P3.leaky_relu.unusual.16: leaky_relu unusual_runs equal=0",
            "With 16 filters and LeakyReLU in the hidden layer no run is unusual.",
        ),
        claim(
            "P3.leaky_relu.unusual.32: filters_32_leaky_relu unusual_runs equal=0",
            "With 32 filters and LeakyReLU in the hidden layer no run is unusual.",
        ),
        claim(
            "P3.he_weights.16: he_weights accuracy greater baseline one_change",
            "With He's weights in the hidden layer the network with 16 filters is more accurate on the test set.",
        ),
        claim(
            "P3.he_weights.32: filters_32_he_weights accuracy greater filters_32 one_change",
            "With He's weights in the hidden layer the network with 32 filters is more accurate on the test set.",
        ),
        claim(
            "P3.he_weights.dead_units.16: he_weights dead_units less baseline one_change",
            "With He's weights in the hidden layer the network with 16 filters has fewer dead units.",
        ),
        claim(
            "P3.he_weights.dead_units.32: filters_32_he_weights dead_units less filters_32 one_change",
            "With He's weights in the hidden layer the network with 32 filters has fewer dead units.",
        ),
        claim(
            "P3.he_weights.filters: filters_32_he_weights accuracy greater he_weights one_change",
            "With He's weights in the hidden layer 32 filters are more accurate on the test set than 16.",
        ),
        claim(
            "P3.he_weights.unusual.32: filters_32_he_weights unusual_runs equal=0",
            "With 32 filters and He's weights in the hidden layer no run is unusual.",
        ),
    ),
    figures=("curves", "study"),
)
