"""The network that the others are compared with."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Stage, Trial

from ..dataset import DATASET

BASELINE = Trial(
    id="baseline",
    title="Baseline",
    input_shape=DATASET.shape,
    layers=(Conv2D(8, 3), MaxPooling2D(2), Flatten(), Dense(len(DATASET.classes), "softmax")),
    stages=(Stage(epochs=10),),
)

EXPERIMENT = Experiment(
    id="baseline",
    title="The reference model",
    question="How many images does a small network recognize?",
    trials=(BASELINE,),
)
