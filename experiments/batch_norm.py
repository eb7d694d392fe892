"""Trial 9: batch normalization after the convolution."""

from cifar_report.spec import BatchNormalization, Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .filters import FILTERS_32

BATCH_NORM = published(
    FILTERS_32, "batch_norm", "Batch normalization", (Conv2D(32, 3), BatchNormalization(), MaxPooling2D(2), *HEAD)
)

EXPERIMENT = Experiment(
    id="batch_norm",
    order=9,
    section="trials",
    number="9",
    title="Batch normalization",
    question="Does batch normalization alone improve the network?",
    change="Batch normalization stands between the convolution and its pooling, in the network with 32 filters.",
    explanation=(
        "Batch normalization standardizes each feature map over the batch and then applies a learned scale and "
        "offset, which keeps gradients in a similar range. In evaluation, running averages replace the statistics of "
        "the batch; they are parameters without a gradient, so that fewer parameters are trainable than the network "
        "has."
    ),
    trials=(BATCH_NORM,),
    claims=of_original(
        {
            "C09a": "Batch normalization alone fails to improve the network: test accuracy 54.96%, test loss 2.7702.",
            "C09b": "The network converges by epoch 4 and then overfits.",
            "C09c": "The training time rises visibly: 720.6 s against 289.5 s without normalization.",
        },
        claim(
            "C09a.as_written: batch_norm accuracy not_better baseline",
            "With 32 filters and batch normalization the network is not more accurate on the test set than the "
            "baseline.",
            original_difference=-0.0463,
        ),
        claim(
            "C09a.one_change: batch_norm accuracy not_better filters_32 one_change",
            "Batch normalization does not make the network with 32 filters more accurate on the test set.",
        ),
        claim(
            "C09b: batch_norm epoch_of_least_loss onset=4.0",
            "With batch normalization the network has converged by epoch 4 and overfits from then on.",
            original_difference=4.0,
        ),
        claim(
            "C09c.as_written: batch_norm seconds greater baseline",
            "With 32 filters and batch normalization the network trains longer than the baseline.",
            original_difference=2.7803,
        ),
        claim(
            "C09c.one_change: batch_norm seconds greater filters_32 one_change",
            "With batch normalization the network with 32 filters trains longer than without it.",
            original_difference=2.489,
        ),
    ),
)
