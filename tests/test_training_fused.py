"""Fused operations against Keras's own, which compose the same of many."""

import numpy as np
import pytest
from networks import small_trial

pytestmark = pytest.mark.usefixtures("tensorflow")
SHAPE = (6, 5, 4, 3)


def normalizations(*shape, **options):
    """Return our layer and Keras's with the same scale, offset and moving moments, none of them as at the beginning."""
    import keras

    from cifar_report.training.keras_objects import FusedBatchNormalization

    layers = FusedBatchNormalization(**options), keras.layers.BatchNormalization()
    random = np.random.default_rng(5)
    weights = [random.uniform(0.5, 2, shape[-1]).astype(np.float32) for _ in range(4)]
    for layer in layers:
        layer.build((None, *shape[1:]))
        layer.set_weights(weights)
    return layers


def some_values(*shape):
    """Return numbers whose channels have means and deviations of their own."""
    random = np.random.default_rng(8)
    channels = shape[-1]
    return (random.normal(size=shape) * np.linspace(0.5, 3, channels) + np.arange(channels)).astype(np.float32)


def outcome(tensorflow, layer, values, upstream):
    """Return outputs, gradients to inputs, scale and offset, and the moving moments after one batch of training."""
    return [*train(tensorflow, layer, tensorflow.constant(values), upstream), *layer.non_trainable_variables]


def train(tensorflow, layer, values, upstream):
    """Return outputs, and gradients to inputs, scale and offset, of one batch of training."""
    with tensorflow.GradientTape() as tape:
        tape.watch(values)
        outputs = layer(values, training=True)
        total = tensorflow.reduce_sum(outputs * upstream)
    return outputs, *tape.gradient(total, [values, layer.gamma.value, layer.beta.value])


@pytest.mark.parametrize("shape", [SHAPE, (40, 7), (1, 7)], ids=["images", "vectors", "one vector"])
def test_batch_normalization_is_that_of_keras(tensorflow, shape):
    """Outputs, all gradients, and moving moments agree with Keras's, for images and for vectors; inference too."""
    ours, theirs = normalizations(*shape)
    values, upstream = some_values(*shape), np.random.default_rng(2).normal(size=shape).astype(np.float32)
    pairs = zip(*(outcome(tensorflow, layer, values, upstream) for layer in (ours, theirs)), strict=True)
    for place, (one, other) in enumerate(pairs):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=str(place))
    inferred = [layer(tensorflow.constant(values), training=False) for layer in (ours, theirs)]
    np.testing.assert_allclose(*inferred, rtol=1e-5, atol=1e-6)


def on_replicas(tensorflow, function, shape, parts):
    """Call a function on each of two replicas with its part; return what each returned, and its moving moments."""
    from cifar_report.training.engine import make_strategy

    strategy = make_strategy(mirrored=True)
    with strategy.scope():
        layer, _ = normalizations(*shape, synchronized=True)

    @tensorflow.function
    def everywhere():
        def one_replica():
            replica = tensorflow.distribute.get_replica_context().replica_id_in_sync_group
            chosen = [tensorflow.switch_case(replica, [lambda part=part: part for part in arrays]) for arrays in parts]
            return function(tensorflow, layer, *chosen)

        return strategy.run(one_replica)

    returned = [*everywhere(), *(each.value for each in layer.non_trainable_variables)]
    return zip(*([each.numpy() for each in strategy.experimental_local_results(one)] for one in returned), strict=True)


@pytest.mark.parametrize(
    ("shape", "first"),
    [(SHAPE, 3), (SHAPE, 4), (SHAPE, 6), ((6, 7), 4)],
    ids=["halves", "uneven parts", "nothing for one replica", "vectors"],
)
def test_two_replicas_normalize_as_one(tensorflow, shape, first):
    """Outputs, gradients and moments over both parts are those of Keras on the whole, whoever has how many images."""
    values, upstream = some_values(*shape), np.random.default_rng(2).normal(size=shape).astype(np.float32)
    parts = [[tensorflow.constant(each[:first]), tensorflow.constant(each[first:])] for each in (values, upstream)]
    one, two = on_replicas(tensorflow, train, shape, parts)
    _, keras_own = normalizations(*shape)
    whole = outcome(tensorflow, keras_own, values, upstream)
    together = [np.concatenate([one[0], two[0]]), np.concatenate([one[1], two[1]]), one[2] + two[2], one[3] + two[3]]
    for place, (ours, theirs) in enumerate(zip([*together, *one[4:]], whole, strict=True)):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5, err_msg=str(place))
    assert np.array_equal(one[4:], two[4:])


def test_on_cards_replicas_normalize_as_keras_does(tensorflow, monkeypatch):
    """TensorFlow refuses the fused gradient there; one replica alone is never synchronized and keeps it."""
    import keras

    from cifar_report.spec import BatchNormalization
    from cifar_report.training.keras_objects import FusedBatchNormalization
    from cifar_report.training.model import build_model

    monkeypatch.setattr(tensorflow.config, "list_logical_devices", lambda _kind: ["a card"])
    trial = small_trial(BatchNormalization())
    several, alone = (build_model(trial, 0, synchronized=several).layers[1] for several in (True, False))
    assert type(several) is keras.layers.BatchNormalization
    assert several.synchronized
    assert type(alone) is FusedBatchNormalization


def test_adam_is_that_of_keras(tensorflow):
    """After many steps with gradients of very different sizes the variables are those of Keras's Adam."""
    import keras

    from cifar_report.training.keras_objects import FusedAdam

    random = np.random.default_rng(1)
    start, sizes = random.normal(size=(2, 5)).astype(np.float32), np.logspace(-6, 2, 5)
    gradients = [(random.normal(size=(2, 5)) * sizes).astype(np.float32) for _ in range(50)]
    variables = [keras.Variable(start.copy()) for _ in range(2)]
    ours, theirs = FusedAdam(0.003, variables[:1]), keras.optimizers.Adam(0.003)
    for gradient in map(tensorflow.constant, gradients):
        ours.apply([gradient])
        theirs.apply([gradient], variables[1:])
    np.testing.assert_allclose(*(variable.numpy() for variable in variables), rtol=2e-5, atol=0)
    assert np.abs(variables[0].numpy() - start).min() > 0.001
