"""One stage of a run: epochs under Keras's callbacks until they are done, then the evaluations."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from cifar_report.bundle import EpochHashes, Evaluation, History, Scores, StageResult, Weights
from cifar_report.data import Split
from cifar_report.spec import Stage
from cifar_report.training import seeds
from cifar_report.training.checkpoint import Checkpoint, Patience, Position
from cifar_report.training.engine import Engine, Predicted
from cifar_report.training.outcome import Outcome, Progress, Watcher


class StageTraining:
    """Trains one stage of an engine's trial; an object serves for one call of ``run``."""

    def __init__(
        self,
        engine: Engine,
        seed: int,
        place: int,
        split: Split,
        folder: Path,
        outcome: Outcome,
        watch: Watcher,
        save: Callable[[Callable[[str], Checkpoint]], None],
    ) -> None:
        self.engine = engine
        self.seed = seed
        self.place = place
        self.split = split
        self.best_file = folder / f"stage-{place}.weights.h5"
        self.outcome = outcome
        self.watch = watch
        self.save = save
        self.logs: list[dict[str, float]] = []
        self.hashes: list[EpochHashes] = []
        self.keeper = keras.callbacks.ModelCheckpoint(
            self.best_file, monitor="val_loss", mode="min", save_best_only=True, save_weights_only=True
        )
        self.stopper: keras.callbacks.EarlyStopping | None = None

    def run(self, stage: Stage, checkpoint: Checkpoint | None = None) -> StageResult:
        """Train the stage and leave in the model the weights that the next stage starts from."""
        if stage.early_stopping is not None:
            self.stopper = keras.callbacks.EarlyStopping(
                monitor="val_loss", mode="min", patience=stage.early_stopping.patience, restore_best_weights=True
            )
        active = [callback for callback in (self.keeper, self.stopper) if callback is not None]
        callbacks = keras.callbacks.CallbackList(active, model=self.engine.model)
        callbacks.on_train_begin()
        self.engine.model.stop_training = False
        if checkpoint is not None:
            self._restore(checkpoint)
        for epoch in range(len(self.logs), stage.epochs):
            if self.engine.model.stop_training:
                break
            callbacks.on_epoch_begin(epoch)
            logs = self._epoch(stage, epoch)
            self.logs.append(logs)
            # A loss that is no number must not be taken for the least one: Keras keeps the first it sees.
            callbacks.on_epoch_end(epoch, {name: math.inf if math.isnan(x) else x for name, x in logs.items()})
            self.save(self._checkpoint)
            self._tell(stage, epoch, logs)
        result = self._evaluate(stage)
        callbacks.on_train_end()
        return result

    def _epoch(self, stage: Stage, epoch: int) -> dict[str, float]:
        order = seeds.epoch_order(self.seed, self.place, epoch, self.split.train)
        keys = seeds.epoch_keys(self.seed, self.place, epoch, self.engine.dropout_layers)
        started = time.perf_counter()
        trained = self.engine.train_epoch(order, keys, stage.augmentation)
        between = time.perf_counter()
        validated = self.engine.evaluate(self.split.validation)
        finished = time.perf_counter()
        weights = seeds.fingerprint(*self.engine.weights())
        self.hashes.append(EpochHashes(order=seeds.fingerprint(order), weights=weights))
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
        last_weights = self.engine.weights()
        last = self._evaluation(stage, "last")
        val_losses = [log["val_loss"] for log in self.logs]
        best_epoch = _place_of_least(val_losses)
        if best_epoch is None or best_epoch == len(val_losses):
            best = self._same_again(stage, last)
        else:
            self.engine.set_weights(self.engine.weights_in(self.best_file))
            best = self._evaluation(stage, "best")
            self.engine.set_weights(last_weights)
        self.outcome.seconds.evaluation = (self.outcome.seconds.evaluation or 0.0) + time.perf_counter() - started
        return StageResult(
            id=stage.id,
            history=_history(self.logs),
            best_epoch=best_epoch or len(val_losses),
            stopped_early=self.engine.model.stop_training,
            last=last,
            best=best,
            hashes=tuple(self.hashes),
        )

    def _evaluation(self, stage: Stage, weights: Weights) -> Evaluation:
        test = self.engine.evaluate(self.split.test)
        self.outcome.predictions.probabilities[stage.id, weights] = test.probabilities
        for variable in self.engine.model.weights:
            name = f"{stage.id}.{weights}.{variable.path.replace('/', '.')}"
            self.outcome.weights[name] = np.array(variable.numpy())
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

    def _checkpoint(self, key: str) -> Checkpoint:
        """Return the state after the epoch that has just ended."""
        seconds = self.outcome.seconds
        arrays = {
            "model": self.engine.weights(),
            "optimizer": self.engine.optimizer_state(),
            "checkpoint": self.engine.weights_in(self.best_file),
            "early_stopping": (self.stopper.best_weights or []) if self.stopper is not None else [],
        }
        position = Position(
            key=key,
            stage=self.place,
            logs=tuple({name: _number(value) for name, value in log.items()} for log in self.logs),
            hashes=tuple(self.hashes),
            stop_training=self.engine.model.stop_training,
            patience=_patience(self.keeper, self.stopper),
            finished=self.outcome.stages,
            epoch_seconds=seconds.epochs,
            validation_seconds=seconds.validation,
            evaluation_seconds=seconds.evaluation or 0.0,
        )
        tables = self.outcome.predictions.probabilities
        named = {f"{stage}.{weights}": table for (stage, weights), table in tables.items()}
        return Checkpoint(position, arrays, dict(self.outcome.weights), named)

    def _restore(self, checkpoint: Checkpoint) -> None:
        """Go back to the state after a checkpoint's epoch, callbacks included."""
        position, arrays = checkpoint.position, checkpoint.arrays
        self.engine.set_weights(arrays["checkpoint"])
        self.engine.model.save_weights(self.best_file)
        self.engine.set_weights(arrays["model"])
        self.engine.set_optimizer_state(arrays["optimizer"])
        self.logs = [
            {name: math.nan if value is None else value for name, value in log.items()} for log in position.logs
        ]
        self.hashes = list(position.hashes)
        self.engine.model.stop_training = position.stop_training
        self.keeper.best = position.patience.checkpoint_best
        if self.stopper is not None:
            self.stopper.best_weights = [np.array(weight) for weight in arrays["early_stopping"]]
            for name in ("wait", "best", "best_epoch", "stopped_epoch"):
                setattr(self.stopper, name, getattr(position.patience, name))


def _patience(keeper: keras.callbacks.ModelCheckpoint, stopper: keras.callbacks.EarlyStopping | None) -> Patience:
    if stopper is None:
        return Patience(checkpoint_best=_bound(keeper.best))
    return Patience(
        checkpoint_best=_bound(keeper.best),
        wait=stopper.wait,
        best=_bound(stopper.best),
        best_epoch=stopper.best_epoch,
        stopped_epoch=stopper.stopped_epoch,
    )


def _bound(best: float | None) -> float | None:
    """Return a loss as JSON can hold it: infinity, which any number improves on, as the largest number."""
    return None if best is None else min(float(best), 1e300)


def _place_of_least(values: list[float]) -> int | None:
    """Return the place, counted from 1, of the first least number; None when there is no number at all."""
    numbers = [(value, place) for place, value in enumerate(values, 1) if math.isfinite(value)]
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
