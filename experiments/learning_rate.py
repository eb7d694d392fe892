"""Study: how large the optimizer's step is."""

from cifar_report.spec import Experiment, variant

from .baseline import BASELINE

LEARNING_RATE_LOW = variant(BASELINE, "learning_rate_0.0003", "Learning rate 0.0003", learning_rate=0.0003)
LEARNING_RATE_HIGH = variant(BASELINE, "learning_rate_0.003", "Learning rate 0.003", learning_rate=0.003)

EXPERIMENT = Experiment(
    id="learning_rate",
    order=2,
    section="training_parameters",
    title="Learning rate",
    question="How does accuracy depend on the learning rate?",
    change="The baseline is trained with a learning rate of 0.0003, 0.001 or 0.003.",
    explanation=(
        "With Adam the learning rate is roughly the size of the step that each weight makes. Too small, and the "
        "epochs end before the network has learned what it could; too large, and the loss fluctuates and ReLU neurons "
        "can be pushed to where they never respond again."
    ),
    trials=(LEARNING_RATE_LOW, LEARNING_RATE_HIGH),
    points=("learning_rate_0.0003", "baseline", "learning_rate_0.003"),
    figures=("curves", "study"),
)
