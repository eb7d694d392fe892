"""The exclusive timing pass: alone on the machine, blocks that hold every timed trial once, in random order."""

from __future__ import annotations

import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import median

import msgspec

from cifar_report.bundle import Measurement, TimingPass, read_timing_pass, write_timing_pass
from cifar_report.bundle.store import ENGINE, ENGINE_VERSION, with_engine
from cifar_report.errors import SuiteError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import WORKER_VARIABLES, available_cores, graphics_cards, processor_name
from cifar_report.running.measurement import MeasurementError, MeasurementRequest, Reading, measure
from cifar_report.running.plan import Prepared, changed_parts, cost_hash, library_versions
from cifar_report.spec import AnyTrial, TimingPlan, Trial

ORDER_SEED = 20241101  # of the blocks' random order; any fixed number serves
LEAST_CORES = 2  # for a mirrored trial; on one core its replicas would only take turns

Measure = Callable[[MeasurementRequest], Reading]
Say = Callable[[str], None]


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
    one from another machine, or made with another engine or versions.
    """
    plan = prepared.profile.timing
    wanted = tuple(trial for trial in prepared.timed if _measurable(trial))
    if plan is None or not wanted:
        return None
    try:
        old, problem = read_timing_pass(prepared.folder), "not run yet"
    except SuiteError as error:
        old, problem = None, f"its record is damaged ({error})"
    trials = _with_those_before(wanted, old)
    state = TimingState(plan, trials, _key_parts(trials, prepared, plan), (), problem)
    if old is None:
        return state
    if changes := changed_parts(with_engine(old.key_parts), state.key_parts) + _changed_trials(trials, old):
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
    """Whether the machine has what a trial needs."""
    mirrored = isinstance(trial, Trial) and trial.strategy == "mirrored"
    return not mirrored or max(len(available_cores()), graphics_cards()) >= LEAST_CORES


def _with_those_before(wanted: Sequence[AnyTrial], old: TimingPass | None) -> tuple[AnyTrial, ...]:
    """Return the wanted trials and those of the recorded pass that still exist, in the order of the experiments."""
    if old is None:
        return tuple(wanted)
    every = {**trials_of(load_experiments()), **{trial.id: trial for trial in wanted}}
    ids = {trial.id for trial in wanted} | old.trials.keys()
    return tuple(trial for name, trial in every.items() if name in ids and _measurable(trial))


def _changed_trials(trials: Sequence[AnyTrial], old: TimingPass) -> list[str]:
    changed = [trial.id for trial in trials if old.trials.get(trial.id) not in (None, cost_hash(trial))]
    new = [trial.id for trial in trials if trial.id not in old.trials]
    return [", ".join(names) + words for names, words in ((changed, " changed"), (new, " not timed yet")) if names]


def run_timing_pass(prepared: Prepared, state: TimingState, say: Say, take: Measure = measure) -> int:
    """Measure what is missing, keep each block as soon as it is whole, and return how many measurements failed.

    Nothing else of the suite may run meanwhile; the caller holds the bundle's lock. ``say`` gets the lines that a
    person reads.
    """
    kept = [each for each in state.done if each.trial in {trial.id for trial in state.trials}]
    blocks = [block for block in range(state.plan.blocks) if state.missing(block)]
    say(
        f"timing pass (trials: {len(state.trials)}, blocks left: {len(blocks)}), one trial after the other: "
        "whatever else runs on this machine meanwhile disturbs it"
    )
    failures, started = 0, time.monotonic()
    for place, block in enumerate(blocks, start=1):
        measured = _measure_block(prepared, state, block, take, say)
        kept += measured
        failures += len(state.missing(block)) - len(measured)
        record = TimingPass(
            warmup_steps=state.plan.portion_steps,
            order_seed=ORDER_SEED,
            key_parts=state.key_parts,
            trials={trial.id: cost_hash(trial) for trial in state.trials},
            measurements=tuple(sorted(kept, key=lambda each: each.block)),
        )
        write_timing_pass(prepared.folder, record)
        minutes, seconds = divmod(round((time.monotonic() - started) / place * (len(blocks) - place)), 60)
        left = f"about {minutes // 60:d}:{minutes % 60:02d}:{seconds:02d} left"
        say(f"block {block + 1} of {state.plan.blocks} is measured; {left}")
    return failures


def _measure_block(prepared: Prepared, state: TimingState, block: int, take: Measure, say: Say) -> list[Measurement]:
    """Measure what a block lacks in random order, and once more what something disturbed."""
    missing = state.missing(block)
    waiting = deque((trial, 1) for trial in order_of(missing, block))
    measured: list[Measurement] = []
    count = 0
    while waiting:
        trial, attempt = waiting.popleft()
        try:
            measurement, reasons = take(_request(prepared, state.plan, trial))
            if reasons and attempt <= state.plan.repeats:
                waiting.append((trial, attempt + 1))
                say(f"  {trial.id}: {'; '.join(reasons)}: it is measured once more")
                continue
            changes = {"block": block, "attempts": attempt, "contended": bool(reasons)}
            measured.append(msgspec.structs.replace(measurement, **changes))
            said = _headline(measurement, reasons)
        except MeasurementError as error:
            said = f"failed: {error}"
        count += 1
        say(f"  [{count:>{len(str(len(missing)))}}/{len(missing)}] {trial.id}: {said}")
    return measured


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


def _headline(measurement: Measurement, reasons: Sequence[str]) -> str:
    if measurement.steps:
        step = median(measurement.portions) * len(measurement.portions) / measurement.steps
        said = f"{1000 * step:.2f} ms a step"
    else:
        said = f"fitted in {measurement.fit_seconds:.2f} s, predicted in {measurement.predict_seconds:.2f} s"
    return f"{said} (disturbed to the last: {'; '.join(reasons)})" if reasons else said
