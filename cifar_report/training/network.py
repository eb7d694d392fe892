"""One run of a network: its stages one after the other, going on from a checkpoint where there is one."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cifar_report.bundle import Predictions
from cifar_report.data import Split
from cifar_report.spec import Trial
from cifar_report.training import seeds
from cifar_report.training.checkpoint import Checkpoint
from cifar_report.training.devices import make_strategy
from cifar_report.training.engine import Engine
from cifar_report.training.outcome import Outcome, Seconds, Watcher
from cifar_report.training.stage import StageTraining


@dataclass(frozen=True)
class Resumption:
    """Where a run keeps its checkpoint; a checkpoint of another key is not used."""

    file: Path
    key: str


def train_network(
    trial: Trial,
    seed: int,
    images: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    split: Split,
    *,
    resumption: Resumption | None = None,
    watch: Watcher = lambda _: None,
) -> Outcome:
    """Train a trial under one seed and return everything measured.

    ``images`` uint8 [60000, 32, 32, 3] and ``labels`` [60000] hold the training images first; ``split`` addresses
    them by index. The caller has configured the process (``devices.configure``).
    """
    keras.backend.clear_session()
    strategy = make_strategy(mirrored=trial.strategy == "mirrored")
    engine = Engine(trial, seed, images, labels, strategy)
    outcome = Outcome(Predictions(split.test, labels[split.test]), Seconds(evaluation=0.0))
    checkpoint = Checkpoint.read(resumption.file, resumption.key) if resumption is not None else None
    first = 0 if checkpoint is None else _restore(checkpoint, outcome)
    with tempfile.TemporaryDirectory(prefix="cifar-report-") as folder:
        for place, stage in enumerate(trial.stages[first:], first):
            training = StageTraining(engine, seed, place, split, Path(folder), outcome, watch, _saver(resumption))
            outcome.stages += (training.run(stage, checkpoint),)
            checkpoint = None
    outcome.streams = seeds.streams(seed)
    outcome.parameters_total = engine.model.count_params()
    outcome.parameters_trainable = sum(math.prod(weight.shape) for weight in engine.model.trainable_weights)
    weights = engine.model.layers[0].get_weights()
    outcome.kernels = weights[0] if weights and weights[0].ndim == 4 else None
    return outcome


def _restore(checkpoint: Checkpoint, outcome: Outcome) -> int:
    """Bring back what the finished stages left; return the stage to go on with."""
    position = checkpoint.position
    outcome.stages = position.finished
    outcome.weights = dict(checkpoint.weights)
    for name, table in checkpoint.probabilities.items():
        stage, _, weights = name.rpartition(".")
        outcome.predictions.probabilities[stage, "last" if weights == "last" else "best"] = table
    outcome.seconds = Seconds(
        epochs={stage: list(values) for stage, values in position.epoch_seconds.items()},
        validation={stage: list(values) for stage, values in position.validation_seconds.items()},
        evaluation=position.evaluation_seconds,
    )
    print(f"going on from the checkpoint after epoch {len(position.logs)} of stage {position.stage + 1}", flush=True)
    return position.stage


def _saver(resumption: Resumption | None) -> Callable[[Callable[[str], Checkpoint]], None]:
    """Return what a stage calls after each epoch with a function that makes the checkpoint for a key."""
    if resumption is None:
        return lambda _: None
    return lambda make: make(resumption.key).write(resumption.file)
