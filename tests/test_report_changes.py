from functools import cache

import msgspec
import pytest
from reports import small_writer

from cifar_report.report.text.trials import CHANGES, OF_THEIR_OWN, change_label, change_labels
from cifar_report.report.writer import Writer
from cifar_report.spec import Change, ClassicalTrial, Conv2D, Dense, Dropout, MaxPooling2D, Stage, Trial


@cache
def writer(language: str = "en") -> Writer:
    return small_writer("baseline", language=language, seeds=2)


def said(change: Change, language: str = "en") -> str:
    return str(change_label(writer(language), change).striptags())


def test_a_setting_is_named_in_plain_words() -> None:
    """A setting is told by its name, before and after, as each language writes numbers, and once with how often."""
    change = Change("learning_rate", 0.001, 0.0003)
    assert said(change) == "learning rate 0.001 → 0.0003"
    assert said(change, "el").endswith(" 0,001 → 0,0003")
    changes = (Change("Conv2D, filters", 16, 32), Change("Conv2D, filters", 16, 32), Change("batch_size", 32, 64))
    labels = [each.striptags() for each in change_labels(writer(), changes)]
    assert labels == ["filters 16 → 32 (2 times)", "batch size 32 → 64"]


@pytest.mark.parametrize(
    ("change", "label"),
    [
        (Change("batch_size", 32, 16), "batch size 32 → 16"),
        (Change("Conv2D, kernel_size", 3, 7), "kernel 3 × 3 → 7 × 7"),
        (Change("stage training, epochs", 15, 30), "epochs 15 → 30"),
        (Change("Conv2D, padding", "valid", "same"), "padding of the image"),
        (Change("strategy", "single", "mirrored"), "several devices instead of one"),
        (Change("data_order", "every_epoch", "fixed"), "one order of the images"),
        (Change("layers", (), (Conv2D(64, 3), MaxPooling2D(2))), "convolution added: 64 filters 3 × 3, with pooling"),
        (Change("layers", (), (Dropout(0.5),)), "dropout added: rate 0.5"),
        (Change("layers", (Dense(8), Dense(4)), ()), "removed: Dense, 8 neurons, relu and Dense, 4"),
        (Change("stage first, early_stopping", None, {"patience": 4}), "early stopping added"),
        (Change("stage first, augmentation", {"rotation_degrees": 15.0}, None), "augmentation removed"),
        (Change("method", {"neighbors": 1}, {"neighbors": 3}), "nearest neighbours 1 → 3"),
        (Change("method", {"neighbors": 1}, {}), "another method"),
        (Change("warm_restarts", 1, 2), "warm_restarts changed"),
    ],
)
def test_every_kind_of_change_has_its_label(change: Change, label: str) -> None:
    """What comes, goes or becomes something else is told as just that; what nobody named yet is named as it is."""
    assert label in said(change)


def test_every_setting_of_a_configuration_has_words() -> None:
    """No field of the specification reaches a reader by its name."""
    worded = {*CHANGES.goes, *CHANGES.comes_and_goes, *CHANGES.becomes, *OF_THEIR_OWN}
    fields = {*fields_of(Trial), *fields_of(ClassicalTrial)} - {"stages", "input_shape"}  # the data decide the latter
    fields |= fields_of(Stage) | {"stage", "kind"}
    for layer in (Conv2D, MaxPooling2D, Dense, Dropout):
        fields |= {f"{layer.__name__}, {field}" for field in (each.name for each in msgspec.structs.fields(layer))}
    assert fields - worded == set()


def fields_of(kind: type) -> set[str]:
    prose = {"id", "title", "as_written", "one_change"}
    return {field.name for field in msgspec.structs.fields(kind)} - prose
