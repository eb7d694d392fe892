"""Every random draw of a run, derived by name: nothing depends on hidden state, order or process."""

import hashlib

import numpy as np

from cifar_report.training import Array


def derive(seed: int, *names: str | int) -> int:
    """Return a number below 2**63 that depends on the seed and the names of the stream alone."""
    path = "/".join(str(name) for name in (seed, *names))
    return int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big") >> 1


def epoch_order(seed: int, stage: int, epoch: int, indices: Array) -> Array:
    """Return the training indices in an epoch's order, int32, the same for all trials; stage and epoch count from 0."""
    generator = np.random.Generator(np.random.Philox(derive(seed, "order", stage, epoch)))
    return generator.permutation(indices).astype(np.int32)


def epoch_keys(seed: int, stage: int, epoch: int, dropout_layers: int, other_layers: int = 0) -> Array:
    """Return the keys of one epoch's draws, int64: augmentation first, then one a dropout layer, then the others."""
    names: list[tuple[str | int, ...]] = [("augmentation",)]
    names += [("dropout", layer) for layer in range(dropout_layers)]
    names += [("layer", layer) for layer in range(other_layers)]
    return np.array([derive(seed, *name, stage, epoch) for name in names], np.int64)


def initialisation(seed: int, layer: int) -> int:
    """Return the seed of a layer's initial weights; Keras takes 32 bits."""
    return derive(seed, "initialisation", layer) >> 32


def fingerprint(*arrays: Array) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 over the arrays' bytes, one after the other."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return total.hexdigest()[:16]


def streams(seed: int, *more: str) -> dict[str, str]:
    """Return the run's streams by name with the fingerprint of each, for the record; few runs have ``more``."""
    names = ("initialisation", "order", "dropout", "augmentation", *more)
    return {name: f"{derive(seed, name):016x}" for name in names}
