"""What a test could have found: detectable differences, and the seeds that the method's own rule would need."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from functools import cache
from itertools import product

import numpy as np
from scipy import optimize, special, stats

from cifar_report.analysis.decisions import DIRECTIONS, limits_of, margin_of, side_of
from cifar_report.analysis.hypothesis_tests import TTest
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.values import LEVEL, Array
from cifar_report.spec import Claim

POWER = 0.80
MOST_SEEDS = 60  # that are looked for
COUNTS = (*range(2, 13), 14, 16, 18, 20, 24, 28, 32, 36, 40, 45, 50, 55, MOST_SEEDS)
DRAWS = 400  # of each setting
QUARTILES = (0.25, 0.75)  # of what the spread may be


@cache
def detectable_effect(freedom: float, level: float) -> float:
    """Return the difference, in standard errors, that a one-sided t test at ``level`` finds with 80 % power."""
    critical = float(stats.t.isf(level, freedom))
    return float(optimize.brentq(lambda effect: stats.nct.sf(critical, freedom, effect) - POWER, 0, 50 + 9 * critical))


@cache
def welch_power(effect: float, count: int) -> float:
    """Return the power of Welch's one-sided test of two samples, the effect in their standard deviation; simulated."""
    drawn = np.random.default_rng(7).standard_normal((2, 100_000, count))
    found = stats.ttest_ind(drawn[0] + effect, drawn[1], axis=1, equal_var=False, alternative="greater")
    return float(np.mean(found.pvalue < LEVEL))


def seeds_needed(claim: Claim, sample: Sample, level: float) -> tuple[int | None, int | None]:
    """Return the fewest and the most seeds a side that decide the claim in 80 % of simulated bundles.

    The method's rule is simulated at the corrected ``level``, for effects within one standard error of the observed
    one and spreads within the quartiles of what so few seeds say of them; None is more than MOST_SEEDS. Whole epochs
    are drawn as normal values and tested by t, which their exact test is near to at so many runs.
    """
    values, others = sample.sides()
    found = TTest(values, others)
    shifts = (found.center - found.error, found.center, found.center + found.error)
    degrees = sample.count - 1
    scales = [math.sqrt(degrees / stats.chi2.ppf(share, degrees)) for share in QUARTILES]
    spreads = [float(np.std(each, ddof=1)) for each in (values, others) if each is not None]
    counts = [count for count in COUNTS if count > sample.count]
    settings = product(shifts, scales)
    needed = [_least(claim, shift, [scale * each for each in spreads], level, counts) for shift, scale in settings]
    known = [each for each in needed if each is not None]
    return min(known, default=None), max(known) if len(known) == len(needed) else None


def _least(claim: Claim, shift: float, spreads: Sequence[float], level: float, counts: Sequence[int]) -> int | None:
    place = bisect_left(counts, POWER, key=lambda count: float(np.mean(_decided(claim, shift, spreads, level, count))))
    return counts[place] if place < len(counts) else None


def _decided(claim: Claim, shift: float, spreads: Sequence[float], level: float, count: int) -> Array:
    """Return bool [draws]: whether the rule decides samples of ``count`` values with this difference."""
    parts = [spread**2 * _moments(count, place)[1] / count for place, spread in enumerate(spreads)]
    means = [spread * _moments(count, place)[0] for place, spread in enumerate(spreads)]
    center = shift + means[0] - (means[1] if len(means) > 1 else 0.0)
    error = np.sqrt(sum(parts)) + 1e-12
    freedom = error**4 / sum(part**2 / (count - 1) + 1e-60 for part in parts)

    def p(bound: float, side: int) -> Array:
        return np.asarray(special.stdtr(freedom, -side * (center - bound) / error))

    if claim.relation in DIRECTIONS:
        side, margin = side_of(claim), margin_of(claim)
        return ((p(0.0, side) < level) & (side * center >= margin)) | (p(side * margin, -side) < LEVEL)
    low, high = limits_of(claim)
    near = (p(low, 1) < LEVEL) & (p(high, -1) < LEVEL)
    return near | (p(high, 1) < LEVEL / 2) | (p(low, -1) < LEVEL / 2)


@cache
def _moments(count: int, place: int) -> tuple[Array, Array]:
    """Return means and variances of drawn samples of standard normal values, float [draws] each."""
    drawn = np.random.default_rng((count, place)).standard_normal((DRAWS, count))
    return drawn.mean(axis=1), drawn.var(axis=1, ddof=1)
