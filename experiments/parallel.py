"""The parallel variant: the same trainings on several devices at once."""

from cifar_report.spec import Experiment, claim, of_original, variant

from .baseline import BASELINE
from .model_2 import FIRST, MODEL_2

BASELINE_PARALLEL = variant(
    BASELINE, "baseline_parallel", "Baseline, parallel", strategy="mirrored", as_written="baseline"
)

MODEL_2_PARALLEL = variant(
    MODEL_2, "model_2_parallel", "Model 2, first stage, parallel", stages=(FIRST,), strategy="mirrored", one_change=None
)

EXPERIMENT = Experiment(
    id="parallel",
    order=0,
    section="parallel",
    title="Training on several devices",
    question="Does training on several devices at once save time without changing the result?",
    change=(
        "The baseline and the first stage of model 2 are trained under MirroredStrategy, with the same batch divided "
        "among the devices."
    ),
    explanation=(
        "Each device holds a replica of the network and computes the gradient of its share of every batch; the shares "
        "are added before all replicas take the same step, so that only rounding differs from one device. Time is "
        "saved as long as computation outweighs the exchange of gradients; without graphics processors the devices "
        "here are logical ones on the cores of one processor."
    ),
    trials=(BASELINE_PARALLEL, MODEL_2_PARALLEL),
    claims=of_original(
        {
            "P1": (
                "The README promises a parallel variant with MirroredStrategy that speeds training up; it was never "
                "run, so there is no number."
            ),
        },
        claim(
            "P1.baseline.throughput: baseline_parallel throughput greater baseline",
            "On several devices the baseline trains more images per second than on one.",
        ),
        claim(
            "P1.baseline.accuracy: baseline_parallel accuracy equal baseline",
            "On several devices the baseline becomes about as accurate on the test set as on one.",
        ),
        claim(
            "P1.model_2.throughput: model_2_parallel/first throughput greater model_2/first",
            "On several devices the first stage of model 2 trains more images per second than on one.",
        ),
        claim(
            "P1.model_2.accuracy: model_2_parallel/first accuracy equal model_2/first",
            "On several devices the first stage of model 2 becomes about as accurate on the test set as on one.",
        ),
    ),
    figures=("curves", "scaling"),
)
