"""A run's key: everything that could change its result, and so the reason to run it again."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from pathlib import Path

from cifar_report.bundle import DatasetRecord
from cifar_report.bundle.keys import ENGINE, ENGINE_VERSION, key_of, recorded_parts
from cifar_report.errors import UsageError
from cifar_report.running.environment import WORKER_VARIABLES
from cifar_report.running.plan import PlannedRun
from cifar_report.spec import AnyTrial, Profile, Trial

__all__ = ["changed_parts", "graphics_cards", "key_of", "key_parts", "version_of"]

GRAPHICS_CARDS = Path("/proc/driver/nvidia/gpus")


def key_parts(run: PlannedRun, profile: Profile, dataset: DatasetRecord) -> dict[str, str]:
    """Return what goes into the run's key, by name; raises UsageError when a training library is not installed."""
    trial = run.trial
    libraries = ("tensorflow", "keras") if isinstance(trial, Trial) else ()
    return {
        **recorded_parts(trial, run.seed, profile, dataset),
        "devices": _devices(trial),
        "variables": ", ".join(f"{name}={WORKER_VARIABLES[name]}" for name in ("TF_ENABLE_ONEDNN_OPTS",)),
        ENGINE: ENGINE_VERSION,
        **{f"version of {name}": version_of(name) for name in (*libraries, "numpy", "scikit-learn")},
    }


def changed_parts(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Say what differs between two keys, one phrase a part."""
    names = sorted(old.keys() | new.keys())
    return [f"{name} changed" for name in names if old.get(name) != new.get(name)]


def _devices(trial: AnyTrial) -> str:
    if not (isinstance(trial, Trial) and trial.strategy == "mirrored"):
        return "1 replica, 1 thread"
    cards = graphics_cards()
    return f"{cards} graphics cards" if cards else "2 logical processors, 1 thread each"


def graphics_cards() -> int:
    """Return how many graphics cards the training may use."""
    return len(list(GRAPHICS_CARDS.iterdir())) if GRAPHICS_CARDS.is_dir() else 0


@cache
def version_of(library: str) -> str:
    """Return a library's version; raises UsageError when it is not installed."""
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"{library} is not installed, so nothing can be trained: pip install -e '.[train,report]'"
        ) from error
