"""The method's table: from evidence, margin and corrected p-values to an outcome with its reason."""

from __future__ import annotations

from typing import NamedTuple

from scipy import stats

from cifar_report.analysis.evidence import Evidence
from cifar_report.analysis.results import Outcome, Reason
from cifar_report.analysis.statistics import SAME
from cifar_report.analysis.values import LEVEL

RATIO_SLACK = 1.25  # a ratio is near r between r / 1.25 and 1.25 r
LEAST_SEEDS_FOR_ONSET = 5  # below, even a unanimous answer is no more than a coin's


class Decision(NamedTuple):
    """An outcome with its reason and the tag that the direction alone is shown."""

    outcome: Outcome
    reason: Reason
    direction_only: bool = False


def decide_direction(evidence: Evidence, sign: int, margin: float, p: float, opposite_p: float) -> Decision:
    """Decide "greater" (``sign`` +1) or "less" (-1) by ``margin``; the p-values are corrected already.

    Both strong statements, on the claimed side and on the other, ask for a mean that reaches the margin.
    """
    if p < LEVEL and _reaches(evidence, sign, margin):
        return Decision("reproduced", "beyond_margin")
    direction_only = p < LEVEL
    if opposite_p < LEVEL and _reaches(evidence, -sign, margin):
        return Decision("not_reproduced", "opposite")
    ruled_out = evidence.p_below(margin) if sign > 0 else evidence.p_above(-margin)
    if ruled_out < LEVEL:
        return Decision("not_reproduced", "margin_ruled_out", direction_only)
    return Decision("inconclusive", "undecided", direction_only)


def decide_not_better(evidence: Evidence, better: int, margin: float, p: float) -> Decision:
    """Decide "fails to improve"; ``better`` is the sign of an improvement, ``p`` the corrected one for it."""
    ruled_out = evidence.p_below(margin) if better > 0 else evidence.p_above(-margin)
    if ruled_out < LEVEL:
        return Decision("reproduced", "improvement_ruled_out")
    if p < LEVEL and _reaches(evidence, better, margin):
        return Decision("not_reproduced", "improvement_found")
    return Decision("inconclusive", "undecided")


def decide_within(evidence: Evidence, low: float, high: float) -> Decision:
    """Decide "equal", "ratio" and "value": equivalent, wholly outside, or neither."""
    if evidence.p_between(low, high) < LEVEL:
        return Decision("reproduced", "equivalent")
    if min(evidence.p_above(high), evidence.p_below(low)) < LEVEL / 2:
        return Decision("not_reproduced", "outside_margin")
    return Decision("inconclusive", "undecided")


def decide_onset(successes: int, count: int) -> Decision:
    """Decide an onset from how many seeds of ``count`` showed it within one epoch."""
    if count < LEAST_SEEDS_FOR_ONSET:
        return Decision("inconclusive", "too_few_seeds")
    if stats.binomtest(successes, count, 0.5, alternative="greater").pvalue < LEVEL:
        return Decision("reproduced", "onset_shown")
    if stats.binomtest(successes, count, 0.5, alternative="less").pvalue < LEVEL:
        return Decision("not_reproduced", "onset_ruled_out")
    return Decision("inconclusive", "undecided")


def decide_exact(relation: str, subject: float, reference: float) -> Decision:
    """Decide a relation of counts; "quarter" means a ratio near 1/4, as ratios are near elsewhere."""
    holds = {
        "equal": subject == reference,
        "less": subject < reference,
        "greater": subject > reference,
        "quarter": reference > 0 and 1 / RATIO_SLACK <= 4 * subject / reference <= RATIO_SLACK,
    }[relation]
    return Decision("reproduced", "holds") if holds else Decision("not_reproduced", "does_not_hold")


def _reaches(evidence: Evidence, sign: int, margin: float) -> bool:
    """Whether the mean reaches the margin on one side.

    Where the median stands in for it and is no number (a run never reached the level), the signs tell.
    """
    if evidence.center is not None:
        return sign * evidence.center >= margin - SAME
    return (evidence.p_above(margin) if sign > 0 else evidence.p_below(-margin)) < 0.5
