"""What the claims say together: topics that join them, in sentences that follow verdicts and effects, never p."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.decisions import RATIO_SLACK, side_of
from cifar_report.analysis.results import Datum, Outcome, Verdict
from cifar_report.analysis.results.verdicts import FOUND, RULED_OUT
from cifar_report.report import names
from cifar_report.report.i18n import load_messages
from cifar_report.report.text.verdicts import turned
from cifar_report.report.writer import Writer
from cifar_report.spec import Claim, Experiment, Quantity, Side, differences

SAY = load_messages("findings")
TOPICS = {
    **dict.fromkeys(("second_conv_32", "third_conv_64"), "depth"),
    **dict.fromkeys(("filters", "second_conv_64", "third_conv_128"), "width"),
    "C13b.second": "stages",
    "C13b.augmented": "augmentation",
    "model_2": "whole",
    "C14": "network",
    "C15": "neighbours",
}
"""Which topic a claim on accuracy belongs to, by its id, code or experiment; others have their experiment's."""
KINDS: dict[Quantity, str] = {
    "accuracy": "accuracy",
    "loss": "loss",
    "gap": "gap",
    "dead_units": "dead_units",
    "epochs_to_accuracy": "convergence",
    "epoch_of_least_loss": "convergence",
    "throughput": "throughput",
    **dict.fromkeys(("seconds", "fit_seconds", "predict_seconds"), "time"),
}
PAIR = ""  # the topic of a comparison that neither side names as its own
JOINED = ("depth", "width")  # topics of several trials, each of which has a row of its own in the table of findings
SHOWN = 2  # effects of a sentence; the others are counted
SEEDS = 20  # a side, a number that somebody might train


@dataclass(frozen=True)
class Finding:
    """What one claim contributes: its topic, the direction that its verdict gives, and the effect to show."""

    verdict: Verdict
    experiment: Experiment
    topic: str  # a key of the message table, or the experiment's title
    kind: str  # of the quantity: a key of the table of directions
    direction: str
    effect: Datum  # from ``before`` to ``after``, with the interval of its test
    before: Side | None
    after: Side
    changes: int | None  # settings in which both sides differ; None where they are no two trials of one kind

    @property
    def rank(self) -> tuple[bool, bool, bool, float]:
        """Return what puts one finding before another: on accuracy, decided, not fragile, many margins large."""
        decided = self.verdict.outcome != "inconclusive"
        return self.kind == "accuracy", decided, decided and not self.verdict.fragile, _margins(self.verdict)


def findings(writer: Writer) -> tuple[Finding, ...]:
    """Return the findings of all claims that were tested, strongest first; counted and validation claims have none."""
    found = []
    for experiment in writer.bundle.record.experiments:
        own = {trial.id for trial in experiment.trials}
        for claim in experiment.claims:
            verdict = writer.results.verdict(claim.id)
            kind = KINDS.get(claim.quantity)
            if kind is None or verdict.estimate.value is None or verdict.reason in ("not_a_number", "one_seed"):
                continue
            if verdict.outcome in ("not_run", "not_testable"):
                continue
            known = (TOPICS[key] for key in (claim.id, claim.code, experiment.id) if key in TOPICS)
            topic = kind if kind != "accuracy" else next(known, experiment.title)
            topic = topic if kind != "accuracy" or _direct(writer, claim) else PAIR
            turn = kind == "accuracy" and claim.subject.trial not in own and claim.comparison != "between_methods"
            sides = [writer.bundle.trials[trial] for trial in claim.trials]
            alike = len(sides) > 1 and type(sides[0]) is type(sides[1])
            changes = len(differences(*sides)) or 1 if alike else None  # two stages of one trial differ in the stage
            found.append(_finding(verdict, (experiment, topic, kind), changes, turn=turn))
    return tuple(sorted(found, key=lambda each: each.rank, reverse=True))


def _finding(verdict: Verdict, place: tuple[Experiment, str, str], changes: int | None, *, turn: bool) -> Finding:
    """Return one claim's finding; ``turn``: the experiment's own trial is the claim's comparator."""
    claim, effect = verdict.claim, verdict.estimate
    before, after = claim.comparator, claim.subject
    if effect.unit == "ratio":  # is shown above one, unless the claim states it
        turn = claim.relation != "ratio" and 0 < (effect.value or 0.0) < 1
    if turn and before is not None:
        effect, before, after = turned(effect), after, before
    return Finding(verdict, *place, _direction(verdict, effect, turn=turn), effect, before, after, changes)


def _direction(verdict: Verdict, effect: Datum, *, turn: bool) -> str:
    up = (effect.value or 0.0) > (1.0 if effect.unit == "ratio" else 0.0)
    if verdict.outcome == "inconclusive":
        return "open"
    if verdict.reason in FOUND or (verdict.reason == "outside_margin" and verdict.claim.relation == "equal"):
        return "up" if up else "down"
    if verdict.reason in RULED_OUT:
        return "not_up" if side_of(verdict.claim) * (-1 if turn else 1) > 0 else "not_down"
    return "same" if verdict.outcome == "reproduced" else "other"


def _margins(verdict: Verdict) -> float:
    """Return how many margins large the effect is, on the scale of the test."""
    value, margin = verdict.estimate.value or 0.0, verdict.claim.margin or RATIO_SLACK - 1
    if verdict.estimate.unit == "ratio":
        return abs(math.log(value)) / math.log1p(margin) if value > 0 else 0.0
    return abs(value) / margin


def lead(found: Iterable[Finding]) -> tuple[Finding, ...]:
    """Return the strongest finding of each topic, in the order of ``found``; pairs that are no topic are left out."""
    first: dict[str, Finding] = {}
    for each in found:
        if each.topic != PAIR:
            first.setdefault(each.topic, each)
    return tuple(first.values())


def main_comparisons(found: Sequence[Finding]) -> list[tuple[Finding, Finding | None]]:
    """Return of each topic of an experiment the first claim on accuracy in which one thing changes, if there is one.

    Claims go in the order in which they were registered, so that no result chooses among them. Beside each stands the
    original's own comparison where more than that changes and it is decided otherwise.
    """
    topics: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        if each.kind == "accuracy" and each.topic != PAIR:
            topics.setdefault((each.experiment.id, each.topic), []).append(each)
    shown = []
    for group in topics.values():
        order = [claim.id for claim in group[0].experiment.claims]
        group.sort(key=lambda each: (each.before is None, (each.changes or 1) > 1, order.index(each.verdict.id)))
        main, *rest = group
        own = (each for each in rest if each.verdict.claim.comparison == "as_written" and each.changes != main.changes)
        shown.append((main, next((each for each in own if each.direction not in ("open", main.direction)), None)))
    return sorted(shown, key=lambda pair: pair[0].rank, reverse=True)


def _direct(writer: Writer, claim: Claim) -> bool:
    """Whether a claim compares a trial with the one that it names as its comparator, or with another method."""
    if claim.comparator is None or claim.comparison == "between_methods":
        return True
    pair = {claim.subject.trial, claim.comparator.trial}
    trials = [writer.bundle.trials[name] for name in pair]
    return len(pair) == 1 or any({each.as_written, each.one_change} & (pair - {each.id}) for each in trials)


def topic_name(writer: Writer, finding: Finding) -> str:
    """Return what a finding's topic is called: by its name, by the title of its experiment, or by its two sides."""
    if finding.topic == PAIR and finding.before is not None:
        return writer.sentence(SAY.pair, after=writer.side_name(finding.after), before=writer.side_name(finding.before))
    named = SAY.topics.get(finding.topic)
    return writer.translation.text(finding.topic) if named is None else writer.word(named)


def direction_words(writer: Writer, finding: Finding) -> Markup:
    """Return in words which way a finding goes, with its margin where that is what was ruled out or kept."""
    margin = finding.verdict.margin and writer.numbers.quantity(finding.verdict.margin)
    return writer.sentence(SAY.direction[finding.kind][finding.direction], margin=margin)


def headline(writer: Writer, finding: Finding) -> Markup:
    """Return topic and direction of a finding, as a row of a table begins; of a topic of several trials the trial's."""
    joined = finding.topic in JOINED
    name = writer.translation.text(finding.experiment.title) if joined else topic_name(writer, finding)
    return Markup("<strong>{}</strong>: {}").format(name, direction_words(writer, finding))


def shown_effect(writer: Writer, finding: Finding) -> Markup:
    """Return a finding's effect with its interval and the two configurations that it compares."""
    verdict, effect, claim = finding.verdict, finding.effect, finding.verdict.claim
    means = verdict.subject_mean, verdict.comparator_mean
    first, last = means if finding.before == claim.subject and finding.after != claim.subject else means[::-1]
    quantities = [claim.quantity, claim.comparator_quantity or claim.quantity]
    if effect.value != verdict.estimate.value:
        quantities.reverse()
    return writer.sentence(
        _form(finding, both=first is not None and last is not None),
        effect=writer.link(verdict.estimate, writer.numbers.quantity(effect)),
        interval="" if effect.low is None and effect.high is None else f" {writer.bounds(effect)}",
        before=writer.side_name(finding.before),
        after=writer.side_name(finding.after),
        first=partial(writer.quantity, first),
        last=partial(writer.quantity, last),
        stated=partial(writer.quantity, verdict.stated),
        quantity=writer.word(names.QUANTITIES[quantities[0]]),
        other_quantity=writer.word(names.QUANTITIES[quantities[1]]),
    )


def _form(finding: Finding, *, both: bool) -> str:
    """Return how an effect is written; ``both``: the means of both sides are known."""
    if finding.before is None:
        return str(SAY.effect_alone)
    if finding.effect.unit == "ratio":
        if finding.verdict.claim.comparator_quantity is not None:
            return str(SAY.ratio_between)
        return str(SAY.ratio if finding.verdict.stated is None else SAY.ratio_stated)
    return str(SAY.effect if finding.kind == "accuracy" and both else SAY.effect_pair)


def group_sentences(writer: Writer, found: Sequence[Finding], outcome: Outcome) -> tuple[Markup, ...]:
    """Return a sentence for each topic and direction of the claims with an outcome, strongest first."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for each in found:
        if each.verdict.outcome == outcome:
            groups.setdefault((topic_name(writer, each), each.direction), []).append(each)
    said = [_sentence(writer, group) for group in groups.values()]
    return (*said, *_counts(writer, outcome)) or (writer.sentence(SAY.nothing),)


def _sentence(writer: Writer, group: Sequence[Finding]) -> Markup:
    effects = []
    for each in group[:SHOWN]:
        effect = shown_effect(writer, each)
        effects.append(writer.sentence(SAY.fragile, effect=effect) if each.verdict.fragile else effect)
    joined = Markup("; ").join(effects)
    if len(group) > SHOWN:
        joined = writer.sentence(SAY.more, effects=joined, count=len(group) - SHOWN)
    direction = direction_words(writer, group[0])
    topic = Markup("<strong>{}</strong>").format(topic_name(writer, group[0]))
    return writer.sentence(SAY.sentence, topic=topic, direction=direction, effects=joined)


def _counts(writer: Writer, outcome: Outcome) -> Iterator[Markup]:
    """Yield how many counts agree, among the claims that were reproduced."""
    exact = [each for each in writer.results.verdicts if each.claim.relation == "exact" and each.test == "exact"]
    counted = [each for each in exact if each.claim.quantity != "unusual_runs"]
    if counted and outcome == "reproduced":
        yield writer.plural(SAY.counts, len(counted), agree=sum(each.outcome == "reproduced" for each in counted))


def open_sentences(writer: Writer, found: Sequence[Finding]) -> tuple[Markup, ...]:
    """Return what is open, and why: what the tests lack, how many seeds would decide, and how far runs spread."""
    undecided = [verdict for verdict in writer.results.tallied if verdict.outcome == "inconclusive"]
    untested = sum(verdict.outcome in ("not_run", "not_testable") for verdict in writer.results.tallied)
    rest = [writer.plural(SAY.untested, untested)] if untested else []
    if not undecided:
        return (writer.sentence(SAY.nothing), *rest)
    accuracies = [each for each in found if each.kind == "accuracy" and each.verdict in writer.results.tallied]
    decided = {each.topic for each in accuracies if each.direction != "open"}
    names = [topic_name(writer, each) for each in lead(accuracies) if each.topic not in decided]
    forms = SAY.open if names else SAY.open_elsewhere
    said = [writer.plural(forms, len(undecided), topics=writer.enumeration(names) if names else "")]
    return (*said, *_lacking(writer, undecided), *_seeds(writer, undecided), *_spread(writer, accuracies), *rest)


def _lacking(writer: Writer, undecided: Iterable[Verdict]) -> Iterator[Markup]:
    counts = Counter(verdict.lacking for verdict in undecided if verdict.lacking)
    parts = [writer.sentence(SAY.lacks[name], count=count) for name, count in counts.most_common()]
    if parts:
        yield writer.sentence(SAY.lacking, parts=writer.enumeration(parts))


def _seeds(writer: Writer, undecided: Iterable[Verdict]) -> Iterator[Markup]:
    """Yield how many tests a moderate number of seeds would decide at either end of the seeds needed."""
    needed = [verdict.seeds_needed for verdict in undecided if verdict.seeds_needed is not None]
    if needed:
        surely = sum(each.high is not None and each.high <= SEEDS for each in needed)
        at_best = sum(each.value is not None and each.value <= SEEDS for each in needed)
        yield writer.plural(SAY.seeds, len(needed), surely=surely, at_best=at_best, limit=SEEDS)


def _spread(writer: Writer, accuracies: Iterable[Finding]) -> Iterator[Markup]:
    """Yield every run of the configuration that spreads most among those that several open comparisons share."""
    sides = [side for each in accuracies if each.direction == "open" for side in (each.before, each.after)]
    counts = Counter(side.trial for side in sides if side is not None)
    runs = {name: writer.results.trial(name).primary.values for name, count in counts.items() if count > 1}
    runs = {name: values for name, values in runs.items() if len(values) > 1}
    if runs:
        name, values = max(runs.items(), key=lambda entry: max(entry[1]) - min(entry[1]))
        shown = writer.numbers.enumeration([writer.numbers.bare(value, "share") for value in values])
        named = writer.trial_name(name)
        yield writer.plural(SAY.spread, len(values), values=f"{shown}%", trial=named, tests=counts[name])
