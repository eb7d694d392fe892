"""What is said about one trial: its accuracy, the original's beside it, and the verdicts of its claims."""

from __future__ import annotations

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
        return (writer.say(NOTHING, trial=writer.trial_name(trial.id)), *claims_sentences(writer, verdicts))
    return (
        *accuracy(writer, trial),
        *original(writer, trial.primary),
        *comparisons(writer, trial),
        *claims_sentences(writer, verdicts),
    )


def accuracy(writer: Writer, trial: TrialResult) -> tuple[Markup, ...]:
    """Return the sentences that state a trial's test accuracy."""
    datum = trial.primary.datum
    values = {"trial": writer.trial_name(trial.id), "accuracy": writer.quantity(datum)}
    said = [writer.count(REACHED, len(trial.primary.values), **values)]
    if datum.low is not None:
        said.append(
            writer.say(INTERVAL_OVER_IMAGES if datum.n_of == "images" else INTERVAL, interval=writer.interval(datum))
        )
    return tuple(said)


def original(writer: Writer, measure: Measure) -> tuple[Markup, ...]:
    """Return what may be said about the original's number beside ours."""
    compatibility = measure.compatibility
    if compatibility is None or compatibility.original is None or compatibility.original.value is None:
        return ()
    values = {
        "original": writer.quantity(compatibility.original),
        "prediction": partial(writer.interval, compatibility.prediction),
    }
    if compatibility.outcome == "outside":
        return (writer.say(OUTSIDE, **values),)
    if compatibility.outcome == "inside":
        wide = len(measure.values) <= FEW_SEEDS
        return (writer.say(INSIDE, **values), *((writer.say(WIDE),) if wide else ()))
    return (writer.say(OTHER_PIXELS if compatibility.reason == "other_pixels" else NOT_COMPARED, **values),)


def comparisons(writer: Writer, trial: TrialResult) -> tuple[Markup, ...]:
    """Return how a trial compares with the trials that it is held against, as written and by one change."""
    row = next((row for row in writer.results.ablation if row.trial == trial.id), None)
    if row is None:
        return ()
    single, written = row.one_change, row.as_written
    said = [] if single is None else _comparison(writer, trial.id, single)
    if written is not None and (single is None or single.comparator != written.comparator):
        compared = _comparison(writer, trial.id, written)
        said += compared
        if compared and written.confounded:
            said.append(writer.count(CONFOUNDED if trial.trial.published else CONFOUNDED_OURS, len(written.changes)))
    return tuple(said)


def _comparison(writer: Writer, trial: str, comparison: Comparison) -> list[Markup]:
    difference = comparison.difference
    if not difference.value:
        return []
    above = difference.value > 0
    names = {"trial": writer.trial_name(trial), "comparator": writer.trial_name(comparison.comparator)}
    size = writer.quantity(difference, size=True)
    if difference.low is None:
        return [writer.say(ABOVE_BARE if above else BELOW_BARE, size=size, **names)]
    values = {"size": size, "interval": writer.interval(difference), **names}
    said = [writer.count(ABOVE if above else BELOW, difference.n or 0, **values)]
    open_ended = difference.high is not None and difference.low <= 0 <= difference.high
    if open_ended and not _decided(writer, {trial, comparison.comparator}):
        said.append(writer.say(EITHER))
    return said


def _decided(writer: Writer, pair: set[str]) -> bool:
    """Whether a claim about the accuracy of the same two trials found a direction; its test is one-sided."""
    return any(
        verdict.claim.quantity == "accuracy"
        and verdict.claim.comparator is not None
        and {verdict.claim.subject.trial, verdict.claim.comparator.trial} == pair
        and (verdict.direction_only or verdict.reason in ("beyond_margin", "opposite", "improvement_found"))
        for verdict in writer.results.verdicts
    )
