"""What a run's random streams must be, for those who check a bundle without training."""

from __future__ import annotations


def streams_of(seed: int) -> dict[str, str]:
    """Return the fingerprint of each random stream of a seed by name, as today's training code derives them."""
    from cifar_report.training import seeds  # NumPy alone: no TensorFlow comes with it

    return seeds.streams(seed)
