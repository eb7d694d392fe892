"""What test predictions say by class and by confidence, over the seeds of one stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from cifar_report.analysis.answers import Answers
from cifar_report.analysis.measures import mean_datum, measure
from cifar_report.analysis.metrics import BINS, Bins, class_rates
from cifar_report.analysis.results import (
    ClassScores,
    ConfusedPair,
    Datum,
    Measure,
    PredictionMetrics,
    ReliabilityBin,
    SeedValue,
    Unit,
)
from cifar_report.analysis.results.trials import Weights
from cifar_report.analysis.values import Value
from cifar_report.bundle import Run
from cifar_report.spec import CLASS_COUNT

Array = np.ndarray[Any, Any]

MOST_PAIRS = 10


def prediction_metrics(
    prefix: str, weights: Weights | None, runs: Sequence[Run], given: Sequence[Answers]
) -> PredictionMetrics:
    """Return the metrics of one stage; ``given`` holds each run's answers, in the order of ``runs``."""
    matrix = np.sum([answers.matrix for answers in given], axis=0)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)
    bins = [answers.bins for answers in given if answers.bins is not None]

    def over_seeds(name: str) -> Measure | None:
        values = [getattr(answers, name) for answers in given]
        if all(value is None for value in values):
            return None
        unit: Unit = "loss" if name == "negative_log_likelihood" else "score"
        return measure(f"{prefix}.test.{name}", unit, runs, [Value(value) for value in values])

    return PredictionMetrics(
        weights=weights,
        confusion=tuple(tuple(int(cell) for cell in row) for row in matrix),
        confusion_shares=tuple(tuple(float(cell) for cell in row) for row in shares),
        classes=_class_scores(prefix, runs, given),
        most_confused=_most_confused(prefix, runs, matrix, shares),
        negative_log_likelihood=over_seeds("negative_log_likelihood"),
        brier=over_seeds("brier"),
        calibration_error=_calibration_error(prefix, runs, given),
        reliability=_reliability(bins) if len(bins) == len(given) else (),
    )


def _calibration_error(prefix: str, runs: Sequence[Run], given: Sequence[Answers]) -> Measure | None:
    values = [Value(None if answers.bins is None else answers.bins.calibration_error) for answers in given]
    if all(value.value is None for value in values):
        return None
    return measure(f"{prefix}.test.calibration_error", "score", runs, values)


def _class_scores(prefix: str, runs: Sequence[Run], given: Sequence[Answers]) -> tuple[ClassScores, ...]:
    rates = [class_rates(answers.matrix) for answers in given]

    def datum(name: str, label: int) -> Datum:
        entries = [
            SeedValue(run.seed, run.id, float(getattr(rate, name)[label]))
            for run, rate in zip(runs, rates, strict=True)
        ]
        return mean_datum(f"{prefix}.test.class_{label}.{name}", "score", entries)

    return tuple(
        ClassScores(label, datum("precision", label), datum("recall", label), datum("f1", label))
        for label in range(CLASS_COUNT)
    )


def _most_confused(prefix: str, runs: Sequence[Run], matrix: Array, shares: Array) -> tuple[ConfusedPair, ...]:
    wrong = matrix * (1 - np.eye(CLASS_COUNT, dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    ids = tuple(run.id for run in runs)
    pairs = []
    for label, predicted in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[label, predicted] == 0:
            break
        name = f"{prefix}.test.confused_{label}_{predicted}"
        count = Datum(f"{name}.count", int(wrong[label, predicted]), "count", "sum_over_seeds", len(runs), runs=ids)
        share = Datum(f"{name}.share", float(shares[label, predicted]), "share", "sum_over_seeds", len(runs), runs=ids)
        pairs.append(ConfusedPair(int(label), int(predicted), count, share))
    return tuple(pairs)


def _reliability(bins: Sequence[Bins]) -> tuple[ReliabilityBin, ...]:
    counts = np.sum([each.counts for each in bins], axis=0)
    confidences = np.sum([each.confidences for each in bins], axis=0)
    right = np.sum([each.right for each in bins], axis=0)
    return tuple(
        ReliabilityBin(
            place / BINS,
            (place + 1) / BINS,
            int(count),
            float(confidences[place] / count) if count else None,
            float(right[place] / count) if count else None,
        )
        for place, count in enumerate(counts)
    )
