"""What is said about one trial: what sets it apart, its accuracy, the original's, and the verdicts of its claims."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from markupsafe import Markup

from cifar_report.analysis.results import Comparison, Measure, TrialResult, Verdict
from cifar_report.report.i18n import load_messages
from cifar_report.report.names import layer_name
from cifar_report.report.text.verdicts import claims_sentences, unusual_runs
from cifar_report.report.writer import Writer
from cifar_report.spec import AnyLayer, BatchNormalization, Change, Conv2D, Dropout, MaxPooling2D

CHANGES = load_messages("changes")


def change_sentences(writer: Writer, trial: str, comparator: str, changes: tuple[Change, ...]) -> tuple[Markup, ...]:
    """Return how many things differ between two configurations, and a sentence for each, the same one only once."""
    names = {"trial": writer.trial_name(trial), "comparator": writer.trial_name(comparator)}
    said = tuple(dict.fromkeys(change_sentence(writer, change) for change in changes))
    repeated = (writer.sentence(CHANGES.more_than_once),) if len(said) < len(changes) else ()
    return (writer.plural(CHANGES.apart, len(changes), **names), *said, *repeated)


def change_sentence(writer: Writer, change: Change) -> Markup:
    """Return one change of a configuration as a whole sentence."""
    place = change.place.rpartition(", ")[2] if change.place.startswith("stage ") else change.place
    before, after = change.before, change.after
    if place in CHANGES.goes:
        return writer.sentence(CHANGES.goes[place], before=_chosen(writer, before), after=_chosen(writer, after))
    if isinstance(after, str) and after in CHANGES.becomes.get(place, {}):
        return writer.sentence(CHANGES.becomes[place][after])
    if place in CHANGES.comes_and_goes:
        way = "came" if before is None else "went" if after is None else "became"
        return writer.sentence(CHANGES.comes_and_goes[place][way])
    sentence = OF_THEIR_OWN.get(place)
    return writer.sentence(CHANGES.other, place=place) if sentence is None else sentence(writer, change)


def _chosen(writer: Writer, value: Any) -> str:
    return writer.numbers.plain(value) if isinstance(value, (int, float)) else str(value)


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
    named = [writer.translation.plain(CHANGES.quoted, {"name": layer_name(each, writer.numbers)}) for each in layers]
    return writer.sentence(
        CHANGES.layers_removed if change.before else CHANGES.layers_added, layers=writer.enumeration(named)
    )


def _method(writer: Writer, change: Change) -> Markup:
    before, after = (method.get("neighbors") for method in (change.before, change.after))
    if before is None or after is None:
        return writer.sentence(CHANGES.method)
    return writer.sentence(CHANGES.neighbors, before=_chosen(writer, before), after=_chosen(writer, after))


OF_THEIR_OWN: dict[str, Callable[[Writer, Change], Markup]] = {"layers": _layers, "method": _method}


SAY = load_messages("judgement")

FEW_SEEDS = 3


def judgement(writer: Writer, trial: TrialResult, verdicts: tuple[Verdict, ...]) -> tuple[Markup, ...]:
    """Return what the data say about a trial, in whole sentences."""
    if trial.primary.datum.value is None:
        said = [writer.sentence(SAY.nothing, trial=writer.trial_name(trial.id))]
    else:
        said = [*_accuracy(writer, trial), *_dead_units(writer, trial)]
        said += [*_original(writer, trial.primary), *_comparisons(writer, trial)]
    return (*said, *claims_sentences(writer, verdicts))


def _accuracy(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    datum = trial.primary.datum
    values = {"trial": writer.trial_name(trial.id), "accuracy": writer.quantity(datum)}
    yield writer.plural(SAY.reached, len(trial.primary.values), **values)
    if datum.low is not None:
        message = SAY.interval_over_images if datum.n_of == "images" else SAY.interval
        yield writer.sentence(message, interval=writer.interval(datum))
    if trial.median is not None and trial.trimmed_mean is not None:
        centers = {"median": writer.quantity(trial.median), "trimmed": writer.quantity(trial.trimmed_mean)}
        yield writer.sentence(SAY.centers, **centers)
    if unusual := unusual_runs(writer, trial):
        yield writer.plural(SAY.unusual, len(unusual), runs=writer.enumeration(unusual))


def _dead_units(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    stage = trial.stage()
    if stage is None or (dead := stage.primary.dead_units) is None:
        return
    recorded = len(dead.values)
    yield writer.plural(SAY.dead_units, recorded, share=writer.quantity(dead.datum))
    if missing := len(trial.runs) - recorded:
        yield writer.plural(SAY.dead_units_not_recorded, missing)


def _original(writer: Writer, measure: Measure) -> Iterator[Markup]:
    compatibility = measure.compatibility
    if compatibility is None or compatibility.original is None or compatibility.original.value is None:
        return
    other = SAY.other_pixels if compatibility.reason == "other_pixels" else SAY.not_compared
    message = {"inside": SAY.inside, "outside": SAY.outside}.get(compatibility.outcome, other)
    yield writer.sentence(
        message,
        original=writer.quantity(compatibility.original),
        prediction=partial(writer.interval, compatibility.prediction),
    )
    if compatibility.outcome == "inside" and len(measure.values) <= FEW_SEEDS:
        yield writer.sentence(SAY.wide)


def _comparisons(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield how a trial compares with its comparators, by one change and as the write-up compared it."""
    row = next((row for row in writer.results.ablation if row.trial == trial.id), None)
    if row is None:
        return
    single, written = row.one_change, row.as_written
    if single is not None:
        yield from _comparison(writer, trial.id, single)
    if written is not None and (single is None or single.comparator != written.comparator):
        compared = list(_comparison(writer, trial.id, written))
        yield from compared
        if compared and written.confounded:
            yield writer.plural(SAY.confounded if trial.trial.published else SAY.confounded_ours, len(written.changes))


def _comparison(writer: Writer, trial: str, comparison: Comparison) -> Iterator[Markup]:
    difference = comparison.difference
    if not difference.value:
        return
    above = difference.value > 0
    values = {
        "trial": writer.trial_name(trial),
        "comparator": writer.trial_name(comparison.comparator),
        "size": writer.quantity(difference, size=True),
        "interval": partial(writer.interval, difference),
    }
    if difference.low is None or difference.high is None:
        yield writer.sentence(SAY.above_bare if above else SAY.below_bare, **values)
        return
    yield writer.plural(SAY.above if above else SAY.below, difference.n or 0, **values)
    if difference.low <= 0 <= difference.high and not _decided(writer, {trial, comparison.comparator}):
        yield writer.sentence(SAY.either)


def _decided(writer: Writer, pair: set[str]) -> bool:
    """Whether a claim about the accuracy of the same two trials found a direction; its test is one-sided."""
    return any(
        verdict.claim.quantity == "accuracy"
        and verdict.claim.comparator is not None
        and {verdict.claim.subject.trial, verdict.claim.comparator.trial} == pair
        and (verdict.direction_only or verdict.reason in ("beyond_margin", "opposite", "improvement_found"))
        for verdict in writer.results.verdicts
    )
