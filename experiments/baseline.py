"""The reference model of the write-up, at its 15 epochs and at 30."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Stage, Trial, variant

HEAD = (Flatten(), Dense(32), Dense(10, "softmax"))  # what follows the convolutions in most trials

BASELINE = Trial(
    id="baseline",
    title="Baseline",
    layers=(Conv2D(16, 3), MaxPooling2D(2), *HEAD),
    stages=(Stage(epochs=15),),
)

BASELINE_30_EPOCHS = variant(BASELINE, "baseline_30_epochs", "Baseline, 30 epochs", stages=(Stage(epochs=30),))

EXPERIMENT = Experiment(
    id="baseline",
    order=0,
    section="trials",
    title="The reference model",
    question="How well does a network of one convolution and one hidden layer classify CIFAR-10?",
    change="Nothing: every other trial is compared with this one.",
    explanation=(
        "Sixteen small filters slide over the image and mark where their pattern occurs; ReLU sets negative responses "
        "to zero, max pooling keeps the largest value of each window, and a hidden layer of 32 neurons combines what "
        "is left into the probabilities of the ten classes. Training minimizes the categorical cross-entropy with "
        "Adam; the same network is also trained for 30 epochs, as a fair partner for the trial that the original ran "
        "for that long."
    ),
    trials=(BASELINE, BASELINE_30_EPOCHS),
)
