"""Reads one quantity of one run: the value that the method judges, and whether it was reached at all."""

from __future__ import annotations

import math
from statistics import median
from typing import NamedTuple

import numpy as np

from cifar_report.analysis.results.trials import Weights
from cifar_report.bundle import Run, Scores, StageResult
from cifar_report.spec import Quantity, Side, Trial

LEVEL = 0.05  # of every test; intervals cover the rest
ACCURACY_LEVEL = 0.55  # validation accuracy that counts as converged
LOSS_RISE = 1.02  # the least rise of the validation loss that counts as overfitting
HIGHER_IS_BETTER: frozenset[Quantity] = frozenset({"accuracy", "validation_accuracy", "throughput"})


class Value(NamedTuple):
    """One run's value; None where it is not a number or was not reached (``censored``)."""

    value: float | None
    censored: bool = False


def primary_weights(trial: Trial, stage_id: str) -> Weights:
    """Return which weights the method judges: the restored best ones after early stopping, else the last ones."""
    stage = next(stage for stage in trial.stages if stage.id == stage_id)
    return "last" if stage.early_stopping is None else "best"


def read(run: Run, side: Side, quantity: Quantity) -> Value:
    """Return the quantity of a finished run, for the side's stage or the last one.

    Raises KeyError when the run has no such stage. Quantities of time are not read here: they come from the
    timing pass alone.
    """
    counts = {"parameters": run.parameters_total, "trainable_parameters": run.parameters_trainable, "macs": run.macs}
    if quantity in counts:
        return Value(counts[quantity])
    if run.classical is not None:
        return Value(run.classical.test_accuracy if quantity == "accuracy" else None)
    stage = run.stage(side.stage)
    if quantity == "epochs_to_accuracy":
        return epochs_to_accuracy(stage)
    if quantity == "epoch_of_least_loss":
        return Value(epoch_of_least_loss(stage))
    if not isinstance(run.trial, Trial):
        return Value(None)
    scores = stage.evaluation(primary_weights(run.trial, stage.id))
    readers = {
        "accuracy": scores.test.accuracy,
        "validation_accuracy": scores.validation.accuracy,
        "loss": scores.test.loss,
        "gap": scores.gap,
    }
    return Value(finite(readers[quantity]))


def score(scores: Scores, name: str) -> float | None:
    """Return ``accuracy`` or ``loss`` of some scores; None where it is not a number."""
    return finite(scores.accuracy if name == "accuracy" else scores.loss)


def epochs_to_accuracy(stage: StageResult) -> Value:
    """Return the first epoch whose validation accuracy reaches ACCURACY_LEVEL, or that none did."""
    for epoch, accuracy in enumerate(stage.history.val_accuracy, start=1):
        if accuracy >= ACCURACY_LEVEL:
            return Value(float(epoch))
    return Value(None, censored=True)


def epoch_of_least_loss(stage: StageResult) -> float | None:
    """Return the epoch of the least 3-epoch-median validation loss; None when no epoch had a number."""
    smooth = smoothed_loss(stage)
    return None if np.all(np.isnan(smooth)) else float(np.nanargmin(smooth) + 1)


def smoothed_loss(stage: StageResult) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return float [epochs]: the median of each epoch's validation loss and its neighbours' (at the ends, of two)."""
    losses = [finite(loss) for loss in stage.history.val_loss]
    smooth = np.full(len(losses), np.nan)
    for place, own in enumerate(losses):
        window = [loss for loss in losses[max(0, place - 1) : place + 2] if loss is not None]
        if own is not None:
            smooth[place] = median(window)
    return smooth


def overfits_from(stage: StageResult) -> float | None:
    """Return the epoch of least smoothed validation loss if a rise of 2 % follows while training loss falls."""
    epoch = epoch_of_least_loss(stage)
    if epoch is None:
        return None
    place = int(epoch) - 1
    later = smoothed_loss(stage)[place:]
    training = [finite(loss) for loss in stage.history.loss]
    first, last = training[place], training[-1]
    rises = np.nanmax(later) >= LOSS_RISE * later[0]
    return epoch if rises and first is not None and last is not None and last < first else None


def diverged(stage: StageResult) -> bool:
    """Whether the training or validation loss of some epoch is no number."""
    return any(finite(loss) is None for loss in (*stage.history.loss, *stage.history.val_loss))


def finite(value: float | None) -> float | None:
    """Return the value, None where it is not a number or is infinite."""
    return value if value is not None and math.isfinite(value) else None
