"""The state of a run after an epoch, so that a killed run goes on and ends with the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.bundle import EpochHashes, StageResult, write_file
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.errors import SuiteError
from cifar_report.training.outcome import Seconds

Array = np.ndarray[Any, Any]


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a run stands: everything that is not an array."""

    key: str  # of the run: another key's checkpoint is no use
    stage: int  # counted from 0
    logs: tuple[dict[str, float | None], ...]  # of this stage; None: not a number
    hashes: tuple[EpochHashes, ...]  # of this stage
    finished: tuple[StageResult, ...]  # the stages before
    seconds: Seconds


@dataclass
class Checkpoint:
    """A position with its arrays, named "<group>.<name>".

    The groups are "model", "optimizer" and "best", numbered in their order, and of the finished stages "weights" and
    "probabilities", under their names in the bundle.
    """

    position: Position
    arrays: dict[str, Array]

    def group(self, name: str) -> dict[str, Array]:
        """Return the arrays of a group by name, in order."""
        prefix = f"{name}."
        return {key.removeprefix(prefix): self.arrays[key] for key in sorted(self.arrays) if key.startswith(prefix)}

    def add(self, group: str, arrays: Iterable[Array]) -> None:
        """Add a numbered group."""
        self.arrays |= {f"{group}.{place:04d}": array for place, array in enumerate(arrays)}

    def write(self, path: Path) -> None:
        """Put the checkpoint in place in one step: beside, flushed, renamed."""
        position = np.frombuffer(msgspec.json.encode(self.position), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, dump_arrays({**self.arrays, "position": position}, compress=False))

    @classmethod
    def read(cls, path: Path, key: str) -> Checkpoint | None:
        """Return the checkpoint, or None where there is none of this key or it cannot be read: begin anew then."""
        if not path.is_file():
            return None
        try:
            arrays = load_arrays(path)
            position = msgspec.json.decode(arrays.pop("position").tobytes(), type=Position)
        except (SuiteError, KeyError, msgspec.DecodeError):
            return None
        return cls(position, arrays) if position.key == key else None
