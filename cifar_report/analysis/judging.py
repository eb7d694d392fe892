"""Applies the method's table to a claim: which test, which side, which margin, corrected within which family."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from cifar_report.analysis.decisions import (
    RATIO_SLACK,
    Decision,
    decide_direction,
    decide_not_better,
    decide_onset,
    decide_within,
)
from cifar_report.analysis.evidence import Evidence
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import SAME, holm
from cifar_report.analysis.values import HIGHER_IS_BETTER
from cifar_report.spec import Claim, Family

DIRECTIONS = ("greater", "less", "not_better")
ONSET_SLACK = 1  # epochs by which an onset may miss the stated one


def is_time(claim: Claim) -> bool:
    """Whether the claim compares times or rates, so that its scale is a log ratio."""
    return claim.quantity in ("seconds", "throughput", "fit_seconds", "predict_seconds")


def side_of(claim: Claim) -> int:
    """Return the sign of the side that is tested: the claimed one, or an improvement's for "not better"."""
    if claim.relation == "not_better":
        return 1 if claim.quantity in HIGHER_IS_BETTER else -1
    return -1 if claim.relation == "less" else 1


def margin_of(claim: Claim, factor: float = 1.0) -> float:
    """Return the margin on the scale of the test, ``factor`` times the registry's."""
    margin = (claim.margin or 0.0) * factor
    return math.log1p(margin) if is_time(claim) else margin


def limits_of(claim: Claim, factor: float = 1.0) -> tuple[float, float]:
    """Return the limits of "equal", "ratio" and "value" on the scale of the test."""
    if claim.relation == "ratio":
        slack = 1 + (RATIO_SLACK - 1) * factor
        return math.log((claim.value or 1.0) / slack), math.log((claim.value or 1.0) * slack)
    if claim.relation == "value":
        center = claim.value or 0.0
        relative = claim.quantity == "loss" or is_time(claim)
        half = (claim.margin or 0.0) * factor * (abs(center) if relative else 1.0)
        return center - half, center + half
    margin = margin_of(claim, factor)
    return -margin, margin


def p_values(claim: Claim, evidence: Evidence) -> tuple[float, float | None]:
    """Return the uncorrected p-value of the tested side and that of the other side (None where there is none).

    The other side's is two-sided, because it is looked at only when the claimed side failed. No verdict hangs on
    it, because a difference that is surely on the other side is surely below the margin; it only picks the reason.
    How often the two strong statements err together is simulated, not derived (``simulation/calibration.py``).
    """
    if claim.relation in DIRECTIONS:
        above, below = evidence.p_above(0.0), evidence.p_below(0.0)
        own, other = (above, below) if side_of(claim) > 0 else (below, above)
        return own, min(1.0, 2 * other)
    return evidence.p_between(*limits_of(claim)), None


def onset_successes(claim: Claim, sample: Sample) -> int:
    """Count the seeds that overfit from within one epoch of the stated one."""
    stated = claim.value or 0.0
    return sum(value.value is not None and abs(value.value - stated) <= ONSET_SLACK + SAME for value in sample.subject)


def judge(claim: Claim, evidence: Evidence, p: float, opposite_p: float | None, factor: float = 1.0) -> Decision:
    """Return the decision for corrected p-values; ``factor`` scales the margin (sensitivity)."""
    if claim.relation == "not_better":
        return decide_not_better(evidence, side_of(claim), margin_of(claim, factor), p)
    if claim.relation in DIRECTIONS:
        return decide_direction(evidence, side_of(claim), margin_of(claim, factor), p, opposite_p or 0.0)
    return decide_within(evidence, *limits_of(claim, factor))


def judge_onset(claim: Claim, sample: Sample) -> Decision:
    """Return the decision about an onset."""
    return decide_onset(onset_successes(claim, sample), sample.count)


@dataclass(frozen=True)
class Families:
    """The families' uncorrected p-values and the registry's sizes; corrects one claim's p-value in its family."""

    sizes: Mapping[Family, int]
    tested: Mapping[tuple[Family, str], Mapping[str, float]]

    @classmethod
    def of(cls, claims: Iterable[Claim], found: Mapping[str, tuple[float, float | None]]) -> Families:
        """Collect the p-values of the claims that could be tested; ``found`` maps their ids to both sides."""
        claims = tuple(claims)
        sizes = Counter(claim.family for claim in claims if claim.family is not None)
        tested: dict[tuple[Family, str], dict[str, float]] = {}
        for claim in claims:
            if claim.id in found and claim.family is not None and claim.relation in DIRECTIONS:
                for place, side in enumerate(("claimed", "opposite")):
                    value = found[claim.id][place]
                    tested.setdefault((claim.family, side), {})[claim.id] = 1.0 if value is None else value
        return cls(sizes, tested)

    def size(self, claim: Claim) -> int | None:
        """Return the registry's count of the claim's family; None where it stands alone."""
        return None if claim.family is None or claim.relation not in DIRECTIONS else self.sizes[claim.family]

    def corrected(self, claim: Claim, p: float | None, side: str = "claimed") -> float | None:
        """Return Holm's p-value of the claim if its own one were ``p``, everything else as it is."""
        if p is None or claim.family is None or claim.relation not in DIRECTIONS:
            return p
        others = self.tested.get((claim.family, side), {})
        return holm({**others, claim.id: p}, self.sizes[claim.family])[claim.id]
