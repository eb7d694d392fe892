"""Numbers of the report, seed by seed too, and what they say of one trial: its runs, curves, scores and errors."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from cifar_report.bundle import Weights
from cifar_report.spec import AnyTrial, Change, Section

Unit = Literal[
    "share",  # 0 … 1, shown as a percentage (accuracies)
    "points",  # a difference of shares, shown in percentage points
    "relative",  # a relative difference, shown as a signed percentage
    "count",  # parameters, multiply-accumulates, images, seeds
    "throughput",  # images per second
    "probability",  # p-values
    "score",  # F1, Brier, calibration error
    "loss", "epochs", "bytes", "seconds", "ratio",
]  # fmt: skip

Formula = Literal[  # each is described in one line in ``report/names.py``
    "mean_over_seeds", "single_value", "mean_over_running_seeds", "median_over_seeds", "sum_over_seeds",
    "prediction_interval", "prediction_interval_of_difference", "one_sided_bound", "detectable_difference",
    "mean_difference", "mean_relative_difference", "geometric_mean_ratio", "difference_of_means",
    "difference_of_epochs", "difference_from_fixed", "trimmed_mean",
    "share_of_images", "share_of_seeds", "count_of_images", "run_probability", "mcnemar", "p_value", "p_corrected",
    "difference_over_images", "mean_difference_over_images", "difference_beyond_images",
    "margin", "stated_value", "original_value", "original_difference", "seeds_needed",
    "counted_in_spec", "counted_in_model", "exact_ratio", "exact_difference", "standard_deviation", "variance_share",
    "share_of_pairs",
    "geometric_mean_of_blocks", "seconds_of_an_epoch", "largest_over_blocks", "share_of_a_step",
    "share_of_draws", "promised_rate", "bound_of_unseen", "rank_correlation",
]  # fmt: skip

Undefined = Literal[
    "one_seed",  # an interval or a test needs two
    "no_spread",  # all seeds gave the same value
    "not_reached",  # the level of validation accuracy, in at least half of the seeds
    "disturbed",  # every block of the timing pass
    "too_many_seeds",  # more than the largest number looked for
    "too_few_seeds",  # for an interval of an exact test
    "not_run", "failed", "not_recorded", "not_a_number", "no_original", "no_predictions", "no_probabilities",
    "no_timing_pass", "not_timed", "does_not_apply",
]  # fmt: skip


@dataclass(frozen=True)
class Datum:
    """One number of the report, with what a reader needs to check it."""

    id: str  # unique in the report, and valid in HTML (``baseline.training.last.test_accuracy``)
    value: float | None  # None where it is not defined; ``reason`` says why
    unit: Unit
    formula: Formula  # code of its one-line description
    n: int | None = None
    n_of: Literal["seeds", "images", "blocks", "draws", "runs", "pairs"] = "seeds"
    low: float | None = None  # bounds of its interval of ``coverage``, where it has one
    high: float | None = None
    runs: tuple[str, ...] = ()  # ids of those behind it
    reason: Undefined | None = None  # beside a value: why the interval is missing
    origin: Literal["measured", "original", "spec", "simulated"] = "measured"
    coverage: float = 0.95


class SeedValue(NamedTuple):
    """One value; None where it was not a number. What was not reached (``censored``) has none or a stand-in."""

    seed: int | None  # or timing block; None: no seed
    run: str  # empty of a timing block
    value: float | None
    censored: bool = False


class Compatibility(NamedTuple):
    """Whether the original's one number could be one more run of ours: inside the interval of ``prediction``."""

    outcome: Literal["inside", "outside", "not_testable", "no_original", "not_run", "one_seed"]
    prediction: Datum


class Measure(NamedTuple):
    """One quantity of one trial: the mean over seeds with its interval, every seed's value, and the original's."""

    datum: Datum
    seeds: tuple[SeedValue, ...]
    original: Datum | None = None
    compatibility: Compatibility | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """Return the defined values, by seed."""
        return tuple(entry.value for entry in self.seeds if entry.value is not None)


Status = Literal["done", "partial", "failed", "missing"]
"""Whether every seed that the bundle was asked for is finished, some are, every one failed, or nothing was tried."""


class Curve(NamedTuple):
    """One run's values by epoch, None where not a number; of training running means, as Keras prints them."""

    run: str  # "original" for the write-up's own curve
    seed: int | None
    loss: tuple[float | None, ...]
    accuracy: tuple[float | None, ...]
    val_loss: tuple[float | None, ...]
    val_accuracy: tuple[float | None, ...]


class EpochRow(NamedTuple):
    """Means over the seeds that trained in this epoch (``n``: fewer than all after early stopping)."""

    epoch: int  # counted from 1
    n: int
    loss: Datum
    accuracy: Datum
    val_loss: Datum
    val_accuracy: Datum


class WeightScores(NamedTuple):
    """Scores of the last or of the best-validation weights, evaluated in inference mode without augmentation."""

    train_accuracy: Measure
    validation_accuracy: Measure
    test_accuracy: Measure
    train_loss: Measure
    validation_loss: Measure
    test_loss: Measure
    gap: Measure  # train accuracy - test accuracy, points
    dead_units: Measure | None = None  # over the runs that recorded it; None where none did


class ClassScores(NamedTuple):
    """Precision, recall and F1 of one class, means over seeds; 0 where a class was never predicted."""

    label: int
    precision: Datum
    recall: Datum
    f1: Datum


@dataclass(frozen=True)
class ConfusedPair:
    """One kind of mistake: how many images of ``label`` were called ``predicted``."""

    label: int
    predicted: int
    count: Datum  # summed over seeds
    share: Datum  # of the images of this label


class PredictionMetrics(NamedTuple):
    """What the test predictions say beyond the accuracy; probability metrics are None without probabilities."""

    confusion: tuple[tuple[int, ...], ...]  # [label][predicted], images summed over the seeds
    confusion_shares: tuple[tuple[float, ...], ...]  # each row divided by its sum
    classes: tuple[ClassScores, ...]
    most_confused: tuple[ConfusedPair, ...]  # the ten commonest, most first
    negative_log_likelihood: Measure | None
    brier: Measure | None
    calibration_error: Measure | None


class StageSummary(NamedTuple):
    """One stage of a trial over all seeds. ``primary_weights`` are those that the method judges it by."""

    trial: str
    id: str
    primary_weights: Weights
    last: WeightScores
    best: WeightScores
    curves: tuple[Curve, ...]
    original_curve: Curve | None
    epochs_table: tuple[EpochRow, ...]
    epochs_run: Measure
    best_epoch: Measure
    epochs_to_accuracy: Measure  # to .55 validation accuracy; seeds that never reached it are censored
    epoch_of_least_loss: Measure  # of the 3-epoch-median validation loss
    test: PredictionMetrics | None  # of the primary weights; None without predictions

    @property
    def primary(self) -> WeightScores:
        """Return the scores that the method judges this stage by."""
        return self.last if self.primary_weights == "last" else self.best


class ClassicalSummary(NamedTuple):
    """What a classifier without seeds reached."""

    test_accuracy: Measure  # interval: Wilson, over the test images
    training_images: Datum
    test: PredictionMetrics | None


class FailedRun(NamedTuple):
    """A run that raised; ``error`` is the last line of its traceback."""

    run: str
    seed: int | None
    error: str


class Costs(NamedTuple):
    """What a network costs, counted in its spec (None for classifiers without layers), and the original's counts."""

    parameters: Datum
    trainable_parameters: Datum
    macs: Datum
    original_parameters: Datum | None
    original_trainable_parameters: Datum | None


@dataclass(frozen=True)
class TrialResult:
    """Everything about one planned trial. ``primary`` is what the method judges the whole trial by."""

    id: str
    trial: AnyTrial  # as the experiments define it
    trained: AnyTrial  # as the profile shortened it
    experiment: str
    section: Section
    status: Status
    seeds_planned: tuple[int | None, ...]
    seeds_run: tuple[int | None, ...]
    failed: tuple[FailedRun, ...]
    runs: tuple[str, ...]
    stages: tuple[StageSummary, ...]  # empty when nothing was finished, and for classical classifiers
    classical: ClassicalSummary | None
    costs: Costs | None
    primary: Measure  # test accuracy; its datum's value is None when nothing was finished
    unusual: tuple[SeedValue, ...]  # runs far from the median of the primary accuracy
    median: Datum | None  # of the primary accuracy
    trimmed_mean: Datum | None
    original_loss: Datum | None
    original_seconds: Datum | None  # shown without a verdict of its own
    as_written_changes: tuple[Change, ...]  # from the trial that the write-up compared it with
    one_change_changes: tuple[Change, ...]

    def stage(self, stage_id: str | None = None) -> StageSummary | None:
        """Return a stage by id, or the last one; None when it was not run."""
        return next((stage for stage in reversed(self.stages) if stage_id in (None, stage.id)), None)
