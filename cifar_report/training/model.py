"""A trial as a Keras model: keyed dropout, fused batch normalization, branches that are added, any layer of Keras.

And as a model of Keras's own layers alone, which a file holds; and what a traced model tells.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import reduce
from itertools import chain, count
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from cifar_report import spec
from cifar_report.bundle.arrays import weight_place
from cifar_report.errors import SuiteError, UsageError
from cifar_report.plain_keras import ACTIVATION_LAYERS
from cifar_report.training import Array, seeds
from cifar_report.training.keras_objects import FusedBatchNormalization, argument, keras_optimizer, make


class KeyedDropout(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """Dropout by a key and the image's place in the global batch: Keras's own keeps a counter, one for all replicas."""

    def __init__(self, rate: float, **options: Any) -> None:
        super().__init__(**options)
        self.rate = rate

    def call(self, inputs: tf.Tensor, mask_draw: tf.Tensor | None = None) -> tf.Tensor:
        """Drop where ``mask_draw`` (uniform, shaped like ``inputs``) is below the rate; None: pass through."""
        if mask_draw is None:
            return inputs
        return tf.where(mask_draw >= self.rate, inputs / (1 - self.rate), 0.0)


class ResidualBlock(keras.layers.Layer):  # type: ignore[misc]  # Keras ships no types
    """The sum of two ways through a network; ``forward`` goes through its layers one by one."""

    def __init__(
        self, branch: list[keras.layers.Layer], shortcut: list[keras.layers.Layer], name: str | None = None
    ) -> None:
        super().__init__(name=name)
        self.branch = branch
        self.shortcut = shortcut

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        """Return the sum, as in inference."""
        branch, shortcut = (
            reduce(lambda values, layer: layer(values), way, inputs) for way in (self.branch, self.shortcut)
        )
        return branch + shortcut


def build_model(trial: spec.Trial, seed: int, *, synchronized: bool = False) -> keras.Sequential:
    """Return the Keras model of a trial with its seed's initial weights; raises UsageError for what cannot be built.

    ``synchronized``: for several replicas, whose batch normalization takes the statistics over all of them.
    """
    builder = _Builder(seed, synchronized)
    try:
        layers = [builder.layer(layer) for layer in trial.layers]
        # Keras draws the seeds of what a layer makes only when it is built from Python's generator.
        keras.utils.set_random_seed(seeds.initialisation(seed, 0))
        model = keras.Sequential([keras.Input(trial.input_shape), *layers], name="network")
    except (TypeError, ValueError, UsageError) as error:
        raise UsageError(f"trial {trial.id}: {' '.join(str(error).split())}") from error
    if synchronized:
        for named, layer in zip(spec.leaves(trial.layers), single_layers(model.layers), strict=True):
            if isinstance(named, spec.KerasLayer) and (seed_states(layer) or layer.non_trainable_weights):
                raise UsageError(
                    f"trial {trial.id}: with the strategy 'mirrored' the layer {type(layer).__name__} would draw or "
                    "count on each device by itself; train it on one device"
                )
    return model


class _Builder:
    """Makes the layers of a network in order; each is numbered, those of branches too, and draws by its number."""

    def __init__(self, seed: int, synchronized: bool, *, plain: bool = False) -> None:
        self._seed, self._synchronized, self._plain = seed, synchronized, plain
        self._places = count()

    def through(self, layers: Sequence[spec.AnyLayer], values: Any) -> Any:
        """Return what the next layers, with their branches, make of a symbolic input."""
        for layer in layers:
            if isinstance(layer, spec.Residual):
                next(self._places)
                values = keras.layers.add([self.through(way, values) for way in (layer.layers, layer.shortcut)])
            else:
                values = self.layer(layer)(values)
        return values

    def layer(self, layer: spec.AnyLayer) -> keras.layers.Layer:
        """Return the next layer."""
        place = next(self._places)
        name = f"{place:02d}_{layer.kind.lower()}"
        keras.utils.set_random_seed(start := seeds.initialisation(self._seed, place))
        match layer:
            case spec.KerasLayer():
                return make("layer", layer, name=name)
            case spec.Residual(branch, shortcut):
                ways = [[self.layer(each) for each in way] for way in (branch, shortcut)]
                return ResidualBlock(ways[0], ways[1], name)
            case spec.Dropout(rate) if not self._plain:
                return KeyedDropout(rate, name=name)
            case spec.BatchNormalization() if self._synchronized and tf.config.list_logical_devices("GPU"):
                # On cards TensorFlow refuses the fused gradient by given moments: it is not deterministic there.
                return keras.layers.BatchNormalization(synchronized=True, name=name)
            case spec.BatchNormalization() if not self._plain:
                return FusedBatchNormalization(synchronized=self._synchronized, name=name)
        given = {word: argument(word, value) for word, value in layer.settings.items()}
        if given.get("kernel_initializer", "given") is None:
            given["kernel_initializer"] = keras.initializers.GlorotUniform(seed=start)
        activation = layer.settings.get("activation")
        if self._plain and isinstance(activation, spec.KerasObject) and activation.arguments:
            if activation.name not in ACTIVATION_LAYERS:
                raise UsageError(f"no file of Keras holds the activation {activation.name} with its arguments")
            as_layer = spec.KerasObject(ACTIVATION_LAYERS[activation.name], activation.arguments)
            given["activation"] = make("layer", as_layer)
        return getattr(keras.layers, layer.kind)(**given, name=name)


def single_layers(layers: Sequence[keras.layers.Layer]) -> Iterator[keras.layers.Layer]:
    """Yield all layers, those of branches in place of the block that adds them."""
    for layer in layers:
        block = isinstance(layer, ResidualBlock)
        yield from single_layers([*layer.branch, *layer.shortcut]) if block else (layer,)


def seed_states(layer: keras.layers.Layer) -> list[keras.Variable]:
    """Return what a layer's random numbers follow from: pairs of a key and a counter."""
    weights = {id(weight) for weight in layer.weights}
    return [variable for variable in layer.variables if id(variable) not in weights]


def forward(
    model: keras.Sequential,
    images: tf.Tensor,
    *,
    training: bool,
    draws: list[tf.Tensor] | None = None,
    hidden: list[tf.Tensor] | None = None,
    penalties: list[tf.Tensor] | None = None,
) -> tf.Tensor:
    """Return class probabilities, float32 [batch, classes], for images float32 [batch, rows, columns, colours].

    ``draws``: a uniform tensor for each dropout layer; None: nothing is dropped. ``hidden`` gets the outputs of hidden
    dense layers, [batch, units], ``penalties`` the sums over the images that activity regularizers add to the loss.
    """
    remaining = iter(draws or ())
    counted = {layer.name for layer in hidden_layers(model)}

    def through(layers: Sequence[keras.layers.Layer], values: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            if isinstance(layer, ResidualBlock):
                values = through(layer.branch, values) + through(layer.shortcut, values)
            elif isinstance(layer, KeyedDropout):
                values = layer(values, mask_draw=next(remaining, None))
            else:
                values = layer(values, training=training)
            if hidden is not None and layer.name in counted:
                hidden.append(values)
            if penalties is not None and layer.activity_regularizer is not None:
                penalties.append(layer.activity_regularizer(values))
        return values

    return through(model.layers, images)


def hidden_layers(model: keras.Sequential) -> list[keras.layers.Dense]:
    """Return the dense layers before the last one whose outputs are not linear: a unit of theirs may be dead."""
    dense = [layer for layer in single_layers(model.layers[:-1]) if type(layer) is keras.layers.Dense]
    nonlinear = [layer for layer in dense if layer.activation is not keras.activations.linear]
    return [layer for layer in nonlinear if len(layer.output.shape) == 2]


def dropout_shapes(model: keras.Sequential) -> list[tuple[int, ...]]:
    """Return the shape of one image at each dropout layer."""
    layers = single_layers(model.layers)
    return [tuple(layer.input.shape[1:]) for layer in layers if isinstance(layer, KeyedDropout)]


def build_plain_model(trial: spec.Trial) -> keras.Model:
    """Return a trial's network of Keras's own layers, named as in ``build_model``; raises UsageError without such."""
    builder = _Builder(0, synchronized=False, plain=True)
    inputs = keras.Input(trial.input_shape)
    return keras.Model(inputs, builder.through(trial.layers, inputs), name="network")


def plain_model(trial: spec.Trial, weights: Mapping[str, Array]) -> keras.Model:
    """Return a compiled network of Keras's own layers with ``weights``, by their stored names, and a new optimizer.

    Raises SuiteError for weights of another network.
    """
    model = build_plain_model(trial)
    stored = {weight_place(name) or (-1, 0): array for name, array in weights.items()}
    for layer in model.layers:
        number = re.match("[0-9]+", layer.name)
        places = sorted(place for place in stored if number and place[0] == int(number[0]))
        arrays = [stored.pop(place) for place in places]
        if [array.shape for array in arrays] != [weight.shape for weight in layer.get_weights()]:
            raise SuiteError(f"the stored weights of layer {layer.name} are not those of trial {trial.id}")
        layer.set_weights(arrays)
    if stored:
        raise SuiteError(f"the stored weights have layers that trial {trial.id} does not have")
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=trial.label_smoothing)
    model.compile(optimizer=keras_optimizer(trial), loss=loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)  # so that a file holds all that is loaded
    return model


def write_model(model: keras.Model, path: Path) -> None:
    """Write a network as ``.keras`` or ``.onnx``; raises UsageError where a package for the latter is missing."""
    if path.suffix != ".onnx":
        model.save(path)
        return
    try:
        image = keras.InputSpec(dtype="float32", shape=model.input.shape)
        model.export(path, format="onnx", verbose=False, input_signature=[image])
    except ImportError as error:
        raise UsageError(f"{path}: Keras writes ONNX with other packages: pip install onnx tf2onnx") from error


def without_gradient(model: keras.Sequential) -> list[str]:
    """Return the weights that training cannot change, as found in the traced graph."""
    found: list[str] = []

    def trace(images: tf.Tensor) -> None:
        weights = model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = forward(model, images, training=True)
        gradients = zip(weights, tape.gradient(outputs, weights), strict=True)
        found.extend(weight.path for weight, gradient in gradients if gradient is None)

    tf.function(trace).get_concrete_function(tf.TensorSpec([2, *model.input_shape[1:]]))
    return found


def count_macs(model: keras.Sequential) -> int:
    """Count the multiply-accumulates of one image in the convolutions and matrix products of the traced model."""
    image = tf.TensorSpec([1, *model.input_shape[1:]])
    graph = tf.function(lambda images: forward(model, images, training=False)).get_concrete_function(image).graph
    return sum(_macs_of(operation) for operation in graph.get_operations())


def _macs_of(operation: tf.Operation) -> int:
    """Return the products of one operation on tensors whose shapes are known."""
    kind = operation.type
    if kind not in ("Conv2D", "DepthwiseConv2dNative", "Conv2DBackpropInput", "MatMul", "BatchMatMulV2", "Einsum"):
        return 0
    inputs: list[list[int]] = [each.shape.as_list() for each in operation.inputs]
    if kind == "Conv2DBackpropInput":  # a transposed convolution
        return math.prod(inputs[2]) * math.prod(inputs[1][:3])
    if kind == "Einsum":
        words = operation.get_attr("equation").decode().partition("->")[0].split(",")
        sizes = dict(zip("".join(words), chain(*inputs), strict=True))
        return math.prod(sizes.values()) * (len(words) > 1)
    results: int = math.prod(operation.outputs[0].shape.as_list())
    if kind in ("MatMul", "BatchMatMulV2"):
        turned = operation.get_attr("transpose_a" if kind == "MatMul" else "adj_x")
        return results * inputs[0][-2 if turned else -1]
    *kernel, channels, _ = inputs[1]
    return results * math.prod(kernel) * (channels if kind == "Conv2D" else 1)
