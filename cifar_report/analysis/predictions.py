"""Test predictions of each run and what they say: confusion, rates by class, likelihood, Brier score, calibration."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product
from typing import Literal

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from cifar_report.analysis.estimates import mean_datum, measure
from cifar_report.analysis.results import trials as results
from cifar_report.analysis.results.trials import Datum, Measure, SeedValue
from cifar_report.bundle import Bundle, Predictions, Run, Weights
from cifar_report.bundle.arrays import BINS, Array, CompactTable
from cifar_report.bundle.records import primary_weights
from cifar_report.spec import Trial

FILE_NAME = "predictions.npz"


@dataclass(frozen=True)
class StagePredictions:
    """One stage of one run on the test images, with the weights that the method judges; [N] each."""

    indices: Array
    labels: Array
    predicted: Array
    top: Array | None = None  # probability of the predicted class; None, as all below, without probabilities
    negative_log_likelihood: float | None = None
    brier: float | None = None
    bins: Array | None = None  # what ``reliability`` returns
    classes: int = 0  # that the data have

    @property
    def correct(self) -> Array:
        """Return bool [N]: where the prediction is correct."""
        return np.equal(self.predicted, self.labels)


PredictionTable = dict[tuple[str, str | None], StagePredictions]
"""By run id and stage id; the stage is None for classifiers without stages."""


def read_predictions(bundle: Bundle) -> PredictionTable:
    """Read the predictions of all finished runs that have some; runs of the same test images share them in memory."""
    known: dict[tuple[str, bytes], Array] = {}

    def shared(array: Array) -> Array:
        return known.setdefault((array.dtype.str, array.tobytes()), array)

    table: PredictionTable = {}
    for run in (run for run in bundle.runs if run.done and FILE_NAME in run.files):
        file = bundle.predictions(run)
        file = replace(file, indices=shared(file.indices), labels=shared(file.labels))
        table |= {(run.id, stage): found for stage, found in _stages(run, file)}
    return table


def _stages(run: Run, file: Predictions) -> Iterator[tuple[str | None, StagePredictions]]:
    classes = len(file.dataset.classes)
    if file.predicted is not None:
        yield None, StagePredictions(file.indices, file.labels, file.predicted, classes=classes)
    if isinstance(run.trial, Trial):
        for stage in run.stages:
            kept = condensed(file, stage.id, primary_weights(run.trial, stage.id))
            if kept is not None and len(file.labels):
                found = StagePredictions(file.indices, file.labels, kept.predicted, classes=classes)
                if kept.brier is not None:
                    metrics = negative_log_likelihood(kept.chosen), float(kept.brier), kept.bins
                    found = StagePredictions(file.indices, file.labels, kept.predicted, kept.top, *metrics, classes)
                yield stage.id, found


def condensed(file: Predictions, stage: str, weights: Weights) -> CompactTable | None:
    """Return what follows from one table of probabilities, with ``top`` of every image; None where it is not stored."""
    if (kept := file.compact.get((stage, weights))) is not None:
        return kept
    table, answers = file.probabilities.get((stage, weights)), file.answers(stage, weights)
    if table is None or answers is None or not np.isfinite(table).all():
        return None if answers is None else CompactTable(*answers)
    top, score = table.max(axis=1), np.array(brier(file.labels, table))
    return CompactTable(*answers, score, reliability(top, np.equal(answers[0], file.labels)), top)


def compacted(run: Run, file: Predictions) -> Predictions:
    """Return a network's predictions as a compact run keeps them: of the weights that the method judges alone."""
    tables = {}
    for stage in run.stages:
        weights = primary_weights(run.trial, stage.id) if isinstance(run.trial, Trial) else "last"
        if (kept := condensed(file, stage.id, weights)) is not None:
            if kept.top is not None:
                shown = [place for _, _, place in surest(file.labels, kept.predicted, kept.top)]
                for pair in permutations(np.union1d(file.labels, kept.predicted), 2):
                    shown += surest_of_pair(file.labels, kept.predicted, kept.top, pair)
                kept = kept._replace(top=np.where(np.isin(np.arange(len(file.labels)), shown), kept.top, 0))
            tables[stage.id, weights] = kept
    return Predictions(file.indices, file.labels, compact=tables, dataset=file.dataset)


def surest(labels: Array, predicted: Array, top: Array) -> Iterator[tuple[int, Literal["right", "wrong"], int]]:
    """Yield, by class, the place of the right and of the wrong prediction with the highest probability ``top`` [N]."""
    kinds: tuple[Literal["right", "wrong"], ...] = ("right", "wrong")
    for label, kind in product(map(int, np.unique(labels)), kinds):
        chosen = np.flatnonzero((labels == label) & ((predicted == labels) == (kind == "right")))
        if len(chosen):
            yield label, kind, int(chosen[np.argmax(top[chosen])])


def surest_of_pair(labels: Array, predicted: Array, top: Array, pair: tuple[int, int]) -> list[int]:
    """Return the places where a class was taken for another with the highest probabilities ``top``, at most six."""
    chosen = np.flatnonzero((labels == pair[0]) & (predicted == pair[1]) & (top > 0))
    return [int(place) for place in chosen[np.argsort(-top[chosen], kind="stable")][:6]]


def same_images(first: StagePredictions, second: StagePredictions) -> bool:
    """Whether both are predictions of the same test images, so that they can be paired."""
    return np.array_equal(first.indices, second.indices) and np.array_equal(first.labels, second.labels)


def negative_log_likelihood(chosen: Array) -> float:
    """Return the mean of -log p of the labels' probabilities [N]; one of 0 counts as the type's least step."""
    # scikit-learn's log_loss, in double precision although the rows of float32 add up to one only nearly.
    return float(-np.log(np.clip(chosen, np.finfo(chosen.dtype).eps, 1).astype(np.float64)).mean())


def brier(labels: Array, probabilities: Array) -> float:
    """Return the Brier score: squared distance to the one-hot label, summed over classes, mean over images."""
    table = probabilities.astype(np.float64)
    chosen = table[np.arange(len(labels)), labels]
    return float((np.einsum("ij,ij->i", table, table) - 2 * chosen + 1).mean())


def prediction_metrics(
    prefix: str, runs: Sequence[Run], given: Sequence[StagePredictions]
) -> results.PredictionMetrics:
    """Return the metrics of one stage; ``given`` holds each run's predictions, in the order of ``runs``."""
    classes = range(given[0].classes)
    matrix = np.sum([confusion_matrix(each.labels, each.predicted, labels=classes) for each in given], axis=0)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(matrix, totals, out=np.zeros(matrix.shape), where=totals > 0)

    def over_seeds(name: str, unit: results.Unit, values: Sequence[float | None]) -> Measure | None:
        if all(value is None for value in values):
            return None
        return measure(f"{prefix}.test.{name}", unit, runs, values)

    bins = [each.bins for each in given]
    errors = [None if each is None else calibration_error(each) for each in bins]
    return results.PredictionMetrics(
        confusion=tuple(tuple(int(cell) for cell in row) for row in matrix),
        confusion_shares=tuple(tuple(float(cell) for cell in row) for row in shares),
        classes=tuple(_class_scores(prefix, runs, given)),
        most_confused=tuple(_most_confused(prefix, runs, matrix, shares)),
        negative_log_likelihood=over_seeds(
            "negative_log_likelihood", "loss", [each.negative_log_likelihood for each in given]
        ),
        brier=over_seeds("brier", "score", [each.brier for each in given]),
        calibration_error=over_seeds("calibration_error", "score", errors),
    )


def _class_scores(prefix: str, runs: Sequence[Run], given: Sequence[StagePredictions]) -> Iterator[results.ClassScores]:
    scored = [
        precision_recall_fscore_support(each.labels, each.predicted, labels=range(each.classes), zero_division=0)[:3]
        for each in given
    ]
    for label, rates in enumerate(np.moveaxis(np.array(scored), 2, 0)):  # float [runs, scores] of each class
        means = []
        for name, by_run in zip(("precision", "recall", "f1"), rates.T, strict=True):
            entries = [SeedValue(run.seed, run.id, float(rate)) for run, rate in zip(runs, by_run, strict=True)]
            means.append(mean_datum(f"{prefix}.test.class_{label}.{name}", "score", entries))
        yield results.ClassScores(label, *means)


def _most_confused(prefix: str, runs: Sequence[Run], matrix: Array, shares: Array) -> Iterator[results.ConfusedPair]:
    wrong = matrix * (1 - np.eye(len(matrix), dtype=matrix.dtype))
    order = np.argsort(-wrong, axis=None, kind="stable")[:10]  # of confused classes that are listed
    ids = tuple(run.id for run in runs)
    for label, predicted in zip(*np.unravel_index(order, wrong.shape), strict=True):
        if wrong[label, predicted] == 0:
            return
        name = f"{prefix}.test.confused_{label}_{predicted}"
        count = Datum(f"{name}.count", int(wrong[label, predicted]), "count", "sum_over_seeds", len(runs), runs=ids)
        share = Datum(f"{name}.share", float(shares[label, predicted]), "share", "sum_over_seeds", len(runs), runs=ids)
        yield results.ConfusedPair(int(label), int(predicted), count, share)


def reliability(top: Array, correct: Array) -> Array:
    """Return float [3, 15] by bin (low, high] of the top label's probability: images, its sums, correct predictions."""
    places = np.clip(np.ceil(top.astype(np.float64) * BINS).astype(int) - 1, 0, BINS - 1)
    return np.array([np.bincount(places, weights, BINS) for weights in (None, top, correct)], float)


def calibration_error(bins: Array) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy, by images."""
    counts, confidences, correct = bins
    return float(np.abs(confidences - correct).sum() / max(1, counts.sum()))
