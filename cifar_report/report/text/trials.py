"""What is said about one trial: its figures as labels, and a judgement that begins with the answer."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Literal

from markupsafe import Markup

from cifar_report.analysis.results import Comparison, Datum, TrialResult, Verdict
from cifar_report.report.i18n import load_messages
from cifar_report.report.names import UNMEASURED
from cifar_report.report.text.verdicts import spaced_interval, turned, unusual_runs
from cifar_report.report.writer import Writer

SAY = load_messages("trials")


def figure_labels(writer: Writer, trial: TrialResult, *, costs: bool = True) -> Iterator[Markup]:
    """Yield the figures of a trial that every reader asks for: accuracies, gap, the original's number, and costs."""
    accuracy, stage = trial.primary.datum, trial.stage()
    if accuracy.value is not None:
        form = SAY.figures["test" if accuracy.low is None else "test_interval"]
        interval = spaced_interval(writer, accuracy)
        yield writer.sentence(form, accuracy=writer.quantity(accuracy), interval=interval)
    if stage is not None:
        scores = stage.primary
        form = SAY.figures["training"]
        yield writer.sentence(form, accuracy=writer.quantity(scores.train_accuracy.datum))
        yield writer.sentence(SAY.figures["gap"], gap=writer.quantity(scores.gap.datum))
        if scores.dead_units is not None:
            recorded, runs = len(scores.dead_units.seeds), len(scores.train_accuracy.seeds)
            form = SAY.figures["dead_units" if recorded == runs else "dead_units_some"]
            yield writer.sentence(form, share=writer.quantity(scores.dead_units.datum), count=recorded, all=runs)
    yield from _original(writer, trial)
    if costs:
        yield from _counts(writer, trial)
    for verdict in _timed(writer, trial):
        ratio, name = writer.link(verdict.estimate), _comparator_name(writer, verdict)
        yield writer.sentence(SAY.figures["time"], ratio=ratio, comparator=name)


def _original(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    original, fit = trial.primary.original, trial.primary.compatibility
    if original is None or original.value is None:
        return
    compared = fit is not None and fit.outcome in ("inside", "outside")
    form = SAY.figures[f"original_{fit.outcome}" if fit is not None and compared else "original"]
    prediction = partial(writer.interval, fit.prediction) if fit is not None else ""
    yield writer.sentence(form, original=writer.quantity(original), prediction=prediction)


def _counts(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield the number of parameters, and that of the trainable ones where the original printed it."""
    costs = trial.costs
    if costs is None:
        return
    printed = (
        costs.original_trainable_parameters if costs.trainable_parameters.value != costs.parameters.value else None
    )
    pairs = [(costs.parameters, costs.original_parameters, ("parameters", "as_original", "not_as_original"))]
    if printed is not None:
        forms = ("trainable", "trainable_as_original", "trainable_not_as_original")
        pairs.append((costs.trainable_parameters, printed, forms))
    for counted, original, (alone, same, other) in pairs:
        known = original is not None and original.value is not None
        form = alone if not known else same if original and original.value == counted.value else other
        values = {"counted": writer.link(counted), "original": partial(writer.link, original) if original else ""}
        yield writer.sentence(SAY.figures[form], **values)


def _timed(writer: Writer, trial: TrialResult) -> list[Verdict]:
    """Return the verdicts on the ratio of a trial's training time to another's."""
    return [
        verdict
        for verdict in writer.results.verdicts
        if verdict.claim.quantity == "seconds"
        and verdict.claim.subject.trial == trial.id
        and verdict.estimate.unit == "ratio"
        and verdict.estimate.value is not None
    ]


def _comparator_name(writer: Writer, verdict: Verdict) -> Markup:
    side = verdict.claim.comparator
    return Markup("") if side is None else writer.trial_name(side.trial, side.stage)


def judgement(writer: Writer, trial: TrialResult, verdicts: Sequence[Verdict]) -> tuple[Markup, ...]:
    """Return what the data say about a trial in a few sentences, the answer to its question first."""
    if trial.primary.datum.value is None:
        return (writer.sentence(SAY.nothing, trial=writer.trial_name(trial.id)),)
    row = next((row for row in writer.results.ablation if row.trial == trial.id), None)
    both = () if row is None else (row.one_change, row.as_written)
    pairs = [each for each in both if each is not None and each.difference.value is not None]
    found = {each.comparator: finding(writer, trial.id, each) for each in pairs}
    # What was claimed and is decided answers the question, by one change alone where both comparisons are.
    claimed = {each.comparator for each in pairs if _claims(writer, trial.id, each)}
    pairs.sort(key=lambda each: (each.comparator not in claimed, found[each.comparator] in ("open", "single")))
    main = pairs[0] if pairs else None
    said = [_alone(writer, trial)] if main is None else []
    for each in pairs:
        one = found[each.comparator]
        if each is main or (main and one != found[main.comparator] and each.comparator != main.comparator):
            other = SAY.as_written if row is not None and each is row.as_written else SAY.one_change
            form = SAY.answers[one] if each is main else other
            said.append(writer.sentence(form, **_values(writer, trial.id, each, one)))
    said += [*_stages(writer, trial), *_time(writer, trial), *_overfitting(writer, trial, main)]
    said += [*_tests(writer, verdicts), *_runs(writer, trial)]
    return tuple(said)


def _alone(writer: Writer, trial: TrialResult) -> Markup:
    datum = trial.primary.datum
    values = {
        "trial": writer.trial_name(trial.id, trial.stages[-1].id if trial.stages else None),
        "accuracy": writer.quantity(datum),
        "interval": spaced_interval(writer, datum),
    }
    if datum.n_of == "images":
        return writer.sentence(SAY.without_seeds, **values)
    return writer.plural(SAY.alone, len(trial.primary.values), **values)


Finding = Literal["better", "worse", "equal", "not_worse", "not_better", "open", "single"]


def finding(writer: Writer, trial: str, comparison: Comparison) -> Finding:
    """Return what the data decide about a trial's accuracy against another's: by its claims, else by the interval."""
    verdicts = _claims(writer, trial, comparison)
    found = {_decided(verdict, forward=verdict.claim.subject.trial == trial) for verdict in verdicts}
    for one in ORDER:
        if one in found:
            return one
    difference = comparison.difference
    if difference.low is None or difference.high is None:
        return "single"
    if verdicts or difference.low <= 0 <= difference.high:
        return "open"
    return "better" if difference.low > 0 else "worse"


def _claims(writer: Writer, trial: str, comparison: Comparison) -> list[Verdict]:
    """Return the verdicts on the accuracies of the two trials of a comparison."""
    return [
        verdict
        for verdict in writer.results.verdicts
        if verdict.claim.quantity == "accuracy"
        and verdict.claim.comparator is not None
        and {verdict.claim.subject.trial, verdict.claim.comparator.trial} == {trial, comparison.comparator}
    ]


ORDER: tuple[Finding, ...] = ("better", "worse", "equal", "not_worse", "not_better")


def _decided(verdict: Verdict, *, forward: bool) -> Finding:
    """Return what one claim decides; ``forward``: the trial in question is its subject."""
    up: Finding = "better" if forward else "worse"
    down: Finding = "worse" if forward else "better"
    claimed, other = (down, up) if verdict.claim.relation == "less" else (up, down)
    if verdict.direction_only or verdict.reason in ("beyond_margin", "improvement_found"):
        return claimed
    if verdict.reason == "opposite":
        return other
    if verdict.reason == "equivalent" and verdict.claim.relation == "equal":
        return "equal"
    if verdict.reason in ("margin_ruled_out", "improvement_ruled_out"):
        return "not_better" if claimed == "better" else "not_worse"
    return "open"


def _shown(writer: Writer, trial: str, comparison: Comparison, found: Finding) -> tuple[Datum, Datum, Datum]:
    """Return difference and means of the claim that decided, with the interval of its test; else those of all runs."""
    for verdict in _claims(writer, trial, comparison):
        forward, means = verdict.claim.subject.trial == trial, (verdict.subject_mean, verdict.comparator_mean)
        mine, other = means if forward else means[::-1]
        if mine is not None and other is not None and _decided(verdict, forward=forward) == found:
            return verdict.estimate if forward else turned(verdict.estimate), mine, other
    mine, other = (writer.results.trial(each).primary.datum for each in (trial, comparison.comparator))
    return comparison.difference, mine, other


def _values(writer: Writer, trial: str, comparison: Comparison, found: Finding) -> dict[str, object]:
    """Return the placeholders of a comparison; ``undecided`` says of an open one what it lacks."""
    difference, mine, other = _shown(writer, trial, comparison, found)
    apart = difference.low is not None and difference.high is not None and difference.low * difference.high > 0
    undecided = SAY.undecided["corrected" if apart else "open"]
    return {
        "trial": writer.trial_name(trial),
        "accuracy": partial(writer.quantity, mine),
        "comparator": writer.trial_name(comparison.comparator),
        "other": partial(writer.quantity, other),
        "difference": partial(writer.quantity, difference),
        "interval": "" if difference.low is None else f" {writer.bounds(difference)}",
        "count": writer.numbers.integer(len(comparison.changes)),
        "undecided": writer.word(undecided) if found == "open" else "",
    }


def _stages(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    if len(trial.stages) > 1:
        reached = [
            writer.sentence(
                SAY.stage,
                accuracy=writer.quantity(stage.primary.test_accuracy.datum),
                stage=writer.stage_name(trial.id, stage.id) or "",
            )
            for stage in trial.stages
        ]
        yield writer.sentence(SAY.stages, accuracies=writer.enumeration(reached))


def _time(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield how long training takes beside what the original said, for one change where both were claimed."""
    timed = [each for each in _timed(writer, trial) if each.outcome in SAY.times["ratio"]]
    if timed:
        verdict = min(timed, key=lambda each: each.claim.comparison != "one_change")
        forms = SAY.times["ratio" if verdict.claim.relation == "ratio" else "direction"]
        yield writer.sentence(
            forms[verdict.outcome],
            ratio=writer.link(verdict.estimate),
            comparator=_comparator_name(writer, verdict),
            stated="" if verdict.stated is None else writer.link(verdict.stated),
        )


def _overfitting(writer: Writer, trial: TrialResult, comparison: Comparison | None) -> Iterator[Markup]:
    """Yield that the gap between training and test accuracy is larger or smaller, where the intervals are apart."""
    stages = (trial.stage(), None if comparison is None else writer.results.trial(comparison.comparator).stage())
    gap, other = (None if stage is None else stage.primary.gap.datum for stage in stages)
    if gap is None or other is None or comparison is None or not _apart(gap, other):
        return
    more = (gap.value or 0.0) > (other.value or 0.0)
    name = writer.trial_name(comparison.comparator)
    form = SAY.overfits_more if more else SAY.overfits_less
    yield writer.sentence(form, gap=writer.quantity(gap), other=writer.quantity(other), comparator=name)


def _apart(one: Datum, other: Datum) -> bool:
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return False
    return one.low > other.high or one.high < other.low


def _tests(writer: Writer, verdicts: Sequence[Verdict]) -> Iterator[Markup]:
    """Yield how the original's statements that are tested here fared; what it did not measure counts apart."""
    counts = Counter(
        f"{'' if verdict.measured_before or verdict.outcome not in UNMEASURED else 'unmeasured_'}{verdict.outcome}"
        for verdict in verdicts
        if verdict.claim.said
    )
    parts = [writer.plural(forms, counts[outcome]) for outcome, forms in SAY.outcomes.items() if counts[outcome]]
    if parts:
        yield writer.sentence(SAY.tests, parts=writer.enumeration(parts))


def _runs(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield which runs are unusual, and how many are missing."""
    if unusual := unusual_runs(writer, trial):
        yield writer.plural(SAY.unusual, len(unusual), runs=writer.enumeration(unusual))
    missing = len(trial.seeds_planned) - len(trial.seeds_run) - len(trial.failed)
    if missing > 0:
        yield writer.plural(SAY.missing, missing, trial=writer.trial_name(trial.id))


def failures(writer: Writer, trials: Sequence[TrialResult]) -> list[Markup]:
    """Return a sentence for each run that failed, with its reason."""
    return [
        writer.sentence(SAY.failed, run=failure.run, error=failure.error)
        for trial in trials
        for failure in trial.failed
    ]
