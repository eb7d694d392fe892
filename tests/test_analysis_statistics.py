import warnings

import numpy as np
import pytest
from analysis_cases import array
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from cifar_report.analysis.alternatives import Flipped, Unpaired
from cifar_report.analysis.evidence import Images, Paired, Signs
from cifar_report.analysis.statistics import (
    detectable_effect,
    holm,
    mcnemar_p,
    one_sided_bound,
    prediction_interval,
    seeds_for_effect,
    t_interval,
)

SUBJECT = array(0.62, 0.61, 0.64, 0.60, 0.63)
COMPARATOR = array(0.60, 0.60, 0.61, 0.60, 0.60)
DIFFERENCES = SUBJECT - COMPARATOR


def test_paired_t_agrees_with_scipy() -> None:
    """The one-sided p-values are those of a direct call of ttest_rel, on both sides."""
    paired = Paired(DIFFERENCES)
    assert paired.p_above(0) == pytest.approx(stats.ttest_rel(SUBJECT, COMPARATOR, alternative="greater").pvalue)
    assert paired.p_below(0) == pytest.approx(stats.ttest_rel(SUBJECT, COMPARATOR, alternative="less").pvalue)


def test_equivalence_agrees_with_statsmodels() -> None:
    """The two one-sided tests give the p-value of a direct call of ttost_paired."""
    expected = ttost_paired(SUBJECT, COMPARATOR, -0.03, 0.03)[0]
    assert Paired(DIFFERENCES).p_between(-0.03, 0.03) == pytest.approx(expected)


def test_intervals_by_hand() -> None:
    """Of 1, 2, 3 the mean is 2, s is 1, t(.975, 2) is 4.3027: the intervals follow by hand."""
    mean, low, high = t_interval(array(1, 2, 3))
    assert (mean, low, high) == pytest.approx((2, 2 - 4.302653 / np.sqrt(3), 2 + 4.302653 / np.sqrt(3)), abs=1e-5)
    predicted = prediction_interval(array(1, 2, 3))
    assert predicted.high == pytest.approx(2 + 4.302653 * np.sqrt(4 / 3), abs=1e-5)
    assert one_sided_bound(array(1, 2, 3), 1) == pytest.approx(2 + 2.919986 / np.sqrt(3), abs=1e-5)


def test_one_value_has_no_interval() -> None:
    """One seed gives a mean and nothing else."""
    assert t_interval(array(0.5)) == (0.5, None, None)
    assert one_sided_bound(array(0.5), 1) is None


@settings(max_examples=8, deadline=None)  # statsmodels collects the process's garbage in every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 8))
def test_holm_agrees_with_statsmodels(p_values: list[float], missing: int) -> None:
    """Holm's values are those of multipletests on the family padded with ones to the registry's count."""
    expected = multipletests(p_values + [1.0] * missing, method="holm")[1][: len(p_values)]
    found = holm({str(place): value for place, value in enumerate(p_values)}, len(p_values) + missing)
    assert list(found.values()) == pytest.approx(list(expected))


def test_holm_counts_claims_that_were_not_run() -> None:
    """One p-value of .02 in a family of five is .10, although the other four were not run."""
    assert holm({"a": 0.02}, 5) == {"a": pytest.approx(0.1)}


def test_equal_differences_are_decided_exactly() -> None:
    """Without spread no t test runs and no warning appears: the side of the bound decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same = Paired(array(0.61, 0.62, 0.63) - array(0.60, 0.61, 0.62))
        assert same.procedure == "all_equal"
        assert (same.p_above(0), same.p_below(0), same.p_between(-0.02, 0.02)) == (0.0, 1.0, 0.0)
        ties = Paired(np.zeros(4))
        assert (ties.p_above(0), ties.p_below(0), ties.p_between(-0.01, 0.01)) == (1.0, 1.0, 0.0)


def test_welch_agrees_with_scipy() -> None:
    """Welch's p-value is a direct call of ttest_ind with unequal variances."""
    expected = stats.ttest_ind(SUBJECT, COMPARATOR, equal_var=False, alternative="greater").pvalue
    assert Unpaired(DIFFERENCES, SUBJECT, COMPARATOR).p_above(0) == pytest.approx(expected)


def test_sign_flips_by_hand() -> None:
    """Of five positive differences only one of 32 sign patterns reaches the observed mean."""
    assert Flipped(array(1, 2, 3, 4, 5)).p_above(0) == pytest.approx(1 / 32)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6])
def test_many_sign_flips_agree_with_scipy(shift: float) -> None:
    """Beyond what can be counted, the drawn patterns give scipy's p-value but for the noise of 9,999 draws."""
    values = np.random.default_rng(3).standard_normal(20) + shift
    expected = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="greater", n_resamples=9_999, rng=1
    ).pvalue
    assert Flipped(values).p_above(0) == pytest.approx(expected, abs=5 * np.sqrt(2 * 0.25 / 9_999))
    assert Flipped(np.abs(values) + 1).p_above(0) == pytest.approx(1 / 10_000)


def test_signs_by_hand() -> None:
    """Five later and none earlier gives 1/32; ties and seeds in which neither got there say nothing."""
    assert Signs(array(1, 2, np.inf, 4, 5)).p_above(0) == pytest.approx(1 / 32)
    assert Signs(array(1, 0, np.nan, 4, np.inf)).p_above(0) == pytest.approx(1 / 8)
    assert Signs(array(np.nan, np.nan)).p_above(0) == 1.0


def test_median_of_signs() -> None:
    """The median stands for the mean, and is no number once half of the runs never got there."""
    assert Signs(array(1, 2, np.inf)).center == 2
    assert Signs(array(1, np.inf, np.inf)).center is None
    assert Signs(array(-np.inf, np.inf)).center is None
    assert Signs(array(np.nan)).center is None


def test_mcnemar_by_hand_and_by_statsmodels() -> None:
    """One against five of six disagreeing images is 2·7/64; no disagreement at all is 1."""
    assert mcnemar_p(1, 5) == pytest.approx(14 / 64)
    assert mcnemar_p(0, 0) == 1.0
    expected = mcnemar([[0, 30], [55, 0]], exact=True).pvalue
    assert mcnemar_p(30, 55) == pytest.approx(expected)
    assert Images(55, 30, 1000).p_above(0) == pytest.approx(stats.binomtest(55, 85, alternative="greater").pvalue)


def test_bootstrap_over_images_has_the_right_width() -> None:
    """The paired bootstrap's interval agrees with the normal one of a difference of paired shares."""
    images = Images(600, 400, 10_000)
    error = np.sqrt((0.06 + 0.04 - 0.02**2) / 10_000)
    bounds = images.interval()
    assert bounds.mean == pytest.approx(0.02)
    assert bounds.low == pytest.approx(0.02 - 1.96 * error, abs=4e-4)
    assert bounds.high == pytest.approx(0.02 + 1.96 * error, abs=4e-4)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("two_sided", [False, True])
def test_detectable_effect_has_its_power(count: int, two_sided: bool) -> None:
    """The effect that is called detectable is found in 80 % of drawn samples of that effect."""
    effect = detectable_effect(count, two_sided)
    assert effect is not None
    drawn = np.random.default_rng(1).normal(effect, 1, (20_000, count))
    found = stats.ttest_1samp(drawn, 0, axis=1, alternative="two-sided" if two_sided else "greater").pvalue < 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.015)


def test_seeds_needed_are_the_least() -> None:
    """The number of seeds for an effect has 80 % power and one seed fewer has not; tiny effects need too many."""
    needed = seeds_for_effect(0.5, False)
    assert needed is not None
    assert TTestPower().power(0.5, needed, 0.05, alternative="larger") >= 0.8
    assert TTestPower().power(0.5, needed - 1, 0.05, alternative="larger") < 0.8
    assert seeds_for_effect(0.0001, False) is None
    assert detectable_effect(1, False) is None
