"""Verdicts on simulated bundles whose truth is known, whole, spoilt and thin."""

import shutil

import numpy as np
import pytest
from analysis_cases import bundle, claim, rewrite
from msgspec.structs import replace
from suites import simulated

from cifar_report.analysis import Results, analyse
from cifar_report.bundle import Bundle, Predictions
from cifar_report.registry import load_experiments
from cifar_report.spec import PROFILES, Side

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
TRAINED = [each.id for each in CLAIMS if each.relation != "exact"]
OF_SECOND = ["better", "worse", "same", "not_better", "loss", "level", "onset", "count"]


def said(results: Results, *names: str) -> set[tuple[str, str]]:
    """Return the outcomes and reasons of some claims."""
    return {(results.verdict(name).outcome, results.verdict(name).reason) for name in names}


def told(results: Results, code: str) -> list[tuple[object, ...]]:
    """Return run, label and detail of every caution of a kind."""
    return [(each.run, each.label, each.detail) for each in results.cautions if each.code == code]


def test_true_difference_is_found(tmp_path):
    """Ten points of true difference reproduce "greater" and contradict "less", "equal" and "fails to improve"."""
    results = analyse(bundle(tmp_path, *CLAIMS, timing=True, seconds={"first": 1.0, "second": 2.0}))
    assert said(results, "better", "network_beats_nearest") == {("reproduced", "beyond_margin")}
    assert said(results, "count", "time") == {("reproduced", "holds"), ("reproduced", "equivalent")}
    assert said(results, "worse") == {("not_reproduced", "opposite")}
    assert {results.verdict(name).outcome for name in ("same", "not_better")} == {"not_reproduced"}


def test_swapped_data_flip_the_verdicts(tmp_path):
    """When the two trials' results change places, so do the verdicts that speak of them."""
    loaded = bundle(tmp_path, *CLAIMS)
    for one, other in zip(loaded.runs_of("first"), loaded.runs_of("second"), strict=True):
        tables = loaded.predictions(one), loaded.predictions(other)
        rewrite(tmp_path, replace(one, stages=other.stages), tables[1])
        rewrite(tmp_path, replace(other, stages=one.stages), tables[0])
    after = analyse(Bundle.load(tmp_path))
    assert said(after, "worse") == {("reproduced", "beyond_margin")}
    assert said(after, "better") == {("not_reproduced", "opposite")}


def test_deleted_runs_are_not_run_and_no_zero(tmp_path):
    """Without the second trial's runs every claim about it reads "not run" and has no number."""
    bundle(tmp_path, *CLAIMS)
    shutil.rmtree(tmp_path / "runs" / "second")
    results = analyse(Bundle.load(tmp_path))
    assert said(results, *OF_SECOND) == {("not_run", "missing")}
    assert {results.verdict(name).estimate.value for name in OF_SECOND} == {None}
    trial = results.trial("second")
    assert (trial.status, trial.primary.datum.value, trial.primary.datum.reason) == ("missing", None, "not_run")
    assert results.verdict("network_beats_nearest").outcome == "reproduced"


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


def test_one_seed_decides_nothing_about_the_configuration(tmp_path):
    """With one seed claims about networks are inconclusive; counts and classifiers without seeds are decided."""
    results = analyse(bundle(tmp_path, *CLAIMS, seeds=1))
    assert said(results, *OF_SECOND[:-1], "network_beats_nearest") == {("inconclusive", "one_seed")}
    assert said(results, "count") == {("reproduced", "holds")}
    assert results.verdict("nearest").n_of == "images"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"profile": PROFILES["quick"]}, "reduced_profile"),
        ({"grade": "stand-in"}, "stand_in"),
        ({"canonical_labels": False, "grade": "unverified"}, "other_labels"),
    ],
)
def test_reduced_profile_and_other_data(tmp_path, changes, reason):
    """A reduced profile, the stand-in and other labels make every claim that needs training "not testable"."""
    results = analyse(bundle(tmp_path, *CLAIMS, timing=True, **changes))
    assert said(results, *TRAINED) == {("not_testable", reason)}
    assert said(results, "count") == {("reproduced", "holds")}
    assert results.verdict("better").estimate.value is not None


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


def test_not_a_number_is_told_and_never_averaged_away(tmp_path):
    """A loss that is not a number makes the claim inconclusive and the mean undefined, and a caution says so."""
    run = bundle(tmp_path, *CLAIMS).runs_of("second")[2]
    stage = run.stages[0]
    last = replace(stage.last, test=replace(stage.last.test, loss=None))
    history = replace(stage.history, val_loss=(None,) * stage.epochs, val_accuracy=(0.1,) * stage.epochs)
    rewrite(tmp_path, replace(run, stages=(replace(stage, last=last, history=history),)))
    results = analyse(Bundle.load(tmp_path))
    assert said(results, "loss") == {("inconclusive", "not_a_number")}
    loss = results.trial("second").stages[0].last.test_loss.datum
    assert (loss.value, loss.reason) == (None, "not_a_number")
    assert results.verdict("better").outcome == "reproduced"
    assert {detail for *_, detail in told(results, "not_a_number")} == {"val_loss", "last.test_loss"}
    assert told(results, "constant_values") == [("second/seed-2", None, "val_accuracy")]


def test_class_that_is_never_predicted_is_told(tmp_path):
    """A class without any answer has precision zero and a caution; nothing is divided by zero."""
    loaded = bundle(tmp_path, *CLAIMS)
    run = loaded.runs_of("first")[0]
    given = loaded.predictions(run)
    table = given.probabilities["training", "last"].copy()
    table[:, 4] = 0
    stage = run.stages[0]
    test = replace(stage.last.test, accuracy=float(np.mean(table.argmax(axis=1) == given.labels)))
    stage = replace(stage, last=replace(stage.last, test=test))
    tables = {("training", "last"): table}
    rewrite(tmp_path, replace(run, stages=(stage,)), Predictions(given.indices, given.labels, tables))
    results = analyse(Bundle.load(tmp_path))
    assert told(results, "class_never_predicted") == [("first/seed-0", 4, None)]
    assert not told(results, "test_mismatch")


def test_equal_results_differ_by_nothing(tmp_path):
    """When both trials give the same values under every seed, the difference is zero and McNemar's p is one."""
    loaded = bundle(tmp_path, *CLAIMS)
    for one, other in zip(loaded.runs_of("first"), loaded.runs_of("second"), strict=True):
        rewrite(tmp_path, replace(other, stages=one.stages), loaded.predictions(one))
    verdict = analyse(Bundle.load(tmp_path)).verdict("same")
    assert (verdict.test, verdict.estimate.value) == ("welch", 0.0)
    assert {test.p.value for test in verdict.networks.tests} == {1.0}


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
    assert kinds == ["margin_halved", "margin_doubled", *["without_run"] * 10, "trimmed_mean"]
    assert verdict.fragile is False
    assert verdict.family_size == 2
    assert verdict.p_corrected.value == pytest.approx(2 * verdict.p.value)


def test_own_claims_move_no_verdict_of_the_originals():
    """Without the experiment whose claims are our own every other verdict is the same, p-values and all."""
    experiments = [each for each in load_experiments() if each.section in ("trials", "training_parameters")]
    own = next(each for each in experiments if each.id == "fixed_order")
    known = {trial.id for each in experiments for trial in each.trials}
    experiments = [
        replace(each, claims=tuple(claim for claim in each.claims if claim.subject.trial in known))
        for each in experiments
    ]
    with_own, without = (
        {verdict.id: verdict for verdict in simulated(each, seeds=3)[1].verdicts}
        for each in (experiments, [each for each in experiments if each.id != own.id])
    )
    added = {claim.id for claim in own.claims}
    assert {name: with_own[name] for name in with_own.keys() - added} == without
    assert {with_own[name].family_size for name in added} == {len(added)}
    assert any(verdict.p_corrected is not None for verdict in without.values())
