"""Compact runs: what follows from them is what follows from whole ones, and what cannot be recomputed is named."""

import shutil

import numpy as np
import pytest
from command import contents, is_one_sentence
from msgspec.structs import replace
from reports import chapter
from verified import change_record, copied, findings, finish, flip, made, set_in

from cifar_report.analysis import analyse
from cifar_report.analysis.predictions import compacted
from cifar_report.bundle import Bundle, Predictions, encode, read_run, write_folder
from cifar_report.bundle.arrays import COMPACT_FILE, PREDICTIONS_FILE, CompactTable, dump_arrays, load_arrays
from cifar_report.cli import main
from cifar_report.report.i18n import Translation
from cifar_report.report.tables import summary_tables
from cifar_report.report.writer import Writer
from cifar_report.running.environment import record_environment
from cifar_report.spec import PROFILES, json_hash
from cifar_report.spec.experiments import declare
from cifar_report.verify import copies
from cifar_report.verify.integrity import verify_bundle
from cifar_report.verify.rerun import certify

EXPERIMENTS = ("baseline", "model_2", "classical")
RUN = "runs/baseline/seed-1"
KEPT = f"{RUN}/{COMPACT_FILE}"


@pytest.fixture(scope="module")
def whole():
    """Return a finished bundle of two seeds with early stopping and classifiers; it must not be changed."""
    return made(EXPERIMENTS, seeds=2, timing=False)


@pytest.fixture(scope="module")
def small(whole, tmp_path_factory):
    folder = tmp_path_factory.mktemp("compact") / "bundle"
    assert main(["bundle", "copy", "--compact", str(whole), str(folder)]) == 0
    return folder


@pytest.fixture
def bundle(small, tmp_path):
    return copied(tmp_path, small)


def test_every_number_and_verdict_stays_the_same_to_the_last_bit(whole, small):
    """Scores, verdicts, confusion, loss and, as recorded, calibration and examples are those of all probabilities."""
    one, other = analyse(Bundle.load(whole)), analyse(Bundle.load(small))
    assert one.data() == other.data()
    assert one.verdicts == other.verdicts
    assert any(".brier" in name for name in one.data())
    assert one.examples
    networks = [run for run in Bundle.load(small).runs if run.stages]
    assert all(not (small / "runs" / run.id / PREDICTIONS_FILE).exists() for run in networks)
    assert not list(small.rglob("weights.npz"))
    for name in ("run.json", "timing.json"):
        assert (small / RUN / name).read_bytes() == (whole / RUN / name).read_bytes()


def test_verify_recomputes_what_it_can_and_names_the_rest(small, whole, capsys):
    """Verify and the report say what of compact runs is as recorded, and nothing of the kind of whole ones."""
    assert main(["verify", str(small)]) == 0
    out = capsys.readouterr().out
    assert "nothing is wrong" in out
    networks = sum(bool(run.stages) for run in Bundle.load(small).runs)
    assert f"note: compact runs: {networks}; their Brier scores, calibration and examples' probabilities" in out
    judged = verify_bundle(small).counts["test scores recomputed"]
    assert 0 < judged < verify_bundle(whole).counts["test scores recomputed"]
    assert main(["verify", str(whole)]) == 0
    assert "compact" not in capsys.readouterr().out
    page = {each: chapter(writer_of(each), "examples") for each in (small, whole)}
    count = sum(bool(run.stages) for run in Bundle.load(small).runs)
    assert f"{count} runs of this bundle are stored in compact form: their Brier scores" in page[small]
    assert "compact" not in page[whole]


def writer_of(folder):
    loaded = Bundle.load(folder)
    return Writer(loaded, analyse(loaded), Translation("en"), ())


def test_a_run_of_one_stage_is_small_and_a_diverged_one_keeps_its_predictions(tmp_path):
    """A run of one stage keeps at most 50 kB, and a diverged one its predictions but no calibration."""
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(10, dtype=np.uint8), 1_000)[generator.permutation(10_000)]
    logits = generator.normal(size=(10_000, 10)) * 2 + 2 * np.eye(10)[labels]
    table = (np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)).astype(np.float32)
    indices = np.arange(50_000, 60_000, dtype=np.int32)
    run = read_run(made(("baseline",)), "baseline/seed-0")
    stage = run.stages[0].id
    kept = compacted(run, Predictions(indices, labels, {(stage, "last"): table, (stage, "best"): table}))
    assert len(kept.dump()) < 50_000
    (tmp_path / COMPACT_FILE).write_bytes(kept.dump())
    read = Predictions.load(tmp_path / COMPACT_FILE, compact=True)
    assert np.array_equal(read.indices, indices)
    for one, other in zip(read.answers(stage, "last"), (table.argmax(axis=1), table.max(axis=1)), strict=True):
        right = table.argmax(axis=1) == labels
        assert np.array_equal(one[right], other[right])
    table = np.full((4, 10), np.nan, np.float32)
    table[1] = np.eye(10)[3]
    labels = np.array([0, 3, 3, 9], np.uint8)
    whole = Predictions(np.arange(50_000, 50_004, dtype=np.int32), labels, {(run.stages[0].id, "last"): table})
    (tmp_path / COMPACT_FILE).write_bytes(compacted(run, whole).dump())
    (kept,) = Predictions.load(tmp_path / COMPACT_FILE, compact=True).compact.values()
    assert (kept.brier, kept.bins, kept.top) == (None, None, None)
    assert kept.predicted.tolist() == [0, 3, 0, 0]
    assert np.isnan(kept.chosen).tolist() == [True, False, True, True]


CHANGES = {  # of an array whose name ends so: what is found, and where
    "predicted": (lambda each: np.where(np.arange(len(each)) < 9, (each + 1) % 10, each), "top is|bins", KEPT),
    "chosen": (lambda each: each * np.float32(0.9), "top is not the label's probability", KEPT),
    "chosen ": (lambda each: np.where(each == each.min(), each / 64, each), "test loss is", f"{RUN}/run.json"),
    "chosen  ": (lambda each: each + 2, "between 0 and 1", KEPT),
    "brier": (lambda each: each + 3, "brier or bins|brier, bins or top", KEPT),
    "brier ": (lambda each: np.stack([each, each]), "brier must be one number", KEPT),
    "bins": (lambda each: each + 1, "brier, bins or top", KEPT),
    "top": (lambda each: np.where(each > 0, np.nan, each).astype(np.float32), "brier, bins or top", KEPT),
    "steps": (lambda each: each + 1, "its test images or their labels are others", KEPT),
    "labels": (lambda each: each[:-1], "one whole number for each image", KEPT),
    "training.last.chosen": (lambda each: each[:3], "is no table of predictions", KEPT),
    "training.last.predicted": (lambda each: each + np.uint8(7), "predicted must lie between 0 and 9", KEPT),
    "training.last.predicted ": (lambda each: each[None], "one whole number for each image", KEPT),
}


def change_tables(bundle, field, change):
    kept = Predictions.load(bundle / KEPT, compact=True)
    tables = {key: table._replace(**{field: change(getattr(table, field))}) for key, table in kept.compact.items()}
    (bundle / KEPT).write_bytes(Predictions(kept.indices, kept.labels, compact=tables).dump())


@pytest.mark.parametrize("what", CHANGES)
def test_what_does_not_fit_together_is_found_though_every_hash_fits(bundle, what):
    """Changed arrays are named: by the run's scores, or because no predictions can give such numbers."""
    change, problem, place = CHANGES[what]
    field = what.strip()
    if field in CompactTable._fields:
        change_tables(bundle, field, change)
    else:
        arrays = load_arrays(bundle / KEPT)
        (bundle / KEPT).write_bytes(dump_arrays(arrays | {field: change(arrays[field])}))
    finish(bundle)
    assert any(part in findings(bundle)[place] for part in problem.split("|")), findings(bundle)


def test_a_run_that_lacks_both_files_or_has_both_is_named(bundle, whole):
    """The one or the other: without either the predictions are missing, and with both one must go."""
    shutil.copy(whole / RUN / PREDICTIONS_FILE, bundle / RUN)
    finish(bundle)
    assert "stands beside predictions.npz" in findings(bundle)[KEPT]
    (bundle / RUN / PREDICTIONS_FILE).unlink()
    (bundle / KEPT).unlink()
    finish(bundle)
    assert "is missing, though" in findings(bundle)[f"{RUN}/{PREDICTIONS_FILE}"]


def test_nothing_is_made_compact_whose_scores_are_wrong(whole, tmp_path, capsys):
    """What later nothing could show is checked first, and no copy is begun."""
    source = copied(tmp_path, whole)
    run = set_in(read_run(source, "baseline/seed-1"), "stages.0.best.test.accuracy", 0.123)
    (source / RUN / "run.json").write_bytes(encode(run))
    finish(source)
    assert main(["bundle", "copy", "--compact", str(source), str(tmp_path / "new")]) == 1
    assert "cannot be made compact: stage training, best: test accuracy is 0.123" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_archives_and_comparisons_know_compact_runs(small, whole, tmp_path, capsys):
    """A compact bundle is packed and unpacked like any other, and agrees with the whole one in every verdict."""
    assert main(["bundle", "export", str(small), str(tmp_path / "x.tar")]) == 0
    assert main(["bundle", "import", str(tmp_path / "x.tar"), str(tmp_path / "new")]) == 0
    assert contents(tmp_path / "new") == contents(small)
    assert main(["bundle", "copy", "--compact", str(small), str(tmp_path / "again")]) == 0
    assert contents(tmp_path / "again") == contents(small)
    capsys.readouterr()
    assert main(["compare", str(whole), str(small)]) == 0
    out = capsys.readouterr().out
    assert "0 verdicts differ" in out
    assert f"compact runs: 0 against {verify_bundle(small).counts['compact runs']}" in out


def test_training_again_is_compared_with_a_compact_run(small, whole, bundle, tmp_path):
    """The same predictions are bitwise the same by their hash; a changed probability is told with its distance."""
    again, environment = Bundle.load(copied(tmp_path / "again", whole)), record_environment()
    chosen = replace_runs(again, "baseline/seed-1", "model_2/seed-0", "nearest_centroid/once")
    found = certify(Bundle.load(small), chosen, environment)
    assert {each.run: each.level for each in found.reruns} == dict.fromkeys((run.id for run in chosen.runs), "bitwise")
    assert "compact predictions" in found.reruns[0].compared
    change_tables(bundle, "chosen", lambda each: np.where(each == each.min(), each + np.float32(0.01), each))
    (rerun,) = certify(Bundle.load(bundle), replace_runs(again, "baseline/seed-1"), environment).reruns
    assert rerun.level == "numerical"
    assert rerun.largest.probabilities == pytest.approx(0.01, rel=0.01)


def replace_runs(bundle, *ids):
    return Bundle(bundle.folder, bundle.record, tuple(run for run in bundle.runs if run.id in ids))


@pytest.fixture
def target(whole, tmp_path):
    """Return a bundle with the first seed alone and everything that follows from it, which may be changed."""
    folder = copied(tmp_path, whole)
    for path in folder.glob("runs/*/seed-1"):
        shutil.rmtree(path)
    change_record(folder, lambda record: replace(record, seeds=1))
    loaded = Bundle.load(folder)
    write_folder(folder / "tables", summary_tables(loaded, analyse(loaded)))
    finish(folder)
    assert findings(folder) == {}
    return folder


REWRITTEN = ("bundle.json", "tables", "figures", "manifest-sha256.txt")


def test_runs_are_added_compactly_and_no_other_file_is_touched(whole, target, monkeypatch, capsys):
    """Whole and compact runs stand in one bundle that verifies, also after calls that were interrupted."""
    monkeypatch.setattr("cifar_report.report.build.derived_files", without_drawing)
    before = contents(target)
    words = ["bundle", "add", "--compact", str(whole), str(target)]
    for name in ("write_record", "update_manifest", "write_manifest"):
        with monkeypatch.context() as patch:
            patch.setattr(copies, name, interrupt)
            assert main(words) == 130
    assert main(words) == 0
    assert ", there already: " in capsys.readouterr().out
    assert findings(target) == {}
    after = contents(target)
    kept = {name: content for name, content in before.items() if not name.startswith((*REWRITTEN, ".lock"))}
    assert {name: after[name] for name in kept} == kept
    assert {
        name for name in after.keys() - before.keys() if not name.startswith((*REWRITTEN, ".lock", "runs"))
    } == set()
    assert Bundle.load(target).record.seeds == 2
    assert analyse(Bundle.load(target)).data() == analyse(Bundle.load(whole)).data()
    compact = verify_bundle(target).counts["compact runs"]
    assert 0 < compact == sum(run.seed == 1 for run in Bundle.load(target).runs)
    assert main(words) == 0
    assert "runs added: 0, " in capsys.readouterr().out
    changed = {name for name, content in contents(target).items() if after.get(name) != content}
    assert changed <= {"bundle.json", "manifest-sha256.txt", ".lock"}  # the date


def without_drawing(bundle, results):
    """Return what is derived from a bundle, with something in the place of figures, which take long to draw."""
    tables = {f"tables/{name}": content for name, content in summary_tables(bundle, results).items()}
    return tables | {"figures/costs.svg": b"<svg/>"}


def interrupt(*_):
    raise KeyboardInterrupt


def planned(source, **terms):
    bundle = Bundle.load(source)
    ends = {name: 2 for name, trial in bundle.trials.items() if trial.seeded}
    looks = {name: (end,) for name, end in ends.items()}
    plan = declare(looks, bundle.claims, bundle.trials, first=1, **terms)
    change_record(source, lambda record: replace(record, seeds=1, plan=plan, asked=ends))
    return plan


def test_a_declared_confirmation_comes_with_its_runs(whole, target, tmp_path, monkeypatch, capsys):
    """The plan of the added seeds and how many were asked for are taken over; another plan is refused."""
    monkeypatch.setattr("cifar_report.report.build.derived_files", without_drawing)
    source = copied(tmp_path / "source", whole)
    plan = planned(source)
    assert main(["bundle", "add", "--compact", str(source), str(target)]) == 0
    record = Bundle.load(target).record
    assert (record.seeds, record.plan) == (1, plan)
    assert record.asked == Bundle.load(source).record.asked
    assert findings(target) == {}
    planned(source, hours=7.0)
    assert main(["bundle", "add", "--compact", str(source), str(target)]) == 1
    assert "the declared plans of their seeds differ" in capsys.readouterr().err


def other_key(source):
    run = read_run(source, "baseline/seed-0")
    parts = run.key_parts | {"version of keras": "0.1"}
    place = source / "runs" / run.id / "run.json"
    place.write_bytes(encode(replace(run, key_parts=parts, key=json_hash(parts))))


def other_result(source):
    run = set_in(read_run(source, "baseline/seed-0"), "stages.0.history.accuracy.0", 0.5)
    (source / "runs" / run.id / "run.json").write_bytes(encode(run))


def other_trial(source):
    run = set_in(read_run(source, "baseline/seed-1"), "trial.learning_rate", 0.5)
    (source / RUN / "run.json").write_bytes(encode(run))


def in_record(path, value):
    return lambda source: change_record(source, lambda record: set_in(record, path, value))


REFUSED = {
    "another profile": (in_record("profile", PROFILES["quick"]), "the profile is 'quick', not 'smoke'"),
    "a profile of another definition": (
        in_record("profile.least_epochs", 3),
        "the profile is 'smoke', not 'smoke' as it is defined there",
    ),
    "other data": (in_record("dataset.fingerprint", "f" * 64), "the data have the fingerprint ffffffff, not "),
    "another claim": (in_record("experiments.1.claims.0.margin", 0.25), "1 claims differ: "),
    "another key": (other_key, "baseline/seed-0 is in both and not the same (version of keras changed)"),
    "another result": (other_result, "baseline/seed-0 is in both and not the same (the same key, other results)"),
    "another trial": (other_trial, "baseline/seed-1: its trial is not the one that bundle.json plans"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_does_not_belong_together_is_not_added(whole, target, tmp_path, capsys, what):
    """Another profile, other data or claims, or another run of the same name: one sentence, and nothing is changed."""
    change, problem = REFUSED[what]
    source = copied(tmp_path / "source", whole)
    change(source)
    finish(source)
    before = contents(target)
    assert main(["bundle", "add", "--compact", str(source), str(target)]) == 1
    error = capsys.readouterr().err
    assert is_one_sentence(error)
    assert problem in error
    assert {name: each for name, each in contents(target).items() if name != ".lock"} == before


@pytest.mark.parametrize("which", ["source", "target"])
def test_damaged_bundles_and_what_is_none_are_refused(whole, target, tmp_path, capsys, which):
    """A damaged file of either bundle stops the adding, and a folder that is none is bad usage."""
    source = copied(tmp_path / "source", whole)
    flip({"source": source, "target": target}[which] / "runs/baseline/seed-0/timing.json", 3)
    assert main(["bundle", "add", str(source), str(target)]) == 1
    assert "is damaged: runs/baseline/seed-0/timing.json" in capsys.readouterr().err
    words = {"source": [str(tmp_path), str(target)], "target": [str(source), str(tmp_path)]}[which]
    assert main(["bundle", "add", *words]) == 2
    assert f"{tmp_path} is no results bundle" in capsys.readouterr().err
