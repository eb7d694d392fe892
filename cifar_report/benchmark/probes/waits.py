"""Whether ``fit`` waits between epochs, and whether tf.data's autotuner is what it waits for.

Called as ``python -m cifar_report.benchmark.probes.waits [EPOCHS]`` (by default 80). Trains a tiny network on random
images with TensorFlow's defaults and then without autotuning, and prints how many epochs began with a wait;
``docs/performance.md`` holds the last answer.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

IMAGES, BATCH_SIZE = 6_400, 32
WAIT = 0.2  # seconds before an epoch's first step that nothing else explains


class Beginnings(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Reads the seconds from the beginning of each epoch to that of its first step."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature
        """Begin to count."""
        self._begun = time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature
        """Take the time before the first step."""
        if batch == 0:
            self.seconds.append(time.perf_counter() - self._begun)


def beginnings(epochs: int, *, autotuned: bool) -> list[float]:
    """Return the seconds before the first step of each epoch but the first, which builds the graph."""
    random = np.random.default_rng(0)
    images = random.random((IMAGES, 32, 32, 3), np.float32)
    data = tf.data.Dataset.from_tensor_slices((images, random.integers(0, 10, IMAGES)))
    data = data.batch(BATCH_SIZE).prefetch(tf.data.AUTOTUNE)
    options = tf.data.Options()
    options.autotune.enabled = autotuned
    model = keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Flatten(), keras.layers.Dense(10, "softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    clock = Beginnings()
    model.fit(data.with_options(options), epochs=epochs + 1, callbacks=[clock], verbose=0)
    return clock.seconds[1:]


def main(words: Sequence[str]) -> None:
    """Print both counts."""
    epochs = int(words[0]) if words else 80
    for autotuned in (True, False):
        waits = [seconds for seconds in beginnings(epochs, autotuned=autotuned) if seconds > WAIT]
        longest = f", {max(waits):.2f} s at most" if waits else ""
        print(f"autotuning {'on' if autotuned else 'off'}: {len(waits)} of {epochs} epochs began with a wait{longest}")


if __name__ == "__main__":
    main(sys.argv[1:])
