"""Make small datasets in CIFAR-10's layouts, so that the readers can be tested in milliseconds."""

import gzip
import hashlib
import io
import os
import pickle
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
from msgspec.structs import replace

from cifar_report.data import cifar10
from cifar_report.data.cifar10 import ARCHIVE, BINARY_NAMES, PYTHON_ARCHIVE
from cifar_report.data.dataset import PreparedData
from cifar_report.spec import CIFAR10, Dataset

RECORDS = 20  # in each of the six files
CLOSED_ADDRESS = "http://127.0.0.1:9/"  # the discard port: refused at once


def sample_arrays(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw random images uint8 [120, 32, 32, 3] and labels uint8 [120]."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (6 * RECORDS, 32, 32, 3), dtype=np.uint8)
    return images, generator.integers(0, 10, 6 * RECORDS, dtype=np.uint8)


def _batches(seed: int) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Return name, rows of 3,072 bytes (colour plane by colour plane) and labels of each batch."""
    images, labels = sample_arrays(seed)
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), 3072)
    parts = [slice(number * RECORDS, (number + 1) * RECORDS) for number in range(6)]
    return [(name, planes[part], labels[part]) for name, part in zip(BINARY_NAMES, parts, strict=True)]


def binary_files(seed: int = 0) -> dict[str, bytes]:
    """Make the six files of a small binary version, by name."""
    return {name: np.column_stack([labels, planes]).tobytes() for name, planes, labels in _batches(seed)}


def python_files(seed: int = 0) -> dict[str, bytes]:
    """Make the six files of a small Python version with the same images."""
    return {
        name.removesuffix(".bin"): pickle.dumps({b"data": planes, b"labels": labels.tolist()}, protocol=2)
        for name, planes, labels in _batches(seed)
    }


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def archive_bytes(files: Mapping[str, bytes], kind: bytes = tarfile.REGTYPE) -> bytes:
    """Make a ``.tar.gz`` that holds files in a folder beside another, as the published one does; always the same."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for name, content in {"readme.html": b"<p>CIFAR-10</p>", **files}.items():
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size, member.type = len(content), kind
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


BINARY = archive_bytes(binary_files())
PYTHON = archive_bytes(python_files())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


RELEASE = replace(
    CIFAR10,
    address=CLOSED_ADDRESS,
    counts=(5 * RECORDS, RECORDS),
    hashes={ARCHIVE: _sha256(BINARY), PYTHON_ARCHIVE: _sha256(PYTHON)},
)
"""What these samples are published as."""


def find(
    folder: Path,
    path: Path | str | None = None,
    *,
    variable: Path | str = "",
    stand_in: bool = False,
    release: Dataset = RELEASE,
    **options: Any,
) -> PreparedData:
    """Find a dataset with the cache, Keras's and ours, inside one folder; ``variable`` is what CIFAR10_DIR says."""
    places = {"CIFAR_REPORT_CACHE": folder / "cache", "KERAS_HOME": folder / "keras", "CIFAR10_DIR": variable}
    named, labels = None if path is None else str(path), _sha256(sample_arrays()[1].tobytes())
    with (
        mock.patch.dict(os.environ, {name: str(value) for name, value in places.items()}),
        mock.patch("cifar_report.data.cifar10.CIFAR10", release),
        mock.patch("cifar_report.data.dataset.LABELS_SHA256", labels),
    ):
        return cifar10.locate(named, allow_stand_in=stand_in, **{"warn": lambda _: None} | options)
