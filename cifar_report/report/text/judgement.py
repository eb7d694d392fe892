"""What is said about one trial: its accuracy, the original's beside it, and the verdicts of its claims."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import Comparison, Measure, TrialResult, Verdict
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.verdicts import claims_sentences
from cifar_report.report.writer import Writer

REACHED = mark_plural(
    "%(trial)s classified %(accuracy)s of the test images correctly (%(count)s run).",
    "%(trial)s classified %(accuracy)s of the test images correctly on average (%(count)s runs).",
)
INTERVAL = mark("The 95%% interval of this mean is %(interval)s.")
INTERVAL_OVER_IMAGES = mark("The 95%% interval of this share of the test images is %(interval)s.")
NOTHING = mark("Of %(trial)s nothing can be said yet, because none of its runs has finished.")
INSIDE = mark("The original's %(original)s lies where one more run of this recipe would be expected: %(prediction)s.")
OUTSIDE = mark("The original's %(original)s lies outside the range in which one more run is expected: %(prediction)s.")
WIDE = mark("With so few seeds this range is wide, and almost any value would lie in it.")
OTHER_PIXELS = mark(
    "The original's %(original)s is not held against it, because these pixels are not verified to be the canonical "
    "ones."
)
NOT_COMPARED = mark("The original's %(original)s is not held against it, because this bundle cannot test it.")
ABOVE = mark_plural(
    "The mean of %(trial)s lies %(size)s above that of %(comparator)s (%(count)s pair by seed).",
    "The mean of %(trial)s lies %(size)s above that of %(comparator)s (%(count)s pairs by seed; 95%% interval of the "
    "difference, not corrected for other comparisons: %(interval)s).",
)
BELOW = mark_plural(
    "The mean of %(trial)s lies %(size)s below that of %(comparator)s (%(count)s pair by seed).",
    "The mean of %(trial)s lies %(size)s below that of %(comparator)s (%(count)s pairs by seed; 95%% interval of the "
    "difference, not corrected for other comparisons: %(interval)s).",
)
ABOVE_BARE = mark("In this one comparison, %(trial)s lies %(size)s above %(comparator)s.")
BELOW_BARE = mark("In this one comparison, %(trial)s lies %(size)s below %(comparator)s.")
CONFOUNDED = mark_plural(
    "This comparison, which is the write-up's, changes %(count)s thing.",
    "This comparison, which is the write-up's, changes %(count)s things at once, so the difference cannot be "
    "attributed to one of them.",
)
CONFOUNDED_OURS = mark_plural(
    "This comparison changes %(count)s thing.",
    "This comparison changes %(count)s things at once, so the difference cannot be attributed to one of them.",
)
EITHER = mark("With these seeds the data cannot tell which of the two is better.")
FEW_SEEDS = 3


def judgement(writer: Writer, trial: TrialResult, verdicts: tuple[Verdict, ...]) -> tuple[Markup, ...]:
    """Return what the data say about a trial, in whole sentences."""
    if trial.primary.datum.value is None:
        said = [writer.sentence(NOTHING, trial=writer.trial_name(trial.id))]
    else:
        said = [*_accuracy(writer, trial), *_original(writer, trial.primary), *_comparisons(writer, trial)]
    return (*said, *claims_sentences(writer, verdicts))


def _accuracy(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    datum = trial.primary.datum
    values = {"trial": writer.trial_name(trial.id), "accuracy": writer.quantity(datum)}
    yield writer.plural(*REACHED, len(trial.primary.values), **values)
    if datum.low is not None:
        message = INTERVAL_OVER_IMAGES if datum.n_of == "images" else INTERVAL
        yield writer.sentence(message, interval=writer.interval(datum))


def _original(writer: Writer, measure: Measure) -> Iterator[Markup]:
    compatibility = measure.compatibility
    if compatibility is None or compatibility.original is None or compatibility.original.value is None:
        return
    other = OTHER_PIXELS if compatibility.reason == "other_pixels" else NOT_COMPARED
    message = {"inside": INSIDE, "outside": OUTSIDE}.get(compatibility.outcome, other)
    yield writer.sentence(
        message,
        original=writer.quantity(compatibility.original),
        prediction=partial(writer.interval, compatibility.prediction),
    )
    if compatibility.outcome == "inside" and len(measure.values) <= FEW_SEEDS:
        yield writer.sentence(WIDE)


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
            yield writer.plural(*(CONFOUNDED if trial.trial.published else CONFOUNDED_OURS), len(written.changes))


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
        yield writer.sentence(ABOVE_BARE if above else BELOW_BARE, **values)
        return
    yield writer.plural(*(ABOVE if above else BELOW), difference.n or 0, **values)
    if difference.low <= 0 <= difference.high and not _decided(writer, {trial, comparison.comparator}):
        yield writer.sentence(EITHER)


def _decided(writer: Writer, pair: set[str]) -> bool:
    """Whether a claim about the accuracy of the same two trials found a direction; its test is one-sided."""
    return any(
        verdict.claim.quantity == "accuracy"
        and verdict.claim.comparator is not None
        and {verdict.claim.subject.trial, verdict.claim.comparator.trial} == pair
        and (verdict.direction_only or verdict.reason in ("beyond_margin", "opposite", "improvement_found"))
        for verdict in writer.results.verdicts
    )
