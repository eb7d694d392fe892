"""``verify`` names whatever is damaged, added, hidden or edited in a bundle, also where every hash was made to fit."""

import json
import os
import random

import numpy as np
import pytest
from command import TRAINING_ALONE, call
from msgspec.structs import replace
from verified import (
    change_record,
    change_run,
    copied,
    edited,
    file_findings,
    files_of,
    findings,
    finish,
    flip,
    made,
    set_in,
)

from cifar_report.bundle import METHOD_VERSION, EpochHashes, Predictions, encode, read_run
from cifar_report.cli import main
from cifar_report.errors import UsageError
from cifar_report.running.environment import processor_name
from cifar_report.verify.integrity import summary, verify_bundle
from cifar_report.verify.records import printable

MANIFEST = "manifest-sha256.txt"
BASELINE, LONGER, CLASSICAL = "baseline/seed-0", "baseline_30_epochs/seed-0", "nearest_centroid/once"
FOLDER = f"runs/{BASELINE}"
RECORD, PREDICTIONS, TIMING = (f"{FOLDER}/{name}" for name in ("run.json", "predictions.npz", "timing.json"))


@pytest.fixture
def bundle(tmp_path):
    return copied(tmp_path)


def test_an_untouched_bundle_verifies_and_says_what_was_checked(capsys):
    """Nothing is found in what the project wrote, and the last line counts files, runs, scores and tables."""
    folder = made()
    assert main(["verify", str(folder)]) == 0
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    assert line.startswith(f"checked {len(files_of(folder)) - 1} files, 8 of 8 planned runs, 10 test scores recomputed")
    assert "5 tables computed again and compared: nothing is wrong" in line


def test_one_flipped_bit_or_a_missing_file_is_found_whichever_it_is(bundle):
    """One turned bit of any file, and its absence, make a finding that names the file."""
    chance = random.Random(5)  # noqa: S311 - which bit it is must be the same in each run
    for name in files_of(bundle):
        bit = chance.randrange(8 * (bundle / name).stat().st_size)
        flip(bundle / name, bit)
        found = file_findings(bundle)
        assert name in found or (name == MANIFEST and MANIFEST in str(found)), (name, bit)
        flip(bundle / name, bit)
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        assert ("is not finished" if name == MANIFEST else "is missing") in file_findings(bundle)[name]
        (bundle / name).write_bytes(content)
    assert findings(bundle) == {}


def test_what_is_no_file_of_the_bundle_is_named_and_not_followed(bundle, tmp_path):
    """Added, swapped, linked and hidden files and pipes are found; nothing behind a link is read."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "run.json").write_text("{}")
    (bundle / "tables" / "more.csv").write_text("a\n1\n")
    (bundle / "tables" / "runs.csv").unlink()
    (bundle / "tables" / "runs.csv").symlink_to("/dev/zero")
    (bundle / "runs" / "linked").symlink_to(tmp_path / "elsewhere")
    (bundle / "figures" / ".secret").write_text("")
    os.mkfifo(bundle / "figures" / "pipe.csv")
    one, other = (f"runs/{run}/once/predictions.npz" for run in ("nearest_neighbor_1", "nearest_neighbor_3"))
    content = (bundle / one).read_bytes()
    (bundle / other).replace(bundle / one)
    (bundle / other).write_bytes(content)
    found = findings(bundle)
    for name, problem in {
        "tables/more.csv": "it was added",
        "tables/runs.csv": "is a link",
        "runs/linked": "is a link",
        "figures/.secret": "it was added",
        "figures/pipe.csv": "a link, a folder or a device",
        one: "was changed",
        other: "was changed",
    }.items():
        assert problem in found[name], name


def test_files_of_a_suite_at_work_and_of_old_bundles_are_no_findings(bundle):
    """Lock, checkpoints and leftovers are no findings, and an old bundle's RO-Crate file is verified by its hash."""
    (bundle / ".lock").write_text("1\n")
    (bundle / ".checkpoints").mkdir()
    (bundle / ".checkpoints" / "baseline.seed-0.npz").write_bytes(b"half")
    (bundle / "runs" / "baseline" / ".run.json.0123abcd.part").write_bytes(b"half")
    assert findings(bundle) == {}
    crate = bundle / "ro-crate-metadata.json"
    crate.write_text("{}")
    finish(bundle)
    assert findings(bundle) == {}
    crate.write_text("{ }")
    assert "was changed" in findings(bundle)[crate.name]


def test_a_bundle_without_a_manifest_is_unfinished(bundle):
    """A missing manifest is one finding that says what it means; the rest is checked all the same."""
    (bundle / MANIFEST).unlink()
    (bundle / PREDICTIONS).write_bytes(b"")
    found = findings(bundle)
    assert "is not finished" in found[MANIFEST]
    assert PREDICTIONS in found


@pytest.mark.parametrize(
    "line", [b"no hash  bundle.json\n", b"\xff\xfe\n", b"0" * 64 + b"  a\n" + b"0" * 64 + b"  a\n"]
)
def test_a_bad_line_of_the_manifest_is_named(bundle, line):
    """Lines that cannot be right, or stand there twice, are a finding about the manifest."""
    (bundle / MANIFEST).write_bytes(line + (bundle / MANIFEST).read_bytes())
    assert "no list of files" in findings(bundle)[MANIFEST]


def test_all_findings_come_in_one_pass_and_names_reach_no_terminal_raw(bundle, capsys):
    """Several damages are all named in one call, one printable line each, and the exit status is 1."""
    names = ("tables/data.csv", "figures/costs.svg", f"{FOLDER}/kernels.npz")
    for name in names:
        flip(bundle / name, 7)
    (bundle / "tables" / "\x1b[2Jcleared.csv").write_text("")
    (bundle / "tables" / os.fsdecode(b"\xff.csv")).write_text("")
    assert main(["verify", str(bundle)]) == 1
    out = capsys.readouterr().out
    assert all(any(line.startswith(f"{name}: ") for line in out.splitlines()) for name in names)
    assert "things are wrong" in out.splitlines()[-1]
    assert "\\x1b[2Jcleared.csv" in out
    assert "\x1b" not in out
    assert printable("\udcff") == "\\udcff"


DAMAGES = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "no text": lambda content: b"\xff" + content,
    "another kind": lambda _: b"[]",
    "nothing in it": lambda _: b"{}",
    "nested": lambda _: b"[" * 100_000,
    "a newer version": lambda _: b'{"schema_version": 99}',
    "an unknown field": lambda content: content.replace(b"{", b'{"more": 1,', 1),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["bundle.json", RECORD, TIMING, "timing/timing.json"])
def test_a_record_that_cannot_be_read_is_named_without_a_traceback(bundle, name, damage):
    """Whatever a record holds, and with hashes that fit, its file is named and nothing is raised."""
    (bundle / name).write_bytes(damage((bundle / name).read_bytes()))
    if name != "bundle.json":
        finish(bundle)
    assert name in findings(bundle)


def test_a_folder_that_is_no_bundle_is_bad_usage(tmp_path, capsys):
    """Neither record nor manifest: there is nothing to verify, and the exit status is 2."""
    with pytest.raises(UsageError, match="no results bundle"):
        verify_bundle(tmp_path)
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
    assert "no results bundle" in capsys.readouterr().err


NUMBERS = {  # a field of a run's record, another value, and the finding
    "stages.0.last.test.accuracy": (lambda old: old + 0.005, "test accuracy is"),
    "stages.0.best.test.accuracy": (lambda old: old + 0.005, "test accuracy is"),
    "stages.0.last.test.loss": (lambda old: old * 1.00001, "test loss is"),
    "stages.0.best.test.loss": (None, "test loss is None, but"),
    "stages.0.last.validation.accuracy": (0.99, "not those of epoch 1"),
    "stages.0.best.validation.loss": (0.001, "not those of epoch 1"),
    "parameters_total": (1, "parameters_total is 1"),
    "parameters_trainable": (1, "parameters_trainable is 1"),
    "macs": (1, "macs is 1"),
    "trial.learning_rate": (0.01, "its trial is not the one that bundle.json plans"),
    "trial.stages.0.epochs": (7, "where 7 were to be trained"),
    "key_parts.dataset": ("0" * 64, "key part 'dataset'"),
    "key_parts.seed": ("1", "key part 'seed'"),
    "key_parts.split": ("0", "key part 'split'"),
    "classical.test_accuracy": (0.5, "but its predictions give"),
}


@pytest.mark.parametrize(("field", "case"), NUMBERS.items(), ids=NUMBERS)
def test_an_edited_number_is_found_though_every_hash_fits(bundle, field, case):
    """Whoever edits a run's record and then makes all hashes and keys fit is found by what must agree with it."""
    value, problem = case
    run_id = CLASSICAL if field.startswith("classical") else BASELINE
    change_run(bundle, run_id, lambda run: set_in(run, field, value))
    assert problem in findings(bundle)[f"runs/{run_id}/run.json"]


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("key", "0" * 64, "key is '000"),
        ("spec_hash", "0" * 64, "spec_hash is '000"),
        ("files", {}, "lists no predictions.npz"),
    ],
)
def test_hashes_of_a_record_are_those_of_what_they_stand_for(bundle, field, value, problem):
    """A key, a hash or a list of files that belongs to something else is found, the manifest fitting."""
    (bundle / RECORD).write_bytes(encode(set_in(read_run(bundle, BASELINE), field, value)))
    finish(bundle)
    assert problem in findings(bundle)[RECORD]


STREAMS = {
    "the random stream 'order'": lambda run, value: set_in(run, "streams", {"order": value}),
    "the order of the images in stage 1, epoch 1": lambda run, value: set_in(
        run, "stages.0.hashes", (EpochHashes(order=value, weights="0"),)
    ),
}


@pytest.mark.parametrize(("problem", "change"), STREAMS.items(), ids=STREAMS)
def test_runs_of_one_seed_share_their_random_streams(bundle, problem, change):
    """Another fingerprint of a stream, or another order of the images, than in the other runs of a seed is found."""
    for run_id, value in ((BASELINE, "a"), (LONGER, "a")):
        change_run(bundle, run_id, lambda run, value=value: change(run, value))
    assert findings(bundle) == {}
    change_run(bundle, LONGER, lambda run: change(run, "b"))
    assert f"{problem} is another than that of {BASELINE}" in findings(bundle)[f"runs/{LONGER}/run.json"]


def test_a_seed_and_a_trial_that_are_not_planned_are_found(bundle):
    """A run belongs to a seed and a trial that the bundle's record knows."""
    run = set_in(set_in(read_run(bundle, BASELINE), "seed", 3), "key_parts.seed", "3")
    (bundle / "runs" / "baseline" / "seed-0").rename(bundle / "runs" / "baseline" / "seed-3")
    (bundle / "runs" / "baseline" / "seed-3" / "run.json").write_bytes(encode(run))
    change_run(bundle, "baseline/seed-3", lambda run: run)
    assert "seed 3 is not among the 1 seeds" in findings(bundle)["runs/baseline/seed-3/run.json"]

    def without_baseline(record):
        kept = (tuple(trial for trial in each.trials if trial.id != "baseline") for each in record.experiments)
        experiments = [
            replace(each, trials=trials, claims=()) for each, trials in zip(record.experiments, kept, strict=True)
        ]
        return set_in(record, "experiments", tuple(experiments))

    change_record(bundle, without_baseline)
    assert "plans no trial baseline" in findings(bundle)["runs/baseline/seed-3/run.json"]


def test_an_edited_margin_shows_in_the_hash_of_the_claims(bundle):
    """A margin that was edited shows in the claims' hash; a record from before the method had a version is read."""
    content = json.loads((bundle / "bundle.json").read_bytes())
    del content["method_version"]
    (bundle / "bundle.json").write_text(json.dumps(content))
    finish(bundle)
    assert findings(bundle) == {}
    change_record(bundle, lambda record: set_in(record, "experiments.1.claims.0.margin", 0.5))
    assert "claims_hash is not the hash" in findings(bundle)["bundle.json"]


KEY = ("training", "last")
TABLES = {  # what becomes of indices, labels and the tables of probabilities, by the finding
    "test accuracy is": lambda i, y, p: (i, y, p | {KEY: np.eye(10, dtype=np.float32)[y]}),
    "or their labels are others": lambda i, y, p: (i, edited(y, 0, (y[0] + 1) % 10), p),
    "its test images": lambda i, y, p: (edited(i, 0, 59_999), y, p),
    "must hold test images": lambda i, y, p: (edited(i, 0, 5), y, p),
    "each of them once": lambda i, y, p: (edited(i, 0, i[1]), y, p),
    "where the data have 200": lambda i, y, p: (i[1:], y[1:], {key: table[1:] for key, table in p.items()}),
    "probabilities between 0 and 1": lambda i, y, p: (i, y, p | {KEY: -p[KEY]}),
    "must hold the last and the best": lambda i, y, p: (i, y, {KEY: p[KEY]}),
    "or a classifier's predictions": lambda i, y, p: (i, y, p, y),
    "test loss is": lambda i, y, p: (i, y, p | {KEY: np.full_like(p[KEY], np.nan)}),
    "do not add up to 1": lambda i, y, p: (i, y, p | {KEY: edited(p[KEY], 0, p[KEY][0] * np.float32(0.9999))}),
}


@pytest.mark.parametrize("problem", TABLES)
def test_edited_predictions_are_found_though_every_hash_fits(bundle, problem):
    """Predictions that were edited contradict the scores, other runs or themselves."""
    whole = Predictions.load(bundle / PREDICTIONS)
    spoilt = Predictions(*TABLES[problem](whole.indices, whole.labels, whole.probabilities))
    change_run(bundle, BASELINE, lambda run: run, predictions=spoilt.dump())
    found = findings(bundle)
    assert problem in found.get(PREDICTIONS, "") + found.get(RECORD, "")


def test_a_probability_of_zero_bounds_the_loss_from_below(bundle):
    """Where a label's probability was flushed to zero the loss may be larger than recomputed, never smaller."""
    whole = Predictions.load(bundle / PREDICTIONS)
    tables = {}
    for key, table in whole.probabilities.items():
        tables[key] = np.array(table)
        place = int(np.flatnonzero(table.argmax(axis=1) != whole.labels)[0])
        tables[key][place] = np.eye(10, dtype=np.float32)[(whole.labels[place] + 1) % 10]
    chosen = tables["training", "last"][np.arange(200), whole.labels].astype(float)
    least = float(np.mean(-np.log(np.maximum(chosen, np.finfo(np.float32).tiny))))
    for loss, right in ((least, True), (least + 1, True), (least - 0.01, False)):

        def change(run, loss=loss):
            for each in ("last", "best"):
                run = set_in(run, f"stages.0.{each}.test.loss", loss)
            return run

        change_run(bundle, BASELINE, change, predictions=Predictions(whole.indices, whole.labels, tables).dump())
        assert ("test loss is" not in findings(bundle).get(RECORD, "")) is right


def test_weights_may_be_left_out_and_nothing_else(bundle):
    """Weights that a run lists and neither the folder nor the manifest has were left out on purpose: that is said."""
    change_run(bundle, BASELINE, lambda run: run, weights=b"whatever")
    (bundle / FOLDER / "weights.npz").unlink()
    assert "is missing" in findings(bundle)[f"{FOLDER}/weights.npz"]
    finish(bundle)
    report = verify_bundle(bundle)
    assert report.findings == []
    assert "0 networks' weights (1 have none: they were left out)" in summary(report)
    (bundle / PREDICTIONS).unlink()
    finish(bundle)
    assert "is missing" in findings(bundle)[PREDICTIONS]


def test_edited_tables_are_found_cell_by_cell(bundle):
    """A table that does not follow from the numbers is named with the cell and both values, though the hashes fit."""
    table = bundle / "tables" / "runs.csv"
    text, accuracy = table.read_text(), repr(read_run(bundle, BASELINE).stages[0].last.test.accuracy)
    table.write_text(text.replace(accuracy, "0.987", 1))
    (bundle / "tables" / "data.csv").write_bytes(b"\xff")
    (bundle / "tables" / "trials.csv").write_text("one line\n")
    (bundle / "tables" / "more.csv").write_text("a\n1\n")
    finish(bundle)
    found = findings(bundle)
    assert f"'0.987', but the numbers give '{accuracy}'" in found["tables/runs.csv"]
    assert "last_test_accuracy" in found["tables/runs.csv"]
    assert "cannot be read as a table" in found["tables/data.csv"]
    assert "has 1 lines" in found["tables/trials.csv"]
    assert "no such table" in found["tables/more.csv"]


def test_an_edited_number_without_its_predictions_shows_in_the_tables(bundle):
    """Train accuracies cannot be recomputed, but the tables computed from the true one give it away."""
    for place in ("last", "best"):
        change_run(bundle, BASELINE, lambda run, place=place: set_in(run, f"stages.0.{place}.train.accuracy", 0.9))
    found = findings(bundle)
    assert "but the numbers give '0.9'" in found["tables/runs.csv"]
    assert RECORD not in found


def test_the_last_digits_of_a_table_may_differ_and_nothing_more(bundle):
    """Other processors and libraries round otherwise; anything more is a finding."""
    table, loss = bundle / "tables" / "runs.csv", read_run(bundle, BASELINE).stages[0].last.test.loss
    text = table.read_text()
    for factor, right in ((1 + 1e-13, True), (1.001, False)):
        table.write_text(text.replace(repr(loss), repr(loss * factor), 1))
        assert table.read_text() != text
        finish(bundle)
        assert (findings(bundle) == {}) is right


def test_tables_of_another_method_are_not_compared(bundle):
    """Another version of the method computes other numbers: that is told, and everything else is checked."""
    change_record(bundle, lambda record: set_in(record, "method_version", METHOD_VERSION + 1))
    (bundle / "tables" / "runs.csv").write_text("another\n")
    finish(bundle)
    report = verify_bundle(bundle)
    assert report.findings == []
    assert f"by version {METHOD_VERSION + 1} of the method" in report.notes[0]
    assert report.counts["test scores recomputed"] == 10


def test_without_its_packages_or_its_success_the_analysis_alone_is_not_checked(bundle, tmp_path, monkeypatch):
    """Without the report's packages all but tables is checked, and an analysis that fails is a finding."""
    called = call("verify", str(bundle), cwd=tmp_path, command=TRAINING_ALONE)
    assert (called.status, called.err) == (0, "")
    assert "note: tables were not computed again without statsmodels" in called.out
    assert "10 test scores recomputed" in called.out
    monkeypatch.setattr("cifar_report.analysis.analyse", lambda _: 1 / 0)
    assert "cannot be computed from the numbers (ZeroDivisionError" in findings(bundle)["bundle.json"]


def test_failed_runs_verify_and_are_counted(tmp_path):
    """A failed run has no results to recompute but may have a log, and the summary says how many failed."""
    failed = copied(tmp_path, made(("baseline",), derived=False, failed=(("baseline", 0),), timing=False))
    (failed / TIMING).unlink()
    (failed / FOLDER / "log.txt").write_bytes(b"Fatal Python error: Aborted\n\xff")
    finish(failed)
    report = verify_bundle(failed)
    assert report.findings == []
    assert "2 of 2 planned runs (1 failed)" in summary(report)


AMD = "model name\t: AMD EPYC\ncpu family\t: 25\nmodel\t\t: 17\nflags\t\t: "


@pytest.mark.parametrize(
    ("lines", "name"),
    [
        (f"{AMD}avx avx2 avx512f", "AMD EPYC (family 25, model 17, AVX-512)"),
        (f"{AMD}avx2 avx", "AMD EPYC (family 25, model 17, AVX2)"),
        (f"{AMD}sse2", "AMD EPYC (family 25, model 17, no AVX)"),
        ("model name\t: ARMv7 Processor", "ARMv7 Processor"),
        ("CPU part\t: 0xd0c", None),
    ],
)
def test_processors_of_one_name_are_told_apart(tmp_path, lines, name):
    """Machines rent out several generations under one name: design and instructions tell which it was, where known."""
    information = tmp_path / "cpuinfo"
    information.write_text(f"processor\t: 0\n{lines}\n\nprocessor\t: 1\n{lines.replace('25', '26')}\n\n")
    assert processor_name(information) == (name or processor_name(tmp_path / "nothing"))
