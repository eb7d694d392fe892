"""Reads every run's predictions once and keeps what the analysis needs of them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar_report.analysis.metrics import (
    Bins,
    brier,
    confusion,
    negative_log_likelihood,
    reliability,
)
from cifar_report.analysis.values import primary_weights
from cifar_report.bundle import Bundle, Predictions, Run
from cifar_report.spec import Trial

Array = np.ndarray[Any, Any]

FILE_NAME = "predictions.npz"


@dataclass(frozen=True)
class Answers:
    """One stage of one run on the test images, with the weights that the method judges.

    ``indices`` int [N], ``labels`` and ``predicted`` uint8 [N], ``top`` float32 [N] (None without probabilities).
    The probability metrics are None without probabilities, and where one is not a number.
    """

    indices: Array
    labels: Array
    predicted: Array
    matrix: Array
    top: Array | None = None
    negative_log_likelihood: float | None = None
    brier: float | None = None
    bins: Bins | None = None

    @property
    def right(self) -> Array:
        """Return bool [N]: where the answer is right."""
        return np.equal(self.predicted, self.labels)


AnswerTable = dict[tuple[str, str | None], Answers]
"""By run id and stage id; the stage is None for classifiers without stages."""


def read_answers(bundle: Bundle) -> AnswerTable:
    """Read the predictions of all finished runs that have some; unpacking runs beside the computing."""
    runs = [run for run in bundle.runs if run.done and FILE_NAME in run.files]
    table: AnswerTable = {}
    with ThreadPoolExecutor(2) as pool:
        for part in pool.map(lambda run: dict(_answers_of(run, bundle.predictions(run))), runs):
            table.update(part)
    return table


def _answers_of(run: Run, predictions: Predictions) -> Iterator[tuple[tuple[str, str | None], Answers]]:
    if predictions.predicted is not None:
        matrix = confusion(predictions.labels, predictions.predicted)
        yield (run.id, None), Answers(predictions.indices, predictions.labels, predictions.predicted, matrix)
    if not isinstance(run.trial, Trial):
        return
    for stage in run.stages:
        table = predictions.probabilities.get((stage.id, primary_weights(run.trial, stage.id)))
        if table is not None and len(table):
            yield (run.id, stage.id), _with_probabilities(predictions, table)


def _with_probabilities(predictions: Predictions, table: Array) -> Answers:
    labels, predicted = predictions.labels, table.argmax(axis=1).astype(np.uint8)
    matrix = confusion(labels, predicted)
    if not np.isfinite(table).all():
        return Answers(predictions.indices, labels, predicted, matrix)
    return Answers(
        indices=predictions.indices,
        labels=labels,
        predicted=predicted,
        matrix=matrix,
        top=table.max(axis=1),
        negative_log_likelihood=negative_log_likelihood(labels, table),
        brier=brier(labels, table),
        bins=reliability(labels, table),
    )


def same_images(first: Answers, second: Answers) -> bool:
    """Whether both answered the same test images, so that they can be paired."""
    return np.array_equal(first.indices, second.indices) and np.array_equal(first.labels, second.labels)
