"""Random rotation, shift and flip of a batch in one projective transform, in the graph."""

from __future__ import annotations

import math

import tensorflow as tf

from cifar_report.spec import Augmentation

DRAWS = 4  # uniform numbers that one image needs: angle, two shifts, flip


def augment(images: tf.Tensor, draws: tf.Tensor, settings: Augmentation) -> tf.Tensor:
    """Return changed images, float32 [batch, height, width, 3].

    ``draws`` is uniform in 0 … 1, [batch, 4]. Each image is turned about its centre, shifted and perhaps mirrored,
    bilinearly interpolated; what comes from outside repeats the nearest edge pixel, as the original's
    ``ImageDataGenerator(fill_mode="nearest")`` does.
    """
    height, width = images.shape[1], images.shape[2]
    angle = _spread(draws[:, 0], math.radians(settings.rotation_degrees))
    down = _spread(draws[:, 1], settings.shift_fraction * height)
    right = _spread(draws[:, 2], settings.shift_fraction * width)
    mirror = tf.where(draws[:, 3] < 0.5, -1.0, 1.0) if settings.horizontal_flip else tf.ones_like(angle)
    return tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=_transforms(angle, down, right, mirror, (height - 1) / 2, (width - 1) / 2),
        output_shape=tf.constant([height, width]),
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )


def _spread(draw: tf.Tensor, most: float) -> tf.Tensor:
    """Map 0 … 1 to -most … most."""
    return (2.0 * draw - 1.0) * most


def _transforms(
    angle: tf.Tensor, down: tf.Tensor, right: tf.Tensor, mirror: tf.Tensor, middle_y: float, middle_x: float
) -> tf.Tensor:
    """Return the eight numbers an image that lead from an output pixel (x, y) to the input pixel it shows."""
    cosine, sine = tf.cos(angle), tf.sin(angle)
    zero = tf.zeros_like(angle)
    # Input x = cos * m * (x - middle) - sin * (y - middle) + middle + right, and so for y.
    offset_x = middle_x + right - cosine * mirror * middle_x + sine * middle_y
    offset_y = middle_y + down - sine * mirror * middle_x - cosine * middle_y
    return tf.stack([cosine * mirror, -sine, offset_x, sine * mirror, cosine, offset_y, zero, zero], axis=1)
