"""The one training loop: a whole epoch a call, on one device or several, augmented in the graph."""

import math
import operator
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Literal, NamedTuple

import keras
import numpy as np
import tensorflow as tf

from cifar_report.spec import Augmentation, Trial
from cifar_report.training import Array
from cifar_report.training.keras_objects import FusedAdam, make_optimizer
from cifar_report.training.model import build_model, dropout_shapes, forward, hidden_layers, seed_states, single_layers

ALIGNMENT = 64  # bytes; where TensorFlow's arrays begin
EVALUATION_BATCH = 200  # images
LOGICAL_REPLICAS = 2  # processor devices for a mirrored trial where there are no graphics cards
AUGMENTATION_DRAWS = 4  # uniform numbers that one image needs: angle, two shifts, flip
DRAWS_A_STEP = 2**14  # that a layer of Keras may count in one step before it would repeat those of the next
Sums = tuple[tf.Tensor, ...]  # over images: of losses, right answers and penalties
Part = Literal["read", "passes", "exchange"]
"""What a step does one after the other: get its images and random numbers; the forward and the backward pass, with the
sums of batch normalization; add the gradients of all replicas. Then it updates the weights."""


@cache
def configure(*, mirrored: bool, card: bool = False) -> None:
    """Fix threads, determinism and devices of this process, once; raises RuntimeError when TensorFlow already runs."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(LOGICAL_REPLICAS if mirrored else 1)
    tf.config.experimental.enable_op_determinism()
    # Nothing of the suite may draw from the global generators; a fixed seed keeps what still might the same.
    keras.utils.set_random_seed(0)
    cards = tf.config.list_physical_devices("GPU")
    if not (mirrored or card):  # several such runs work at once, and their key says: one processor thread
        tf.config.set_visible_devices([], "GPU")
    if card and not mirrored:
        if len(cards) != 1:
            raise RuntimeError(f"TensorFlow finds {len(cards)} graphics cards, where this run has one: see its log")
        tf.config.experimental.enable_tensor_float_32_execution(False)  # it would round to ten bits
    for each in cards if mirrored or card else ():
        tf.config.experimental.set_memory_growth(each, True)
    if mirrored and not cards:
        processor = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * LOGICAL_REPLICAS
        tf.config.set_logical_device_configuration(processor, parts)


def make_strategy(*, mirrored: bool) -> tf.distribute.Strategy:
    """Return one device's strategy, or the mirrored one: over TF_CONFIG's machines, all cards or logical processors."""
    if not mirrored:
        return tf.distribute.get_strategy()
    if "TF_CONFIG" in os.environ:
        return tf.distribute.MultiWorkerMirroredStrategy()
    if cards := tf.config.list_logical_devices("GPU"):
        return tf.distribute.MirroredStrategy([card.name for card in cards])
    # By default the sums over replicas have threads of their own, which take the cores from those that compute.
    return tf.distribute.MirroredStrategy(
        [processor.name for processor in tf.config.list_logical_devices("CPU")],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )


class Epoch(NamedTuple):
    """Running means over one epoch, as Keras prints them; ``loss`` is what is minimised."""

    loss: float
    accuracy: float
    regularization: float | None = None  # the part of the loss that regularizers add; None without any


class Predicted(NamedTuple):
    """An evaluation: mean loss, accuracy, and probabilities float32 [images, 10].

    ``dead_units`` is the share of hidden dense layers' units, but linear ones, that are zero for all images, or None.
    """

    loss: float
    accuracy: float
    probabilities: Array
    dead_units: float | None


class Engine:
    """One network, its optimizer and the compiled functions that train and evaluate it.

    ``images`` uint8 [N, rows, columns, colours] and ``labels`` int [N] are addressed by index.
    """

    def __init__(self, trial: Trial, seed: int, images: Array, labels: Array, strategy: tf.distribute.Strategy) -> None:
        self.trial = trial
        self.strategy = strategy
        self.replicas: int = strategy.num_replicas_in_sync
        self._images = share(images)
        self._labels = tf.constant(labels.astype(np.int32))
        with strategy.scope():
            self.model = build_model(trial, seed, synchronized=self.replicas > 1)
            self.optimizer = make_optimizer(trial, self.model.trainable_variables)
        self._dropout_shapes = dropout_shapes(self.model)
        self._seed_states = [state for layer in self.model.layers for state in seed_states(layer)]
        self._regularized = [each for each in self.model.trainable_variables if each.regularizer is not None]
        layers = single_layers(self.model.layers)
        self.regularizes = bool(self._regularized) or any(layer.activity_regularizer is not None for layer in layers)
        self._hidden_units = sum(layer.units for layer in hidden_layers(self.model))
        self._epochs: dict[tuple[Augmentation | None, Part | None], Callable[..., Any]] = {}
        indices = tf.TensorSpec([None], tf.int32)
        self._predict = tf.function(self._evaluate, input_signature=[indices], jit_compile=False)
        # How many dropout layers need a key, and how many streams of other layers do.
        self.drawing_layers = len(self._dropout_shapes), len(self._seed_states)

    def weights(self) -> list[Array]:
        """Return copies of all weights in Keras's order: Keras's own arrays may share memory with the variables."""
        return [np.array(weight) for weight in self.model.get_weights()]

    def set_weights(self, weights: list[Array]) -> None:
        """Set all weights from copies: TensorFlow may adopt an array's memory and then train in it."""
        self.model.set_weights([np.array(weight) for weight in weights])

    def optimizer_state(self) -> list[Array]:
        """Return copies of the optimizer's variables."""
        return [np.array(variable.numpy()) for variable in self.optimizer.variables]

    def set_optimizer_state(self, state: list[Array]) -> None:
        """Set the optimizer's variables from copies."""
        for variable, value in zip(self.optimizer.variables, state, strict=True):
            variable.assign(np.array(value))

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Hold the averages that the optimizer keeps in the place of the weights, where it keeps any."""
        optimizer = self.optimizer
        # Where Keras itself writes the averages into the weights every few steps, training goes on from them.
        if isinstance(optimizer, FusedAdam) or not optimizer.use_ema or optimizer.ema_overwrite_frequency:
            yield
            return
        trained = self.weights()
        optimizer.finalize_variable_values(self.model.trainable_variables)
        yield
        self.set_weights(trained)

    def train_epoch(
        self, order: Array, keys: Array, augmentation: Augmentation | None, until: Part | None = None
    ) -> Epoch:
        """Train once through ``order`` (int32 indices) in batches of the trial's size; the last may be smaller.

        ``until``: do no more of each step than this, to time it.
        """
        kind = augmentation, until
        if kind not in self._epochs:
            traced = tf.function(lambda order, keys: self._train_epoch(order, keys, *kind), jit_compile=False)
            self._epochs[kind] = traced
        loss, correct, penalty = self._epochs[kind](tf.constant(order), tf.constant(keys))
        added = float(penalty) / len(order) if self.regularizes else None
        return Epoch(float(loss) / len(order) + (added or 0.0), int(correct) / len(order), added)

    def evaluate(self, indices: Array) -> Predicted:
        """Return loss, accuracy and probabilities on ``indices``, in inference mode and without augmentation."""
        # Filled up to whole batches, so that one traced function serves every part of the split.
        whole = np.pad(indices, (0, -len(indices) % EVALUATION_BATCH), mode="edge").astype(np.int32)
        *tables, alive = (array.numpy() for array in self._predict(tf.constant(whole)))
        losses, probabilities = (table[: len(indices)] for table in tables)
        labels = self._labels.numpy()[indices]
        accuracy = float(np.mean(probabilities.argmax(axis=1) == labels))
        dead = float(np.mean(~alive)) if len(alive) else None
        return Predicted(float(np.mean(losses, dtype=np.float64)), accuracy, probabilities, dead)

    def _train_epoch(self, order: tf.Tensor, keys: tf.Tensor, *kind: Augmentation | Part | None) -> Sums:
        batch_size = self.trial.batch_size
        steps, remainder = divmod(order.shape[0], batch_size)
        sums = tf.constant(0.0, tf.float64), tf.constant(0), tf.constant(0.0, tf.float64)
        for step in tf.range(steps):
            batch = tf.ensure_shape(order[step * batch_size : (step + 1) * batch_size], [batch_size])
            sums = tuple(map(operator.add, sums, self._step(batch, step, keys, *kind)))
        if remainder:
            batch = order[steps * batch_size :]
            sums = tuple(map(operator.add, sums, self._step(batch, tf.constant(steps), keys, *kind)))
        return sums

    def _step(self, *arguments: Any) -> Sums:
        sums: Sums = self.strategy.run(self._replica_step, args=arguments)
        if self.replicas == 1:
            return sums
        return tuple(self.strategy.reduce(tf.distribute.ReduceOp.SUM, each, axis=None) for each in sums)

    def _replica_step(
        self, batch: tf.Tensor, step: tf.Tensor, keys: tf.Tensor, augmentation: Augmentation | None, until: Part | None
    ) -> Sums:
        size = batch.shape[0]
        mine = self._share_of(batch)
        images = self._pixels(mine)
        labels = tf.gather(self._labels, mine)
        if augmentation is not None:
            draws = self._uniform(keys[0], step, size, (AUGMENTATION_DRAWS,))
            images = augment(images, draws, augmentation)
        masks = [self._uniform(keys[place + 1], step, size, shape) for place, shape in enumerate(self._dropout_shapes)]
        for place, state in enumerate(self._seed_states, start=1 + len(masks)):
            # The layers of Keras that draw random numbers begin where this step's draws begin.
            begin = tf.stack([tf.bitwise.right_shift(keys[place], 31), tf.cast(step, tf.int64) * DRAWS_A_STEP])
            state.assign(tf.cast(begin, state.dtype))
        if until == "read":
            return _after(images, labels, *masks)
        penalties: list[tf.Tensor] = []
        with tf.GradientTape() as tape:
            probabilities = forward(self.model, images, training=True, draws=masks, penalties=penalties)
            losses = keras.losses.categorical_crossentropy(
                tf.one_hot(labels, self.trial.classes), probabilities, label_smoothing=self.trial.label_smoothing
            )
            loss = tf.reduce_sum(losses)
            mean = loss / size  # over the global batch: the replicas' gradients are summed
            # Of what regularizers add to the mean loss of the global batch, this replica's part.
            by_weights = [variable.regularizer(variable.value) for variable in self._regularized]
            penalty = sum(by_weights, tf.constant(0.0)) / self.replicas + sum(penalties, tf.constant(0.0)) / size
            if self.regularizes:
                mean += penalty
        gradients = tape.gradient(mean, self.model.trainable_variables)
        if until == "exchange":
            gradients = tf.distribute.get_replica_context().all_reduce(tf.distribute.ReduceOp.SUM, gradients)
        if until is not None:
            return _after(*gradients)
        self.optimizer.apply(gradients)
        answers = tf.argmax(probabilities, axis=1, output_type=tf.int32)
        right = tf.reduce_sum(tf.cast(answers == labels, tf.int32))
        return tf.cast(loss, tf.float64), right, tf.cast(penalty * size, tf.float64)

    def _share_of(self, batch: tf.Tensor) -> tf.Tensor:
        """Return this replica's part of something that has one row for each image of the global batch."""
        if self.replicas == 1:
            return batch
        size = batch.shape[0]
        share = -(-size // self.replicas)
        replica = tf.distribute.get_replica_context().replica_id_in_sync_group
        part = batch[replica * share : (replica + 1) * share]
        return tf.ensure_shape(part, [share, *batch.shape[1:]]) if size % self.replicas == 0 else part

    def _uniform(self, key: tf.Tensor, step: tf.Tensor, size: int, shape: tuple[int, ...]) -> tf.Tensor:
        """Draw uniform numbers for the whole global batch and return this replica's rows of them."""
        seed = tf.stack([key, tf.cast(step, tf.int64)])
        return self._share_of(tf.random.stateless_uniform([size, *shape], seed, alg="philox"))

    def _evaluate(self, indices: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        chunks = tf.shape(indices)[0] // EVALUATION_BATCH
        losses = tf.TensorArray(tf.float32, chunks, element_shape=[EVALUATION_BATCH])
        tables = tf.TensorArray(tf.float32, chunks, element_shape=[EVALUATION_BATCH, self.trial.classes])
        alive = tf.zeros([self._hidden_units], tf.bool)
        for chunk in tf.range(chunks):
            part = indices[chunk * EVALUATION_BATCH : (chunk + 1) * EVALUATION_BATCH]
            part = tf.ensure_shape(part, [EVALUATION_BATCH])
            hidden = [tf.zeros([EVALUATION_BATCH, 0])]
            probabilities = forward(self.model, self._pixels(part), training=False, hidden=hidden)
            labels = tf.one_hot(tf.gather(self._labels, part), self.trial.classes)
            losses = losses.write(chunk, keras.losses.categorical_crossentropy(labels, probabilities))
            tables = tables.write(chunk, probabilities)
            alive = tf.logical_or(alive, tf.reduce_any(tf.concat(hidden, axis=1) != 0, axis=0))
        return losses.concat(), tables.concat(), alive

    def _pixels(self, indices: tf.Tensor) -> tf.Tensor:
        return tf.cast(tf.gather(self._images, indices), tf.float32) / 255.0


def _after(*computed: tf.Tensor) -> Sums:
    """Return numbers without a meaning that need one element of each of these tensors, so that none is left out."""
    number = tf.add_n([tf.reduce_sum(tf.cast(tf.reshape(each, [-1])[:1], tf.float64)) for each in computed])
    return number, tf.cast(number, tf.int32), number


def share(images: Array) -> tf.Tensor:
    """Return the images as a tensor over the same memory map; what is read-only or badly aligned is copied."""
    if images.ctypes.data % ALIGNMENT or not images.flags.writeable:
        return tf.constant(images)
    return tf.experimental.dlpack.from_dlpack(images.__dlpack__())


def augment(images: tf.Tensor, draws: tf.Tensor, settings: Augmentation) -> tf.Tensor:
    """Return images float32 [batch, height, width, 3], each turned about its centre, shifted and perhaps mirrored.

    ``draws`` is uniform in 0 … 1, [batch, 4]. Pixels are interpolated bilinearly; what comes from outside repeats the
    nearest edge pixel, as the original's ``ImageDataGenerator(fill_mode="nearest")`` does.
    """
    height, width = images.shape[1], images.shape[2]
    most = (math.radians(settings.rotation_degrees), settings.shift_fraction * height, settings.shift_fraction * width)
    angle, down, right = ((2.0 * draws[:, place] - 1.0) * each for place, each in enumerate(most))
    mirror = tf.where(draws[:, 3] < 0.5, -1.0, 1.0) if settings.horizontal_flip else tf.ones_like(angle)
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zero = tf.zeros_like(angle)
    # The input pixel that an output pixel (x, y) shows is at x = cos * m * (x - middle) - sin * (y - middle) + middle
    # + right, and so for y.
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    offset_x = middle_x + right - cosine * mirror * middle_x + sine * middle_y
    offset_y = middle_y + down - sine * mirror * middle_x - cosine * middle_y
    transforms = [cosine * mirror, -sine, offset_x, sine * mirror, cosine, offset_y, zero, zero]
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=tf.stack(transforms, axis=1),
        output_shape=tf.constant([height, width]),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
