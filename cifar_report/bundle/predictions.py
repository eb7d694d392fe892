"""The arrays of a run that the report reads: what it said about the test images, and its first layer's kernels."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.bundle.records import Weights
from cifar_report.errors import SuiteError
from cifar_report.spec import CLASS_COUNT

IMAGE_COUNT = 60_000
ROUNDING = 1e-3  # a probability may be that much above 1


@dataclass(frozen=True)
class Predictions:
    """What a run said about the test images.

    ``indices`` int32 [N]: places in the 60,000 images; ``labels`` uint8 [N]; ``probabilities`` maps (stage, weights)
    to float32 [N, 10] and is empty for classifiers without them; ``predicted`` uint8 [N] is theirs.
    """

    indices: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    probabilities: dict[tuple[str, Weights], np.ndarray[Any, Any]] = field(default_factory=dict)
    predicted: np.ndarray[Any, Any] | None = None

    def dump(self) -> bytes:
        """Return the content of ``predictions.npz``."""
        arrays = {"indices": self.indices, "labels": self.labels}
        arrays |= {f"{stage}.{weights}": table for (stage, weights), table in self.probabilities.items()}
        return dump_arrays(arrays if self.predicted is None else arrays | {"predicted": self.predicted})

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read ``predictions.npz``; raises SuiteError when its arrays do not fit together."""
        arrays = load_arrays(path)
        try:
            indices, labels = arrays.pop("indices"), arrays.pop("labels")
            predicted = arrays.pop("predicted", None)
            found = cls(indices, labels, {_table_key(name): table for name, table in arrays.items()}, predicted)
            found._check()
        except (KeyError, ValueError) as error:
            raise SuiteError(f"{path} is no table of predictions: {error}") from error
        return found

    def _check(self) -> None:
        """Raise ValueError when the arrays do not fit together."""
        for name, vector in (("indices", self.indices), ("labels", self.labels), ("predicted", self.predicted)):
            if vector is None:
                continue
            if vector.ndim != 1 or vector.dtype.kind not in "iu" or vector.shape != self.labels.shape:
                raise ValueError(f"{name} must hold one whole number for each image")
            most = IMAGE_COUNT if name == "indices" else CLASS_COUNT
            if vector.size and not (vector.min() >= 0 and vector.max() < most):
                raise ValueError(f"{name} must lie between 0 and {most - 1}")
        for stage, weights in self.probabilities:
            table = self.probabilities[stage, weights]
            if table.shape != (len(self.labels), CLASS_COUNT) or table.dtype.kind != "f":
                raise ValueError(f"{stage}.{weights} must hold {CLASS_COUNT} probabilities for each image")
            if (table < 0).any() or (table > 1 + ROUNDING).any():  # what is no number passes: a training may end so
                raise ValueError(f"{stage}.{weights} must hold probabilities between 0 and 1")


def _table_key(name: str) -> tuple[str, Weights]:
    stage, _, weights = name.rpartition(".")
    kinds: dict[str, Weights] = {"last": "last", "best": "best"}
    if not stage or weights not in kinds:
        raise ValueError(f"unexpected array {name!r}")
    return stage, kinds[weights]


def load_kernels(path: Path) -> np.ndarray[Any, Any]:
    """Read ``kernels.npz``: float [height, width, 3, filters]; raises SuiteError where it holds something else."""
    kernels = load_arrays(path).get("kernels")
    if kernels is None or kernels.ndim != 4 or kernels.shape[2] != 3 or 0 in kernels.shape or kernels.dtype.kind != "f":
        raise SuiteError(f"{path} holds no kernels of a first layer: [height, width, 3, filters]")
    return kernels
