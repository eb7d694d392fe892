"""One stage of one trial over all its seeds: scores, curves, convergence and errors by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cifar_report.analysis.answers import AnswerTable
from cifar_report.analysis.classes import prediction_metrics
from cifar_report.analysis.curves import curve_of, epoch_rows, original_curve
from cifar_report.analysis.measures import measure
from cifar_report.analysis.results import Measure, Scope, StageSummary, Unit, WeightScores
from cifar_report.analysis.results.trials import Weights
from cifar_report.analysis.values import (
    ACCURACY_LEVEL,
    Value,
    epoch_of_least_loss,
    epochs_to_accuracy,
    finite,
    primary_weights,
    score,
)
from cifar_report.bundle import Run, StageResult
from cifar_report.published import OriginalStage
from cifar_report.spec import Trial


def stage_summary(
    trial: Trial,
    stage_id: str,
    runs: Sequence[Run],
    answers: AnswerTable,
    original: OriginalStage | None,
    scope: Scope,
) -> StageSummary:
    """Return the summary of one stage; ``runs`` are the finished ones and must not be empty."""
    prefix = f"{trial.id}.{stage_id}"
    primary = primary_weights(trial, stage_id)
    curves = tuple(curve_of(run, stage_id) for run in runs)
    given = [found for run in runs if (found := answers.get((run.id, stage_id))) is not None]

    def over_runs(name: str, read: Callable[[StageResult], Value], published: float | None = None) -> Measure:
        values = [read(run.stage(stage_id)) for run in runs]
        return measure(f"{prefix}.{name}", "epochs", runs, values, original=published)

    return StageSummary(
        trial=trial.id,
        id=stage_id,
        primary_weights=primary,
        last=_weight_scores(prefix, "last", runs, stage_id, original if primary == "last" else None, scope),
        best=_weight_scores(prefix, "best", runs, stage_id, original if primary == "best" else None, scope),
        curves=curves,
        original_curve=original_curve(original),
        epochs_table=epoch_rows(prefix, curves),
        epochs_run=over_runs("epochs_run", lambda stage: Value(stage.epochs), original.epochs if original else None),
        best_epoch=over_runs("best_epoch", lambda stage: Value(stage.best_epoch)),
        epochs_to_accuracy=over_runs("epochs_to_accuracy", epochs_to_accuracy, _original_epochs(original)),
        epoch_of_least_loss=over_runs("epoch_of_least_loss", lambda stage: Value(epoch_of_least_loss(stage))),
        test=prediction_metrics(prefix, primary, runs, given) if len(given) == len(runs) else None,
    )


def _original_epochs(original: OriginalStage | None) -> float | None:
    if original is None:
        return None
    reached = [place for place, value in enumerate(original.history.val_accuracy, start=1) if value >= ACCURACY_LEVEL]
    return float(reached[0]) if reached else None


def _weight_scores(
    prefix: str,
    weights: Weights,
    runs: Sequence[Run],
    stage_id: str,
    original: OriginalStage | None,
    scope: Scope,
) -> WeightScores:
    evaluations = [run.stage(stage_id).evaluation(weights) for run in runs]
    published = {
        "test_accuracy": original.test_accuracy if original else None,
        "test_loss": original.test_loss if original else None,
        "validation_accuracy": original.validation_accuracy if original else None,
    }

    def one(part: str, name: str, unit: Unit) -> Measure:
        values = [Value(score(getattr(evaluation, part), name)) for evaluation in evaluations]
        identity = f"{prefix}.{weights}.{part}_{name}"
        number = published.get(f"{part}_{name}")
        return measure(identity, unit, runs, values, original=number, scope=scope if original else None)

    gaps = [Value(finite(evaluation.gap)) for evaluation in evaluations]
    return WeightScores(
        weights,
        train_accuracy=one("train", "accuracy", "share"),
        validation_accuracy=one("validation", "accuracy", "share"),
        test_accuracy=one("test", "accuracy", "share"),
        train_loss=one("train", "loss", "loss"),
        validation_loss=one("validation", "loss", "loss"),
        test_loss=one("test", "loss", "loss"),
        gap=measure(f"{prefix}.{weights}.gap", "points", runs, gaps),
    )
