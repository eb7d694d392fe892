"""Whether the bundle is a valid RO-Crate, and every record in it follows its schema."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import msgspec

from cifar_report.bundle import Bundle
from cifar_report.errors import SuiteError, UsageError
from cifar_report.validation.outcomes import MissingTool
from cifar_report.validation.tools import cache, last_words, run

LOCK = Path(__file__).parents[2] / "locks" / "crate.txt"
PROGRAM = Path(__file__).with_name("crate_check.py")
MOST_FINDINGS = 20


def check_crate(bundle: Path) -> list[str]:
    """Return what the RO-Crate validator objects to; raises MissingTool where it cannot run."""
    done = run(crate_python(), "-I", PROGRAM, bundle)
    try:
        found = msgspec.json.decode(done.stdout.strip().rpartition("\n")[2], type=list[str])
    except msgspec.DecodeError as error:
        raise MissingTool(f"the RO-Crate validator did not answer: {last_words(done)}") from error
    return found[:MOST_FINDINGS]


def crate_python() -> Path:
    """Return the Python of the validator's own environment, made from its lock file on the first call."""
    if not LOCK.is_file():
        raise MissingTool(f"{LOCK} is missing: the validator's versions are pinned there")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:16]
    place = cache() / f"crate-{version}-{digest}"
    python = place / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not (place / "complete").is_file():
        shutil.rmtree(place, ignore_errors=True)
        _or_missing("no environment could be made", sys.executable, "-m", "venv", place)
        pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        hashes = ("--require-hashes", "--only-binary=:all:", "-r", LOCK)
        _or_missing("pip could not install the pinned packages", *pip, *hashes)
        (place / "complete").touch()
    return python


def _or_missing(what: str, *command: str | Path) -> None:
    done = run(*command)
    if done.returncode != 0:
        raise MissingTool(f"{what}: {last_words(done)}")


def check_schema(folder: Path) -> list[str]:
    """Return the first record or table of a bundle that breaks its schema: unknown, missing or ill-typed fields."""
    try:
        bundle = Bundle.load(folder)
        for each in bundle.runs:
            bundle.timing(each)
            if each.done:
                bundle.predictions(each)
                bundle.kernels(each)
        _ = bundle.timing_pass
    except (SuiteError, UsageError) as error:
        return [str(error)]
    return [] if bundle.runs else [f"{folder.name} holds no runs"]
