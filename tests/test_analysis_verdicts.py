import shutil
from pathlib import Path

import numpy as np
import pytest
from analysis_cases import bundle, claim, rewrite
from msgspec.structs import replace

from cifar_report.analysis import Results, analyse
from cifar_report.bundle import Bundle, Predictions
from cifar_report.spec import PROFILES, Side

CLAIMS = (
    claim(id="better", family="accuracy by one change"),
    claim("less", id="worse", family="accuracy by one change"),
    claim("equal", id="same"),
    claim("not_better", id="not_better"),
    claim(id="loss", quantity="loss", relation="less", margin=0.1),
    claim("value", id="level", comparator=None, value=0.6, margin=0.05, comparison="absolute"),
    claim("onset", id="onset", comparator=None, value=4.0, margin=1.0, comparison="absolute"),
    claim("exact", id="count", quantity="parameters", exact_relation="equal", margin=None),
    claim("ratio", id="time", quantity="seconds", margin=None, value=2.0),
    claim(id="network_beats_nearest", subject=Side("first"), comparator=Side("nearest_1")),
    claim(id="nearest", subject=Side("nearest_3"), comparator=Side("nearest_1")),
)
TRAINED = {each.id for each in CLAIMS if each.relation != "exact"}


def outcomes(results: Results) -> dict[str, str]:
    """Return every claim's outcome."""
    return {verdict.id: verdict.outcome for verdict in results.verdicts}


def told(results: Results, code: str) -> list[tuple[object, ...]]:
    """Return run, label and detail of every caution of a kind."""
    return [(each.run, each.label, each.detail) for each in results.cautions if each.code == code]


def test_true_difference_is_found(tmp_path: Path) -> None:
    """Ten points of true difference reproduce "greater" and contradict "less", "equal" and "fails to improve"."""
    results = analyse(bundle(tmp_path, *CLAIMS, timing=True, seconds={"first": 1.0, "second": 2.0}))
    found = outcomes(results)
    assert {found[name] for name in ("better", "count", "time", "network_beats_nearest")} == {"reproduced"}
    assert {found[name] for name in ("worse", "same", "not_better")} == {"not_reproduced"}
    assert results.verdict("worse").reason == "opposite"


def test_swapped_data_flip_the_verdicts(tmp_path: Path) -> None:
    """When the two trials' results change places, so do the verdicts that speak of them."""
    loaded = bundle(tmp_path, *CLAIMS)
    before = outcomes(analyse(loaded))
    for one, other in zip(loaded.runs_of("first"), loaded.runs_of("second"), strict=True):
        tables = loaded.predictions(one), loaded.predictions(other)
        rewrite(tmp_path, replace(one, stages=other.stages), tables[1])
        rewrite(tmp_path, replace(other, stages=one.stages), tables[0])
    after = outcomes(analyse(Bundle.load(tmp_path)))
    assert (before["better"], before["worse"]) == ("reproduced", "not_reproduced")
    assert (after["better"], after["worse"]) == ("not_reproduced", "reproduced")


def test_deleted_runs_are_not_run_and_no_zero(tmp_path: Path) -> None:
    """Without the second trial's runs every claim about it reads "not run" and has no number."""
    bundle(tmp_path, *CLAIMS)
    shutil.rmtree(tmp_path / "runs" / "second")
    results = analyse(Bundle.load(tmp_path))
    for name in ("better", "worse", "same", "not_better", "loss", "level", "onset", "count"):
        verdict = results.verdict(name)
        assert (verdict.outcome, verdict.reason, verdict.estimate.value) == ("not_run", "missing", None)
    trial = results.trial("second")
    assert (trial.status, trial.primary.datum.value, trial.primary.datum.reason) == ("missing", None, "not_run")
    assert results.verdict("network_beats_nearest").outcome == "reproduced"


def test_failed_runs_are_no_contradiction(tmp_path: Path) -> None:
    """A trial whose runs all failed makes its claims "not run"; one failed seed leaves the others to speak."""
    seeds = range(5)
    results = analyse(bundle(tmp_path / "all", *CLAIMS, failed=[("second", seed) for seed in seeds]))
    assert (results.verdict("better").outcome, results.verdict("better").reason) == ("not_run", "failed")
    results = analyse(bundle(tmp_path / "one", *CLAIMS, failed=[("second", 3)]))
    verdict = results.verdict("better")
    assert verdict.outcome == "reproduced"
    assert [each.seed for each in verdict.differences] == [0, 1, 2, 4]
    assert results.trial("second").status == "partial"
    assert results.trial("second").failed[0].error == "RuntimeError: simulated failure"


def test_one_seed_decides_nothing_about_the_recipe(tmp_path: Path) -> None:
    """With one seed every recipe claim is inconclusive; counts and classifiers without seeds are still decided."""
    results = analyse(bundle(tmp_path, *CLAIMS, seeds=1))
    found = outcomes(results)
    recipe = ("better", "worse", "same", "not_better", "loss", "level", "onset", "network_beats_nearest")
    assert {found[name] for name in recipe} == {"inconclusive"}
    assert found["count"] == "reproduced"
    assert results.verdict("nearest").n_of == "images"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"profile": PROFILES["quick"]}, "reduced_profile"),
        ({"grade": "stand-in"}, "stand_in"),
        ({"canonical_labels": False, "grade": "unverified"}, "other_labels"),
    ],
)
def test_reduced_profile_and_other_data(tmp_path: Path, changes: dict[str, object], reason: str) -> None:
    """A reduced profile, the stand-in and other labels make every claim that needs training "not testable"."""
    results = analyse(bundle(tmp_path, *CLAIMS, timing=True, **changes))
    found = {(each.outcome, each.reason) for each in results.verdicts if each.id in TRAINED}
    assert found == {("not_testable", reason)}
    assert results.verdict("count").outcome == "reproduced"
    assert results.verdict("better").estimate.value is not None


def test_other_pixels_leave_comparisons_testable(tmp_path: Path) -> None:
    """Unverified pixels stop absolute claims and the original's column alone; the measured value stands beside."""
    results = analyse(bundle(tmp_path, *CLAIMS, grade="unverified"))
    assert results.verdict("better").outcome == "reproduced"
    assert results.verdict("better").deviation == "other_pixels"
    for name in ("level", "onset"):
        assert (results.verdict(name).outcome, results.verdict(name).reason) == ("not_testable", "other_pixels")
    assert results.verdict("level").estimate.value is not None


def test_time_needs_the_timing_pass(tmp_path: Path) -> None:
    """Seconds of runs that trained side by side are never compared: without the pass a time claim is not run."""
    verdict = analyse(bundle(tmp_path, *CLAIMS)).verdict("time")
    assert (verdict.outcome, verdict.reason) == ("not_run", "no_timing_pass")


def test_not_a_number_is_told_and_never_averaged_away(tmp_path: Path) -> None:
    """A loss that is not a number makes the claim inconclusive and the mean undefined, and a caution says so."""
    run = bundle(tmp_path, *CLAIMS).runs_of("second")[2]
    stage = run.stages[0]
    last = replace(stage.last, test=replace(stage.last.test, loss=None))
    history = replace(stage.history, val_loss=(None,) * stage.epochs)
    rewrite(tmp_path, replace(run, stages=(replace(stage, last=last, history=history),)))
    results = analyse(Bundle.load(tmp_path))
    assert (results.verdict("loss").outcome, results.verdict("loss").reason) == ("inconclusive", "not_a_number")
    scores = results.trial("second").stages[0].last
    assert (scores.test_loss.datum.value, scores.test_loss.datum.reason) == (None, "not_a_number")
    assert results.verdict("better").outcome == "reproduced"
    assert {detail for *_, detail in told(results, "not_a_number")} == {"val_loss", "last.test_loss"}


def test_constant_column_is_told(tmp_path: Path) -> None:
    """A validation accuracy that never moves is named, and everything is still computed."""
    run = bundle(tmp_path, *CLAIMS).runs_of("first")[0]
    stage = run.stages[0]
    history = replace(stage.history, val_accuracy=(0.1,) * stage.epochs)
    rewrite(tmp_path, replace(run, stages=(replace(stage, history=history),)))
    results = analyse(Bundle.load(tmp_path))
    assert told(results, "constant_values") == [("first/seed-0", None, "val_accuracy")]


def test_class_that_is_never_predicted_is_told(tmp_path: Path) -> None:
    """A class without any answer has precision zero and a caution; nothing is divided by zero."""
    loaded = bundle(tmp_path, *CLAIMS)
    run = loaded.runs_of("first")[0]
    predictions = loaded.predictions(run)
    tables = {key: table.copy() for key, table in predictions.probabilities.items()}
    for table in tables.values():
        table[:, 4] = 0
    right = float(np.mean(tables["training", "last"].argmax(axis=1) == predictions.labels))
    stage = run.stages[0]
    last = replace(stage.last, test=replace(stage.last.test, accuracy=right))
    changed = Predictions(predictions.indices, predictions.labels, tables)
    rewrite(tmp_path, replace(run, stages=(replace(stage, last=last),)), changed)
    results = analyse(Bundle.load(tmp_path))
    assert told(results, "class_never_predicted") == [("first/seed-0", 4, None)]
    assert not told(results, "test_mismatch")


def test_equal_results_are_decided_exactly(tmp_path: Path) -> None:
    """When both trials give the same values under every seed, nothing crashes and equality is reproduced."""
    loaded = bundle(tmp_path, *CLAIMS)
    for one, other in zip(loaded.runs_of("first"), loaded.runs_of("second"), strict=True):
        rewrite(tmp_path, replace(other, stages=one.stages), loaded.predictions(one))
    verdict = analyse(Bundle.load(tmp_path)).verdict("same")
    assert (verdict.outcome, verdict.test, verdict.estimate.value) == ("reproduced", "all_equal", 0.0)
    assert verdict.networks is not None
    assert {test.p.value for test in verdict.networks.tests} == {1.0}


@pytest.mark.parametrize("changes", [{"seeds": 2}, {"predictions": False}, {"trials": ()}])
def test_thin_bundles_are_defined(tmp_path: Path, changes: dict[str, object]) -> None:
    """Two seeds, no predictions, no runs at all: every number exists or says why it does not."""
    results = analyse(bundle(tmp_path, *CLAIMS, **changes))
    for datum in results.data().values():
        assert datum.value is not None or datum.reason is not None
        assert datum.value is None or np.isfinite(datum.value)


def test_inconclusive_says_what_could_have_been_seen(tmp_path: Path) -> None:
    """An inconclusive claim names the detectable difference and the seeds that the observed one would need."""
    accuracies = {"first": 0.600, "second": 0.605}
    results = analyse(bundle(tmp_path, *CLAIMS, accuracies=accuracies, seed_noise=0.03, seeds=3))
    verdict = results.verdict("better")
    assert verdict.outcome == "inconclusive"
    assert verdict.detectable is not None
    assert verdict.detectable.value > 0.01
    assert verdict.seeds_needed is not None
    assert (verdict.seeds_needed.value or 0) > 3 or verdict.seeds_needed.reason is not None


def test_sensitivity_varies_one_thing_at_a_time(tmp_path: Path) -> None:
    """Each verdict tells its outcome under half and double the margin, without each seed, by Welch and by flips."""
    verdict = analyse(bundle(tmp_path, *CLAIMS)).verdict("better")
    kinds = [each.kind for each in verdict.sensitivity]
    assert kinds == ["margin_halved", "margin_doubled", *["without_seed"] * 5, "welch", "sign_flip"]
    assert verdict.stable is True
    flips = verdict.sensitivity[-1]
    assert flips.p == pytest.approx(1 / 32)
    assert (flips.outcome, flips.changes) == ("inconclusive", True)  # 2/32 after the correction for two claims


def test_family_size_is_the_registry_count(tmp_path: Path) -> None:
    """The correction counts every claim of the family, also those that were not run."""
    verdict = analyse(bundle(tmp_path, *CLAIMS, trials=("first", "second"))).verdict("better")
    assert verdict.family_size == 2
    assert verdict.p is not None
    assert verdict.p_corrected is not None
    assert verdict.p_corrected.value == pytest.approx(2 * (verdict.p.value or 0))


def test_original_lies_inside_or_outside(tmp_path: Path) -> None:
    """The original's difference is held against the prediction interval, on canonical pixels only."""
    near = claim(id="near", original_difference=0.1)
    far = claim(id="far", original_difference=0.5)
    results = analyse(bundle(tmp_path / "canonical", near, far))
    assert (results.verdict("near").original_inside, results.verdict("far").original_inside) == (True, False)
    results = analyse(bundle(tmp_path / "other", near, far, grade="unverified"))
    assert results.verdict("near").original_inside is None
