"""Study: whether the images come in a new order in every epoch, or in one order in all of them."""

from cifar_report.spec import Experiment, claim, variant

from .third_conv_64 import THIRD_CONV_64

FIXED_ORDER = variant(THIRD_CONV_64, "fixed_order", "Third convolution, one fixed order", data_order="fixed")

EXPERIMENT = Experiment(
    id="fixed_order",
    order=5,
    section="training_parameters",
    title="One fixed order of the images",
    question="Does it matter whether every epoch goes through the training images in a new order?",
    change=(
        "The network with a third convolution of 64 filters sees the training images in one order, the same in every "
        "epoch."
    ),
    explanation=(
        "With a new order in every epoch an image meets other images in its batch each time, so that the noise of the "
        "gradients averages out. With one fixed order every epoch repeats the same batches; a notebook whose seed is "
        "set may do so unnoticed, because the method fit of Keras then shuffles arrays in the same way in every "
        "epoch."
    ),
    trials=(FIXED_ORDER,),
    points=("third_conv_64", "fixed_order"),
    claims=(
        claim(
            "P2.accuracy: fixed_order accuracy less third_conv_64 one_change",
            "With one fixed order of the images the network with a third convolution of 64 filters is less accurate on "
            "the test set than with a new order in every epoch.",
        ),
        claim(
            "P2.loss: fixed_order loss greater third_conv_64 one_change",
            "With one fixed order of the images the test loss of the network with a third convolution of 64 filters is "
            "higher than with a new order in every epoch.",
        ),
    ),
    figures=("curves", "study"),
)
