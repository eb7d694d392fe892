"""The list of a bundle's files with their SHA-256, in the format that ``sha256sum --check`` reads."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from cifar_report.bundle.bundle import read_record
from cifar_report.bundle.store import read_plain, write_file
from cifar_report.errors import SuiteError, UsageError

MANIFEST_FILE = "manifest-sha256.txt"
CRATE_FILE = "ro-crate-metadata.json"  # a description that bundles had before: verified by its hash alone
WEIGHTS_FILE = "weights.npz"
MOST_MANIFEST_BYTES = 16 * 2**20
_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f]{1,1000})\n")


def write_manifest(folder: Path) -> None:
    """Write the manifest over every file of the bundle, sorted by path."""
    _write(folder, _hashes(folder, bundle_files(folder)))


def update_manifest(folder: Path, listed: dict[str, str], changed: Iterable[Path]) -> None:
    """Write the manifest with what was ``listed`` and the new hashes of ``changed`` files alone.

    A file that was damaged meanwhile keeps its old hash, so that the damage can still be found.
    """
    _write(folder, listed | _hashes(folder, changed))


def read_manifest(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a finished bundle by its path.

    Raises SuiteError when there is no manifest (the last pass did not come to its end) or when it is damaged.
    """
    path = folder / MANIFEST_FILE
    try:
        return parse_manifest(read_plain(path, MOST_MANIFEST_BYTES))
    except FileNotFoundError:
        raise SuiteError(
            f"{folder} is not finished: it holds no {MANIFEST_FILE}; let its suite come to the end first"
        ) from None
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path} is no list of files with their SHA-256: {error}") from error


def parse_manifest(content: bytes) -> dict[str, str]:
    """Return the SHA-256 by path that a manifest's content lists; raises ValueError for anything but such lines."""
    listed: dict[str, str] = {}
    for number, line in enumerate(content.decode().splitlines(keepends=True), 1):
        found = _LINE.fullmatch(line)
        if found is None or found[2] in listed:
            raise ValueError(f"line {number} is {'no hash with a path' if found is None else 'there twice'}")
        listed[found[2]] = found[1]
    return listed


def bundle_files(folder: Path) -> Iterator[Path]:
    """Yield the files that belong to a bundle: no hidden ones, no links, and not the manifest itself."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path != folder / MANIFEST_FILE:
            yield path


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


def _write(folder: Path, listed: dict[str, str]) -> None:
    names = sorted(listed, key=PurePosixPath)  # as a walk through the folder goes
    write_file(folder / MANIFEST_FILE, "".join(f"{listed[name]}  {name}\n" for name in names).encode())


def _hashes(folder: Path, paths: Iterable[Path]) -> dict[str, str]:
    hashes = {}
    for path in paths:
        with path.open("rb") as stream:
            hashes[path.relative_to(folder).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    return hashes
