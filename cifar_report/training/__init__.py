"""From a trial to trained weights: the only place that imports TensorFlow, and only inside workers.

What a training tells and returns stands here, as plain records: the other side needs no TensorFlow.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from cifar_report.bundle import ClassicalResult, Predictions, StageResult

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
