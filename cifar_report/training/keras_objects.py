"""What networks are made of and trained with: Keras's objects by name; Adam and batch normalization, fused.

The fused ones compute what Keras's own optimizer and layer compose of a dozen operations: the same sums in float32,
rounded otherwise, with fewer passes over the memory.
"""

import difflib
import inspect
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import keras
import tensorflow as tf

from cifar_report.errors import UsageError
from cifar_report.spec import KerasObject, Trial

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
UNADAPTED = "it would have to be adapted to the data first"
UNREPEATABLE = "its random numbers cannot be drawn from a stream of the run"
REFUSED = {
    **dict.fromkeys(("FlaxLayer", "JaxLayer", "Lambda", "Pipeline", "TFSMLayer", "TorchModuleWrapper"), CODE),
    **dict.fromkeys(
        ("Discretization", "IntegerLookup", "Normalization", "StringLookup", "TextVectorization"), UNADAPTED
    ),
    **dict.fromkeys(("CutMix", "MixUp"), "it changes labels, too"),
    **dict.fromkeys(("AugMix", "RandAugment"), UNREPEATABLE),
    **dict.fromkeys(("LossScaleOptimizer", "MultiOptimizer", "ScheduleFreeAdamW"), "the training loop cannot drive it"),
}
ON_ONE_DEVICE = ("clipnorm", "clipvalue", "global_clipnorm", "gradient_accumulation_steps", "use_ema")


def make(kind: str, setting: str | KerasObject, **given: Any) -> Any:
    """Return the Keras object of a name and arguments (``given``: the suite's own); raises UsageError for others."""
    if isinstance(setting, str):
        setting = KerasObject(setting)
    found, what = _find(kind, setting.name), f"{kind.replace('learning_rate', 'schedule')} {setting.name}"
    if own := BY_ITSELF.keys() & setting.arguments.keys():
        word = min(own)
        raise UsageError(f"the {what} may not be given the argument {word!r}: that is {BY_ITSELF[word]}")
    known = set(inspect.signature(found).parameters) - {"args", "kwargs"}
    if kind == "layer":
        known |= OF_ALL_LAYERS
    elif kind == "activation":
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
    if name in REFUSED:
        raise UsageError(f"the {kind} {name} cannot be trained here: {REFUSED[name]}")
    home, base = HOMES[kind]

    def fits(each: Any) -> bool:
        if base is None:
            return inspect.isfunction(each)
        return inspect.isclass(each) and issubclass(each, base) and each is not base

    names = {word: each for word, each in vars(home).items() if word[0] != "_" and word not in NO_NAMES and fits(each)}
    if name not in names:
        raise UsageError(f"Keras has no {kind.replace('learning_rate', 'schedule')} {name!r}{_meant(name, names)}")
    found: Callable[..., Any] = names[name]
    return found


def _meant(word: str, known: Iterable[str]) -> str:
    by_small = {each.lower().replace("_", ""): each for each in sorted(known)}
    close = difflib.get_close_matches(word.lower().replace("_", ""), by_small, 1)
    return f": did you mean {by_small[close[0]]!r}?" if close else f"; it has {', '.join(sorted(known))}"


def keras_optimizer(trial: Trial) -> keras.optimizers.Optimizer:
    """Return a trial's optimizer as Keras has it."""
    rate = trial.learning_rate
    steps = make("learning_rate", rate) if isinstance(rate, KerasObject) else float(rate)
    return make("optimizer", trial.optimizer, learning_rate=steps)


def make_optimizer(trial: Trial, variables: list[keras.Variable]) -> "FusedAdam | keras.optimizers.Optimizer":
    """Return a trial's optimizer, whose ``apply`` sums all replicas' gradients; raises UsageError where it cannot."""
    if trial.plain:
        return FusedAdam(trial.learning_rate, variables)
    given = trial.optimizer.arguments
    if trial.strategy == "mirrored" and (words := [word for word in ON_ONE_DEVICE if given.get(word)]):
        raise UsageError(
            f"trial {trial.id}: with the strategy 'mirrored' an optimizer may not be given {', '.join(words)}"
        )
    optimizer = keras_optimizer(trial)
    optimizer.build(variables)
    return optimizer


class FusedAdam:
    """Adam with Keras's defaults; each step on a variable is one operation. Made in the strategy's scope."""

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7

    def __init__(self, learning_rate: Any, variables: list[keras.Variable]) -> None:
        self.learning_rate = learning_rate
        self._trained = [variable.value for variable in variables]
        only_first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.iterations = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=only_first)
        self._momentums, self._velocities = (
            [tf.Variable(tf.zeros(variable.shape), trainable=False) for variable in variables] for _ in range(2)
        )
        self.variables = [self.iterations, *self._momentums, *self._velocities]  # the whole state

    def apply(self, gradients: list[tf.Tensor]) -> None:
        """Take one step by the sum of all replicas' gradients; called by every replica."""
        replica = tf.distribute.get_replica_context()
        replica.merge_call(self._update, args=(replica.all_reduce(tf.distribute.ReduceOp.SUM, gradients),))

    def _update(self, strategy: tf.distribute.Strategy, gradients: list[tf.Tensor]) -> None:
        step = tf.cast(self.iterations + 1, tf.float32)
        powers = tf.pow(self.BETA_1, step), tf.pow(self.BETA_2, step)
        for variable, *state in zip(self._trained, gradients, self._momentums, self._velocities, strict=True):
            strategy.extended.update(variable, self._step, args=(*state, *powers), group=False)
        self.iterations.assign_add(1)

    def _step(self, variable: tf.Variable, *values: Any) -> None:
        gradient, momentum, velocity, power_1, power_2 = values
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=power_1,
            beta2_power=power_2,
            lr=self.learning_rate,
            beta1=self.BETA_1,
            beta2=self.BETA_2,
            epsilon=self.EPSILON,
            grad=gradient,
        )


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras ships no types
    """Keras's batch normalization by one fused operation; ``synchronized``: by the moments of all replicas' images."""

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalize float32 [batch, height, width, C] or [batch, C] by the batch's own moments, or the moving ones."""
        values = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        scale, offset = self.gamma.value, self.beta.value
        if not training:
            moving = self.moving_mean.value, self.moving_variance.value
            return tf.reshape(_normalized(values, scale, offset, self.epsilon, moving)[0], tf.shape(inputs))
        if self.synchronized:
            outputs, mean, variance = _over_all_replicas(values, scale, offset, self.epsilon)
        else:
            outputs, mean, variance = _normalized(values, scale, offset, self.epsilon)
            variance = _of_population(variance, _count(values))
        for average, now in ((self.moving_mean, mean), (self.moving_variance, variance)):
            average.assign(average * self.momentum + now * (1.0 - self.momentum))
        return tf.reshape(outputs, tf.shape(inputs))


def _over_all_replicas(values: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float) -> Any:
    """Normalize by the moments of all replicas; each replica's gradients are those of its own images.

    With n values a channel in all, x normalized to z, and the gradients g of the outputs, those of the inputs are
    scale / deviation · (g - sum(g) / n - z · sum(g · z) / n), the sums over all replicas (Ioffe and Szegedy, 2015).
    """
    replicas = tf.distribute.get_replica_context()

    def total(*parts: tf.Tensor) -> list[tf.Tensor]:
        """Return the sums over all replicas of vectors of one length, which travel as one."""
        sums: list[tf.Tensor] = tf.unstack(replicas.all_reduce(tf.distribute.ReduceOp.SUM, tf.stack(parts)))
        return sums

    @tf.custom_gradient  # type: ignore[untyped-decorator]
    def normalized(values: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> Any:
        own = tf.fill(tf.shape(scale), _count(values))
        # For the moments alone: what is normalized by those of one replica is of no use.
        _, mean, variance = _normalized(values, tf.ones_like(scale), tf.zeros_like(scale), epsilon)
        # A replica without an image, in a last batch that is smaller than there are replicas, has no moments.
        own_sums = tf.math.multiply_no_nan(mean, own)
        own_squares = tf.math.multiply_no_nan(_of_population(variance, own) + tf.square(mean), own)
        count, sums, squares = total(own, own_sums, own_squares)
        moments = sums / count, tf.maximum(squares / count - tf.square(sums / count), 0.0)

        def gradients(upstream: tf.Tensor, *_of_moments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            plain, of_scale, of_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=upstream,
                x=values,
                scale=scale,
                reserve_space_1=moments[0],
                reserve_space_2=moments[1],
                reserve_space_3=tf.zeros([0]),
                epsilon=epsilon,
                is_training=False,
            )
            scales, offsets = total(of_scale, of_offset)
            slope = scale * tf.math.rsqrt(moments[1] + epsilon) / count
            # What is the same for all images is a scale and an offset of the normalized inputs.
            shared = _normalized(values, -slope * scales, -slope * offsets, epsilon, moments)[0]
            return plain + shared, of_scale, of_offset

        return (_normalized(values, scale, offset, epsilon, moments)[0], *moments), gradients

    return normalized(values, scale, offset)


def _normalized(
    values: tf.Tensor,
    scale: tf.Tensor,
    offset: tf.Tensor,
    epsilon: float,
    given: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> list[tf.Tensor]:
    """Return values normalized by a given mean and variance or else their own, then their mean and sample variance."""
    mean, variance = ([], []) if given is None else given
    options = {"epsilon": epsilon, "exponential_avg_factor": 1.0, "is_training": given is None}
    operation = tf.raw_ops.FusedBatchNormV3
    return list(operation(x=values, scale=scale, offset=offset, mean=mean, variance=variance, **options))[:3]


def _count(values: tf.Tensor) -> tf.Tensor:
    """Return how many values of a batch each channel has."""
    return tf.cast(tf.size(values) // values.shape[-1], tf.float32)


def _of_population(variance: tf.Tensor, count: tf.Tensor) -> tf.Tensor:
    """Return a variance without the correction for the sample, which Keras's moving average does without."""
    return tf.math.multiply_no_nan(variance, count - 1) / count  # a single value has no corrected variance
