"""The machine's limit: how fast a core multiplies matrices, in the same process and threads as the engine."""

from __future__ import annotations

import time

import numpy as np

SIDE = 2048


def peak_flops(repeats: int) -> float:
    """Return the most FLOP/s of ``repeats`` products of two float32 matrices [2048, 2048]."""
    return 2 * SIDE**3 / min(_product_seconds() for _ in range(repeats))


def _product_seconds() -> float:
    """Time a product in NumPy's library and in TensorFlow's, and return the quicker one's seconds."""
    import tensorflow as tf

    left, right = (np.random.default_rng(place).random((SIDE, SIDE), np.float32) for place in range(2))
    started = time.perf_counter()
    left @ right
    numpy_seconds = time.perf_counter() - started
    tensors = tf.constant(left), tf.constant(right)
    started = time.perf_counter()
    tf.linalg.matmul(*tensors).numpy()
    return min(numpy_seconds, time.perf_counter() - started)
