"""The exclusive timing pass: alone on the machine, blocks that hold every timed trial once, in random order.

Each measurement has a worker of its own, which watches what the machine does meanwhile.
"""

import os
import random
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

import msgspec
import psutil

from cifar_report.bundle import Measurement, TimingPass, read_timing_pass, write_timing_pass
from cifar_report.bundle.store import ENGINE, ENGINE_VERSION, with_engine
from cifar_report.data import PreparedData
from cifar_report.errors import SuiteError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.declaring import cost_hash
from cifar_report.running.environment import WORKER_VARIABLES, available_cores, graphics_cards, processor_name
from cifar_report.running.plan import Prepared, changed_parts, library_versions
from cifar_report.running.runs import open_data, peak_memory
from cifar_report.running.workers import Report, WorkerError, call_alone
from cifar_report.spec import AnyTrial, ClassicalTrial, Profile, TimingPlan, Trial

ORDER_SEED = 20241101  # of the blocks' random order; any fixed number serves
LEAST_CORES = 2  # for a mirrored trial; on one core its replicas would only take turns
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
    dataset: PreparedData
    profile: Profile
    plan: TimingPlan
    folder: Path  # where the worker's temporary files lie
    cores: tuple[int, ...]
    available: tuple[int, ...]


class Reading(NamedTuple):
    """A measurement, and in words what disturbed it: nothing where it may count."""

    measurement: Measurement
    disturbances: tuple[str, ...] = ()


def measure(request: MeasurementRequest) -> Reading:
    """Measure in a worker of its own; raises WorkerError where that gives no reading."""
    reading: Reading = call_alone(take_reading, request, request.cores, request.folder)
    return reading


@dataclass(frozen=True)
class TimingState:
    """The pass as it is to be: its trials, its key, what is measured, and why it is not finished (None: it is)."""

    plan: TimingPlan
    trials: tuple[AnyTrial, ...]
    key_parts: dict[str, str]
    done: tuple[Measurement, ...]  # what of the recorded pass may stay
    reason: str | None

    def missing(self, block: int) -> list[AnyTrial]:
        """Return the trials that a block still lacks."""
        measured = {each.trial for each in self.done if each.block == block}
        return [trial for trial in self.trials if trial.id not in measured]


def timing_state(prepared: Prepared) -> TimingState | None:
    """Return the state of the pass that is asked for; None where none is.

    Every block holds every trial, so a pass that lacks one is measured anew, together with those that it had; so is
    one from another machine, engine or version.
    """
    plan = prepared.profile.timing
    wanted = {trial.id: trial for trial in prepared.timed if _measurable(trial)}
    if plan is None or not wanted:
        return None
    try:
        old, problem = read_timing_pass(prepared.folder), "not run yet"
    except SuiteError as error:
        old, problem = None, f"its record is damaged ({error})"
    timed = old.trials if old is not None else {}
    every = (trials_of(load_experiments()) | wanted).values()
    trials = tuple(trial for trial in every if trial.id in wanted or (trial.id in timed and _measurable(trial)))
    state = TimingState(plan, trials, _key_parts(trials, prepared, plan), (), problem)
    if old is None:
        return state
    changes = changed_parts(with_engine(old.key_parts), state.key_parts)
    changes += [f"{each.id} changed" for each in trials if timed.get(each.id) not in (None, cost_hash(each))]
    changes += [f"{each.id} not timed yet" for each in trials if each.id not in timed]
    if changes:
        return replace(state, reason=", ".join(changes))
    state = replace(state, done=old.measurements, reason=None)
    finished = sum(not state.missing(block) for block in range(plan.blocks))
    return state if finished == plan.blocks else replace(state, reason=f"{finished} of {plan.blocks} blocks finished")


def _key_parts(trials: Sequence[AnyTrial], prepared: Prepared, plan: TimingPlan) -> dict[str, str]:
    """Return what all measurements of a pass have in common; raises UsageError when a library is not installed."""
    return {
        "unit": f"{plan.portions} times {plan.portion_steps} steps after {plan.portion_steps} of warm-up",
        "images": ", ".join(map(str, prepared.dataset_record.counts)),
        "processor": processor_name(),
        "cores": str(len(available_cores())),
        "graphics cards": str(graphics_cards()),
        "variables": ", ".join(f"{name}={value}" for name, value in WORKER_VARIABLES.items()),
        ENGINE: ENGINE_VERSION,
        **library_versions(networks=any(isinstance(trial, Trial) for trial in trials)),
    }


def _measurable(trial: AnyTrial) -> bool:
    mirrored = isinstance(trial, Trial) and trial.strategy == "mirrored"
    return not mirrored or max(len(available_cores()), graphics_cards()) >= LEAST_CORES


def run_timing_pass(
    prepared: Prepared,
    state: TimingState,
    say: Callable[[str], None],
    take: Callable[[MeasurementRequest], Reading] = measure,
) -> int:
    """Measure what is missing, keep each block as soon as it is whole, and return how many measurements failed.

    Nothing else of the suite may run meanwhile. ``say`` gets the lines that a person reads.
    """
    kept = [each for each in state.done if each.trial in {trial.id for trial in state.trials}]
    blocks = [block for block in range(state.plan.blocks) if state.missing(block)]
    say(
        f"timing pass (trials: {len(state.trials)}, blocks left: {len(blocks)}), one trial after the other: "
        "whatever else runs on this machine meanwhile disturbs it"
    )
    failures, started = 0, time.monotonic()
    for place, block in enumerate(blocks, start=1):
        missing = order_of(state.missing(block), block)
        requests = [_request(prepared, state.plan, trial) for trial in missing]
        measured = list(_measure_block(requests, block, say, take))
        kept += measured
        failures += len(missing) - len(measured)
        record = TimingPass(
            warmup_steps=state.plan.portion_steps,
            order_seed=ORDER_SEED,
            key_parts=state.key_parts,
            trials={trial.id: cost_hash(trial) for trial in state.trials},
            measurements=tuple(sorted(kept, key=lambda each: each.block)),
        )
        write_timing_pass(prepared.folder, record)
        left = timedelta(seconds=round((time.monotonic() - started) / place * (len(blocks) - place)))
        say(f"block {block + 1} of {state.plan.blocks} is measured; about {left} left")
    return failures


def _measure_block(
    requests: Sequence[MeasurementRequest],
    block: int,
    say: Callable[[str], None],
    take: Callable[[MeasurementRequest], Reading],
) -> Iterator[Measurement]:
    """Take the measurements of a block one after the other, and once more at its end what something disturbed."""
    waiting = deque((request, 1) for request in requests)
    while waiting:
        request, attempt = waiting.popleft()
        try:
            measurement, reasons = take(request)
            if reasons and attempt <= request.plan.repeats:
                waiting.append((request, attempt + 1))
                say(f"  {request.trial.id}: {'; '.join(reasons)}: it is measured once more")
                continue
            yield msgspec.structs.replace(measurement, block=block, attempts=attempt, contended=bool(reasons))
            if measurement.steps:
                said = f"{1000 * measurement.seconds / measurement.steps:.2f} ms a step"
            else:
                said = f"fitted in {measurement.fit_seconds:.2f} s, predicted in {measurement.predict_seconds:.2f} s"
            said += f" (disturbed to the last: {'; '.join(reasons)})" if reasons else ""
        except WorkerError as error:
            said = f"failed: {error}"
        number = f"{len(requests) - len(waiting):>{len(str(len(requests)))}}"
        say(f"  [{number}/{len(requests)}] {request.trial.id}: {said}")


def order_of(trials: Sequence[AnyTrial], block: int) -> list[AnyTrial]:
    """Return the trials in the random order of a block, the same in every call."""
    order = sorted(trials, key=lambda trial: trial.id)
    random.Random(ORDER_SEED + block).shuffle(order)  # noqa: S311 - an order, no secret
    return order


def _request(prepared: Prepared, plan: TimingPlan, trial: AnyTrial) -> MeasurementRequest:
    """Return what a worker is to do: on the last core, or several for a mirrored trial."""
    cores = tuple(available_cores())
    timed = cores[-1:]
    if isinstance(trial, Trial) and trial.strategy == "mirrored":
        timed = cores if graphics_cards() else cores[-LEAST_CORES:]
    return MeasurementRequest(trial, prepared.dataset, prepared.profile, plan, prepared.folder, timed, cores)


def take_reading(request: MeasurementRequest, _: Report) -> Reading:
    """Prepare a measurement, take it in this worker, and watch the machine meanwhile, from the warm-up on."""
    trial, cores = request.trial, request.cores
    data = open_data(request.dataset, trial, request.profile)
    data[0].max()  # every page is in memory before the first is timed
    if isinstance(trial, ClassicalTrial):
        take: Callable[[], dict[str, Any]] = partial(_fit, trial, *data)
    else:
        take = _network(trial, request.plan, *data)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    before = read_counters(cores, request.available)
    fields = take()
    after = read_counters(cores, request.available)
    waits = fields["replicas"] > 1 or (isinstance(trial, Trial) and graphics_cards() > 0)
    watched, disturbances = judge(before, after, cores=len(cores), waits=waits)
    fields |= {"peak_memory_bytes": peak_memory(), "load": load, **watched}
    return Reading(Measurement(trial=trial.id, block=0, attempts=1, contended=False, **fields), disturbances)


def _network(trial: Trial, plan: TimingPlan, images: Any, labels: Any, parts: Any) -> Callable[[], dict[str, Any]]:
    """Build a network, trace its training, and return what measures the warm-up and then the portions, one by one."""
    import numpy as np

    from cifar_report.training.engine import Engine, Part, configure, make_strategy

    mirrored = trial.strategy == "mirrored"
    configure(mirrored=mirrored)
    engine = Engine(trial, 0, images, labels, make_strategy(mirrored=mirrored))
    shuffled = np.random.default_rng(0).permutation(parts.train).astype(np.int32)
    size = plan.portion_steps * trial.batch_size
    keys = np.zeros(1 + sum(engine.drawing_layers), np.int64)

    def train(portion: int, until: Part | None = None) -> float:
        order = np.take(shuffled, np.arange(portion * size, (portion + 1) * size), mode="wrap")
        started = time.perf_counter()
        engine.train_epoch(order, keys, trial.stages[0].augmentation, until)
        return time.perf_counter() - started

    def take() -> dict[str, Any]:
        train(0)
        portions = tuple(train(1 + portion) for portion in range(plan.portions))
        steps = plan.portions * plan.portion_steps
        counts = {"replicas": engine.replicas, "steps": steps, "batch_size": trial.batch_size}
        until = {part: train(1, part) for part in parts}
        return counts | {"portions": portions, "seconds": sum(portions), "until": until}

    parts = get_args(Part) if mirrored else ()
    for part in (*parts, None):
        train(0, part)
    return take


def _fit(trial: ClassicalTrial, images: Any, labels: Any, parts: Any) -> dict[str, Any]:
    from cifar_report.training.classical import fit_classifier

    seconds = fit_classifier(trial, images, labels, parts).seconds
    fit, predict = seconds.fit_seconds or 0.0, seconds.predict_seconds or 0.0
    found = {"seconds": fit + predict, "fit_seconds": fit, "predict_seconds": predict}
    return {"replicas": 1, "steps": 0, "batch_size": 0, **found}


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


def judge(before: Counters, after: Counters, *, cores: int, waits: bool) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return what the machine did meanwhile, as fields of a measurement on so many cores, and what of it disturbed.

    ``waits``: replicas wait for one another, or a processor for graphics cards, so that its share says nothing.
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
    processor_share = None if waits else share
    fields = {"steal": steal, "throttled": throttled, "other_work": other_work, "processor_share": processor_share}
    return fields, tuple(words for disturbed, words in found if disturbed)
