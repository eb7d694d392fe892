"""Augmentation: random rotation, shift and flip."""

import math

import numpy as np
import pytest
from scipy import ndimage

from cifar_report.spec import Augmentation

pytestmark = pytest.mark.usefixtures("tensorflow")
SETTINGS = Augmentation()  # 15 degrees, a tenth of the side, flips
MIDDLE = 15.5


def augment(images, draws):
    """Return changed images float32 [n, 32, 32, 3] of uniform draws [n, 4]."""
    import tensorflow as tf

    from cifar_report.training.engine import augment as augment_in_graph

    return augment_in_graph(tf.constant(images), tf.constant(draws, tf.float32), SETTINGS).numpy()


def read_transform(draws):
    """Return (angle, down, right, mirrored) of each draw, read from what it does to a map of where each pixel lies."""
    rows, columns = np.meshgrid(np.arange(32.0), np.arange(32.0), indexing="ij")
    places = np.stack([rows, columns, np.ones_like(rows)], axis=-1).astype(np.float32)
    changed = augment(np.repeat(places[None], len(draws), 0), draws)[:, 8:24, 8:24]  # what no edge has touched
    around = np.stack([rows[8:24, 8:24].ravel() - MIDDLE, columns[8:24, 8:24].ravel() - MIDDLE, np.ones(256)], axis=1)
    for one in changed:
        (down, right) = (np.linalg.lstsq(around, one[..., axis].ravel(), rcond=None)[0] for axis in (0, 1))
        mirror = np.sign(down[0] * right[1] - down[1] * right[0])
        angle = math.degrees(math.atan2(down[1] * mirror, down[0]))
        yield angle, down[2] - MIDDLE, right[2] - MIDDLE, mirror < 0


def test_changes_keep_their_bounds_and_use_them():
    """Over many draws rotation, shifts and flips fill 15 degrees, a tenth of the side and both sides, no more."""
    draws = np.random.default_rng(3).random((400, 4))
    angles, down, right, mirrored = (np.array(column) for column in zip(*read_transform(draws), strict=True))
    for values, most in ((angles, 15), (down, 3.2), (right, 3.2)):
        assert np.abs(values).max() <= most + 1e-3
        assert values.min() < -0.95 * most
        assert values.max() > 0.95 * most
    assert mirrored.mean() == pytest.approx(0.5, abs=0.1)


def test_pixels_are_those_of_an_independent_reference(sample):
    """Bilinear values and the repeated edge are SciPy's, for a transform built from its definition."""
    images = sample.images[:24] / np.float32(255)
    draws = np.random.default_rng(4).random((24, 4)).astype(np.float32)
    for image, draw, found in zip(images, draws, augment(images, draws), strict=True):
        angle = math.radians(15) * (2 * float(draw[0]) - 1)
        turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])  # (row, column)
        if draw[3] < 0.5:
            turn = turn @ np.diag([1, -1])
        shift = 3.2 * (2 * draw[1:3].astype(float) - 1)
        offset = MIDDLE + shift - turn @ np.array([MIDDLE, MIDDLE])
        expected = np.stack(
            [ndimage.affine_transform(image[..., c], turn, offset, order=1, mode="nearest") for c in range(3)], axis=-1
        )
        np.testing.assert_allclose(found, expected, atol=2e-4)
