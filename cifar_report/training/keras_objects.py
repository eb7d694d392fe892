"""Keras's layers, optimizers, schedules, initializers, regularizers, constraints and activations by name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, cast

import keras
import tensorflow as tf

from cifar_report.errors import UsageError
from cifar_report.spec import KerasObject, Trial
from cifar_report.training.fused import FusedAdam

HOMES: dict[str, tuple[Any, Any]] = {
    "layer": (keras.layers, keras.layers.Layer),
    "optimizer": (keras.optimizers, keras.optimizers.Optimizer),
    "learning_rate": (keras.optimizers.schedules, keras.optimizers.schedules.LearningRateSchedule),
    "initializer": (keras.initializers, keras.initializers.Initializer),
    "regularizer": (keras.regularizers, keras.regularizers.Regularizer),
    "constraint": (keras.constraints, keras.constraints.Constraint),
    "activation": (keras.activations, None),
}
"""Where the names of each kind are, and what they must be (None: a function). The last word of an argument's name
(``kernel_regularizer``) says of which kind its value is."""
NO_NAMES = {"get", "serialize", "deserialize"}  # of the modules, beside classes and functions
BY_ITSELF = {
    "name": "the place in the network",
    "seed": "the seed of the run",
    "dtype": "float32",
    "backend": "TensorFlow",
}
OF_ALL_LAYERS = {"activity_regularizer", "trainable"}
CODE = "it runs code, and a configuration is data"
UNREPEATABLE = "its random numbers cannot be drawn from a stream of the run"
REFUSED = {
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "Lambda", "Pipeline", "TFSMLayer", "TorchModuleWrapper"), CODE),
    **dict.fromkeys(
        ("Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization"),
        "it would have to be adapted to the data first",
    ),
    **dict.fromkeys(("CutMix", "MixUp"), "it changes labels, too"),
    **dict.fromkeys(("AugMix", "RandAugment"), UNREPEATABLE),
    **dict.fromkeys(("LossScaleOptimizer", "MultiOptimizer", "ScheduleFreeAdamW"), "the training loop cannot drive it"),
}


def make(kind: str, setting: str | KerasObject, **given: Any) -> Any:
    """Return the Keras object of a name and its arguments; ``given`` are the suite's own.

    Raises UsageError for a name or an argument that Keras does not have, and for what could not be repeated.
    """
    if isinstance(setting, str):
        setting = KerasObject(setting)
    found, what = _find(kind, setting.name), f"{kind.replace('learning_rate', 'schedule')} {setting.name}"
    if own := BY_ITSELF.keys() & setting.arguments.keys():
        word = min(own)
        raise UsageError(f"the {what} may not be given the argument {word!r}: that is {BY_ITSELF[word]}")
    known = set(inspect.signature(found).parameters) - {"args", "kwargs"} | (
        OF_ALL_LAYERS if kind == "layer" else set()
    )
    if kind == "activation":
        known -= {"x"}
    for word in setting.arguments:
        if word not in known:
            raise UsageError(f"the {what} has no argument {word!r}{_meant(word, known - BY_ITSELF.keys())}")
    if "value_range" in known - setting.arguments.keys():
        raise UsageError(f"the {what} needs the argument 'value_range': [0, 1] where it sees the images themselves")
    arguments = {word: argument(word, value) for word, value in setting.arguments.items()}
    if kind == "activation":
        return partial(found, **arguments) if arguments else found
    try:
        return found(**arguments, **given)
    except (TypeError, ValueError) as error:
        raise UsageError(f"the {what} cannot be made: {' '.join(str(error).split())}") from error


def argument(name: str, value: Any) -> Any:
    """Return an argument as Keras takes it: a name or object of one of the kinds becomes that object."""
    kind = name.rpartition("_")[2] if name != "learning_rate" else name
    return make(kind, value) if isinstance(value, KerasObject) or (kind in HOMES and isinstance(value, str)) else value


def _find(kind: str, name: str) -> Callable[..., Any]:
    if kind not in HOMES:
        raise UsageError(f"{name} stands for an argument {kind!r} that takes no object of Keras")
    home, base = HOMES[kind]
    if name in REFUSED:
        raise UsageError(f"the {kind} {name} cannot be trained here: {REFUSED[name]}")
    names = {word: each for word, each in vars(home).items() if word[0] != "_" and word not in NO_NAMES}
    is_one: Callable[[Any], bool] = inspect.isfunction if base is None else partial(_is_below, base)
    fitting = {word: each for word, each in names.items() if is_one(each)}
    if name not in fitting:
        raise UsageError(f"Keras has no {kind.replace('learning_rate', 'schedule')} {name!r}{_meant(name, fitting)}")
    found: Callable[..., Any] = fitting[name]
    return found


def _is_below(base: type, each: Any) -> bool:
    return inspect.isclass(each) and issubclass(each, base) and each is not base


def _meant(word: str, known: Iterable[str]) -> str:
    by_small: Mapping[str, str] = {each.lower().replace("_", ""): each for each in sorted(known)}
    close = difflib.get_close_matches(word.lower().replace("_", ""), by_small, 1)
    return f": did you mean {by_small[close[0]]!r}?" if close else f"; it has {', '.join(sorted(known))}"


class KerasOptimizer:
    """An optimizer of Keras, which sums the replicas' gradients itself; made in the strategy's scope."""

    ON_ONE_DEVICE = ("clipnorm", "clipvalue", "global_clipnorm", "gradient_accumulation_steps", "use_ema")

    def __init__(self, trial: Trial, variables: list[keras.Variable]) -> None:
        given = trial.optimizer.arguments
        if trial.strategy == "mirrored" and (words := [word for word in self.ON_ONE_DEVICE if given.get(word)]):
            raise UsageError(
                f"trial {trial.id}: with the strategy 'mirrored' an optimizer may not be given {', '.join(words)}"
            )
        self._keras = keras_optimizer(trial)
        self._keras.build(variables)
        self._trained = variables
        # Where Keras itself writes the averages into the weights every few steps, training goes on from them.
        self.averages = bool(self._keras.use_ema and not self._keras.ema_overwrite_frequency)

    @property
    def variables(self) -> list[keras.Variable]:
        """Return the whole state, as Keras orders it."""
        return list(self._keras.variables)

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Take one step by the sum of all replicas' gradients; called by every replica."""
        self._keras.apply(gradients)

    def set_averages(self) -> None:
        """Put the averages in the place of the weights."""
        self._keras.finalize_variable_values(self._trained)


def keras_optimizer(trial: Trial) -> keras.optimizers.Optimizer:
    """Return a trial's optimizer as Keras has it."""
    rate = trial.learning_rate
    steps = make("learning_rate", rate) if isinstance(rate, KerasObject) else float(rate)
    return make("optimizer", trial.optimizer, learning_rate=steps)


def make_optimizer(trial: Trial, variables: list[keras.Variable]) -> FusedAdam | KerasOptimizer:
    """Return a trial's optimizer over ``variables``: the fused one for Adam as Keras has it, at one learning rate."""
    if trial.plain:
        return FusedAdam(cast("float", trial.learning_rate), variables)
    return KerasOptimizer(trial, variables)
