"""What a run produces, whole or so far: plain records and arrays, so that the other side needs no TensorFlow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from cifar_report.bundle import ClassicalResult, EpochHashes, Predictions, StageResult, write_file

Array = np.ndarray[Any, Any]


class Progress(NamedTuple):
    """One finished epoch, for whoever watches."""

    stage: str
    epoch: int  # counted from 1 within the stage
    epochs: int  # the most that the stage runs
    epochs_before: int  # the most of all stages before it
    loss: float
    val_accuracy: float


Watcher = Callable[[Progress], None]


@dataclass
class Seconds:
    """Wall-clock seconds of one run, by what they were spent on, as ``RunTiming`` records them."""

    epoch_seconds: dict[str, list[float]] = field(default_factory=dict)  # by stage; without validation
    validation_seconds: dict[str, list[float]] = field(default_factory=dict)
    evaluation_seconds: float | None = None
    fit_seconds: float | None = None
    predict_seconds: float | None = None


@dataclass
class Outcome:
    """Everything that one finished run produced."""

    predictions: Predictions
    seconds: Seconds
    stages: tuple[StageResult, ...] = ()
    classical: ClassicalResult | None = None
    parameters_total: int | None = None
    parameters_trainable: int | None = None
    macs: int | None = None
    weights: dict[str, Array] = field(default_factory=dict)  # "<stage>.<last|best>.<variable>"
    streams: dict[str, str] = field(default_factory=dict)  # see seeds.streams; empty without randomness
    kernels: Array | None = None  # [height, width, 3, filters] of the final weights


class Checkpoint(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The state of a run after an epoch, so that a killed run goes on and ends with the same bytes."""

    key: str  # of the run: another key's checkpoint is no use
    stage: int  # counted from 0
    logs: list[dict[str, float]]  # of this stage
    hashes: list[EpochHashes]  # of this stage
    outcome: Outcome  # of the stages before, and all seconds
    weights: list[Array]  # in Keras's order
    best_weights: list[Array]
    optimizer: list[Array]

    def write(self, path: Path) -> None:
        """Put the checkpoint in place in one step: beside, flushed, renamed."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, msgspec.msgpack.encode(self, enc_hook=_packed))

    @classmethod
    def read(cls, path: Path, key: str) -> Checkpoint | None:
        """Return the checkpoint, or None where there is none of this key or it cannot be read: begin anew then."""
        try:
            found = msgspec.msgpack.decode(path.read_bytes(), type=cls, dec_hook=_unpacked)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.key == key else None


def _packed(array: Array) -> tuple[str, tuple[int, ...], bytes]:
    return array.dtype.str, array.shape, array.tobytes()


def _unpacked(_: type, packed: tuple[str, list[int], bytes]) -> Array:
    dtype, shape, content = packed
    return np.frombuffer(content, dtype).reshape(shape)
