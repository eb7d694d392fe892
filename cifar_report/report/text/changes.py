"""What sets one configuration apart from another, as short labels."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from cifar_report.report.i18n import load_messages
from cifar_report.report.names import layer_name, setting_name
from cifar_report.report.writer import Writer
from cifar_report.spec import AnyLayer, BatchNormalization, Change, Conv2D, Dropout, KerasObject, MaxPooling2D

CHANGES = load_messages("changes")
MOST_CHANGES = 5  # that are listed


def change_labels(writer: Writer, changes: Sequence[Change]) -> tuple[Markup, ...]:
    """Return a short label for each change; the same one only once, with its number."""
    counted = Counter(change_label(writer, change) for change in changes)
    return tuple(
        label if count == 1 else writer.sentence(CHANGES.several, change=label, count=writer.numbers.integer(count))
        for label, count in counted.items()
    )


def change_label(writer: Writer, change: Change) -> Markup:
    """Return one change of a configuration as a short label."""
    place = change.place.rpartition(", ")[2] if change.place.startswith("stage ") else change.place
    before, after = change.before, change.after
    if place in CHANGES.goes:
        return writer.sentence(CHANGES.goes[place], before=_chosen(writer, before), after=_chosen(writer, after))
    if isinstance(after, str) and after in CHANGES.becomes.get(place, {}):
        return writer.sentence(CHANGES.becomes[place][after])
    if place in CHANGES.comes_and_goes:
        way = "came" if before is None else "went" if after is None else "became"
        return writer.sentence(CHANGES.comes_and_goes[place][way])
    label = OF_THEIR_OWN.get(place)
    return writer.sentence(CHANGES.other, place=place) if label is None else label(writer, change)


def _chosen(writer: Writer, value: Any) -> str:
    if isinstance(value, dict):  # an object of Keras, as a record holds it
        value = msgspec.convert(value, KerasObject)
    if value is None or isinstance(value, KerasObject):
        return writer.word("default") if value is None else setting_name(value)
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return writer.numbers.plain(value) if number else str(value)


def _layers(writer: Writer, change: Change) -> Markup:
    plain = writer.numbers.plain
    match change.after:
        case (Conv2D(filters, size), MaxPooling2D()):
            return writer.sentence(CHANGES.block_added, filters=plain(filters), size=plain(size))
        case (BatchNormalization(),):
            return writer.sentence(CHANGES.normalization_added)
        case (Dropout(rate),):
            return writer.sentence(CHANGES.dropout_added, rate=plain(rate))
    layers: tuple[AnyLayer, ...] = change.before or change.after
    named = writer.enumeration([layer_name(each, writer.numbers) for each in layers])
    return writer.sentence(CHANGES.layers_removed if change.before else CHANGES.layers_added, layers=named)


def _method(writer: Writer, change: Change) -> Markup:
    before, after = (method.get("neighbors") for method in (change.before, change.after))
    if before is None or after is None:
        return writer.sentence(CHANGES.method)
    return writer.sentence(CHANGES.neighbors, before=_chosen(writer, before), after=_chosen(writer, after))


OF_THEIR_OWN: dict[str, Callable[[Writer, Change], Markup]] = {"layers": _layers, "method": _method}
