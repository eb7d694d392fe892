"""What was published as CIFAR-10: classes, counts, file names, sizes and hashes."""

from __future__ import annotations

from dataclasses import dataclass

CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
TRAIN_COUNT = 50_000
TEST_COUNT = 10_000
IMAGE_SHAPE = (32, 32, 3)  # rows, columns, colours (red, green, blue)
RECORD_BYTES = 1 + 32 * 32 * 3  # the binary version: one label byte, then the pixels colour by colour
BINARY_NAMES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
PYTHON_NAMES = tuple(name.removesuffix(".bin") for name in BINARY_NAMES)


@dataclass(frozen=True)
class Release:
    """The published archives and counts; one of a few records has the same layout, for tests."""

    address: str  # of the archive of the binary version
    size: int  # bytes of that archive
    binary_sha256: str  # of that archive
    python_sha256: str  # of the archive of the Python version
    labels_sha256: str  # of the label bytes in canonical order, training then test
    records_per_file: int = 10_000  # in each of the six files

    @property
    def archive_name(self) -> str:
        """File name of the binary version's archive."""
        return self.address.rpartition("/")[2]

    @property
    def count(self) -> int:
        """Number of images, training and test together."""
        return self.records_per_file * len(BINARY_NAMES)


CIFAR10 = Release(
    address="https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    size=170_052_171,
    binary_sha256="c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
    python_sha256="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",  # Keras checks the same
    labels_sha256="3edb456524d5918aefded81f5aef7c32efab2a788211df998a4eb0c8957baa1f",
)
