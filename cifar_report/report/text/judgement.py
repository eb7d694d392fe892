"""What is said about one trial: its accuracy, the original's beside it, and the verdicts of its claims."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import Comparison, Measure, TrialResult, Verdict
from cifar_report.report.i18n import load_messages
from cifar_report.report.text.verdicts import claims_sentences
from cifar_report.report.writer import Writer

SAY = load_messages("judgement")

FEW_SEEDS = 3


def judgement(writer: Writer, trial: TrialResult, verdicts: tuple[Verdict, ...]) -> tuple[Markup, ...]:
    """Return what the data say about a trial, in whole sentences."""
    if trial.primary.datum.value is None:
        said = [writer.sentence(SAY.nothing, trial=writer.trial_name(trial.id))]
    else:
        said = [*_accuracy(writer, trial), *_original(writer, trial.primary), *_comparisons(writer, trial)]
    return (*said, *claims_sentences(writer, verdicts))


def _accuracy(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    datum = trial.primary.datum
    values = {"trial": writer.trial_name(trial.id), "accuracy": writer.quantity(datum)}
    yield writer.plural(SAY.reached, len(trial.primary.values), **values)
    if datum.low is not None:
        message = SAY.interval_over_images if datum.n_of == "images" else SAY.interval
        yield writer.sentence(message, interval=writer.interval(datum))


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
