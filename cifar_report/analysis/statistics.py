"""Intervals, corrections and power over seeds; scipy and statsmodels compute, this says what is asked of them."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from scipy import optimize, special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower

from cifar_report.analysis.values import LEVEL

Array = np.ndarray[Any, Any]

POWER = 0.80
SAME = 1e-9  # values nearer than this are equal: differences of shares carry rounding errors of 1e-17
MOST_EXACT_FLIPS, RANDOM_FLIPS = 13, 9_999  # values whose 2ⁿ patterns of signs are all looked at; patterns beyond
MOST_SEEDS = 10_000  # that are looked for when asking how many would be needed


class Bounds(NamedTuple):
    """A mean and its bounds; the bounds are None where one value alone gives none."""

    mean: float
    low: float | None
    high: float | None


def all_equal(values: Array) -> bool:
    """Whether there is no spread, so that a t test has nothing to work with."""
    return bool(np.ptp(values) <= SAME) if len(values) else True


class Moments(NamedTuple):
    """What a t test needs of values, so that many tests of the same ones look at them once."""

    size: int
    mean: float
    deviation: float | None  # None where all values are equal

    @classmethod
    def of(cls, values: Array) -> Moments:
        """Return the moments of float [n >= 1]."""
        deviation = None if all_equal(values) else float(np.std(values, ddof=1))
        return cls(len(values), float(np.mean(values)), deviation)


def t_p_value(moments: Moments, bound: float, side: int) -> float:
    """Return the one-sided p-value that the mean is above (``side`` +1) or below (-1) ``bound``, of n >= 2 values.

    Equal values are decided exactly. The value is that of scipy's ``ttest_rel`` for pairs with these differences,
    and two of them make statsmodels' ``ttost_paired`` (tests hold them beside each other); asked a thousand times a
    report, scipy's own bookkeeping around its distribution function would take most of the time.
    """
    distance = side * (moments.mean - bound)
    if moments.deviation is None:
        return 0.0 if distance > SAME else 1.0
    error = moments.deviation / np.sqrt(moments.size)
    return float(special.stdtr(moments.size - 1, -distance / error))


def mcnemar_p(only_one: int, only_other: int) -> float:
    """Return the two-sided p-value of McNemar's exact test."""
    return float(mcnemar([[0, only_one], [only_other, 0]], exact=True).pvalue)


def t_interval(values: Array, spread: float = 1.0) -> Bounds:
    """Return mean and two-sided 95 % t interval, mean ± t·s·√(spread / n), of float [n]; n must be at least 1."""
    mean = float(np.mean(values))
    count = len(values)
    if count < 2:
        return Bounds(mean, None, None)
    if all_equal(values):
        return Bounds(mean, mean, mean)
    half = _quantile(count - 1, LEVEL / 2) * float(np.std(values, ddof=1) * np.sqrt(spread / count))
    return Bounds(mean, mean - half, mean + half)


@cache
def _quantile(freedom: int, tail: float) -> float:
    return float(stats.t.ppf(1 - tail, freedom))


def prediction_interval(values: Array) -> Bounds:
    """Return the mean and the 95 % interval of one more value, mean ± t·s·√(1 + 1/n)."""
    return t_interval(values, spread=len(values) + 1)


def one_sided_bound(values: Array, side: int) -> float | None:
    """Return the one-sided 95 % bound of the mean: the upper one for ``side`` +1, the lower one for -1."""
    if len(values) < 2:
        return None
    mean = float(np.mean(values))
    if all_equal(values):
        return mean
    half = _quantile(len(values) - 1, LEVEL) * np.std(values, ddof=1) / np.sqrt(len(values))
    return mean + side * float(half)


def holm(p_values: Mapping[str, float], size: int) -> dict[str, float]:
    """Return Holm's corrected p-values for a family of ``size`` claims, of which only some gave a p-value.

    Claims without one count as 1, so that the correction is that of the registry, whatever was run.
    """
    if not p_values:
        return {}
    padded = [*p_values.values(), *[1.0] * (size - len(p_values))]
    # statsmodels collects the process's garbage in every call, a tenth of a second each, and the sensitivity asks
    # hundreds of times; what is frozen is not looked at.
    gc.freeze()
    try:
        corrected = multipletests(padded, method="holm")[1]
    finally:
        gc.unfreeze()
    return {name: float(value) for name, value in zip(p_values, corrected, strict=False)}


def sign_flip_p(values: Array) -> float:
    """Return the p-value of the sign-flip test that the mean is above nought; exact up to 13 values.

    Beyond, 9,999 drawn patterns of signs are compared with the one observed, which counts among them; one product
    of matrices does what takes scipy's general test, which keeps every permuted sample, ten times as long.
    """
    if len(values) <= MOST_EXACT_FLIPS:
        return _exact_sign_flip_p(values)
    signs = np.random.default_rng(0).integers(0, 2, (RANDOM_FLIPS, len(values)), np.int8) * 2.0 - 1.0
    observed = float(np.sum(values))
    reached = int(np.sum(signs @ values >= observed - SAME * len(values)))
    return (reached + 1) / (RANDOM_FLIPS + 1)


def _exact_sign_flip_p(values: Array) -> float:
    result = stats.permutation_test(
        (values,),
        lambda sample, axis: np.mean(sample, axis=axis),
        permutation_type="samples",
        vectorized=True,
        alternative="greater",
        n_resamples=np.inf,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share of images."""
    interval = stats.binomtest(successes, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def exact_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) 95 % interval of a share of seeds."""
    interval = stats.binomtest(successes, count).proportion_ci(method="exact")
    return float(interval.low), float(interval.high)


@cache
def detectable_effect(count: int, two_sided: bool) -> float | None:
    """Return the effect, in standard deviations of the differences, that ``count`` seeds find with 80 % power.

    Uncorrected for other claims; None below two seeds.
    """
    if count < 2:
        return None
    return float(optimize.brentq(lambda effect: _power(effect, count, two_sided) - POWER, 1e-3, 200.0, xtol=1e-4))


def seeds_for_effect(effect: float, two_sided: bool) -> int | None:
    """Return the least number of seeds that finds an effect of this size; None above MOST_SEEDS."""
    if _power(effect, MOST_SEEDS, two_sided) < POWER:
        return None
    low, high = 1, MOST_SEEDS
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _power(effect, middle, two_sided) >= POWER else (middle, high)
    return high


def power_of(effect: float, count: int) -> float:
    """Return the power of a one-sided paired t test for an effect in standard deviations of the differences."""
    return _power(effect, count, two_sided=False)


def _power(effect: float, count: int, two_sided: bool) -> float:
    """Return the power of a paired t test (statsmodels' TTestPower).

    Where its two-sided sum overflows the far tail is nought, so the near one at half the level is all of it;
    where that overflows too, the effect is so far that no sample misses it.
    """
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        power = float("nan")
        if two_sided:
            power = float(TTestPower().power(effect, count, LEVEL, alternative="two-sided"))
        if np.isnan(power):
            level = LEVEL / 2 if two_sided else LEVEL
            power = float(TTestPower().power(effect, count, level, alternative="larger"))
    return 1.0 if np.isnan(power) else power
