"""State what the cache writes about its contents, and read and write it safely."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import msgspec

from cifar_report.data.dataset import Grade
from cifar_report.errors import SuiteError

LARGEST_RECORD = 1 << 16  # bytes

Fingerprint = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Record = TypeVar("Record", bound=msgspec.Struct)


class FileState(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A file's size in bytes and its time of change in nanoseconds: as long as both stay, so did the file."""

    path: str
    size: int
    modified_ns: int

    @classmethod
    def of(cls, path: Path, name: str | None = None) -> FileState:
        """Look at a file, recorded under its path or under a name; raises OSError."""
        status = path.stat()
        return cls(path=name or str(path), size=status.st_size, modified_ns=status.st_mtime_ns)


class StoredDataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``dataset.json`` says of the prepared dataset beside it."""

    version: Literal[1] = 1
    fingerprint: Fingerprint
    grade: Grade
    canonical_labels: bool
    source: str
    files: tuple[FileState, ...]


class KnownSource(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a source held when it was last read."""

    version: Literal[1] = 1
    location: str
    files: tuple[FileState, ...]
    fingerprint: Fingerprint
    grade: Grade
    source: str


@contextlib.contextmanager
def writing(cache: Path) -> Iterator[None]:
    """Turn a failed write into a SuiteError that names the cache folder and says what to do."""
    try:
        yield
    except OSError as error:
        raise SuiteError(
            f"The cache folder {cache} cannot be written ({error.strerror or error}). Free some space there "
            "(400 MB), allow writing, or set CIFAR_REPORT_CACHE to another folder."
        ) from error


def write_record(path: Path, record: msgspec.Struct) -> None:
    """Write a record as JSON beside its place and rename it into place; raises OSError."""
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        beside.write_bytes(msgspec.json.format(msgspec.json.encode(record)) + b"\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def read_record(path: Path, kind: type[Record]) -> Record | None:
    """Read a record that was written as JSON; None if it is missing, oversized or not of this kind."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_RECORD + 1)
        return msgspec.json.decode(content, type=kind) if len(content) <= LARGEST_RECORD else None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None
