"""Other tests of the same differences, for the sensitivity of a verdict: sign flips and Welch."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

from scipy import stats

from cifar_report.analysis.evidence import Array, Paired
from cifar_report.analysis.statistics import all_equal, sign_flip_p


@dataclass(frozen=True)
class Flipped(Paired):
    """The same differences, judged by exact sign flips instead of t; interval and bounds stay those of t."""

    def _p(self, bound: float, side: int) -> float:
        if all_equal(self.values):
            return super()._p(bound, side)
        return sign_flip_p(side * (self.values - bound))


@dataclass(frozen=True)
class Unpaired(Paired):
    """The two groups of seeds as independent samples (Welch), as if seeds paired nothing."""

    subject: Array
    comparator: Array

    def _p(self, bound: float, side: int) -> float:
        if all_equal(self.subject) and all_equal(self.comparator):
            return super()._p(bound, side)
        shifted, alternative = self.comparator + bound, "greater" if side > 0 else "less"
        with warnings.catch_warnings():  # one group may be a single run that stands for every seed
            warnings.filterwarnings("ignore", "Precision loss occurred", RuntimeWarning)
            result = stats.ttest_ind(self.subject, shifted, equal_var=False, alternative=alternative)
        return float(result.pvalue)
