"""Images in their prepared form, checked before use and opened by any process: the cache of them, and their split."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from cifar_report.errors import SuiteError
from cifar_report.spec import CIFAR10, Dataset

Array = npt.NDArray[np.uint8]
Indices = npt.NDArray[np.int32]
Grade = Literal["canonical", "unverified", "stand-in"]
"""From files with published hashes, or one's own; well-formed, but with unknown pixels; drawn, not photographed."""

VALIDATION_SHARE = 0.2  # of the training images
ARCHIVE = "cifar-10-binary.tar.gz"
LABELS_SHA256 = "3edb456524d5918aefded81f5aef7c32efab2a788211df998a4eb0c8957baa1f"
"""Of CIFAR-10's label bytes in canonical order, training then test."""

IMAGES_NAME = "images.npy"
LABELS_NAME = "labels.npy"
DESCRIPTION_NAME = "dataset.json"


@dataclass(frozen=True)
class Images:
    """What a source holds: images uint8 [n, rows, columns, colours], labels uint8 [n], contiguous, training first."""

    images: Array
    labels: Array
    grade: Grade
    source: str  # the kind of source, in words without a path
    about: Dataset = CIFAR10

    def fingerprint(self) -> str:
        """SHA-256 (hexadecimal) of the image bytes followed by the label bytes."""
        digest = hashlib.sha256(self.images.data)
        digest.update(self.labels.data)
        return digest.hexdigest()


class Description(msgspec.Struct, frozen=True):
    """What ``dataset.json`` says of the arrays beside it."""

    grade: Grade
    source: str
    about: Dataset = CIFAR10


@dataclass(frozen=True)
class PreparedData:
    """A prepared dataset: small, picklable, and everything a worker process needs to open it."""

    folder: Path  # in the cache; holds images.npy and labels.npy
    fingerprint: str  # SHA-256, hexadecimal, of the image bytes followed by the label bytes, in order
    grade: Grade
    canonical_labels: bool  # whether the labels are the published ones in canonical order
    source: str  # the kind of source, in words without a path
    location: str  # where that source was found
    about: Dataset = CIFAR10

    def images(self, mode: Literal["r", "c"] = "r") -> Array:
        """Map the images into memory: uint8 [images, rows, columns, colours]; ``c`` means copy-on-write."""
        return _mapped(self.folder / IMAGES_NAME, mode)

    def labels(self) -> Array:
        """Map the labels into memory: uint8 [images], from 0, in the order of the images."""
        return _mapped(self.folder / LABELS_NAME)


def cache_folder() -> Path:
    """Return the cache: ``CIFAR_REPORT_CACHE``, else a folder in XDG's cache, else in ``~/.cache``."""
    own, base = os.environ.get("CIFAR_REPORT_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own).absolute() if own else Path(base or Path.home() / ".cache").absolute() / "cifar-report"


def open_prepared(fingerprint: str) -> PreparedData | None:
    """Return the dataset of this fingerprint in the cache; None where it is missing or damaged."""
    folder = cache_folder() / "datasets" / fingerprint
    try:
        described = msgspec.json.decode((folder / DESCRIPTION_NAME).read_bytes(), type=Description)
        images, labels = _mapped(folder / IMAGES_NAME), _mapped(folder / LABELS_NAME)
    except (OSError, ValueError):
        return None
    about = described.about
    held = Images(images, labels, described.grade, described.source, about)
    if images.shape != (sum(about.counts), *about.shape) or held.fingerprint() != fingerprint:
        return None
    return _prepared(folder, held, str(folder))


def find_prepared(about: Dataset) -> PreparedData | None:
    """Use prepared data only if it is canonical: what nobody named must be the real thing."""
    for place in sorted(cache_folder().glob(f"datasets/*/{DESCRIPTION_NAME}")):
        dataset = open_prepared(place.parent.name)
        if dataset is not None and dataset.grade == "canonical" and dataset.about == about:
            return replace(dataset, source=f"cache ({dataset.source})")
    return None


def keep(images: Images, location: str) -> PreparedData:
    """Store images in the cache unless they are there, and return the dataset; what is canonical stays so.

    Raises SuiteError where the cache cannot be written.
    """
    folder = cache_folder() / "datasets" / images.fingerprint()
    with writing():
        stored = open_prepared(folder.name)
        if stored is None:
            _install(images, folder)
        elif stored.grade != "unverified":
            images = replace(images, grade=stored.grade)
        elif images.grade != "unverified":
            _describe(folder, images)
    return _prepared(folder, images, location)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn a failed write into a SuiteError that names the cache folder and says what to do."""
    try:
        yield
    except OSError as error:
        raise SuiteError(
            f"The cache folder {cache_folder()} cannot be written ({error.strerror or error}). Free some space there "
            "(400 MB), allow writing, or set CIFAR_REPORT_CACHE to another folder."
        ) from error


def _install(images: Images, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".partial-", dir=folder.parent, ignore_cleanup_errors=True) as place:
        beside = Path(place)
        np.save(beside / IMAGES_NAME, images.images)
        np.save(beside / LABELS_NAME, images.labels)
        _describe(beside, images)
        try:
            beside.rename(folder)
        except OSError:  # it is damaged, or another process was faster
            if open_prepared(folder.name) is None:
                shutil.rmtree(folder)
                beside.rename(folder)


def _describe(folder: Path, images: Images) -> None:
    described = Description(images.grade, images.source, images.about)
    (folder / DESCRIPTION_NAME).write_bytes(msgspec.json.format(msgspec.json.encode(described)) + b"\n")


def _prepared(folder: Path, held: Images, location: str) -> PreparedData:
    canonical = ARCHIVE not in held.about.hashes or hashlib.sha256(held.labels.data).hexdigest() == LABELS_SHA256
    return PreparedData(folder, folder.name, held.grade, canonical, held.source, location, held.about)


def _mapped(path: Path, mode: Literal["r", "c"] = "r") -> Array:
    mapped: Array = np.load(path, mmap_mode=mode, allow_pickle=False)
    return mapped


@dataclass(frozen=True)
class Split:
    """Indices (int32) into all images, in frozen order; those for testing come after those for training."""

    train: Indices
    validation: Indices
    test: Indices


def part_sizes(
    about: Dataset, fraction: float = 1.0, counts: tuple[int, int, int] | None = None
) -> tuple[int, int, int]:
    """Return how many images of train, validation and test are kept: a fraction, or ``counts`` as far as there are."""
    training, test = about.counts
    validation = math.ceil(VALIDATION_SHARE * training)
    whole, least = (training - validation, validation, test), len(about.classes)
    wanted = counts or [max(least, round(fraction * size)) for size in whole]
    return tuple(min(pair) for pair in zip(wanted, whole, strict=True))  # type: ignore[return-value]


def split(
    labels: npt.NDArray[np.uint8],
    about: Dataset = CIFAR10,
    *,
    split_seed: int = 42,
    fraction: float = 1.0,
    counts: tuple[int, int, int] | None = None,
) -> Split:
    """Split as ``train_test_split(test_size=0.2, random_state=split_seed)``, then keep a stratified part.

    ``labels`` is uint8 [images], training labels first, as many as ``about`` says. Of each part a ``fraction`` is kept,
    with its class shares, or so many images as ``counts`` says.
    """
    from sklearn.model_selection import train_test_split  # takes a second, which only training has

    training, all_images = about.counts[0], sum(about.counts)
    train, validation = train_test_split(np.arange(training), test_size=VALIDATION_SHARE, random_state=split_seed)
    test = np.arange(training, all_images)
    whole = [part.astype(np.int32) for part in (train, validation, test)]
    sizes = part_sizes(about, fraction, counts)
    kept = [
        part if size == part.size else _stratified(part, labels, size, (split_seed, number))
        for number, (part, size) in enumerate(zip(whole, sizes, strict=True))
    ]
    for part in kept:
        part.setflags(write=False)  # the order is part of what a run's key stands for
    return Split(train=kept[0], validation=kept[1], test=kept[2])


def _stratified(part: Indices, labels: npt.NDArray[np.uint8], size: int, seeds: tuple[int, int]) -> Indices:
    """Keep ``size`` of the indices: each class by its share, members drawn, order as before."""
    classes = labels[part]
    # Raw words of PCG64 are the one stream that NumPy promises never to change (NEP 19).
    keys = np.random.PCG64(np.random.SeedSequence(seeds)).random_raw(part.size)
    keep = np.zeros(part.size, dtype=bool)
    for label, quota in enumerate(_quotas(np.bincount(classes), size)):
        members = np.flatnonzero(classes == label)
        keep[members[np.argsort(keys[members], kind="stable")[:quota]]] = True
    return part[keep]


def _quotas(class_sizes: npt.NDArray[np.intp], size: int) -> list[int]:
    """Share ``size`` out by class with the largest-remainder rule; ties go to the lower class number."""
    total = int(class_sizes.sum())
    shares = [divmod(int(count) * size, total) for count in class_sizes]
    quotas = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda label: (-shares[label][1], label))
    for label in by_remainder[: size - sum(quotas)]:
        quotas[label] += 1
    return quotas
