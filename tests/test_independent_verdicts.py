"""The second implementation of the verdicts, against the first and against numbers worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from independent_verdicts import judge, read_bundle
from scipy import stats
from suites import reference

from cifar_report.analysis import analyse
from cifar_report.report.i18n import Translation
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer

REFERENCE = Path(__file__).parents[1] / "report" / "reference"


@pytest.fixture(scope="module")
def bundle():
    return read_bundle(REFERENCE)


@pytest.fixture(scope="module")
def rows(bundle):
    return {row["claim"]: row for row in judge(bundle)}


def test_the_second_implementation_shares_no_code_with_the_first():
    """An error would have to be made twice."""
    source = Path(__file__).with_name("independent_verdicts.py").read_text()
    assert "cifar_report" not in source
    assert "conftest" not in source


def test_verdicts_worked_out_by_hand(rows):
    """Estimates and p-values follow by hand; counts, missing trials and other pixels are decided as files say."""
    row = rows["C11a"]  # two networks: not paired; four of the family's 21 p-values are smaller
    more, fewer = [0.6833, 0.686, 0.6909, 0.684, 0.6898], [0.6651, 0.6663, 0.6704, 0.6689, 0.6547]
    expected = stats.ttest_ind(more, fewer, equal_var=False, alternative="greater")
    assert (row["outcome"], row["test"], row["n"]) == ("reproduced", "Welch", "5+5")
    assert row["estimate"] == pytest.approx(np.mean(more) - np.mean(fewer))
    assert (row["p"], row["p_corrected"]) == pytest.approx((expected.pvalue, 17 * expected.pvalue))
    row = rows["C13b.augmented"]  # stages of one trial: paired by seed
    second, augmented = [0.7354, 0.765, 0.7683, 0.7753, 0.7659], [0.7131, 0.7679, 0.7602, 0.7685, 0.7594]
    expected = stats.ttest_rel(augmented, second, alternative="greater")
    assert (row["outcome"], row["test"], row["n"]) == ("not_reproduced", "paired", "5")
    assert (row["p"], row["low"]) == pytest.approx((expected.pvalue, expected.confidence_interval(0.95).low))
    row = rows["C15"]  # on the images: 3-NN 32.20 %, 1-NN 34.18 %
    assert (row["outcome"], row["test"], row["n"]) == ("not_reproduced", "images", "10000")
    assert row["estimate"] == pytest.approx(0.3220 - 0.3418)
    assert rows["C03a"]["estimate"] == 25898 / 116010
    assert rows["C04c.macs"]["estimate"] == 573760 - 504320
    assert rows["C13c"]["estimate"] == 611626
    assert {rows[name]["outcome"] for name in ("C03a", "C04c.macs", "C05c.as_written", "C13c")} == {"reproduced"}
    assert [rows[f"P1.model_2.{name}"]["outcome"] for name in ("accuracy", "throughput")] == ["inconclusive", "not_run"]
    absolute = ("C11b", "C13a.accuracy", "C13a.validation", "C13a.loss")
    assert {(rows[name]["outcome"], rows[name]["reason"]) for name in absolute} == {("not_testable", "other pixels")}
    assert rows["C11b"]["estimate"] == pytest.approx(np.mean([0.6833, 0.686, 0.6909, 0.684, 0.6898]))


def test_a_missing_seed_is_counted_against_the_claim(bundle):
    """Without the bad run of `filters_32` C09a reads reproduced, and says that the missing seed carries it."""
    kept = {seed: run for seed, run in bundle.runs["filters_32"].items() if seed != 1}
    bundle.runs = bundle.runs | {"filters_32": kept}
    row = next(row for row in judge(bundle) if row["claim"] == "C09a.one_change")
    assert (row["outcome"], row["n"]) == ("reproduced", "5+4")
    assert "missing seed" in row["fragile"]


@pytest.mark.long
def test_the_product_tells_of_the_missing_seed_that_carries_a_verdict():
    """Without the bad run of `filters_32` the product calls C09a fragile, too, and its sentence names seed 1."""
    whole, _ = reference()
    without = replace(whole, runs=tuple(run for run in whole.runs if run.id != "filters_32/seed-1"))
    results = analyse(without)
    verdict = results.verdict("C09a.one_change")
    assert (verdict.outcome, verdict.n, verdict.n_comparator) == ("reproduced", 5, 4)
    assert verdict.fragile
    assert "missing_seed" in {each.kind for each in verdict.sensitivity if each.changes}
    writer = Writer(without, results, Translation("en"), ())
    told = " ".join(each.striptags() for each in verdict_paragraph(writer, verdict))
    assert "of 32 filters has no finished run: 1." in told
    assert "with the missing seeds counted against the claim" in told


def few_seeds(count):
    """Return the results and the second implementation's rows of the reference bundle's first ``count`` seeds."""
    kept = read_bundle(REFERENCE)
    kept.runs = {
        trial: {seed: run for seed, run in runs.items() if seed is None or seed < count}
        for trial, runs in kept.runs.items()
    }
    whole, results = reference()
    runs = tuple(run for run in whole.runs if run.seed is None or run.seed < count)
    if runs != whole.runs:
        results = analyse(replace(whole, runs=runs))
    return results, {row["claim"]: row for row in judge(kept)}


@pytest.mark.parametrize("count", [*(pytest.param(count, marks=pytest.mark.long) for count in (2, 3)), 5])
def test_the_product_gives_every_verdict_again(count):
    """Both implementations agree on each outcome, p-value, corrected p-value, n and whether the verdict is fragile."""
    results, rows = few_seeds(count)
    assert {verdict.id for verdict in results.verdicts} == set(rows)
    assert len(rows) >= 79
    for verdict in results.verdicts:
        row, name = rows[verdict.id], verdict.id
        counts = [each for each in (verdict.n, verdict.n_comparator) if each is not None]
        assert verdict.outcome == row["outcome"], name
        assert bool(verdict.fragile) is (row["fragile"] != "no"), name
        if verdict.p is None:
            assert not row["p"], name
            continue
        corrected = verdict.p_corrected or verdict.p
        assert "+".join(map(str, counts)) == str(row["n"]), name
        assert (verdict.p.value, corrected.value) == pytest.approx((row["p"], row["p_corrected"]), rel=1e-5), name
