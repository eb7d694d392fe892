"""The notebook way: Keras layers, ``fit`` with its defaults, ``ImageDataGenerator`` for augmentation.

With JAX as Keras's backend the same program is one of the peers.
"""

from __future__ import annotations

import time
from typing import Any

import keras
import numpy as np

from cifar_report.benchmark.probes.serving import open_images
from cifar_report.benchmark.protocol import Setting, Slice, Timed
from cifar_report.spec import (
    CLASS_COUNT,
    INPUT_SHAPE,
    AnyLayer,
    Augmentation,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    Trial,
)

Arrays = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]
"""Images from 0 to 1 and labels, one-hot."""

WARM_UP = 2  # batches of the call of ``fit`` that traces and compiles


class KerasProbe:
    """Times one epoch of ``fit``, from its beginning until ``fit`` returns; an earlier call has traced and compiled.

    What lies behind the epoch counts: with its defaults TensorFlow often waits there for its input pipeline to end,
    which between two epochs happens at the beginning of the second.
    """

    def __init__(self, setting: Setting) -> None:
        self._images, self._labels = open_images(setting.folder)

    def prepare(self, part: Slice) -> None:
        """Build the network, trace, and put the images into memory as numbers from 0 to 1, as the notebook does."""
        keras.backend.clear_session()
        self._part = part
        self._train = self._arrays(0, part.images)
        self._validation = self._arrays(40_000, part.evaluated)
        count = WARM_UP * part.trial.batch_size
        few: list[Arrays] = [(images[:count], labels[:count]) for images, labels in (self._train, self._validation)]
        started = time.perf_counter()
        self._model = build_in_scope(part.trial)
        self._fit(*few)
        self._once = time.perf_counter() - started

    def measure(self) -> Timed:
        """Train for an epoch with validation."""
        clock = Clock()
        self._fit(self._train, self._validation, clock)
        waited = time.perf_counter() - clock.ended
        return Timed(clock.train + waited, clock.validation, once=self._once, waited=waited)

    def _fit(self, train: Arrays, validation: Arrays, *callbacks: keras.callbacks.Callback) -> None:
        settings: dict[str, Any] = {"validation_data": validation, "callbacks": list(callbacks)}
        augmentation, batch_size = self._part.stage.augmentation, self._part.trial.batch_size
        if augmentation is not None:
            generator = image_generator(augmentation).flow(*train, batch_size=batch_size)
            self._model.fit(generator, validation_batch_size=batch_size, **settings)
        else:
            self._model.fit(*train, batch_size=batch_size, **settings)

    def _arrays(self, first: int, count: int) -> Arrays:
        labels = keras.utils.to_categorical(self._labels[first : first + count], CLASS_COUNT)
        return self._images[first : first + count].astype(np.float32) / np.float32(255), labels


class Clock(keras.callbacks.Callback):  # type: ignore[misc]  # Keras ships no types
    """Reads the seconds of the last epoch's training and of its validation, and when it ended."""

    def on_epoch_begin(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature
        """Begin to count."""
        self._started = time.perf_counter()

    def on_test_begin(self, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature
        """Take the time between."""
        if keras.backend.backend() == "jax":
            self.model.get_weights()  # JAX computes behind Python's back; reading waits for the last step
        self._between = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002 - Keras's signature
        """Take the time at the end."""
        self.ended = time.perf_counter()
        self.train = self._between - self._started
        self.validation = self.ended - self._between


def image_generator(augmentation: Augmentation) -> Any:
    """Return Keras's generator with a stage's settings; it changes each image on its own, in Python."""
    import tensorflow as tf

    return tf.keras.preprocessing.image.ImageDataGenerator(
        rotation_range=augmentation.rotation_degrees,
        width_shift_range=augmentation.shift_fraction,
        height_shift_range=augmentation.shift_fraction,
        horizontal_flip=augmentation.horizontal_flip,
    )


def build_in_scope(trial: Trial) -> keras.Sequential:
    """Return a trial's network; a mirrored one under the strategy as the notebook calls it: on what it finds."""
    if trial.strategy == "single":
        return build(trial)
    import tensorflow as tf

    with tf.distribute.MirroredStrategy().scope():
        return build(trial)


def build(trial: Trial) -> keras.Sequential:
    """Return a trial's network of Keras's own layers, compiled as the notebook did."""
    model = keras.Sequential([keras.Input(INPUT_SHAPE), *(_layer(layer) for layer in trial.layers)])
    optimizer = keras.optimizers.Adam(trial.learning_rate)
    model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    return model


def _layer(layer: AnyLayer) -> keras.layers.Layer:
    match layer:
        case Conv2D(filters, kernel_size, strides, padding, activation):
            return keras.layers.Conv2D(filters, kernel_size, strides, padding, activation=activation)
        case MaxPooling2D(pool_size):
            return keras.layers.MaxPooling2D(pool_size)
        case Flatten():
            return keras.layers.Flatten()
        case Dense(units, activation):
            return keras.layers.Dense(units, activation=activation)
        case BatchNormalization():
            return keras.layers.BatchNormalization()
        case Dropout(rate):
            return keras.layers.Dropout(rate)
