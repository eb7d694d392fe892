"""The timing pass as it is to be: what its key is made of, what of it is measured, and why the rest is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from cifar_report.bundle import TimingPass, read_timing_pass
from cifar_report.bundle.keys import ENGINE, ENGINE_VERSION, with_engine
from cifar_report.errors import SuiteError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import WORKER_VARIABLES, available_cores, processor_name
from cifar_report.running.keys import changed_parts, graphics_cards, version_of
from cifar_report.running.request import Prepared
from cifar_report.running.timed import cost_hash
from cifar_report.spec import AnyTrial, TimingPlan, Trial

LEAST_CORES = 2  # for a mirrored trial; on one core its replicas would only take turns


@dataclass(frozen=True)
class TimingState:
    """The pass as it is to be: its trials, its key, what is measured, and why it is not finished (None: it is)."""

    plan: TimingPlan
    trials: tuple[AnyTrial, ...]
    key_parts: dict[str, str]
    done: TimingPass | None  # what of the recorded pass may stay
    reason: str | None

    @property
    def hashes(self) -> dict[str, str]:
        """Return the hash of what decides each trial's speed."""
        return {trial.id: cost_hash(trial) for trial in self.trials}

    def missing(self, block: int) -> list[AnyTrial]:
        """Return the trials that a block still lacks."""
        measured = {each.trial for each in (self.done.measurements if self.done else ()) if each.block == block}
        return [trial for trial in self.trials if trial.id not in measured]


def timing_state(prepared: Prepared) -> TimingState | None:
    """Return the state of the pass that is asked for; None where none is.

    Every block holds every trial, so a pass that lacks one is measured anew, together with those that it had; so is
    one from another machine, or made with other code or versions.
    """
    plan = prepared.profile.timing
    wanted = tuple(trial for trial in prepared.timed if _measurable(trial))
    if plan is None or not wanted:
        return None
    try:
        old, damage = read_timing_pass(prepared.folder), None
    except SuiteError as error:
        old, damage = None, f"its record is damaged ({error})"
    trials = _with_those_before(wanted, old)
    parts = pass_key_parts(trials, prepared)
    if old is None:
        return TimingState(plan, trials, parts, None, damage or "not run yet")
    recorded = with_engine(old.key_parts)
    if recorded.get("processor") == parts["processor"].partition(" (")[0]:  # as passes once told it, without the design
        recorded = {**recorded, "processor": parts["processor"]}
    changes = changed_parts(recorded, parts) + _changed_trials(trials, old)
    if changes:
        return TimingState(plan, trials, parts, None, ", ".join(changes))
    state = TimingState(plan, trials, parts, old, None)
    finished = sum(not state.missing(block) for block in range(plan.blocks))
    return state if finished == plan.blocks else replace(state, reason=f"{finished} of {plan.blocks} blocks finished")


def pass_key_parts(trials: Sequence[AnyTrial], prepared: Prepared) -> dict[str, str]:
    """Return what all measurements of a pass have in common; raises UsageError when a library is not installed."""
    plan, counts = prepared.profile.timing or TimingPlan(blocks=0), prepared.dataset_record.counts
    libraries = ("tensorflow", "keras") if any(isinstance(trial, Trial) for trial in trials) else ()
    return {
        "unit": f"{plan.portions} times {plan.portion_steps} steps after {plan.portion_steps} of warm-up",
        "images": ", ".join(map(str, counts)),
        "processor": processor_name(),
        "cores": str(len(available_cores())),
        "graphics cards": str(graphics_cards()),
        "variables": ", ".join(f"{name}={value}" for name, value in WORKER_VARIABLES.items()),
        ENGINE: ENGINE_VERSION,
        **{f"version of {name}": version_of(name) for name in (*libraries, "numpy", "scikit-learn")},
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
    changed = [trial.id for trial in trials if old.trials.get(trial.id, cost_hash(trial)) != cost_hash(trial)]
    new = [trial.id for trial in trials if trial.id not in old.trials]
    lines = ((changed, "{} changed"), (new, "{} not timed yet"))
    return [text.format(", ".join(names)) for names, text in lines if names]
