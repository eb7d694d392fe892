"""One run of a network: its stages one after the other, going on from a checkpoint where there is one."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import keras
import msgspec
import numpy as np

from cifar_report.bundle import EpochHashes, Evaluation, History, Predictions, Scores, StageResult, Weights, write_file
from cifar_report.bundle.arrays import weight_place
from cifar_report.data import Split
from cifar_report.errors import UsageError
from cifar_report.spec import Trial
from cifar_report.spec.trials import MOST_WEIGHTS_BYTES
from cifar_report.training import Array, Outcome, Progress, Seconds, Watcher, seeds
from cifar_report.training.engine import Engine, make_strategy
from cifar_report.training.keras_objects import make_optimizer
from cifar_report.training.model import build_model, count_macs, without_gradient


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
        packed = msgspec.msgpack.encode(self, enc_hook=lambda array: (array.dtype.str, array.shape, array.tobytes()))
        write_file(path, packed)

    @classmethod
    def read(cls, path: Path, key: str) -> Self | None:
        """Return the checkpoint, or None where there is none of this key or it cannot be read: begin anew then."""
        try:
            found = msgspec.msgpack.decode(path.read_bytes(), type=cls, dec_hook=_unpacked)
        except (OSError, msgspec.MsgspecError):
            return None
        return found if found.key == key else None


def _unpacked(_: type, packed: tuple[str, list[int], bytes]) -> Array:
    dtype, shape, content = packed
    return np.frombuffer(content, dtype).reshape(shape)


@dataclass(frozen=True)
class Resumption:
    """Where a run keeps its checkpoint; a checkpoint of another key is not used."""

    file: Path
    key: str


def train_network(
    trial: Trial,
    seed: int,
    images: Array,
    labels: Array,
    split: Split,
    *,
    resumption: Resumption | None = None,
    watch: Watcher = lambda _: None,
) -> Outcome:
    """Train a trial under one seed, in a configured process (``engine.configure``), and return everything measured.

    ``images`` uint8 [N, rows, columns, colours] and ``labels`` [N] are addressed by the indices of ``split``.
    """
    keras.backend.clear_session()
    engine = Engine(trial, seed, images, labels, make_strategy(mirrored=trial.strategy == "mirrored"))
    if engine.replicas > 1:  # all are there
        watch(Progress(trial.stages[0].id, 0, trial.stages[0].epochs, 0, math.nan, math.nan))
    outcome = Outcome(Predictions(split.test, labels[split.test]), Seconds(evaluation_seconds=0.0))
    checkpoint = Checkpoint.read(resumption.file, resumption.key) if resumption is not None else None
    first = 0
    if checkpoint is not None:
        first, outcome, epochs = checkpoint.stage, checkpoint.outcome, len(checkpoint.logs)
        print(f"going on from the checkpoint after epoch {epochs} of stage {first + 1}", flush=True)
    for place in range(first, len(trial.stages)):
        training = _StageTraining(engine, seed, place, split, outcome, watch, resumption)
        outcome.stages += (training.run(checkpoint if place == first else None),)
    outcome.streams = seeds.streams(seed, *(["layer"] if engine.drawing_layers[1] else []))
    outcome.parameters_total = engine.model.count_params()
    outcome.parameters_trainable = sum(math.prod(weight.shape) for weight in engine.model.trainable_weights)
    outcome.macs = trial.macs if trial.macs is not None else count_macs(engine.model)
    weights = engine.model.layers[0].get_weights()
    outcome.kernels = weights[0] if weights and weights[0].ndim == 4 else None
    return outcome


def check_trials(trials: Sequence[Trial]) -> str:
    """Return why Keras cannot build or trace the first trial that it cannot; nothing where it can build all."""
    for trial in trials:
        try:
            model = build_model(trial, 0, synchronized=trial.strategy == "mirrored")
            make_optimizer(trial, model.trainable_variables)
            weights = 2 * len(trial.stages) * 4 * model.count_params()
            if weights > MOST_WEIGHTS_BYTES:
                return f"trial {trial.id}: its weights take {weights:,} bytes, {MOST_WEIGHTS_BYTES:,} at most"
            count_macs(model)  # what fails in the traced graph alone, fails now
            if stuck := without_gradient(model):
                return f"trial {trial.id}: no gradient reaches {', '.join(stuck)}, so that it could not be trained"
        except UsageError as error:
            return f"trial {trial.id}: {str(error).removeprefix(f'trial {trial.id}: ')}"
        except (TypeError, ValueError) as error:
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            return f"trial {trial.id}: Keras cannot compute it: {lines[-1] if lines else type(error).__name__}"
    return ""


@dataclass
class _StageTraining:
    """Trains one stage of an engine's trial and evaluates it; an object serves for one call of ``run``.

    Best weights and early stopping are those of Keras's ModelCheckpoint and EarlyStopping, on the validation loss.
    """

    engine: Engine
    seed: int
    place: int
    split: Split
    outcome: Outcome
    watch: Watcher
    resumption: Resumption | None
    logs: list[dict[str, float]] = field(default_factory=list)
    hashes: list[EpochHashes] = field(default_factory=list)
    best_weights: list[Array] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.stage = self.engine.trial.stages[self.place]

    def run(self, checkpoint: Checkpoint | None) -> StageResult:
        """Train the stage and leave in the model the weights that the next stage starts from."""
        if checkpoint is not None:
            self.engine.set_weights(checkpoint.weights)
            self.engine.set_optimizer_state(checkpoint.optimizer)
            self.logs, self.hashes, self.best_weights = checkpoint.logs, checkpoint.hashes, checkpoint.best_weights
        while len(self.logs) < self.stage.epochs and not self._stopped():
            self._train_epoch(len(self.logs))
            self._keep()
            self._tell()
        with self.engine.averaged():
            result = self._evaluate()
        if self.stage.early_stopping is not None:
            self.engine.set_weights(self.best_weights)
        return result

    def _best_place(self) -> int:
        """Return the place of the first least validation loss; one that is not a number counts as infinite."""
        losses = [math.inf if math.isnan(log["val_loss"]) else log["val_loss"] for log in self.logs]
        return losses.index(min(losses))

    def _stopped(self) -> bool:
        """Whether the validation loss has not fallen for as many epochs as early stopping waits."""
        if self.stage.early_stopping is None or not self.logs:
            return False
        since_best = len(self.logs) - 1 - self._best_place()
        return since_best >= max(1, self.stage.early_stopping.patience)

    def _train_epoch(self, epoch: int) -> None:
        drawn = 0 if self.engine.trial.data_order == "fixed" else epoch
        order = seeds.epoch_order(self.seed, self.place, drawn, self.split.train)
        keys = seeds.epoch_keys(self.seed, self.place, epoch, *self.engine.drawing_layers)
        started = time.perf_counter()
        trained = self.engine.train_epoch(order, keys, self.stage.augmentation)
        between = time.perf_counter()
        with self.engine.averaged():  # in place of the weights, where the optimizer keeps any
            validated = self.engine.evaluate(self.split.validation)
            finished = time.perf_counter()
            weights = self.engine.weights()
        self.hashes.append(EpochHashes(order=seeds.fingerprint(order), weights=seeds.fingerprint(*weights)))
        seconds = self.outcome.seconds
        seconds.epoch_seconds.setdefault(self.stage.id, []).append(between - started)
        seconds.validation_seconds.setdefault(self.stage.id, []).append(finished - between)
        logs = {"loss": trained.loss, "accuracy": trained.accuracy}
        logs |= {"val_loss": validated.loss, "val_accuracy": validated.accuracy}
        if trained.regularization is not None:
            logs["regularization"] = trained.regularization
        self.logs.append(logs)
        if self._best_place() == epoch:
            self.best_weights = weights

    def _keep(self) -> None:
        """Write the state after the epoch that has just ended."""
        if self.resumption is None:
            return
        checkpoint = Checkpoint(
            key=self.resumption.key,
            stage=self.place,
            logs=self.logs,
            hashes=self.hashes,
            outcome=self.outcome,
            weights=self.engine.weights(),
            best_weights=self.best_weights,
            optimizer=self.engine.optimizer_state(),
        )
        checkpoint.write(self.resumption.file)

    def _tell(self) -> None:
        stage, epoch, logs = self.stage, len(self.logs), self.logs[-1]
        before = sum(earlier.epochs for earlier in self.engine.trial.stages[: self.place])
        figures = ", ".join(f"{name} {value:.4f}" for name, value in logs.items())
        print(f"{stage.id}: epoch {epoch}/{stage.epochs}: {figures}", flush=True)
        self.watch(Progress(stage.id, epoch, stage.epochs, before, logs["loss"], logs["val_accuracy"]))

    def _evaluate(self) -> StageResult:
        """Evaluate the last weights and the best ones; leave the last ones in the model."""
        started = time.perf_counter()
        last_weights = self.engine.weights()
        last = best = self._evaluation("last")
        numbers = any(math.isfinite(log["val_loss"]) for log in self.logs)
        best_epoch = self._best_place() + 1 if numbers else len(self.logs)
        if best_epoch == len(self.logs):
            self._store_last_as_best()
        else:
            self.engine.set_weights(self.best_weights)
            best = self._evaluation("best")
            self.engine.set_weights(last_weights)
        seconds = self.outcome.seconds
        seconds.evaluation_seconds = (seconds.evaluation_seconds or 0.0) + time.perf_counter() - started
        curves: dict[str, Any] = {name: tuple(_number(log[name]) for log in self.logs) for name in self.logs[0]}
        return StageResult(
            id=self.stage.id,
            history=History(**curves),
            best_epoch=best_epoch,
            stopped_early=self._stopped(),
            last=last,
            best=best,
            hashes=tuple(self.hashes),
        )

    def _evaluation(self, weights: Weights) -> Evaluation:
        parts = {part: self.engine.evaluate(getattr(self.split, part)) for part in ("test", "train", "validation")}
        self.outcome.predictions.probabilities[self.stage.id, weights] = parts["test"].probabilities
        for name, variable in zip(weight_names(self.engine.model), self.engine.model.weights, strict=True):
            self.outcome.weights[f"{self.stage.id}.{weights}.{name}"] = np.array(variable.numpy())
        scores = {part: Scores(accuracy=found.accuracy, loss=_number(found.loss)) for part, found in parts.items()}
        return Evaluation(**scores, dead_units=parts["test"].dead_units)

    def _store_last_as_best(self) -> None:
        stage, tables = self.stage.id, self.outcome.predictions.probabilities
        tables[stage, "best"] = tables[stage, "last"]
        for name in [name for name in self.outcome.weights if name.startswith(f"{stage}.last.")]:
            self.outcome.weights[name.replace(".last.", ".best.", 1)] = self.outcome.weights[name]


def weight_names(model: keras.Sequential) -> list[str]:
    """Return under which name each weight is stored, in Keras's order."""
    names = [variable.path.replace("/", ".") for variable in model.weights]
    for place, name in enumerate(names):
        if weight_place(name) is None:
            layer, _, own = name.rpartition(".")
            names[place] = f"{layer}.{place:03d}_{own}"
    return names


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
