"""Writes a bundle as one file: the same bytes for the same bundle, whatever the machine, the owner and the dates.

The format is a plain ustar archive. It is not compressed: what a compressor writes depends on its release (zlib and
zlib-ng, liblzma 5.2 and 5.4 differ), so only uncompressed bytes are the same everywhere; the arrays, nearly all of a
bundle, are compressed already; and what is not compressed cannot be a compression bomb. Every header follows from a
file's name and size alone. The manifest comes first, then the files in the order of their names.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import tarfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.bundle.reading import open_plain
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.files import KNOWN
from cifar_report.verify.soundness import sound_files

ROOT = "bundle/"  # whoever unpacks with tar gets one folder
BLOCK = 512  # bytes: a header, and what contents are filled up to
RECORD = 20 * BLOCK  # what the whole archive is filled up to
CHUNK = 2**20  # bytes read at once
MOST_DEPTH = 8  # folders in each other
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
_RESERVED = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)  # device names on Windows


def export_bundle(folder: Path, file: Path) -> int:
    """Write a finished bundle as one archive and return its size in bytes; a file of that name is replaced.

    Raises UsageError where the folder is no bundle or the file cannot be there, SuiteError where the bundle is
    unfinished or damaged; nothing is left behind then.
    """
    if file.is_dir() or file.resolve().is_relative_to(folder.resolve()):
        raise UsageError(f"{file} cannot be the archive: name a file outside of the bundle")
    if not file.parent.is_dir():
        raise UsageError(f"{file.parent} is no folder, so {file.name} cannot be written there")
    digests = sound_files(folder)
    for name in digests:
        if problem := name_problem(name):
            raise SuiteError(f"{folder} cannot be archived: {name!r} {problem}")
    with _in_one_step(file) as stream:
        for name in archive_order(digests):
            _add(stream, folder, name, digests.get(name))
        stream.write(end_of_archive(stream.tell()))
        return stream.tell()


def archive_order(names: Iterable[str]) -> list[str]:
    """Return the names of a bundle's files as they stand in its archive, the manifest first."""
    return [MANIFEST_FILE, *sorted(names)]


def header(name: str, size: int) -> bytes:
    """Return the 512 bytes before a file's content; ``name`` without the leading folder."""
    entry = tarfile.TarInfo(ROOT + name)  # date 0, owner 0 without a name, rights 644
    entry.size = size
    return entry.tobuf(tarfile.USTAR_FORMAT, "ascii", "strict")


def filling(size: int) -> int:
    """Return how many zero bytes follow a content of ``size`` bytes."""
    return -size % BLOCK


def end_of_archive(length: int) -> bytes:
    """Return the zero bytes that end an archive of ``length`` bytes."""
    return bytes(2 * BLOCK + -(length + 2 * BLOCK) % RECORD)


def name_problem(name: str) -> str | None:
    """Return why a file of an archive may not have this name, None where it may."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part or ":" in part for part in parts):
        return "could lead out of the bundle's folder"
    if len(parts) > MOST_DEPTH or not all(_is_portable(part) for part in parts):
        return "cannot be a file's name on every system"
    if name != MANIFEST_FILE and not KNOWN.fullmatch(name):
        return "is no file of a bundle"
    return None


def _is_portable(part: str) -> bool:
    return bool(_PART.fullmatch(part)) and not part.endswith(".") and not _RESERVED.fullmatch(part)


def _add(stream: BinaryIO, folder: Path, name: str, digest: str | None) -> None:
    """Append a file; its content is held to its SHA-256 once more, since it could change while others are written."""
    with open_plain(folder / name) as source:
        size = os.fstat(source.fileno()).st_size
        stream.write(header(name, size))
        copied, found = copy(source, stream, size)
    if copied != size or digest not in (None, found):
        raise SuiteError(f"{folder / name} changed while the bundle was archived")
    stream.write(bytes(filling(size)))


def copy(source: BinaryIO, target: BinaryIO, size: int) -> tuple[int, str]:
    """Copy at most ``size`` bytes; return how many there were, and their SHA-256."""
    total, left = hashlib.sha256(), size
    while left and (chunk := source.read(min(CHUNK, left))):
        total.update(chunk)
        target.write(chunk)
        left -= len(chunk)
    return size - left, total.hexdigest()


@contextmanager
def _in_one_step(path: Path) -> Iterator[BinaryIO]:
    """Open a file beside ``path``; it gets that name when all is written, and vanishes when anything fails."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with beside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
