from pathlib import Path
from shutil import copytree

import msgspec
import pytest
from reports import few_experiments
from suites import shared
from verified import change_record, change_run, set_in

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle, EpochHashes, read_run
from cifar_report.bundle.records import TimingPass
from cifar_report.cli import main
from cifar_report.spec import registry_hash
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
    found = {flip.claim: flip for flip in compare_bundles(one, other).verdicts}
    assert CLAIM in found
    return "\n".join(found[CLAIM].reasons)


def changed(source: Bundle, folder: Path, change) -> Bundle:
    """Return a copy of a bundle with every run changed."""
    copytree(source.folder, folder)
    for run in source.runs:
        change_run(folder, run.id, change)
    return Bundle.load(folder)


def test_a_bundle_agrees_with_itself(capsys):
    """The same bundle twice: no verdict differs, all runs are the same bytes, exit status 0."""
    one = bundle()
    found = compare_bundles(one, one)
    assert found.verdicts == ()
    assert found.same == len(one.claims)
    assert all(pair.same for pair in found.runs)
    assert main(["compare", str(one.folder), str(one.folder)]) == 0
    out = capsys.readouterr().out
    assert "0 verdicts differ" in out
    assert f"{len(one.runs)} runs in both: {len(one.runs)} agree in every byte compared" in out


def test_flipped_verdicts_are_those_that_the_analysis_gives(capsys):
    """What is called flipped is what two analyses say differently, and the exit status is 1."""
    one, other = bundle(), bundle(LOW)
    found = compare_bundles(one, other)
    before, after = ({verdict.id: verdict.outcome for verdict in analyse(each).verdicts} for each in (one, other))
    assert {flip.claim: (flip.before, flip.after) for flip in found.verdicts} == {
        claim: (before[claim], after[claim]) for claim in before if before[claim] != after[claim]
    }
    assert before[CLAIM] == "reproduced"
    assert main(["compare", str(one.folder), str(other.folder)]) == 1
    out = capsys.readouterr().out
    assert CLAIM in out
    assert "Verdicts that differ" in out


def test_noise_is_what_nothing_recorded_explains():
    """Equal records with other numbers are noise, with how many runs it concerns: here those of the baseline."""
    assert reasons(bundle(), bundle(LOW)) == "noise: 3 of 6 common runs differ, and nothing recorded says why"


def test_seeds_are_named_by_trial_with_their_numbers():
    """Where one bundle has more seeds, both numbers are told for each trial of the claim."""
    told = reasons(bundle(), bundle(LOW, seeds=5))
    assert "seeds: baseline has 3 against 5" in told
    assert "seeds: filters_32 has 3 against 5" in told


def test_other_data_are_named_by_fingerprint(tmp_path):
    """Bundles of different images say so, and the runs' numbers are then no noise."""
    other = bundle(LOW)
    fingerprint = "f" * 64
    changed(other, tmp_path / "b", lambda run: set_in(run, "key_parts.dataset", fingerprint))
    change_record(tmp_path / "b", lambda record: set_in(record, "dataset.fingerprint", fingerprint))
    told = reasons(bundle(), Bundle.load(tmp_path / "b"))
    assert "data: fingerprint" in told
    assert "against ffffffff" in told
    assert "noise" not in told


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("training code", "code: the training engine differs (aaaaaaaa against bbbbbbbb)"),
        ("version of tensorflow", "environment: version of tensorflow aaaaaaaaaa against bbbbbbbbbb"),
        ("devices", "environment: devices"),
    ],
)
def test_code_and_environment_are_named_from_the_keys(tmp_path, part, words):
    """What the runs' keys say about code, versions and devices is told where it differs."""
    one = changed(bundle(), tmp_path / "a", lambda run: set_in(run, f"key_parts.{part}", "a" * 10))
    other = changed(bundle(LOW), tmp_path / "b", lambda run: set_in(run, f"key_parts.{part}", "b" * 10))
    told = reasons(one, other)
    assert words in told
    assert "noise" not in told


@pytest.mark.parametrize("told", ["another one", None], ids=["by the runs", "by the record"])
def test_the_machine_is_named_where_runs_differ(told, tmp_path):
    """Another processor may round otherwise: it is told where the numbers differ, from the runs if they name theirs."""
    other = bundle(LOW)
    copytree(other.folder, tmp_path / "b")
    change_record(tmp_path / "b", lambda record: set_in(record, "environment.processor", told or "another one"))
    for run in other.runs:
        change_run(tmp_path / "b", run.id, lambda run: set_in(run, "processor", told))
    assert "environment: processor simulated against another one" in reasons(bundle(), Bundle.load(tmp_path / "b"))


def test_a_margin_that_was_changed_explains_a_flip_of_equal_runs(tmp_path):
    """The same runs under another margin: the claim's change is the one reason."""
    one = bundle()
    copytree(one.folder, tmp_path / "b")
    place = next(
        f"experiments.{number}.claims.{row}.margin"
        for number, experiment in enumerate(one.record.experiments)
        for row, claim in enumerate(experiment.claims)
        if claim.id == CLAIM
    )
    change_record(tmp_path / "b", lambda record: set_in(record, place, 0.2))
    change_record(
        tmp_path / "b",
        lambda record: set_in(record, "claims_hash", registry_hash([c for e in record.experiments for c in e.claims])),
    )
    assert reasons(one, Bundle.load(tmp_path / "b")) == "claim: its margin is 0.01 against 0.2"


def test_a_changed_configuration_is_told_with_what_changed(tmp_path):
    """A trial that was redefined is named with the change."""
    one, other = bundle(), bundle(LOW)
    copytree(other.folder, tmp_path / "b")
    number = next(n for n, each in enumerate(other.record.experiments) if each.id == "filters")
    change_record(tmp_path / "b", lambda record: set_in(record, f"experiments.{number}.trials.0.batch_size", 64))
    told = reasons(one, Bundle.load(tmp_path / "b"))
    trial = other.record.experiments[number].trials[0].id
    assert f"trial: the configuration of {trial} differs (batch_size: 32 against 64)" in told


def test_another_profile_is_told():
    """A quick bundle tests nothing, and the profile is the reason."""
    from cifar_report.spec import PROFILES

    assert "profile: full against quick" in reasons(bundle(), bundle(profile=PROFILES["quick"]))


def test_a_timing_pass_that_was_measured_anew_explains_verdicts_about_time(tmp_path):
    """Claims about seconds name the timing pass, and claims about accuracy do not."""
    experiments = few_experiments("baseline", "classical")
    one = bundle({}, experiments, timing=True, seconds={"nearest_neighbor_1": 1.0})
    copytree(one.folder, tmp_path / "b")
    path = tmp_path / "b" / "timing" / "timing.json"
    timing = msgspec.json.decode(path.read_bytes(), type=TimingPass)
    flipped = tuple(
        msgspec.structs.replace(each, fit_seconds=each.predict_seconds, predict_seconds=each.fit_seconds)
        for each in timing.measurements
    )
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(timing, measurements=flipped)))
    found = compare_bundles(one, Bundle.load(tmp_path / "b"))
    assert found.verdicts
    assert all(flip.reasons == ("timing: another timing pass",) for flip in found.verdicts)


def test_trials_and_claims_of_one_bundle_alone_are_listed(capsys):
    """What only one of the two has is listed, and is no flip."""
    small = bundle(experiments=few_experiments("baseline"))
    large = bundle()
    found = compare_bundles(large, small)
    assert found.verdicts == ()
    assert "filters_32" in found.trials_of_one
    assert found.trials_of_other == ()
    assert CLAIM in found.claims_of_one
    assert main(["compare", str(small.folder), str(large.folder)]) == 0
    out = capsys.readouterr().out
    assert "trials with runs in B only: " in out
    assert "claims in B only: " in out


def test_a_trial_without_runs_in_one_bundle_is_told():
    """A trial that one bundle did not run explains its claims' verdicts."""
    told = reasons(bundle(), bundle(trials=["baseline"]))
    assert "runs: filters_32 has a finished run against none" in told


def test_the_first_epoch_that_differs_is_found_by_the_log_of_hashes(tmp_path):
    """Data order, weights and history are told apart, and the first epoch counts, not the last."""
    one = bundle()
    epochs = read_run(one.folder, "baseline/seed-0").stages[0].epochs
    log = tuple(EpochHashes(order=f"{epoch:016x}", weights=f"{epoch:016x}") for epoch in range(epochs))

    def logged(folder, **changes):
        copytree(one.folder, folder)
        change_run(folder, "baseline/seed-0", lambda run: set_in(run, "stages.0.hashes", log))
        for path, value in changes.items():
            change_run(folder, "baseline/seed-0", lambda run, path=path, value=value: set_in(run, path, value))
        return Bundle.load(folder)

    whole = logged(tmp_path / "whole")
    cases = {
        "training, epoch 4: weights": {"stages.0.hashes.3.weights": "f" * 16, "stages.0.hashes.9.order": "f" * 16},
        "training, epoch 2: data order": {"stages.0.hashes.1.order": "f" * 16},
        "training, epoch 3: history": {"stages.0.history.val_loss.2": 9.0},
        "training, epoch 15: evaluation": {"stages.0.last.train.accuracy": 0.5},
    }
    for number, (first, changes) in enumerate(cases.items()):
        pairs = common_runs(whole, logged(tmp_path / str(number), **changes))
        assert [(pair.run, pair.first) for pair in pairs if not pair.same] == [("baseline/seed-0", first)]


def test_bundles_that_cannot_be_read_are_bad_usage_or_an_error(tmp_path, capsys):
    """No bundle is status 2, a damaged one status 1 with the file's name, and neither is a traceback."""
    one = bundle()
    assert main(["compare", str(one.folder), str(tmp_path)]) == 2
    copytree(one.folder, tmp_path / "b")
    (tmp_path / "b" / "runs" / "baseline" / "seed-0" / "predictions.npz").write_bytes(b"")
    assert main(["compare", str(one.folder), str(tmp_path / "b")]) == 1
    assert "predictions.npz" in capsys.readouterr().err
