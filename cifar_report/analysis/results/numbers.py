"""One number of the report, and the same number seed by seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

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
    "geometric_mean_of_blocks", "seconds_of_an_epoch", "largest_over_blocks",
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
    """One number of the report, with what a reader needs to check it.

    ``id`` is unique in the report and a valid HTML id (for example ``baseline.training.last.test_accuracy``);
    ``value`` is None where it is not defined, and then ``reason`` says why. ``low`` and ``high`` bound its interval
    of ``coverage`` where it has one (a reason beside a value says why it is missing). ``n`` counts ``n_of``.
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
    coverage: float = 0.95


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
