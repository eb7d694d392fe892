"""Study: how much the result depends on which images are held out for validation."""

from cifar_report.spec import Experiment, variant

from .baseline import BASELINE

SPLIT_43 = variant(BASELINE, "split_43", "Split 43", split_seed=43)
SPLIT_44 = variant(BASELINE, "split_44", "Split 44", split_seed=44)
SPLIT_45 = variant(BASELINE, "split_45", "Split 45", split_seed=45)

EXPERIMENT = Experiment(
    id="splits",
    order=4,
    section="training_parameters",
    title="Other splits",
    question="How much does the baseline's result depend on which images train it and which validate it?",
    change="The baseline is trained on the splits with random_state 43, 44 and 45, beside the one with 42.",
    explanation=(
        "The seed of the split (random_state) decides which fifth of the 50,000 training images is held out for "
        "validation. All trials share one split; training the baseline on others shows how much of the variation "
        "comes from the choice of the images."
    ),
    trials=(SPLIT_43, SPLIT_44, SPLIT_45),
    points=("baseline", "split_43", "split_44", "split_45"),
    figures=("curves", "study"),
)
