"""Verdicts on simulated bundles whose truth is known, whole, spoilt and thin.

Data that change places, go away or test nothing are read in the whole report: ``test_report_falsifiable``.
"""

import shutil

import numpy as np
import pytest
from analysis_cases import bundle, claim
from command import ROOT
from reports import few_experiments
from suites import few, simulated

from cifar_report.analysis import Results, analyse
from cifar_report.registry import load_experiments
from cifar_report.spec import Side

CLAIMS = (
    claim(id="better", family="accuracy by one change"),
    claim("less", id="worse", family="accuracy by one change"),
    claim("equal", id="same"),
    claim("not_better", id="not_better"),
    claim("less", id="loss", quantity="loss", margin=0.1),
    claim("value", id="level", comparator=None, value=0.6, margin=0.05, comparison="absolute"),
    claim("onset", id="onset", comparator=None, value=4.0, margin=1.0, comparison="absolute"),
    claim("exact", id="count", quantity="parameters", exact_relation="equal", margin=None),
    claim("ratio", id="time", quantity="seconds", margin=None, value=2.0),
    claim(id="network_beats_nearest", subject=Side("first"), comparator=Side("nearest_1")),
    claim(id="nearest", subject=Side("nearest_3"), comparator=Side("nearest_1")),
)


def said(results: Results, *names: str) -> set[tuple[str, str]]:
    return {(results.verdict(name).outcome, results.verdict(name).reason) for name in names}


def test_failed_runs_are_no_contradiction(tmp_path):
    """A trial whose runs all failed makes its claims "not run"; one failed seed leaves the others to speak."""
    results = analyse(bundle(tmp_path / "all", *CLAIMS, failed=[("second", seed) for seed in range(5)]))
    assert said(results, "better") == {("not_run", "failed")}
    results = analyse(bundle(tmp_path / "one", *CLAIMS, failed=[("second", 3)]))
    assert results.verdict("better").outcome == "reproduced"
    better = results.verdict("better")
    assert (better.n, better.n_comparator, better.missing) == (4, 5, (("second", (3,)),))
    assert "missing_seed" in {each.kind for each in better.sensitivity}
    assert results.trial("second").status == "partial"
    assert results.trial("second").failed[0].error == "RuntimeError: simulated failure"


def test_other_pixels_leave_comparisons_testable(tmp_path):
    """Unverified pixels stop absolute claims and the original's column alone; the measured value stands beside."""
    near, far = (claim(id=name, original_difference=value) for name, value in (("near", 0.1), ("far", 0.5)))
    results = analyse(bundle(tmp_path / "other", *CLAIMS, near, far, grade="unverified"))
    assert (results.verdict("better").outcome, results.verdict("better").deviation) == ("reproduced", "other_pixels")
    assert said(results, "level") == {("not_testable", "other_pixels")}
    assert results.verdict("level").estimate.value is not None
    assert results.verdict("near").original_inside is None
    results = analyse(bundle(tmp_path / "canonical", near, far))
    assert (results.verdict("near").original_inside, results.verdict("far").original_inside) == (True, False)


@pytest.mark.parametrize("changes", [{"seeds": 2}, {"predictions": False}, {"trials": ()}])
def test_thin_bundles_are_defined(tmp_path, changes):
    """Two seeds, no predictions, no runs at all: every number exists or says why it does not."""
    for datum in analyse(bundle(tmp_path, *CLAIMS, **changes)).data().values():
        assert datum.value is not None or datum.reason is not None
        assert datum.value is None or np.isfinite(datum.value)


def test_inconclusive_says_what_could_have_been_seen(tmp_path):
    """An inconclusive claim names the detectable difference and the seeds that the observed one would need."""
    accuracies = {"first": 0.600, "second": 0.605}
    verdict = analyse(bundle(tmp_path, *CLAIMS, accuracies=accuracies, seed_noise=0.03, seeds=3)).verdict("better")
    assert verdict.outcome == "inconclusive"
    assert verdict.lacking in ("margin", "correction", "power")
    assert verdict.detectable.value > 0.01
    assert (verdict.seeds_needed.value or 0) > 3 or verdict.seeds_needed.reason is not None


def test_sensitivity_and_correction(tmp_path):
    """Each verdict is told under other margins, seeds and tests; the family counts every claim of the registry."""
    verdict = analyse(bundle(tmp_path, *CLAIMS, trials=("first", "second"))).verdict("better")
    kinds = [each.kind for each in verdict.sensitivity]
    assert kinds == ["margin_halved", "margin_doubled", "uncorrected", *["without_run"] * 10, "trimmed_mean"]
    assert verdict.fragile is False
    assert verdict.family_size == 2
    assert verdict.p_corrected.value == pytest.approx(2 * verdict.p.value)


MINE = """
from cifar_report.spec import Conv2D, Experiment, claim, variant
from .baseline import BASELINE

EXPERIMENT = Experiment(
    id="mine", order=99, section="training_parameters", title="Mine", question="Why?", change="One.", explanation="So.",
    trials=(variant(BASELINE, "mine", "Mine", batch_size=16),),
    claims=tuple(
        claim(f"mine.{place}", "It is better.", said="Said by me.", quantity="accuracy", relation="greater",
              subject="mine", comparator=other)
        for place, other in enumerate(("baseline", "filters_32", "dropout", "dense_64"))
    ),
)
"""


def test_own_claims_move_no_verdict_of_the_originals(tmp_path):
    """Without experiments of one's own, the suite's and an added file, every other verdict and p-value is the same."""
    (shutil.copytree(ROOT / "experiments", tmp_path / "experiments") / "mine.py").write_text(MINE)
    trials = ("baseline", "filters", "second_conv_32", "second_conv_64", "third_conv_64", "dense_64", "dropout")
    experiments = load_experiments(tmp_path / "experiments")
    own = [each for each in experiments if each.id in ("fixed_order", "mine")]
    assert len(own) == 2
    experiments = few_experiments(*trials, "fixed_order", "mine", of=experiments)
    with_own, without = (
        {verdict.id: verdict for verdict in simulated(each, seeds=3)[1].verdicts}
        for each in (experiments, [each for each in experiments if each.id not in ("fixed_order", "mine")])
    )
    added = {claim.id for each in own for claim in each.claims}
    assert {name: with_own[name] for name in with_own.keys() - added} == without
    assert {with_own[name].family_size for name in added} == {len(each.claims) for each in own}
    assert sum(verdict.p_corrected is not None for verdict in without.values()) > 3


def test_a_statement_counts_once_whatever_the_number_of_its_tests():
    """A statement holds in all, some or none of its tests; of the last a test contradicts those that are refuted."""
    outcomes: dict[str, set[str]] = {}
    for verdict in few()[1].tallied:
        outcomes.setdefault(verdict.claim.code, set()).add(verdict.outcome)
    every, none = few()[1].statements[0], [each for each in outcomes.values() if "reproduced" not in each]
    assert (every.none, every.refuted) == (len(none), sum("not_reproduced" in each for each in none))
    assert every.all == sum(each == {"reproduced"} for each in outcomes.values())
