"""What only the traced graph of a model tells: its multiply-accumulates, and weights that no gradient reaches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import chain

import keras
import tensorflow as tf

from cifar_report.spec import INPUT_SHAPE
from cifar_report.training.model import forward


def without_gradient(model: keras.Sequential) -> list[str]:
    """Return the weights that training cannot change, as found in the traced graph."""
    found: list[str] = []

    def trace(images: tf.Tensor) -> None:
        with tf.GradientTape() as tape:
            outputs = forward(model, images, training=True)
        for weight, gradient in zip(
            model.trainable_variables, tape.gradient(outputs, model.trainable_variables), strict=True
        ):
            if gradient is None:
                found.append(weight.path)

    tf.function(trace).get_concrete_function(tf.TensorSpec([2, *INPUT_SHAPE]))
    return found


def count_macs(model: keras.Sequential) -> int:
    """Count the multiply-accumulates of one image in the convolutions and matrix products of the traced model."""
    image = tf.TensorSpec([1, *INPUT_SHAPE])
    graph = tf.function(lambda images: forward(model, images, training=False)).get_concrete_function(image).graph
    return sum(_macs_of(operation) for operation in graph.get_operations())


def _macs_of(operation: tf.Operation) -> int:
    """Return the products of one operation on tensors whose shapes are known."""

    def shapes(tensors: Sequence[tf.Tensor]) -> list[list[int]]:
        return [tensor.shape.as_list() for tensor in tensors]

    match operation.type:
        case "Conv2D" | "DepthwiseConv2dNative":
            ((*kernel, channels, _),), outputs = shapes(operation.inputs[1:2]), shapes(operation.outputs)
            return math.prod(outputs[0]) * math.prod(kernel) * (channels if operation.type == "Conv2D" else 1)
        case "Conv2DBackpropInput":  # a transposed convolution
            kernel, upstream = shapes(operation.inputs[1:])
            return math.prod(upstream) * math.prod(kernel[:3])
        case "MatMul" | "BatchMatMulV2":
            turned = operation.get_attr("transpose_a" if operation.type == "MatMul" else "adj_x")
            return math.prod(shapes(operation.outputs)[0]) * shapes(operation.inputs)[0][-2 if turned else -1]
        case "Einsum":
            words = operation.get_attr("equation").decode().partition("->")[0].split(",")
            sizes = dict(zip("".join(words), chain(*shapes(operation.inputs)), strict=True))
            return math.prod(sizes.values()) * (len(words) > 1)
    return 0
