"""Confidence intervals over seeds and Holm's correction, by scipy."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from cifar_report.analysis.values import LEVEL, Array

SAME = 1e-9  # values nearer than this are equal: differences of shares carry rounding errors of 1e-17


class Bounds(NamedTuple):
    """A mean and its bounds; the bounds are None where one value alone gives none."""

    mean: float
    low: float | None
    high: float | None


def all_equal(values: Array) -> bool:
    """Whether there is no spread, so that a t test has nothing to work with."""
    return bool(np.ptp(values) <= SAME) if len(values) else True


def t_interval(values: Array, spread: float = 1.0) -> Bounds:
    """Return mean and two-sided 95 % t interval, mean ± t·s·√(spread / n), of float [n >= 1]."""
    mean, count = float(np.mean(values)), len(values)
    if count < 2:
        return Bounds(mean, None, None)
    if all_equal(values):
        return Bounds(mean, mean, mean)
    error = np.std(values, ddof=1) * np.sqrt(spread / count)
    low, high = stats.t.interval(1 - LEVEL, count - 1, loc=mean, scale=error)
    return Bounds(mean, float(low), float(high))


def exponential(bounds: Bounds) -> Bounds:
    """Transform bounds of logarithms back, so that a mean becomes a geometric mean."""
    low, high = (None if edge is None else math.exp(edge) for edge in bounds[1:])
    return Bounds(math.exp(bounds.mean), low, high)


def prediction_interval(values: Array) -> Bounds:
    """Return the mean and the 95 % interval of one more value, mean ± t·s·√(1 + 1/n)."""
    return t_interval(values, spread=len(values) + 1)


def holm(p_values: Sequence[float] | Array, size: int) -> Array:
    """Return Holm's corrected p-values for a family of ``size`` claims, of which only some gave a p-value.

    Claims without one count as 1, so that the correction is that of the registry, whatever was run.
    """
    padded = np.array([*p_values, *[1.0] * (size - len(p_values))])
    # Not statsmodels' multipletests, which these lines repeat: each of its calls collects the process's garbage for
    # a thirtieth of a second or more, and the sensitivity of a report asks a thousand times.
    order = np.argsort(padded)
    corrected = np.empty(len(padded))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(padded[order] * np.arange(len(padded), 0, -1)))
    return corrected[: len(p_values)]


def wilson_interval(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % Wilson interval of a share of images."""
    interval = stats.binomtest(successes, count).proportion_ci(method="wilson")
    return float(interval.low), float(interval.high)


def exact_interval(successes: int, count: int, coverage: float = 1 - LEVEL) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) two-sided interval of a share of seeds."""
    interval = stats.binomtest(successes, count).proportion_ci(coverage, method="exact")
    return float(interval.low), float(interval.high)
