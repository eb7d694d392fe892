"""Arrays in ``.npz`` files, predictions among them: reproducible bytes, bounded and pickle-free reading."""

import io
import re
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from cifar_report.bundle.records import Weights
from cifar_report.bundle.store import open_plain
from cifar_report.errors import SuiteError
from cifar_report.spec import CIFAR10, Dataset

Array = np.ndarray[Any, Any]
PREDICTIONS_FILE, COMPACT_FILE = "predictions.npz", "compact.npz"  # of a run: the one or the other
MOST_BYTES = 128 * 2**20  # of one file, unpacked; the largest real one is about 20 MB
MOST_ARRAYS = 1_000
BINS = 15  # of what the calibration error sums: of the predicted class's probability, equal in width
ROUNDING = 1e-3  # a probability may be that much above 1
DTYPES = {"|u1", "|b1", "<i4", "<i8", "<f4", "<f8"}
# What zip archives, or NumPy's reader of headers, raise where they are damaged, encrypted or something else.
_UNREADABLE = (OSError, ValueError, EOFError, RuntimeError, OverflowError, MemoryError)
# A layer's variables in Keras's order, in which the log hashes them; layers are numbered in their names. Variables of
# layers that are known by their Keras name alone carry their place among all of them.
VARIABLES = ("kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance")
WEIGHT = re.compile(
    r"network\.(?:[0-9]+_residual\.)*(?P<layer>[0-9]+)_(?:"
    rf"(?:conv2d|dense|batchnormalization)\.(?P<variable>{'|'.join(VARIABLES)})|.+\.(?P<place>[0-9]+)_[^.]+)"
)


def weight_place(name: str) -> tuple[int, int] | None:
    """Return what sorts a network's stored weights in Keras's order; None where a name does not tell."""
    found = WEIGHT.fullmatch(name)
    if found is None:
        return None
    place = VARIABLES.index(found["variable"]) if found["variable"] else int(found["place"])
    return int(found["layer"]), place


def dump_arrays(arrays: Mapping[str, Array]) -> bytes:
    """Return an ``.npz`` whose bytes depend on names and arrays alone (fixed dates, sorted names)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, member.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def load_arrays(path: Path) -> dict[str, Array]:
    """Read an ``.npz`` file without unpickling; raises SuiteError when it is damaged, too large or anything else."""
    try:
        with open_plain(path) as stream:
            with zipfile.ZipFile(stream) as archive:
                sizes = [entry.file_size for entry in archive.infolist()]
            if len(sizes) > MOST_ARRAYS or sum(sizes) > MOST_BYTES:
                raise ValueError(f"declares more than {MOST_ARRAYS} arrays or {MOST_BYTES} bytes")
            stream.seek(0)
            with np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        for name, array in arrays.items():
            if not isinstance(array, np.ndarray) or array.dtype.str not in DTYPES:
                raise ValueError(f"{name} is no array of numbers")
    except (*_UNREADABLE, zipfile.BadZipFile, zlib.error, tokenize.TokenError) as error:
        raise SuiteError(f"{path} cannot be read as arrays: {error}") from error
    return arrays


class CompactTable(NamedTuple):
    """What a compact run keeps of one table of probabilities, float32 [N, classes].

    ``predicted`` uint8 [N] and the labels' probabilities ``chosen`` float32 [N] give accuracy, confusion and loss
    exactly. Numbers that need all probabilities are recorded, None where one of those is not a number: the Brier score
    ``brier``; the ``bins`` float64 [3, 15] of a reliability diagram (images, sums of the predicted class's
    probability, right predictions); ``top`` float32 [N], the predicted class's probability of the examples, else 0.
    """

    predicted: Array
    chosen: Array
    brier: Array | None = None
    bins: Array | None = None
    top: Array | None = None

    def check(self, labels: Array, classes: int) -> None:
        """Raise ValueError when the arrays do not fit the labels [N] and one another."""
        _check_numbers("predicted", self.predicted, labels.shape, classes)
        _check_probabilities("chosen", self.chosen, labels.shape)
        brier, bins, top = self[2:]
        if brier is None or bins is None or top is None:
            if any(each is not None for each in (brier, bins, top)):
                raise ValueError("brier, bins and top must be there all or none")
            return
        _check_probabilities("top", top, labels.shape)
        if brier.shape != () or bins.shape != (3, BINS) or {brier.dtype.kind, bins.dtype.kind} != {"f"}:
            raise ValueError(f"brier must be one number, and bins [3, {BINS}]")
        right = self.predicted == labels
        sums_fit = np.array_equal(bins.sum(axis=1)[[0, 2]], (len(labels), right.sum()))
        bins_fit = (bins >= 0).all() and (bins[1:] <= bins[0] * (1 + ROUNDING)).all()
        if not (sums_fit and bins_fit and 0 <= brier <= 2 + ROUNDING) or np.isnan(top + self.chosen).any():
            raise ValueError("brier, bins or top are none that such predictions can have")
        shown = right & (top != 0)
        if not np.array_equal(top[shown], self.chosen[shown]):
            raise ValueError("top is not the label's probability where the prediction is right")


@dataclass(frozen=True)
class Predictions:
    """What a run predicted for the test images.

    ``indices`` int32 [N]: places in all images; ``labels`` uint8 [N]; ``probabilities`` maps (stage, weights) to
    float32 [N, classes] and is empty for classifiers without them; ``predicted`` uint8 [N] is theirs. A compact run has
    ``compact`` tables of the weights that the method judges in place of all probabilities.
    """

    indices: Array
    labels: Array
    probabilities: dict[tuple[str, Weights], Array] = field(default_factory=dict)
    predicted: Array | None = None
    compact: dict[tuple[str, Weights], CompactTable] = field(default_factory=dict)
    dataset: Dataset = field(default=CIFAR10, kw_only=True)  # that they are of

    def answers(self, stage: str, weights: Weights) -> tuple[Array, Array] | None:
        """Return predicted classes uint8 [N] and the labels' probabilities float32 [N]; None where none are kept."""
        if (kept := self.compact.get((stage, weights))) is not None:
            return kept.predicted, kept.chosen
        if (table := self.probabilities.get((stage, weights))) is None:
            return None
        return table.argmax(axis=1).astype(np.uint8), table[np.arange(len(self.labels)), self.labels]

    def dump(self) -> bytes:
        """Return the content of ``predictions.npz``, or of ``compact.npz`` for a compact run."""
        arrays = {"labels": self.labels}
        if self.compact:  # steps from place to place, since those are nearly all 1
            arrays["steps"] = np.diff(self.indices, prepend=self.indices.dtype.type(0))
        else:
            arrays["indices"] = self.indices
        classes = len(self.dataset.classes)
        arrays |= {f"{stage}.{weights}": table for (stage, weights), table in self.probabilities.items()}
        for (stage, weights), kept in self.compact.items():
            found = kept._asdict()  # what packs best: zeros where right, equal bytes side by side
            found["predicted"] = ((kept.predicted.astype(int) - self.labels) % classes).astype(np.uint8)
            found["chosen"] = np.ascontiguousarray(kept.chosen).view(np.uint8).reshape(-1, 4).T
            arrays |= {f"{stage}.{weights}.{name}": array for name, array in found.items() if array is not None}
        return dump_arrays(arrays if self.predicted is None else arrays | {"predicted": self.predicted})

    @classmethod
    def load(cls, path: Path, dataset: Dataset = CIFAR10, *, compact: bool = False) -> Self:
        """Read ``predictions.npz`` or ``compact.npz``; raises SuiteError when its arrays do not fit together."""
        arrays = load_arrays(path)
        try:
            indices = np.cumsum(steps := arrays.pop("steps"), dtype=steps.dtype) if compact else arrays.pop("indices")
            labels, predicted = arrays.pop("labels"), arrays.pop("predicted", None)
            tables = _compact_tables(arrays, labels, len(dataset.classes)) if compact else {}
            whole = {_table_key(name): table for name, table in arrays.items()}
            found = cls(indices, labels, whole, predicted, tables, dataset=dataset)
            found._check()
            if compact and (whole or predicted is not None):
                raise ValueError("it holds more than compact tables")
        except (KeyError, TypeError, ValueError) as error:
            raise SuiteError(f"{path} is no table of predictions: {error}") from error
        return found

    def _check(self) -> None:
        images, classes = (self.labels.size,), len(self.dataset.classes)
        _check_numbers("labels", self.labels, images, classes)
        _check_numbers("indices", self.indices, images, sum(self.dataset.counts))
        if self.predicted is not None:
            _check_numbers("predicted", self.predicted, images, classes)
        for (stage, weights), table in self.probabilities.items():
            _check_probabilities(f"{stage}.{weights}", table, (len(self.labels), classes))
        for kept in self.compact.values():
            kept.check(self.labels, classes)


def comparable_arrays(path: Path, dataset: Dataset) -> dict[str, Array]:
    """Return a file's arrays by name; of a compact run those alone that no later computation rounds."""
    if path.name != COMPACT_FILE:
        return load_arrays(path)
    kept = Predictions.load(path, dataset, compact=True)
    arrays = {"indices": kept.indices, "labels": kept.labels}
    for (stage, weights), table in kept.compact.items():
        arrays |= {f"{stage}.{weights}.{name}": getattr(table, name) for name in ("predicted", "chosen")}
    return arrays


def _check_numbers(name: str, vector: Array, shape: tuple[int, ...], most: int) -> None:
    if vector.dtype.kind not in "iu" or vector.shape != shape:
        raise ValueError(f"{name} must hold one whole number for each image")
    if vector.size and not (vector.min() >= 0 and vector.max() < most):
        raise ValueError(f"{name} must lie between 0 and {most - 1}")


def _check_probabilities(name: str, table: Array, shape: tuple[int, ...]) -> None:
    if table.shape != shape or table.dtype.kind != "f":
        raise ValueError(f"{name} must hold {shape[1] if len(shape) > 1 else 'one'} probabilities for each image")
    if (table < 0).any() or (table > 1 + ROUNDING).any():  # NaN passes: a training may diverge
        raise ValueError(f"{name} must hold probabilities between 0 and 1")


def _compact_tables(arrays: dict[str, Array], labels: Array, classes: int) -> dict[tuple[str, Weights], CompactTable]:
    fields: dict[tuple[str, Weights], dict[str, Array]] = {}
    for name in list(arrays):
        table, _, part = name.rpartition(".")
        fields.setdefault(_table_key(table), {})[part] = arrays.pop(name)
    for found in fields.values():
        _check_numbers("predicted", found["predicted"], labels.shape, classes)
        found["predicted"] = ((found["predicted"].astype(int) + labels) % classes).astype(np.uint8)
        found["chosen"] = np.ascontiguousarray(found["chosen"].T).view(np.float32).reshape(-1)
    return {key: CompactTable(**found) for key, found in fields.items()}


def _table_key(name: str) -> tuple[str, Weights]:
    stage, _, weights = name.rpartition(".")
    if not stage or weights not in ("last", "best"):
        raise ValueError(f"unexpected array {name!r}")
    return stage, weights  # type: ignore[return-value]  # mypy narrows no string by ``in``
