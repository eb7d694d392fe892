"""Split the 60,000 images into train, validation and test, as the original assignment did."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cifar_report.data.release import CLASS_NAMES, TEST_COUNT, TRAIN_COUNT

Indices = npt.NDArray[np.int32]
VALIDATION_SHARE = 0.2


@dataclass(frozen=True)
class Split:
    """Indices (int32) into the 60,000 images, in frozen order; test indices start at 50,000."""

    train: Indices
    validation: Indices
    test: Indices


def split(
    labels: npt.NDArray[np.uint8],
    *,
    split_seed: int = 42,
    fraction: float = 1.0,
    counts: tuple[int, int, int] | None = None,
) -> Split:
    """Split as ``train_test_split(test_size=0.2, random_state=split_seed)``, then keep a stratified part.

    - ``labels`` is uint8 [60000], training labels first.
    - ``split_seed`` is the random state of the split into train and validation.
    - ``fraction`` is the part of train, of validation and of test that is kept, with their class shares.
    - ``counts`` is, instead of a fraction, how many images of train, validation and test are kept.
    """
    from sklearn.model_selection import train_test_split  # takes a second, which only training has

    train, validation = train_test_split(np.arange(TRAIN_COUNT), test_size=VALIDATION_SHARE, random_state=split_seed)
    test = np.arange(TRAIN_COUNT, TRAIN_COUNT + TEST_COUNT)
    whole = [part.astype(np.int32) for part in (train, validation, test)]
    sizes = counts or [max(len(CLASS_NAMES), round(fraction * part.size)) for part in whole]
    kept = [
        part if size == part.size else _stratified(part, labels, size, (split_seed, number))
        for number, (part, size) in enumerate(zip(whole, sizes, strict=True))
    ]
    for part in kept:
        part.setflags(write=False)  # the order is part of what a run's key stands for
    return Split(train=kept[0], validation=kept[1], test=kept[2])


def _stratified(part: Indices, labels: npt.NDArray[np.uint8], size: int, seeds: tuple[int, int]) -> Indices:
    """Keep ``size`` of the indices: each class by its share, members drawn, order as before."""
    classes = labels[part]
    # Raw words of PCG64 are the one stream that NumPy promises never to change (NEP 19).
    keys = np.random.PCG64(np.random.SeedSequence(seeds)).random_raw(part.size)
    keep = np.zeros(part.size, dtype=bool)
    for label, quota in enumerate(_quotas(np.bincount(classes, minlength=len(CLASS_NAMES)), size)):
        members = np.flatnonzero(classes == label)
        keep[members[np.argsort(keys[members], kind="stable")[:quota]]] = True
    return part[keep]


def _quotas(class_sizes: npt.NDArray[np.intp], size: int) -> list[int]:
    """Share ``size`` out by class with the largest-remainder rule; ties go to the lower class number."""
    total = int(class_sizes.sum())
    shares = [divmod(int(count) * size, total) for count in class_sizes]
    quotas = [whole for whole, _ in shares]
    by_remainder = sorted(range(len(shares)), key=lambda label: (-shares[label][1], label))
    for label in by_remainder[: size - sum(quotas)]:
        quotas[label] += 1
    return quotas
