"""Data sets, trials and stages as data: all that decides what is trained; their hashes; what differs between two."""

import hashlib
from collections.abc import Collection
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, TypeVar

import msgspec
from msgspec import Meta

from cifar_report.spec.layers import AnyLayer, Conv2D, Dense, KerasLayer, KerasObject, MaxPooling2D, leaves, total, walk

# Control characters have no place in XML; marks of direction make a text read as another one.
SHOWN = (
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z"
)
Word = Annotated[str, Meta(max_length=200, pattern=SHOWN)]  # a name, hash or title of a stored record
ImageCount = Annotated[int, Meta(ge=0, le=10_000_000)]
Pixels = Annotated[int, Meta(ge=1, le=1_024)]
Shape = tuple[Pixels, Pixels, Annotated[int, Meta(ge=1, le=3)]]  # rows, columns, colours (red, green, blue; or one)
Id = Annotated[str, Meta(max_length=64, pattern=r"^[a-z0-9][a-z0-9_]*(\.[a-z0-9_]+)*\Z")]
"""It can name a folder on every system and stand in an address."""
Paragraph = Annotated[str, Meta(max_length=20_000, pattern=SHOWN)]
"""One sentence or several in plain words; those of experiments are English, and catalogues translate them."""

SplitSeed = Annotated[int, Meta(ge=0, lt=2**32)]
MOST_EPOCHS = 10_000  # of a trial, whose record is read up to a size
MOST_WEIGHTS_BYTES = 120 * 2**20  # of a run, whose file of weights is too


class Dataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle says of the data: ``counts`` are images for training (with validation) and for testing.

    ``hashes`` are SHA-256 by the names of the published files, which lie at ``address``.
    """

    name: Word
    classes: Annotated[tuple[Word, ...], Meta(min_length=2, max_length=256)]
    shape: Shape
    counts: tuple[ImageCount, ImageCount]
    licence: Word = ""
    address: Word = ""
    hashes: dict[Word, Word] = {}
    groups: tuple[tuple[int, ...], ...] = ()  # of classes, in which a matrix shows them

    def __hash__(self) -> int:
        """Hash what equal records share; hashes are a dictionary."""
        return hash((self.name, self.classes, self.shape, self.counts))


BUILT_IN = msgspec.toml.decode(
    Path(__file__).with_name("datasets.toml").read_text(encoding="utf-8"), type=dict[str, Dataset]
)
CIFAR10 = BUILT_IN["CIFAR10"]


class Augmentation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Random changes of each training image, drawn anew in every epoch; pixels from outside repeat the edge."""

    rotation_degrees: Annotated[float, Meta(ge=0, le=180)] = 15.0  # largest turn to either side
    shift_fraction: Annotated[float, Meta(ge=0, le=1)] = 0.1  # largest shift of width and of height, of the side
    horizontal_flip: bool = True


class EarlyStopping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Stop when the validation loss has not fallen for ``patience`` epochs, and go back to the best weights."""

    patience: Annotated[int, Meta(ge=0, le=10_000)] = 4  # epochs


class Stage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One call of training; weights and the optimizer's state go on into the next stage."""

    id: Id = "training"
    epochs: Annotated[int, Meta(ge=1, le=10_000)]  # the most that this stage runs
    augmentation: Augmentation | None = None
    early_stopping: EarlyStopping | None = None


class _Trial(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind"):
    """What all kinds of trials have: names and comparisons, which are no part of the configuration.

    ``as_written`` names the trial that the write-up compared it with, ``one_change`` one that differs by one change.
    """

    seeded: ClassVar[bool]  # whether runs differ by seed

    id: Id
    title: Word
    as_written: str | None = None
    one_change: str | None = None

    @property
    def stage_ids(self) -> list[str]:
        """Return the ids of its stages; a classifier without training by gradient has none."""
        return [stage.id for stage in getattr(self, "stages", ())]

    def configuration(self) -> dict[str, Any]:
        """Return what decides the result, as builtins: every field but names and comparisons."""
        names = [name for name in self.__struct_fields__ if name not in _Trial.__struct_fields__]
        return {name: msgspec.to_builtins(getattr(self, name)) for name in names}


class Trial(_Trial, frozen=True, kw_only=True, tag="network"):
    """A network and how it is trained."""

    seeded: ClassVar[bool] = True
    layers: Annotated[tuple[AnyLayer, ...], Meta(max_length=200)]
    stages: Annotated[tuple[Stage, ...], Meta(max_length=100)]
    batch_size: Annotated[int, Meta(ge=1, le=60_000)] = 32  # images, over all replicas
    learning_rate: Annotated[float, Meta(gt=0, le=1e38)] | KerasObject = 0.001  # or a schedule over steps of training
    optimizer: KerasObject = KerasObject("Adam")
    label_smoothing: Annotated[float, Meta(ge=0, lt=1)] = 0.0  # of the training loss alone
    split_seed: SplitSeed = 42  # random_state of train_test_split
    strategy: Literal["single", "mirrored"] = "single"
    data_order: Literal["every_epoch", "fixed"] = "every_epoch"  # drawn anew in every epoch, or once a stage
    input_shape: Shape = CIFAR10.shape  # of the images

    def __post_init__(self) -> None:
        if not self.stages or len({stage.id for stage in self.stages}) != len(self.stages):
            raise ValueError(f"trial {self.id}: stages must exist and have different ids")
        if sum(stage.epochs for stage in self.stages) > MOST_EPOCHS:
            raise ValueError(f"trial {self.id}: all its stages together have at most {MOST_EPOCHS:,} epochs")
        if "learning_rate" in self.optimizer.arguments:
            raise ValueError(f"trial {self.id}: learning_rate is a field of the trial, no argument of its optimizer")
        rows = walk(self.layers, self.input_shape)
        last = rows[-1].layer if rows else None
        if not isinstance(last, Dense) or last.activation != "softmax":
            raise ValueError(f"trial {self.id}: the last layer must be Dense(number of classes, 'softmax')")
        # Last and best of each stage, float32; what is not known yet is counted when the model is built.
        stored = 2 * len(self.stages) * 4 * (total(rows, "parameters") or 0)
        if stored > MOST_WEIGHTS_BYTES:
            raise ValueError(f"trial {self.id}: its weights take {stored:,} bytes, {MOST_WEIGHTS_BYTES:,} at most")

    @property
    def classes(self) -> int:
        """Return the number of classes."""
        last = self.layers[-1]
        return last.units if isinstance(last, Dense) else 0

    @property
    def parameters_total(self) -> int | None:
        """Count all parameters, as Keras's summary does; None where Keras alone can."""
        return total(walk(self.layers, self.input_shape), "parameters")

    @property
    def parameters_trainable(self) -> int | None:
        """Count the parameters that training changes; None where Keras alone can."""
        return total(walk(self.layers, self.input_shape), "trainable")

    @property
    def macs(self) -> int | None:
        """Count the multiply-accumulates per image in a forward pass (FLOPs: twice); None where Keras alone can."""
        return total(walk(self.layers, self.input_shape), "macs")

    @property
    def needs_keras(self) -> bool:
        """Whether Keras alone knows if some of its names and arguments exist."""
        weighted = [layer for layer in leaves(self.layers) if isinstance(layer, (Conv2D, Dense))]
        return (
            not self.plain
            or any(isinstance(layer, KerasLayer) for layer in leaves(self.layers))
            or any(layer.activation not in ("relu", "softmax", "linear") for layer in weighted)
            or any(layer.kernel_initializer or layer.kernel_regularizer for layer in weighted)
        )

    @property
    def plain(self) -> bool:
        """Whether it is trained with Adam as Keras has it, at one learning rate."""
        return self.optimizer == KerasObject("Adam") and not isinstance(self.learning_rate, KerasObject)


class NearestNeighbors(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag=True):
    """scikit-learn's KNeighborsClassifier on raw pixels, Euclidean distance."""

    neighbors: Annotated[int, Meta(ge=1, le=60_000)]


class NearestCentroid(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="method", tag=True):
    """The class whose mean image is nearest, as scikit-learn's NearestCentroid predicts it; Euclidean distance."""


class ClassicalTrial(_Trial, frozen=True, kw_only=True, tag="classical"):
    """A classifier without training by gradient; it has no randomness, so it runs once and without a seed."""

    seeded: ClassVar[bool] = False
    method: NearestNeighbors | NearestCentroid
    training_images: Literal["train", "train+validation"] = "train"
    split_seed: SplitSeed = 42


AnyTrial = Trial | ClassicalTrial
_T = TypeVar("_T", Trial, ClassicalTrial)


def variant(base: _T, trial_id: str, title: str, **changes: Any) -> _T:
    """Return ``base`` with some fields changed: by one change, unless ``changes`` say otherwise."""
    named = {"id": trial_id, "title": title, "as_written": None, "one_change": base.id}
    return msgspec.structs.replace(base, **named | changes)


def published(base: Trial, trial_id: str, title: str, layers: tuple[AnyLayer, ...]) -> Trial:
    """Return ``base`` with other layers, as the original published it; it compared all trials with its first one."""
    compared = base.as_written or base.id
    return variant(base, trial_id, title, layers=layers, as_written=compared)


HASHED_BY_VERSION_1 = {
    *("id", "strides", "padding", "activation", "pool_size"),
    *("augmentation", "early_stopping", "rotation_degrees", "shift_fraction", "horizontal_flip", "patience"),
    *("batch_size", "learning_rate", "split_seed", "strategy", "training_images"),
}
"""The fields with a default that schema version 1 knew; its hash held them even where they had that default."""


def spec_hash(trial: AnyTrial, version: int | None = None) -> str:
    """Return the SHA-256 of a trial's configuration in canonical JSON; names and prose are no part of it.

    Fields that equal their default are left out, at every depth, so that a new option keeps the hashes of trials that
    do not use it. Whoever changes a default raises ``bundle.records.SCHEMA_VERSION``. ``version`` is the schema version
    of the record that holds the hash (None: today's); version 1 hashed every field.
    """
    stored = msgspec.json.decode(msgspec.json.encode(trial), type=type(trial))  # 1 and 1.0, list and tuple hash alike
    kept = HASHED_BY_VERSION_1 if version == 1 else set()
    fields = without_defaults(stored, kept)
    configuration = {name: fields[name] for name in stored.configuration() if name in fields}
    return json_hash(configuration)


def json_hash(value: Any) -> str:
    """Return the SHA-256 of a value in canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(value, order="sorted")).hexdigest()


def without_defaults(value: Any, kept: Collection[str] = HASHED_BY_VERSION_1) -> Any:
    """Return ``value`` as builtins, without the fields that equal their default and are not in ``kept``."""
    if isinstance(value, tuple):
        return [without_defaults(each, kept) for each in value]
    if not isinstance(value, msgspec.Struct):
        return value
    config = value.__struct_config__
    found = {} if config.tag_field is None else {config.tag_field: config.tag}
    for field in msgspec.structs.fields(value):
        content = getattr(value, field.name)
        if field.encode_name in kept or content != field.default:
            found[field.encode_name] = without_defaults(content, kept)
    return found


class Change(NamedTuple):
    """One thing that differs: where it stands and its value before and after (None: not there)."""

    place: str
    before: Any
    after: Any


def differences(before: AnyTrial, after: AnyTrial) -> tuple[Change, ...]:
    """Return every single change that leads from one trial's configuration to the other's.

    A convolution that comes or goes with its pooling is one change, as is any one argument of a layer or a stage.
    """
    if type(before) is not type(after):
        return (Change("kind", type(before).__name__, type(after).__name__),)
    changes: list[Change] = []
    for field, old in before.configuration().items():
        new = after.configuration()[field]
        if field == "layers":
            changes += _layer_changes(before.layers, after.layers)  # type: ignore[union-attr]
        elif field == "stages":
            changes += _stage_changes(old, new)
        elif old != new:
            changes.append(Change(field, old, new))
    return tuple(changes)


def same_network(first: AnyTrial, second: AnyTrial) -> bool:
    """Whether two trials train one network alike, but for the number of epochs or the devices: their seeds pair."""
    places = {change.place for change in differences(first, second)}
    return all(place == "strategy" or (place.startswith("stage ") and place.endswith(", epochs")) for place in places)


def _stage_changes(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[Change]:
    changes = []
    for old, new in zip_longest(before, after):
        if old is None or new is None:
            changes.append(Change("stage", old, new))
            continue
        fields = [field for field in old if field != "id" and old[field] != new[field]]
        changes += [Change(f"stage {new['id']}, {field}", old[field], new[field]) for field in fields]
    return changes


def _layer_changes(before: tuple[AnyLayer, ...], after: tuple[AnyLayer, ...]) -> list[Change]:
    """Align two networks from the front with the fewest changes (an edit distance over whole layers)."""

    @cache
    def fewest(i: int, j: int) -> tuple[Change, ...]:
        if i == len(before) and j == len(after):
            return ()
        ways = []
        if i < len(before) and j < len(after) and before[i].kind == after[j].kind:
            ways.append((*_arguments(before[i], after[j]), *fewest(i + 1, j + 1)))
        for size in _block_sizes(before[i:]):
            ways.append((Change("layers", before[i : i + size], ()), *fewest(i + size, j)))
        for size in _block_sizes(after[j:]):
            ways.append((Change("layers", (), after[j : j + size]), *fewest(i, j + size)))
        return min(ways, key=len)

    return list(fewest(0, 0))


def _block_sizes(layers: tuple[AnyLayer, ...]) -> tuple[int, ...]:
    """Return how many layers at the front may come or go in one change: one, or a convolution with its pooling."""
    block = tuple(map(type, layers[:2])) == (Conv2D, MaxPooling2D)
    return (1, 2) if block else (1,) * bool(layers)


def _arguments(before: AnyLayer, after: AnyLayer) -> tuple[Change, ...]:
    old, new = before.settings, after.settings
    return tuple(
        Change(f"{before.kind}, {field}", old.get(field), new.get(field))
        for field in {**old, **new}
        if old.get(field) != new.get(field)
    )
