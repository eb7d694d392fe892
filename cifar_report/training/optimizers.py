"""What changes the weights: Adam in fused operations, or any optimizer of Keras behind the same three methods.

The fused operation computes what Keras's Adam composes of a dozen operations: the same sums in float32, rounded
otherwise, with fewer passes over the memory.
"""

from __future__ import annotations

from typing import Any, cast

import keras
import tensorflow as tf

from cifar_report.errors import UsageError
from cifar_report.spec import KerasObject, Trial
from cifar_report.training.keras_objects import make


class FusedAdam:
    """Adam with Keras's defaults; each step on a variable is one operation. Made in the strategy's scope."""

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-7
    averages = False

    def __init__(self, learning_rate: float, variables: list[keras.Variable]) -> None:
        self.learning_rate = learning_rate
        self._trained = [variable.value for variable in variables]
        only_first = tf.VariableAggregation.ONLY_FIRST_REPLICA
        self.iterations = tf.Variable(0, dtype=tf.int64, trainable=False, aggregation=only_first)
        self._momentums, self._velocities = (
            [tf.Variable(tf.zeros(variable.shape), trainable=False) for variable in variables] for _ in range(2)
        )

    @property
    def variables(self) -> list[tf.Variable]:
        """Return the whole state: the count of steps, then the first and the second moments."""
        return [self.iterations, *self._momentums, *self._velocities]

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
