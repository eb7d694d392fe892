"""The worker process: one core, one thread, one run after the other; TensorFlow is imported here only."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from cifar_report.data import Dataset, Split, split
from cifar_report.spec import AnyTrial, ClassicalTrial

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from cifar_report.training.outcome import Outcome, Progress

MOST_LOG_BYTES = 2**20
RESOURCES_EXHAUSTED = "ResourceExhaustedError"  # TensorFlow's MemoryError, by name: it may not be imported here


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


@dataclass
class _State:
    """What a worker process keeps between tasks."""

    progress: Connection | None = None
    mirrored: bool = False
    logging: bool = False


_state = _State()


def start(cores: tuple[int, ...], mirrored: bool, progress: Connection) -> None:
    """Prepare a fresh process: pin it and send its output to a log; TensorFlow waits for the first network.

    Ctrl-C is the coordinator's business; a worker whose parent is gone ends itself.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, cores)
    _state.progress = progress
    _state.mirrored = mirrored
    _redirect_output()
    _state.logging = True


def execute(task: Task) -> Product:
    """Carry out one task; whatever it raises becomes part of the product, so that the other runs go on."""
    started, clock = _now(), time.perf_counter()
    outcome, error, out_of_memory = None, None, False
    try:
        outcome = _train(task, _sender(task.run_id))
    except Exception as problem:  # noqa: BLE001 - a failed run is recorded with its traceback
        error = traceback.format_exc()
        out_of_memory = isinstance(problem, MemoryError) or type(problem).__name__ == RESOURCES_EXHAUSTED
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
    return train_network(task.trial, task.seed, images, labels, parts, resumption=resumption, watch=watch)


@cache
def _start_tensorflow() -> None:
    """Fix TensorFlow's threads and devices, once in a process."""
    from cifar_report.training import devices

    devices.configure(mirrored=_state.mirrored)


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


def _redirect_output() -> None:
    """Send everything that this process prints, C++ libraries included, into a file without a name."""
    handle, name = tempfile.mkstemp(prefix="cifar-report-worker-")
    with contextlib.suppress(OSError):  # Windows keeps open files until the process ends
        Path(name).unlink()
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def _take_log() -> bytes:
    """Return the end of what was printed since the last task, and empty the file."""
    if not _state.logging:
        return b""
    sys.stdout.flush()
    sys.stderr.flush()
    length = os.lseek(1, 0, os.SEEK_END)
    os.lseek(1, max(0, length - MOST_LOG_BYTES), os.SEEK_SET)
    content = os.read(1, MOST_LOG_BYTES)
    os.ftruncate(1, 0)
    os.lseek(1, 0, os.SEEK_SET)
    return content


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
