from functools import cache

import msgspec
import pytest
from reports import few_experiments
from suites import simulated

from cifar_report.report.i18n import Translation
from cifar_report.report.text.trials import CHANGES, OF_THEIR_OWN, change_sentence
from cifar_report.report.text.trials import change_sentences as sentences_of
from cifar_report.report.writer import Writer
from cifar_report.spec import Change, ClassicalTrial, Conv2D, Dense, Dropout, MaxPooling2D, Stage, Trial


@cache
def writer(language: str = "en") -> Writer:
    """Return a writer of two trials' report."""
    bundle, results = simulated(few_experiments("baseline"), seeds=2)
    return Writer(bundle, results, Translation(language), ())


def said(change: Change, language: str = "en") -> str:
    """Return one change as a reader sees it."""
    return str(change_sentence(writer(language), change).striptags())


def test_a_setting_is_named_in_plain_words() -> None:
    """A number that changes is told by what it is called, before and after, as each language writes numbers."""
    change = Change("learning_rate", 0.001, 0.0003)
    assert said(change) == "The learning rate goes from 0.001 to 0.0003."
    assert said(change, "el") == "Ο ρυθμός μάθησης αλλάζει από 0,001 σε 0,0003."  # noqa: RUF001 - Greek


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (Change("batch_size", 32, 16), "The batch size goes from 32 to 16 images."),
        (Change("Conv2D, kernel_size", 3, 7), "The kernel of a convolution goes from 3 × 3 to 7 × 7 pixels."),
        (Change("stage training, epochs", 15, 30), "The number of epochs goes from 15 to 30."),
        (Change("Conv2D, padding", "valid", "same"), "The convolution now pads the image"),
        (Change("strategy", "single", "mirrored"), "on several devices at once"),
        (Change("data_order", "every_epoch", "fixed"), "in one and the same order"),
        (
            Change("layers", (), (Conv2D(64, 3), MaxPooling2D(2))),
            "convolution of 64 filters of 3 × 3 pixels is added",
        ),
        (Change("layers", (), (Dropout(0.5),)), "A dropout with the rate 0.5 is added."),
        (
            Change("layers", (Dense(8), Dense(4)), ()),
            "out of the network: “Dense, 8 neurons, relu” and “Dense, 4",
        ),
        (Change("stage first, early_stopping", None, {"patience": 4}), "The training stops early when"),
        (Change("stage first, augmentation", {"rotation_degrees": 15.0}, None), "no longer augmented"),
        (Change("method", {"neighbors": 1}, {"neighbors": 3}), "nearest neighbours goes from 1 to 3"),
        (Change("method", {"neighbors": 1}, {}), "The method is another one."),
        (Change("warm_restarts", 1, 2), "The setting “warm_restarts” changes."),
    ],
)
def test_every_kind_of_change_has_its_sentence(change: Change, sentence: str) -> None:
    """What comes, goes or becomes something else is told as just that; what nobody named yet is named as it is."""
    assert sentence in said(change)


def test_every_setting_of_a_recipe_has_words() -> None:
    """No field of the specification reaches a reader by its name."""
    worded = {*CHANGES.goes, *CHANGES.comes_and_goes, *CHANGES.becomes, *OF_THEIR_OWN}
    fields = {*fields_of(Trial), *fields_of(ClassicalTrial)} - {"stages"}
    fields |= fields_of(Stage) | {"stage", "kind"}
    for layer in (Conv2D, MaxPooling2D, Dense, Dropout):
        fields |= {f"{layer.__name__}, {field}" for field in (each.name for each in msgspec.structs.fields(layer))}
    assert fields - worded == set()


def fields_of(kind: type) -> set[str]:
    """Return the fields that decide a result."""
    prose = {"id", "title", "as_written", "one_change", "published"}
    return {field.name for field in msgspec.structs.fields(kind)} - prose


def test_things_that_change_are_counted() -> None:
    """The first sentence counts all of them; what happens twice is said once, and that it does."""
    changes = (Change("Conv2D, filters", 16, 32), Change("Conv2D, filters", 16, 32), Change("batch_size", 32, 64))
    sentences = [each.striptags() for each in sentences_of(writer(), "baseline_30_epochs", "baseline", changes)]
    assert sentences == [
        "From “Baseline” to “Baseline, 30 epochs” 3 things change.",
        "The filters of a convolution go from 16 to 32.",
        "The batch size goes from 32 to 64 images.",
        "Some of this happens at more than one place.",
    ]
