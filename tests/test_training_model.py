"""The Keras models of the trials."""

import numpy as np
import pytest
from networks import small_trial

from cifar_report.registry import load_experiments, trials_of
from cifar_report.spec import Dropout, Trial

pytestmark = pytest.mark.usefixtures("tensorflow")
NETWORKS = [trial for trial in trials_of(load_experiments()).values() if isinstance(trial, Trial)]


@pytest.mark.parametrize("trial", NETWORKS, ids=lambda trial: trial.id)
def test_built_model_has_the_parameters_that_the_spec_counts(trial):
    """Keras counts the same parameters, total and trainable, as the spec does without Keras."""
    from cifar_report.training.model import build_model

    model = build_model(trial, seed=0, synchronized=trial.strategy == "mirrored")
    trainable = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    assert (model.count_params(), trainable) == (trial.parameters_total, trial.parameters_trainable)


def test_initial_weights_follow_the_seed_alone():
    """The same seed gives the same initial weights, another seed others, whatever was built in between."""
    from cifar_report.training.model import build_model

    first, other, again = (build_model(small_trial(), seed).get_weights() for seed in (4, 5, 4))
    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not any(np.array_equal(one, two) for one, two in zip(first, other, strict=True) if one.ndim > 1)


@pytest.mark.parametrize("rate", [0.25, 0.5, 0.75])
def test_dropout_drops_its_rate_and_keeps_the_mean(tensorflow, rate):
    """Dropout zeroes the share ``rate`` and scales the rest, so that the expectation stays."""
    from cifar_report.training.model import KeyedDropout

    draws = tensorflow.random.stateless_uniform([200, 1000], [7, 8])
    dropped = KeyedDropout(rate)(tensorflow.ones([200, 1000]), mask_draw=draws).numpy()
    assert set(np.unique(dropped)) == {np.float32(0), np.float32(1 / (1 - rate))}
    assert np.mean(dropped == 0) == pytest.approx(rate, abs=0.005)
    assert dropped.mean() == pytest.approx(1, abs=0.02)


def test_nothing_is_dropped_in_inference(sample):
    """Without draws, dropout passes its inputs on: evaluation is that of the network without it."""
    from cifar_report.training.model import build_model, dropout_shapes, forward

    images = sample.images[:8] / np.float32(255)
    dropping, plain = build_model(small_trial(Dropout(0.5)), seed=2), build_model(small_trial(), seed=2)
    dropping.set_weights(plain.get_weights())
    assert dropout_shapes(dropping) == [(15, 15, 4)]
    assert np.array_equal(forward(dropping, images, training=False), forward(plain, images, training=False))
