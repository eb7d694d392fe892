"""Draw the synthetic stand-in: ten classes of coloured shapes in noise, with CIFAR-10's shapes.

Only integer arithmetic and the raw words of PCG64 are used (the one stream that NumPy promises never to
change), so that the bytes, and with them the fingerprint, are the same on every machine.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from cifar_report.data.dataset import Array, Images
from cifar_report.spec import CIFAR10, Dataset

FINGERPRINT = "c5f14a93c412cd71ee27227435d218e2275edb564cbc7256ff65fdf61fababbd"  # of all 60,000 images
SEED = 20_090_408
FILES = 6  # of CIFAR-10
CHUNK_IMAGES = 1_000  # keeps the working memory under 50 MB

Numbers = npt.NDArray[np.int16]
Shape = Callable[[Numbers, Numbers, Numbers], npt.NDArray[np.bool_]]

# A shape takes columns and rows from its centre [n, 32, 32] and its radius in pixels [n, 1, 1]; one a class.
SHAPES: tuple[Shape, ...] = (
    lambda x, y, radius: x * x + y * y <= radius * radius,  # a disc
    lambda x, y, radius: (x * x + y * y <= radius * radius) & (x * x + y * y > (radius - 3) * (radius - 3)),  # a ring
    lambda x, y, radius: _distance(x, y) < radius,  # a square
    lambda x, y, radius: (_distance(x, y) < radius) & (_distance(x, y) >= radius - 3),  # a frame
    lambda x, y, radius: (y < radius) & (2 * np.abs(x) <= y + radius),  # a triangle
    lambda x, y, radius: (_distance(x, y) < radius) & (np.minimum(np.abs(x), np.abs(y)) < 3),  # a cross
    lambda _, y, radius: _even(y // (radius // 3)),  # rows
    lambda x, _, radius: _even(x // (radius // 3)),  # columns
    lambda x, y, radius: _even((x + y) // (radius // 2)),  # diagonals
    lambda x, y, radius: _even(y // (radius // 3)) ^ _even(x // (radius // 3)),  # checks
)


def _distance(x: Numbers, y: Numbers) -> Numbers:
    return np.maximum(np.abs(x), np.abs(y))


def _even(stripes: Numbers) -> npt.NDArray[np.bool_]:
    even: npt.NDArray[np.bool_] = stripes % 2 == 0
    return even


def draw(about: Dataset = CIFAR10) -> Images:
    """Draw as many images as a dataset has, each of its six files with as many images of one class as of another.

    Always the same bytes: images uint8 [n, 32, 32, 3] and labels uint8 [n].
    """
    count = sum(about.counts)
    in_turn = (np.arange(count // FILES) % len(CIFAR10.classes)).astype(np.uint8)
    orders = (np.argsort(_words(len(in_turn), 0, number), kind="stable") for number in range(FILES))
    labels = np.concatenate([in_turn[order] for order in orders])
    images = np.empty((count, *CIFAR10.shape), dtype=np.uint8)
    for start in range(0, count, CHUNK_IMAGES):
        chunk = slice(start, start + CHUNK_IMAGES)
        images[chunk] = _draw_chunk(labels[chunk], start)
    return Images(images, labels, "stand-in", "synthetic stand-in", about)


def _words(count: int, *place: int) -> npt.NDArray[np.uint64]:
    """Give random 64-bit words that depend on the seed and on the place alone."""
    words: npt.NDArray[np.uint64] = np.random.PCG64(np.random.SeedSequence((SEED, *place))).random_raw(count)
    return words


def _bytes(count: int, *place: int) -> Array:
    return _words(-(-count // 8), *place).astype("<u8").view(np.uint8)[:count]


def _draw_chunk(labels: Array, start: int) -> Array:
    count = len(labels)
    random = _bytes(count * 16, 1, start).reshape(count, 16).astype(np.int16)
    mask = _masks(labels, random)
    background = random[:, 0:3]
    # The figure's colour leans towards a hue of the class, so that colour alone tells a little.
    hues = np.array([[60 * (label % 5), 255 * (label % 2), 28 * label] for label in range(len(SHAPES))], dtype=np.int16)
    figure = random[:, 3:6] * 3 // 4 + hues[labels] // 4
    values = np.where(mask[..., None], figure[:, None, None, :], background[:, None, None, :])
    noise = _bytes(values.size, 2, start).view(np.int8).reshape(values.shape)
    values += noise >> 1  # a signed byte, so at most 64 of 255 either way
    return values.clip(0, 255).astype(np.uint8)


def _masks(labels: Array, random: Numbers) -> npt.NDArray[np.bool_]:
    """Draw the figure of each image: bool [n, 32, 32], true where the figure is."""
    axis = np.arange(CIFAR10.shape[0], dtype=np.int16)
    x = axis[None, None, :] - (11 + random[:, 6] % 10)[:, None, None]
    y = axis[None, :, None] - (11 + random[:, 7] % 10)[:, None, None]
    radius = (6 + random[:, 8] % 7)[:, None, None]
    mask = np.empty((len(labels), *CIFAR10.shape[:2]), dtype=bool)
    for label, shape in enumerate(SHAPES):
        members = labels == label
        mask[members] = shape(x[members], y[members], radius[members])
    return mask
