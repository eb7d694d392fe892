"""Draw the synthetic stand-in: ten classes of coloured shapes in noise, with CIFAR-10's shapes.

Only integer arithmetic and the raw words of PCG64 are used (the one stream that NumPy promises never to
change), so that the bytes, and with them the fingerprint, are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cifar_report.data.batches import Labels, Material, Pixels
from cifar_report.data.release import CLASS_NAMES, IMAGE_SHAPE, TRAINING_FILES, Release

SEED = 20_090_408
CHUNK_IMAGES = 1_000  # keeps the working memory under 50 MB
SIDE = IMAGE_SHAPE[0]
NOISE_SHIFT = 1  # noise is a signed byte shifted right by this: at most 64 of 255 either way

Numbers = npt.NDArray[np.int16]
Mask = npt.NDArray[np.bool_]
# A shape takes columns and rows from its centre [n, 32, 32] and its radius in pixels [n, 1, 1].
Shape = Callable[[Numbers, Numbers, Numbers], Mask]


def _even(stripes: Numbers) -> Mask:
    even: Mask = stripes % 2 == 0
    return even


def _disc(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    inside: Mask = x * x + y * y <= radius * radius
    return inside


def _ring(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _disc(x, y, radius) & ~_disc(x, y, radius - 3)


def _square(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    inside: Mask = np.maximum(np.abs(x), np.abs(y)) < radius
    return inside


def _frame(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _square(x, y, radius) & ~_square(x, y, radius - 3)


def _triangle(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return (y < radius) & (2 * np.abs(x) <= y + radius)


def _cross(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _square(x, y, radius) & (np.minimum(np.abs(x), np.abs(y)) < 3)


def _rows(_: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _even(y // (radius // 3))


def _columns(x: Numbers, _: Numbers, radius: Numbers) -> Mask:
    return _even(x // (radius // 3))


def _diagonals(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _even((x + y) // (radius // 2))


def _checks(x: Numbers, y: Numbers, radius: Numbers) -> Mask:
    return _rows(x, y, radius) ^ _columns(x, y, radius)


SHAPES: tuple[Shape, ...] = (
    _disc,
    _ring,
    _square,
    _frame,
    _triangle,
    _cross,
    _rows,
    _columns,
    _diagonals,
    _checks,
)


def draw(release: Release, source: str) -> Material:
    """Draw a whole dataset of a release's size, each file with as many images of one class as of another.

    Returns: images uint8 [n, 32, 32, 3] and labels uint8 [n]; always the same bytes.
    """
    labels = np.concatenate([_file_labels(number, release.records_per_file) for number in range(TRAINING_FILES + 1)])
    images = np.empty((release.count, *IMAGE_SHAPE), dtype=np.uint8)
    for start in range(0, release.count, CHUNK_IMAGES):
        chunk = slice(start, start + CHUNK_IMAGES)
        images[chunk] = _draw_chunk(labels[chunk], start)
    return Material(images, labels, "stand-in", source)


def _words(count: int, *place: int) -> npt.NDArray[np.uint64]:
    """Give random 64-bit words that depend on the seed and on the place alone."""
    words: npt.NDArray[np.uint64] = np.random.PCG64(np.random.SeedSequence((SEED, *place))).random_raw(count)
    return words


def _bytes(count: int, *place: int) -> npt.NDArray[np.uint8]:
    return _words(-(-count // 8), *place).astype("<u8").view(np.uint8)[:count]


def _file_labels(number: int, count: int) -> Labels:
    order = np.argsort(_words(count, 0, number), kind="stable")
    return (np.arange(count) % len(CLASS_NAMES)).astype(np.uint8)[order]


def _draw_chunk(labels: Labels, start: int) -> Pixels:
    count = len(labels)
    random = _bytes(count * 16, 1, start).reshape(count, 16).astype(np.int16)
    mask = _masks(labels, random)
    background = random[:, 0:3]
    # The figure's colour leans towards a hue of the class, so that colour alone tells a little.
    figure = random[:, 3:6] * 3 // 4 + _hues()[labels] // 4
    values = np.where(mask[..., None], figure[:, None, None, :], background[:, None, None, :])
    noise = _bytes(values.size, 2, start).view(np.int8).reshape(values.shape)
    values += noise >> NOISE_SHIFT
    return values.clip(0, 255).astype(np.uint8)


def _hues() -> Numbers:
    """Give each class a colour: int16 [10, 3], 0 to 255."""
    return np.array([[60 * (label % 5), 255 * (label % 2), 28 * label] for label in range(10)], dtype=np.int16)


def _masks(labels: Labels, random: Numbers) -> Mask:
    """Draw the figure of each image: bool [n, 32, 32], true where the figure is."""
    axis = np.arange(SIDE, dtype=np.int16)
    x = axis[None, None, :] - (11 + random[:, 6] % 10)[:, None, None]
    y = axis[None, :, None] - (11 + random[:, 7] % 10)[:, None, None]
    radius = (6 + random[:, 8] % 7)[:, None, None]
    mask = np.empty((len(labels), SIDE, SIDE), dtype=bool)
    for label, shape in enumerate(SHAPES):
        members = labels == label
        mask[members] = shape(x[members], y[members], radius[members])
    return mask
