"""Trial 5: a second convolutional layer."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .filters import FILTERS_32

SECOND_CONV_32 = published(
    FILTERS_32,
    "second_conv_32",
    "Second convolution, 32 filters",
    (Conv2D(32, 3), MaxPooling2D(2), Conv2D(32, 3), MaxPooling2D(2), *HEAD),
)

EXPERIMENT = Experiment(
    id="second_conv_32",
    order=5,
    section="trials",
    number="5",
    title="A second convolutional layer",
    question="Does a second convolutional layer of 32 filters improve the network, and at what cost?",
    change="A second convolution of 32 filters with its own pooling follows the first, which has 32 filters too.",
    explanation=(
        "The second convolution reads feature maps instead of pixels: it combines edges and colours into parts, and "
        "the pooling in between gives its filters a larger receptive field. A second pooling shrinks the flattened "
        "vector and leaves the hidden layer fewer weights, so that depth trades weights for computation."
    ),
    trials=(SECOND_CONV_32,),
    claims=of_original(
        {
            "C05a": (
                "The second convolutional layer improved the results clearly: test accuracy 63.56% against the "
                "baseline's 59.59%."
            ),
            "C05b": "The second convolutional layer doubled the training time: 539.5 s against the baseline's 259.2 s.",
            "C05c": "The network has fewer parameters, 47,370, although it has a layer more.",
        },
        claim(
            "C05a.as_written: second_conv_32 accuracy greater baseline",
            "A network with two convolutions of 32 filters is clearly more accurate on the test set than the baseline.",
            margin=0.02,
            original_difference=0.0397,
        ),
        claim(
            "C05a.one_change: second_conv_32 accuracy greater filters_32 one_change",
            "A second convolution of 32 filters makes the network with 32 filters clearly more accurate on the test "
            "set.",
            margin=0.02,
        ),
        claim(
            "C05b.as_written: second_conv_32 seconds ratio=2.0 baseline",
            "A network with two convolutions of 32 filters trains about twice as long as the baseline.",
            original_difference=2.0816,
        ),
        claim(
            "C05b.one_change: second_conv_32 seconds ratio=2.0 filters_32 one_change",
            "A second convolution of 32 filters about doubles the training time of the network with 32 filters.",
            original_difference=1.8635,
        ),
        claim(
            "C05c.as_written: second_conv_32 parameters less baseline",
            "A network with two convolutions of 32 filters has fewer parameters than the baseline.",
            original_difference=-68640.0,
        ),
        claim(
            "C05c.one_change: second_conv_32 parameters less filters_32 one_change",
            "A second convolution of 32 filters leaves the network with 32 filters fewer parameters than it had.",
            original_difference=-184288.0,
        ),
    ),
)
