"""Which runs of a plan are finished, and for each other one why it will be run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cifar_report.bundle import Run, read_record, read_run
from cifar_report.bundle.keys import current_parts
from cifar_report.errors import SuiteError
from cifar_report.published import load_original
from cifar_report.registry import load_experiments
from cifar_report.running.keys import changed_parts, key_parts
from cifar_report.running.plan import PlannedRun
from cifar_report.running.request import Prepared


@dataclass(frozen=True)
class RunState:
    """A planned run, its key's parts today, and the reason to run it (None: it is finished)."""

    planned: PlannedRun
    key_parts: dict[str, str]
    reason: str | None


def plan_is_current(folder: Path) -> bool:
    """Whether a bundle records the experiments and the original's numbers as they are now: claims, texts and all."""
    record = read_record(folder)
    return record.experiments == load_experiments() and record.original == load_original()


def states_of(prepared: Prepared) -> list[RunState]:
    """Return the state of every planned run, in the order in which they run."""
    return [_state(prepared, planned) for planned in prepared.runs]


def _state(prepared: Prepared, planned: PlannedRun) -> RunState:
    parts = key_parts(planned, prepared.profile, prepared.dataset_record)
    try:
        run = read_run(prepared.folder, planned.id)
    except SuiteError as error:
        return RunState(planned, parts, f"its record is damaged ({error})")
    return RunState(planned, parts, _reason(run, parts))


def _reason(run: Run | None, parts: dict[str, str]) -> str | None:
    if run is None:
        return "not run yet"
    changes = changed_parts(current_parts(run), parts)
    if changes:
        return ", ".join(changes)
    return None if run.done else "failed last time"
