"""A claim's verdict: what the data say about it, how sure that is and what would change it."""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from cifar_report.analysis.results.trials import Datum
from cifar_report.spec import Claim

LEVEL = 0.05  # of every test; intervals cover the rest
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
    # inconclusive; "one_block" of the timing pass, "too_few_seeds" for an onset
    # "not_decidable": so few runs cannot reach the corrected level
    "one_seed", "one_block", "too_few_seeds", "not_decidable", "undecided", "not_a_number", "too_few_runs",
    # not run; "disturbed": no block of the timing pass stayed undisturbed on both sides
    "missing", "failed", "no_common_seeds", "no_timing_pass", "not_timed", "disturbed", "no_predictions",
    # not testable; "other_pixels" for absolute claims only
    "reduced_profile", "stand_in", "other_labels", "other_pixels", "no_hardware", "not_recorded",
]  # fmt: skip

FOUND = ("beyond_margin", "opposite", "improvement_found")  # reasons of a difference that is there
RULED_OUT = ("margin_ruled_out", "improvement_ruled_out")

Lacking = Literal["margin", "correction", "power"]
"""What keeps an inconclusive claim from being decided."""

Procedure = Literal["welch", "paired_t", "permutation", "sign_flips", "binomial", "all_equal", "mcnemar", "exact"]
"""``all_equal``: decided exactly, because a t test needs some spread."""


class SeedDifference(NamedTuple):
    """The two values of one seed (or of one timing block) and their difference."""

    seed: int | None
    subject: float | None
    comparator: float | None
    # In points or epochs, a share of the comparator for losses, a ratio of times; of absolute claims the value itself.
    difference: float | None  # None where a value is missing
    censored: bool = False


class NetworkTest(NamedTuple):
    """The trained networks of one seed on the same images: exact McNemar and a paired bootstrap over images."""

    only_subject_right: Datum
    only_comparator_right: Datum
    difference: Datum
    p: Datum


class Networks(NamedTuple):
    """What the trained networks themselves show on these images, whatever holds for their configurations."""

    tests: tuple[NetworkTest, ...]
    apart: Datum  # pairs that differ by McNemar's test at .05, each pair by itself
    pooled: Datum  # mean over seeds, its interval over images only
    beyond_images: Datum  # seeds and images both drawn anew


SensitivityKind = Literal[
    "margin_halved", "margin_doubled", "without_run", "missing_seed", "trimmed_mean", "uncorrected", "sign_flip"
]  # fmt: skip


class Sensitivity(NamedTuple):
    """The verdict under one other choice."""

    kind: SensitivityKind
    outcome: Outcome
    p: float | None  # of that choice, uncorrected
    seed: int | None = None  # or block: the run that was left out or that is missing
    trial: str | None = None  # its side, where sides do not pair
    changes: bool = False  # whether the outcome differs from the verdict's

    @property
    def counts(self) -> bool:
        """Whether the choice counts for fragility; sign flips and what no correction would say are only shown."""
        return self.kind not in ("uncorrected", "sign_flip")


class TakenLook(NamedTuple):
    """Which of the planned looks that were taken gave a verdict, counted from 1, and its share of the level."""

    number: int
    taken: int
    share: float


class OtherVerdict(NamedTuple):
    """The verdict beside the headline, where a claim was judged by its first seeds and by new ones apart."""

    phase: Literal["first", "confirmation"]
    outcome: Outcome
    n: int
    estimate: Datum
    p: Datum | None  # corrected, where the claim has a family


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the data say about one claim; ``judge_claim`` makes it."""

    claim: Claim
    outcome: Outcome
    reason: Reason
    direction_only: bool = False  # significantly on the claimed side, but below the margin
    lacking: Lacking | None = None  # of inconclusive ones
    test: Procedure | None = None
    n: int = 0  # seeds, timing blocks, or images for classifiers without seeds
    n_comparator: int | None = None  # of the comparator, where seeds do not pair
    n_of: Literal["seeds", "images", "blocks"] = "seeds"
    estimate: Datum  # with the test's interval: 90 % beside equivalence and rule-outs, which are one-sided at .05
    wide: Datum | None = None  # the 95 % one beside it
    bound: Datum | None = None  # of a direction: the one-sided 95 % one that decides whether the margin is ruled out
    margin: Datum | None
    stated: Datum | None  # r, x, k or the number of ratio, value, onset and exact
    p: Datum | None = None
    p_corrected: Datum | None = None  # Holm within the family; None where the claim stands alone
    opposite_p: Datum | None = None  # for the other direction, corrected like p
    family_size: int | None  # the registry's count, whatever was run
    original: Datum | None
    original_inside: bool | None = None  # whether the original's difference lies in our 95 % prediction interval
    prediction: Datum | None = None  # the estimate with the prediction interval as its bounds
    wins: Datum | None = None  # seeds (or pairs of runs) on the claimed side
    differences: tuple[SeedDifference, ...] = ()
    subject_mean: Datum | None = None
    comparator_mean: Datum | None = None
    sensitivity: tuple[Sensitivity, ...] = ()
    fragile: bool | None = None  # whether another choice changes it; None where there is nothing to vary
    missing: tuple[tuple[str, tuple[int, ...]], ...] = ()  # trials of the claim and their planned seeds without a run
    detectable: Datum | None = None
    seeds_needed: Datum | None = None
    networks: Networks | None = None
    deviation: Literal["other_pixels"] | None = None  # testable, but on pixels that are not canonical
    look: TakenLook | None = None  # under planned looks
    undecidable_below: int | None = None  # seeds of the last look, where even that would hardly decide it
    other: OtherVerdict | None = None  # of a bundle with a confirmation

    @property
    def id(self) -> str:
        """Return the claim's id."""
        return self.claim.id

    @property
    def measured_before(self) -> bool:
        """Whether the original has a number for it, so that it can be reproduced and not only supported."""
        return self.claim.original_difference is not None
