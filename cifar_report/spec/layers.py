"""Layers and networks as data: names and arguments as in Keras, with exact parameter and operation counts."""

from __future__ import annotations

import math
from typing import Annotated, Literal, NamedTuple

import msgspec

Shape = tuple[int, ...]
"""Height, width, channels; or the length of a vector."""
Size = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


Costs = tuple[Shape, int, int, int]
"""Of a layer: its output's shape, all parameters, the trainable ones, and multiply-accumulates in a forward pass."""


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="layer"):
    """What every layer can say about itself without a framework."""

    def costs(self, shape: Shape) -> Costs:
        """Return what it does with an input of ``shape``; raises ValueError where it does not fit."""
        return shape, 0, 0, 0


class Conv2D(Layer, frozen=True, tag=True):
    """A two-dimensional convolution with bias."""

    filters: Size
    kernel_size: Size
    strides: Size = 1
    padding: Literal["valid", "same"] = "valid"
    activation: Literal["relu", "linear"] = "relu"

    def costs(self, shape: Shape) -> Costs:
        """Return (height, width, filters), kernels with biases, and one product per kernel entry and output pixel."""
        height, width, channels = _image(self, shape)
        reach = 0 if self.padding == "same" else self.kernel_size - 1
        rows, columns = (-(-(side - reach) // self.strides) for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"{self} does not fit into an input of shape {shape}")
        weights = self.kernel_size**2 * channels * self.filters
        count = weights + self.filters
        return (rows, columns, self.filters), count, count, rows * columns * weights


class MaxPooling2D(Layer, frozen=True, tag=True):
    """The largest value of each window; windows do not overlap and an incomplete one is dropped."""

    pool_size: Size = 2

    def costs(self, shape: Shape) -> Costs:
        """Return (height, width, channels) after pooling."""
        height, width, channels = _image(self, shape)
        if min(height, width) < self.pool_size:
            raise ValueError(f"{self} does not fit into an input of shape {shape}")
        return (height // self.pool_size, width // self.pool_size, channels), 0, 0, 0


class Flatten(Layer, frozen=True, tag=True):
    """All values of an image in one vector."""

    def costs(self, shape: Shape) -> Costs:
        """Return the vector's length."""
        return (math.prod(_image(self, shape)),), 0, 0, 0


class Dense(Layer, frozen=True, tag=True):
    """A fully connected layer with bias."""

    units: Size
    activation: Literal["relu", "softmax", "linear"] = "relu"

    def costs(self, shape: Shape) -> Costs:
        """Return the number of neurons, weights with biases, and one product per weight."""
        if len(shape) != 1:
            raise ValueError(f"Dense needs a vector (put Flatten before it), not shape {shape}")
        weights = shape[0] * self.units
        return (self.units,), weights + self.units, weights + self.units, weights


class BatchNormalization(Layer, frozen=True, tag=True):
    """Normalisation by the batch's mean and variance, with Keras's defaults (momentum 0.99, epsilon 0.001)."""

    def costs(self, shape: Shape) -> Costs:
        """Return four parameters per channel, of which scale and offset are trained."""
        return shape, 4 * shape[-1], 2 * shape[-1], 0


class Dropout(Layer, frozen=True, tag=True):
    """Sets the share ``rate`` of its inputs to zero while training and scales up the others."""

    rate: Annotated[float, msgspec.Meta(gt=0, lt=1)]


AnyLayer = Conv2D | MaxPooling2D | Flatten | Dense | BatchNormalization | Dropout

INPUT_SHAPE: Shape = (32, 32, 3)
CLASS_COUNT = 10


class LayerRow(NamedTuple):
    """One line of a network's table: the layer, its output's shape and what it costs for one image."""

    layer: AnyLayer
    shape: Shape
    parameters: int
    trainable: int
    macs: int  # multiply-accumulates of matrix products


def walk(layers: tuple[AnyLayer, ...]) -> list[LayerRow]:
    """Return a row for each layer of a network that starts from a CIFAR-10 image.

    Raises ValueError where a layer does not fit behind the one before it.
    """
    rows, shape = [], INPUT_SHAPE
    for layer in layers:
        rows.append(LayerRow(layer, *layer.costs(shape)))
        shape = rows[-1].shape
    return rows


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"{type(layer).__name__} needs an image, but its input has shape {shape}")
    return shape
