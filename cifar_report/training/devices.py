"""Which devices a worker trains on; set once, before TensorFlow starts."""

from __future__ import annotations

import keras
import tensorflow as tf

LOGICAL_REPLICAS = 2  # processor devices for a mirrored trial where there are no graphics cards


def configure(*, mirrored: bool) -> None:
    """Fix threads, determinism and devices of this process; raises RuntimeError when TensorFlow already runs."""
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(LOGICAL_REPLICAS if mirrored else 1)
    tf.config.experimental.enable_op_determinism()
    # Nothing of the suite may draw from the global generators; a fixed seed keeps what still might the same.
    keras.utils.set_random_seed(0)
    for card in tf.config.list_physical_devices("GPU"):
        tf.config.experimental.set_memory_growth(card, True)
    if mirrored and not tf.config.list_physical_devices("GPU"):
        processor = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * LOGICAL_REPLICAS
        tf.config.set_logical_device_configuration(processor, parts)


def make_strategy(*, mirrored: bool) -> tf.distribute.Strategy:
    """Return one device's strategy, or the mirrored one over all graphics cards or else the logical processors."""
    if not mirrored:
        return tf.distribute.get_strategy()
    if cards := tf.config.list_logical_devices("GPU"):
        return tf.distribute.MirroredStrategy([card.name for card in cards])
    # By default the sums over replicas have threads of their own, which take the cores from those that compute.
    return tf.distribute.MirroredStrategy(
        [processor.name for processor in tf.config.list_logical_devices("CPU")],
        cross_device_ops=tf.distribute.ReductionToOneDevice(),
    )
