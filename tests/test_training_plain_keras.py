"""Trials as plain Keras: the text that trains the same, and the files that plain Keras loads."""

import json
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from msgspec.structs import replace
from networks import small_trial

from cifar_report.errors import SuiteError, UsageError
from cifar_report.plain_keras import excerpts
from cifar_report.registry import load_experiments, trials_of
from cifar_report.spec import Conv2D, Dense, Flatten, KerasLayer, KerasObject, Residual, Stage, Trial

pytestmark = pytest.mark.usefixtures("tensorflow")
SUITE = {trial.id: trial for trial in trials_of(load_experiments()).values() if isinstance(trial, Trial)}
BRANCHED = Residual(
    (Conv2D(4, 3, padding="same"), Residual((Conv2D(4, 1, activation=KerasObject("elu", {"alpha": 0.5})),))),
    (Conv2D(4, 1, activation="linear", kernel_regularizer=KerasObject("L2", {"l2": 0.01})),),
)
OWN = small_trial(
    BRANCHED,
    KerasLayer("LeakyReLU", {"negative_slope": 0.2}),
    optimizer=KerasObject("SGD", {"momentum": 0.9}),
    learning_rate=KerasObject("CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 100}),
    label_smoothing=0.1,
)
TRIALS = [*SUITE.values(), OWN]
PROGRAMS = list({(trial.layers, trial.optimizer, trial.strategy): trial for trial in reversed(TRIALS)}.values())
ARCHITECTURES = list({trial.layers: trial for trial in reversed(TRIALS)}.values())
QUICK = ("baseline", "batch_norm", "dropout", "model_2", OWN.id)


def trained(trial, seed=3):
    """Return the engine's network with weights that no initializer gives, and those weights by their names."""
    from cifar_report.training.model import build_model
    from cifar_report.training.network import weight_names

    model = build_model(trial, seed)
    draw = np.random.default_rng(seed)
    model.set_weights([np.abs(draw.normal(0.1, 0.1, each.shape)).astype(np.float32) for each in model.get_weights()])
    return model, dict(zip(weight_names(model), model.get_weights(), strict=True))


def execute(trial, *topics, **names):
    """Execute the excerpts of some topics one after the other, and return the names that they leave."""
    import keras
    import tensorflow

    names = {"keras": keras, "layers": keras.layers, "tf": tensorflow, **names}
    for excerpt in excerpts(trial):
        if excerpt.topic in topics:
            exec(excerpt.code, names)  # noqa: S102 - the text under test
    return names


@pytest.mark.parametrize("trial", PROGRAMS, ids=lambda trial: trial.id)
def test_the_text_builds_the_network_that_is_trained(trial, tensorflow):
    """Executed, the text of each trial builds and compiles the same layers, settings and parameters as the engine."""
    from cifar_report.training.model import build_model, build_plain_model

    strategy = tensorflow.distribute.get_strategy()
    model = execute(trial, "model", "compile", strategy=strategy)["model"]
    engine = build_model(trial, 0)
    assert model.count_params() == engine.count_params()
    if trial is not OWN:  # whose branches are one layer there
        rows = [[(each.output.shape, each.count_params()) for each in one.layers] for one in (model, engine)]
        assert rows[0] == rows[1]
    plain = [layer for layer in build_plain_model(trial).layers if type(layer).__name__ != "InputLayer"]
    written = [layer for layer in model.layers if type(layer).__name__ != "InputLayer"]
    told = [[(type(each), each.output.shape, settings(each)) for each in layers] for layers in (written, plain)]
    assert told[0] == told[1]
    assert type(model.optimizer).__name__ == trial.optimizer.name


def settings(layer) -> str:
    """Return the configuration of a layer without names and seeds, and where it gets its statistics from."""
    left_out = {"name", "seed", "synchronized"}

    def kept(value):
        if isinstance(value, dict):
            return {name: kept(each) for name, each in value.items() if name not in left_out}
        return [kept(each) for each in value] if isinstance(value, (list, tuple)) else value

    return json.dumps(kept(layer.get_config()), sort_keys=True, default=str)


@pytest.mark.parametrize(
    "trial",
    [
        small_trial(data_order="fixed"),
        *(pytest.param(SUITE[n], marks=pytest.mark.long) for n in ("baseline", "model_2")),
    ],
    ids=lambda trial: trial.id,
)
def test_the_text_trains(trial, sample, in_folder, capsys):
    """Executed at one epoch on a few images, every stage trains, keeps its best weights and is evaluated."""
    stages = tuple(Stage(id=e.id, epochs=1, augmentation=e.augmentation) for e in trial.stages)
    once = replace(trial, stages=stages)
    names = execute(once, "model", "compile", "batches", "augmentation", "fit", "evaluate", **images(sample))
    assert all((in_folder / f"{stage.id}.keras").exists() for stage in once.stages)
    assert "test accuracy 0." in capsys.readouterr().out
    first, second = ([labels.numpy().tobytes() for _, labels in names["train"]] for _ in range(2))
    assert (first == second) is (trial.data_order == "fixed")


def images(sample):
    parts = SimpleNamespace(train=sample.split.train[:64], val=sample.split.validation, test=sample.split.test)
    found = {}
    for name, rows in vars(parts).items():
        found[f"x_{name}"] = sample.images[rows] / np.float32(255)
        found[f"y_{name}"] = np.eye(10, dtype=np.float32)[sample.labels[rows]]
    return found


LOAD = """
import sys, keras, numpy as np
model = keras.models.load_model(sys.argv[1])
x = np.load(sys.argv[2], allow_pickle=False)
np.save(sys.argv[3], model.predict(x, verbose=0))
model.fit(x, np.eye(10)[np.arange(len(x)) % 10], verbose=0)
assert "cifar_report" not in sys.modules
"""


@pytest.mark.parametrize(
    "trial",
    [pytest.param(trial, id=trial.id, marks=() if trial.id in QUICK else pytest.mark.long) for trial in ARCHITECTURES],
)
def test_a_written_network_answers_as_the_trained_one(trial, sample, tmp_path):
    """Loaded again, the file of each trial's network gives the engine's probabilities within 1e-6, and trains on."""
    import keras

    from cifar_report.training.model import forward, plain_model, write_model

    model, weights = trained(trial)
    path = tmp_path / "model.keras"
    write_model(plain_model(trial, weights), path)
    pixels = sample.images[:16] / np.float32(255)
    loaded = keras.models.load_model(path)
    assert np.abs(loaded.predict(pixels, verbose=0) - forward(model, pixels, training=False)).max() < 1e-6
    assert {type(layer).__module__.partition(".")[0] for layer in loaded.layers} == {"keras"}


@pytest.mark.long
def test_a_process_without_the_package_loads_a_written_network_and_trains_it(sample, tmp_path):
    """Where nothing of the suite can be imported, plain Keras loads the file, predicts the same and trains on."""
    from cifar_report.training.model import plain_model, write_model

    model = plain_model(OWN, trained(OWN)[1])
    write_model(model, tmp_path / "model.keras")
    pixels = sample.images[:16] / np.float32(255)
    np.save(tmp_path / "x.npy", pixels)
    words = [str(tmp_path / name) for name in ("model.keras", "x.npy", "y.npy")]
    subprocess.run([sys.executable, "-I", "-c", LOAD, *words], check=True, cwd=tmp_path)
    assert np.abs(np.load(words[2]) - model.predict(pixels, verbose=0)).max() < 1e-6


def test_what_no_file_can_hold_is_refused():
    """Weights of another network and an activation without a layer of its own are refused."""
    from cifar_report.training.model import build_plain_model, plain_model

    _, weights = trained(small_trial())
    with pytest.raises(SuiteError, match="00_conv2d"):
        plain_model(small_trial(), trained(SUITE["baseline"])[1])
    with pytest.raises(SuiteError, match="does not have"):
        plain_model(small_trial(), weights | {"network.09_dense.bias": np.zeros(3)})
    celu = Dense(4, activation=KerasObject("celu", {"alpha": 0.5}))
    layers = (Flatten(), celu, Dense(10, "softmax"))
    with pytest.raises(UsageError, match="celu"):
        build_plain_model(Trial(id="celu", title="c", layers=layers, stages=(Stage(epochs=1),)))
