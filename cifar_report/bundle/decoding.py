"""From a file of a bundle to a record: bounded before it is decoded, strictly typed, then held to what must hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import msgspec

from cifar_report.bundle.reading import inside, read_plain
from cifar_report.bundle.records import SCHEMA_VERSION
from cifar_report.errors import SuiteError, UsageError

MOST_JSON_BYTES = 16 * 2**20  # of one record; that of the whole suite has 0.2 MB
MOST_QUOTED = 200  # characters at either end of a reason
MOST_TOTAL_BYTES = 64 * 2**20  # of all records that are held at once; 500 runs have 5 MB
MOST_VALUES = 4_000_000  # in them: one takes up to 100 bytes of memory, and may take but two in the file

_T = TypeVar("_T")


@dataclass
class Budget:
    """What may still be read: bytes of records, and values in them."""

    size: int = MOST_TOTAL_BYTES
    values: int = MOST_VALUES

    def spend(self, content: bytes) -> None:
        """Take a record off before it is decoded; raises ValueError when nothing is left."""
        self.size -= len(content)
        self.values -= content.count(b",") + content.count(b":") + content.count(b"[")
        if min(self.size, self.values) < 0:
            raise ValueError("the records together hold more than is read")


def decode(path: Path, kind: type[_T], check: Callable[[_T], None], budget: Budget | None = None) -> _T:
    """Read a record and hold it to ``check``, which raises ValueError.

    Raises SuiteError naming the file where it is no record of this kind, UsageError where a newer version wrote it.
    """
    try:
        content = read_plain(path, MOST_JSON_BYTES)
        (budget or Budget()).spend(content)
        version = msgspec.json.decode(content, type=_Versioned).schema_version
        if version > SCHEMA_VERSION:
            raise UsageError(
                f"{path} has schema version {version}; this program reads up to {SCHEMA_VERSION}: update it"
            )
        record = msgspec.json.decode(content, type=kind)
        check(record)
    except (OSError, ValueError, RecursionError, OverflowError) as error:  # msgspec's errors, text that is no UTF-8
        raise SuiteError(f"{path} cannot be read: {shortened(str(error))}") from error
    return record


def shortened(reason: str) -> str:
    """Return a reason that may quote a stranger's text: its beginning and its end, where it is long."""
    return reason if len(reason) <= 2 * MOST_QUOTED else f"{reason[:MOST_QUOTED]} … {reason[-MOST_QUOTED:]}"


def decode_if_there(folder: Path, name: str, kind: type[_T], check: Callable[[_T], None]) -> _T | None:
    """Read a record below a bundle's folder as ``decode`` does; None where there is none."""
    path = place(folder, name)
    return decode(path, kind, check) if path.exists() else None


def place(folder: Path, name: str) -> Path:
    """Return the path of a file of a bundle; raises SuiteError where a link leads there."""
    try:
        return inside(folder, name)
    except (OSError, ValueError) as error:
        raise SuiteError(f"{folder} is not read: {error}") from error


class _Versioned(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION
