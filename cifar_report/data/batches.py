"""Put the six batches of CIFAR-10 together, and read the batches of its binary version."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cifar_report.data.dataset import Grade
from cifar_report.data.files import read_bounded
from cifar_report.data.release import CLASS_NAMES, IMAGE_SHAPE, RECORD_BYTES, Release
from cifar_report.errors import UsageError

Pixels = npt.NDArray[np.uint8]  # [n, 32, 32, 3]
Labels = npt.NDArray[np.uint8]  # [n]


@dataclass(frozen=True)
class Material:
    """What a source gave: images uint8 [n, 32, 32, 3] and labels uint8 [n], contiguous, training first."""

    images: Pixels
    labels: Labels
    grade: Grade
    source: str

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the image bytes followed by the label bytes, in order."""
        digest = hashlib.sha256(self.images.data)
        digest.update(self.labels.data)
        return digest.hexdigest()


@dataclass(frozen=True)
class BatchFormat:
    """One way to store a batch: file names in canonical order, bounds on a file's bytes, a parser.

    The parser takes the bytes, the file's name and the words that name the file in an error.
    """

    names: tuple[str, ...]
    smallest: int
    largest: int
    parse: Callable[[bytes, str, str], tuple[Pixels, Labels]]


def binary_format(release: Release) -> BatchFormat:
    """Describe the binary version: records of a label byte and 3,072 pixel bytes."""
    size = release.records_per_file * RECORD_BYTES
    return BatchFormat(release.binary_names, size, size, lambda content, _name, where: parse_records(content, where))


def parse_records(content: bytes, where: str) -> tuple[Pixels, Labels]:
    """Read records of the binary version: a label byte, then 1,024 red, green and blue bytes each.

    Returns: images uint8 [n, 32, 32, 3] and labels uint8 [n].

    Raises UsageError where the bytes are no whole number of records, or a label is not 0 to 9.
    """
    count, rest = divmod(len(content), RECORD_BYTES)
    if rest:
        raise UsageError(
            f"{where} is truncated: {len(content):,} bytes are no whole number of records of {RECORD_BYTES:,}. "
            "Unpack or fetch the dataset again, or name another copy."
        )
    records = np.frombuffer(content, dtype=np.uint8).reshape(count, RECORD_BYTES)
    labels = records[:, 0].copy()
    check_labels(labels, where)
    return images_from_planes(records[:, 1:]), labels


def images_from_planes(planes: npt.NDArray[np.uint8]) -> Pixels:
    """Turn rows of 3,072 bytes, colour plane by colour plane, into images.

    Returns: uint8 [n, 32, 32, 3], a view where NumPy can make one.
    """
    rows, columns, colours = IMAGE_SHAPE
    return planes.reshape(len(planes), colours, rows, columns).transpose(0, 2, 3, 1)


def check_labels(labels: npt.NDArray[np.uint8] | npt.NDArray[np.int64], where: str) -> None:
    """Refuse labels outside 0 to 9 with a UsageError that names the first bad record."""
    bad = np.flatnonzero((labels < 0) | (labels >= len(CLASS_NAMES)))
    if bad.size:
        raise UsageError(
            f"{where} has label {int(labels[bad[0]])} in record {int(bad[0]):,}, expected 0 to 9: "
            "it is no CIFAR-10 batch. Unpack or fetch the dataset again, or name another copy."
        )


def folder_batches(folder: Path, batch_format: BatchFormat) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each batch in a folder, in canonical order; raises UsageError."""
    for name in batch_format.names:
        yield name, read_bounded(folder / name, batch_format.smallest, batch_format.largest)


def assemble(
    batches: Iterable[tuple[str, bytes]], batch_format: BatchFormat, release: Release, where: Path
) -> tuple[Pixels, Labels]:
    """Put batches that come in any order into canonical order.

    Returns: images uint8 [n, 32, 32, 3] and labels uint8 [n], training first.

    Raises UsageError where a batch is missing, comes twice or has a wrong content; whoever yields the batches has
    checked their sizes.
    """
    size = release.records_per_file
    images = np.empty((release.count, *IMAGE_SHAPE), dtype=np.uint8)
    labels = np.empty(release.count, dtype=np.uint8)
    missing = dict.fromkeys(batch_format.names)
    for name, content in batches:
        place = f"{where / name}"
        if name not in missing:
            raise UsageError(f"{place} does not belong there or comes twice. Name another copy of CIFAR-10.")
        start = batch_format.names.index(name) * size
        images[start : start + size], labels[start : start + size] = batch_format.parse(content, name, place)
        del missing[name]
    if missing:
        raise UsageError(f"{where} lacks {', '.join(missing)}. Fetch the dataset again, or name another copy.")
    return images, labels
