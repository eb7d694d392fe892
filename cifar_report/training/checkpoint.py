"""The state of a run after an epoch, so that a killed run goes on and ends with the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.bundle import EpochHashes, StageResult, write_file
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.errors import SuiteError

Array = np.ndarray[Any, Any]


class Patience(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What Keras's callbacks remember between epochs; infinities stand for "no epoch yet"."""

    checkpoint_best: float | None  # least validation loss that ModelCheckpoint has seen; None: none yet
    wait: int = 0  # EarlyStopping: epochs without improvement
    best: float | None = None
    best_epoch: int = 0
    stopped_epoch: int = 0


class Position(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a run stands: everything that is not an array."""

    key: str  # of the run: another key's checkpoint is no use
    stage: int  # counted from 0
    logs: tuple[dict[str, float | None], ...]  # of this stage; None: not a number
    hashes: tuple[EpochHashes, ...]  # of this stage
    stop_training: bool
    patience: Patience
    finished: tuple[StageResult, ...]  # the stages before
    epoch_seconds: dict[str, list[float]]
    validation_seconds: dict[str, list[float]]
    evaluation_seconds: float


@dataclass
class Checkpoint:
    """A position with its arrays.

    ``arrays`` maps a group ("model", "optimizer", "checkpoint", "early_stopping") to its list of arrays in Keras's
    order; ``weights`` and ``probabilities`` belong to the finished stages, under their names in the bundle.
    """

    position: Position
    arrays: dict[str, list[Array]]
    weights: dict[str, Array] = field(default_factory=dict)
    probabilities: dict[str, Array] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Put the checkpoint in place in one step: beside, flushed, renamed."""
        flat = {
            f"{group}.{place:04d}": array for group, list_ in self.arrays.items() for place, array in enumerate(list_)
        }
        flat |= {f"weights.{name}": array for name, array in self.weights.items()}
        flat |= {f"probabilities.{name}": array for name, array in self.probabilities.items()}
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
        if position.key != key:
            return None
        found = cls(position, {})
        for name in sorted(flat):
            group, _, rest = name.partition(".")
            if group in ("weights", "probabilities"):
                getattr(found, group)[rest] = flat[name]
            else:
                found.arrays.setdefault(group, []).append(flat[name])
        return found
