"""The random draws of a run."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cifar_report.training import seeds

INDICES = np.arange(100, 400, 3, dtype=np.int32)
PLACES = st.tuples(st.integers(0, 50), st.integers(0, 3), st.integers(0, 60))


@given(PLACES)
def test_an_epochs_order_holds_every_training_image_once(place):
    """An epoch's order is a permutation of the training indices, int32, and leaves the indices as they are."""
    before = INDICES.copy()
    order = seeds.epoch_order(*place, INDICES)
    assert order.dtype == np.int32
    assert sorted(order) == list(INDICES)
    assert (before == INDICES).all()


@given(PLACES, PLACES)
def test_orders_differ_between_seeds_stages_and_epochs(one, other):
    """Two epochs have the same order only when seed, stage and epoch are the same."""
    same = np.array_equal(seeds.epoch_order(*one, INDICES), seeds.epoch_order(*other, INDICES))
    assert same == (one == other)


def test_streams_have_fixed_values():
    """A stream's numbers belong to the published results: a change of the derivation must not pass unseen."""
    assert seeds.derive(0, "order", 0, 0) == 0x18AEB8941D28C01F
    assert seeds.epoch_order(0, 0, 0, np.arange(8)).tolist() == [6, 0, 4, 1, 2, 5, 3, 7]


@given(PLACES, st.integers(0, 4))
def test_every_draw_of_an_epoch_has_a_key_of_its_own(place, layers):
    """Augmentation and each dropout layer get different keys, and other ones in any other epoch."""
    seed, stage, epoch = place
    keys = seeds.epoch_keys(seed, stage, epoch, layers)
    following = seeds.epoch_keys(seed, stage, epoch + 1, layers)
    assert keys.dtype == np.int64
    assert len({*keys.tolist(), *following.tolist()}) == 2 * (layers + 1)
