"""Prepared datasets: kept in the cache under their fingerprints, checked before use, opened by any process."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from cifar_report.data.release import IMAGE_SHAPE, Release
from cifar_report.errors import SuiteError

Array = npt.NDArray[np.uint8]
Grade = Literal["canonical", "unverified", "stand-in"]
"""From a file with a published hash; well-formed, but with unknown pixels; drawn, not photographed."""

IMAGES_NAME = "images.npy"
LABELS_NAME = "labels.npy"
DESCRIPTION_NAME = "dataset.json"


@dataclass(frozen=True)
class Images:
    """What a source holds: images uint8 [n, 32, 32, 3] and labels uint8 [n], contiguous, training first."""

    images: Array
    labels: Array
    grade: Grade
    source: str  # the kind of source, in words

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the image bytes followed by the label bytes."""
        digest = hashlib.sha256(self.images.data)
        digest.update(self.labels.data)
        return digest.hexdigest()


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset: small, picklable, and everything a worker process needs to open it."""

    folder: Path  # in the cache; holds images.npy and labels.npy
    fingerprint: str  # SHA-256, hexadecimal, of the image bytes followed by the label bytes, in order
    grade: Grade
    canonical_labels: bool  # whether the labels are CIFAR-10's in canonical order
    source: str  # the kind of source, in words without a path
    location: str  # where that source was found

    def images(self, mode: Literal["r", "c"] = "r") -> Array:
        """Map the images into memory, read-only (``r``) or copy-on-write (``c``).

        Returns: uint8 [60000, 32, 32, 3], values 0 to 255, training images first.
        """
        return _mapped(self.folder / IMAGES_NAME, mode)

    def labels(self, mode: Literal["r", "c"] = "r") -> Array:
        """Map the labels into memory: uint8 [60000], values 0 to 9, in the order of the images."""
        return _mapped(self.folder / LABELS_NAME, mode)


class Description(msgspec.Struct, frozen=True):
    """What ``dataset.json`` says of the arrays beside it."""

    grade: Grade
    source: str


def open_prepared(folder: Path, release: Release) -> Dataset | None:
    """Return the dataset in a folder of the cache; None where it is missing or damaged."""
    try:
        described = msgspec.json.decode((folder / DESCRIPTION_NAME).read_bytes(), type=Description)
        images, labels = _mapped(folder / IMAGES_NAME), _mapped(folder / LABELS_NAME)
    except (OSError, ValueError):
        return None
    held = Images(images, labels, described.grade, described.source)
    if images.shape != (release.count, *IMAGE_SHAPE) or held.fingerprint() != folder.name:
        return None
    return _dataset(folder, held, release, str(folder))


def keep(images: Images, location: str, cache: Path, release: Release) -> Dataset:
    """Store images in the cache unless they are there, and return the dataset; what is canonical stays so.

    Raises SuiteError where the cache cannot be written.
    """
    folder = cache / "datasets" / images.fingerprint()
    with writing(cache):
        stored = open_prepared(folder, release)
        if stored is None:
            _install(images, folder, release)
        elif stored.grade != "unverified":
            images = replace(images, grade=stored.grade)
        elif images.grade != "unverified":
            _describe(folder, images)
    return _dataset(folder, images, release, location)


@contextlib.contextmanager
def writing(cache: Path) -> Iterator[None]:
    """Turn a failed write into a SuiteError that names the cache folder and says what to do."""
    try:
        yield
    except OSError as error:
        raise SuiteError(
            f"The cache folder {cache} cannot be written ({error.strerror or error}). Free some space there "
            "(400 MB), allow writing, or set CIFAR_REPORT_CACHE to another folder."
        ) from error


def _install(images: Images, folder: Path, release: Release) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=folder.parent, ignore_cleanup_errors=True) as place:
        beside = Path(place)
        np.save(beside / IMAGES_NAME, images.images)
        np.save(beside / LABELS_NAME, images.labels)
        _describe(beside, images)
        try:
            beside.rename(folder)
        except OSError:  # it is damaged, or another process was faster
            if open_prepared(folder, release) is None:
                shutil.rmtree(folder)
                beside.rename(folder)


def _describe(folder: Path, images: Images) -> None:
    described = Description(images.grade, images.source)
    (folder / DESCRIPTION_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(described)) + b"\n")


def _dataset(folder: Path, held: Images, release: Release, location: str) -> Dataset:
    canonical = hashlib.sha256(held.labels.data).hexdigest() == release.labels_sha256
    return Dataset(folder, folder.name, held.grade, canonical, held.source, location)


def _mapped(path: Path, mode: Literal["r", "c"] = "r") -> Array:
    mapped: Array = np.load(path, mmap_mode=mode, allow_pickle=False)
    return mapped
