"""Four times as many filters."""

from cifar_report.spec import Conv2D, Experiment, claim, variant

from .baseline import BASELINE

WIDER = variant(BASELINE, "wider", "32 filters", layers=(Conv2D(32, 3), *BASELINE.layers[1:]))

EXPERIMENT = Experiment(
    id="wider",
    order=1,
    title="More filters",
    question="Do four times as many filters recognize more digits?",
    change="32 filters instead of eight.",
    explanation="Each filter looks for a pattern of its own; more of them cost more operations and more weights.",
    trials=(WIDER,),
    claims=(
        claim(
            "D2: wider accuracy greater baseline", "With 32 filters the network recognizes more digits than with eight."
        ),
    ),
)
