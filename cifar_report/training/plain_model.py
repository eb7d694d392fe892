"""A trained network as a file that plain Keras, or ONNX, loads; and what it says about single images."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cifar_report.bundle.arrays import weight_place
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import Trial
from cifar_report.training.keras_objects import keras_optimizer
from cifar_report.training.model import build_plain_model


def plain_model(trial: Trial, weights: Mapping[str, np.ndarray[Any, Any]]) -> keras.Model:
    """Return a compiled network of Keras's own layers with stored ``weights``, by their names in the network.

    Its optimizer begins anew: bundles hold no state of optimizers. Raises SuiteError for weights of another network.
    """
    model = build_plain_model(trial)
    by_layer: dict[int, list[tuple[int, np.ndarray[Any, Any]]]] = {}
    for name, array in weights.items():
        layer, place = weight_place(name) or (-1, 0)
        by_layer.setdefault(layer, []).append((place, array))
    for layer in model.layers:
        number = re.match("[0-9]+", layer.name)
        arrays = [] if number is None else [array for _, array in sorted(by_layer.pop(int(number[0]), []), key=_first)]
        if [array.shape for array in arrays] != [weight.shape for weight in layer.get_weights()]:
            raise SuiteError(f"the stored weights of layer {layer.name} are not those of trial {trial.id}")
        layer.set_weights(arrays)
    if by_layer:
        raise SuiteError(f"the stored weights have layers that trial {trial.id} does not have")
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=trial.label_smoothing)
    model.compile(optimizer=keras_optimizer(trial), loss=loss, metrics=["accuracy"])
    model.optimizer.build(model.trainable_variables)  # so that a file holds all that is loaded
    return model


def _first(pair: tuple[int, Any]) -> int:
    return pair[0]


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
