"""Read the Python version's batches, verified before they are unpickled, and without running their code."""

from __future__ import annotations

import hashlib
import io
import pickle
from typing import Any

import numpy as np

from cifar_report.data.batches import BatchFormat, Labels, Pixels, check_labels, images_from_planes
from cifar_report.data.release import IMAGE_BYTES, Release
from cifar_report.errors import UsageError

# A batch holds an image's pixels, its label and its file name, and some bytes around them.
LARGEST_RECORD_BYTES = IMAGE_BYTES + 256
OTHER_BYTES = 4096


class _PickledArray:
    """Holds an array's state as it was pickled: shape, type and bytes; nothing is interpreted."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _PickledType:
    """Holds an array type's name as it was pickled."""

    def __init__(self, name: Any = None, *_: Any) -> None:
        self.name = name.encode("ascii") if isinstance(name, str) else name

    def __setstate__(self, _: Any) -> None:
        """Ignore byte order and alignment: only single bytes are accepted later."""


def _new_array(*_: Any) -> _PickledArray:
    return _PickledArray()


class _BatchUnpickler(pickle.Unpickler):
    """Unpickles plain values and NumPy arrays, the latter as records of their bytes; refuses all else."""

    _allowed = {  # noqa: RUF012 - a constant table; pickle's classes take no ClassVar seriously
        ("numpy.core.multiarray", "_reconstruct"): _new_array,
        ("numpy._core.multiarray", "_reconstruct"): _new_array,
        ("numpy", "ndarray"): _PickledArray,
        ("numpy", "dtype"): _PickledType,
    }

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return self._allowed[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(f"it names {module_name}.{global_name}") from None


def python_format(release: Release) -> BatchFormat:
    """Describe the Python version: pickled batches, each accepted only with its published MD5."""

    def parse(content: bytes, name: str, where: str) -> tuple[Pixels, Labels]:
        _verify(content, release.python_md5[name], where)
        return parse_pickled(content, release.records_per_file, where)

    records = release.records_per_file
    largest = records * LARGEST_RECORD_BYTES + OTHER_BYTES
    return BatchFormat(release.python_names, records * IMAGE_BYTES, largest, parse)


def _verify(content: bytes, expected: str, where: str) -> None:
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise UsageError(
            f"{where} has MD5 {found}, the published one is {expected}: it was not opened. "
            "Fetch the dataset again, or name another copy."
        )


def parse_pickled(content: bytes, count: int, where: str) -> tuple[Pixels, Labels]:
    """Read one pickled batch with an unpickler that builds plain values only.

    Returns: images uint8 [count, 32, 32, 3] and labels uint8 [count].

    Raises UsageError where the pickle holds anything but the values of a batch of this size.
    """
    try:
        batch = _BatchUnpickler(io.BytesIO(content), encoding="bytes").load()
        values = {key.decode() if isinstance(key, bytes) else key: value for key, value in batch.items()}
        planes = _pixel_rows(values["data"], count)
        labels = np.asarray(values["labels"], dtype=np.int64)
        if labels.shape != (count,):
            raise ValueError(f"{labels.size} labels for {count} images")
    # A pickle can fail in as many ways as it has opcodes; each of them means the same here.
    except Exception as error:
        raise UsageError(
            f"{where} is no CIFAR-10 batch ({error}). Fetch the dataset again, or name another copy."
        ) from error
    check_labels(labels, where)
    return images_from_planes(planes), labels.astype(np.uint8)


def _pixel_rows(array: Any, count: int) -> Pixels:
    if not isinstance(array, _PickledArray):
        raise TypeError("its data are no array")
    _, shape, kind, by_columns, content = array.state
    if shape != (count, IMAGE_BYTES) or kind.name not in (b"u1", b"uint8") or by_columns:
        raise ValueError(f"its data are {kind.name!r} of shape {shape}")
    return np.frombuffer(content, dtype=np.uint8).reshape(shape)
