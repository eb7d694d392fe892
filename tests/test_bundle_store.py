"""Files of a bundle: commits, leftovers, the manifest, copies without weights, and which bundle is found.

Power cuts and full disks at every step are tried in ``test_faults``.
"""

import os
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest
from command import contents
from data_samples import write_files
from reports import small_bundle
from test_bundle_records import record, run

from cifar_report.bundle import Bundle, find_bundle, read_run, remove_leftovers, write_folder, write_record, write_run
from cifar_report.bundle.store import MANIFEST_FILE, bundle_files, write_manifest
from cifar_report.cli import main
from cifar_report.errors import UsageError
from cifar_report.verify.copies import copy_numbers

OLD = {"run.json": b"old", "weights.npz": b"old weights"}
NEW = {"predictions.npz": b"new predictions", "run.json": b"new"}


def visible(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.startswith(".")}


def test_a_folder_holds_what_was_written_last(tmp_path):
    """Files of an earlier call, folders and links are gone, and what a link led to stays."""
    folder, outside = write_files(tmp_path / "seed-0", OLD), write_files(tmp_path / "outside", OLD)
    (folder / "predictions.npz").symlink_to(outside / "weights.npz")
    (folder / "folder").mkdir()
    write_folder(folder, NEW)
    assert visible(folder) == NEW
    assert visible(outside) == OLD


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    """What interrupted writers left goes, on every level; finished files, links and what they point to stay."""
    kept = write_files(tmp_path / "runs" / "trial" / "seed-0", OLD)
    write_files(kept.parent / ".seed-0.0123abcd.part", NEW)
    write_files(kept.parent / ".seed-1.0123abcd.old.part", NEW)  # of an earlier version
    (tmp_path / ".bundle.json.0123abcd.part").write_bytes(b"")
    outside = write_files(tmp_path.parent / "outside", OLD)
    (tmp_path / ".link.part").symlink_to(outside)
    remove_leftovers(tmp_path)
    assert visible(kept) == visible(outside) == OLD
    assert [path.name for path in kept.parent.iterdir()] == ["seed-0"]
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_the_manifest_is_what_sha256sum_checks(tmp_path):
    """``sha256sum --check`` accepts the manifest as it is, and names a file that was changed later."""
    write_record(tmp_path, record())
    write_run(tmp_path, run(), {"weights.npz": b"w"}, {"log.txt": b"a log"})
    (tmp_path / ".lock").write_text("1")
    (tmp_path / "link").symlink_to("bundle.json")
    write_manifest(tmp_path)
    listed = [line[66:] for line in (tmp_path / MANIFEST_FILE).read_text().splitlines()]
    run_files = [f"runs/linear/seed-0/{name}" for name in ("log.txt", "run.json", "weights.npz")]
    assert listed == ["bundle.json", *run_files]
    before = contents(tmp_path)
    write_manifest(tmp_path)
    assert contents(tmp_path) == before
    assert [path.relative_to(tmp_path).as_posix() for path in bundle_files(tmp_path)] == listed
    checker = shutil.which("sha256sum")
    if checker is None:
        pytest.skip("this system has no sha256sum")
    check = [checker, "--check", "--strict", "--quiet", MANIFEST_FILE]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "runs/linear/seed-0/log.txt").write_text("another log")
    changed = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert changed.returncode == 1
    assert "log.txt: FAILED" in changed.stdout


def test_the_report_takes_the_bundle_that_was_written_last(tmp_path, monkeypatch):
    """Without a name the bundle written last is found, a profile narrows the choice, and nothing is an error."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="there is no bundle below"):
        find_bundle(None)
    for age, name in ((30, "quick-aa"), (10, "smoke-bb"), (20, "smoke-cc")):
        folder = Path("report/bundle") / name
        write_record(folder, record())
        os.utime(folder / "bundle.json", (1e9 - age, 1e9 - age))
    assert find_bundle(None).name == "smoke-bb"
    assert find_bundle(None, "quick").name == "quick-aa"
    assert find_bundle(Path("report/bundle/smoke-cc")).name == "smoke-cc"
    for named, profile in ((None, "full"), (Path("report"), None), (Path("report/bundle/smoke-cc"), "full")):
        with pytest.raises(UsageError):
            find_bundle(named, profile)


def test_runs_come_in_the_order_of_the_experiments_then_by_seed(tmp_path):
    """A bundle sorts its runs as the experiments do, numerically by seed, and keeps failed ones apart."""
    stored = record()
    write_record(tmp_path, stored)
    trials = [trial for experiment in stored.experiments for trial in experiment.trials if trial.seeded][:2]
    for trial, seed in ((trials[1], 0), (trials[0], 10), (trials[0], 9)):
        write_run(tmp_path, run(trial, seed), {}, {})
    failed = msgspec.structs.replace(run(trials[0], 2), status="failed", stages=(), error="e")
    write_run(tmp_path, failed, {}, {})
    bundle = Bundle.load(tmp_path)
    order = [(trials[0].id, 2), (trials[0].id, 9), (trials[0].id, 10), (trials[1].id, 0)]
    assert [(each.trial.id, each.seed) for each in bundle.runs] == order
    assert [each.seed for each in bundle.runs_of(trials[0].id)] == [9, 10]
    assert [each.seed for each in bundle.failed_of(trials[0].id)] == [2]
    assert read_run(tmp_path, "nothing/seed-0") is None


@pytest.fixture
def source(tmp_path):
    """Return a bundle with weights, and with a hidden file that is no part of it."""
    folder = tmp_path / "source"
    shutil.copytree(small_bundle("baseline", seeds=2).folder, folder)
    for each in Bundle.load(folder).runs:
        (folder / "runs" / each.id / "weights.npz").write_bytes(b"weights")
    (folder / ".lock").write_text("1")
    write_manifest(folder)
    return folder


def test_everything_but_the_weights_is_copied_byte_for_byte(source, tmp_path, capsys):
    """A copy has all but the weights, byte for byte; the command copies a finished bundle alone."""
    target = tmp_path / "target"
    size = copy_numbers(source, target)
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert {path.relative_to(source).as_posix() for path in source.rglob("*.json")} <= names
    assert not any("weights" in name or name.startswith(".") for name in names)
    for name in names - {MANIFEST_FILE}:
        assert (target / name).read_bytes() == (source / name).read_bytes()
    assert Bundle.load(target).runs == Bundle.load(source).runs
    listed = {line.split("  ")[1] for line in (target / MANIFEST_FILE).read_text().splitlines()}
    assert listed == names - {MANIFEST_FILE}
    assert size == sum((target / name).stat().st_size for name in listed)
    assert main(["bundle", "copy", str(source), str(tmp_path / "copy")]) == 0
    assert " bytes, all numbers and no weights" in capsys.readouterr().out
    assert Bundle.load(tmp_path / "copy").runs == Bundle.load(source).runs
    (source / "bundle.json").write_bytes((source / "bundle.json").read_bytes() + b" ")
    assert main(["bundle", "copy", str(source), str(tmp_path / "other")]) == 1
    assert "bundle.json" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_a_copy_never_falls_into_a_folder_that_holds_something(source, tmp_path):
    """A target that is not empty, and a source that is no bundle, are refused and stay as they are."""
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(UsageError, match="no empty folder"):
        copy_numbers(source, tmp_path)
    with pytest.raises(UsageError, match="no results bundle"):
        copy_numbers(tmp_path, tmp_path / "target")
    assert (tmp_path / "kept").read_text() == "kept"
    assert not (tmp_path / "target").exists()
