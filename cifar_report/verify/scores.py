"""Recomputes test scores from the stored predictions, and compares stored weights with the log of their hashes."""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator
from functools import partial

import numpy as np

from cifar_report.bundle import Bundle, Predictions, Run, Scores, Weights
from cifar_report.bundle.arrays import Array, load_arrays
from cifar_report.data.dataset import TEST_COUNT, TRAIN_COUNT
from cifar_report.spec import INPUT_SHAPE, Conv2D, Trial
from cifar_report.verify.files import Files, Report
from cifar_report.verify.records import readable

Arrays = dict[str, Array]

SETS: tuple[Weights, ...] = ("last", "best")
LOSS_TOLERANCE = 1e-6  # relative; TensorFlow takes the loss from the logits, and the two agree to about 1e-9
SUM_TOLERANCE = 1e-4  # of an image's ten probabilities
# TensorFlow flushes smaller numbers to zero, so that a probability of zero means no more than "less than this".
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)
# A layer's variables in Keras's order, in which the log hashes them; layers are numbered in their names.
VARIABLES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
VARIABLE = re.compile(r"network\.(?P<place>\d+)_[a-z0-9_]+\.(?P<variable>" + "|".join(VARIABLES) + ")")


def check_scores(bundle: Bundle, files: Files, report: Report) -> None:
    """Recompute the test scores of every finished run whose predictions can be read."""
    images: dict[str, dict[bytes, list[str]]] = {}
    for run in bundle.runs:
        name = f"runs/{run.id}/predictions.npz"
        if not run.done or name not in files:
            continue
        predictions = readable(name, partial(bundle.predictions, run), files.folder, report)
        if predictions is None:
            continue
        report.find(name, *_table_problems(run, predictions))
        report.find(f"runs/{run.id}/run.json", *_score_problems(run, predictions))
        report.counts["test scores recomputed"] += 1 if run.classical else len(SETS) * len(run.stages)
        both = np.stack([predictions.indices, predictions.labels]).astype(np.int64).tobytes()
        images.setdefault(run.key_parts.get("split", ""), {}).setdefault(both, []).append(run.id)
    for groups in images.values():  # runs of one split
        usual = max(groups.values(), key=len)
        for run_id in (run_id for runs in groups.values() if runs is not usual for run_id in runs):
            problem = f"its test images or their labels are others than those of {usual[0]}"
            report.find(f"runs/{run_id}/predictions.npz", problem)


def _table_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    indices = predictions.indices
    if len(np.unique(indices)) < len(indices):
        yield "holds an image twice"
    if not np.all((indices >= TRAIN_COUNT) & (indices < TRAIN_COUNT + TEST_COUNT)):
        yield "holds an image that is no test image"
    if predictions.probabilities.keys() != {(stage.id, weights) for stage in run.stages for weights in SETS}:
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
        yield from _accuracy_problem(run.classical.test_accuracy, predictions.predicted, labels)
    for stage in run.stages:
        for weights in SETS:
            table = predictions.probabilities.get((stage.id, weights))
            if table is not None:
                stored = stage.evaluation(weights).test
                problems = (
                    *_accuracy_problem(stored.accuracy, table.argmax(axis=1), labels),
                    *_loss_problem(stored, table, labels),
                )
                yield from (f"stage {stage.id}, {weights}: {problem}" for problem in problems)


def _accuracy_problem(stored: float, predicted: Array, labels: Array) -> Iterator[str]:
    accuracy = float(np.mean(predicted == labels)) if len(labels) else 0.0
    if stored != accuracy:
        yield f"test accuracy is {stored!r}, but its predictions give {accuracy!r}"


def _loss_problem(stored: Scores, table: Array, labels: Array) -> Iterator[str]:
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


def check_weights(bundle: Bundle, files: Files, report: Report) -> None:
    """Check weights and kernels of every finished network that has them."""
    for run in bundle.runs:
        if not (run.done and isinstance(run.trial, Trial)):
            continue
        places = {name: f"runs/{run.id}/{name}.npz" for name in ("weights", "kernels")}
        weights, kernels = (
            readable(place, partial(load_arrays, files.folder / place), files.folder, report)
            if place in files
            else None
            for place in places.values()
        )
        if weights is not None:
            report.counts["runs with weights"] += 1
            report.find(places["weights"], *_weight_problems(run, weights))
        if kernels is not None:
            report.find(places["kernels"], *_kernel_problems(run.trial, kernels, weights))
        elif isinstance(run.trial.layers[0], Conv2D) and "kernels.npz" not in run.files:
            report.find(f"runs/{run.id}/run.json", "lists no kernels.npz, though its first layer is a convolution")


def _weight_problems(run: Run, weights: Arrays) -> Iterator[str]:
    starts = tuple(f"{stage.id}.{kind}." for stage in run.stages for kind in SETS)
    if strays := [name for name in weights if not name.startswith(starts)]:
        yield f"{strays[0]} belongs to no stage of the run"
    for stage in run.stages:
        for kind, epoch in (("last", stage.epochs), ("best", stage.best_epoch)):
            start = f"{stage.id}.{kind}."
            own = {name.removeprefix(start): array for name, array in weights.items() if name.startswith(start)}
            if not all(VARIABLE.fullmatch(name) and array.dtype == np.float32 for name, array in own.items()):
                yield f"{stage.id}.{kind}: holds something else than the variables of a network"
                continue
            count = sum(array.size for array in own.values())
            if count != run.parameters_total:
                yield f"{stage.id}.{kind}: holds {count} parameters, but the network has {run.parameters_total}"
            if stage.hashes and weights_hash(own) != stage.hashes[epoch - 1].weights:
                yield f"{stage.id}.{kind}: are not the weights that the log of hashes has for epoch {epoch}"


def weights_hash(arrays: Arrays) -> str:
    """Return the first 16 hexadecimal digits of SHA-256 over a network's variables in Keras's order."""

    def place(name: str) -> tuple[int, int]:
        found = VARIABLE.fullmatch(name)
        return (int(found["place"]), VARIABLES.index(found["variable"])) if found else (0, 0)

    total = hashlib.sha256()
    for name in sorted(arrays, key=place):
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()[:16]


def _kernel_problems(trial: Trial, arrays: Arrays, weights: Arrays | None) -> Iterator[str]:
    kernels, first = arrays.get("kernels"), trial.layers[0]
    if len(arrays) != 1 or kernels is None or not isinstance(first, Conv2D):
        yield "does not hold the kernels of a first layer and nothing else"
        return
    shape = (first.kernel_size, first.kernel_size, INPUT_SHAPE[2], first.filters)
    if kernels.shape != shape:
        yield f"has the shape {kernels.shape}, but the first layer's kernels have {shape}"
    stage = trial.stages[-1]
    kind = "last" if stage.early_stopping is None else "best"  # which early stopping brings back
    start = f"{stage.id}.{kind}.network.00_"
    for name, array in (weights or {}).items():
        if name.startswith(start) and name.endswith(".kernel") and not np.array_equal(array, kernels):
            yield f"are not the first layer's kernels in weights.npz ({stage.id}.{kind})"
