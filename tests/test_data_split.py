"""The split into train, validation and test, and the stratified parts of it."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cifar_report.data import Split, split
from cifar_report.spec import CIFAR10

TRAIN_COUNT, TEST_COUNT = CIFAR10.counts

LABELS = np.random.default_rng(3).permutation(np.arange(TRAIN_COUNT + TEST_COUNT) % 10).astype(np.uint8)
UNEVEN = np.random.default_rng(4).choice(10, 60_000, p=np.arange(1, 11) / 55).astype(np.uint8)


def _parts(made: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return made.train, made.validation, made.test


def test_indices_split_as_the_arrays_do():
    """Splitting indices gives what the original's call on the arrays themselves gives, in the same order."""
    from sklearn.model_selection import train_test_split  # takes seconds: not while tests are collected

    images = np.arange(TRAIN_COUNT, dtype=np.int64)[:, None] * 7
    expected = train_test_split(images, LABELS[:TRAIN_COUNT], test_size=0.2, random_state=42)
    made = split(LABELS)
    found = (images[made.train], images[made.validation], LABELS[made.train], LABELS[made.validation])
    assert all(np.array_equal(one, other) for one, other in zip(found, expected, strict=True))


def test_the_whole_split_covers_every_image_once():
    """Disjoint int32 indices cover all images, the test ones in order from 50,000, in a frozen order."""
    made = split(LABELS)
    assert [part.size for part in _parts(made)] == [40_000, 10_000, 10_000]
    assert all(part.dtype == np.int32 for part in _parts(made))
    assert np.array_equal(np.sort(np.concatenate(_parts(made))), np.arange(60_000))
    assert np.array_equal(made.test, np.arange(50_000, 60_000))
    with pytest.raises(ValueError, match="read-only"):
        split(LABELS).train.sort()


@settings(max_examples=25)
@given(st.sampled_from([LABELS, UNEVEN]), st.integers(0, 2**32 - 1), st.floats(0.001, 1, exclude_min=True))
def test_a_fraction_is_stratified_exactly(labels, split_seed, fraction):
    """Each part keeps its share of every class to within one image, in the whole split's order."""
    whole = split(labels, split_seed=split_seed)
    made = split(labels, split_seed=split_seed, fraction=fraction)
    for part, kept in zip(_parts(whole), _parts(made), strict=True):
        assert kept.size == max(10, round(fraction * part.size))
        places = np.flatnonzero(np.isin(part, kept))
        assert np.array_equal(part[places], kept)
        shares = np.bincount(labels[part], minlength=10) * kept.size / part.size
        assert (np.abs(np.bincount(labels[kept], minlength=10) - shares) < 1).all()


def test_fixed_counts_are_kept():
    """Counts give exactly as many images of each part, stratified, whatever the sizes of the others."""
    whole, made = split(LABELS), split(LABELS, counts=(300, 100, 50))
    assert [part.size for part in _parts(made)] == [300, 100, 50]
    for part, kept in zip(_parts(whole), _parts(made), strict=True):
        assert np.isin(kept, part).all()
        assert np.ptp(np.bincount(LABELS[kept], minlength=10)) <= 1
    assert np.array_equal(split(LABELS, counts=(40_000, 10_000, 10_000)).train, whole.train)
    assert np.array_equal(
        split(LABELS, counts=(300, 100, 50)).validation, split(LABELS, counts=(4_000, 100, 9_000)).validation
    )


@pytest.mark.parametrize(
    ("options", "pinned"),
    [
        ({}, "fc6552b63d216d19be163a1c149fe6e741919e09e411adb9abea53101696e9c7"),
        ({"split_seed": 43}, "be81f86ece76e5a61394deeb058b2b754d5c0043d7412085b5ecae95099a8851"),
        ({"fraction": 0.1}, "ea1eda3a38c52d357acd3fcf0ff57ee250d7e6504f17773a8facb81a857cee61"),
        ({"counts": (320, 100, 200)}, "f85e59450da345748790f3578dfa3e15992061ca30fbb7133ea16ef0cdbb61f7"),
    ],
)
def test_the_split_is_the_same_everywhere(options, pinned):
    """The indices are one and the same on every machine and version, whatever the global random state is."""
    np.random.seed(99)  # noqa: NPY002 - the global state is what must not matter
    made = split((np.arange(60_000) % 10).astype(np.uint8), **options)
    indices = np.concatenate(_parts(made)).astype("<i4")
    assert hashlib.sha256(indices.tobytes()).hexdigest() == pinned
