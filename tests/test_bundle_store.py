"""The store: after a failure at any step there is the old state or the new one, never a third."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from command import ROOT, contents, environment
from test_bundle_records import record, run

from cifar_report.bundle import (
    Bundle,
    read_run,
    remove_leftovers,
    store,
    write_file,
    write_folder,
    write_record,
    write_run,
)
from cifar_report.bundle.finding import find_bundle
from cifar_report.bundle.manifest import MANIFEST_FILE, bundle_files, write_manifest
from cifar_report.errors import UsageError

OLD = {"run.json": b"old", "weights.npz": b"old weights"}
NEW = {"run.json": b"new", "predictions.npz": b"new predictions"}
STEPS = ("mkdir", "open", "fsync", "rename", "replace", "swap", "rmtree")


class StoppedError(BaseException):
    """Stands for a power cut: nothing that is still to be done happens."""


class Stopper:
    """Counts the store's operations on the disk and, at a given one, stops everything from there on."""

    def __init__(self, patch: pytest.MonkeyPatch, *, at: int | None, before: bool) -> None:
        self.done: list[str] = []
        self._at, self._before = at, before
        for name, owner, function in (
            ("mkdir", Path, "mkdir"),
            ("open", Path, "open"),
            ("rename", Path, "rename"),
            ("replace", Path, "replace"),
            ("unlink", Path, "unlink"),
            ("fsync", os, "fsync"),
            ("swap", store, "_swap"),
            ("rmtree", shutil, "rmtree"),
        ):
            patch.setattr(owner, function, self._watch(name, getattr(owner, function)))

    def _watch(self, name, function):
        def watched(*arguments, **options):
            if self._at is not None and len(self.done) > self._at:
                raise StoppedError  # a machine without power does not tidy up either
            self.done.append(name)
            stops = len(self.done) - 1 == self._at
            if stops and self._before:
                raise StoppedError
            result = function(*arguments, **options)
            if stops:
                if name == "open":
                    result.close()  # as the end of a process would
                raise StoppedError
            return result

        return watched


def visible(folder: Path) -> dict[str, bytes] | None:
    """Return the files that a reader finds in a folder, None where there is no folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.is_dir() else None


def write_until(operation, at, *, before):
    """Carry out an operation that stops at a step; return the names of the steps and whether it came to its end."""
    with pytest.MonkeyPatch.context() as patch:
        stopper = Stopper(patch, at=at, before=before)
        try:
            operation()
        except StoppedError:
            return stopper.done, False
        return stopper.done, True


@pytest.mark.parametrize("before", [True, False], ids=["before the step", "behind the step"])
@pytest.mark.parametrize("old", [None, OLD], ids=["a new folder", "a folder that is there"])
@pytest.mark.parametrize("swaps", [True, False], ids=["with swapping", "without swapping"])
def test_a_folder_is_old_or_new_after_a_stop_at_any_step(tmp_path, monkeypatch, before, old, swaps):
    """Stopped at each of its steps in turn, the store shows the old folder or the new one, and tidies up later.

    Where the system cannot swap two folders in one step, the old one may be away until the next suite looks.
    """
    if not swaps:
        monkeypatch.setattr(store, "_swap", lambda *_: False)
    elif not store._swap(make(tmp_path / "x", OLD), make(tmp_path / "y", NEW)):
        pytest.skip("this file system cannot swap two names in one step")
    for step in range(100):
        folder = tmp_path / str(step) / "runs" / "trial" / "seed-0"
        if old is not None:
            make(folder, old)
        done, ended = write_until(lambda folder=folder: write_folder(folder, NEW), step, before=before)
        if swaps:
            assert visible(folder) in (old, NEW), f"stopped at {done}"
        remove_leftovers(tmp_path / str(step))
        assert visible(folder) in (old, NEW), f"stopped at {done}"
        if folder.parent.is_dir():
            assert {path.name for path in folder.parent.iterdir()} <= {"seed-0"}
        if ended:
            break
    assert visible(folder) == NEW
    assert {"mkdir", "open", "fsync"} <= set(done)
    assert len(done) > 8


def make(folder: Path, files: dict[str, bytes]) -> Path:
    """Make a folder of files."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("before", [True, False], ids=["before the step", "behind the step"])
def test_a_file_is_old_or_new_after_a_stop_at_any_step(tmp_path, before):
    """Stopped at each of its steps in turn, the store shows the old file or the new one."""
    path = tmp_path / "bundle.json"
    for step in range(100):
        path.write_bytes(b"old")
        done, ended = write_until(lambda: write_file(path, b"new"), step, before=before)
        assert path.read_bytes() in (b"old", b"new"), f"stopped at {done}"
        remove_leftovers(tmp_path)
        assert [each.name for each in tmp_path.iterdir()] == ["bundle.json"]
        if ended:
            break
    assert path.read_bytes() == b"new"
    assert {"open", "fsync", "replace"} <= set(done)


def test_a_failed_write_leaves_nothing_behind(tmp_path, monkeypatch):
    """An error while writing keeps the old folder and removes what had been written beside it."""
    folder = make(tmp_path / "seed-0", OLD)
    real = os.fsync

    def full(handle):
        real(handle)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_folder(folder, NEW)
    assert visible(folder) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]


def test_swapping_exchanges_two_folders_in_one_step(tmp_path):
    """After a swap each name shows what the other one showed; where it fails, nothing has changed."""
    one, other = make(tmp_path / "one", OLD), make(tmp_path / "other", NEW)
    swapped = store._swap(one, other)
    assert (visible(one), visible(other)) == ((NEW, OLD) if swapped else (OLD, NEW))
    assert not store._swap(one, tmp_path / "missing")
    assert swapped or sys.platform != "linux"


def test_leftovers_are_removed_and_nothing_else(tmp_path):
    """What killed writers left goes, on every level; finished files, links and what they point to stay."""
    kept = make(tmp_path / "runs" / "trial" / "seed-0", OLD)
    make(kept.parent / ".seed-0.0123abcd.part", NEW)
    make(kept.parent / ".seed-0.0123abcd.old.part", NEW)
    make(kept.parent / ".seed-1.0123abcd.old.part", NEW)
    (tmp_path / ".bundle.json.0123abcd.part").write_bytes(b"")
    outside = make(tmp_path.parent / "outside", OLD)
    (tmp_path / ".link.part").symlink_to(outside)
    remove_leftovers(tmp_path)
    assert visible(kept) == OLD
    assert visible(outside) == OLD
    assert visible(kept.parent / "seed-1") == NEW, "a folder that was moved aside goes back to its place"
    assert sorted(path.name for path in kept.parent.iterdir()) == ["seed-0", "seed-1"]
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


WRITER = """
import sys
from pathlib import Path
from cifar_report.bundle import write_folder
number = 0
while True:
    number += 1
    content = str(number).encode()
    write_folder(Path(sys.argv[1]), {"run.json": content, "weights.npz": content * 5000})
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_a_whole_folder(tmp_path):
    """A process killed while it replaces a folder over and over leaves one whole version of it."""
    folder = tmp_path / "seed-0"
    for attempt in range(5):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], env=environment(), cwd=ROOT, stdout=subprocess.PIPE
        )
        for _ in range(3 + attempt):
            writer.stdout.readline()
        writer.kill()
        writer.communicate()
        files = visible(folder) if sys.platform == "linux" else None
        remove_leftovers(tmp_path)
        files = files or visible(folder)
        assert files["weights.npz"] == files["run.json"] * 5000
        assert [path.name for path in tmp_path.iterdir()] == ["seed-0"]


def test_a_reader_beside_a_writer_always_finds_the_run(tmp_path):
    """While a run is replaced again and again, another process never sees it missing or in part."""
    if not store._swap(make(tmp_path / "x", OLD), make(tmp_path / "y", NEW)):
        pytest.skip("this file system cannot swap two names in one step")
    folder = make(tmp_path / "seed-0", {"run.json": b"0", "weights.npz": b"0" * 5000})
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder)], env=environment(), cwd=ROOT, stdout=subprocess.PIPE
    )
    try:
        writer.stdout.readline()
        for _ in range(300):
            assert (folder / "run.json").read_bytes().isdigit()
    finally:
        writer.kill()
        writer.communicate()


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
    checker = shutil.which("sha256sum")
    if checker is None:
        pytest.skip("this system has no sha256sum")
    check = [checker, "--check", "--strict", "--quiet", MANIFEST_FILE]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "runs/linear/seed-0/log.txt").write_text("another log")
    changed = subprocess.run(check, cwd=tmp_path, capture_output=True, text=True)
    assert changed.returncode == 1
    assert "log.txt: FAILED" in changed.stdout


def test_the_manifest_changes_nothing_but_itself(tmp_path):
    """Writing the manifest again over the same files gives the same bytes, and the files stay."""
    write_record(tmp_path, record())
    write_manifest(tmp_path)
    before = contents(tmp_path)
    write_manifest(tmp_path)
    assert contents(tmp_path) == before
    assert list(bundle_files(tmp_path)) == [tmp_path / "bundle.json"]


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
    failed = run(trials[0], 2)
    write_run(tmp_path, type(failed)(**{**fields(failed), "status": "failed", "stages": (), "error": "e"}), {}, {})
    bundle = Bundle.load(tmp_path)
    assert [(each.trial.id, each.seed) for each in bundle.runs] == [
        (trials[0].id, 2),
        (trials[0].id, 9),
        (trials[0].id, 10),
        (trials[1].id, 0),
    ]
    assert [each.seed for each in bundle.runs_of(trials[0].id)] == [9, 10]
    assert [each.seed for each in bundle.failed_of(trials[0].id)] == [2]
    assert read_run(tmp_path, "nothing/seed-0") is None


def fields(stored):
    """Return a record's fields by name."""
    return {name: getattr(stored, name) for name in stored.__struct_fields__}
