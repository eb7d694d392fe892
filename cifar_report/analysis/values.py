"""Reads one quantity of one run or timing block: the value that the method judges, and whether it was reached."""

import math
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from cifar_report.analysis.results.trials import SeedValue
from cifar_report.bundle import Bundle, Measurement, Run, StageResult, Weights
from cifar_report.spec import Claim, Quantity, Side, Trial

Array = np.ndarray[Any, Any]

LEVEL = 0.05  # of every test; intervals cover the rest
ACCURACY_LEVEL = 0.55  # validation accuracy that counts as converged
LOSS_RISE = 1.02  # the least rise of the validation loss that counts as overfitting
HIGHER_IS_BETTER: frozenset[Quantity] = frozenset({"accuracy", "validation_accuracy", "throughput"})


def primary_weights(trial: Trial, stage_id: str) -> Weights:
    """Return which weights the method judges: the restored best ones after early stopping, else the last ones."""
    stage = next(stage for stage in trial.stages if stage.id == stage_id)
    return "last" if stage.early_stopping is None else "best"


def read(run: Run, side: Side, quantity: Quantity) -> SeedValue:
    """Return the quantity of a run at the side's stage or the last one; KeyError where it has no such stage."""
    value = _value(run, side, quantity)
    if quantity == "epochs_to_accuracy" and value is None and run.stages:
        return SeedValue(run.seed, run.id, run.stage(side.stage).epochs + 1, censored=True)
    return SeedValue(run.seed, run.id, value)


def _value(run: Run, side: Side, quantity: Quantity) -> float | None:
    counts = {"parameters": run.parameters_total, "trainable_parameters": run.parameters_trainable, "macs": run.macs}
    if quantity in counts:
        return counts[quantity]
    if run.classical is not None or not isinstance(run.trial, Trial):
        return run.classical.test_accuracy if run.classical is not None and quantity == "accuracy" else None
    stage = run.stage(side.stage)
    if quantity == "epochs_to_accuracy":
        return first_epoch_at_level(stage.history.val_accuracy)
    if quantity == "epoch_of_least_loss":
        return epoch_of_least_loss(stage)
    scores = stage.evaluation(primary_weights(run.trial, stage.id))
    known: dict[str, float | None] = {"loss": scores.test.loss, "gap": scores.gap, "dead_units": scores.dead_units}
    known |= {"accuracy": scores.test.accuracy, "validation_accuracy": scores.validation.accuracy}
    return finite(known[quantity])


def first_epoch_at_level(accuracies: tuple[float, ...]) -> float | None:
    """Return the first epoch, counted from 1, that reaches ACCURACY_LEVEL; None where none does."""
    return next((float(epoch) for epoch, value in enumerate(accuracies, 1) if value >= ACCURACY_LEVEL), None)


def epoch_of_least_loss(stage: StageResult) -> float | None:
    """Return the epoch of the least validation loss, the first of equal ones; None when no epoch had a number."""
    losses = _validation_losses(stage)
    return None if np.all(np.isnan(losses)) else float(np.nanargmin(losses) + 1)


def smoothed_loss(stage: StageResult) -> Array:
    """Return float [epochs]: the median of each epoch's validation loss and its two neighbours'; NaN at the ends."""
    losses = _validation_losses(stage)
    smooth = np.full(len(losses), np.nan)
    for place in range(1, len(losses) - 1):
        smooth[place] = np.median(losses[place - 1 : place + 2])
    return smooth


def _validation_losses(stage: StageResult) -> Array:
    return np.array([finite(loss) for loss in stage.history.val_loss], float)  # NaN where None


def overfits_from(stage: StageResult) -> float | None:
    """Return the epoch of least smoothed validation loss if a rise of 2 % follows while training loss falls."""
    smooth = smoothed_loss(stage)
    if np.all(np.isnan(smooth)):
        return None
    place = int(np.nanargmin(smooth))
    training = np.array(stage.history.loss, float)
    rises = (smooth[place + 1 :] >= LOSS_RISE * smooth[place]) & (training[place + 1 :] < training[place])
    return float(place + 1) if rises.any() else None


def finite(value: float | None) -> float | None:
    """Return the value, None where it is not a number or is infinite."""
    return value if value is not None and math.isfinite(value) else None


def seconds_per_step(measurement: Measurement) -> float | None:
    """Return the seconds of one training step: the median over the equal portions that were timed one by one."""
    if not measurement.steps:
        return None
    portions = measurement.portions or (measurement.seconds,)
    return median(portions) * len(portions) / measurement.steps


def images_per_second(measurement: Measurement) -> float | None:
    """Return how many images a network is trained on in a second."""
    seconds = seconds_per_step(measurement)
    return measurement.batch_size / seconds if seconds else None


TIMES: dict[Quantity, Callable[[Measurement], float | None]] = {
    "seconds": seconds_per_step,
    "throughput": images_per_second,
    "fit_seconds": lambda each: each.fit_seconds,
    "predict_seconds": lambda each: each.predict_seconds,
}


def by_block(bundle: Bundle, trial: str, quantity: Quantity, *, disturbed: bool = False) -> dict[int, float]:
    """Return the median of a trial's positive values by block, of ``disturbed`` blocks only where asked for."""
    if bundle.timing_pass is None:
        return {}
    found: dict[int, list[float]] = {}
    for measurement in bundle.timing_pass.measurements:
        if measurement.trial != trial or (measurement.contended and not disturbed):
            continue
        value = TIMES[quantity](measurement)
        if value is not None and np.isfinite(value) and value > 0:
            found.setdefault(measurement.block, []).append(value)
    return {block: median(values) for block, values in sorted(found.items())}


def is_time(claim: Claim) -> bool:
    """Whether the claim is about times or rates: read from the timing pass alone, compared as log ratios."""
    return claim.quantity in TIMES
