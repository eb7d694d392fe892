"""Curves by epoch: each seed's, the original's, and the table of their means."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cifar_report.analysis.results import Curve, Datum, EpochRow, Unit
from cifar_report.analysis.values import finite
from cifar_report.bundle import Run
from cifar_report.published import OriginalStage

COLUMNS: dict[str, Unit] = {"loss": "loss", "accuracy": "share", "val_loss": "loss", "val_accuracy": "share"}


def curve_of(run: Run, stage_id: str) -> Curve:
    """Return one run's curves in one stage."""
    stage = run.stage(stage_id)
    columns = {name: tuple(finite(value) for value in getattr(stage.history, name)) for name in COLUMNS}
    return Curve(run.id, run.seed, **columns, best_epoch=stage.best_epoch, stopped_early=stage.stopped_early)


def original_curve(stage: OriginalStage | None) -> Curve | None:
    """Return the curves that the original printed."""
    if stage is None:
        return None
    columns = {name: tuple(getattr(stage.history, name)) for name in COLUMNS}
    best = int(np.argmin(columns["val_loss"])) + 1 if columns["val_loss"] else None
    return Curve("original", None, **columns, best_epoch=best, stopped_early=None)


def epoch_rows(prefix: str, curves: Sequence[Curve]) -> tuple[EpochRow, ...]:
    """Return the means by epoch over the seeds that trained in it; a seed without a number makes a mean undefined."""
    last = max((len(curve.loss) for curve in curves), default=0)
    return tuple(_epoch_row(prefix, curves, epoch) for epoch in range(1, last + 1))


def _epoch_row(prefix: str, curves: Sequence[Curve], epoch: int) -> EpochRow:
    running = [curve for curve in curves if len(curve.loss) >= epoch]
    runs = tuple(curve.run for curve in running)

    def mean(name: str) -> Datum:
        values = [getattr(curve, name)[epoch - 1] for curve in running]
        known = [value for value in values if value is not None]
        complete = len(known) == len(values)
        return Datum(
            f"{prefix}.epoch_{epoch}.{name}",
            sum(known) / len(known) if complete else None,
            COLUMNS[name],
            "mean_over_running_seeds",
            n=len(running),
            runs=runs,
            reason=None if complete else "not_a_number",
        )

    return EpochRow(
        epoch,
        len(running),
        loss=mean("loss"),
        accuracy=mean("accuracy"),
        val_loss=mean("val_loss"),
        val_accuracy=mean("val_accuracy"),
    )
