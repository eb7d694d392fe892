"""Tests, intervals, corrections and metrics beside direct calls of the libraries, and by hand."""

import warnings

import numpy as np
import pytest
from analysis_cases import array
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import TTestPower
from statsmodels.stats.weightstats import ttost_paired

from cifar_report.analysis.hypothesis_tests import McNemar, PairedT, SignFlip, SignTest, Welch
from cifar_report.analysis.predictions import brier, calibration_error, negative_log_likelihood, reliability
from cifar_report.analysis.statistics import (
    detectable_effect,
    holm,
    one_sided_bound,
    prediction_interval,
    seeds_for_effect,
    t_interval,
)

SUBJECT = array(0.62, 0.61, 0.64, 0.60, 0.63)
COMPARATOR = array(0.60, 0.60, 0.61, 0.60, 0.60)
DIFFERENCES = SUBJECT - COMPARATOR


@pytest.mark.parametrize(("side", "alternative"), [(1, "greater"), (-1, "less")])
def test_p_values_are_those_of_direct_calls(side, alternative):
    """Paired t is ttest_rel, Welch's test is ttest_ind with unequal variances, on both sides."""
    paired = stats.ttest_rel(SUBJECT, COMPARATOR, alternative=alternative).pvalue
    assert PairedT(DIFFERENCES).p_value(0, side) == pytest.approx(paired)
    unpaired = stats.ttest_ind(SUBJECT, COMPARATOR, equal_var=False, alternative=alternative).pvalue
    assert Welch(DIFFERENCES, SUBJECT, COMPARATOR).p_value(0, side) == pytest.approx(unpaired)


def test_equivalence_agrees_with_statsmodels():
    """The two one-sided tests give the p-value of a direct call of ttost_paired."""
    expected = ttost_paired(SUBJECT, COMPARATOR, -0.03, 0.03)[0]
    assert PairedT(DIFFERENCES).p_between(-0.03, 0.03) == pytest.approx(expected)


def test_intervals_by_hand():
    """Of 1, 2, 3 the mean is 2, s is 1, t(.975, 2) is 4.3027: the intervals follow by hand; one value has none."""
    half = 4.302653 / np.sqrt(3)
    assert t_interval(array(1, 2, 3)) == pytest.approx((2, 2 - half, 2 + half), abs=1e-5)
    assert prediction_interval(array(1, 2, 3)).high == pytest.approx(2 + 4.302653 * np.sqrt(4 / 3), abs=1e-5)
    assert one_sided_bound(array(1, 2, 3), 1) == pytest.approx(2 + 2.919986 / np.sqrt(3), abs=1e-5)
    assert t_interval(array(0.5)) == (0.5, None, None)
    assert one_sided_bound(array(0.5), 1) is None


@settings(max_examples=8, deadline=None)  # statsmodels collects the process's garbage in every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 8))
def test_holm_agrees_with_statsmodels(p_values, missing):
    """Holm's values are those of multipletests on the family, whose claims without a p-value count as 1."""
    expected = multipletests(p_values + [1.0] * missing, method="holm")[1][: len(p_values)]
    assert holm(p_values, len(p_values) + missing) == pytest.approx(expected)


def test_equal_differences_are_decided_exactly():
    """Without spread no t test runs and no warning appears: the side of the bound decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same, ties = PairedT(array(0.01, 0.01 + 1e-12, 0.01)), PairedT(np.zeros(4))
        assert (same.procedure, PairedT(DIFFERENCES).procedure) == ("all_equal", "paired_t")
        assert (same.p_value(0, 1), same.p_value(0, -1), same.p_between(-0.02, 0.02)) == (0.0, 1.0, 0.0)
        assert (ties.p_value(0, 1), ties.p_value(0, -1), ties.p_between(-0.01, 0.01)) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize("shift", [0.0, 0.3, 0.6])
def test_sign_flips_by_hand_and_by_scipy(shift):
    """Of five positive differences one of 32 patterns reaches the mean; many values are scipy's but for the draws."""
    assert SignFlip(array(1, 2, 3, 4, 5)).p_value(0, 1) == pytest.approx(1 / 32)
    values = np.random.default_rng(3).standard_normal(20) + shift
    expected = stats.permutation_test(
        (values,), np.mean, permutation_type="samples", alternative="greater", n_resamples=9_999, rng=1
    ).pvalue
    assert SignFlip(values).p_value(0, 1) == pytest.approx(expected, abs=5 * np.sqrt(2 * 0.25 / 9_999))


def test_signs_by_hand():
    """Five later and none earlier gives 1/32; ties and seeds in which neither got there say nothing."""
    assert SignTest(array(1, 2, np.inf, 4, 5)).p_value(0, 1) == pytest.approx(1 / 32)
    assert SignTest(array(1, 0, np.nan, 4, np.inf)).p_value(0, 1) == pytest.approx(1 / 8)
    assert SignTest(array(np.nan, np.nan)).p_value(0, 1) == 1.0


@pytest.mark.parametrize(
    ("values", "median"),
    [((1, 2, np.inf), 2), ((1, np.inf, np.inf), None), ((-np.inf, np.inf), None), ((np.nan,), None)],
)
def test_median_of_signs(values, median):
    """The median stands for the mean, and is no number once half of the runs never got there."""
    assert SignTest(array(*values)).center == median


def test_mcnemar_by_hand_and_by_statsmodels():
    """One against five of six disagreeing images is 2·7/64; no disagreement at all is 1."""
    assert McNemar(1, 5, 10).two_sided_p_value() == pytest.approx(14 / 64)
    assert McNemar(0, 0, 10).two_sided_p_value() == McNemar(0, 0, 10).p_value(0, 1) == 1.0
    test = McNemar(55, 30, 1000)
    assert test.two_sided_p_value() == pytest.approx(mcnemar([[0, 30], [55, 0]], exact=True).pvalue)
    assert test.p_value(0, 1) == pytest.approx(stats.binomtest(55, 85, alternative="greater").pvalue)


def test_bootstrap_over_images_has_the_right_width():
    """The paired bootstrap's interval agrees with the normal one of a difference of paired shares."""
    half = 1.96 * np.sqrt((0.06 + 0.04 - 0.02**2) / 10_000)
    bounds = McNemar(600, 400, 10_000).interval()
    assert bounds == pytest.approx((0.02, 0.02 - half, 0.02 + half), abs=4e-4)


@pytest.mark.parametrize("count", [2, 3, 5, 10])
@pytest.mark.parametrize("two_sided", [False, True])
def test_detectable_effect_has_its_power(count, two_sided):
    """The effect that is called detectable is found in 80 % of drawn samples of that effect."""
    effect = detectable_effect(count, two_sided)
    drawn = np.random.default_rng(1).normal(effect, 1, (20_000, count))
    found = stats.ttest_1samp(drawn, 0, axis=1, alternative="two-sided" if two_sided else "greater").pvalue < 0.05
    assert np.mean(found) == pytest.approx(0.8, abs=0.015)


def test_seeds_needed_are_the_least():
    """The number of seeds for an effect has 80 % power and one seed fewer has not; tiny effects need too many."""
    needed = seeds_for_effect(0.5)
    power = TTestPower().power(0.5, np.array([needed - 1, needed]), 0.05, alternative="larger")
    assert power[0] < 0.8 <= power[1]
    assert seeds_for_effect(0.0001) is None
    assert detectable_effect(1, False) is None


def test_log_likelihood_agrees_with_scikit_learn():
    """The mean negative log likelihood is log_loss; a probability of zero for the label costs much, but no infinity."""
    generator = np.random.default_rng(3)
    labels, table = generator.integers(0, 10, 500), generator.dirichlet(np.full(10, 0.4), 500)
    assert negative_log_likelihood(labels, table) == pytest.approx(log_loss(labels, table, labels=range(10)))
    assert 10 < negative_log_likelihood(np.array([0]), np.eye(10, dtype=np.float32)[[1]]) < 20


def test_brier_by_hand():
    """Half on the label and half on another class: .25 + .25; certain and right: 0; certain and wrong: 2."""
    table = np.zeros((3, 10), np.float32)
    table[0, :2], table[1, 0], table[2, 1] = 0.5, 1, 1
    assert brier(np.zeros(3, np.uint8), table) == pytest.approx((0.5 + 0 + 2) / 3)


def test_calibration_by_hand():
    """Two images at .8, one right: confidence .8 against accuracy .5; certainty belongs to the last bin."""
    assert calibration_error(reliability(array(0.8, 0.8), array(1, 0))) == pytest.approx(0.3)
    counts = reliability(array(1, 1, 0.8), array(1, 1, 1))[0]
    assert (counts[-1], counts.sum()) == (2, 3)
