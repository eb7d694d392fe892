"""What a specification says about a network without training it."""

from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace

from cifar_report.published import load_original
from cifar_report.registry import load_experiments, trials_of
from cifar_report.spec import (
    CIFAR10,
    AnyLayer,
    AnyTrial,
    Augmentation,
    BatchNormalization,
    Claim,
    ClassicalTrial,
    Conv2D,
    Dense,
    Dropout,
    EarlyStopping,
    Flatten,
    KerasLayer,
    KerasObject,
    MaxPooling2D,
    NearestCentroid,
    NearestNeighbors,
    Residual,
    Side,
    Stage,
    Trial,
    differences,
    registry_hash,
    spec_hash,
    walk,
)

ORIGINAL = load_original()
TRIALS = trials_of(load_experiments())
TITLE = "A network"
OUTPUT = Dense(10, "softmax")


@pytest.mark.parametrize(
    "trial", [each for each in TRIALS.values() if ORIGINAL.find(each.id)], ids=lambda trial: trial.id
)
def test_parameters_equal_the_originals(trial):
    """All and trainable parameters of a trial must be exactly those that the original printed."""
    original = ORIGINAL.find(trial.id)
    assert trial.parameters_total == original.parameters_total
    assert trial.parameters_trainable == original.parameters_trainable


def test_counts_by_hand():
    """Counts are the sums by hand, and sides shrink to ceil(side / stride), or without padding as Keras has it."""
    assert TRIALS["baseline"].macs == 30 * 30 * 16 * (3 * 3 * 3) + 15 * 15 * 16 * 32 + 32 * 10 == 504_320
    convolutions = 32 * 32 * 16 * 27 + 16 * 16 * 64 * (9 * 16) + 8 * 8 * 128 * (9 * 64)
    for trial_id in ("model_2", "model_2_parallel"):
        trial = TRIALS[trial_id]
        assert trial.macs == convolutions + 4 * 4 * 128 * 256 + 256 * 10
        assert (trial.parameters_total, trial.parameters_trainable) == (612_554, 611_626)
    assert Conv2D(4, 3, strides=2).costs((32, 32, 3))[0] == (15, 15, 4)
    assert Conv2D(4, 3, strides=2, padding="same").costs((31, 32, 3))[0] == (16, 16, 4)
    assert Conv2D(4, 7).costs((32, 32, 3))[0] == (26, 26, 4)
    assert MaxPooling2D(3).costs((32, 30, 4))[0] == (10, 10, 4)


def test_differences_count_the_same_both_ways():
    """Changes must count alike there and back, be found exactly where trials train otherwise, and show in the hash."""
    hashes = {each: spec_hash(each) for each in (*TRIALS.values(), keras_trial())}
    for one, other in (*pairwise(hashes), *((TRIALS["baseline"], each) for each in hashes)):
        there, back = differences(one, other), differences(other, one)
        assert len(there) == len(back)
        assert bool(there) == (without_stage_names(one) != without_stage_names(other)) == (hashes[one] != hashes[other])
    assert all(differences(each, replace(each, id="copy")) == () for each in TRIALS.values())


def without_stage_names(trial: AnyTrial) -> AnyTrial:
    """Return the trial with its stages numbered, since a stage's name is no change."""
    if isinstance(trial, ClassicalTrial):
        return trial
    return replace(trial, stages=tuple(replace(stage, id=str(at)) for at, stage in enumerate(trial.stages)))


@pytest.mark.parametrize("trial", TRIALS.values(), ids=TRIALS)
def test_a_configuration_hashes_alike_declared_computed_and_decoded(trial):
    """A trial keeps its hash when it is stored and read, computed, or given other names and prose."""
    again = msgspec.json.decode(msgspec.json.encode(trial), type=AnyTrial)
    assert again == trial
    computed = replace(replace(trial, split_seed=7), split_seed=trial.split_seed)
    for version in (1, 2):
        assert spec_hash(again, version) == spec_hash(computed, version) == spec_hash(trial, version)
    renamed = replace(trial, id="other", title="Other", as_written="a", one_change="b")
    assert spec_hash(renamed) == spec_hash(trial)


def test_fields_that_equal_their_default_are_no_part_of_the_hash():
    """Defaults must hash alike whether they are left out, written down or computed, as 1 or as 1.0."""
    plain = Trial(id="a", title=TITLE, layers=(Conv2D(4, 3), Flatten(), OUTPUT), stages=(Stage(epochs=1),))
    written = replace(
        plain,
        layers=(Conv2D(4, 3, strides=2 - 1, padding=b"valid".decode()), Flatten(), OUTPUT),
        stages=[Stage(id="training", epochs=1, augmentation=None)],
        learning_rate=0.1 / 100,
        batch_size=2**5,
    )
    assert spec_hash(written) == spec_hash(plain)
    assert spec_hash(replace(plain, learning_rate=1)) == spec_hash(replace(plain, learning_rate=1.0))
    augmented = replace(plain, stages=(Stage(epochs=1, augmentation=Augmentation()),))
    assert spec_hash(augmented) != spec_hash(plain)


WEIGHTED = {"use_bias": True, "kernel_initializer": None, "kernel_regularizer": None}
DEFAULTS = {
    Conv2D: {"strides": 1, "padding": "valid", "activation": "relu", **WEIGHTED},
    MaxPooling2D: {"pool_size": 2},
    Flatten: {},
    Dense: {"activation": "relu", **WEIGHTED},
    BatchNormalization: {},
    Dropout: {},
    Augmentation: {"rotation_degrees": 15.0, "shift_fraction": 0.1, "horizontal_flip": True},
    EarlyStopping: {"patience": 4},
    Stage: {"id": "training", "augmentation": None, "early_stopping": None},
    NearestNeighbors: {},
    NearestCentroid: {},
    Trial: {
        "batch_size": 32,
        "learning_rate": 0.001,
        "split_seed": 42,
        "strategy": "single",
        "data_order": "every_epoch",
        "optimizer": KerasObject("Adam"),
        "label_smoothing": 0.0,
    },
    ClassicalTrial: {"training_images": "train", "split_seed": 42},
}


@pytest.mark.parametrize("kind", DEFAULTS, ids=lambda kind: kind.__name__)
def test_defaults_stay_as_the_schemas_version_has_them(kind):
    """Hashes leave defaults out, so whoever changes one must raise SCHEMA_VERSION; a new field may come with one."""
    found = {field.name: field.default for field in msgspec.structs.fields(kind)}
    assert {name: found[name] for name in DEFAULTS[kind]} == DEFAULTS[kind]
    assert all(field.default_factory is msgspec.NODEFAULT for field in msgspec.structs.fields(kind))


def test_a_block_is_one_change_and_two_blocks_are_two():
    """A convolution that comes with its pooling must count once, and each further one again."""
    baseline = TRIALS["baseline"]
    block = (Conv2D(8, 3), MaxPooling2D(2))
    once = replace(baseline, layers=(*baseline.layers[:2], *block, *baseline.layers[2:]))
    twice = replace(baseline, layers=(*baseline.layers[:2], *block, *block, *baseline.layers[2:]))
    assert len(differences(baseline, once)) == 1
    assert len(differences(baseline, twice)) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"layers": ()},
        {"layers": (Flatten(), Dense(10))},
        {"layers": (Dense(10, "softmax"),)},
        {"layers": (Flatten(), Conv2D(4, 3), Flatten(), OUTPUT)},
        {"layers": (Conv2D(4, 33), Flatten(), OUTPUT)},
        {"layers": (MaxPooling2D(33), Flatten(), OUTPUT)},
        {"stages": ()},
        {"stages": (Stage(epochs=0),)},
        {"stages": (Stage(id="../escape", epochs=1),)},
        {"stages": (Stage(epochs=1), Stage(epochs=2))},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"id": "Upper"},
        {"id": "../escape"},
        {"id": ""},
        {"id": "dot."},
        {"id": "two..dots"},
        {"id": "line\n"},
    ],
    ids=str,
)
def test_impossible_trials_are_refused(change):
    """A trial that could not be trained or stored must be refused when it is written down."""
    with pytest.raises((ValueError, msgspec.ValidationError), match=r"trial|is no id|needs|does not fit|must|Expected"):
        msgspec.convert(msgspec.to_builtins(replace(TRIALS["baseline"], **change)), Trial)


@pytest.mark.parametrize("layer", [Conv2D(0, 3), Conv2D(4, 3, strides=0), Dense(0), MaxPooling2D(0), Dropout(1.0)])
def test_impossible_layers_are_refused(layer):
    """A layer of no size, or one that drops everything, must be refused when it is read."""
    with pytest.raises(msgspec.ValidationError, match="Expected"):
        msgspec.json.decode(msgspec.json.encode(layer), type=AnyLayer)


def _claim(**fields: object) -> Claim:
    text = "A claim."
    base = {"id": "X", "code": "X", "statement": text, "said": text, "quantity": "accuracy", "relation": "greater"}
    sides = {"subject": Side("a"), "comparator": Side("b"), "comparison": "as_written", "margin": 0.01}
    return Claim(**{**base, **sides, **fields})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"margin": None},
        {"comparator": None},
        {"relation": "value"},
        {"relation": "value", "value": 0.7},
        {"relation": "exact"},
        {"exact_relation": "less"},
        {"relation": "ratio"},
    ],
    ids=str,
)
def test_undecidable_claims_are_refused(fields):
    """A claim that lacks its margin, value or comparator must be refused when it is written down."""
    with pytest.raises(ValueError, match="claim X"):
        _claim(**fields)


def test_registry_hash_shows_a_moved_margin_and_no_order():
    """Moving a margin changes the registry's hash, order does not; a stored run's hash of version 1 comes out."""
    one, other = _claim(), _claim(id="Y")
    assert registry_hash([one, other]) == registry_hash([other, one])
    assert registry_hash([replace(one, margin=0.02), other]) != registry_hash([one, other])
    assert spec_hash(TRIALS["baseline"], 1) == "2c2536ecff0da1eeeac8089824c720f1c7c6b5a5d5e3da9daa1d2b106bfc3df8"
    assert spec_hash(TRIALS["baseline"]) == "1fd82465dafacfb1067faa96183c52ff99d76f2b27ffe4a65fa0922a26a5d561"


LAYERED = (
    KerasLayer("RandomFlip", {"mode": "horizontal"}),
    Residual((Conv2D(8, 3, 2, "same", KerasObject("elu", {"alpha": 2})),), (Conv2D(8, 1, 2, activation="linear"),)),
    KerasLayer("GlobalAveragePooling2D"),
    Dense(10, "softmax", kernel_regularizer=KerasObject("L2", {"l2": 1e-4})),
)
SCHEDULE = KerasObject("PiecewiseConstantDecay", {"boundaries": (10, 20), "values": (0.1, 0.01, 1e-3)})


def keras_trial(**changes) -> Trial:
    fields = {"layers": LAYERED, "optimizer": KerasObject("SGD", {"momentum": 0.9}), "learning_rate": SCHEDULE}
    return Trial(id="named", title=TITLE, stages=(Stage(epochs=1),), **fields | changes)


def test_names_of_keras_survive_a_record():
    """A trial with objects of Keras reads back equal, with the same hash, and each of its arguments counts."""
    trial = keras_trial()
    stored = msgspec.json.decode(msgspec.json.encode(trial), type=AnyTrial)
    assert stored == trial
    assert hash(stored) == hash(trial)
    other = keras_trial(optimizer=KerasObject("SGD", {"momentum": 0.8}))
    assert spec_hash(stored) == spec_hash(trial) != spec_hash(other)
    assert [change.place for change in differences(trial, other)] == ["optimizer"]
    noisy = keras_trial(layers=(KerasLayer("RandomFlip", {"mode": "vertical"}), *LAYERED[1:]))
    assert differences(trial, noisy) == (("RandomFlip, mode", "horizontal", "vertical"),)
    with pytest.raises(ValueError, match="no argument that a record could hold"):
        KerasObject("SGD", {"momentum": float("inf")})


def test_counts_are_exact_where_they_are_known_and_missing_elsewhere():
    """Both ways of a residual branch count; behind a layer that only Keras knows nothing is claimed."""
    trial = keras_trial()
    assert (trial.parameters_total, trial.parameters_trainable) == (224 + 32 + 90,) * 2
    assert trial.macs == 256 * 8 * (27 + 3) + 80
    assert [row.shape for row in walk(LAYERED, CIFAR10.shape)] == [(32, 32, 3), (16, 16, 8), (8,), (10,)]
    unknown = keras_trial(layers=(LAYERED[0], KerasLayer("SeparableConv2D", {"filters": 3}), *LAYERED[2:]))
    assert unknown.macs is unknown.parameters_total is None
    assert [row.macs for row in walk(unknown.layers, CIFAR10.shape)] == [0, None, None, None]
    assert replace(trial, layers=(Flatten(), Dense(10, "softmax", use_bias=False))).parameters_total == 30720


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"layers": (Residual((Conv2D(8, 3, padding="same"),)), Flatten(), OUTPUT)}, "cannot add shapes"),
        ({"optimizer": KerasObject("SGD", {"learning_rate": 0.1})}, "learning_rate is a field of the trial"),
    ],
)
def test_what_no_framework_is_needed_to_refuse(changes, sentence):
    """Shapes that cannot be added and a second learning rate are refused at once."""
    with pytest.raises(ValueError, match=sentence):
        keras_trial(**changes)
