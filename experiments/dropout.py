"""Trial 10: dropout in front of the hidden layer."""

from cifar_report.spec import Conv2D, Dense, Dropout, Experiment, Flatten, MaxPooling2D, claim, of_original, published

from .filters import FILTERS_32

DROPOUT = published(
    FILTERS_32,
    "dropout",
    "Dropout 0.5",
    (Conv2D(32, 3), MaxPooling2D(2), Flatten(), Dropout(0.5), Dense(32), Dense(10, "softmax")),
)


PROXY_C10C = (
    "Overfitting is tested through the gap between the accuracy on training images and on test images, both evaluated "
    "without dropout."
)

EXPERIMENT = Experiment(
    id="dropout",
    order=10,
    section="trials",
    number="10",
    title="Dropout",
    question="Does dropout in front of the hidden layer improve the network and curb overfitting?",
    change="Dropout at a rate of 0.5 stands in front of the hidden layer, in the network with 32 filters.",
    explanation=(
        "In each training step dropout sets a random share of its inputs to zero and scales up the others, so that no "
        "neuron can rely on a particular other one; this resembles averaging many smaller networks with shared "
        "weights. In evaluation nothing is dropped, so that the accuracy printed during training is lower than that "
        "of the same weights without dropout."
    ),
    trials=(DROPOUT,),
    claims=of_original(
        {
            "C10a": (
                "Dropout improves the results: test accuracy 64.67%, against 54.96% with batch normalization and the "
                "baseline's 59.59%."
            ),
            "C10b": (
                "Dropout brings the training time back to the baseline's; yet its own training took 693.7 s against "
                "259.2 s."
            ),
            "C10c": "Dropout curbs overfitting; the original shows the curves and gives no number for it.",
        },
        claim(
            "C10a.as_written: dropout accuracy greater baseline",
            "With 32 filters and dropout the network is more accurate on the test set than the baseline.",
            original_difference=0.0508,
        ),
        claim(
            "C10a.as_written.batch_norm: dropout accuracy greater batch_norm",
            "With dropout the network with 32 filters is more accurate on the test set than with batch normalization.",
            original_difference=0.0971,
        ),
        claim(
            "C10a.one_change: dropout accuracy greater filters_32 one_change",
            "Dropout makes the network with 32 filters more accurate on the test set.",
        ),
        claim(
            "C10b.as_written: dropout seconds ratio=1.0 baseline",
            "With 32 filters and dropout the network trains in about the same time as the baseline.",
            original_difference=2.6764,
        ),
        claim(
            "C10b.one_change: dropout seconds ratio=1.0 filters_32 one_change",
            "With dropout the network with 32 filters trains in about the same time as without it.",
            original_difference=2.396,
        ),
        claim(
            "C10c.as_written: dropout gap less baseline",
            "With 32 filters and dropout the gap between training and test accuracy is smaller than the baseline's.",
            proxy=PROXY_C10C,
        ),
        claim(
            "C10c.one_change: dropout gap less filters_32 one_change",
            "Dropout narrows the gap between training and test accuracy of the network with 32 filters.",
            proxy=PROXY_C10C,
        ),
    ),
)
