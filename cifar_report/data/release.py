"""State what was published as CIFAR-10: classes, counts, file names, sizes and hashes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CLASS_NAMES: tuple[str, ...] = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
TRAIN_COUNT = 50_000
TEST_COUNT = 10_000
IMAGE_SHAPE = (32, 32, 3)  # rows, columns, colours (red, green, blue)
IMAGE_BYTES = 32 * 32 * 3
RECORD_BYTES = 1 + IMAGE_BYTES  # the binary version: one label byte, then the pixels colour by colour
TRAINING_FILES = 5


@dataclass(frozen=True)
class PublishedFile:
    """One published file: its name, its address, its size in bytes and its SHA-256 in hexadecimal."""

    name: str
    address: str
    size: int
    sha256: str


@dataclass(frozen=True)
class Release:
    """One release of the dataset: the published archive, the published batch hashes, and the counts.

    A release of a few records has the same layout, so the readers can be tested without 60,000 images.
    """

    archive: PublishedFile  # of the binary version
    python_md5: Mapping[str, str] = field(hash=False)  # of each batch of the Python version, by file name
    labels_sha256: str  # of the label bytes in canonical order, training then test
    records_per_file: int = 10_000  # in each of the six files

    @property
    def binary_names(self) -> tuple[str, ...]:
        """Names of the binary version's files, training first, test last."""
        return (*(f"data_batch_{number}.bin" for number in range(1, TRAINING_FILES + 1)), "test_batch.bin")

    @property
    def python_names(self) -> tuple[str, ...]:
        """Names of the Python version's files, training first, test last."""
        return tuple(name.removesuffix(".bin") for name in self.binary_names)

    @property
    def count(self) -> int:
        """Number of images, training and test together."""
        return self.records_per_file * (TRAINING_FILES + 1)


# Size and SHA-256 of the archive as published; the MD5s are those that torchvision's CIFAR10 class lists.
CIFAR10 = Release(
    archive=PublishedFile(
        name="cifar-10-binary.tar.gz",
        address="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
        size=170_052_171,
        sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    ),
    python_md5={
        "data_batch_1": "c99cafc152244af753f735de768cd75f",
        "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
        "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
        "data_batch_4": "634d18415352ddfa80567beed471001a",
        "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
        "test_batch": "40351d587109b95175f43aff81a1287e",
    },
    labels_sha256="3edb456524d5918aefded81f5aef7c32efab2a788211df998a4eb0c8957baa1f",
)
