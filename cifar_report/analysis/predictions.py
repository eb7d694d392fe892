"""Test predictions of each run and what they say: confusion, rates by class, likelihood, Brier score, calibration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from cifar_report.analysis.estimates import mean_datum, measure
from cifar_report.analysis.results import Datum, Measure, PredictionMetrics, ReliabilityBin, Unit
from cifar_report.analysis.results.numbers import SeedValue
from cifar_report.analysis.results.trials import ClassScores, ConfusedPair
from cifar_report.analysis.values import Array, Value, primary_weights
from cifar_report.bundle import Bundle, Predictions, Run, Weights
from cifar_report.spec import CLASS_COUNT, Trial

FILE_NAME = "predictions.npz"
BINS = 15  # of the top label's probability, equal in width
MOST_PAIRS = 10  # of confused classes that are listed


@dataclass(frozen=True)
class StagePredictions:
    """One stage of one run on the test images, with the weights that the method judges.

    ``indices`` int [N], ``labels`` and ``predicted`` uint8 [N]; ``top`` float32 [N] holds the probability of the
    predicted class. ``top`` and the probability metrics are None without probabilities, and where one is not a number.
    """

    indices: Array
    labels: Array
    predicted: Array
    top: Array | None = None
    negative_log_likelihood: float | None = None
    brier: float | None = None

    @property
    def correct(self) -> Array:
        """Return bool [N]: where the prediction is correct."""
        return np.equal(self.predicted, self.labels)


PredictionTable = dict[tuple[str, str | None], StagePredictions]
"""By run id and stage id; the stage is None for classifiers without stages."""


def read_predictions(bundle: Bundle) -> PredictionTable:
    """Read the predictions of all finished runs that have some."""
    runs = [run for run in bundle.runs if run.done and FILE_NAME in run.files]
    return {(run.id, stage): found for run in runs for stage, found in _stages(run, bundle.predictions(run))}


def _stages(run: Run, file: Predictions) -> Iterator[tuple[str | None, StagePredictions]]:
    if file.predicted is not None:
        yield None, StagePredictions(file.indices, file.labels, file.predicted)
    if isinstance(run.trial, Trial):
        for stage in run.stages:
            table = file.probabilities.get((stage.id, primary_weights(run.trial, stage.id)))
            if table is not None and len(table):
                yield stage.id, _with_probabilities(file, table)


def _with_probabilities(file: Predictions, table: Array) -> StagePredictions:
    labels, predicted = file.labels, table.argmax(axis=1).astype(np.uint8)
    if not np.isfinite(table).all():
        return StagePredictions(file.indices, labels, predicted)
    likelihood, score = negative_log_likelihood(labels, table), brier(labels, table)
    return StagePredictions(file.indices, labels, predicted, table.max(axis=1), likelihood, score)


def same_images(first: StagePredictions, second: StagePredictions) -> bool:
    """Whether both are predictions of the same test images, so that they can be paired."""
    return np.array_equal(first.indices, second.indices) and np.array_equal(first.labels, second.labels)


def negative_log_likelihood(labels: Array, probabilities: Array) -> float:
    """Return the mean of -log p(label) of float [N, 10]; a probability of 0 counts as the type's least step."""
    # scikit-learn's log_loss, in double precision although the rows of float32 add up to one only nearly.
    chosen = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.clip(chosen, np.finfo(probabilities.dtype).eps, 1).astype(np.float64)).mean())


def brier(labels: Array, probabilities: Array) -> float:
    """Return the Brier score: squared distance to the one-hot label, summed over classes, mean over images."""
    table = probabilities.astype(np.float64)
    chosen = table[np.arange(len(labels)), labels]
    return float((np.einsum("ij,ij->i", table, table) - 2 * chosen + 1).mean())


def prediction_metrics(
    prefix: str, weights: Weights | None, runs: Sequence[Run], given: Sequence[StagePredictions]
) -> PredictionMetrics:
    """Return the metrics of one stage; ``given`` holds each run's predictions, in the order of ``runs``."""
    classes = range(CLASS_COUNT)
    matrix = np.sum([confusion_matrix(each.labels, each.predicted, labels=classes) for each in given], axis=0)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)

    def over_seeds(name: str, unit: Unit, values: Sequence[float | None]) -> Measure | None:
        if all(value is None for value in values):
            return None
        return measure(f"{prefix}.test.{name}", unit, runs, [Value(value) for value in values])

    bins = [None if each.top is None else reliability(each.top, each.correct) for each in given]
    errors = [None if each is None else calibration_error(each) for each in bins]
    return PredictionMetrics(
        weights=weights,
        confusion=tuple(tuple(int(cell) for cell in row) for row in matrix),
        confusion_shares=tuple(tuple(float(cell) for cell in row) for row in shares),
        classes=_class_scores(prefix, runs, given),
        most_confused=tuple(_most_confused(prefix, runs, matrix, shares)),
        negative_log_likelihood=over_seeds(
            "negative_log_likelihood", "loss", [each.negative_log_likelihood for each in given]
        ),
        brier=over_seeds("brier", "score", [each.brier for each in given]),
        calibration_error=over_seeds("calibration_error", "score", errors),
        reliability=_reliability_bins(bins),
    )


def _class_scores(prefix: str, runs: Sequence[Run], given: Sequence[StagePredictions]) -> tuple[ClassScores, ...]:
    classes = range(CLASS_COUNT)
    rates = np.array(
        [precision_recall_fscore_support(e.labels, e.predicted, labels=classes, zero_division=0)[:3] for e in given]
    )  # runs, metrics, classes

    def mean(label: int, place: int, name: str) -> Datum:
        by_run = zip(runs, rates[:, place, label], strict=True)
        entries = [SeedValue(run.seed, run.id, float(rate)) for run, rate in by_run]
        return mean_datum(f"{prefix}.test.class_{label}.{name}", "score", entries)

    return tuple(
        ClassScores(label, mean(label, 0, "precision"), mean(label, 1, "recall"), mean(label, 2, "f1"))
        for label in classes
    )


def _most_confused(prefix: str, runs: Sequence[Run], matrix: Array, shares: Array) -> Iterator[ConfusedPair]:
    wrong = matrix * (1 - np.eye(CLASS_COUNT, dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:MOST_PAIRS]
    ids = tuple(run.id for run in runs)
    for label, predicted in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[label, predicted] == 0:
            return
        name = f"{prefix}.test.confused_{label}_{predicted}"
        count = Datum(f"{name}.count", int(wrong[label, predicted]), "count", "sum_over_seeds", len(runs), runs=ids)
        share = Datum(f"{name}.share", float(shares[label, predicted]), "share", "sum_over_seeds", len(runs), runs=ids)
        yield ConfusedPair(int(label), int(predicted), count, share)


def reliability(top: Array, correct: Array) -> Array:
    """Sort images into bins (low, high] by their top label's probability.

    Returns float [3, 15]: images, sums of the top label's probability, correct predictions.
    """
    places = np.clip(np.ceil(top.astype(np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
    return np.array([np.bincount(places, weights, BINS) for weights in (None, top, correct)], float)


def calibration_error(bins: Array) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy, by images."""
    counts, confidences, correct = bins
    return float(np.abs(confidences - correct).sum() / max(1, counts.sum()))


def _reliability_bins(by_run: Sequence[Array | None]) -> tuple[ReliabilityBin, ...]:
    known = [bins for bins in by_run if bins is not None]
    if len(known) < len(by_run):
        return ()
    made = []
    for place, (count, confidence, correct) in enumerate(np.sum(known, axis=0).T):
        means = (float(confidence / count), float(correct / count)) if count else (None, None)
        made.append(ReliabilityBin(place / BINS, (place + 1) / BINS, int(count), *means))
    return tuple(made)
