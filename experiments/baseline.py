"""The reference model of the write-up, at its 15 epochs and at 30."""

from cifar_report.spec import Conv2D, Dense, Experiment, Flatten, MaxPooling2D, Stage, Trial, variant

BASELINE = Trial(
    id="baseline",
    title="Baseline",
    layers=(Conv2D(16, 3), MaxPooling2D(2), Flatten(), Dense(32), Dense(10, "softmax")),
    stages=(Stage(epochs=15),),
    published="baseline",
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
        "The reference model reads the image with one convolutional layer: 16 small filters slide over it, and each "
        "computes a weighted sum of the pixels under it, so that a pattern is recognised wherever it stands. The ReLU "
        "activation function sets negative sums to zero, and max pooling keeps the largest value of each window, "
        "which halves height and width and makes the network less sensitive to small shifts. The values that remain "
        "are flattened into one vector and passed to a fully connected hidden layer of 32 neurons; the softmax of the "
        "output layer turns its ten sums into the probabilities of the classes. Training minimises the categorical "
        "cross-entropy, the negative logarithm of the probability that the right class was given, with Adam, which "
        "adapts the step of each weight from running averages of the gradient and of its square. The same network is "
        "also trained for 30 epochs, as a fair partner for the trial that the original ran for that long."
    ),
    trials=(BASELINE, BASELINE_30_EPOCHS),
)
