"""Layers and networks as data: names and arguments as in Keras, with exact parameter and operation counts."""

from __future__ import annotations

from typing import Annotated, Literal, NamedTuple

import msgspec

Shape = tuple[int, ...]
"""Height, width, channels; or the length of a vector."""
Size = Annotated[int, msgspec.Meta(ge=1, le=10_000)]


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="layer"):
    """What every layer can say about itself without a framework."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the output for an input of ``shape``."""
        return shape

    def parameters(self, shape: Shape) -> tuple[int, int]:  # noqa: ARG002 - the signature of every layer
        """Return (all parameters, trainable parameters) for an input of ``shape``."""
        return 0, 0

    def macs(self, shape: Shape) -> int:  # noqa: ARG002 - the signature of every layer
        """Return the multiply-accumulates of one image in a forward pass (matrix products only)."""
        return 0


class Conv2D(Layer, frozen=True, tag=True):
    """A two-dimensional convolution with bias."""

    filters: Size
    kernel_size: Size
    strides: Size = 1
    padding: Literal["valid", "same"] = "valid"
    activation: Literal["relu", "linear"] = "relu"

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height, width, filters)."""
        height, width, _ = _image(self, shape)
        reach = 0 if self.padding == "same" else self.kernel_size - 1
        rows, columns = (-(-(side - reach) // self.strides) for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"{self} does not fit into an input of shape {shape}")
        return rows, columns, self.filters

    def parameters(self, shape: Shape) -> tuple[int, int]:
        """Return kernel and bias entries, all of them trainable."""
        count = self.kernel_size**2 * _image(self, shape)[2] * self.filters + self.filters
        return count, count

    def macs(self, shape: Shape) -> int:
        """Return one product per kernel entry and output pixel."""
        rows, columns, filters = self.output_shape(shape)
        return rows * columns * filters * self.kernel_size**2 * _image(self, shape)[2]


class MaxPooling2D(Layer, frozen=True, tag=True):
    """The largest value of each window; windows do not overlap and an incomplete one is dropped."""

    pool_size: Size = 2

    def output_shape(self, shape: Shape) -> Shape:
        """Return (height, width, channels) after pooling."""
        height, width, channels = _image(self, shape)
        if min(height, width) < self.pool_size:
            raise ValueError(f"{self} does not fit into an input of shape {shape}")
        return height // self.pool_size, width // self.pool_size, channels


class Flatten(Layer, frozen=True, tag=True):
    """All values of an image in one vector."""

    def output_shape(self, shape: Shape) -> Shape:
        """Return the vector's length."""
        height, width, channels = _image(self, shape)
        return (height * width * channels,)


class Dense(Layer, frozen=True, tag=True):
    """A fully connected layer with bias."""

    units: Size
    activation: Literal["relu", "softmax", "linear"] = "relu"

    def output_shape(self, shape: Shape) -> Shape:
        """Return the number of neurons."""
        _vector(self, shape)
        return (self.units,)

    def parameters(self, shape: Shape) -> tuple[int, int]:
        """Return weights and biases, all of them trainable."""
        count = (_vector(self, shape) + 1) * self.units
        return count, count

    def macs(self, shape: Shape) -> int:
        """Return one product per weight."""
        return _vector(self, shape) * self.units


class BatchNormalization(Layer, frozen=True, tag=True):
    """Normalisation by the batch's mean and variance, with Keras's defaults (momentum 0.99, epsilon 0.001)."""

    def parameters(self, shape: Shape) -> tuple[int, int]:
        """Return four values per channel, of which scale and offset are trained."""
        return 4 * shape[-1], 2 * shape[-1]


class Dropout(Layer, frozen=True, tag=True):
    """Sets the share ``rate`` of its inputs to zero while training and scales up the others."""

    rate: Annotated[float, msgspec.Meta(gt=0, lt=1)]


AnyLayer = Conv2D | MaxPooling2D | Flatten | Dense | BatchNormalization | Dropout

INPUT_SHAPE: Shape = (32, 32, 3)
CLASS_COUNT = 10


class LayerRow(NamedTuple):
    """One line of a network's table: the layer, its output's shape and what it costs."""

    layer: AnyLayer
    shape: Shape
    parameters: int
    trainable: int
    macs: int


def walk(layers: tuple[AnyLayer, ...]) -> list[LayerRow]:
    """Return a row for each layer of a network that starts from a CIFAR-10 image.

    Raises ValueError where a layer does not fit behind the one before it.
    """
    rows, shape = [], INPUT_SHAPE
    for layer in layers:
        counts, macs = layer.parameters(shape), layer.macs(shape)
        shape = layer.output_shape(shape)
        rows.append(LayerRow(layer, shape, *counts, macs))
    return rows


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"{type(layer).__name__} needs an image, but its input has shape {shape}")
    return shape


def _vector(layer: Layer, shape: Shape) -> int:
    if len(shape) != 1:
        raise ValueError(f"{type(layer).__name__} needs a vector (put Flatten before it), not shape {shape}")
    return shape[0]
