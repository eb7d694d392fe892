"""``compare``: which verdicts and runs of two bundles differ, and what recorded differences may explain it."""

from shutil import copytree

import msgspec
import pytest
from reports import few_experiments
from suites import shared
from verified import change_record, change_run, set_in

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, EpochHashes
from cifar_report.bundle.records import TimingPass
from cifar_report.cli import main
from cifar_report.spec import PROFILES, registry_hash
from cifar_report.verify.compare import common_runs, compare_bundles

HIGH = {"baseline": 0.66, "filters_32": 0.60}
LOW = {"baseline": 0.55, "filters_32": 0.60}
CLAIM = "C01a.15_epochs"
"""That the baseline is more accurate than the trial filters_32."""


def bundle(accuracies=HIGH, experiments=None, **settings) -> Bundle:
    """Return a simulated bundle of the baseline and the filters; it must not be changed, so copy it."""
    chosen = experiments or few_experiments("baseline", "filters")
    return shared(chosen, **{"accuracies": accuracies, "seeds": 3, "seed_noise": 0.004, "image_noise": 0.0} | settings)


def reasons(one: Bundle, other: Bundle) -> str:
    """Return why the verdict about the filters differs; it must differ."""
    return "\n".join({each.claim: each for each in compare_bundles(one, other).verdicts}[CLAIM].reasons)


def changed(source: Bundle, folder, run=None, record=None) -> Bundle:
    """Return a copy of a bundle with its record and every run changed, each by a path and a value."""
    copytree(source.folder, folder)
    if record is not None:
        change_record(folder, lambda stored: set_in(stored, *record))
    for each in source.runs if run is not None else ():
        change_run(folder, each.id, lambda stored: set_in(stored, *run))
    return Bundle.load(folder)


def test_a_bundle_agrees_with_itself_and_with_its_parts(capsys):
    """A bundle agrees with itself in every byte, and what one of two alone has is listed and no difference."""
    one = bundle()
    found = compare_bundles(one, one)
    assert (found.verdicts, found.same) == ((), len(one.claims))
    assert all(pair.same for pair in found.runs)
    assert main(["compare", str(one.folder), str(one.folder)]) == 0
    out = capsys.readouterr().out
    assert "0 verdicts differ" in out
    assert f"{len(one.runs)} runs in both: {len(one.runs)} agree in every byte compared" in out
    small, large = bundle(experiments=few_experiments("baseline")), bundle()
    found = compare_bundles(large, small)
    assert found.verdicts == ()
    assert "filters_32" in found.trials_of_one
    assert found.trials_of_other == ()
    assert CLAIM in found.claims_of_one
    assert main(["compare", str(small.folder), str(large.folder)]) == 0
    out = capsys.readouterr().out
    assert "trials with runs in B only: " in out
    assert "claims in B only: " in out


def test_verdicts_that_differ_are_those_of_the_analysis(capsys):
    """What is said to differ is what two analyses say differently, and the exit status is 1."""
    one, other = bundle(), bundle(LOW)
    found = compare_bundles(one, other)
    before, after = ({verdict.id: verdict.outcome for verdict in analyse(each).verdicts} for each in (one, other))
    assert {each.claim: (each.before, each.after) for each in found.verdicts} == {
        claim: (before[claim], after[claim]) for claim in before if before[claim] != after[claim]
    }
    assert before[CLAIM] == "reproduced"
    assert main(["compare", str(one.folder), str(other.folder)]) == 1
    out = capsys.readouterr().out
    assert CLAIM in out
    assert "Verdicts that differ" in out


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({}, ["noise: 3 of 6 common runs differ, and nothing recorded says why"]),
        ({"seeds": 5}, [f"seeds: {trial} has 0, 1, 2 against 0, 1, 2, 3, 4" for trial in HIGH]),
        ({"profile": PROFILES["quick"]}, ["profile: full against quick"]),
        ({"trials": ("baseline",)}, ["seeds: filters_32 has 0, 1, 2 against none"]),
    ],
)
def test_what_was_run_differently_is_named(settings, words):
    """Seeds, profile and missing trials are told with both values; where nothing recorded differs it is noise."""
    told = reasons(bundle(), bundle(LOW, **settings)).split("\n")
    assert set(words) <= set(told)
    assert settings or told == words


@pytest.mark.parametrize(
    ("run", "record", "words"),
    [
        (("key_parts.dataset", "f" * 64), ("dataset.fingerprint", "f" * 64), "against ffffffff"),
        (("key_parts.engine", "b" * 10), None, "code: engine aaaaaaaaaa against bbbbbbbbbb"),
        (("key_parts.devices", "b" * 10), None, "environment: devices aaaaaaaaaa against bbbbbbbbbb"),
        (("processor", "new"), ("environment.processor", "new"), "environment: processor simulated against new"),
        (None, ("experiments.1.trials.0.batch_size", 64), "trial: filters_32, batch_size 32 against 64"),
    ],
)
def test_what_is_recorded_differently_is_named(tmp_path, run, record, words):
    """Data, engine, devices, processor and configuration are told from keys and records, and are then no noise."""
    before = (run[0], "a" * 10) if run and run[1] == "b" * 10 else None
    one = changed(bundle(), tmp_path / "a", run=before)
    told = reasons(one, changed(bundle(LOW), tmp_path / "b", run=run, record=record))
    assert words in told
    assert "noise" not in told


def test_a_margin_that_was_changed_explains_another_verdict_of_equal_runs(tmp_path):
    """The same runs under another margin: the claim's change is the one reason."""
    one = bundle()
    experiments = [
        msgspec.structs.replace(
            each, claims=tuple(set_in(claim, "margin", 0.2) if claim.id == CLAIM else claim for claim in each.claims)
        )
        for each in one.record.experiments
    ]
    other = changed(one, tmp_path / "b", record=("experiments", tuple(experiments)))
    hashed = registry_hash([claim for each in experiments for claim in each.claims])
    change_record(other.folder, lambda record: set_in(record, "claims_hash", hashed))
    assert reasons(one, Bundle.load(other.folder)) == "claim: its margin is 0.01 against 0.2"


def test_a_timing_pass_that_was_measured_anew_explains_verdicts_about_time(tmp_path):
    """Claims about seconds name the timing pass, and claims about accuracy do not."""
    one = bundle({}, few_experiments("baseline", "classical"), timing=True, seconds={"nearest_neighbor_1": 1.0})
    copytree(one.folder, tmp_path / "b")
    path = tmp_path / "b" / "timing" / "timing.json"
    timing = msgspec.json.decode(path.read_bytes(), type=TimingPass)
    swapped = tuple(
        msgspec.structs.replace(each, fit_seconds=each.predict_seconds, predict_seconds=each.fit_seconds)
        for each in timing.measurements
    )
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(timing, measurements=swapped)))
    found = compare_bundles(one, Bundle.load(tmp_path / "b"))
    assert found.verdicts
    assert all(each.reasons == ("timing: another timing pass",) for each in found.verdicts)


@pytest.mark.parametrize(
    ("first", "changes"),
    [
        ("epoch 4: weights", {"stages.0.hashes.3.weights": "f" * 16, "stages.0.hashes.9.order": "f" * 16}),
        ("epoch 2: data order", {"stages.0.hashes.1.order": "f" * 16}),
        ("epoch 3: history", {"stages.0.history.val_loss.2": 9.0}),
        ("epoch 15: evaluation", {"stages.0.last.train.accuracy": 0.5}),
    ],
)
def test_the_first_epoch_that_differs_is_found_by_the_log_of_hashes(tmp_path, first, changes):
    """Data order, weights and history are distinguished, and the first epoch counts, not the last."""
    log = tuple(EpochHashes(order=f"{epoch:016x}", weights=f"{epoch:016x}") for epoch in range(15))
    one = changed(bundle(trials=("baseline",)), tmp_path / "a", run=("stages.0.hashes", log))
    copytree(one.folder, tmp_path / "b")
    for path, value in changes.items():
        change_run(tmp_path / "b", "baseline/seed-0", lambda run, path=path, value=value: set_in(run, path, value))
    pairs = common_runs(one, Bundle.load(tmp_path / "b"))
    assert [(pair.run, pair.first) for pair in pairs if not pair.same] == [("baseline/seed-0", f"training, {first}")]


def test_bundles_that_cannot_be_read_are_bad_usage_or_an_error(tmp_path, capsys):
    """No bundle is status 2, a damaged one status 1 with the file's name, and neither is a traceback."""
    one = bundle()
    assert main(["compare", str(one.folder), str(tmp_path)]) == 2
    copytree(one.folder, tmp_path / "b")
    (tmp_path / "b" / "runs" / "baseline" / "seed-0" / "predictions.npz").write_bytes(b"")
    assert main(["compare", str(one.folder), str(tmp_path / "b")]) == 1
    assert "predictions.npz" in capsys.readouterr().err
