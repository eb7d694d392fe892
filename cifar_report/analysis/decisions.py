"""The method's table: from a test, a margin and p-values corrected within families to an outcome with its reason."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from scipy import stats

from cifar_report.analysis.hypothesis_tests import SAME, HypothesisTest, holm
from cifar_report.analysis.results.verdicts import LEVEL, Lacking, Outcome, Reason
from cifar_report.spec import STATEMENTS, Claim, Quantity

DIRECTIONS = ("greater", "less", "not_better")
HIGHER_IS_BETTER: frozenset[Quantity] = frozenset({"accuracy", "validation_accuracy", "throughput"})
RATIO_SLACK = 1.25  # a ratio is near r between r / 1.25 and 1.25 r
LEAST_SEEDS_FOR_ONSET = 5  # below, even unanimous seeds are no more than a coin's


class Decision(NamedTuple):
    """An outcome with its reason, the tag that the direction alone is shown, and what an undecided claim lacks."""

    outcome: Outcome
    reason: Reason
    direction_only: bool = False
    lacking: Lacking | None = None


class PValues(NamedTuple):
    """The p-value of the tested side and that of the other side (None where there is none)."""

    tested: float
    opposite: float | None


def side_of(claim: Claim) -> int:
    """Return the sign of the side that is tested: the claimed one, or an improvement's for "not better"."""
    if claim.relation == "not_better":
        return 1 if claim.quantity in HIGHER_IS_BETTER else -1
    return -1 if claim.relation == "less" else 1


def margin_of(claim: Claim, factor: float = 1.0) -> float:
    """Return the margin on the scale of the test, ``factor`` times the registry's."""
    margin = (claim.margin or 0.0) * factor
    return math.log1p(margin) if claim.timed else margin


def limits_of(claim: Claim, factor: float = 1.0) -> tuple[float, float]:
    """Return the limits of "equal", "ratio" and "value" on the scale of the test."""
    if claim.relation == "ratio":
        slack, stated = 1 + (RATIO_SLACK - 1) * factor, claim.value or 1.0
        # One that claims an increase or a decrease must be one, so its band ends at 1.
        low, high = math.log(stated / slack), math.log(stated * slack)
        return (max(low, 0.0) if stated > 1 else low), (min(high, 0.0) if stated < 1 else high)
    if claim.relation == "value":
        center = claim.value or 0.0
        relative = claim.quantity == "loss" or claim.timed
        half = (claim.margin or 0.0) * factor * (abs(center) if relative else 1.0)
        return center - half, center + half
    margin = margin_of(claim, factor)
    return -margin, margin


def p_values(claim: Claim, test: HypothesisTest, factor: float = 1.0) -> PValues:
    """Return the uncorrected p-values of a claim; ``factor`` scales the margin."""
    # The other side's is two-sided, because it is looked at only when the claimed side failed. No verdict hangs on it,
    # because a difference that is surely there is surely below the margin; it only picks the reason.
    if claim.relation in DIRECTIONS:
        side = side_of(claim)
        return PValues(test.p_value(0.0, side), min(1.0, 2 * test.p_value(0.0, -side)))
    return PValues(test.p_between(*limits_of(claim, factor)), None)


class Families:
    """All families' uncorrected p-values and the registry's sizes; corrects one claim's p-values in its family."""

    def __init__(self, claims: Sequence[Claim], found: Mapping[str, PValues]) -> None:
        """``found`` maps the ids of the claims that could be tested to their p-values."""
        self._families: dict[tuple[str, str] | None, list[str]] = {}
        for claim in claims:
            self._families.setdefault(family_key(claim), []).append(claim.id)
        self.found = found

    def size(self, claim: Claim) -> int | None:
        """Return the registry's count of the claim's family; None where it stands alone."""
        key = family_key(claim)
        return None if key is None else len(self._families.get(key, ()))

    def corrected(self, claim: Claim, p: PValues) -> PValues:
        """Return Holm's p-values of the claim if its own ones were ``p``, everything else as it is."""
        size = self.size(claim)
        if size is None:
            return p
        names = self._families.get(family_key(claim), ())
        others = [self.found[name] for name in names if name in self.found and name != claim.id]
        both = [holm(side, size)[0] for side in zip(p, *others, strict=True)]
        return PValues(float(both[0]), float(both[1]))

    def level(self, claim: Claim) -> float:
        """Return the largest uncorrected p-value that the correction lets pass, everything else as it is."""
        size = self.size(claim) or 1
        levels = [LEVEL / count for count in range(1, size + 1)]
        passing = (each for each in levels if self.corrected(claim, PValues(each * 0.999, 1.0)).tested < LEVEL)
        return next(passing, levels[-1])


def family_key(claim: Claim) -> tuple[str, str] | None:
    """Return which claims with a direction are corrected together: those of a family, those of others by their code."""
    if claim.family is None or claim.relation not in DIRECTIONS:
        return None
    return claim.family, "" if claim.code in STATEMENTS else claim.code


def decide(claim: Claim, test: HypothesisTest, families: Families, factor: float = 1.0) -> Decision:
    """Return the decision of a claim that is tested; ``factor`` scales the margin (sensitivity)."""
    alone = p_values(claim, test, factor)
    if claim.relation not in DIRECTIONS:
        return _decide_within(test, limits_of(claim, factor), alone.tested)
    side, margin = side_of(claim), margin_of(claim, factor)
    decidable = test.least_p < LEVEL / (families.size(claim) or 1)
    p = families.corrected(claim, alone) if decidable else PValues(1.0, 1.0)  # too few runs show no direction
    found = _decide_not_better if claim.relation == "not_better" else _decide_direction
    decision = found(test, side, margin, p)
    if decision.outcome != "inconclusive":
        return decision
    if not decidable:
        return Decision("inconclusive", "not_decidable", lacking="power")
    lacking: Lacking = "margin" if p.tested < LEVEL else "correction" if alone.tested < LEVEL else "power"
    return decision._replace(lacking=lacking)


def _decide_direction(test: HypothesisTest, side: int, margin: float, p: PValues) -> Decision:
    """Decide "greater" (``side`` +1) or "less" (-1); both strong statements ask for a mean that reaches the margin."""
    direction_only = p.tested < LEVEL
    if direction_only and side * test.deciding(0.0, side).center >= margin - SAME:
        return Decision("reproduced", "beyond_margin")
    if (p.opposite or 0.0) < LEVEL and -side * test.deciding(0.0, -side).center >= margin - SAME:
        return Decision("not_reproduced", "opposite")
    if test.p_value(side * margin, -side) < LEVEL:
        return Decision("not_reproduced", "margin_ruled_out", direction_only)
    return Decision("inconclusive", "undecided", direction_only)


def _decide_not_better(test: HypothesisTest, better: int, margin: float, p: PValues) -> Decision:
    """Decide "fails to improve"; ``better`` is the sign of an improvement, ``p`` the corrected one for it."""
    if test.p_value(better * margin, -better) < LEVEL:
        return Decision("reproduced", "improvement_ruled_out")
    if p.tested < LEVEL and better * test.deciding(0.0, better).center >= margin - SAME:
        return Decision("not_reproduced", "improvement_found")
    return Decision("inconclusive", "undecided")


def _decide_within(test: HypothesisTest, limits: tuple[float, float], p: float) -> Decision:
    """Decide "equal", "ratio" and "value": equivalent, wholly outside, or neither."""
    if p < LEVEL:
        return Decision("reproduced", "equivalent")
    low, high = limits
    if min(test.p_value(high, 1), test.p_value(low, -1)) < LEVEL / 2:
        return Decision("not_reproduced", "outside_margin")
    return Decision("inconclusive", "undecided", lacking="power")


def decide_onset(successes: int, count: int, share: float = 1.0) -> Decision:
    """Decide an onset from how many seeds of ``count`` showed it within one epoch, at a ``share`` of the level."""
    if count < LEAST_SEEDS_FOR_ONSET:
        return Decision("inconclusive", "too_few_seeds", lacking="power")
    if stats.binomtest(successes, count, alternative="greater").pvalue < LEVEL * share:
        return Decision("reproduced", "onset_shown")
    if stats.binomtest(successes, count, alternative="less").pvalue < LEVEL * share:
        return Decision("not_reproduced", "onset_ruled_out")
    return Decision("inconclusive", "undecided", lacking="power")


def decide_exact(relation: str, subject: float, reference: float) -> Decision:
    """Decide a relation of counts; "quarter" means a ratio near 1/4, as ratios are near elsewhere."""
    holds = {
        "equal": subject == reference,
        "less": subject < reference,
        "greater": subject > reference,
        "quarter": reference > 0 and 1 / RATIO_SLACK <= 4 * subject / reference <= RATIO_SLACK,
    }[relation]
    return Decision("reproduced", "holds") if holds else Decision("not_reproduced", "does_not_hold")
