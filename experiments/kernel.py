"""Trial 2: a larger kernel in the convolution."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import BASELINE, HEAD

KERNEL_7X7 = published(BASELINE, "kernel_7x7", "Kernel 7×7", (Conv2D(16, 7), MaxPooling2D(2), *HEAD))

EXPERIMENT = Experiment(
    id="kernel",
    order=2,
    section="trials",
    number="2",
    title="A larger kernel",
    question="What does the network gain or lose when each filter sees 7×7 pixels instead of 3×3?",
    change="The kernel of the convolution measures 7×7 instead of 3×3.",
    explanation=(
        "The kernel size is the receptive field of a filter: a larger kernel describes coarser structures, but it "
        "needs as many weights and multiplications as its window has pixels. Without padding it also fits into the "
        "image at fewer places, so that the feature maps and the flattened vector become smaller and the weights of "
        "the hidden layer fewer."
    ),
    trials=(KERNEL_7X7,),
    claims=of_original(
        {
            "C02a": "Training took 1.5 times as long: 378.8 s against 259.2 s.",
            "C02b": (
                "The large kernel loses important detail; yet its own test accuracy was 60.67% against the baseline's "
                "59.59%."
            ),
        },
        claim(
            "C02a: kernel_7x7 seconds ratio=1.5 baseline",
            "With a 7×7 kernel training takes about one and a half times as long as the baseline's.",
            original_difference=1.4614,
        ),
        claim(
            "C02b: kernel_7x7 accuracy less baseline",
            "With a 7×7 kernel the network is less accurate on the test set than the baseline.",
            proxy=(
                "The original names a mechanism, the loss of detail; what is tested is only whether accuracy falls "
                "with it."
            ),
            original_difference=0.0108,
        ),
    ),
)
