"""One measurement of the timing pass, in a worker of its own: prepared first, taken when it has the machine."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from cifar_report.data import Dataset, Split, split
from cifar_report.running.runs import peak_memory
from cifar_report.running.workers import POLL_SECONDS, Inbox, Message, PinnedWorker, pin
from cifar_report.spec import AnyTrial, ClassicalTrial, Trial

THROTTLE_COUNTS = "devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"  # below /sys
CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.stat")
NOT_BUSY = ("idle", "iowait", "steal", "guest", "guest_nice")  # the time of guests is in "user" already


@dataclass(frozen=True)
class MeasurementRequest:
    """What one worker measures, and where."""

    trial: AnyTrial
    dataset: Dataset
    fraction: float
    counts: tuple[int, int, int] | None
    portions: int
    portion_steps: int
    prepared_on: tuple[int, ...]  # processor numbers
    timed_on: tuple[int, ...]
    available: tuple[int, ...]


@dataclass(frozen=True)
class Reading:
    """What one worker measured, and what disturbed it meanwhile."""

    replicas: int = 1
    steps: int = 0
    portions: tuple[float, ...] = ()  # seconds
    fit_seconds: float | None = None
    predict_seconds: float | None = None
    peak_memory_bytes: int = 0
    load: float = 0.0  # one-minute average before it began; zero where the system has none
    processor_share: float = 0.0  # of one core, of this process
    other_work: float = 0.0  # cores that other processes kept busy
    stolen_seconds: float = 0.0  # for which another guest of the host had one of the timed cores
    steal: float = 0.0  # share of the timed cores' time
    throttled: bool = False


class MeasurementError(Exception):
    """A worker ended, or failed, without a reading; the text is the last line that it wrote."""


def measure_group(requests: Sequence[MeasurementRequest]) -> Iterator[Reading | MeasurementError]:
    """Yield a reading for each request: all prepare at the same time, then each measures while the others sleep."""
    with ExitStack() as stack:
        measuring: list[tuple[PinnedWorker, Inbox]] = []
        for request in requests:
            inbox: Inbox = queue.SimpleQueue()
            worker = stack.enter_context(closing(PinnedWorker(request.prepared_on, inbox)))
            worker.call(prepare, request)
            measuring.append((worker, inbox))
        problems = [_answer(*each) for each in measuring]
        for (worker, inbox), problem in zip(measuring, problems, strict=True):
            with closing(worker):  # it is gone before the next one begins
                if problem is None:
                    worker.call(measure)
                reading = problem or _answer(worker, inbox)
            yield reading


def _answer(worker: PinnedWorker, inbox: Inbox) -> Any:
    """Wait for the worker's answer; a MeasurementError where it gives none."""
    message: Message | None = None
    while message is None or message.kind == "progress":
        with suppress(queue.Empty):
            _, message = inbox.get(timeout=POLL_SECONDS)
    if message.kind == "answer":
        return message.content
    words = message.content or worker.log().decode(errors="replace")
    lines = [line for line in words.split("\n") if line.strip()]
    return MeasurementError(lines[-1] if lines else f"it ended {worker.ending()}")


Take = Callable[[], Reading]
_prepared: list[tuple[MeasurementRequest, Take]] = []
"""What this worker is to measure, from one call to the next."""


def prepare(request: MeasurementRequest) -> None:
    """Do everything that is not measured."""
    images = request.dataset.images("c")
    images.max()  # every page is in memory before the first is timed
    labels = request.dataset.labels()
    parts = split(labels, split_seed=request.trial.split_seed, fraction=request.fraction, counts=request.counts)
    if isinstance(request.trial, ClassicalTrial):
        take = _classifier(request.trial, images, labels, parts)
    else:
        take = _network(request, request.trial, images, labels, parts)
    _prepared[:] = [(request, take)]


def measure() -> Reading:
    """Measure what was prepared on the request's cores, and watch the machine meanwhile, from the warm-up on."""
    request, take = _prepared.pop()
    pin(request.timed_on)
    busy = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    before = read_counters(request.timed_on, request.available)
    reading = take()
    after = read_counters(request.timed_on, request.available)
    return replace(
        with_disturbance(reading, before, after, len(request.timed_on)), load=busy, peak_memory_bytes=peak_memory()
    )


def _network(request: MeasurementRequest, trial: Trial, images: Any, labels: Any, parts: Split) -> Take:
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

    def take() -> Reading:
        train(0)
        portions = tuple(train(1 + portion) for portion in range(request.portions))
        return Reading(replicas=engine.replicas, steps=request.portions * request.portion_steps, portions=portions)

    train(0)
    return take


def _classifier(trial: ClassicalTrial, images: Any, labels: Any, parts: Split) -> Take:
    from cifar_report.training.classical import fit_classifier

    def take() -> Reading:
        seconds = fit_classifier(trial, images, labels, parts).seconds
        return Reading(fit_seconds=seconds.fit, predict_seconds=seconds.predict)

    return take


class Counters(NamedTuple):
    """Counters of the machine that only grow; zero where a system has none."""

    clock: float  # seconds
    own: float  # processor seconds of this process
    busy: float  # processor seconds of all processes on the cores that this process may use
    stolen: float  # seconds for which another guest of the host had one of the cores that are timed
    throttles: int  # how often a core or this group of processes was slowed down


def read_counters(timed: Sequence[int], available: Sequence[int]) -> Counters:
    """Return the counters now, for the cores that are ``timed`` and for all that are ``available``."""
    cores = [core._asdict() for core in psutil.cpu_times(percpu=True)]
    busy = (value for core in available for name, value in cores[core].items() if name not in NOT_BUSY)
    stolen = (cores[core].get("steal", 0.0) for core in timed)
    return Counters(time.perf_counter(), time.process_time(), sum(busy), sum(stolen), _throttles())


def with_disturbance(reading: Reading, before: Counters, after: Counters, timed: int) -> Reading:
    """Return the reading with what happened between two states of the counters, on ``timed`` cores."""
    seconds, own = after.clock - before.clock, after.own - before.own
    stolen = max(0.0, after.stolen - before.stolen)
    return replace(
        reading,
        processor_share=own / seconds,
        other_work=max(0.0, after.busy - before.busy - own) / seconds,
        stolen_seconds=stolen,
        steal=stolen / (seconds * timed),
        throttled=after.throttles > before.throttles,
    )


def _throttles() -> int:
    """Count how often a core was too hot, and the periods for which this container was held back."""
    counts = [path.read_text() for path in Path("/sys").glob(THROTTLE_COUNTS)]
    if CONTROL_GROUP.is_file():
        lines = CONTROL_GROUP.read_text(encoding="utf-8").splitlines()
        counts += [line.split()[1] for line in lines if line.startswith("nr_throttled ")]
    return sum(map(int, counts))
