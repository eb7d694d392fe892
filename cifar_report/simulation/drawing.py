"""Draws one run's histories, scores and predictions so that they agree with one another."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from cifar_report.bundle import ClassicalResult, Evaluation, History, Predictions, Scores, StageResult, Weights
from cifar_report.spec import CLASS_COUNT, Stage

Array = np.ndarray[Any, Any]

EPOCHS_TO_LEVEL = 3.0  # time constant of the curves, in epochs
TRAIN_GAIN = 0.006  # accuracy by which training runs ahead of validation, each epoch
LOSS_RISE = 0.02  # by which validation loss rises in each epoch behind the best one


@dataclass(frozen=True)
class Images:
    """The test images: places in the 60,000, labels, and how hard each is for every network (standard normal)."""

    indices: Array
    labels: Array
    difficulty: Array
    noise: float  # share of the difficulty that each network draws anew


def draw_stage(
    stage: Stage, level: float, images: Images, generator: np.random.Generator
) -> tuple[StageResult, Predictions]:
    """Draw a stage whose expected test accuracy is ``level``, with the predictions of both sets of weights."""
    turning = max(1, round(min(8, stage.epochs * 0.6) + generator.integers(-1, 2)))
    epochs = stage.epochs
    if stage.early_stopping is not None:
        epochs = min(epochs, turning + stage.early_stopping.patience)
    history = _history(epochs, min(turning, epochs), level, generator)
    best_epoch = int(np.argmin(np.array(history.val_loss, float))) + 1
    last = draw_probabilities(level, images, generator)
    best = last if best_epoch == epochs else draw_probabilities(level, images, generator)
    tables: dict[tuple[str, Weights], Array] = {(stage.id, "last"): last, (stage.id, "best"): best}
    result = StageResult(
        id=stage.id,
        history=history,
        best_epoch=best_epoch,
        stopped_early=epochs < stage.epochs,
        last=_evaluation(last, images.labels, history, epochs),
        best=_evaluation(best, images.labels, history, best_epoch),
    )
    return result, Predictions(images.indices, images.labels, tables)


def draw_classical(
    level: float, training_images: int, images: Images, generator: np.random.Generator
) -> tuple[ClassicalResult, Predictions]:
    """Draw a classifier's answers; it has no probabilities."""
    predicted = _answers(level, images, generator)
    accuracy = float(np.mean(predicted == images.labels))
    predictions = Predictions(images.indices, images.labels, {}, predicted)
    return ClassicalResult(training_images=training_images, test_accuracy=accuracy), predictions


def draw_probabilities(level: float, images: Images, generator: np.random.Generator) -> Array:
    """Return float32 [N, 10] whose largest entry is right for a share of about ``level`` of the images."""
    answers = _answers(level, images, generator)
    logits = generator.standard_normal((len(answers), CLASS_COUNT))
    rows = np.arange(len(answers))
    logits[rows, answers] = logits.max(axis=1) + 0.05 + generator.exponential(1.5, len(answers))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    table: Array = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    return table


def _answers(level: float, images: Images, generator: np.random.Generator) -> Array:
    """Return uint8 [N]: right where the image is easy enough for a network of this level."""
    own = generator.standard_normal(len(images.labels))
    hardness = np.sqrt(1 - images.noise) * images.difficulty + np.sqrt(images.noise) * own
    right = hardness < NormalDist().inv_cdf(min(max(level, 0.001), 0.999))
    wrong = (images.labels + generator.integers(1, CLASS_COUNT, len(right))) % CLASS_COUNT
    return np.where(right, images.labels, wrong).astype(np.uint8)


def _history(epochs: int, turning: int, level: float, generator: np.random.Generator) -> History:
    epoch = np.arange(1, epochs + 1)
    learned = 1 - np.exp(-epoch / EPOCHS_TO_LEVEL)
    val_accuracy = 0.25 + (level - 0.25) * learned + generator.normal(0, 0.004, epochs)
    accuracy = 0.25 + (level - 0.25) * learned + TRAIN_GAIN * epoch
    least = 2.9 * (1 - level)
    val_loss = least + (2.3 - least) * (1 - learned) + LOSS_RISE * np.maximum(0, epoch - turning)
    val_loss += generator.normal(0, 0.004, epochs)
    loss = 2.9 * (1 - accuracy)
    return History(
        loss=_tuple(loss), accuracy=_tuple(accuracy), val_loss=_tuple(val_loss), val_accuracy=_tuple(val_accuracy)
    )


def _tuple(values: Array) -> tuple[float, ...]:
    return tuple(float(value) for value in np.round(np.clip(values, 0.01, 0.99 if values.max() < 1 else None), 6))


def _evaluation(table: Array, labels: Array, history: History, epoch: int) -> Evaluation:
    accuracy = float(np.mean(table.argmax(axis=1) == labels))
    loss = float(np.mean(-np.log(table[np.arange(len(labels)), labels].astype(np.float64))))
    train_accuracy, train_loss = history.accuracy[epoch - 1], history.loss[epoch - 1]
    return Evaluation(
        train=Scores(accuracy=min(train_accuracy + 0.01, 1.0), loss=train_loss),
        validation=Scores(accuracy=history.val_accuracy[epoch - 1], loss=history.val_loss[epoch - 1]),
        test=Scores(accuracy=accuracy, loss=loss),
    )
