"""What sets one recipe apart from another, in plain words: one whole sentence for each thing that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.names import layer_name
from cifar_report.report.writer import Writer
from cifar_report.spec import AnyLayer, BatchNormalization, Change, Conv2D, Dropout, MaxPooling2D

APART = mark_plural(
    "From %(comparator)s to %(trial)s %(count)s thing changes.",
    "From %(comparator)s to %(trial)s %(count)s things change.",
)
GOES: dict[str, str] = {
    "batch_size": mark("The batch size goes from %(before)s to %(after)s images."),
    "learning_rate": mark("The learning rate goes from %(before)s to %(after)s."),
    "split_seed": mark(
        "The seed of the division into training and validation images goes from %(before)s to %(after)s."
    ),
    "epochs": mark("The number of epochs goes from %(before)s to %(after)s."),
    "Conv2D, filters": mark("The filters of a convolution go from %(before)s to %(after)s."),
    "Conv2D, kernel_size": mark(
        "The kernel of a convolution goes from %(before)s × %(before)s to %(after)s × %(after)s pixels."
    ),
    "Conv2D, strides": mark("The stride of a convolution goes from %(before)s to %(after)s."),
    "MaxPooling2D, pool_size": mark(
        "The pooling window goes from %(before)s × %(before)s to %(after)s × %(after)s values."
    ),
    "Dense, units": mark("The neurons of the hidden layer go from %(before)s to %(after)s."),
    "Conv2D, activation": mark("The activation of a convolution goes from %(before)s to %(after)s."),
    "Dense, activation": mark("The activation of a dense layer goes from %(before)s to %(after)s."),
    "Dropout, rate": mark("The dropout rate goes from %(before)s to %(after)s."),
}
BECOMES: dict[tuple[str, str], str] = {
    ("Conv2D, padding", "same"): mark("The convolution now pads the image, so that it also covers the border."),
    ("Conv2D, padding", "valid"): mark("The convolution no longer pads the image."),
    ("strategy", "mirrored"): mark("The training runs on several devices at once instead of one."),
    ("strategy", "single"): mark("The training runs on one device instead of several."),
    ("training_images", "train"): mark("Only the training images are used, without the validation images."),
    ("training_images", "train+validation"): mark("The validation images are used for training, too."),
    ("kind", "Trial"): mark("A network takes the place of a classifier without a network."),
    ("kind", "ClassicalTrial"): mark("A classifier without a network takes the place of a network."),
}
COMES_AND_GOES: dict[str, tuple[str, str, str]] = {
    "augmentation": (
        mark("The training images are augmented."),
        mark("The training images are no longer augmented."),
        mark("The training images are augmented in another way."),
    ),
    "early_stopping": (
        mark("The training stops early when the validation loss no longer falls."),
        mark("The training no longer stops early."),
        mark("The training stops early by another rule."),
    ),
    "stage": (
        mark("The network is trained once more."),
        mark("The network is trained once less."),
        mark("One of the trainings is another one."),
    ),
}
BLOCK_ADDED = mark("A convolution of %(filters)s filters of %(size)s × %(size)s pixels is added, with its own pooling.")
NORMALIZATION_ADDED = mark("A batch normalization is added.")
DROPOUT_ADDED = mark("A dropout with the rate %(rate)s is added.")
LAYERS_ADDED = mark("These layers are added to the network: %(layers)s.")
LAYERS_REMOVED = mark("These layers are taken out of the network: %(layers)s.")
QUOTED = mark("“%(name)s”")
MORE_THAN_ONCE = mark("Some of this happens at more than one place.")
NEIGHBORS = mark("The number of nearest neighbours goes from %(before)s to %(after)s.")
METHOD = mark("The method is another one.")
OTHER = mark("The setting “%(place)s” changes.")


def change_sentences(writer: Writer, trial: str, comparator: str, changes: tuple[Change, ...]) -> tuple[Markup, ...]:
    """Return how many things differ between two recipes, and a sentence for each; the same sentence only once."""
    names = {"trial": writer.trial_name(trial), "comparator": writer.trial_name(comparator)}
    said = tuple(dict.fromkeys(change_sentence(writer, change) for change in changes))
    repeated = (writer.sentence(MORE_THAN_ONCE),) if len(said) < len(changes) else ()
    return (writer.plural(*APART, len(changes), **names), *said, *repeated)


def change_sentence(writer: Writer, change: Change) -> Markup:
    """Return one change of a recipe as a whole sentence."""
    place = change.place.rpartition(", ")[2] if change.place.startswith("stage ") else change.place
    before, after = change.before, change.after
    if place in GOES:
        return writer.sentence(GOES[place], before=_chosen(writer, before), after=_chosen(writer, after))
    if isinstance(after, str) and (place, after) in BECOMES:
        return writer.sentence(BECOMES[place, after])
    if place in COMES_AND_GOES:
        came, went, became = COMES_AND_GOES[place]
        return writer.sentence(came if before is None else went if after is None else became)
    sentence = OF_THEIR_OWN.get(place)
    return writer.sentence(OTHER, place=place) if sentence is None else sentence(writer, change)


def _chosen(writer: Writer, value: Any) -> str:
    return writer.numbers.plain(value) if isinstance(value, (int, float)) else str(value)


def _layers(writer: Writer, change: Change) -> Markup:
    plain = writer.numbers.plain
    match change.after:
        case (Conv2D(filters, size), MaxPooling2D()):
            return writer.sentence(BLOCK_ADDED, filters=plain(filters), size=plain(size))
        case (BatchNormalization(),):
            return writer.sentence(NORMALIZATION_ADDED)
        case (Dropout(rate),):
            return writer.sentence(DROPOUT_ADDED, rate=plain(rate))
    layers: tuple[AnyLayer, ...] = change.before or change.after
    named = [writer.translation.plain(QUOTED, {"name": layer_name(each, writer.numbers)}) for each in layers]
    return writer.sentence(LAYERS_REMOVED if change.before else LAYERS_ADDED, layers=writer.enumeration(named))


def _method(writer: Writer, change: Change) -> Markup:
    before, after = (method.get("neighbors") for method in (change.before, change.after))
    if before is None or after is None:
        return writer.sentence(METHOD)
    return writer.sentence(NEIGHBORS, before=_chosen(writer, before), after=_chosen(writer, after))


OF_THEIR_OWN: dict[str, Callable[[Writer, Change], Markup]] = {"layers": _layers, "method": _method}
