"""Trial 12: twice as many filters in the third convolution."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .third_conv_64 import THIRD_CONV_64

THIRD_CONV_128 = published(
    THIRD_CONV_64,
    "third_conv_128",
    "Third convolution, 128 filters",
    (*THIRD_CONV_64.layers[:4], Conv2D(128, 3, padding="same"), MaxPooling2D(2), *HEAD),
)

EXPERIMENT = Experiment(
    id="third_conv_128",
    order=12,
    section="trials",
    number="12",
    title="More filters in the third layer",
    question="Do 128 filters in the third convolution serve the network better than 64?",
    change="The third convolution has 128 filters instead of 64.",
    explanation=(
        "Doubling the filters where height and width are halved is the usual rule, which keeps the computation of "
        "successive layers similar. Here it doubles the weights of the third convolution and of the hidden layer "
        "after it, while the two convolutions before stay as they were; the trial asks whether the capacity of the "
        "third layer was the limit."
    ),
    trials=(THIRD_CONV_128,),
    claims=of_original(
        {
            "C12": (
                "With 128 filters in the third convolution the results are about the same: test accuracy 70.00% "
                "against 70.22%."
            ),
        },
        claim(
            "C12: third_conv_128 accuracy equal third_conv_64",
            "With 128 filters in the third convolution the network is about as accurate on the test set as with 64.",
            original_difference=-0.0022,
        ),
    ),
)
