"""Keras's other layers, optimizers, schedules and regularizers by their names: trained as Keras does, or refused."""

from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace
from networks import small_trial
from test_training_engine import train

from cifar_report.errors import UsageError
from cifar_report.running import runs
from cifar_report.spec import Conv2D, Dense, KerasLayer, KerasObject, Residual, Stage
from cifar_report.training import seeds

pytestmark = pytest.mark.usefixtures("tensorflow")
L2 = KerasObject("L2", {"l2": 0.01})
BRANCH = Residual((Conv2D(4, 3, padding="same", kernel_regularizer=L2), Conv2D(4, 3, padding="same", use_bias=False)))
PROJECTED = Residual((Conv2D(6, 3, 2, "same"),), shortcut=(Conv2D(6, 1, 2, activation="linear"),))
MOMENTUM = KerasObject("SGD", {"momentum": 0.9, "nesterov": True})
COSINE = KerasObject("CosineDecay", {"initial_learning_rate": 0.02, "decay_steps": 6})


def plain_network(keras):
    """Return the network with both residual branches in Keras's own layers."""
    convolution = partial(keras.layers.Conv2D, padding="same")
    inputs = keras.Input((32, 32, 3))
    first = keras.layers.Conv2D(4, 3, 2, activation="relu")(inputs)
    regularized = convolution(4, 3, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01))(first)
    added = keras.layers.Add()([convolution(4, 3, activation="relu", use_bias=False)(regularized), first])
    branch = convolution(6, 3, 2, activation="relu")(added)
    added = keras.layers.Add()([branch, keras.layers.Conv2D(6, 1, 2)(added)])
    pooled = keras.layers.Flatten()(keras.layers.MaxPooling2D(2)(added))
    return keras.Model(inputs, keras.layers.Dense(10, "softmax")(pooled))


def test_momentum_schedule_regularizer_and_branches_train_as_keras_does(sample, make_engine):
    """Six steps give a Keras loop's weights and loss, whose regularizer is recorded and counts in training alone."""
    import keras
    import tensorflow as tf

    trial = small_trial(BRANCH, PROJECTED, optimizer=MOMENTUM, learning_rate=COSINE, label_smoothing=0.1)
    engine, model = make_engine(trial), plain_network(keras)
    model.set_weights(engine.weights())
    rate = keras.optimizers.schedules.CosineDecay(0.02, 6)
    optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True)
    loss_of = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    losses, penalties = [], []
    for epoch in range(2):
        order = seeds.epoch_order(3, 0, epoch, sample.split.train[:96])
        for batch in np.split(order, 3):
            with tf.GradientTape() as tape:
                probabilities = model(sample.images[batch] / np.float32(255), training=True)
                loss = loss_of(tf.one_hot(sample.labels[batch], 10), probabilities)
                penalty = tf.add_n(model.losses)
                total = loss + penalty
            weights = model.trainable_weights
            optimizer.apply_gradients(zip(tape.gradient(total, weights), weights, strict=True))
            losses.append(float(total))
            penalties.append(float(penalty))
    measured = train(engine, sample, epochs=2, images=96)
    assert [each.loss for each in measured] == pytest.approx([np.mean(losses[:3]), np.mean(losses[3:])], rel=1e-5)
    expected = [np.mean(penalties[:3]), np.mean(penalties[3:])]
    assert [each.regularization for each in measured] == pytest.approx(expected, rel=1e-5)
    for mine, theirs in zip(engine.weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-6)
    chosen = engine.evaluate(sample.split.test)
    right = chosen.probabilities[np.arange(len(sample.split.test)), sample.labels[sample.split.test]]
    assert chosen.loss == pytest.approx(-np.log(right).mean(), rel=1e-5)


TRIALS = {
    "averages": small_trial(
        stages=(Stage(epochs=2),), optimizer=KerasObject("SGD", {"momentum": 0.5, "use_ema": True, "ema_momentum": 0.9})
    ),
    "SGD": small_trial(BRANCH, stages=(Stage(epochs=2),), optimizer=MOMENTUM, learning_rate=COSINE),
    "AdamW with averages": small_trial(
        KerasLayer("SeparableConv2D", {"filters": 4, "kernel_size": 3, "depthwise_initializer": "he_normal"}),
        KerasLayer("SpectralNormalization", {"layer": KerasObject("Conv2D", {"filters": 3, "kernel_size": 2})}),
        stages=(Stage(epochs=2),),
        optimizer=KerasObject("AdamW", {"weight_decay": 0.01, "use_ema": True, "ema_momentum": 0.9}),
    ),
    "RMSprop": small_trial(
        KerasLayer("GaussianNoise", {"stddev": 0.1}),
        KerasLayer("SpatialDropout2D", {"rate": 0.3}),
        stages=(Stage(epochs=2),),
        optimizer=KerasObject("RMSprop", {"momentum": 0.5}),
    ),
}


def test_evaluation_sees_the_averages_and_training_goes_on_without_them(sample, make_engine):
    """The averages are those that Keras defines, the first step's weights being their start."""
    averaging = KerasObject("SGD", {"use_ema": True, "ema_momentum": 0.75})
    engine, trained, averages = make_engine(small_trial(optimizer=averaging, learning_rate=0.5)), [], []
    for epoch in range(2):
        engine.train_epoch(sample.split.train[:32], seeds.epoch_keys(3, 0, epoch, 0), None)
        trained.append(engine.weights()[0])
        with engine.averaged():
            averages.append(engine.weights()[0])
    assert np.array_equal(averages[0], trained[0])
    np.testing.assert_allclose(averages[1], 0.75 * trained[0] + 0.25 * trained[1], rtol=1e-5, atol=1e-7)
    assert np.array_equal(engine.weights()[0], trained[1])


@pytest.mark.parametrize(
    "layer",
    [
        KerasLayer("GaussianNoise", {"stddev": 0.5}),
        pytest.param(KerasLayer("AlphaDropout", {"rate": 0.5}), marks=pytest.mark.long),
        pytest.param(KerasLayer("RandomFlip", {"mode": "horizontal"}), marks=pytest.mark.long),
    ],
    ids=lambda layer: layer.name,
)
def test_a_layer_that_draws_follows_its_stream(layer, sample, make_engine):
    """It draws the same for the same key and step, otherwise for another one of either, and nothing in evaluation."""
    plain = small_trial()
    trial = replace(plain, layers=(layer, *plain.layers))
    engine, without = make_engine(trial), make_engine(plain)
    assert engine.drawing_layers == (0, 1)
    begin, state = engine.weights(), engine.optimizer_state()

    def after(epoch, images):
        engine.set_weights(begin)
        engine.set_optimizer_state(state)
        engine.train_epoch(images, seeds.epoch_keys(3, 0, epoch, *engine.drawing_layers), None)
        return engine.weights()[0]

    first = sample.split.train[:32]
    assert np.array_equal(after(0, first), after(0, first))
    assert not np.array_equal(after(0, first), after(1, first))
    twice = after(0, np.concatenate([first, first]))  # the second step sees the same images with other draws
    engine.set_weights(begin)
    without.set_weights(begin)
    chosen = [each.evaluate(sample.split.test).probabilities for each in (engine, without)]
    assert np.array_equal(*chosen)
    assert not np.array_equal(twice, after(0, first))


layered = small_trial  # in short
REFUSED = [
    (layered(KerasLayer("LeekyReLU")), "Keras has no layer 'LeekyReLU': did you mean 'LeakyReLU'"),
    (layered(KerasLayer("LeakyReLU", {"negative_slop": 1})), "did you mean 'negative_slope'"),
    (layered(KerasLayer("GaussianNoise", {"stddev": 1, "seed": 3})), "that is the seed of the run"),
    (layered(KerasLayer("Lambda")), "it runs code"),
    (layered(KerasLayer("MixUp")), "it changes labels"),
    (layered(KerasLayer("Normalization")), "adapted to the data"),
    (layered(KerasLayer("RandomBrightness", {"factor": 0.1})), "'value_range': \\[0, 1\\]"),
    (layered(KerasLayer("Conv3D", {"filters": 3, "kernel_size": 3})), "expected min_ndim=5"),
    (layered(KerasLayer("Hashing", {"num_bins": 3})), "no gradient reaches network/00_conv2d/kernel"),
    (layered(Conv2D(3, 3, activation="rellu")), "no activation 'rellu': did you mean 'relu'"),
    (layered(Conv2D(3, 3, kernel_initializer="he_norml")), "no initializer 'he_norml': did you mean 'he_normal'"),
    (layered(Conv2D(3, 3, kernel_regularizer=KerasObject("L2", {"l3": 1}))), "the regularizer L2 has no argument 'l3'"),
    (layered(optimizer=KerasObject("Sgd")), "Keras has no optimizer 'Sgd': did you mean 'SGD'"),
    (layered(optimizer=KerasObject("SGD", {"momentumm": 1})), "did you mean 'momentum'"),
    (layered(learning_rate=KerasObject("CosineDecay", {"decay_steps": 3})), "initial_learning_rate"),
    (layered(KerasLayer("GaussianNoise", {"stddev": 1}), strategy="mirrored"), "train it on one device"),
    (layered(optimizer=KerasObject("SGD", {"use_ema": True}), strategy="mirrored"), "may not be given use_ema"),
]


@pytest.mark.parametrize(("trial", "sentence"), REFUSED)
def test_what_keras_does_not_have_or_cannot_repeat_is_refused_with_a_sentence(trial, sentence):
    """The sentence names the trial and what is wrong with it, and what was meant where a name is close."""
    from cifar_report.training.network import check_trials

    assert trial.needs_keras
    with pytest.raises(AssertionError, match=f"^trial small: .*{sentence}"):
        raise AssertionError(check_trials([trial]))


def test_what_keras_has_is_not_refused():
    """Every kind of name in its place passes, with arguments or without."""
    from cifar_report.training.network import check_trials

    leaky = Dense(8, KerasObject("leaky_relu", {"negative_slope": 0.1}), kernel_initializer="he_uniform")
    pooled = (KerasLayer("GlobalAveragePooling2D"), leaky, Dense(10, "softmax", kernel_regularizer="l2"))
    trial = layered(KerasLayer("LSTM", {"units": 3}))  # its input has too many dimensions
    good = replace(trial, layers=(Conv2D(4, 3, activation="swish"), BRANCH, *pooled), learning_rate=COSINE)
    assert check_trials([*TRIALS.values(), good]) == ""
    assert "LSTM" in check_trials([good, trial]) or "lstm" in check_trials([good, trial])


def test_a_suite_has_a_worker_check_what_keras_alone_knows(monkeypatch):
    """What Keras does not have stops a suite before it writes; networks of known layers need no such worker."""
    asked = []

    def call_here(function, trials, *_):
        asked.extend(trials)
        return function(trials, None)

    monkeypatch.setattr(runs, "call_alone", call_here)
    with pytest.raises(UsageError, match="trial small: Keras has no layer 'LeekyReLU': did you mean 'LeakyReLU'"):
        runs.check_networks([small_trial(), REFUSED[0][0]])
    runs.check_networks([small_trial()])
    assert asked == [REFUSED[0][0]]
