"""One run of a network: its stages one after the other, with Keras's callbacks, evaluated after each."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cifar_report.bundle import Evaluation, History, Predictions, Scores, StageResult, Weights
from cifar_report.data import Split
from cifar_report.spec import Stage, Trial
from cifar_report.training import seeds
from cifar_report.training.devices import make_strategy
from cifar_report.training.engine import Engine, Predicted
from cifar_report.training.outcome import Outcome, Progress, Seconds, Watcher


def train_network(
    trial: Trial,
    seed: int,
    images: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any],
    split: Split,
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
    with tempfile.TemporaryDirectory(prefix="cifar-report-") as folder:
        for place, stage in enumerate(trial.stages):
            training = _StageTraining(engine, seed, place, split, Path(folder), outcome, watch)
            outcome.stages += (training.run(stage),)
    outcome.parameters_total = engine.model.count_params()
    outcome.parameters_trainable = sum(math.prod(weight.shape) for weight in engine.model.trainable_weights)
    first = engine.model.layers[0].get_weights()
    outcome.kernels = first[0] if first and first[0].ndim == 4 else None
    return outcome


class _StageTraining:
    """One stage: epochs until they are done or validation stops them, then the evaluations."""

    def __init__(
        self, engine: Engine, seed: int, place: int, split: Split, folder: Path, outcome: Outcome, watch: Watcher
    ) -> None:
        self.engine = engine
        self.seed = seed
        self.place = place
        self.split = split
        self.best_file = folder / f"stage-{place}.weights.h5"
        self.outcome = outcome
        self.watch = watch
        self.logs: list[dict[str, float]] = []

    def run(self, stage: Stage) -> StageResult:
        """Train the stage and leave in the model the weights that the next stage starts from."""
        callbacks = keras.callbacks.CallbackList(self._callbacks(stage), model=self.engine.model)
        callbacks.on_train_begin()
        self.engine.model.stop_training = False
        for epoch in range(stage.epochs):
            callbacks.on_epoch_begin(epoch)
            logs = self._epoch(stage, epoch)
            self.logs.append(logs)
            callbacks.on_epoch_end(epoch, dict(logs))
            self._tell(stage, epoch, logs)
            if self.engine.model.stop_training:
                break
        result = self._evaluate(stage)
        callbacks.on_train_end()
        return result

    def _callbacks(self, stage: Stage) -> list[keras.callbacks.Callback]:
        callbacks: list[keras.callbacks.Callback] = [
            keras.callbacks.ModelCheckpoint(
                self.best_file, monitor="val_loss", mode="min", save_best_only=True, save_weights_only=True
            )
        ]
        if stage.early_stopping is not None:
            callbacks.append(
                keras.callbacks.EarlyStopping(
                    monitor="val_loss", mode="min", patience=stage.early_stopping.patience, restore_best_weights=True
                )
            )
        return callbacks

    def _epoch(self, stage: Stage, epoch: int) -> dict[str, float]:
        order = seeds.epoch_order(self.seed, self.place, epoch, self.split.train)
        keys = seeds.epoch_keys(self.seed, self.place, epoch, self.engine.dropout_layers)
        started = time.perf_counter()
        trained = self.engine.train_epoch(order, keys, stage.augmentation)
        between = time.perf_counter()
        validated = self.engine.evaluate(self.split.validation)
        finished = time.perf_counter()
        self.outcome.seconds.epochs.setdefault(stage.id, []).append(between - started)
        self.outcome.seconds.validation.setdefault(stage.id, []).append(finished - between)
        return {
            "loss": trained.loss,
            "accuracy": trained.accuracy,
            "val_loss": validated.loss,
            "val_accuracy": validated.accuracy,
        }

    def _tell(self, stage: Stage, epoch: int, logs: dict[str, float]) -> None:
        before = sum(earlier.epochs for earlier in self.engine.trial.stages[: self.place])
        figures = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        print(f"{stage.id}: epoch {epoch + 1}/{stage.epochs}: {figures}", flush=True)
        self.watch(Progress(stage.id, epoch + 1, stage.epochs, before, logs["loss"], logs["val_accuracy"]))

    def _evaluate(self, stage: Stage) -> StageResult:
        """Evaluate the last weights and the best ones; leave the last ones in the model."""
        started = time.perf_counter()
        last_weights = self.engine.model.get_weights()
        last = self._evaluation(stage, "last")
        val_losses = [log["val_loss"] for log in self.logs]
        best_epoch = _place_of_least(val_losses)
        if best_epoch is None or best_epoch == len(val_losses):
            best = self._same_again(stage, last)
        else:
            self.engine.model.load_weights(self.best_file)
            best = self._evaluation(stage, "best")
            self.engine.model.set_weights(last_weights)
        self.outcome.seconds.evaluation = (self.outcome.seconds.evaluation or 0.0) + time.perf_counter() - started
        return StageResult(
            id=stage.id,
            history=_history(self.logs),
            best_epoch=best_epoch or len(val_losses),
            stopped_early=self.engine.model.stop_training,
            last=last,
            best=best,
        )

    def _evaluation(self, stage: Stage, weights: Weights) -> Evaluation:
        test = self.engine.evaluate(self.split.test)
        self.outcome.predictions.probabilities[stage.id, weights] = test.probabilities
        for variable in self.engine.model.weights:
            name = f"{stage.id}.{weights}.{variable.path.replace('/', '.')}"
            self.outcome.weights[name] = variable.numpy()
        return Evaluation(
            train=_scores(self.engine.evaluate(self.split.train)),
            validation=_scores(self.engine.evaluate(self.split.validation)),
            test=_scores(test),
        )

    def _same_again(self, stage: Stage, last: Evaluation) -> Evaluation:
        """Record the last weights as the best ones as well, since they are."""
        tables = self.outcome.predictions.probabilities
        tables[stage.id, "best"] = tables[stage.id, "last"]
        for name in [name for name in self.outcome.weights if name.startswith(f"{stage.id}.last.")]:
            self.outcome.weights[name.replace(".last.", ".best.", 1)] = self.outcome.weights[name]
        return last


def _place_of_least(values: list[float]) -> int | None:
    """Return the place, counted from 1, of the first least number; None when there is no number at all."""
    numbers = [(value, place) for place, value in enumerate(values, 1) if not math.isnan(value)]
    return min(numbers)[1] if numbers else None


def _scores(predicted: Predicted) -> Scores:
    return Scores(accuracy=predicted.accuracy, loss=_number(predicted.loss))


def _history(logs: list[dict[str, float]]) -> History:
    return History(
        loss=tuple(_number(log["loss"]) for log in logs),
        accuracy=tuple(log["accuracy"] for log in logs),
        val_loss=tuple(_number(log["val_loss"]) for log in logs),
        val_accuracy=tuple(log["val_accuracy"] for log in logs),
    )


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
