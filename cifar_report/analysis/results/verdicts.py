"""A claim's verdict: what the data say about it, how sure that is and what would change it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cifar_report.analysis.results.datum import Datum
from cifar_report.spec import Claim

Outcome = Literal["reproduced", "not_reproduced", "inconclusive", "not_run", "not_testable"]

Reason = Literal[
    # reproduced
    "beyond_margin",  # significant, and the mean reaches the margin
    "improvement_ruled_out",  # not better: an improvement of the margin or more is ruled out
    "equivalent",  # equal, ratio, value: within the margin
    "onset_shown",
    "holds",  # exact
    # not reproduced
    "margin_ruled_out",  # the data rule out a difference of the margin or more on the claimed side
    "opposite",  # significantly on the other side
    "improvement_found",  # not better: significantly better, by the margin or more
    "outside_margin",  # equal, ratio, value: the interval lies wholly outside
    "onset_ruled_out",
    "does_not_hold",  # exact
    # inconclusive
    "one_seed",
    "one_block",  # of the timing pass
    "too_few_seeds",  # onset below five seeds
    "undecided",
    "not_a_number",  # a value of the comparison is not a number
    # not run
    "missing",
    "failed",
    "no_common_seeds",
    "no_timing_pass",
    "not_timed",  # the timing pass does not hold these trials
    "disturbed",  # no block of the timing pass stayed undisturbed on both sides
    "no_predictions",
    # not testable
    "reduced_profile",
    "stand_in",
    "other_labels",
    "other_pixels",  # absolute claims only
    "no_hardware",
]

Procedure = Literal[
    "paired_t",
    "tost",
    "sign_test",
    "binomial",
    "all_equal",  # decided exactly, without a t test
    "mcnemar",
    "exact",
]


@dataclass(frozen=True)
class SeedDifference:
    """The two values of one seed (or of one timing block) and their difference on the claim's scale.

    ``difference`` is subject - comparator in points or epochs, a share of the comparator for losses, a ratio for
    seconds and throughput; for absolute claims it is the value itself. None where a value is missing or censored.
    """

    seed: int | None
    subject: float | None
    comparator: float | None
    difference: float | None
    censored: bool = False


@dataclass(frozen=True)
class NetworkTest:
    """The trained networks of one seed on the same images: exact McNemar and a paired bootstrap over images."""

    seed: int | None
    only_subject_right: Datum
    only_comparator_right: Datum
    difference: Datum
    p: Datum


@dataclass(frozen=True)
class Networks:
    """These networks, as against the recipe. ``pooled`` is the mean over seeds, its interval over images only.

    ``apart`` counts the pairs that McNemar's test tells apart at .05, each pair by itself.
    """

    tests: tuple[NetworkTest, ...]
    apart: Datum
    pooled: Datum
    beyond_images: Datum  # recipe and images both drawn anew


@dataclass(frozen=True)
class Sensitivity:
    """The verdict under one other choice; ``seed`` names the one that was left out, ``p`` is uncorrected."""

    kind: Literal["margin_halved", "margin_doubled", "without_seed", "welch", "sign_flip"]
    outcome: Outcome
    p: float | None
    seed: int | None = None
    changes: bool = False  # whether the outcome differs from the verdict's

    @property
    def counts(self) -> bool:
        """Whether the choice counts for stability; other tests are weaker, whatever the data are.

        Five seeds have 32 sign patterns, so that a sign-flip test cannot reach a corrected level at all.
        """
        return self.kind not in ("welch", "sign_flip")


@dataclass(frozen=True)
class Verdict:
    """What the data say about one claim.

    ``estimate`` carries the two-sided 95 % interval. ``bound`` is the one-sided 95 % bound that decides whether
    the margin is ruled out (relations with a direction). ``wins`` counts the seeds on the claimed side.
    """

    claim: Claim
    outcome: Outcome
    reason: Reason
    direction_only: bool  # significantly on the claimed side, but below the margin
    test: Procedure | None
    n: int  # seeds, timing blocks, or images for classifiers without seeds
    n_of: Literal["seeds", "images", "blocks"]
    estimate: Datum
    bound: Datum | None
    margin: Datum | None
    stated: Datum | None  # r, x, k or the number of ratio, value, onset and exact
    p: Datum | None
    p_corrected: Datum | None  # Holm within the family; None where the claim stands alone
    opposite_p: Datum | None  # for the other direction, corrected like p
    family_size: int | None  # the registry's count, whatever was run
    original: Datum | None
    original_inside: bool | None  # whether the original's difference lies in our 95 % prediction interval
    prediction: Datum | None  # the estimate with the prediction interval as its bounds
    wins: Datum | None
    differences: tuple[SeedDifference, ...]
    subject_mean: Datum | None
    comparator_mean: Datum | None
    sensitivity: tuple[Sensitivity, ...]
    stable: bool | None  # None where there is nothing to vary
    detectable: Datum | None
    seeds_needed: Datum | None
    networks: Networks | None
    deviation: Literal["other_pixels"] | None  # testable, but on pixels that are not canonical

    @property
    def id(self) -> str:
        """Return the claim's id."""
        return self.claim.id
