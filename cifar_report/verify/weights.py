"""Holds the stored weights to their trial, to the log of hashes and to the kernels that the report shows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from cifar_report.bundle import Bundle, Run, StageResult, Weights
from cifar_report.bundle.arrays import load_arrays
from cifar_report.spec import INPUT_SHAPE, Conv2D, Trial
from cifar_report.verify.contents import readable
from cifar_report.verify.files import Files
from cifar_report.verify.findings import Report

Arrays = dict[str, np.ndarray[Any, Any]]

SETS: tuple[Weights, ...] = ("last", "best")
# A layer's variables in Keras's order, in which the log hashes them; layers are numbered in their names.
VARIABLES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
NAME = re.compile(r"network\.(?P<place>\d+)_[a-z0-9_]+\.(?P<variable>" + "|".join(VARIABLES) + ")")


def check_weights(bundle: Bundle, files: Files, report: Report) -> None:
    """Check weights and kernels of every finished network that has them."""
    for run in bundle.runs:
        if not (run.done and isinstance(run.trial, Trial)):
            continue
        weights = _read(f"runs/{run.id}/weights.npz", files, report)
        kernels = _read(f"runs/{run.id}/kernels.npz", files, report)
        if weights is not None:
            report.counts["runs with weights"] += 1
            report.find(f"runs/{run.id}/weights.npz", *_weight_problems(run, weights))
        if kernels is not None:
            report.find(f"runs/{run.id}/kernels.npz", *_kernel_problems(run.trial, kernels, weights))
        elif isinstance(run.trial.layers[0], Conv2D) and "kernels.npz" not in run.files:
            report.find(f"runs/{run.id}/run.json", "lists no kernels.npz, though its first layer is a convolution")


def _read(name: str, files: Files, report: Report) -> Arrays | None:
    if name not in files:
        return None
    return readable(name, lambda: load_arrays(files.folder / name), files.folder, report)


def _weight_problems(run: Run, weights: Arrays) -> Iterator[str]:
    expected = {f"{stage.id}.{kind}." for stage in run.stages for kind in SETS}
    if strays := [name for name in weights if not name.startswith(tuple(expected))]:
        yield f"{strays[0]} belongs to no stage of the run"
    for stage in run.stages:
        for kind in SETS:
            start = f"{stage.id}.{kind}."
            own = {name.removeprefix(start): array for name, array in weights.items() if name.startswith(start)}
            yield from (f"{stage.id}.{kind}: {problem}" for problem in _one_set(run, stage, kind, own))


def _one_set(run: Run, stage: StageResult, kind: Weights, own: Arrays) -> Iterator[str]:
    if not all(NAME.fullmatch(name) and array.dtype == np.float32 for name, array in own.items()):
        yield "holds something else than the variables of a network"
        return
    count = sum(array.size for array in own.values())
    if count != run.parameters_total:
        yield f"holds {count} parameters, but the network has {run.parameters_total}"
    if stage.hashes:
        epoch = stage.epochs if kind == "last" else stage.best_epoch
        total = hashlib.sha256()
        for name in sorted(own, key=_keras_place):
            total.update(np.ascontiguousarray(own[name]).tobytes())
        if total.hexdigest()[:16] != stage.hashes[epoch - 1].weights:
            yield f"are not the weights that the log of hashes has for epoch {epoch}"


def _keras_place(name: str) -> tuple[int, int]:
    found = NAME.fullmatch(name)
    return (int(found["place"]), VARIABLES.index(found["variable"])) if found else (0, 0)


def _kernel_problems(trial: Trial, arrays: Arrays, weights: Arrays | None) -> Iterator[str]:
    kernels, first = arrays.get("kernels"), trial.layers[0]
    if len(arrays) != 1 or kernels is None or kernels.ndim != 4 or not isinstance(first, Conv2D):
        yield "does not hold the kernels of a first layer and nothing else"
        return
    shape = (first.kernel_size, first.kernel_size, INPUT_SHAPE[2], first.filters)
    if kernels.shape != shape:
        yield f"has the shape {kernels.shape}, but the first layer's kernels have {shape}"
    if weights is None:
        return
    stage = trial.stages[-1]
    kind = "last" if stage.early_stopping is None else "best"  # which early stopping brings back
    own = {name: array for name, array in weights.items() if name.startswith(f"{stage.id}.{kind}.network.00_")}
    same = [array for name, array in own.items() if name.endswith(".kernel")]
    if same and not (same[0].shape == kernels.shape and same[0].tobytes() == kernels.tobytes()):
        yield f"are not the first layer's kernels in weights.npz ({stage.id}.{kind})"
