"""What sets one configuration apart from another, in plain words: one whole sentence for each thing that changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markupsafe import Markup

from cifar_report.report.i18n import load_messages
from cifar_report.report.names import layer_name
from cifar_report.report.writer import Writer
from cifar_report.spec import AnyLayer, BatchNormalization, Change, Conv2D, Dropout, MaxPooling2D

SAY = load_messages("changes")


def change_sentences(writer: Writer, trial: str, comparator: str, changes: tuple[Change, ...]) -> tuple[Markup, ...]:
    """Return how many things differ between two configurations, and a sentence for each, the same one only once."""
    names = {"trial": writer.trial_name(trial), "comparator": writer.trial_name(comparator)}
    said = tuple(dict.fromkeys(change_sentence(writer, change) for change in changes))
    repeated = (writer.sentence(SAY.more_than_once),) if len(said) < len(changes) else ()
    return (writer.plural(SAY.apart, len(changes), **names), *said, *repeated)


def change_sentence(writer: Writer, change: Change) -> Markup:
    """Return one change of a configuration as a whole sentence."""
    place = change.place.rpartition(", ")[2] if change.place.startswith("stage ") else change.place
    before, after = change.before, change.after
    if place in SAY.goes:
        return writer.sentence(SAY.goes[place], before=_chosen(writer, before), after=_chosen(writer, after))
    if isinstance(after, str) and after in SAY.becomes.get(place, {}):
        return writer.sentence(SAY.becomes[place][after])
    if place in SAY.comes_and_goes:
        way = "came" if before is None else "went" if after is None else "became"
        return writer.sentence(SAY.comes_and_goes[place][way])
    sentence = OF_THEIR_OWN.get(place)
    return writer.sentence(SAY.other, place=place) if sentence is None else sentence(writer, change)


def _chosen(writer: Writer, value: Any) -> str:
    return writer.numbers.plain(value) if isinstance(value, (int, float)) else str(value)


def _layers(writer: Writer, change: Change) -> Markup:
    plain = writer.numbers.plain
    match change.after:
        case (Conv2D(filters, size), MaxPooling2D()):
            return writer.sentence(SAY.block_added, filters=plain(filters), size=plain(size))
        case (BatchNormalization(),):
            return writer.sentence(SAY.normalization_added)
        case (Dropout(rate),):
            return writer.sentence(SAY.dropout_added, rate=plain(rate))
    layers: tuple[AnyLayer, ...] = change.before or change.after
    named = [writer.translation.plain(SAY.quoted, {"name": layer_name(each, writer.numbers)}) for each in layers]
    return writer.sentence(SAY.layers_removed if change.before else SAY.layers_added, layers=writer.enumeration(named))


def _method(writer: Writer, change: Change) -> Markup:
    before, after = (method.get("neighbors") for method in (change.before, change.after))
    if before is None or after is None:
        return writer.sentence(SAY.method)
    return writer.sentence(SAY.neighbors, before=_chosen(writer, before), after=_chosen(writer, after))


OF_THEIR_OWN: dict[str, Callable[[Writer, Change], Markup]] = {"layers": _layers, "method": _method}
