"""Trial 7: a larger window of max pooling."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import HEAD
from .filters import FILTERS_32

POOL_3X3 = published(FILTERS_32, "pool_3x3", "Pooling 3×3", (Conv2D(32, 3), MaxPooling2D(3), *HEAD))

PROXY_C07B = "The original says only that accuracy may suffer; what is tested is whether it does."

EXPERIMENT = Experiment(
    id="pooling",
    order=7,
    section="trials",
    number="7",
    title="A larger pooling window",
    question="What does max pooling over 3×3 instead of 2×2 save, and what does it cost?",
    change="The pooling window measures 3×3 instead of 2×2, in the network with 32 filters.",
    explanation=(
        "Max pooling keeps the largest value of each window; it has no weights and makes the answer less dependent on "
        "exact positions. A 3×3 window keeps one value of nine instead of one of four, so that less than half of the "
        "flattened vector and of the hidden layer's weights remains and more is forgotten about where a pattern stood."
    ),
    trials=(POOL_3X3,),
    claims=of_original(
        {
            "C07a": (
                "3×3 pooling saves time: 192.3 s against 289.5 s with 32 filters and 2×2, and 259.2 s for the baseline."
            ),
            "C07b": "The larger window may cost accuracy (59.76%) and converges later, so 2×2 is to be preferred.",
        },
        claim(
            "C07a.as_written: pool_3x3 seconds less baseline",
            "With 32 filters and 3×3 pooling the network trains in less time than the baseline.",
            original_difference=0.7421,
        ),
        claim(
            "C07a.one_change: pool_3x3 seconds less filters_32 one_change",
            "With 3×3 pooling the network with 32 filters trains in less time than with 2×2.",
            original_difference=0.6643,
        ),
        claim(
            "C07b.accuracy.as_written: pool_3x3 accuracy less baseline",
            "With 32 filters and 3×3 pooling the network is less accurate on the test set than the baseline.",
            proxy=PROXY_C07B,
            original_difference=0.0017,
        ),
        claim(
            "C07b.accuracy.one_change: pool_3x3 accuracy less filters_32 one_change",
            "With 3×3 pooling the network with 32 filters is less accurate on the test set than with 2×2.",
            proxy=PROXY_C07B,
        ),
        claim(
            "C07b.epochs_to_accuracy.as_written: pool_3x3 epochs_to_accuracy greater baseline",
            "With 32 filters and 3×3 pooling the network reaches the fixed validation accuracy later than the "
            "baseline.",
            original_difference=5.0,
        ),
        claim(
            "C07b.epochs_to_accuracy.one_change: pool_3x3 epochs_to_accuracy greater filters_32 one_change",
            "With 3×3 pooling the network with 32 filters reaches the fixed validation accuracy later than with 2×2.",
        ),
        claim(
            "C07b.epoch_of_least_loss.as_written: pool_3x3 epoch_of_least_loss greater baseline",
            "With 32 filters and 3×3 pooling the network reaches its least validation loss later than the baseline.",
            original_difference=5.0,
        ),
        claim(
            "C07b.epoch_of_least_loss.one_change: pool_3x3 epoch_of_least_loss greater filters_32 one_change",
            "With 3×3 pooling the network with 32 filters reaches its least validation loss later than with 2×2.",
            original_difference=-1.0,
        ),
    ),
)
