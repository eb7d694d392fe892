"""Recomputes every test score from the stored predictions, and holds labels and images of all runs together."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cifar_report.bundle import Bundle, Predictions, Run, Scores, Weights
from cifar_report.data.release import TEST_COUNT, TRAIN_COUNT
from cifar_report.spec import Trial
from cifar_report.verify.contents import readable
from cifar_report.verify.files import Files
from cifar_report.verify.findings import Report

Array = np.ndarray[Any, Any]

SETS: tuple[Weights, ...] = ("last", "best")
LOSS_TOLERANCE = 1e-6  # relative; TensorFlow takes the loss from the logits, and the two agree to about 1e-9
SUM_TOLERANCE = 1e-4  # of an image's ten probabilities
# TensorFlow flushes smaller numbers to nought, so that a probability of nought means no more than "less than this".
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)


def check_metrics(bundle: Bundle, files: Files, report: Report) -> None:
    """Recompute the test scores of every finished run whose predictions can be read."""
    images = SameImages()
    for run in bundle.runs:
        name = f"runs/{run.id}/predictions.npz"
        if not run.done or name not in files:
            continue
        predictions = readable(name, lambda run=run: bundle.predictions(run), files.folder, report)  # type: ignore[misc]
        if predictions is None:
            continue
        report.find(name, *_table_problems(run, predictions))
        report.find(f"runs/{run.id}/run.json", *_score_problems(run, predictions))
        report.counts["test scores recomputed"] += 1 if run.classical else len(SETS) * len(run.stages)
        images.add(run, predictions)
    images.check(report)


def _table_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    indices = predictions.indices
    if len(np.unique(indices)) < len(indices):
        yield "holds an image twice"
    if not np.all((indices >= TRAIN_COUNT) & (indices < TRAIN_COUNT + TEST_COUNT)):
        yield "holds an image that is no test image"
    expected = {(stage.id, weights) for stage in run.stages for weights in SETS}
    if predictions.probabilities.keys() != expected:
        yield "does not hold one table for the last and one for the best weights of each stage"
    if (predictions.predicted is None) != isinstance(run.trial, Trial):
        yield "does not hold what its kind of trial answers"
    for (stage, weights), table in predictions.probabilities.items():
        known = table[np.isfinite(table).all(axis=1)].astype(np.float64)
        if not np.all(np.abs(known.sum(axis=1) - 1) <= SUM_TOLERANCE):
            yield f"{stage}.{weights}: the probabilities of an image do not add up to 1"


def _score_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    labels = predictions.labels
    if run.classical is not None and predictions.predicted is not None:
        accuracy = _share(predictions.predicted == labels)
        if run.classical.test_accuracy != accuracy:
            yield f"test accuracy is {run.classical.test_accuracy!r}, but its predictions give {accuracy!r}"
    for stage in run.stages:
        for weights in SETS:
            table = predictions.probabilities.get((stage.id, weights))
            if table is not None:
                scores = stage.evaluation(weights).test
                yield from (f"stage {stage.id}, {weights}: {each}" for each in _scores_of(table, labels, scores))


def _scores_of(table: Array, labels: Array, stored: Scores) -> Iterator[str]:
    accuracy = _share(table.argmax(axis=1) == labels)
    if stored.accuracy != accuracy:
        yield f"test accuracy is {stored.accuracy!r}, but its predictions give {accuracy!r}"
    chosen = table[np.arange(len(labels)), labels].astype(np.float64)
    if not np.isfinite(chosen).all():
        if stored.loss is not None:
            yield f"test loss is {stored.loss!r}, but its predictions give no number"
        return
    least = float(np.mean(-np.log(np.maximum(chosen, LEAST_PROBABILITY)))) if len(chosen) else 0.0
    if stored.loss is None:
        yield f"test loss is not a number, but its predictions give {least!r}"
    elif math.isclose(stored.loss, least, rel_tol=LOSS_TOLERANCE, abs_tol=LOSS_TOLERANCE):
        return
    elif stored.loss < least or not (chosen < LEAST_PROBABILITY).any():
        yield f"test loss is {stored.loss!r}, but its predictions give {least!r}"


def _share(right: Array) -> float:
    return float(np.mean(right)) if len(right) else 0.0


@dataclass
class SameImages:
    """Gathers which images, with which labels, each run was tested on."""

    labels: dict[bytes, tuple[Array, Array, list[str]]] = field(default_factory=dict)
    indices: dict[str, dict[bytes, list[str]]] = field(default_factory=dict)

    def add(self, run: Run, predictions: Predictions) -> None:
        """Keep one run's images; equal ones are kept once."""
        indices, labels = (np.ascontiguousarray(each, np.int64) for each in (predictions.indices, predictions.labels))
        places = hashlib.sha256(indices.tobytes()).digest()
        both = hashlib.sha256(places + labels.tobytes()).digest()
        self.labels.setdefault(both, (indices, labels, []))[2].append(run.id)
        split = run.key_parts.get("split", "")
        self.indices.setdefault(split, {}).setdefault(places, []).append(run.id)

    def check(self, report: Report) -> None:
        """Find the runs whose labels, or whose images for one split, are others than most runs have."""
        votes = np.zeros((TRAIN_COUNT + TEST_COUNT, 10), np.int64)
        for indices, labels, runs in self.labels.values():
            np.add.at(votes, (indices, labels), len(runs))
        usual = votes.argmax(axis=1)
        for indices, labels, runs in self.labels.values():
            wrong = int(np.sum(usual[indices] != labels))
            for run in runs if wrong else ():
                report.find(f"runs/{run}/predictions.npz", f"{wrong} labels are others than most runs have")
        for groups in self.indices.values():
            most = max(groups.values(), key=len)
            for run in (run for runs in groups.values() if runs is not most for run in runs):
                report.find(f"runs/{run}/predictions.npz", f"its test images are others than those of {most[0]}")
