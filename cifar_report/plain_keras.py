"""Trials as source text of plain Keras that trains the same: for the report, for notebooks and to be executed."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import msgspec

from cifar_report.spec import CIFAR10, Augmentation, Dataset, Trial
from cifar_report.spec.layers import AnyLayer, BatchNormalization, Conv2D, KerasLayer, KerasObject, Residual
from cifar_report.spec.trials import Stage

INDENT = "    "
HOMES = {
    **{kind: f"keras.{kind}s" for kind in ("optimizer", "initializer", "regularizer", "constraint", "activation")},
    "learning_rate": "keras.optimizers.schedules",
    "layer": "layers",
}
"""Where Keras has the names of each kind; the last word of an argument's name says of which kind its value is."""
# A layer's defaults here are Keras's, but for the activation.
KERAS_DEFAULTS = {field.name: field.default for field in msgspec.structs.fields(Conv2D)} | {"activation": "linear"}
POSITIONAL = {"filters", "kernel_size", "pool_size", "units", "rate"}
ACTIVATION_LAYERS = {"elu": "ELU", "leaky_relu": "LeakyReLU", "relu": "ReLU", "softmax": "Softmax"}
"""The layers of Keras that take the arguments of an activation, and can be stored with them."""

DEVICES = """\
import tensorflow as tf

if not tf.config.list_physical_devices("GPU"):  # two parts of one processor
    processor = tf.config.list_physical_devices("CPU")[0]
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(processor, parts)
devices = tf.config.list_logical_devices
names = [device.name for device in devices("GPU") or devices("CPU")]
strategy = tf.distribute.MirroredStrategy(names)
"""
DATA = """\
import keras
import tensorflow as tf
from keras import layers
from sklearn.model_selection import train_test_split

keras.utils.set_random_seed({seed})
{load}
x, x_test = x.astype("float32") / 255, x_test.astype("float32") / 255
y, y_test = (keras.utils.to_categorical(each, {classes}) for each in (y, y_test))
x_train, x_val, y_train, y_val = train_test_split(
    x, y, test_size=0.2, random_state={split}
)
"""
LOAD = "(x, y), (x_test, y_test) = keras.datasets.cifar10.load_data()"
LOAD_PREPARED = """\
# From the folder that `cifar-report data` names as "prepared in".
arrays = [np.load(f"{{name}}.npy", allow_pickle=False) for name in ("images", "labels")]
(x, x_test), (y, y_test) = (np.split(each, [{training}]) for each in arrays)"""
BATCHES = """\
# {order}
images, labels = tf.constant(x_train), tf.constant(y_train)
rows = tf.data.Dataset.range(len(images)).shuffle({shuffle})
train = rows.batch({batch}).map(
    lambda some: (tf.gather(images, some), tf.gather(labels, some))
)
"""
EVALUATE = """\
loss, accuracy = model.evaluate(x_test, y_test, verbose=0)
print(f"test accuracy {accuracy:.4f}, test loss {loss:.4f}")
"""

TOPICS = ("data", "model", "compile", "fit", "augmentation", "evaluate")  # what a page shows, in this order


class Excerpt(NamedTuple):
    """A part of the program that stands by itself on a page."""

    topic: str  # data, devices, model, compile, batches, augmentation, fit or evaluate
    code: str
    stage: str | None = None  # that it trains


def excerpts(trial: Trial, seed: int = 0, dataset: Dataset = CIFAR10) -> Iterator[Excerpt]:
    """Yield the program of a trial from top to bottom; executed one after the other they train it."""
    if trial.strategy == "mirrored":
        yield Excerpt("devices", DEVICES)  # before anything starts TensorFlow
    known = dataset == CIFAR10
    load = LOAD if known else LOAD_PREPARED.format(training=dataset.counts[0])
    data = DATA.format(seed=seed, classes=trial.classes, split=trial.split_seed, load=load)
    yield Excerpt("data", data if known else data.replace("import keras\n", "import keras\nimport numpy as np\n", 1))
    yield Excerpt("model", _in_scope(trial, model_source(trial)))
    yield Excerpt("compile", _in_scope(trial, _compile(trial)))
    fixed = trial.data_order == "fixed"
    shuffle = f"len(images), seed={seed}" + ", reshuffle_each_iteration=False" * fixed
    new_order = "A new order in every epoch: fit(x, y) repeats one order once Keras is seeded."
    order = "The same order in every epoch." if fixed else new_order
    yield Excerpt("batches", BATCHES.format(order=order, shuffle=shuffle, batch=trial.batch_size))
    for stage in trial.stages:
        if stage.augmentation is not None:
            yield Excerpt("augmentation", _augmentation(stage.augmentation), stage.id)
        yield Excerpt("fit", _fit(stage), stage.id)
    yield Excerpt("evaluate", EVALUATE)


def shown_excerpts(trials: Sequence[Trial], dataset: Dataset = CIFAR10) -> dict[str, tuple[Trial, str]]:
    """Return by topic what a page shows of the program: of the first trial, or of the first that does more."""
    first = trials[0]
    found = {each.topic: (first, each.code) for each in excerpts(first, dataset=dataset)}
    stopping = next((each for each in trials if each.stages[0].early_stopping), first)
    shown = (("batches", None), ("fit", stopping.stages[0].id))
    code = [each.code for each in excerpts(stopping) if (each.topic, each.stage) in shown]
    found["fit"] = stopping, "\n".join(code)
    for trial in trials:
        for each in excerpts(trial):
            if each.topic == "augmentation":
                found.setdefault("augmentation", (trial, each.code))
    return {topic: found[topic] for topic in TOPICS if topic in found}


def model_source(trial: Trial) -> str:
    """Return the text that builds a trial's network: in a row, or by name where branches are added."""
    rows = [f"keras.Input({trial.input_shape})"]
    if not any(isinstance(layer, Residual) for layer in trial.layers):
        rows += [_layer(trial, layer) for layer in trial.layers]
        return "model = keras.Sequential([\n" + "".join(f"{INDENT}{row},\n" for row in rows) + "])\n"
    lines = [f"x = inputs = {rows[0]}", *_functional(trial, trial.layers, "x"), "model = keras.Model(inputs, x)"]
    return "\n".join(lines) + "\n"


def _functional(trial: Trial, layers: Sequence[AnyLayer], name: str, depth: int = 1) -> Iterator[str]:
    for layer in layers:
        if not isinstance(layer, Residual):
            yield f"{name} = {_layer(trial, layer)}({name})"
            continue
        skip = f"skip_{depth}"
        yield f"{skip} = {name}"
        yield from _functional(trial, layer.layers, name, depth + 1)
        yield from _functional(trial, layer.shortcut, skip, depth + 1)
        yield f"{name} = layers.add([{name}, {skip}])"


def _layer(trial: Trial, layer: AnyLayer) -> str:
    if isinstance(layer, KerasLayer):
        parts = [f"{name}={_source(name, value)}" for name, value in layer.arguments.items()]
    else:
        given = {name: value for name, value in layer.settings.items() if KERAS_DEFAULTS.get(name) != value}
        parts = [
            _source(name, value) if name in POSITIONAL else f"{name}={_source(name, value)}"
            for name, value in given.items()
        ]
    if isinstance(layer, BatchNormalization) and trial.strategy == "mirrored":
        parts.append("synchronized=True")
    return f"layers.{layer.kind}({', '.join(parts)})"


def _source(name: str, value: Any) -> str:
    if isinstance(value, KerasObject):
        return _object(name if name == "learning_rate" else name.rpartition("_")[2], value)
    if isinstance(value, list):
        return f"[{', '.join(_source(name, each) for each in value)}]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return f'"{text}"' if text.isprintable() and not set(text) & {'"', "\\"} else repr(text)


def _object(kind: str, value: KerasObject, *first: str) -> str:
    arguments = [*first, *(f"{name}={_source(name, each)}" for name, each in value.arguments.items())]
    if kind != "activation":
        return f"{HOMES[kind]}.{value.name}({', '.join(arguments)})"
    if not arguments:
        return _quoted(value.name)
    if value.name in ACTIVATION_LAYERS:
        return f"layers.{ACTIVATION_LAYERS[value.name]}({', '.join(arguments)})"
    return f"lambda x: keras.activations.{value.name}(x, {', '.join(arguments)})"


def _in_scope(trial: Trial, text: str) -> str:
    """Return text under the scope of the devices' strategy, where there are several."""
    if trial.strategy == "single":
        return text
    return "with strategy.scope():\n" + "".join(f"{INDENT}{line}\n" for line in text.splitlines())


def _compile(trial: Trial) -> str:
    rate = f"learning_rate={_source('learning_rate', trial.learning_rate)}"
    loss = '"categorical_crossentropy"'
    if trial.label_smoothing:
        loss = f"keras.losses.CategoricalCrossentropy(label_smoothing={trial.label_smoothing!r})"
    parts = (f"optimizer={_object('optimizer', trial.optimizer, rate)}", f"loss={loss}", 'metrics=["accuracy"]')
    return "model.compile(\n" + "".join(f"{INDENT}{part},\n" for part in parts) + ")\n"


def _augmentation(settings: Augmentation) -> str:
    made, border = [], 'fill_mode="nearest"'
    if settings.horizontal_flip:
        made.append('layers.RandomFlip("horizontal")')
    if settings.rotation_degrees:
        made.append(f"layers.RandomRotation({settings.rotation_degrees:g} / 360, {border})")
    if share := settings.shift_fraction:
        made.append(f"layers.RandomTranslation({share:g}, {share:g}, {border})")
    rows = "".join(f"{INDENT}{each},\n" for each in made)
    augmented = "augmented = train.map(lambda x, y: (augment(x, training=True), y))\n"
    return f"augment = keras.Sequential([\n{rows}])\n{augmented}"


def _fit(stage: Stage) -> str:
    callbacks = [f'keras.callbacks.ModelCheckpoint("{stage.id}.keras", save_best_only=True)']
    if stage.early_stopping is not None:
        patience = max(1, stage.early_stopping.patience)
        callbacks.append(f"keras.callbacks.EarlyStopping(patience={patience}, restore_best_weights=True)")
    source = "train" if stage.augmentation is None else "augmented"
    rows = "".join(f"{INDENT}{each},\n" for each in callbacks)
    return (
        f"callbacks = [\n{rows}]\n"
        "history = model.fit(\n"
        f"{INDENT}{source}, epochs={stage.epochs}, shuffle=False,\n"
        f"{INDENT}validation_data=(x_val, y_val), callbacks=callbacks,\n)\n"
    )
