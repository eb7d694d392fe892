"""Describe a prepared dataset so that any process can open it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Grade = Literal["canonical", "unverified", "stand-in"]
IMAGES_NAME = "images.npy"
LABELS_NAME = "labels.npy"


@dataclass(frozen=True)
class Dataset:
    """A prepared dataset: small, picklable, and everything a worker process needs to open it.

    Its grade is ``canonical`` (came from files whose published hashes match), ``unverified`` (well-formed,
    pixels unknown) or ``stand-in`` (drawn, not photographed).
    """

    folder: Path  # in the cache; holds images.npy and labels.npy
    fingerprint: str  # SHA-256, hexadecimal, of the image bytes followed by the label bytes, in order
    grade: Grade
    canonical_labels: bool  # whether the labels are CIFAR-10's in canonical order
    source: str  # the kind of source, in words without a path
    location: str  # where that source was found

    def images(self, mode: Literal["r", "c"] = "r") -> npt.NDArray[np.uint8]:
        """Map the images into memory, read-only (``r``) or copy-on-write (``c``).

        Returns: uint8 [60000, 32, 32, 3], values 0 to 255, training images first.
        """
        return self._map(IMAGES_NAME, mode)

    def labels(self, mode: Literal["r", "c"] = "r") -> npt.NDArray[np.uint8]:
        """Map the labels into memory, read-only (``r``) or copy-on-write (``c``).

        Returns: uint8 [60000], values 0 to 9, in the order of the images.
        """
        return self._map(LABELS_NAME, mode)

    def _map(self, name: str, mode: Literal["r", "c"]) -> npt.NDArray[np.uint8]:
        # NumPy is imported here because commands that only name a dataset must start at once.
        import numpy as np

        mapped: npt.NDArray[np.uint8] = np.load(self.folder / name, mmap_mode=mode, allow_pickle=False)
        return mapped
