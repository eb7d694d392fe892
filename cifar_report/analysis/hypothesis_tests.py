"""Tests of one comparison (t, Welch's, exact ones of whole epochs, McNemar's), intervals, and Holm's correction."""

import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from scipy import special, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.robust_compare import TrimmedMean

from cifar_report.analysis.results.verdicts import LEVEL, Procedure
from cifar_report.bundle.arrays import Array

SAME = 1e-9  # values nearer than this are equal: differences of shares carry rounding errors of 1e-17
RESAMPLES = 4_000  # of the bootstrap over images
TRIM = 0.2  # of each end, for trimmed means
LEAST_WELCH = 4  # runs of each side from which Welch's degrees of freedom hold


class Bounds(NamedTuple):
    """A mean and its bounds, None where one value alone gives none."""

    mean: float
    low: float | None
    high: float | None

    def exponential(self) -> "Bounds":
        """Transform bounds of logarithms back, so that a mean becomes a geometric mean."""
        low, high = (None if edge is None else math.exp(edge) for edge in self[1:])
        return Bounds(math.exp(self.mean), low, high)


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
    low, high = stats.t.interval(1 - LEVEL, count - 1, mean, np.std(values, ddof=1) * np.sqrt(spread / count))
    return Bounds(mean, float(low), float(high))


def holm(p_values: Sequence[float] | Array, size: int) -> Array:
    """Return Holm's corrected p-values for a family of ``size`` claims; those that gave none count as 1."""
    padded = np.array([*p_values, *[1.0] * (size - len(p_values))])
    # Not statsmodels' multipletests, which these lines repeat: each of its calls collects the process's garbage for
    # a thirtieth of a second or more, and the sensitivity of a report asks a thousand times.
    order = np.argsort(padded)
    corrected = np.empty(len(padded))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(padded[order] * np.arange(len(padded), 0, -1)))
    return corrected[: len(p_values)]


def exact_interval(successes: int, count: int, coverage: float = 1 - LEVEL) -> tuple[float, float]:
    """Return the exact (Clopper-Pearson) two-sided interval of a share of seeds."""
    interval = stats.binomtest(successes, count).proportion_ci(coverage, method="exact")
    return float(interval.low), float(interval.high)


class HypothesisTest(ABC):
    """What one comparison says about its true difference; a ``side`` is +1 for "above" and -1 for "below"."""

    procedure: Procedure
    center: float  # the estimate
    least_p: float = 0.0  # that so few runs can give

    @abstractmethod
    def p_value(self, bound: float, side: int) -> float:
        """Return the one-sided p-value for a difference on this side of ``bound``."""

    @abstractmethod
    def edge(self, side: int, level: float = LEVEL) -> float:
        """Return the one-sided bound, upper for +1, that errs in ``level``; infinite where the test gives none."""

    def interval(self, coverage: float = 1 - LEVEL) -> Bounds:
        """Return the estimate with its two-sided interval; a bound is None where the test gives none."""
        low, high = (self.edge(side, (1 - coverage) / 2) for side in (-1, 1))
        return Bounds(self.center, *(each if math.isfinite(each) else None for each in (low, high)))

    def p_between(self, low: float, high: float) -> float:
        """Return the p-value for a difference between the two (TOST: two one-sided tests)."""
        return max(self.p_value(low, 1), self.p_value(high, -1))

    def deciding(self, bound: float, side: int) -> "HypothesisTest":  # noqa: ARG002 - of several looks
        """Return the test that gave this p-value: under planned looks one of several."""
        return self


def _student(values: Array, others: Array | None) -> tuple[Array, Array, Array]:
    """Return estimate, standard error and degrees of freedom of t, of one sample or Welch's; float [..., n] each."""
    # What ttest_ind(equal_var=False) computes; the calibration asks a million times.
    sides = [each for each in (values, others) if each is not None]
    parts = [each.var(axis=-1, ddof=1) / each.shape[-1] for each in sides]
    center, total = values.mean(axis=-1) - (0.0 if others is None else others.mean(axis=-1)), sum(parts)
    squares = sum(part**2 / (each.shape[-1] - 1) for part, each in zip(parts, sides, strict=True))
    freedom = np.divide(total**2, squares, out=np.ones_like(total), where=squares > 0)
    return center, np.sqrt(total), bounded_freedom(freedom, min(each.shape[-1] for each in sides))


def bounded_freedom(freedom: Array, fewest: int) -> Array:
    """Return Welch's degrees of freedom, of two or three runs on a side no more than theirs alone."""
    # Where the one side spreads far more than the other, so few runs would otherwise err too often.
    return np.minimum(freedom, fewest - 1) if fewest < LEAST_WELCH else freedom


class TTest(HypothesisTest):
    """Student's t of one sample (differences by seed or block) or Welch's of two; of trimmed means with ``trim``.

    Takes float [n >= 2] each. Values without any spread are decided exactly.
    """

    def __init__(self, values: Array, others: Array | None = None, trim: float = 0.0) -> None:
        if others is not None and trim:
            with warnings.catch_warnings():  # one side may have no spread within its trimmed ends
                warnings.simplefilter("ignore", RuntimeWarning)
                found = stats.ttest_ind(values, others, equal_var=False, trim=trim)  # Yuen 1974
                low, high = found.confidence_interval(0.5)
            self.freedom = float(found.df)
            self.center = float(stats.trim_mean(values, trim) - stats.trim_mean(others, trim))
            self.error = float(high - low) / 2 / float(stats.t.ppf(0.75, self.freedom))
        elif trim:
            sample = TrimmedMean(values, trim)
            self.center, self.error = float(sample.mean_trimmed), float(sample.std_mean_trimmed)
            self.freedom = float(sample.nobs_reduced) - 1
        else:
            self.center, self.error, self.freedom = map(float, _student(values, others))
        self._settle(others is None, all_equal(values) and (others is None or all_equal(others)))

    @classmethod
    def of_draws(cls, values: Array, others: Array | None = None) -> Iterator["TTest"]:
        """Yield the test of each row of float [draws, n] each."""
        still = np.all([np.ptp(each, axis=1) <= SAME for each in (values, others) if each is not None], axis=0)
        for *parts, flat in zip(*(each.tolist() for each in (*_student(values, others), still)), strict=True):
            test = cls.__new__(cls)
            test.center, test.error, test.freedom = parts
            test._settle(others is None, flat)
            yield test

    def _settle(self, paired: bool, still: bool) -> None:
        self.procedure = "paired_t" if paired else "welch"
        if still or not self.error > 0:  # which NaN is not either
            self.procedure, self.error = "all_equal", 0.0

    def p_value(self, bound: float, side: int) -> float:
        """Return the p-value of t; without spread the side decides."""
        distance = side * (self.center - bound)
        if not self.error:
            return 0.0 if distance > SAME else 1.0
        return float(special.stdtr(self.freedom, -distance / self.error))

    def edge(self, side: int, level: float = LEVEL) -> float:
        """Return center ± t·SE."""
        return self.center + side * float(special.stdtrit(self.freedom, 1 - level)) * self.error


@lru_cache(maxsize=100_000)
def _share_of_divisions(values: tuple[int, ...], others: tuple[int, ...]) -> float:
    """Return the share of all divisions into groups of these sizes whose first one has at least the observed sum."""
    pooled = np.array((*values, *others))
    pooled -= pooled.min()  # every division has as many runs on this side, so a shift changes none
    pooled //= max(1, int(np.gcd.reduce(pooled)))
    sums, end = np.zeros((len(values) + 1, int(pooled.sum()) + 1)), 1
    sums[0, 0] = 1
    for taken, value in enumerate(np.sort(pooled).tolist(), 1):  # so far no sum lies beyond ``end``
        most, end = min(taken, len(values)), end + value
        sums[1 : most + 1, value:end] += sums[:most, : end - value].copy()
    counts = sums[len(values)]
    return float(counts[int(pooled[: len(values)].sum()) :].sum() / counts.sum())


@lru_cache(maxsize=100_000)
def _share_of_signs(values: tuple[int, ...]) -> float:
    """Return the share of the 2ⁿ patterns of signs whose sum is at least the observed one."""
    sizes, positive = np.abs(values), sum(value for value in values if value > 0)
    sums = np.zeros(int(sizes.sum()) + 1)
    sums[0] = 1
    for size in sizes:  # how many patterns have this sum of their positive ones
        sums = sums + np.concatenate((np.zeros(size), sums[: len(sums) - size]))
    return float(sums[positive:].sum() / sums.sum())


def least_p_of_epochs(count: int, others: int | None) -> float:
    """Return the least p-value of the exact test of so many whole epochs, of one sample or of two."""
    return 2.0**-count if others is None else 1 / math.comb(count + others, count)


class EpochTest(HypothesisTest):
    """Exact permutation test of a difference of means of whole epochs; of one sample by sign flips.

    All divisions of the runs (all patterns of signs) are counted, because drawing some breaks down at few runs.
    """

    def __init__(self, values: Array, others: Array | None = None) -> None:
        self.values, self.others = values, others
        self.center = float(np.mean(values) - (0.0 if others is None else np.mean(others)))
        self.procedure = "sign_flips" if others is None else "permutation"
        self.least_p = least_p_of_epochs(len(values), None if others is None else len(others))

    def p_value(self, bound: float, side: int) -> float:
        """Return the share of all divisions whose difference is at least the observed one; halves are whole twice."""
        values = np.rint(2 * side * (self.values - bound)).astype(int)
        if self.others is None:
            return _share_of_signs(tuple(sorted(values.tolist())))
        others = np.rint(2 * side * self.others).astype(int)
        return _share_of_divisions(tuple(sorted(values.tolist())), tuple(sorted(others.tolist())))

    def edge(self, side: int, level: float = LEVEL) -> float:
        """Return the last half epoch that the test does not reject, which may be none."""
        if self.least_p > level:
            return side * math.inf
        bound, others = math.floor(2 * self.center) / 2, self.others if self.others is not None else np.zeros(1)
        reach = abs(bound) + np.ptp(self.values) + np.ptp(others) + 1
        while self.p_value(bound + side * 0.5, -side) >= level:
            bound += side * 0.5
            if abs(bound) > reach + abs(self.center):
                return side * math.inf
        return float(bound)


class LooksTest(HypothesisTest):
    """One comparison at several planned looks, each at its share of the level: p is the least p / share.

    This holds whatever the dependence between looks, and whatever decided which of them were taken.
    """

    def __init__(self, tests: Sequence[HypothesisTest], shares: Sequence[float]) -> None:
        self._looks = tuple(zip(tests, shares, strict=True))
        self.procedure, self.center = tests[-1].procedure, tests[-1].center
        self.least_p = min(test.least_p / share for test, share in self._looks)

    def p_value(self, bound: float, side: int) -> float:
        """Return the least of the looks' p-values, each divided by its share."""
        return min(1.0, *(test.p_value(bound, side) / share for test, share in self._looks))

    def p_between(self, low: float, high: float) -> float:
        """Return the least of the looks' p-values of equivalence, each divided by its share."""
        return min(1.0, *(test.p_between(low, high) / share for test, share in self._looks))

    def edge(self, side: int, level: float = LEVEL) -> float:
        """Return the last look's bound at its share of the level."""
        test, share = self._looks[-1]
        return test.edge(side, level * share)

    def deciding(self, bound: float, side: int) -> HypothesisTest:
        """Return the look that gave this p-value."""
        return min(self._looks, key=lambda look: look[0].p_value(bound, side) / look[1])[0]


@lru_cache(maxsize=1_000)
def _resampled(only_subject: int, only_comparator: int, total: int) -> Array:
    """Return differences of resampled images: resampling images is drawing from three kinds."""
    shares = np.array((only_subject, only_comparator, total - only_subject - only_comparator)) / total
    drawn = np.random.default_rng(0).multinomial(total, shares, RESAMPLES)
    return np.asarray((drawn[:, 0] - drawn[:, 1]) / total)


class McNemar(HypothesisTest):
    """Two classifiers on the same images: on how many only the one and only the other was right."""

    procedure = "mcnemar"

    def __init__(self, only_subject: int, only_comparator: int, total: int) -> None:
        self.only_subject, self.only_comparator, self.total = only_subject, only_comparator, total
        self.center = (only_subject - only_comparator) / total

    @classmethod
    def of(cls, subject: Array, comparator: Array) -> "McNemar":
        """Count bool [N] of each: where it is right."""
        return cls(int(np.sum(subject & ~comparator)), int(np.sum(comparator & ~subject)), len(subject))

    def p_value(self, bound: float, side: int) -> float:
        """Return the exact p-value at zero, the bootstrap's share beyond any other bound."""
        if bound:
            drawn = _resampled(self.only_subject, self.only_comparator, self.total)
            return float(np.mean(side * drawn <= side * bound))
        wins, losses = (self.only_subject, self.only_comparator)[::side]
        return float(stats.binomtest(wins, wins + losses, alternative="greater").pvalue) if wins + losses else 1.0

    def two_sided_p_value(self) -> float:
        """Return the exact two-sided p-value."""
        return float(mcnemar([[0, self.only_subject], [self.only_comparator, 0]], exact=True).pvalue)

    def edge(self, side: int, level: float = LEVEL) -> float:
        """Return the bootstrap's one-sided bound."""
        drawn = _resampled(self.only_subject, self.only_comparator, self.total)
        return float(np.quantile(drawn, 1 - level if side > 0 else level))
