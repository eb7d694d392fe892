"""The synthetic stand-in: the same bytes everywhere, learnable, not trivial."""

import numpy as np
import pytest
from msgspec.structs import replace

from cifar_report.data.dataset import Images
from cifar_report.data.stand_in import draw
from cifar_report.spec import CIFAR10

SMALL = replace(CIFAR10, counts=(2_500, 500))
PINNED = "2d21d5bc372daa0d867604b053eee25adacb2e503bce4aa8f561158c61a51b16"  # integers and a stable stream: any machine


@pytest.fixture(scope="module")
def material() -> Images:
    """Draw 3,000 images."""
    return draw(SMALL)


def test_it_is_the_same_everywhere(material):
    """It is the same everywhere, has CIFAR-10's shapes, and can be learned, but not by colour alone."""
    assert material.fingerprint() == PINNED
    assert (material.images.shape, material.images.dtype) == ((3000, 32, 32, 3), np.uint8)
    assert (material.labels.shape, material.labels.dtype) == ((3000,), np.uint8)
    assert material.grade == "stand-in"
    for start in range(0, 3000, 500):
        assert np.bincount(material.labels[start : start + 500]).tolist() == [50] * 10
    assert len({image.tobytes() for image in material.images}) == 3000
    grey = material.images.astype(np.float64).mean(axis=3)
    contrast = np.abs(grey - np.median(grey, axis=(1, 2), keepdims=True))
    assert 0.25 < _centroid_accuracy(np.abs(np.fft.fft2(contrast)), material.labels) < 0.95
    assert _centroid_accuracy(material.images.astype(np.float64).mean(axis=(1, 2)), material.labels) < 0.3


def _centroid_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    features = features.reshape(len(features), -1)
    train, test = slice(0, 2500), slice(2500, 3000)
    centroids = np.stack([features[train][labels[train] == label].mean(axis=0) for label in range(10)])
    distances = ((features[test][:, None] - centroids) ** 2).sum(axis=2)
    return float((distances.argmin(axis=1) == labels[test]).mean())
