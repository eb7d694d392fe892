"""One measurement of the timing pass, in a worker of its own, and what the machine did meanwhile."""

from __future__ import annotations

import os
import queue
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psutil

from cifar_report.bundle import Measurement
from cifar_report.data import Dataset
from cifar_report.running.environment import graphics_cards
from cifar_report.running.runs import open_data, peak_memory
from cifar_report.running.workers import POLL_SECONDS, Inbox, Message, PinnedWorker, Report
from cifar_report.spec import AnyTrial, ClassicalTrial, Profile, TimingPlan, Trial

MOST_STEAL = 0.02  # share of processor time taken by other guests
LEAST_STOLEN = 0.015  # seconds; the system counts in hundredths, and a single one tells nothing
LEAST_SHARE = 0.95  # of its one core that a measurement must have had
MOST_OTHER_WORK = 0.15  # cores that other processes may keep busy meanwhile
THROTTLE_COUNTS = "devices/system/cpu/cpu[0-9]*/thermal_throttle/core_throttle_count"  # below /sys
CONTROL_GROUP = Path("/sys/fs/cgroup/cpu.stat")
NOT_BUSY = ("idle", "iowait", "steal", "guest", "guest_nice")  # the time of guests is in "user" already


@dataclass(frozen=True)
class MeasurementRequest:
    """What is measured, and on which processors."""

    trial: AnyTrial
    dataset: Dataset
    profile: Profile
    plan: TimingPlan
    folder: Path  # where the worker's temporary files lie
    cores: tuple[int, ...]
    available: tuple[int, ...]


class Reading(NamedTuple):
    """A measurement, and in words what disturbed it: nothing where it may count."""

    measurement: Measurement
    disturbances: tuple[str, ...] = ()


class MeasurementError(Exception):
    """A worker ended, or failed, without a reading; the text is the last line that it wrote."""


def measure(request: MeasurementRequest) -> Reading:
    """Measure in a worker of its own; raises MeasurementError where that gives no reading."""
    inbox: Inbox = queue.SimpleQueue()
    message = Message("progress")
    with closing(PinnedWorker(request.cores, inbox, request.folder)) as worker:
        worker.call(take_reading, request)
        while message.kind == "progress":
            with suppress(queue.Empty):
                _, message = inbox.get(timeout=POLL_SECONDS)
        if message.kind == "answer":
            reading: Reading = message.content
            return reading
        words = (message.content or worker.log().decode(errors="replace")).strip()
        raise MeasurementError(words.split("\n")[-1] or f"the worker ended {worker.ending()}")


def take_reading(_: Report, request: MeasurementRequest) -> Reading:
    """Prepare a measurement, take it in this worker, and watch the machine meanwhile, from the warm-up on."""
    trial, cores = request.trial, request.cores
    images, labels, parts = open_data(request.dataset, trial, request.profile)
    images.max()  # every page is in memory before the first is timed
    make: Callable[..., Take] = _classifier if isinstance(trial, ClassicalTrial) else _network
    take = make(trial, request.plan, images, labels, parts)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    before = read_counters(cores, request.available)
    fields = take()
    after = read_counters(cores, request.available)
    measurement = Measurement(
        trial=trial.id,
        block=0,
        **fields,
        peak_memory_bytes=peak_memory(),
        load=load,
        steal=0.0,
        throttled=False,
        attempts=1,
        contended=False,
    )
    waits = fields["replicas"] > 1 or (isinstance(trial, Trial) and graphics_cards() > 0)
    return judge(measurement, before, after, cores=len(cores), waits=waits)


Take = Callable[[], dict[str, Any]]
"""Takes a measurement and returns fields of its record."""


def _network(trial: Trial, plan: TimingPlan, images: Any, labels: Any, parts: Any) -> Take:
    """Build a network and trace its training; what is measured is the warm-up and then the portions, one by one."""
    import numpy as np

    from cifar_report.training.engine import Engine, configure, make_strategy

    mirrored = trial.strategy == "mirrored"
    configure(mirrored=mirrored)
    engine = Engine(trial, 0, images, labels, make_strategy(mirrored=mirrored))
    shuffled = np.random.default_rng(0).permutation(parts.train).astype(np.int32)
    size = plan.portion_steps * trial.batch_size
    keys = np.zeros(1 + engine.dropout_layers, np.int64)

    def train(portion: int) -> float:
        order = np.take(shuffled, np.arange(portion * size, (portion + 1) * size), mode="wrap")
        started = time.perf_counter()
        engine.train_epoch(order, keys, trial.stages[0].augmentation)
        return time.perf_counter() - started

    def take() -> dict[str, Any]:
        train(0)
        portions = tuple(train(1 + portion) for portion in range(plan.portions))
        steps = plan.portions * plan.portion_steps
        counts = {"replicas": engine.replicas, "steps": steps, "batch_size": trial.batch_size}
        return counts | {"portions": portions, "seconds": sum(portions)}

    train(0)
    return take


def _classifier(trial: ClassicalTrial, _: TimingPlan, images: Any, labels: Any, parts: Any) -> Take:
    from cifar_report.training.classical import fit_classifier

    def take() -> dict[str, Any]:
        seconds = fit_classifier(trial, images, labels, parts).seconds
        fit, predict = seconds.fit_seconds or 0.0, seconds.predict_seconds or 0.0
        counts = {"replicas": 1, "steps": 0, "batch_size": 0}
        return counts | {"seconds": fit + predict, "fit_seconds": fit, "predict_seconds": predict}

    return take


class Counters(NamedTuple):
    """Counters of the machine that only grow; zero where a system has none."""

    clock: float  # seconds
    own: float  # processor seconds of this process
    busy: float  # processor seconds of all processes on the cores that this process may use
    stolen: float  # seconds for which another guest of the host had one of the cores that are timed
    throttles: int  # how often a core was too hot, and the periods for which this container was held back


def read_counters(timed: Sequence[int], available: Sequence[int]) -> Counters:
    """Return the counters now, for the cores that are ``timed`` and for all that are ``available``."""
    cores = [core._asdict() for core in psutil.cpu_times(percpu=True)]
    busy = (value for core in available for name, value in cores[core].items() if name not in NOT_BUSY)
    stolen = (cores[core].get("steal", 0.0) for core in timed)
    throttles = [path.read_text() for path in Path("/sys").glob(THROTTLE_COUNTS)]
    if CONTROL_GROUP.is_file():
        lines = CONTROL_GROUP.read_text(encoding="utf-8").splitlines()
        throttles += [line.split()[1] for line in lines if line.startswith("nr_throttled ")]
    return Counters(time.perf_counter(), time.process_time(), sum(busy), sum(stolen), sum(map(int, throttles)))


def judge(measurement: Measurement, before: Counters, after: Counters, *, cores: int, waits: bool) -> Reading:
    """Return a measurement on so many cores with what the machine did meanwhile, and what of it disturbed.

    ``waits``: waiting is part of the work, so that the share of a core says nothing: replicas wait for one another,
    and a processor waits for graphics cards.
    """
    seconds, own = after.clock - before.clock, after.own - before.own
    stolen = max(0.0, after.stolen - before.stolen)
    steal, share = stolen / (seconds * cores), own / seconds
    other_work = max(0.0, after.busy - before.busy - own) / seconds
    throttled = after.throttles > before.throttles
    found = [
        (stolen > LEAST_STOLEN and steal > MOST_STEAL, f"other guests of the host took {steal:.0%} of its cores"),
        (throttled, "the processor was throttled"),
        (share < LEAST_SHARE and not waits, f"it had {share:.0%} of its core"),
        (other_work > MOST_OTHER_WORK, f"other processes kept {other_work:.1f} cores busy"),
    ]
    measurement = msgspec.structs.replace(
        measurement,
        steal=steal,
        throttled=throttled,
        processor_share=None if waits else share,
        other_work=other_work,
    )
    return Reading(measurement, tuple(words for disturbed, words in found if disturbed))
