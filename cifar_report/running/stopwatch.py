"""One measurement of the timing pass, in a process of its own; TensorFlow is imported here only.

``python -m cifar_report.running.stopwatch`` reads a request (JSON, one line) from standard input, prepares itself,
answers "ready", waits asleep for the next line, measures, and answers with the reading (JSON, one line). It ends at
once when its standard input is closed, and so with whoever started it. What libraries print goes to standard error.
"""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import msgspec
import psutil

from cifar_report.data import Dataset, Split, split
from cifar_report.running.contention import between, load, read_state
from cifar_report.running.worker import peak_memory
from cifar_report.spec import AnyTrial, ClassicalTrial, Trial

READY = b"ready\n"


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What one process measures, and where."""

    trial: AnyTrial
    dataset: Dataset
    fraction: float
    counts: tuple[int, int, int] | None
    portions: int
    portion_steps: int
    prepared_on: tuple[int, ...]  # processor numbers; empty where processes cannot be pinned
    timed_on: tuple[int, ...]
    available: tuple[int, ...]


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one process measured, and what disturbed it meanwhile."""

    replicas: int = 1
    steps: int = 0
    portions: tuple[float, ...] = ()  # seconds
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_memory_bytes: int
    load: float
    processor_share: float
    other_work: float
    stolen_seconds: float
    steal: float
    throttled: bool


Timed = dict[str, Any]
"""The fields of a reading that a measurement fills."""


def encode_request(request: Request) -> bytes:
    """Return a request as one line of JSON."""
    return msgspec.json.encode(request, enc_hook=str) + b"\n"


def decode_request(line: bytes) -> Request:
    """Return the request that was encoded."""
    return msgspec.json.decode(line, type=Request, dec_hook=lambda kind, text: kind(text))


def main() -> NoReturn:
    """Answer on standard output, which nothing else may use, in the two steps that the module describes."""
    answers = os.dup(1)
    os.dup2(2, 1)
    try:
        lines = _listen()
        request = decode_request(lines.get())
        measure = prepare(request)
        os.write(answers, READY)
        lines.get()
        os.write(answers, msgspec.json.encode(take_reading(request, measure)) + b"\n")
    except Exception:  # noqa: BLE001 - whoever started the process says what became of it
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)
    os._exit(0)  # at once: the thread that listens, and TensorFlow's, would only be waited for


def prepare(request: Request) -> Callable[[], Timed]:
    """Do everything that is not measured, and return the function that measures."""
    _pin(request.prepared_on)
    images = request.dataset.images("c")
    images.max()  # every page is in memory before the first is timed
    labels = request.dataset.labels()
    parts = split(labels, split_seed=request.trial.split_seed, fraction=request.fraction, counts=request.counts)
    if isinstance(request.trial, ClassicalTrial):
        return _classifier(request.trial, images, labels, parts)
    return _network(request.trial, request, images, labels, parts)


def take_reading(request: Request, measure: Callable[[], Timed]) -> Reading:
    """Measure on the request's cores, and watch the machine meanwhile, from the warm-up on."""
    _pin(request.timed_on)
    busy = load()
    before = read_state(request.timed_on, request.available)
    timed = measure()
    disturbance = between(before, read_state(request.timed_on, request.available), len(request.timed_on))
    return Reading(
        **timed,
        peak_memory_bytes=peak_memory(psutil.Process()),
        load=busy,
        processor_share=disturbance.processor_share,
        other_work=disturbance.other_work,
        stolen_seconds=disturbance.stolen_seconds,
        steal=disturbance.steal,
        throttled=disturbance.throttled,
    )


def _network(trial: Trial, request: Request, images: Any, labels: Any, parts: Split) -> Callable[[], Timed]:
    """Build a network and trace its training; what is measured is the warm-up and then the portions, one by one."""
    import numpy as np

    from cifar_report.training.engine import Engine, configure, make_strategy

    mirrored = trial.strategy == "mirrored"
    configure(mirrored=mirrored)
    engine = Engine(trial, 0, images, labels, make_strategy(mirrored=mirrored))
    shuffled = np.random.default_rng(0).permutation(parts.train).astype(np.int32)
    size = request.portion_steps * trial.batch_size
    keys = np.zeros(1 + engine.dropout_layers, np.int64)

    def train(portion: int) -> float:
        order = np.take(shuffled, np.arange(portion * size, (portion + 1) * size), mode="wrap")
        started = time.perf_counter()
        engine.train_epoch(order, keys, trial.stages[0].augmentation)
        return time.perf_counter() - started

    def measure() -> Timed:
        train(0)
        portions = tuple(train(1 + portion) for portion in range(request.portions))
        steps = request.portions * request.portion_steps
        return {"replicas": engine.replicas, "steps": steps, "portions": portions}

    train(0)
    return measure


def _classifier(trial: ClassicalTrial, images: Any, labels: Any, parts: Split) -> Callable[[], Timed]:
    from cifar_report.training.classical import fit_classifier

    def measure() -> Timed:
        seconds = fit_classifier(trial, images, labels, parts).seconds
        return {"fit_seconds": seconds.fit, "predict_seconds": seconds.predict}

    return measure


def _pin(cores: tuple[int, ...]) -> None:
    """Bind every thread of this process to these cores, where the system can."""
    if not cores or not hasattr(os, "sched_setaffinity"):
        return
    threads = [int(path.name) for path in Path("/proc/self/task").glob("*")] or [0]
    for thread in threads:
        with suppress(ProcessLookupError):  # it has just ended
            os.sched_setaffinity(thread, cores)


def _listen() -> queue.SimpleQueue[bytes]:
    """Read standard input in a thread of its own; the process ends with it."""
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()

    def read() -> None:
        for line in sys.stdin.buffer:
            lines.put(line)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return lines


if __name__ == "__main__":
    main()
