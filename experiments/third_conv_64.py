"""Trial 11: a third convolutional layer."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .second_conv_64 import SECOND_CONV_64

THIRD_CONV_64 = published(
    SECOND_CONV_64,
    "third_conv_64",
    "Third convolution, 64 filters",
    (*SECOND_CONV_64.layers[:4], Conv2D(64, 3, padding="same"), MaxPooling2D(2), *HEAD),
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
    claims=of_original(
        {
            "C11a": SAID_ACCURACY,
            "C11b": SAID_ACCURACY,
            "C11c": "Training takes about five times the baseline's time: 1182.8 s against 259.2 s.",
        },
        claim(
            "C11a: third_conv_64 accuracy greater second_conv_64",
            "A third convolution of 64 filters makes the network with two convolutions more accurate on the test set.",
            original_difference=0.0185,
        ),
        claim(
            "C11b: third_conv_64 accuracy value=0.7",
            "With a third convolution of 64 filters the network reaches a test accuracy of 0.70.",
            proxy=(
                "“Reaches” is tested as lying near the named value: an accuracy well above it would be another "
                "result, too."
            ),
            original_difference=0.7022,
        ),
        claim(
            "C11c: third_conv_64 seconds ratio=5.0 baseline",
            "The network with three convolutions trains about five times as long as the baseline.",
            original_difference=4.5636,
        ),
    ),
)
