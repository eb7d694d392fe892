"""Arrays in ``.npz`` files, predictions among them: reproducible bytes, bounded and pickle-free reading."""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cifar_report.bundle.records import Weights
from cifar_report.bundle.store import open_plain
from cifar_report.errors import SuiteError
from cifar_report.spec import CLASS_COUNT

Array = np.ndarray[Any, Any]

MOST_BYTES = 128 * 2**20  # of one file, unpacked; the largest real one is about 20 MB
MOST_ARRAYS = 1_000
IMAGE_COUNT = 60_000  # of the whole data set
ROUNDING = 1e-3  # a probability may be that much above 1
_NAME = re.compile(r"[a-z0-9_.]{1,120}\.npy")
# The one form in which NumPy writes such arrays (format 1.0); its own reader would allocate whatever a header declares.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?s:..)\{'descr': '(?P<dtype>\|u1|\|b1|<i4|<i8|<f4|<f8)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[0-9, ]{0,200})\), \} *\n"
)
_ENCRYPTED = 0x1  # flag bit of a zip archive's entry
_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error)


def dump_arrays(arrays: Mapping[str, Array], *, compress: bool = True) -> bytes:
    """Return an ``.npz`` whose bytes depend on names and arrays alone (fixed dates, sorted names)."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = method
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def load_arrays(path: Path) -> dict[str, Array]:
    """Read an ``.npz`` file without unpickling; raises SuiteError when it is damaged, too large or holds anything else.

    No declared size is used before it was bounded.
    """
    try:
        with open_plain(path) as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARRAYS or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise ValueError(f"declares more than {MOST_ARRAYS} arrays or {MOST_BYTES} bytes")
            if len({entry.filename for entry in entries}) < len(entries):
                raise ValueError("two arrays have the same name")
            return {entry.filename[: -len(".npy")]: _load_member(archive, entry) for entry in entries}
    except _UNREADABLE as error:
        raise SuiteError(f"{path} cannot be read as arrays: {error}") from error


def _load_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Array:
    if not _NAME.fullmatch(entry.filename):
        raise ValueError(f"unexpected member {entry.filename!r}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & _ENCRYPTED:
        raise ValueError(f"{entry.filename} is packed or encrypted in an unexpected way")
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    header = _HEADER.match(content)
    if header is None or int.from_bytes(content[8:10], "little") != header.end() - 10:
        raise ValueError(f"{entry.filename}: not the header of an array that this project writes")
    shape = tuple(int(side) for side in header["shape"].replace(b",", b" ").split())
    dtype = np.dtype(header["dtype"].decode())
    size = len(content) - header.end()
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{entry.filename}: {size} bytes for {dtype} of shape {shape}")
    return np.frombuffer(content, dtype, offset=header.end()).reshape(shape)


@dataclass(frozen=True)
class Predictions:
    """What a run predicted for the test images.

    ``indices`` int32 [N]: places in the 60,000 images; ``labels`` uint8 [N]; ``probabilities`` maps (stage, weights)
    to float32 [N, 10] and is empty for classifiers without them; ``predicted`` uint8 [N] is theirs.
    """

    indices: Array
    labels: Array
    probabilities: dict[tuple[str, Weights], Array] = field(default_factory=dict)
    predicted: Array | None = None

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
        for (stage, weights), table in self.probabilities.items():
            if table.shape != (len(self.labels), CLASS_COUNT) or table.dtype.kind != "f":
                raise ValueError(f"{stage}.{weights} must hold {CLASS_COUNT} probabilities for each image")
            if (table < 0).any() or (table > 1 + ROUNDING).any():  # NaN passes: a training may diverge
                raise ValueError(f"{stage}.{weights} must hold probabilities between 0 and 1")


def _table_key(name: str) -> tuple[str, Weights]:
    stage, _, weights = name.rpartition(".")
    if not stage or weights not in ("last", "best"):
        raise ValueError(f"unexpected array {name!r}")
    return stage, weights  # type: ignore[return-value]  # mypy narrows no string by ``in``
