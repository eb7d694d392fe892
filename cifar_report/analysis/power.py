"""What a test could have found: detectable differences, and the seeds that the method's own rule would need."""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import product
from typing import Any

import numpy as np
from scipy import optimize, special, stats

from cifar_report.analysis.decisions import DIRECTIONS, decide_onset, limits_of, margin_of, side_of
from cifar_report.analysis.hypothesis_tests import EpochTest, TTest, bounded_freedom, least_p_of_epochs
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.analysis.samples import Sample, onset_hits
from cifar_report.bundle.arrays import Array
from cifar_report.spec import Claim
from cifar_report.spec.experiments import SeedPlan

POWER = 0.80
LEAST_POWER = 0.20  # of an open claim at the last planned look, below which nothing more is trained for it
MOST_SEEDS = 60  # that are looked for
COUNTS = (*range(2, 13), 14, 16, 18, 20, 24, 28, 32, 36, 40, 45, 50, 55, MOST_SEEDS)
DRAWS, DRAWS_OF_EPOCHS, DRAWS_OF_MORE_EPOCHS = 400, 30, 100  # of each setting; exact tests take longer

Moments = tuple[Array | float, Array | float, int]
"""Means and variances of drawn samples, and how many values each has."""


@cache
def detectable_effect(freedom: float, level: float) -> float:
    """Return the difference, in standard errors, that a one-sided t test at ``level`` finds with 80 % power."""
    critical = float(stats.t.isf(level, freedom))
    return float(optimize.brentq(lambda effect: stats.nct.sf(critical, freedom, effect) - POWER, 0, 50 + 9 * critical))


def seeds_needed(claim: Claim, sample: Sample, level: float) -> tuple[int | None, int | None]:
    """Return the fewest and the most seeds a side that decide the claim in 80 % of simulations; None: MOST_SEEDS."""
    # The method's rule is simulated at the corrected ``level``, for effects within a standard error of the observed one
    # and spreads within the quartiles of what so few seeds say of them. Whole epochs are drawn and tested exactly.
    values, others = sample.sides()
    found = TTest(values, others)
    counts = [count for count in COUNTS if count > sample.count]
    if sample.whole:
        moved = [values + step for step in (-max(1, round(found.error)), 0, max(1, round(found.error)))]
        return _fewest_and_most([partial(_power_of_epochs, claim, each, others, level) for each in moved], counts)
    shifts = (found.center - found.error, found.center, found.center + found.error)
    degrees = sample.count - 1
    scales = [math.sqrt(degrees / stats.chi2.ppf(share, degrees)) for share in (0.25, 0.75)]  # of the spread
    spreads = [float(np.std(each, ddof=1)) for each in (values, others) if each is not None]
    settings = [(shift, [scale * each for each in spreads]) for shift, scale in product(shifts, scales)]
    return _fewest_and_most([partial(power, claim, *setting, level) for setting in settings], counts)


def _fewest_and_most(powers: Sequence[Callable[[int], float]], counts: Sequence[int]) -> tuple[int | None, int | None]:
    places = [bisect_left(counts, POWER, key=power_of) for power_of in powers]
    known = [counts[place] for place in places if place < len(counts)]
    return min(known, default=None), max(known) if len(known) == len(powers) else None


def _power_of_epochs(claim: Claim, values: Array, others: Array | None, level: float, count: int) -> float:
    """Return how often the rule decides ``count`` epochs drawn from each side's; fewer draws where it is far off."""
    generator, hits, drawn = np.random.default_rng(count), 0, 0
    sides = [values] if others is None else [values, others]
    while drawn < DRAWS_OF_EPOCHS and abs(hits - POWER * drawn) <= 2.5 * math.sqrt(POWER * (1 - POWER) * drawn):
        test = EpochTest(*(generator.choice(side, count) for side in sides))
        hits, drawn = hits + bool(_decides(claim, test.p_value, test.center, level)), drawn + 1
    return hits / drawn


def power(claim: Claim, shift: float, spreads: Sequence[float], level: float, count: int) -> float:
    """Return how often the rule decides drawn samples of ``count`` values that lie ``shift`` apart."""
    drawn = [_moments(count, place) for place in range(len(spreads))]
    sides = [(spread * mean, spread**2 * var, count) for spread, (mean, var) in zip(spreads, drawn, strict=True)]
    sides[0] = (sides[0][0] + shift, *sides[0][1:])
    return float(np.mean(rule_decides(claim, sides, level)))


def rule_decides(
    claim: Claim, sides: Sequence[Moments], level: float, share: float = 1.0, least_p: float = 0.0
) -> Array:
    """Return bool [draws]: whether the rule decides samples with these means and variances at ``level``."""
    # That of a direction is corrected; everything else is decided at ``share`` of the whole level.
    parts = [variance / count for _, variance, count in sides]
    center = sides[0][0] - (sides[1][0] if len(sides) > 1 else 0.0)
    error = np.sqrt(sum(parts)) + 1e-12
    freedom = error**4 / sum(part**2 / (side[2] - 1) + 1e-60 for part, side in zip(parts, sides, strict=True))
    freedom = bounded_freedom(freedom, min(side[2] for side in sides))

    def p(bound: float, side: int) -> Array:
        return np.asarray(np.maximum(special.stdtr(freedom, -side * (center - bound) / error), least_p))

    return np.asarray(_decides(claim, p, center, level, share))


def _decides(claim: Claim, p: Callable[[float, int], Any], center: Any, level: float, share: float = 1.0) -> Any:
    """Return whether the rule decides, of numbers or arrays; ``p`` gives the p-value beyond a bound on one side."""
    alone = LEVEL * share
    if claim.relation in DIRECTIONS:
        side, margin = side_of(claim), margin_of(claim)
        return ((p(0.0, side) < level) & (side * center >= margin)) | (p(side * margin, -side) < alone)
    low, high = limits_of(claim)
    near = (p(low, 1) < alone) & (p(high, -1) < alone)
    return near | (p(high, 1) < alone / 2) | (p(low, -1) < alone / 2)


def power_of_more(
    claim: Claim, sample: Sample, ends: Sequence[int], level: float, share: float = 1.0, *, kept: bool
) -> float:
    """Return the probability that the rule decides a claim with so many seeds of each side, simulated."""
    # ``kept``: the seeds so far are among them and the rest is drawn around their mean (conditional power); else all
    # are new, and mean and spread are drawn anew as well, as far as the seeds so far leave them open.
    known = [side for side in sample.sides() if side is not None]
    if claim.relation == "onset":
        return _onset_power(sum(onset_hits(claim, sample)), sample.count, ends[0], share, kept=kept)
    if sample.whole and kept:
        return _power_of_more_epochs(claim, known, ends, level, share)
    sides: list[Moments] = []
    for place, (values, end) in enumerate(zip(known, ends, strict=False)):
        count = len(values)
        mean: Array | float = float(np.mean(values))
        variance: Array | float = float(np.var(values, ddof=1))
        more = end - count if kept else end
        if more < 1:
            sides.append((np.full(DRAWS, mean), np.full(DRAWS, variance), count))
            continue
        if not kept:
            generator = np.random.default_rng((count, place, 1))
            truth = variance * (count - 1) / generator.chisquare(count - 1, DRAWS)
            mean = mean + np.sqrt(truth / count) * generator.standard_normal(DRAWS)
            variance = truth
        drawn, varied = _moments(more, place)
        new = (mean + np.sqrt(variance) * drawn, variance * varied, more)
        sides.append(_pooled((mean, variance, count), new) if kept else new)
    least_p = 0.0
    if sample.whole:  # taken by t as well, down to the least p of their exact test: a plan asks thousands of times
        least_p = least_p_of_epochs(ends[0], ends[1] if len(known) > 1 else None)
    return float(np.mean(rule_decides(claim, sides, level, share, least_p)))


def _power_of_more_epochs(
    claim: Claim, known: Sequence[Array], ends: Sequence[int], level: float, share: float
) -> float:
    """Return how often the exact test decides the epochs so far with further ones drawn from them."""
    generator, decided = np.random.default_rng(tuple(ends)), 0
    for _ in range(DRAWS_OF_MORE_EPOCHS):
        drawn = (generator.choice(values, max(0, end - len(values))) for values, end in zip(known, ends, strict=False))
        test = EpochTest(*map(np.append, known, drawn))
        decided += bool(_decides(claim, test.p_value, test.center, level, share))
    return decided / DRAWS_OF_MORE_EPOCHS


def power_at_last(claim: Claim, sample: Sample, plan: SeedPlan, level: float) -> float:
    """Return the conditional power of an open claim at the last planned look; ``level`` is its corrected one."""
    ends = [plan.seeds[trial][-1] if trial in plan.seeds else sample.count for trial in claim.trials]
    ends, share = [min(ends)] * 2 if sample.paired else ends, plan.shares[-1]
    return power_of_more(claim, sample, ends, level * share, share, kept=True)


def _pooled(one: Moments, other: Moments) -> Moments:
    (first, n), (second, m) = (one[0], one[2]), (other[0], other[2])
    squares = (n - 1) * one[1] + (m - 1) * other[1] + n * m / (n + m) * (first - second) ** 2
    return (n * first + m * second) / (n + m), squares / (n + m - 1), n + m


def _onset_power(hits: int, count: int, end: int, share: float, *, kept: bool) -> float:
    more, before = (max(0, end - count), hits) if kept else (end, 0)
    chances = stats.betabinom.pmf(np.arange(more + 1), more, hits + 0.5, count - hits + 0.5)
    found = [decide_onset(before + new, max(end, count) if kept else end, share) for new in range(more + 1)]
    return float(sum(chances[[decision.outcome != "inconclusive" for decision in found]]))


@cache
def _moments(count: int, place: int) -> tuple[Array, Array]:
    """Return means and variances of drawn samples of standard normal values, float [draws] each."""
    drawn = np.random.default_rng((count, place)).standard_normal((DRAWS, count))
    return drawn.mean(axis=1), drawn.var(axis=1, ddof=min(1, count - 1))
