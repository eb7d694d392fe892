"""Trial 3: a convolution that moves on by two pixels."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import BASELINE, HEAD

STRIDE_2 = published(BASELINE, "stride_2", "Stride 2", (Conv2D(16, 3, strides=2), MaxPooling2D(2), *HEAD))

EXPERIMENT = Experiment(
    id="stride",
    order=3,
    section="trials",
    number="3",
    title="A larger stride",
    question="How much time does a stride of 2 save, and what does it cost in accuracy?",
    change="The convolution moves on by 2 pixels instead of 1.",
    explanation=(
        "With a stride of 2 a filter is evaluated at every second position in both directions, so that each feature "
        "map, and the flattened vector after it, keeps about a quarter of its values. The position of a pattern "
        "becomes less precise, and patterns between two positions are seen only in part."
    ),
    trials=(STRIDE_2,),
    claims=of_original(
        {
            "C03a": "The network has a quarter of the parameters: 25,898 against 116,010.",
            "C03b": "Training took clearly less time: 70.3 s against 259.2 s.",
            "C03c": "The network converges later and is not much better: test accuracy 58.89% against 59.59%.",
        },
        claim(
            "C03a: stride_2 parameters quarter baseline",
            "A stride of 2 leaves about a quarter of the baseline's parameters.",
            original_difference=0.2232,
        ),
        claim(
            "C03b: stride_2 seconds less baseline",
            "With a stride of 2 training takes clearly less time than the baseline's.",
            original_difference=0.2712,
        ),
        claim(
            "C03c.accuracy: stride_2 accuracy not_better baseline",
            "A stride of 2 does not make the network much more accurate on the test set than the baseline.",
            margin=0.02,
            original_difference=-0.007,
        ),
        claim(
            "C03c.epochs_to_accuracy: stride_2 epochs_to_accuracy greater baseline",
            "With a stride of 2 the network reaches the fixed validation accuracy in a later epoch than the baseline.",
            original_difference=3.0,
        ),
        claim(
            "C03c.epoch_of_least_loss: stride_2 epoch_of_least_loss greater baseline",
            "With a stride of 2 the network reaches its least validation loss in a later epoch than the baseline.",
            original_difference=2.0,
        ),
    ),
)
