"""A run's key, everything that could change its result, and which runs of a plan are finished by it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from cifar_report.bundle import DatasetRecord, read_record, read_run
from cifar_report.bundle.store import ENGINE, ENGINE_VERSION, current_parts, recorded_parts
from cifar_report.errors import SuiteError, UsageError
from cifar_report.published import load_original
from cifar_report.registry import load_experiments
from cifar_report.running.environment import WORKER_VARIABLES, describe_cards, graphics_cards
from cifar_report.running.plan import PlannedRun, Prepared
from cifar_report.spec import AnyTrial, Profile, Trial


@dataclass(frozen=True)
class RunState:
    """A planned run, its key's parts today, and the reason to run it (None: it is finished)."""

    planned: PlannedRun
    key_parts: dict[str, str]
    reason: str | None


def key_parts(run: PlannedRun, profile: Profile, dataset: DatasetRecord) -> dict[str, str]:
    """Return what goes into the run's key, by name; raises UsageError when a training library is not installed."""
    return {
        **recorded_parts(run.trial, run.seed, profile, dataset),
        "devices": _devices(run),
        "variables": f"TF_ENABLE_ONEDNN_OPTS={WORKER_VARIABLES['TF_ENABLE_ONEDNN_OPTS']}",
        ENGINE: ENGINE_VERSION,
        **library_versions(run.trial),
    }


def changed_parts(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Say what differs between two keys, one phrase a part."""
    names = sorted(old.keys() | new.keys())
    return [f"{name} changed" for name in names if old.get(name) != new.get(name)]


def library_versions(*trials: AnyTrial) -> dict[str, str]:
    """Return the versions of the libraries that compute the trials, as parts of a key."""
    networks = any(isinstance(trial, Trial) for trial in trials)
    libraries = (*(("tensorflow", "keras") if networks else ()), "numpy", "scikit-learn")
    return {f"version of {name}": version_of(name) for name in libraries}


@cache
def version_of(library: str) -> str:
    """Return a library's version; raises UsageError when it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"{library} is not installed, so nothing can be trained: pip install -e '.[train,report]'"
        ) from error


def states_of(prepared: Prepared) -> list[RunState]:
    """Return the state of every planned run, in the order in which they run."""
    return [_state(prepared, planned) for planned in prepared.runs]


def plan_is_current(folder: Path) -> bool:
    """Whether a bundle records the experiments and the original's numbers as they are now: claims, texts and all."""
    record = read_record(folder)
    return record.experiments == load_experiments() and record.original == load_original()


def _state(prepared: Prepared, planned: PlannedRun) -> RunState:
    parts = key_parts(planned, prepared.profile, prepared.dataset_record)
    try:
        run = read_run(prepared.folder, planned.id)
    except SuiteError as error:
        return RunState(planned, parts, f"its record is damaged ({error})")
    if run is None:
        return RunState(planned, parts, "not run yet")
    changes = ", ".join(changed_parts(current_parts(run), parts))
    return RunState(planned, parts, changes or (None if run.done else "failed last time"))


def _devices(run: PlannedRun) -> str:
    if not run.mirrored:
        return "1 replica, 1 thread"
    return describe_cards() if graphics_cards() else "2 logical processors, 1 thread each"
