"""A bundle's numbers without its weights: small enough to stand in a repository, and the report needs no more."""

from __future__ import annotations

import shutil
from pathlib import Path

from cifar_report.bundle.bundle import read_record
from cifar_report.bundle.manifest import CRATE_FILE, bundle_files, write_manifest
from cifar_report.errors import UsageError

WEIGHTS_FILE = "weights.npz"


def copy_numbers(source: Path, target: Path) -> int:
    """Copy a bundle without its weights into a new folder and return the size of the copy in bytes.

    The runs' records stay as they are: they still name each weights file with its hash, so that whoever trains
    again can compare. Raises UsageError where the source is no bundle or the target is not empty.
    """
    read_record(source)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise UsageError(f"{target} is there already and not empty: name a new folder")
    for path in bundle_files(source):
        if path.name not in (WEIGHTS_FILE, CRATE_FILE):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
    write_manifest(target)
    return sum(path.stat().st_size for path in bundle_files(target))
