"""A trial's layers as a Keras model whose dropout draws from named keys instead of hidden state."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from cifar_report.spec import (
    INPUT_SHAPE,
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPooling2D,
    Trial,
)
from cifar_report.training import seeds
from cifar_report.training.normalization import FusedBatchNormalization


class KeyedDropout(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Dropout whose mask depends on a key and the image's place in the global batch alone.

    Keras's own keeps a counter, which cannot be resumed exactly and gave two replicas the same mask.
    """

    def __init__(self, rate: float, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate

    def call(self, inputs: tf.Tensor, mask_draw: tf.Tensor | None = None) -> tf.Tensor:
        """Drop where ``mask_draw`` (uniform, shaped like ``inputs``) is below the rate; None: pass through."""
        if mask_draw is None:
            return inputs
        return tf.where(mask_draw >= self.rate, inputs / (1 - self.rate), 0.0)


def build_model(trial: Trial, seed: int, *, synchronized: bool = False) -> keras.Sequential:
    """Return the Keras model of a trial with its seed's initial weights.

    ``synchronized``: batch normalization takes its statistics over all replicas, so that several replicas compute
    what one would.
    """
    layers = [_layer(layer, place, seed, synchronized) for place, layer in enumerate(trial.layers)]
    return keras.Sequential([keras.Input(INPUT_SHAPE), *layers], name="network")


def forward(
    model: keras.Sequential, images: tf.Tensor, *, training: bool, draws: list[tf.Tensor] | None = None
) -> tf.Tensor:
    """Return class probabilities, float32 [batch, 10], for images float32 [batch, 32, 32, 3] in 0 … 1.

    ``draws`` holds one uniform tensor for each dropout layer; without it nothing is dropped.
    """
    remaining = iter(draws or ())
    values = images
    for layer in model.layers:
        if isinstance(layer, KeyedDropout):
            values = layer(values, mask_draw=next(remaining, None))
        elif isinstance(layer, keras.layers.BatchNormalization):
            values = layer(values, training=training)
        else:
            values = layer(values)
    return values


def dropout_shapes(model: keras.Sequential) -> list[tuple[int, ...]]:
    """Return the shape of one image at each dropout layer."""
    return [tuple(layer.input.shape[1:]) for layer in model.layers if isinstance(layer, KeyedDropout)]


def _layer(layer: AnyLayer, place: int, seed: int, synchronized: bool) -> keras.layers.Layer:
    name = f"{place:02d}_{type(layer).__name__.lower()}"
    glorot = keras.initializers.GlorotUniform(seed=seeds.initialisation(seed, place))
    match layer:
        case Conv2D(filters, kernel_size, strides, padding, activation):
            return keras.layers.Conv2D(
                filters, kernel_size, strides, padding, activation=activation, kernel_initializer=glorot, name=name
            )
        case MaxPooling2D(pool_size):
            return keras.layers.MaxPooling2D(pool_size, name=name)
        case Flatten():
            return keras.layers.Flatten(name=name)
        case Dense(units, activation):
            return keras.layers.Dense(units, activation=activation, kernel_initializer=glorot, name=name)
        case BatchNormalization():
            if synchronized and tf.config.list_logical_devices("GPU"):
                # On cards TensorFlow refuses the fused gradient by given moments: it is not deterministic there.
                return keras.layers.BatchNormalization(synchronized=True, name=name)
            return FusedBatchNormalization(synchronized=synchronized, name=name)
        case Dropout(rate):
            return KeyedDropout(rate, name=name)
