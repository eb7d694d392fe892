"""Layers and networks as data: names and arguments as in Keras, with exact parameter and operation counts.

What Keras offers beside the layers known here is given by its Keras name and arguments (``KerasLayer``,
``KerasObject``). Nothing here imports Keras: names and arguments are checked where it is installed, before training.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Annotated, Any, Literal, NamedTuple

import msgspec

Shape = tuple[int, ...]  # height, width, channels; or the length of a vector
Size = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Costs = tuple[Shape | None, int | None, int | None, int | None]
"""Of a layer: its output's shape, all parameters, the trainable ones, and multiply-accumulates in a forward pass.

None is what Keras alone can tell: it is taken from the built model then.
"""
UNKNOWN: Costs = (None, None, None, None)
KerasName = Annotated[str, msgspec.Meta(max_length=64, pattern=r"^[A-Za-z][A-Za-z0-9_]*\Z")]
Scalar = bool | int | float | Annotated[str, msgspec.Meta(max_length=200)] | None


class KerasObject(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An optimizer, schedule, initializer, regularizer, constraint or activation by Keras's name and arguments.

    Arguments are plain data: numbers, words, lists of them, and further objects. Seeds are the run's and never given.
    """

    name: KerasName
    arguments: dict[KerasName, Scalar | list[Scalar | list[Scalar]] | KerasObject] = {}

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "arguments", _as_stored(self.arguments))

    def __hash__(self) -> int:
        return hash((self.name, *sorted(self.arguments)))


Setting = KerasName | KerasObject  # a Keras name, for example ``"he_uniform"``, or a name with arguments


def _as_stored(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _as_stored(each) for name, each in value.items()}
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{value} is no argument that a record could hold")
    return [_as_stored(each) for each in value] if isinstance(value, (list, tuple)) else value


class Layer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="layer"):
    """What every layer can say about itself without a framework."""

    @property
    def kind(self) -> str:
        """Return its name in Keras."""
        return type(self).__name__

    @property
    def settings(self) -> dict[str, Any]:
        """Return its arguments by name."""
        return msgspec.structs.asdict(self)

    def costs(self, shape: Shape) -> Costs:
        """Return what it does with an input of ``shape``; raises ValueError where it does not fit."""
        return shape, 0, 0, 0


class Conv2D(Layer, frozen=True, tag=True):
    """A two-dimensional convolution."""

    filters: Size
    kernel_size: Size
    strides: Size = 1
    padding: Literal["valid", "same"] = "valid"
    activation: Setting = "relu"
    use_bias: bool = True
    kernel_initializer: Setting | None = None  # None: Glorot's, uniform
    kernel_regularizer: Setting | None = None

    def costs(self, shape: Shape) -> Costs:
        """Return (height, width, filters), kernels with biases, and one product per kernel entry and output pixel."""
        height, width, channels = _image(self, shape)
        reach = 0 if self.padding == "same" else self.kernel_size - 1
        rows, columns = (-(-(side - reach) // self.strides) for side in (height, width))
        if min(rows, columns) < 1:
            raise ValueError(f"{self} does not fit into an input of shape {shape}")
        weights = self.kernel_size**2 * channels * self.filters
        count = weights + self.filters * self.use_bias
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
    """A fully connected layer."""

    units: Size
    activation: Setting = "relu"
    use_bias: bool = True
    kernel_initializer: Setting | None = None  # None: Glorot's, uniform
    kernel_regularizer: Setting | None = None

    def costs(self, shape: Shape) -> Costs:
        """Return the number of neurons, weights with biases, and one product per weight."""
        if len(shape) != 1:
            raise ValueError(f"Dense needs a vector (put Flatten before it), not shape {shape}")
        weights = shape[0] * self.units
        count = weights + self.units * self.use_bias
        return (self.units,), count, count, weights


class BatchNormalization(Layer, frozen=True, tag=True):
    """Normalisation by the batch's mean and variance, with Keras's defaults (momentum 0.99, epsilon 0.001)."""

    def costs(self, shape: Shape) -> Costs:
        """Return four parameters per channel, of which scale and offset are trained."""
        return shape, 4 * shape[-1], 2 * shape[-1], 0


class Dropout(Layer, frozen=True, tag=True):
    """Sets the share ``rate`` of its inputs to zero while training and scales up the others."""

    rate: Annotated[float, msgspec.Meta(gt=0, lt=1)]


SAME_SHAPE = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout", "GaussianNoise",
    "Identity", "LeakyReLU", "RandomBrightness", "RandomContrast", "RandomFlip", "RandomRotation", "RandomTranslation",
    "RandomZoom", "ReLU", "Rescaling", "Softmax", "SpatialDropout2D", "UnitNormalization",
})  # fmt: skip
"""Layers of Keras without parameters or matrix products whose output has their input's shape."""


class KerasLayer(KerasObject, Layer, frozen=True, tag=True):
    """Any other layer by its Keras name and arguments, as in ``KerasLayer("ELU", {"alpha": 0.5})``."""

    @property
    def kind(self) -> str:
        """Return its name in Keras."""
        return self.name

    @property
    def settings(self) -> dict[str, Any]:
        """Return its arguments by name."""
        return self.arguments

    def costs(self, shape: Shape) -> Costs:
        """Return what is known without Keras: of layers that keep their input's shape, and of global pooling."""
        if self.name in SAME_SHAPE:
            return shape, 0, 0, 0
        if self.name in ("GlobalAveragePooling2D", "GlobalMaxPooling2D") and not self.arguments:
            return _image(self, shape)[-1:], 0, 0, 0
        return UNKNOWN


class Residual(Layer, frozen=True, tag=True):
    """The sum of what ``layers`` make of the input and the input itself, or what ``shortcut`` makes of it."""

    layers: Annotated[tuple[AnyLayer, ...], msgspec.Meta(min_length=1, max_length=50)]
    shortcut: Annotated[tuple[AnyLayer, ...], msgspec.Meta(max_length=50)] = ()  # such as a Conv2D of kernel size 1

    def costs(self, shape: Shape) -> Costs:
        """Return the costs of both ways; raises ValueError where their outputs differ in shape."""
        ways = [walk(way, shape) for way in (self.layers, self.shortcut)]
        ends = [rows[-1].shape if rows else shape for rows in ways]
        if None not in ends and ends[0] != ends[1]:
            raise ValueError(
                f"Residual cannot add shapes {ends[0]} and {ends[1]}: give it a shortcut that makes them equal, for "
                'example a Conv2D of kernel size 1 with the activation "linear"'
            )
        rows = [*ways[0], *ways[1]]
        return ends[0], total(rows, "parameters"), total(rows, "trainable"), total(rows, "macs")


AnyLayer = Conv2D | MaxPooling2D | Flatten | Dense | BatchNormalization | Dropout | KerasLayer | Residual


class LayerRow(NamedTuple):
    """A layer, its output's shape and what it costs for one image; None: only the built model can tell."""

    layer: AnyLayer
    shape: Shape | None
    parameters: int | None
    trainable: int | None
    macs: int | None  # multiply-accumulates of matrix products


def walk(layers: tuple[AnyLayer, ...], shape: Shape | None) -> list[LayerRow]:
    """Return a row for each layer of a network for images of a shape; raises ValueError where one does not fit."""
    rows = []
    for layer in layers:
        rows.append(LayerRow(layer, *(UNKNOWN if shape is None else layer.costs(shape))))
        shape = rows[-1].shape
    return rows


def total(rows: list[LayerRow], what: Literal["parameters", "trainable", "macs"]) -> int | None:
    """Return the sum of a column; None where a row does not know its part."""
    parts = [getattr(row, what) for row in rows]
    return None if None in parts else sum(parts)


def leaves(layers: tuple[AnyLayer, ...]) -> Iterator[AnyLayer]:
    """Yield every layer, those of branches in place of the record that adds them."""
    for layer in layers:
        yield from leaves((*layer.layers, *layer.shortcut)) if isinstance(layer, Residual) else (layer,)


def _image(layer: Layer, shape: Shape) -> Shape:
    if len(shape) != 3:
        raise ValueError(f"{layer.kind} needs an image, but its input has shape {shape}")
    return shape
