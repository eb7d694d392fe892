"""The state of a run after an epoch, so that a killed run goes on and ends with the same bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.bundle import EpochHashes, StageResult, write_file
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.errors import SuiteError

Array = np.ndarray[Any, Any]


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a run stands: everything that is not an array."""

    key: str  # of the run: another key's checkpoint is no use
    stage: int  # counted from 0
    logs: tuple[dict[str, float | None], ...]  # of this stage; None: not a number
    hashes: tuple[EpochHashes, ...]  # of this stage
    finished: tuple[StageResult, ...]  # the stages before
    epoch_seconds: dict[str, list[float]]
    validation_seconds: dict[str, list[float]]
    evaluation_seconds: float


@dataclass
class Checkpoint:
    """A position with its arrays, by group and name.

    The groups are "model", "optimizer" and "best", each a list in its order, the names its places; "weights" and
    "probabilities" of the finished stages, under their names in the bundle.
    """

    position: Position
    groups: dict[str, dict[str, Array]]

    def array_list(self, group: str) -> list[Array]:
        """Return a group of arrays in its order."""
        return [array for _, array in sorted(self.groups[group].items())]

    def write(self, path: Path) -> None:
        """Put the checkpoint in place in one step: beside, flushed, renamed."""
        flat = {f"{group}.{name}": array for group, arrays in self.groups.items() for name, array in arrays.items()}
        flat["position"] = np.frombuffer(msgspec.json.encode(self.position), np.uint8)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, dump_arrays(flat, compress=False))

    @classmethod
    def read(cls, path: Path, key: str) -> Checkpoint | None:
        """Return the checkpoint, or None where there is none of this key or it cannot be read: begin anew then."""
        if not path.is_file():
            return None
        try:
            flat = load_arrays(path)
            position = msgspec.json.decode(flat.pop("position").tobytes(), type=Position)
        except (SuiteError, KeyError, msgspec.DecodeError):
            return None
        groups: dict[str, dict[str, Array]] = {"weights": {}, "probabilities": {}}
        for name, array in flat.items():
            group, _, rest = name.partition(".")
            groups.setdefault(group, {})[rest] = array
        return cls(position, groups) if position.key == key else None


def numbered(arrays: list[Array]) -> dict[str, Array]:
    """Return arrays under their places in the list."""
    return {f"{place:04d}": array for place, array in enumerate(arrays)}
