"""What the machine and the software are, and the variables under which workers start."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path

import psutil

from cifar_report import __version__
from cifar_report.bundle import Environment

WORKER_VARIABLES = {
    "TF_ENABLE_ONEDNN_OPTS": "1",  # explicit: its default differs between builds, and it changes results
    "TF_CPP_MIN_LOG_LEVEL": "1",  # warnings and errors go into the run's log
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "KERAS_BACKEND": "tensorflow",
}
PROCESSOR_INFORMATION = Path("/proc/cpuinfo")
DESIGN = {"family": "cpu family", "model": "model"}  # by their names in Linux
VECTORS = {"avx512f": "AVX-512", "avx2": "AVX2", "avx": "AVX"}  # by their flags in Linux, the widest first
GRAPHICS_CARDS = Path("/proc/driver/nvidia/gpus")
PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "statsmodels", "matplotlib", "weasyprint")


def record_environment() -> Environment:
    """Return the environment's record; no host name and no path is in it."""
    return Environment(
        python=platform.python_version(),
        platform=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=processor_name(),
        cores=len(available_cores()),
        memory_bytes=psutil.virtual_memory().total,
        packages={name: version for name in PACKAGES if (version := _version(name))},
        variables=dict(WORKER_VARIABLES),
        project_version=__version__,
        project_commit=_commit(),
    )


def available_cores() -> list[int]:
    """Return the processor numbers that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def graphics_cards() -> int:
    """Return how many graphics cards the training may use."""
    return len(list(GRAPHICS_CARDS.iterdir())) if GRAPHICS_CARDS.is_dir() else 0


def processor_name(information: Path = PROCESSOR_INFORMATION) -> str:
    """Return the processor's name, with what decides how it rounds: its design and its widest vector instructions.

    A virtual machine may give the same name to processors of several generations.
    """
    lines = information.read_text(errors="replace").splitlines() if information.is_file() else []
    fields: dict[str, str] = {}
    for name, _, value in (line.partition(":") for line in lines):
        fields.setdefault(name.strip(), value.strip())  # of the first processor
    if "model name" not in fields:
        return platform.processor() or platform.machine()
    design = [f"{word} {fields[name]}" for word, name in DESIGN.items() if fields.get(name)]
    if flags := fields.get("flags", "").split():
        design.append(next((name for flag, name in VECTORS.items() if flag in flags), "no AVX"))
    return f"{fields['model name']} ({', '.join(design)})" if design else fields["model name"]


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _commit() -> str | None:
    """Return the checkout's commit, marked where files were changed; None outside a checkout."""
    folder = Path(__file__).resolve().parent
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)  # noqa: S603 - fixed words
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None
