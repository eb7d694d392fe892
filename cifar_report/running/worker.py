"""The worker process: one core, one thread, one run after the other; TensorFlow is imported here only."""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from cifar_report.data import Dataset, Split, split
from cifar_report.running.log import redirect_output, take_log
from cifar_report.spec import AnyTrial, ClassicalTrial

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cifar_report.training.outcome import Outcome, Progress

RESOURCES_EXHAUSTED = "ResourceExhaustedError"  # TensorFlow's MemoryError, by name: it may not be imported here
# What the system's linker and Python's threads say in errors of other kinds when there is no memory for them.
NO_MEMORY = ("failed to map segment", "cannot allocate memory", "can't start new thread")


@dataclass(frozen=True)
class Task:
    """One run for a worker: small, picklable, complete."""

    run_id: str
    trial: AnyTrial  # with the profile's epochs
    seed: int | None
    dataset: Dataset
    fraction: float
    counts: tuple[int, int, int] | None
    key: str
    checkpoint: Path  # where a network keeps its state between epochs


@dataclass(frozen=True)
class Product:
    """What came of a task: an outcome, or the traceback of what stopped it."""

    outcome: Outcome | None
    error: str | None
    log: bytes
    started: str  # ISO 8601, UTC
    finished: str
    seconds: float
    memory_bytes: int  # resident now
    peak_memory_bytes: int
    out_of_memory: bool = False  # what stopped it, so that a fresh process may do better


@dataclass(frozen=True)
class Failure:
    """What there is of a run that has no product: why, and the end of what its last worker printed."""

    error: str
    log: bytes = b""


@dataclass
class _State:
    """What a worker process keeps between tasks."""

    progress: Connection | None = None
    mirrored: bool = False
    logging: bool = False


_state = _State()


def start(cores: tuple[int, ...], mirrored: bool, progress: Connection, log: int | None) -> None:
    """Prepare a fresh process: pin it and send its output to a log; TensorFlow waits for the first network.

    Ctrl-C is the coordinator's business; a worker whose parent is gone ends itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    _state.progress = progress
    _state.mirrored = mirrored
    redirect_output(log)
    faulthandler.enable()  # where a library brings the process down, the log says in which line
    _state.logging = True


def execute(task: Task) -> Product:
    """Carry out one task; whatever it raises becomes part of the product, so that the other runs go on."""
    started, clock = _now(), time.perf_counter()
    outcome, error, out_of_memory = None, None, False
    try:
        outcome = _train(task, _sender(task.run_id))
    except Exception as problem:  # noqa: BLE001 - a failed run is recorded with its traceback
        error = traceback.format_exc()
        out_of_memory = lacks_memory(problem)
    process = psutil.Process()
    memory = process.memory_info().rss
    return Product(
        outcome=outcome,
        error=error,
        log=_take_log(),
        started=started,
        finished=_now(),
        seconds=time.perf_counter() - clock,
        memory_bytes=memory,
        peak_memory_bytes=max(memory, peak_memory(process)),
        out_of_memory=out_of_memory,
    )


def lacks_memory(problem: BaseException) -> bool:
    """Whether an error, or one that led to it, came for want of memory."""
    if isinstance(problem, MemoryError) or type(problem).__name__ == RESOURCES_EXHAUSTED:
        return True
    text = str(problem).lower()
    if isinstance(problem, (OSError, ImportError, RuntimeError)) and any(words in text for words in NO_MEMORY):
        return True
    before = problem.__cause__ or problem.__context__
    return before is not None and lacks_memory(before)


def _train(task: Task, watch: Callable[[Progress], None]) -> Outcome:
    images, labels = _images(task.dataset), task.dataset.labels()
    parts = _split(task.dataset, task.trial.split_seed, task.fraction, task.counts)
    if isinstance(task.trial, ClassicalTrial):
        from cifar_report.training.classical import fit_classifier

        return fit_classifier(task.trial, images, labels, parts, watch)
    if task.seed is None:
        raise ValueError(f"{task.run_id}: a network needs a seed")
    _start_tensorflow()
    from cifar_report.training.network import Resumption, train_network

    resumption = Resumption(task.checkpoint, task.key)
    with _scratch_folder(task.checkpoint):
        return train_network(task.trial, task.seed, images, labels, parts, resumption=resumption, watch=watch)


@contextmanager
def _scratch_folder(checkpoint: Path) -> Iterator[None]:
    """Let temporary files lie beside the checkpoint: the next attempt removes what a killed one left there."""
    folder, before = scratch_of(checkpoint), tempfile.tempdir
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
        shutil.rmtree(folder, ignore_errors=True)


def scratch_of(checkpoint: Path) -> Path:
    """Return the folder of a run's temporary files; its name marks it as a leftover where it outlives its run."""
    return checkpoint.with_name(f".{checkpoint.stem}.part")


@cache
def _start_tensorflow() -> None:
    """Fix TensorFlow's threads and devices, once in a process."""
    from cifar_report.training.engine import configure

    configure(mirrored=_state.mirrored)


@cache
def _images(dataset: Dataset) -> npt.NDArray[np.uint8]:
    """Map the images once in a process: each further map would count against its memory again."""
    return dataset.images("c")


@cache
def _split(dataset: Dataset, split_seed: int, fraction: float, counts: tuple[int, int, int] | None) -> Split:
    return split(dataset.labels(), split_seed=split_seed, fraction=fraction, counts=counts)


def _sender(run_id: str) -> Callable[[Progress], None]:
    def send(progress: Progress) -> None:
        if _state.progress is not None:
            _state.progress.send((run_id, progress))

    return send


def _take_log() -> bytes:
    return take_log() if _state.logging else b""


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def peak_memory(process: psutil.Process) -> int:
    """Return the most memory that this process has held, bytes; what it holds now counts, the record lags behind."""
    return max(int(process.memory_info().rss), _recorded_peak(process))


def _recorded_peak(process: psutil.Process) -> int:
    try:
        import resource
    except ImportError:  # Windows
        return int(process.memory_info().peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
