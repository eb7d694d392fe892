"""Read files that a person named: regular files only, never more than expected."""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path
from typing import BinaryIO

from cifar_report.data.release import PublishedFile
from cifar_report.errors import UsageError

CHUNK_BYTES = 1 << 20


def open_regular(path: Path) -> tuple[BinaryIO, int]:
    """Open a regular file for reading.

    Returns: the open file and its size in bytes.

    Raises UsageError where the file is missing, is no regular file, or cannot be read.
    """
    try:
        # Asked before opening, because opening a named pipe would wait for ever.
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError(f"{path} is not a regular file. Replace it, or name another copy of CIFAR-10.")
        return path.open("rb"), status.st_size
    except FileNotFoundError:
        raise UsageError(f"{path} is missing. Restore it, or name another copy of CIFAR-10.") from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read ({error.strerror}). Check its permissions, or name another copy of CIFAR-10."
        ) from error


def read_bounded(path: Path, smallest: int, largest: int) -> bytes:
    """Read a whole file whose size in bytes must lie between two bounds.

    Raises UsageError where the file is truncated, oversized, missing, no regular file, or cannot be read.
    """
    file, size = open_regular(path)
    with file:
        if not smallest <= size <= largest:
            raise UsageError(wrong_size(str(path), size, smallest, largest))
        try:
            content = file.read(largest + 1)
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}). Name another copy.") from error
    if len(content) != size:
        raise UsageError(f"{path} changed while it was read. Try again when nothing writes to it.")
    return content


def wrong_size(where: str, size: int, smallest: int, largest: int) -> str:
    """Say in one sentence that a batch is truncated or oversized, and what to do."""
    fault, bound = ("truncated", smallest) if size < smallest else ("oversized", largest)
    relation = "exactly" if smallest == largest else f"at {'least' if size < smallest else 'most'}"
    return (
        f"{where} is {fault}: it holds {size:,} bytes, a CIFAR-10 batch holds {relation} {bound:,}. "
        "Unpack or fetch the dataset again, or name another copy."
    )


def sha256_of(path: Path) -> str:
    """Hash a file with SHA-256, a chunk at a time; returns hexadecimal digits, raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_published(path: Path, published: PublishedFile) -> bool:
    """Tell whether a file is byte for byte the published one, by size and SHA-256."""
    try:
        return path.stat().st_size == published.size and sha256_of(path) == published.sha256
    except OSError:
        return False
