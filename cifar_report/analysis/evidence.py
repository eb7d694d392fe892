"""What the data hold about one difference: over seeds by t, over seeds by signs, over images by McNemar."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from scipy import stats

from cifar_report.analysis.results import Procedure
from cifar_report.analysis.statistics import (
    Bounds,
    Moments,
    all_equal,
    one_sided_bound,
    t_interval,
    t_p_value,
)
from cifar_report.analysis.values import LEVEL

Array = np.ndarray[Any, Any]

RESAMPLES = 4_000  # of the bootstrap over images


class Evidence(Protocol):
    """One-sided answers about a difference; every relation is decided through these."""

    @property
    def procedure(self) -> Procedure:
        """Return the test's name."""

    @property
    def count(self) -> int:
        """Return how many seeds, blocks or images speak."""

    @property
    def center(self) -> float | None:
        """Return the estimate; None where it is beyond every number (runs that never reached a level)."""

    def p_above(self, bound: float) -> float:
        """Return the p-value for a difference above ``bound``."""

    def p_below(self, bound: float) -> float:
        """Return the p-value for a difference below ``bound``."""

    def p_between(self, low: float, high: float) -> float:
        """Return the p-value for a difference between the two (two one-sided tests)."""

    def interval(self) -> Bounds | None:
        """Return the estimate with its two-sided 95 % interval; None where there is none."""

    def bound(self, side: int) -> float | None:
        """Return the one-sided 95 % bound: upper for +1, lower for -1."""

    def without(self, place: int) -> Evidence:
        """Return the same without one seed."""


@dataclass(frozen=True)
class Paired:
    """Differences by seed or by timing block, float [n], judged by t tests; equal ones are decided exactly."""

    values: Array

    @property
    def procedure(self) -> Procedure:
        """Return the test's name."""
        return "all_equal" if all_equal(self.values) else "paired_t"

    @property
    def count(self) -> int:
        """Return how many seeds or blocks there are."""
        return len(self.values)

    @property
    def center(self) -> float | None:
        """Return the mean."""
        return float(np.mean(self.values))

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of the paired t test."""
        return self._p(bound, 1)

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value to the other side."""
        return self._p(bound, -1)

    def _p(self, bound: float, side: int) -> float:
        return t_p_value(self._moments, bound, side)

    @cached_property
    def _moments(self) -> Moments:
        return Moments.of(self.values)

    def p_between(self, low: float, high: float) -> float:
        """Return the p-value of two one-sided t tests (statsmodels' ``ttost_paired``)."""
        return max(self.p_above(low), self.p_below(high))

    def interval(self) -> Bounds:
        """Return mean and t interval."""
        return t_interval(self.values)

    def bound(self, side: int) -> float | None:
        """Return the one-sided 95 % bound of the mean."""
        return one_sided_bound(self.values, side)

    def without(self, place: int) -> Paired:
        """Return the same without one seed."""
        return Paired(np.delete(self.values, place))


@dataclass(frozen=True)
class Signs:
    """Differences in epochs where runs did not reach the level, float [n] with infinities, judged by signs.

    NaN stands for a seed in which neither side reached it: it says nothing and is left out of the tests.
    """

    values: Array

    procedure: Procedure = "sign_test"

    @property
    def count(self) -> int:
        """Return how many seeds there are, with those that say nothing."""
        return len(self.values)

    @cached_property
    def _known(self) -> Array:
        return self.values[~np.isnan(self.values)]

    @property
    def center(self) -> float | None:
        """Return the median difference."""
        if not len(self._known):
            return None
        ordered = np.sort(self._known)  # the mean of the two middle values would be NaN for opposite infinities
        low, high = ordered[(len(ordered) - 1) // 2], ordered[len(ordered) // 2]
        return float(low + high) / 2 if np.isfinite(low) and np.isfinite(high) else None

    def p_above(self, bound: float) -> float:
        """Return the one-sided p-value of the sign test; ties are dropped."""
        return self._p(int(np.sum(self._known > bound)), int(np.sum(self._known < bound)))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value to the other side."""
        return self._p(int(np.sum(self._known < bound)), int(np.sum(self._known > bound)))

    @staticmethod
    def _p(wins: int, losses: int) -> float:
        if wins + losses == 0:
            return 1.0
        return float(stats.binomtest(wins, wins + losses, 0.5, alternative="greater").pvalue)

    def p_between(self, low: float, high: float) -> float:
        """Return the larger p-value of the two sign tests."""
        return max(self.p_above(low), self.p_below(high))

    def interval(self) -> Bounds | None:
        """Return none: the signs say nothing about how far."""
        return None

    def bound(self, side: int) -> float | None:  # noqa: ARG002 - the signature of every evidence
        """Return none: the sign test alone decides."""
        return None

    def without(self, place: int) -> Signs:
        """Return the same without one seed."""
        return replace(self, values=np.delete(self.values, place))


@dataclass(frozen=True)
class Images:
    """Two classifiers on the same images: on how many only the one and only the other was right."""

    only_subject: int
    only_comparator: int
    total: int

    procedure: Procedure = "mcnemar"

    @property
    def count(self) -> int:
        """Return how many images there are."""
        return self.total

    @property
    def center(self) -> float | None:
        """Return the difference of the two accuracies."""
        return (self.only_subject - self.only_comparator) / self.total

    @cached_property
    def _resampled(self) -> Array:
        """Return sorted differences of resampled images: resampling images is drawing from three kinds."""
        counts = (self.only_subject, self.only_comparator, self.total - self.only_subject - self.only_comparator)
        drawn = np.random.default_rng(0).multinomial(self.total, np.array(counts) / self.total, RESAMPLES)
        return np.sort((drawn[:, 0] - drawn[:, 1]) / self.total)

    def p_above(self, bound: float) -> float:
        """Return exact McNemar's one-sided p-value at nought, the bootstrap's share beyond other bounds."""
        if bound == 0:
            return Signs._p(self.only_subject, self.only_comparator)
        return float(np.mean(self._resampled <= bound))

    def p_below(self, bound: float) -> float:
        """Return the one-sided p-value to the other side."""
        if bound == 0:
            return Signs._p(self.only_comparator, self.only_subject)
        return float(np.mean(self._resampled >= bound))

    def p_between(self, low: float, high: float) -> float:
        """Return the larger p-value of the two one-sided tests."""
        return max(self.p_above(low), self.p_below(high))

    def interval(self) -> Bounds:
        """Return the difference with the paired bootstrap's percentile interval."""
        low, high = np.quantile(self._resampled, [LEVEL / 2, 1 - LEVEL / 2])
        return Bounds((self.only_subject - self.only_comparator) / self.total, float(low), float(high))

    def bound(self, side: int) -> float | None:
        """Return the bootstrap's one-sided 95 % bound."""
        return float(np.quantile(self._resampled, 1 - LEVEL if side > 0 else LEVEL))

    def without(self, place: int) -> Images:  # noqa: ARG002 - the signature of every evidence
        """Return itself: there is no seed to leave out."""
        return self
