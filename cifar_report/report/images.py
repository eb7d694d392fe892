"""The pictures of a bundle's examples: from the dataset with the same fingerprint, where this machine has it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cifar_report.analysis.results import Example
from cifar_report.data.dataset import IMAGES_NAME
from cifar_report.data.searching import cache_folder
from cifar_report.report.figures.drawn import ImageSource, Pictures

SHAPE = (60_000, 32, 32, 3)


def find_images(fingerprint: str) -> ImageSource | None:
    """Return the images of the dataset with this fingerprint, uint8 [60000, 32, 32, 3], or None.

    Only the cache of prepared datasets is looked at, where each lies under its fingerprint; nothing is downloaded
    or prepared for a report.
    """
    if not fingerprint.isalnum():
        return None
    try:
        path = cache_folder() / "datasets" / fingerprint / IMAGES_NAME
        images: ImageSource = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, RuntimeError):
        return None  # no pictures, which the report says, is no reason for no report
    return images if images.shape == SHAPE and images.dtype == np.uint8 else None


def pictures_of(examples: Sequence[Example], images: ImageSource) -> Pictures:
    """Return the images of some examples; those that the dataset does not hold are left out."""
    places = {example.image for example in examples if 0 <= example.image < len(images)}
    return {place: np.array(images[place]) for place in sorted(places)}
