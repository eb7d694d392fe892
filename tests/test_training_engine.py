"""The training loop: against Keras's own, against itself, and on several devices."""

from functools import partial

import numpy as np
import pytest
from msgspec.structs import replace
from networks import small_trial

from cifar_report.spec import Augmentation, BatchNormalization, Conv2D, Dense, Dropout, Flatten, KerasLayer, KerasObject
from cifar_report.training import seeds

pytestmark = pytest.mark.usefixtures("tensorflow")


def train(engine, sample, *, epochs=1, images=80, seed=3, augmentation=None):
    """Train some epochs on the first images of the split; return what each one measured."""
    return [
        engine.train_epoch(
            seeds.epoch_order(seed, 0, epoch, sample.split.train[:images]),
            seeds.epoch_keys(seed, 0, epoch, *engine.drawing_layers),
            augmentation,
        )
        for epoch in range(epochs)
    ]


def same_weights(one, other, **tolerance):
    for mine, theirs in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, **(tolerance or {"rtol": 0, "atol": 0}))


def test_it_trains_as_keras_does(sample, make_engine):
    """With the same initial weights and order, losses, accuracies and weights are those of Keras's ``fit``."""
    import keras

    plain = keras.layers
    layers = [plain.Conv2D(4, 3, 2, activation="relu"), plain.BatchNormalization(), plain.MaxPooling2D(2)]
    layers += [plain.Flatten(), plain.Dense(10, "softmax")]
    model = keras.Sequential([keras.Input((32, 32, 3)), *layers])
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    engine = make_engine(small_trial(BatchNormalization()))
    model.set_weights(engine.weights())

    def examples(indices):
        return np.asarray(sample.images[indices]) / np.float32(255), np.eye(10)[sample.labels[indices]]

    for epoch, ours in enumerate(train(engine, sample, epochs=3)):
        order = seeds.epoch_order(3, 0, epoch, sample.split.train[:80])
        theirs = model.fit(*examples(order), batch_size=32, shuffle=False, verbose=0).history
        assert ours.loss == pytest.approx(theirs["loss"][0], rel=1e-5)
        assert ours.accuracy == pytest.approx(theirs["accuracy"][0], abs=1e-6)
    for mine, other in zip(engine.model.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-3, atol=1e-4)
    evaluated = engine.evaluate(sample.split.validation)
    loss, accuracy = model.evaluate(*examples(sample.split.validation), verbose=0)
    assert (evaluated.loss, evaluated.accuracy) == (pytest.approx(loss, rel=1e-4), pytest.approx(accuracy, abs=1e-6))


def test_evaluation_covers_whole_and_broken_batches(sample, make_engine):
    """Probabilities come back in the order of the indices, whether they fill evaluation batches or not."""
    engine = make_engine(small_trial())
    whole = engine.evaluate(sample.split.train[:250])  # one evaluation batch of 200 and a part of one
    parts = [engine.evaluate(sample.split.train[start : start + 50]) for start in range(0, 250, 50)]
    joined = np.concatenate([part.probabilities for part in parts])
    np.testing.assert_allclose(whole.probabilities, joined, atol=1e-6)
    assert whole.loss == pytest.approx(np.mean([part.loss for part in parts]), rel=1e-5)
    assert whole.accuracy == pytest.approx(np.mean(joined.argmax(1) == sample.labels[sample.split.train[:250]]))


def test_training_repeats_bit_for_bit_and_follows_its_keys(sample, make_engine):
    """The same seed gives the same bits with dropout and augmentation; other keys give other weights."""
    trial = small_trial(Dropout(0.5))
    first, again = make_engine(trial), make_engine(trial)
    variables = [*first.model.variables, *first.optimizer.variables]
    start = [variable.numpy() for variable in variables]
    assert train(first, sample, augmentation=Augmentation()) == train(again, sample, augmentation=Augmentation())
    same_weights(first, again)
    order = seeds.epoch_order(3, 0, 0, sample.split.train[:80])
    results = []
    for keys in ([1, 2], [7, 2], [1, 7], [1, 2]):  # augmentation and dropout each have a key of their own
        for variable, value in zip(variables, start, strict=True):
            variable.assign(value)
        results.append(first.train_epoch(order, np.array(keys), Augmentation()).loss)
    assert len(set(results)) == 3
    assert results[0] == results[3]


NORMALIZED = small_trial(BatchNormalization(), Dropout(0.5))
REGULARIZED = small_trial(
    Conv2D(4, 3, kernel_regularizer=KerasObject("L2", {"l2": 0.01})),
    KerasLayer("ActivityRegularization", {"l2": 0.001}),
    optimizer=KerasObject("SGD", {"momentum": 0.9, "nesterov": True}),
    learning_rate=0.01,
)


@pytest.mark.parametrize(
    ("trial", "images"),
    [
        (NORMALIZED, 75),  # two whole batches and a part of one
        pytest.param(NORMALIZED, 96, marks=pytest.mark.long),
        pytest.param(REGULARIZED, 80, marks=pytest.mark.long),
    ],
    ids=["a broken last batch", "whole batches", "momentum and regularizers"],
)
def test_two_replicas_compute_what_one_device_does(sample, make_engine, trial, images):
    """Mirrored training agrees with one device within rounding: losses, draws, batch statistics, what is added."""
    single, mirrored = make_engine(trial), make_engine(replace(trial, strategy="mirrored"), mirrored=True)
    assert mirrored.replicas == 2
    one, two = (train(each, sample, images=images, augmentation=Augmentation())[0] for each in (single, mirrored))
    assert two[:2] == pytest.approx(one[:2], rel=1e-5)
    assert two.regularization == (one.regularization and pytest.approx(one.regularization, rel=1e-5))
    same_weights(single, mirrored, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize(("offset", "write"), [(0, True), (0, False), (1, True), (16, True)])
def test_images_are_shared_where_they_can_be_and_else_copied(tensorflow, sample, offset, write):
    """The tensor lies on the array's memory, but for one that is read-only, or begins where TensorFlow cannot work."""
    from cifar_report.training.engine import ALIGNMENT, share

    assert sample.images.ctypes.data % ALIGNMENT == 0  # as the memory map of a dataset
    part = sample.images[:64]
    memory = np.zeros(part.size + 2 * ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT + offset
    images = memory[start : start + part.size].reshape(part.shape)
    images[:] = part
    images.setflags(write=write)
    tensor = share(images)
    assert np.array_equal(tensorflow.gather(tensor, [3, 5]).numpy(), part[[3, 5]])
    memory ^= 255
    assert np.array_equal(tensor.numpy(), images if offset == 0 and write else part)


def test_dead_units_are_those_that_are_zero_for_every_image(sample, make_engine):
    """A hidden unit counts as dead where its output is zero for all images, over all hidden layers; others do not."""
    leaky = KerasObject("leaky_relu", {"negative_slope": 0.1})
    layers = (Flatten(), Dense(6), Dense(4), Dense(3, "linear"), Dense(2, leaky), Dense(10, "softmax"))
    engine = make_engine(replace(small_trial(), layers=layers))
    _, first_bias, second, second_bias, *others = engine.weights()
    kernel = np.zeros((32 * 32 * 3, 6), np.float32)
    kernel[0] = [1, -1, 1, 0, 0, 0]  # by the first pixel's red alone
    first_bias[:] = [-0.5, 0, -2, 0, 1, -1]  # some images, none, none, none, all, none
    second[:], second_bias[:] = 0, [-1, 0, 1, 2]
    others[3][:] = -1e6  # of LeakyReLU, whose units are never zero
    engine.set_weights([kernel, first_bias, second, second_bias, *others])
    assert any(sample.images[sample.split.test][:, 0, 0, 0] > 128)
    assert engine.evaluate(sample.split.test).dead_units == 6 / 12
    assert make_engine(small_trial()).evaluate(sample.split.test).dead_units is None


@pytest.mark.parametrize(
    ("mirrored", "card", "there", "visible"),
    [(False, False, 2, 0), (True, False, 2, 2), (False, True, 1, 1), (False, True, 2, None), (False, True, 0, None)],
)
def test_a_plain_run_sees_no_card_but_its_own(tensorflow, monkeypatch, mirrored, card, there, visible):
    """With a faked list of devices: plain runs leave the cards alone or have one, a mirrored one has all of them."""
    from cifar_report.training import engine

    cards, grown = [f"card {place}" for place in range(there)], []
    monkeypatch.setattr(tensorflow.config, "list_physical_devices", lambda kind: cards if kind == "GPU" else ["cpu"])
    monkeypatch.setattr(
        tensorflow.config, "set_visible_devices", lambda found, _: cards.__setitem__(slice(None), found)
    )
    monkeypatch.setattr(tensorflow.config.experimental, "set_memory_growth", lambda card, _: grown.append(card))
    for name in ("set_intra_op_parallelism_threads", "set_inter_op_parallelism_threads"):
        monkeypatch.setattr(tensorflow.config.threading, name, lambda _: None)
    configure = partial(engine.configure.__wrapped__, mirrored=mirrored, card=card)  # it is done once a process
    if visible is None:
        with pytest.raises(RuntimeError, match=f"finds {there} graphics cards, where this run has one"):
            configure()
    else:
        configure()
        assert (len(cards), grown) == (visible, cards)
