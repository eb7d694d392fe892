"""Eight filters: the network that the others are compared with."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Stage, Trial, claim

from ..dataset import DATASET

BASELINE = Trial(
    id="baseline",
    title="Eight filters",
    input_shape=DATASET.shape,
    layers=(Conv2D(8, 3), MaxPooling2D(2), Flatten(), Dense(len(DATASET.classes), "softmax")),
    stages=(Stage(epochs=15),),
)

EXPERIMENT = Experiment(
    id="baseline",
    order=0,
    title="Eight filters",
    question="How many digits does one convolution of eight filters recognize?",
    change="Nothing: the others are compared with this one.",
    explanation="Eight filters of 3 by 3 pixels, the largest value of each 2 by 2 window, and a dense layer over them.",
    trials=(BASELINE,),
    claims=(claim("D1: baseline accuracy value=0.9", "Eight filters recognize nine of ten digits.", margin=0.03),),
)
