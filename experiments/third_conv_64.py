"""Trial 11: a third convolutional layer."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, claim, variant

from .second_conv_64 import SECOND_CONV_64

THIRD_CONV_64 = variant(
    SECOND_CONV_64,
    "third_conv_64",
    "Third convolution, 64 filters",
    layers=(
        Conv2D(32, 3),
        MaxPooling2D(2),
        Conv2D(64, 3),
        MaxPooling2D(2),
        Conv2D(64, 3, padding="same"),
        MaxPooling2D(2),
        Flatten(),
        Dense(32),
        Dense(10, "softmax"),
    ),
    as_written="baseline",
    published="third_conv_64",
)

SAID_ACCURACY = (
    "The third convolutional layer improves the network further and reaches 0.70: test accuracy 70.22% against 68.37%."
)

EXPERIMENT = Experiment(
    id="third_conv_64",
    order=11,
    section="trials",
    number="11",
    title="A third convolutional layer",
    question="Does a third convolutional layer of 64 filters improve the network further?",
    change=(
        "A third convolution of 64 filters with padding “same” and its own pooling follows the second, which has 64 "
        "filters."
    ),
    explanation=(
        "The third convolution combines parts into larger ones, and each of its filters covers a large piece of the "
        "image. Its padding keeps the small maps from shrinking before the third pooling, so that the network is "
        "deeper and yet has fewer parameters than with two convolutions."
    ),
    trials=(THIRD_CONV_64,),
    claims=(
        claim(
            "C11a",
            "A third convolution of 64 filters makes the network with two convolutions more accurate on the test set.",
            said=SAID_ACCURACY,
            quantity="accuracy",
            relation="greater",
            subject="third_conv_64",
            comparator="second_conv_64",
            original_difference=0.0185,
        ),
        claim(
            "C11b",
            "With a third convolution of 64 filters the network reaches a test accuracy of 0.70.",
            said=SAID_ACCURACY,
            quantity="accuracy",
            relation="value",
            subject="third_conv_64",
            value=0.7,
            proxy=(
                "“Reaches” is tested as lying near the named value: an accuracy well above it would be another "
                "result, too."
            ),
            original_difference=0.7022,
        ),
        claim(
            "C11c",
            "The network with three convolutions trains about five times as long as the baseline.",
            said="Training takes about five times the baseline's time: 1182.8 s against 259.2 s.",
            quantity="seconds",
            relation="ratio",
            subject="third_conv_64",
            comparator="baseline",
            value=5.0,
            original_difference=4.5636,
        ),
    ),
)
