"""What the coordinator keeps of runs that fail, and which checkpoints stay."""

import errno
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from networks import small_trial

from cifar_report.bundle import read_run
from cifar_report.errors import SuiteError
from cifar_report.running import worker
from cifar_report.running.keeping import CHECKPOINTS, Keeper
from cifar_report.running.lanes import Lane
from cifar_report.running.plan import PlannedRun
from cifar_report.running.worker import Failure, Task, execute, scratch_of

PLANNED = PlannedRun(small_trial(), 0, 1.0)


@pytest.fixture
def keeper(tmp_path) -> Keeper:
    """Return the keeper of an empty bundle."""
    return Keeper(SimpleNamespace(folder=tmp_path), {PLANNED.id: {"spec": "x"}})


def checkpoint_of(keeper: Keeper) -> Path:
    """Write a checkpoint where the keeper looks for it."""
    path = keeper._checkpoint(PLANNED)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"state")
    return path


def test_a_failed_run_keeps_its_checkpoint(keeper, tmp_path):
    """A worker that dies twice costs the epoch in flight alone: the next call goes on from the checkpoint."""
    path = checkpoint_of(keeper)
    assert keeper.keep(PLANNED, Failure("The worker died."), Lane("1", ())) == "failed: The worker died."
    assert keeper.failures == [PLANNED.id]
    assert read_run(tmp_path, PLANNED.id).status == "failed"
    assert path.read_bytes() == b"state"


def test_the_last_words_of_a_worker_that_died_stand_in_the_runs_folder(keeper, tmp_path):
    """Whoever asks why a run failed finds what its last worker printed beside the record."""
    log = tmp_path / "runs" / PLANNED.id / "log.txt"
    keeper.keep(PLANNED, Failure("It died.", b"last words\n"), Lane("1", ()))
    assert log.read_bytes() == b"last words\n"
    assert read_run(tmp_path, PLANNED.id).files == {}


def test_temporary_files_of_a_run_lie_beside_its_checkpoint(keeper):
    """What a killed worker left is gone when the run begins again, and when it is recorded as failed."""
    path = checkpoint_of(keeper)
    left = scratch_of(path) / "left"
    left.parent.mkdir()
    left.touch()
    with worker._scratch_folder(path):
        assert Path(tempfile.mkdtemp()).parent == left.parent
        assert not left.exists()
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert Path(tempfile.gettempdir()) != left.parent
    left.parent.mkdir()
    keeper.keep(PLANNED, Failure("It died."), Lane("1", ()))
    assert not left.parent.exists()


def test_checkpoints_of_finished_runs_are_removed_and_no_others(keeper, tmp_path):
    """What a suite left that was killed between a run and its tidying up goes at the end of the next pass."""
    path = checkpoint_of(keeper)
    other = path.with_name("another.seed-0.npz")
    other.write_bytes(b"state")
    keeper.drop_checkpoints([PLANNED])
    assert [each.name for each in (tmp_path / CHECKPOINTS).iterdir()] == [other.name]
    other.unlink()
    keeper.drop_checkpoints([PLANNED])
    assert not (tmp_path / CHECKPOINTS).exists()
    keeper.drop_checkpoints([PLANNED])


def test_no_checkpoint_is_written_through_a_link(keeper, tmp_path):
    """A folder of checkpoints that is a link is refused before anything is trained."""
    (tmp_path / "outside").mkdir()
    (tmp_path / CHECKPOINTS).symlink_to(tmp_path / "outside")
    with pytest.raises(SuiteError, match="is a link"):
        keeper.drop_checkpoints([PLANNED])


class ResourceExhaustedError(Exception):
    """Stands for TensorFlow's error of that name."""


def caused_by(error, cause):
    """Return an error that another one led to."""
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    ("error", "memory"),
    [
        (MemoryError("no room"), True),
        (ResourceExhaustedError(), True),
        (OSError(errno.ENOMEM, os.strerror(errno.ENOMEM)), True),
        (ImportError("libtensorflow_cc.so.2: failed to map segment from shared object"), True),
        (RuntimeError("can't start new thread"), True),
        (caused_by(ValueError("x"), MemoryError()), True),
        (caused_by(ValueError("x"), KeyError("y")), False),
        (OSError(errno.EIO, os.strerror(errno.EIO)), False),
        (ImportError("no module"), False),
        (ValueError("cannot allocate memory"), False),
    ],
    ids=repr,
)
def test_a_worker_says_when_its_memory_ended(monkeypatch, tmp_path, error, memory):
    """An error for want of memory is marked as one, whoever raises it and whatever it leads to; others are not."""

    def fail(*_):
        raise error

    monkeypatch.setattr(worker, "_train", fail)
    product = execute(Task("x/seed-0", small_trial(), 0, None, 1.0, None, "key", tmp_path / "c.npz"))
    assert product.outcome is None
    assert product.out_of_memory is memory
    assert type(error).__name__ in product.error
