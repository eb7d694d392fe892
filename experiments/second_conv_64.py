"""Trial 6: twice as many filters in the second convolution."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .second_conv_32 import SECOND_CONV_32

SECOND_CONV_64 = published(
    SECOND_CONV_32,
    "second_conv_64",
    "Second convolution, 64 filters",
    (Conv2D(32, 3), MaxPooling2D(2), Conv2D(64, 3), MaxPooling2D(2), *HEAD),
)

EXPERIMENT = Experiment(
    id="second_conv_64",
    order=6,
    section="trials",
    number="6",
    title="More filters in the second layer",
    question="Do 64 filters in the second convolution serve the network better than 32?",
    change="The second convolution has 64 filters instead of 32.",
    explanation=(
        "Deeper layers are usually given more filters, since there are few kinds of edges but many ways to combine "
        "them, and after pooling a filter costs less. Twice as many filters double the weights of the second "
        "convolution and the flattened vector, and so nearly double all parameters."
    ),
    trials=(SECOND_CONV_64,),
    claims=of_original(
        {
            "C06a": (
                "With 64 filters in the second convolution the results are better still: test accuracy 68.37% against "
                "63.56%."
            ),
            "C06b": "The improvement costs a minute more: 594.9 s against 539.5 s.",
        },
        claim(
            "C06a: second_conv_64 accuracy greater second_conv_32",
            "With 64 filters in the second convolution the network is more accurate on the test set than with 32.",
            original_difference=0.0481,
        ),
        claim(
            "C06b: second_conv_64 seconds ratio=1.11 second_conv_32",
            "With 64 filters in the second convolution training takes about a ninth longer than with 32.",
            proxy=(
                "A minute of another machine cannot be measured here; it is tested as the share that it was of the "
                "original's own nine minutes, a ratio near 1.11."
            ),
            original_difference=1.1027,
        ),
    ),
)
