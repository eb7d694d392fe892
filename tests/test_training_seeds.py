"""The random draws of a run."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from networks import linear_trial

from cifar_report.spec import Stage
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


ORDERS_OF_FIT = """
import keras, numpy as np

class Watched(keras.Sequential):
    def train_step(self, data):
        seen.extend(data[0].numpy().ravel())
        return super().train_step(data)

for seeded in (False, True):
    if seeded:
        keras.utils.set_random_seed(0)
    seen, places = [], np.arange(64.0)
    model = Watched([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", run_eagerly=True)
    model.fit(places[:, None], places, batch_size=16, epochs=3, verbose=0)
    print(len({tuple(order) for order in np.reshape(seen, (3, 64))}))
"""


@pytest.mark.long
def test_keras_repeats_one_order_once_it_was_seeded():
    """The installed Keras's ``fit`` repeats one order once it was seeded, which the report warns of."""
    done = subprocess.run([sys.executable, "-c", ORDERS_OF_FIT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "1"]


def test_a_fixed_order_is_that_of_the_first_epoch(tensorflow, sample):  # noqa: ARG001 - TensorFlow must have started
    """A trial with a fixed order goes through its stage's first order in every epoch; others share that one alone."""
    from cifar_report.training.network import train_network

    def orders(**changes):
        trial = linear_trial(stages=(Stage(id="first", epochs=3), Stage(id="second", epochs=2)), **changes)
        outcome = train_network(trial, 1, sample.images, sample.labels, sample.split)
        return [[epoch.order for epoch in stage.hashes] for stage in outcome.stages]

    (first, *_), (second, *_) = drawn = orders()
    assert len({*drawn[0], *drawn[1]}) == 5
    assert orders(data_order="fixed") == [[first] * 3, [second] * 2]
