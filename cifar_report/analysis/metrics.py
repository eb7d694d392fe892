"""Metrics of one set of test predictions, on arrays.

They are those of scikit-learn (``precision_recall_fscore_support`` with ``zero_division=0``, ``log_loss``), computed
from one confusion matrix because a large bundle has thousands of predictions; the tests hold both side by side.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from cifar_report.spec import CLASS_COUNT

Array = np.ndarray[Any, Any]

BINS = 15  # of the top label's probability, equal in width


class ClassRates(NamedTuple):
    """Float [10] each: precision, recall and F1 by class, 0 where the denominator is."""

    precision: Array
    recall: Array
    f1: Array


class Bins(NamedTuple):
    """By bin: int [15] images, float [15] sums of the top label's probability, int [15] right answers."""

    counts: Array
    confidences: Array
    right: Array

    @property
    def calibration_error(self) -> float:
        """Return the expected calibration error: the mean distance of confidence and accuracy, by images."""
        return float(np.abs(self.confidences - self.right).sum() / max(1, self.counts.sum()))


def confusion(labels: Array, predicted: Array) -> Array:
    """Return int [10, 10]: images by label (row) and answer (column)."""
    cells = labels.astype(np.intp) * CLASS_COUNT + predicted
    return np.bincount(cells, minlength=CLASS_COUNT**2).reshape(CLASS_COUNT, CLASS_COUNT)


def class_rates(matrix: Array) -> ClassRates:
    """Return precision, recall and F1 by class of a confusion matrix."""
    right = np.diag(matrix).astype(float)
    precision = _share(right, matrix.sum(axis=0))
    recall = _share(right, matrix.sum(axis=1))
    return ClassRates(precision, recall, _share(2 * right, matrix.sum(axis=0) + matrix.sum(axis=1)))


def _share(part: Array, whole: Array) -> Array:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def negative_log_likelihood(labels: Array, probabilities: Array) -> float:
    """Return the mean of -log p(label) of float [N, 10]; a probability of 0 counts as the type's least step."""
    chosen = probabilities[np.arange(len(labels)), labels]
    step = np.finfo(probabilities.dtype).eps
    return float(-np.log(np.clip(chosen, step, 1).astype(np.float64)).mean())


def brier(labels: Array, probabilities: Array) -> float:
    """Return the Brier score: squared distance to the one-hot label, summed over classes, mean over images."""
    table = probabilities.astype(np.float64)
    chosen = table[np.arange(len(labels)), labels]
    return float((np.einsum("ij,ij->i", table, table) - 2 * chosen + 1).mean())


def reliability(labels: Array, probabilities: Array) -> Bins:
    """Sort images into bins (low, high] by their top label's probability."""
    top = probabilities.max(axis=1).astype(np.float64)
    right = probabilities.argmax(axis=1) == labels
    places = np.clip(np.ceil(top * BINS).astype(int) - 1, 0, BINS - 1)
    counts = np.bincount(places, minlength=BINS)
    return Bins(counts, np.bincount(places, top, BINS), np.bincount(places, right, BINS).astype(int))
