"""Trial 4: a convolution that keeps the image's size."""

from cifar_report.spec import Conv2D, Experiment, MaxPooling2D, claim, of_original, published

from .baseline import BASELINE, HEAD

PADDING_SAME = published(
    BASELINE, "padding_same", "Padding “same”", (Conv2D(16, 3, padding="same"), MaxPooling2D(2), *HEAD)
)

EXPERIMENT = Experiment(
    id="padding",
    order=4,
    section="trials",
    number="4",
    title="Padding",
    question="Does the network gain anything when the convolution also covers the image's border?",
    change="The convolution pads the image (“same”) instead of staying inside it (“valid”).",
    explanation=(
        "Without padding a filter is evaluated only where it lies wholly inside the image; the padding “same” adds a "
        "frame of zeros, so that the feature map keeps the image's height and width. The border then counts as much "
        "as the rest, at the price of artificial zeros and of somewhat more weights and computation."
    ),
    trials=(PADDING_SAME,),
    claims=of_original(
        {
            "C04a": "The padding brought no gain: test accuracy 60.37% against 59.59%.",
            "C04b": "All that the padding brings is slower convergence.",
            "C04c": (
                "The padding costs more computation; yet its own training took 156.9 s against the baseline's 259.2 s."
            ),
        },
        claim(
            "C04a: padding_same accuracy equal baseline",
            "With padding the network is about as accurate on the test set as the baseline.",
            original_difference=0.0078,
        ),
        claim(
            "C04b.epochs_to_accuracy: padding_same epochs_to_accuracy greater baseline",
            "With padding the network reaches the fixed validation accuracy in a later epoch than the baseline.",
            original_difference=1.0,
        ),
        claim(
            "C04b.epoch_of_least_loss: padding_same epoch_of_least_loss greater baseline",
            "With padding the network reaches its least validation loss in a later epoch than the baseline.",
            original_difference=-1.0,
        ),
        claim(
            "C04c.macs: padding_same macs greater baseline",
            "With padding the network needs more multiply-accumulates per image than the baseline.",
        ),
        claim(
            "C04c.seconds: padding_same seconds greater baseline",
            "With padding training takes longer than the baseline's.",
            original_difference=0.6053,
        ),
    ),
)
