"""Plans, keys and states: what runs, in which order, and why."""

from pathlib import Path

import msgspec
import pytest
from command import ROOT, contents
from networks import CENTROID, RECORD, small_trial
from rich.console import Console

from cifar_report.bundle import Bundle, ClassicalResult, read_record, write_record, write_run
from cifar_report.bundle.store import current_parts, write_manifest
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running import plan as plan_module
from cifar_report.running.plan import (
    PlannedRun,
    changed_parts,
    check_batches,
    describe_dataset,
    find_profile,
    key_parts,
    library_versions,
    plan_runs,
    prepare,
    states_of,
)
from cifar_report.running.suite import run_suite
from cifar_report.spec import PROFILES, ClassicalTrial, Dropout, Stage, Trial, json_hash, spec_hash

TRIALS = trials_of(load_experiments())


def plan(profile="full", seeds=3):
    return plan_runs(TRIALS.values(), PROFILES[profile], seeds, 40_000)


def test_every_trial_runs_once_a_seed_and_classifiers_once():
    """Networks run once a seed and classifiers once, seed by seed, the longest first and mirrored ones last."""
    runs = plan()
    networks = [trial.id for trial in TRIALS.values() if isinstance(trial, Trial)]
    classical = [trial.id for trial in TRIALS.values() if isinstance(trial, ClassicalTrial)]
    expected = [f"{name}/seed-{seed}" for name in networks for seed in range(3)]
    assert sorted(run.id for run in runs) == sorted([*expected, *(f"{name}/once" for name in classical)])
    first = [run for run in runs if not run.seed]
    assert runs[: len(first)] == first
    assert {run.trial.id for run in first} == set(TRIALS)
    assert [run.mirrored for run in first] == sorted(run.mirrored for run in first)
    later = runs[len(first) :]
    assert [(run.mirrored, run.seed) for run in later] == sorted((run.mirrored, run.seed) for run in later)
    assert sum(run.mirrored for run in first) == 2
    assert sum(run.mirrored for run in later) == 4
    for seed in range(3):
        for mirrored in (False, True):
            costs = [run.cost for run in runs if (run.seed or 0, run.mirrored) == (seed, mirrored)]
            assert costs == sorted(costs, reverse=True)


@pytest.mark.parametrize(("profile", "epochs"), [("full", (40, 20, 50)), ("quick", (6, 4, 6)), ("smoke", (1, 1, 1))])
def test_profiles_shorten_the_stages(profile, epochs):
    """What is planned, and recorded, is the trial as the profile trains it."""
    planned = next(run for run in plan(profile) if run.trial.id == "model_2")
    assert tuple(stage.epochs for stage in planned.trial.stages) == epochs


@pytest.mark.parametrize("profile", PROFILES)
def test_the_record_counts_the_images_that_are_used(dataset, profile):
    """The counts in the bundle's record are the sizes of the split that the workers make."""
    from cifar_report.data import split

    declared = PROFILES[profile]
    parts = split(dataset.labels(), fraction=declared.fraction, counts=declared.counts)
    sizes = (len(parts.train), len(parts.validation), len(parts.test))
    assert describe_dataset(dataset, declared).counts == sizes


def parts_of(trial=None, seed=0, profile="smoke", dataset=RECORD):
    return key_parts(PlannedRun(trial or small_trial(), seed, 1.0), PROFILES[profile], dataset)


@pytest.mark.parametrize(
    ("changed", "part"),
    [
        ({"trial": small_trial(Dropout(0.5))}, "spec"),
        ({"trial": small_trial(stages=(Stage(epochs=2),))}, "spec"),
        ({"trial": small_trial(learning_rate=0.01)}, "spec"),
        ({"seed": 1}, "seed"),
        ({"profile": "quick"}, "split"),
        ({"dataset": msgspec.structs.replace(RECORD, fingerprint="b" * 64)}, "dataset"),
    ],
)
def test_each_thing_that_decides_a_result_is_in_the_key(changed, part):
    """A change of spec, seed, split or data changes the key, and the reason names it."""
    before, after = parts_of(), parts_of(**changed)
    assert json_hash(before) != json_hash(after)
    assert changed_parts(before, after) == [f"{part} changed"]


def test_mirrored_runs_name_their_devices():
    """A mirrored run's key names its replicas; a classifier's names scikit-learn, no TensorFlow and no seed."""
    before, after = parts_of(), parts_of(small_trial(strategy="mirrored"))
    assert changed_parts(before, after) == ["devices changed", "spec changed"]
    assert before["devices"] == "1 replica, 1 thread"
    parts = parts_of(CENTROID, seed=None)
    assert parts["seed"] == "none"
    assert {name for name in parts if name.startswith("version")} == {"version of scikit-learn", "version of numpy"}


def test_versions_and_engine_are_in_the_key(monkeypatch):
    """Another version or engine is a reason to run again, and a missing library is told with how to install it."""
    before = parts_of()
    monkeypatch.setattr(plan_module, "ENGINE_VERSION", "another")
    assert changed_parts(before, parts_of()) == ["engine changed"]
    monkeypatch.undo()
    monkeypatch.setattr("importlib.metadata.version", lambda _: "99")
    library_versions.cache_clear()
    changed = [f"version of {name} changed" for name in ("keras", "numpy", "scikit-learn", "tensorflow")]
    assert changed_parts(before, parts_of()) == changed
    from importlib import metadata

    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr("importlib.metadata.version", missing)
    library_versions.cache_clear()
    with pytest.raises(UsageError, match=r"tensorflow is not installed.*pip install"):
        parts_of()
    library_versions.cache_clear()


def test_runs_from_before_the_engine_had_a_version_count_as_its_first():
    """The first runs of the reference, with a hash over source, are of version 1 and today's trials; others not."""
    runs = [run for run in Bundle.load(ROOT / "report" / "reference").runs if "engine" not in run.key_parts]
    assert len(runs) > 80
    for run in runs:
        found = current_parts(run)
        assert "training code" not in found
        assert (found["engine"], found["spec"]) == ("1", spec_hash(PROFILES["full"].apply(TRIALS[run.trial.id])))
    other = msgspec.structs.replace(runs[0], key_parts=runs[0].key_parts | {"training code": "0" * 64})
    assert current_parts(other)["engine"] == "0" * 64
    assert current_parts(msgspec.structs.replace(other, key_parts={"engine": "7"})) == {"engine": "7"}


@pytest.fixture
def prepared(tmp_path):
    """Return a function that prepares a smoke request on a bundle in a folder of its own, with the stand-in."""

    def make(*, seeds=1, only=("nearest_centroid", "baseline"), profile="smoke", bundle=None, data="synthetic"):
        folder = bundle or tmp_path / "bundle"
        return prepare(profile, seeds=seeds, only=only, data=data, bundle=folder, warn=pytest.fail)

    return make


def keep(request, *, status="done", **changes) -> None:
    """Put a record into the bundle for every run of a request, as if it had run."""
    from test_bundle_records import record, run

    write_record(request.folder, record(dataset=request.dataset_record, seeds=request.seeds))
    for state in states_of(request):
        planned = state.planned
        stored = run(planned.trial, planned.seed)
        if isinstance(planned.trial, ClassicalTrial):
            stored = msgspec.structs.replace(
                stored, stages=(), classical=ClassicalResult(training_images=9, test_accuracy=0.2)
            )
        if status == "failed":
            stored = msgspec.structs.replace(stored, status=status, stages=(), classical=None, error="it broke")
        parts = {**state.key_parts, **changes}
        write_run(request.folder, msgspec.structs.replace(stored, key_parts=parts), {}, {})


def reasons(request) -> dict[str, str | None]:
    return {state.planned.id: state.reason for state in states_of(request)}


def test_states_say_why_each_run_would_run(prepared):
    """Missing, finished, failed, changed, edited and damaged runs each have their reason; none is listed as edited."""
    request = prepared()
    assert reasons(request) == {"nearest_centroid/once": "not run yet", "baseline/seed-0": "not run yet"}
    keep(request)
    assert reasons(request) == {"nearest_centroid/once": None, "baseline/seed-0": None}
    keep(request, status="failed")
    assert set(reasons(request).values()) == {"failed last time"}
    keep(request, split="other")
    assert set(reasons(request).values()) == {"split changed"}
    keep(request)
    write_manifest(request.folder)
    path = request.folder / "runs" / "baseline" / "seed-0" / "run.json"
    path.write_text(path.read_text().replace("0.5", "0.6"))
    assert set(reasons(request).values()) == {None, "its record is not the one in manifest-sha256.txt"}
    other = prepared(only=["nearest_centroid", "nearest_neighbor_1"])
    with pytest.raises(SuiteError, match="the records of baseline/seed-0 are not those in manifest"):
        run_suite(other, 1, Console(quiet=True), lambda _: None)
    path.write_text("{")
    assert "damaged" in reasons(request)["baseline/seed-0"]


def test_a_batch_has_an_image_for_each_device():
    """A mirrored trial with a batch too small for two devices is refused before training, by its size."""
    mirrored = small_trial(strategy="mirrored", batch_size=3)
    check_batches([mirrored, small_trial(batch_size=2)], 11)
    with pytest.raises(UsageError, match=r"trial small: .* a batch of 1, too few for 2 devices"):
        check_batches([mirrored], 10)


@pytest.mark.parametrize("refused", ["profile", "data"])
def test_another_profile_or_other_data_are_refused_with_nothing_changed(prepared, refused):
    """A bundle takes no runs of another profile or dataset, and stays as it is."""
    request = prepared()
    keep(request)
    if refused == "data":
        stored = read_record(request.folder)
        other = msgspec.structs.replace(stored.dataset, fingerprint="c" * 64)
        write_record(request.folder, msgspec.structs.replace(stored, dataset=other))
    before = contents(request.folder)
    words = {
        "profile": "made with the profile 'smoke', not 'quick'",
        "data": r"other data \(fingerprint cccccccc, not ",
    }
    with pytest.raises(UsageError, match=rf"{words[refused]}.*never mix"):
        prepared(profile="quick" if refused == "profile" else "smoke")
    assert contents(request.folder) == before


def test_a_changed_profile_is_refused_in_the_default_folder_too(tmp_path, monkeypatch):
    """A bundle made when a profile was defined otherwise is not mixed with its new runs, named or not."""
    monkeypatch.chdir(tmp_path)
    request = prepare("smoke", seeds=1, only=["baseline"], data="synthetic", bundle=None, warn=pytest.fail)
    assert request.folder == Path("report/bundle") / f"smoke-{request.dataset.fingerprint[:8]}"
    keep(request)
    old = msgspec.structs.replace(find_profile("smoke"), counts=(10, 10, 10))
    write_record(request.folder, msgspec.structs.replace(read_record(request.folder), profile=old))
    for bundle in (None, request.folder):
        with pytest.raises(UsageError, match="as it is defined now"):
            prepare("smoke", seeds=1, only=["baseline"], data="synthetic", bundle=bundle, warn=pytest.fail)
