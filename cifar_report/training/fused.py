"""Adam and batch normalization in fused operations.

They compute what Keras's own optimizer and layer compose of a dozen operations: the same sums in float32, rounded
otherwise, with fewer passes over the memory.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import tensorflow as tf


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


class Moments(NamedTuple):
    """What a layer normalizes by: mean and variance (not corrected for the sample) of each channel, float32 [C]."""

    mean: tf.Tensor
    variance: tf.Tensor


class FusedBatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]  # Keras ships no types
    """Keras's batch normalization, its weights and its moving averages, by TensorFlow's fused operation.

    ``synchronized``: the moments are those of the images of all replicas, so that several compute what one would.
    """

    def call(self, inputs: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Normalize float32 [batch, height, width, C] or [batch, C] by the batch's own moments, or the moving ones."""
        values = inputs if len(inputs.shape) == 4 else inputs[:, None, None, :]
        if not training:
            moving = Moments(self.moving_mean.value, self.moving_variance.value)
            return tf.reshape(_normalized(values, self.gamma, self.beta, self.epsilon, moving)[0], tf.shape(inputs))
        normalize = _over_all_replicas if self.synchronized else _over_one_replica
        outputs, moments = normalize(values, self.gamma.value, self.beta.value, self.epsilon)
        for moving, now in ((self.moving_mean, moments.mean), (self.moving_variance, moments.variance)):
            moving.assign(moving * self.momentum + now * (1.0 - self.momentum))
        return tf.reshape(outputs, tf.shape(inputs))


def _over_one_replica(
    values: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, Moments]:
    outputs, mean, variance = _normalized(values, scale, offset, epsilon)
    return outputs, Moments(mean, _of_population(variance, _count(values)))


def _over_all_replicas(
    values: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float
) -> tuple[tf.Tensor, Moments]:
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
        moments = Moments(sums / count, tf.maximum(squares / count - tf.square(sums / count), 0.0))

        def gradients(upstream: tf.Tensor, *_of_moments: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
            plain, of_scale, of_offset, *_ = tf.raw_ops.FusedBatchNormGradV3(
                y_backprop=upstream,
                x=values,
                scale=scale,
                reserve_space_1=moments.mean,
                reserve_space_2=moments.variance,
                reserve_space_3=tf.zeros([0]),
                epsilon=epsilon,
                is_training=False,
            )
            scales, offsets = total(of_scale, of_offset)
            slope = scale * tf.math.rsqrt(moments.variance + epsilon) / count
            # What is the same for all images is a scale and an offset of the normalized inputs.
            shared = _normalized(values, -slope * scales, -slope * offsets, epsilon, moments)[0]
            return plain + shared, of_scale, of_offset

        return (_normalized(values, scale, offset, epsilon, moments)[0], *moments), gradients

    outputs, mean, variance = normalized(values, scale, offset)
    return outputs, Moments(mean, variance)


def _normalized(
    values: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, epsilon: float, given: Moments | None = None
) -> list[tf.Tensor]:
    """Return values normalized by given moments or else their own, then mean and sample variance of the latter."""
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
