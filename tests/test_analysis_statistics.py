"""Tests, intervals, corrections and metrics beside direct calls of the libraries, and by hand."""

import warnings
from itertools import combinations, product

import numpy as np
import pytest
from analysis_cases import array, claim, sample
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import log_loss
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.robust_compare import TrimmedMean
from statsmodels.stats.weightstats import ttost_ind, ttost_paired

from cifar_report.analysis.hypothesis_tests import EpochTest, McNemar, TTest, holm
from cifar_report.analysis.power import detectable_effect, seeds_needed
from cifar_report.analysis.predictions import brier, calibration_error, negative_log_likelihood, reliability

SUBJECT = array(0.62, 0.61, 0.64, 0.60, 0.63)
COMPARATOR = array(0.60, 0.60, 0.61, 0.60, 0.60)
DIFFERENCES = SUBJECT - COMPARATOR


@pytest.mark.parametrize(("side", "alternative"), [(1, "greater"), (-1, "less")])
@pytest.mark.parametrize("trim", [0.0, 0.2])
def test_p_values_are_those_of_direct_calls(side, alternative, trim):
    """Of random samples t is ttest_rel's, Welch's and Yuen's ttest_ind's, trimmed pairs TrimmedMean's."""
    for seed in range(25):
        random = np.random.default_rng(seed)
        first, second = random.normal(0.6, 0.01, 5 + seed % 4), random.normal(0.59, 0.02, 5 + seed % 3)
        expected = stats.ttest_ind(first, second, equal_var=False, trim=trim, alternative=alternative).pvalue
        assert TTest(first, second, trim).p_value(0, side) == pytest.approx(expected)
        pairs = first[:5] - second[:5]
        larger = TrimmedMean(pairs, trim).ttest_mean(0.0, alternative="larger" if side > 0 else "smaller")[1]
        assert TTest(pairs, trim=trim).p_value(0, side) == pytest.approx(larger)


def test_few_runs_have_the_degrees_of_freedom_of_one_side():
    """Three against three have two degrees of freedom however their spreads differ; from four on Welch's own hold."""
    few, many = (TTest(array(*range(count)), array(*(0.5 * each for each in range(count)))) for count in (3, 4))
    assert few.freedom == 2
    expected = stats.ttest_ind(np.arange(4.0), 0.5 * np.arange(4.0), equal_var=False)
    assert 3 < many.freedom == pytest.approx(expected.df)
    assert few.p_value(0, 1) == pytest.approx(stats.t.sf(few.center / few.error, 2))


def test_equivalence_agrees_with_statsmodels():
    """The two one-sided tests give the p-values of direct calls of ttost_paired and ttost_ind."""
    expected = ttost_paired(SUBJECT, COMPARATOR, -0.03, 0.03)[0]
    assert TTest(DIFFERENCES).p_between(-0.03, 0.03) == pytest.approx(expected)
    expected = ttost_ind(SUBJECT, COMPARATOR, -0.03, 0.03, usevar="unequal")[0]
    assert TTest(SUBJECT, COMPARATOR).p_between(-0.03, 0.03) == pytest.approx(expected)


@settings(max_examples=4)  # statsmodels collects the process's garbage in every call
@given(st.lists(st.floats(0, 1), min_size=1, max_size=12), st.integers(0, 8))
def test_holm_agrees_with_statsmodels(p_values, missing):
    """Holm's values are those of multipletests on the family, whose claims without a p-value count as 1."""
    expected = multipletests(p_values + [1.0] * missing, method="holm")[1][: len(p_values)]
    assert holm(p_values, len(p_values) + missing) == pytest.approx(expected)


def test_equal_differences_are_decided_exactly():
    """Without spread no t test runs and no warning appears: the side of the bound decides."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        same, ties = TTest(array(0.01, 0.01 + 1e-12, 0.01)), TTest(np.zeros(4), np.zeros(3))
        assert (same.procedure, TTest(DIFFERENCES).procedure) == ("all_equal", "paired_t")
        assert (same.p_value(0, 1), same.p_value(0, -1), same.p_between(-0.02, 0.02)) == (0.0, 1.0, 0.0)
        assert (ties.p_value(0, 1), ties.p_value(0, -1), ties.p_between(-0.01, 0.01)) == (1.0, 1.0, 0.0)


@pytest.mark.parametrize(("one", "other"), [(5, 5), (4, 6), (3, 2)])
def test_whole_epochs_are_counted_exactly(one, other):
    """The p-value of epochs is the share of all divisions of the runs, or of all signs of the pairs."""
    for seed in range(10):
        random = np.random.default_rng(seed)
        first, second = random.integers(5, 17, one).astype(float), random.integers(3, 15, other).astype(float)
        for bound in (0.0, 1.0, -0.5):
            moved = np.concatenate((first - bound, second))
            means = [np.mean(moved[[*chosen]]) for chosen in combinations(range(one + other), one)]
            share = np.mean(np.array(means) >= np.mean(first - bound) - 1e-9)
            assert EpochTest(first, second).p_value(bound, 1) == pytest.approx(share)
            signs = np.array([*product((1, -1), repeat=one)])
            share = np.mean(signs @ (first - 9 - bound) >= np.sum(first - 9 - bound))
            assert EpochTest(first - 9).p_value(bound, 1) == pytest.approx(share)


def test_epochs_of_few_runs_have_a_least_p_and_no_interval():
    """Five against five give no p below 1/252, five pairs none below 1/32, and then no two-sided 95 % interval."""
    first, second = array(9, 9, 9, 9, 9), array(1, 1, 1, 1, 1)
    assert EpochTest(first, second).p_value(0, 1) == EpochTest(first, second).least_p == 1 / 252
    assert EpochTest(first - second).p_value(0, 1) == 1 / 32
    assert EpochTest(first - second).interval() == (8, None, None)
    low, high = EpochTest(array(9, 12, 16, 7, 10), array(8, 6, 9, 9, 7)).interval()[1:]
    test = EpochTest(array(9, 12, 16, 7, 10), array(8, 6, 9, 9, 7))
    assert test.p_value(low - 0.5, 1) < 0.025 <= test.p_value(low, 1)
    assert test.p_value(high + 0.5, -1) < 0.025 <= test.p_value(high, -1)


def test_mcnemar_by_hand_and_by_statsmodels():
    """McNemar's p-values follow by hand and by statsmodels; the bootstrap's interval has the normal one's width."""
    assert McNemar(1, 5, 10).two_sided_p_value() == pytest.approx(14 / 64)
    assert McNemar(0, 0, 10).two_sided_p_value() == McNemar(0, 0, 10).p_value(0, 1) == 1.0
    test = McNemar(55, 30, 1000)
    assert test.two_sided_p_value() == pytest.approx(mcnemar([[0, 30], [55, 0]], exact=True).pvalue)
    assert test.p_value(0, 1) == pytest.approx(stats.binomtest(55, 85, alternative="greater").pvalue)
    half = 1.96 * np.sqrt((0.06 + 0.04 - 0.02**2) / 10_000)
    bounds = McNemar(600, 400, 10_000).interval()
    assert bounds == pytest.approx((0.02, 0.02 - half, 0.02 + half), abs=4e-4)


@pytest.mark.parametrize("freedom", [1, 2, 4, 9])
def test_detectable_effect_has_its_power(freedom):
    """The effect that is called detectable is found in 80 % of drawn samples of that effect, at a corrected level."""
    count = freedom + 1
    effect = detectable_effect(freedom, 0.01) / np.sqrt(count)
    drawn = np.random.default_rng(1).normal(effect, 1, (20_000, count))
    assert np.mean(stats.ttest_1samp(drawn, 0, axis=1, alternative="greater").pvalue < 0.01) == pytest.approx(
        0.8, abs=0.015
    )


def test_seeds_needed_follow_effect_and_spread():
    """A large effect needs few seeds, one at the margin more than 60, and the range holds the plain power's answer."""
    large, small = ([0.7, 0.71, 0.69, 0.72, 0.68], [0.6, 0.61, 0.59, 0.62, 0.58])
    least, most = seeds_needed(claim(), sample(large, small, paired=False), 0.05)
    assert least == most == 6
    at_margin = sample([value - 0.09 for value in large], small, paired=False)
    assert seeds_needed(claim(), at_margin, 0.05)[1] is None


def test_seeds_needed_of_whole_epochs_are_those_of_the_exact_test():
    """Between sides that never overlap few runs decide at the level that so few can reach; equal sides need many."""
    apart = sample([9, 10, 11, 10, 9], [2, 3, 3, 2, 4], paired=False, whole=True)
    one = claim(quantity="epochs_to_accuracy", margin=1.0)
    assert seeds_needed(one, apart, 0.01) == (6, 6)
    assert seeds_needed(one, apart, 1 / 924) == (7, 7)  # six against six reach no p below 1/924
    alike = sample([9, 10, 14, 6, 9], [8, 12, 9, 5, 10], paired=False, whole=True)
    assert seeds_needed(one, alike, 0.01)[1] is None


def test_scores_of_probabilities_follow_by_hand():
    """Scores of few images follow by hand, and the log likelihood is scikit-learn's but for infinity."""
    table = np.zeros((3, 10), np.float32)
    table[0, :2], table[1, 0], table[2, 1] = 0.5, 1, 1
    assert brier(np.zeros(3, np.uint8), table) == pytest.approx((0.5 + 0 + 2) / 3)
    assert calibration_error(reliability(array(0.8, 0.8), array(1, 0))) == pytest.approx(0.3)
    counts = reliability(array(1, 1, 0.8), array(1, 1, 1))[0]
    assert (counts[-1], counts.sum()) == (2, 3)
    generator = np.random.default_rng(3)
    labels, table = generator.integers(0, 10, 500), generator.dirichlet(np.full(10, 0.4), 500)
    assert negative_log_likelihood(table[np.arange(len(labels)), labels]) == pytest.approx(
        log_loss(labels, table, labels=range(10))
    )
    assert 10 < negative_log_likelihood(np.zeros(1, np.float32)) < 20
