"""More filters than the baseline has, and one claim about them."""

from cifar_report.spec import Conv2D, Experiment, claim, variant

from .baseline import BASELINE

WIDER = variant(BASELINE, "wider", "32 filters", layers=(Conv2D(32, 3), *BASELINE.layers[1:]))

EXPERIMENT = Experiment(
    id="wider",
    order=1,
    title="More filters",
    question="Do more filters recognize more images?",
    trials=(WIDER,),
    claims=(
        claim("C1: wider accuracy greater baseline", "With 32 filters more images are recognized than with eight."),
    ),
)
