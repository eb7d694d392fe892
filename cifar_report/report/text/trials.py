"""What is said about one trial: figures and changes as labels, and a judgement that begins with the answer."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal, cast, get_args

import msgspec
from markupsafe import Markup

from cifar_report.analysis.results import Comparison, Datum, TrialResult, Verdict
from cifar_report.report.i18n import load_messages
from cifar_report.report.names import UNMEASURED, layer_name, setting_name
from cifar_report.report.text.verdicts import spaced_interval, turned, unusual_runs
from cifar_report.report.writer import Writer
from cifar_report.spec import AnyLayer, BatchNormalization, Change, Conv2D, Dropout, KerasObject, MaxPooling2D

SAY, CHANGES = load_messages("trials"), load_messages("changes")
MOST_CHANGES = 5  # that are listed


def change_labels(writer: Writer, changes: Sequence[Change]) -> tuple[Markup, ...]:
    """Return a short label for each change; the same one only once, with its number."""
    counted = Counter(change_label(writer, change) for change in changes).items()
    several = partial(writer.sentence, CHANGES.several)
    return tuple(label if count == 1 else several(change=label, count=count) for label, count in counted)


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
    original, fit = trial.primary.original, trial.primary.compatibility
    if original is not None and original.value is not None:
        outcome = f"_{fit.outcome}" if fit is not None and fit.outcome in ("inside", "outside") else ""
        prediction = partial(writer.interval, fit.prediction) if fit is not None else ""
        form = SAY.figures[f"original{outcome}"]
        yield writer.sentence(form, original=writer.quantity(original), prediction=prediction)
    if costs:
        yield from _counts(writer, trial)
    for verdict in _timed(writer, trial):
        ratio, name = writer.link(verdict.estimate), writer.side_name(verdict.claim.comparator)
        yield writer.sentence(SAY.figures["time"], ratio=ratio, comparator=name)


def _counts(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield the number of parameters, and that of the trainable ones where the original printed it."""
    costs = trial.costs
    if costs is None:
        return
    pairs = [(costs.parameters, costs.original_parameters, ("parameters", "as_original", "not_as_original"))]
    printed = costs.original_trainable_parameters
    if printed is not None and costs.trainable_parameters.value != costs.parameters.value:
        forms = ("trainable", "trainable_as_original", "trainable_not_as_original")
        pairs.append((costs.trainable_parameters, printed, forms))
    for counted, original, (alone, same, other) in pairs:
        known = original is not None and original.value is not None
        form = alone if not known else same if original and original.value == counted.value else other
        values = {"counted": writer.link(counted), "original": partial(writer.link, original) if original else ""}
        yield writer.sentence(SAY.figures[form], **values)


def _timed(writer: Writer, trial: TrialResult) -> list[Verdict]:
    """Return the verdicts on the ratio of a trial's training time to another's."""
    claimed = [each for each in writer.results.verdicts if each.claim.quantity == "seconds"]
    claimed = [each for each in claimed if each.claim.subject.trial == trial.id and each.estimate.unit == "ratio"]
    return [each for each in claimed if each.estimate.value is not None]


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
    said += [*_stages(writer, trial), *_time(writer, trial), *_devices(writer, trial)]
    said += _overfitting(writer, trial, main)
    said += [*_tests(writer, verdicts), *_runs(writer, trial)]
    return tuple(said)


def _alone(writer: Writer, trial: TrialResult) -> Markup:
    datum = trial.primary.datum
    name = writer.trial_name(trial.id, trial.stages[-1].id if trial.stages else None)
    values = {"trial": name, "accuracy": writer.quantity(datum), "interval": spaced_interval(writer, datum)}
    if datum.n_of == "images":
        return writer.sentence(SAY.without_seeds, **values)
    return writer.plural(SAY.alone, len(trial.primary.values), **values)


Finding = Literal["better", "worse", "equal", "not_worse", "not_better", "open", "single"]


def finding(writer: Writer, trial: str, comparison: Comparison) -> Finding:
    """Return what the data decide about a trial's accuracy against another's: by its claims, else by the interval."""
    verdicts = _claims(writer, trial, comparison)
    found = {_decided(verdict, forward=verdict.claim.subject.trial == trial) for verdict in verdicts}
    for one in get_args(Finding)[:-2]:  # those that are decided
        if one in found:
            return cast("Finding", one)
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
    margin = max((each.claim.margin or 0.0 for each in _claims(writer, trial, comparison)), default=0.0)
    ends = (difference.low or 0.0, difference.high or 0.0)
    kind = "corrected" if ends[0] * ends[1] > 0 else "both" if ends[0] < -margin < margin < ends[1] else "open"
    undecided = SAY.undecided[kind]
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
        reached = []
        for stage in trial.stages:
            accuracy = writer.quantity(stage.primary.test_accuracy.datum)
            reached.append(writer.sentence(SAY.stage, accuracy=accuracy, stage=writer.stage_name(trial.id, stage.id)))
        yield writer.sentence(SAY.stages, accuracies=writer.enumeration(reached))


def _time(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield how long training takes beside what the original said, for one change where both were claimed."""
    timed = [each for each in _timed(writer, trial) if each.outcome in SAY.times["ratio"]]
    if timed:
        verdict = min(timed, key=lambda each: each.claim.comparison != "one_change")
        form = SAY.times["ratio" if verdict.claim.relation == "ratio" else "direction"][verdict.outcome]
        ratio, stated = writer.link(verdict.estimate), verdict.stated and writer.link(verdict.stated)
        yield writer.sentence(form, ratio=ratio, comparator=writer.side_name(verdict.claim.comparator), stated=stated)


def _devices(writer: Writer, trial: TrialResult) -> Iterator[Markup]:
    """Yield what several devices bring, where a step's time goes, whether results agree, and what this can show."""
    rows, say = {row.trial: row for row in writer.results.timing}, SAY.devices
    speed, same = say["speed"], say["same"]
    for each in writer.results.verdicts:
        subject, comparator, ratio = each.claim.subject, each.claim.comparator, each.estimate
        if (subject.trial, each.claim.quantity) == (trial.id, "throughput") and comparator and ratio.value is not None:
            many, one = (rows[side.trial].images_per_second for side in (subject, comparator))
            values = {"many": many, "one": one, "ratio": ratio}
            shown = {name: writer.quantity(datum) for name, datum in values.items() if datum}
            shown |= {f"{name}_interval": spaced_interval(writer, datum) for name, datum in values.items() if datum}
            yield writer.sentence(speed, replicas=rows[trial.id].replicas, **shown)
    if trial.id in rows and rows[trial.id].replicas > 1:
        parts = {name: writer.quantity(datum) for name, datum in rows[trial.id].step_parts.items()}
        form = say["parts"] if parts else say["parts_unknown"]
        yield writer.sentence(form, **parts)
    for agreement in writer.results.determinism.replicas:
        if agreement.trial == trial.id and agreement.same_predictions.value is not None:
            yield writer.sentence(same, same=writer.quantity(agreement.same_predictions))
    machine = writer.bundle.record.environment
    about = {"processor": machine.processor, "cores": writer.numbers.integer(machine.cores)}
    devices = {run.key_parts.get("devices", "") for run in writer.bundle.runs_of(trial.id)}
    for word, form in SAY.kinds_of_devices.items():
        if any(word in each for each in devices):
            yield writer.sentence(form, **about)


def _overfitting(writer: Writer, trial: TrialResult, comparison: Comparison | None) -> Iterator[Markup]:
    """Yield that the gap between training and test accuracy is larger or smaller, where the intervals are apart."""
    stages = (trial.stage(), None if comparison is None else writer.results.trial(comparison.comparator).stage())
    gap, other = (None if stage is None else stage.primary.gap.datum for stage in stages)
    if gap is None or other is None or comparison is None or not _apart(gap, other):
        return
    name = writer.trial_name(comparison.comparator)
    form = SAY.overfits_more if (gap.value or 0.0) > (other.value or 0.0) else SAY.overfits_less
    first, second = (writer.quantity(each) + spaced_interval(writer, each) for each in (gap, other))
    yield writer.sentence(form, gap=first, other=second, comparator=name)


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
