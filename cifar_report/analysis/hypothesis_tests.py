"""Hypothesis tests for one comparison: paired t, sign test, McNemar's test; Welch and sign flips beside them."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod

import numpy as np
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar

from cifar_report.analysis.results.verdicts import Procedure
from cifar_report.analysis.statistics import SAME, Bounds, all_equal, one_sided_bound
from cifar_report.analysis.values import LEVEL, Array

RESAMPLES = 4_000  # of the bootstrap over images
MOST_EXACT_FLIPS, RANDOM_FLIPS = 13, 9_999  # values whose 2ⁿ patterns of signs are all looked at; patterns beyond


class HypothesisTest(ABC):
    """What one comparison says about its true difference; every relation is decided through these answers.

    ``center`` is the estimate, None where it is beyond every number (runs that never reached a level).
    A ``side`` is +1 for "above" and -1 for "below".
    """

    procedure: Procedure
    center: float | None

    @abstractmethod
    def p_value(self, bound: float, side: int) -> float:
        """Return the one-sided p-value for a difference on this side of ``bound``."""

    def p_between(self, low: float, high: float) -> float:
        """Return the p-value for a difference between the two (TOST: two one-sided tests)."""
        return max(self.p_value(low, 1), self.p_value(high, -1))

    def bound(self, side: int) -> float | None:  # noqa: ARG002 - a sign test has none
        """Return the one-sided 95 % bound, upper for +1; None where the test has none."""
        return None


class PairedT(HypothesisTest):
    """t test of differences by seed or by timing block, float [n >= 2]; equal ones are decided exactly."""

    def __init__(self, values: Array) -> None:
        self.values = values
        self.procedure = "all_equal" if all_equal(values) else "paired_t"
        self.center = float(np.mean(values))

    def p_value(self, bound: float, side: int) -> float:
        """Return the p-value of scipy's ``ttest_rel`` for pairs with these differences."""
        distance = side * (float(np.mean(self.values)) - bound)
        if self.procedure == "all_equal":
            return 0.0 if distance > SAME else 1.0
        # scipy's distribution function of t itself: the calibration asks a million times, and what ttest_rel does
        # around it takes a hundred times as long.
        error = np.std(self.values, ddof=1) / np.sqrt(len(self.values))
        return float(special.stdtr(len(self.values) - 1, -distance / error))

    def bound(self, side: int) -> float | None:
        """Return the one-sided bound of the mean."""
        return one_sided_bound(self.values, side)


class SignFlip(PairedT):
    """The same differences judged by sign flips, exact up to 13 values; equal values decide by their side."""

    def p_value(self, bound: float, side: int) -> float:
        """Return the p-value of scipy's ``permutation_test``."""
        if self.procedure == "all_equal":
            return super().p_value(bound, side)
        values = side * (self.values - bound)
        if len(values) <= MOST_EXACT_FLIPS:
            test = stats.permutation_test(
                (values,), np.mean, permutation_type="samples", alternative="greater", n_resamples=np.inf
            )
            return float(test.pvalue)
        signs = np.random.default_rng(0).integers(0, 2, (RANDOM_FLIPS, len(values)), np.int8) * 2.0 - 1.0
        reached = int(np.sum(signs @ values >= np.sum(values) - SAME * len(values)))
        return (reached + 1) / (RANDOM_FLIPS + 1)


class Welch(PairedT):
    """The two groups of seeds as independent samples, as if seeds paired nothing."""

    def __init__(self, values: Array, subject: Array, comparator: Array) -> None:
        super().__init__(values)
        self.subject, self.comparator = subject, comparator

    def p_value(self, bound: float, side: int) -> float:
        """Return the p-value of scipy's ``ttest_ind``; where neither group has any spread the means decide."""
        if all_equal(self.subject) and all_equal(self.comparator):
            return super().p_value(bound, side)
        alternative = "greater" if side > 0 else "less"
        with warnings.catch_warnings():  # one group may be a single run that stands for every seed
            warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
            test = stats.ttest_ind(self.subject, self.comparator + bound, equal_var=False, alternative=alternative)
        return float(test.pvalue)


class SignTest(HypothesisTest):
    """Sign test of differences in epochs where runs did not reach the level, float [n] with infinities.

    The median difference is its ``center``. NaN stands for a seed in which neither side reached the level: it says
    nothing and is left out.
    """

    procedure = "sign_test"

    def __init__(self, values: Array) -> None:
        self.values = values
        known = np.sort(values[~np.isnan(values)])
        # The two middle values one by one: the mean of opposite infinities would be NaN.
        middle = [known[(len(known) - 1) // 2], known[len(known) // 2]] if len(known) else [np.inf]
        self.center = float(np.mean(middle)) if np.all(np.isfinite(middle)) else None

    def p_value(self, bound: float, side: int) -> float:
        """Return the p-value of the sign test; ties are dropped, and comparisons with NaN are False."""
        wins, losses = np.sum(side * self.values > side * bound), np.sum(side * self.values < side * bound)
        return _binomial_p_value(int(wins), int(losses))


def _binomial_p_value(wins: int, losses: int) -> float:
    return float(stats.binomtest(wins, wins + losses, alternative="greater").pvalue) if wins + losses else 1.0


class McNemar(HypothesisTest):
    """Two classifiers on the same images: on how many only the one and only the other was right."""

    procedure = "mcnemar"

    def __init__(self, only_subject: int, only_comparator: int, total: int) -> None:
        self.only_subject, self.only_comparator, self.total = only_subject, only_comparator, total
        self.center = (only_subject - only_comparator) / total

    @classmethod
    def of(cls, subject: Array, comparator: Array) -> McNemar:
        """Count bool [N] of each: where it is right."""
        return cls(int(np.sum(subject & ~comparator)), int(np.sum(comparator & ~subject)), len(subject))

    def p_value(self, bound: float, side: int) -> float:
        """Return the exact p-value at zero, the bootstrap's share beyond any other bound."""
        if bound == 0:
            counts = (self.only_subject, self.only_comparator)
            return _binomial_p_value(*counts[::side])
        return float(np.mean(side * self._resampled() <= side * bound))

    def two_sided_p_value(self) -> float:
        """Return the exact two-sided p-value."""
        return float(mcnemar([[0, self.only_subject], [self.only_comparator, 0]], exact=True).pvalue)

    def _resampled(self) -> Array:
        """Return differences of resampled images: resampling images is drawing from three kinds."""
        counts = (self.only_subject, self.only_comparator, self.total - self.only_subject - self.only_comparator)
        drawn = np.random.default_rng(0).multinomial(self.total, np.array(counts) / self.total, RESAMPLES)
        return np.asarray((drawn[:, 0] - drawn[:, 1]) / self.total)

    def interval(self) -> Bounds:
        """Return the difference with the paired bootstrap's percentile interval."""
        low, high = np.quantile(self._resampled(), [LEVEL / 2, 1 - LEVEL / 2])
        return Bounds((self.only_subject - self.only_comparator) / self.total, float(low), float(high))

    def bound(self, side: int) -> float:
        """Return the bootstrap's one-sided bound."""
        return float(np.quantile(self._resampled(), 1 - LEVEL if side > 0 else LEVEL))
