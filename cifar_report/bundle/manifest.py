"""The list of a bundle's files with their SHA-256, in the format that ``sha256sum --check`` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from cifar_report.bundle.store import write_file

MANIFEST_FILE = "manifest-sha256.txt"


def write_manifest(folder: Path) -> None:
    """Write the manifest over every file of the bundle, sorted by path."""
    lines = [f"{_hash(path)}  {path.relative_to(folder).as_posix()}\n" for path in bundle_files(folder)]
    write_file(folder / MANIFEST_FILE, "".join(lines).encode())


def bundle_files(folder: Path) -> Iterator[Path]:
    """Yield the files that belong to a bundle: no hidden ones, no links, and not the manifest itself."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path != folder / MANIFEST_FILE:
            yield path


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
