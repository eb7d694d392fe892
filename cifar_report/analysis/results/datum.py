"""One number of the report, and the same number seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Unit = Literal[
    "share",  # 0 … 1, shown as a percentage (accuracies)
    "points",  # a difference of shares, shown in percentage points
    "loss",
    "relative",  # a relative difference, shown as a signed percentage
    "epochs",
    "count",  # parameters, multiply-accumulates, images, seeds
    "bytes",
    "seconds",
    "ratio",
    "throughput",  # images per second
    "probability",  # p-values
    "score",  # F1, Brier, calibration error
]

Formula = Literal[
    "mean_over_seeds",  # interval: t over seeds
    "single_value",  # one run without a seed, or one seed
    "mean_over_running_seeds",  # of one epoch: over the seeds that still trained then
    "prediction_interval",  # mean ± t·s·√(1 + 1/n): where one more run is expected
    "prediction_interval_of_difference",  # the same of a difference by seed
    "mean_difference",  # of per-seed differences; interval: paired t
    "mean_relative_difference",  # of per-seed (subject - comparator) / comparator; interval: paired t
    "geometric_mean_ratio",  # of paired ratios; interval: t on the log ratios, transformed back
    "median_over_seeds",  # where runs did not reach the level, which counts as later than every epoch
    "median_difference",  # of epochs with runs that did not reach the level; no interval
    "share_of_images",  # of test images; interval: Wilson
    "share_of_seeds",  # how many seeds of n; interval: exact binomial
    "difference_over_images",  # one pair of networks; interval: paired bootstrap over the test images
    "mean_difference_over_images",  # mean over seeds; interval: paired bootstrap over the test images
    "difference_beyond_images",  # interval with SE² = s²/n + Var over images / N
    "count_of_images",
    "mcnemar",  # exact, two-sided
    "margin",
    "stated_value",
    "original_value",
    "original_difference",
    "counted_in_spec",
    "exact_ratio",
    "exact_difference",
    "one_sided_bound",  # the one-sided 95 % bound of the estimate on the side of the margin
    "detectable_difference",  # at n seeds, 80 % power, .05, uncorrected
    "count_of_pairs",  # of trials that a ranking compares
    "least_standardized_difference",  # that a corrected test of a ranking can find, in standard deviations
    "seeds_needed",  # for the observed difference, 80 % power, .05, uncorrected
    "p_value",
    "p_corrected",
    "sum_over_seeds",
    "standard_deviation",
    "variance_share",
    "geometric_mean_of_blocks",  # timing pass: medians by block
    "seconds_of_an_epoch",  # images of an epoch / images per second of the timing pass
    "largest_over_blocks",
    "run_probability",
    "share_of_draws",  # of simulated draws; interval: exact binomial
    "assumed_deviation",  # of simulated values
    "promised_rate",  # what the method promises of such a share
]

Undefined = Literal[
    "not_run",
    "failed",
    "one_seed",  # an interval or a test needs two
    "not_a_number",
    "not_reached",  # the level of validation accuracy, in at least half of the seeds
    "no_original",
    "no_predictions",
    "no_probabilities",
    "no_timing_pass",
    "not_timed",
    "disturbed",  # every block of the timing pass
    "no_difference_observed",  # seeds needed for a difference of exactly nought
    "too_many_seeds",  # more than the largest number looked for
    "no_spread",  # all seeds gave the same value
    "does_not_apply",
]


@dataclass(frozen=True)
class Datum:
    """One number of the report, with what a reader needs to check it.

    ``id`` is unique in the report and a valid HTML id (for example ``baseline.training.last.test_accuracy``);
    ``value`` is None where it is not defined, and then ``reason`` says why. ``low`` and ``high`` bound its 95 %
    interval where it has one (a reason beside a value says why the interval is missing). ``n`` counts ``n_of``.
    ``formula`` is the code of the formula's one-line description, ``runs`` the ids of the runs behind it.
    """

    id: str
    value: float | None
    unit: Unit
    formula: Formula
    n: int | None = None
    n_of: Literal["seeds", "images", "blocks", "draws", "runs", "pairs"] = "seeds"
    low: float | None = None
    high: float | None = None
    runs: tuple[str, ...] = ()
    reason: Undefined | None = None
    origin: Literal["measured", "original", "spec", "simulated"] = "measured"


@dataclass(frozen=True)
class SeedValue:
    """One run's value; None where it was not a number or, with ``censored``, was not reached."""

    seed: int | None
    run: str
    value: float | None
    censored: bool = False


@dataclass(frozen=True)
class Compatibility:
    """Whether the original's one number could be one more run of ours.

    ``prediction`` holds the mean with the 95 % prediction interval as its bounds; at three seeds it is so wide
    that almost anything is inside.
    """

    outcome: Literal["inside", "outside", "not_testable", "no_original", "not_run", "one_seed"]
    reason: Literal["other_pixels", "stand_in", "reduced_profile", "other_labels"] | None
    original: Datum | None
    prediction: Datum


@dataclass(frozen=True)
class Measure:
    """One quantity of one trial: the mean over seeds with its interval, every seed's value, and the original's."""

    datum: Datum
    seeds: tuple[SeedValue, ...]
    original: Datum | None = None
    compatibility: Compatibility | None = None

    @property
    def values(self) -> tuple[float, ...]:
        """Return the defined values, by seed."""
        return tuple(entry.value for entry in self.seeds if entry.value is not None)
