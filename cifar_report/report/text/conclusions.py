"""What came out, in the four sentences of the first page, and conclusions over all trials and studies."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import get_args

from markupsafe import Markup

from cifar_report.analysis.decisions import RATIO_SLACK
from cifar_report.analysis.results import ChangeKind, Outcome, StageSummary, TrialResult, Verdict
from cifar_report.report.elements import claim_link
from cifar_report.report.i18n import load_messages
from cifar_report.report.text.findings import Finding, direction_words, lead, topic_name
from cifar_report.report.text.verdicts import spaced_interval, unusual_runs
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Section, Side

SUMMARY, SAY, STUDY = load_messages("summary"), load_messages("conclusions"), load_messages("studies")
STUDIES: tuple[Section, ...] = ("hidden_layer", "training_parameters")
"""The sections of the studies that the assignment asked for."""
CLEAREST = 3  # findings that the first page names, on either side
NEEDS: tuple[ChangeKind, ...] = (
    *("more_seeds", "missing_runs", "timing_pass", "canonical_pixels", "full_profile", "real_data"),
)


def abstract(writer: Writer, found: Sequence[Finding]) -> tuple[Markup, ...]:
    """Return four sentences: what was done, the best network, how the claims fared, and the clearest findings."""
    ran = [trial.trial.seeded for trial in writer.results.trials if trial.primary.datum.value is not None]
    counts: dict[str, object] = {"networks": sum(ran), "others": len(ran) - sum(ran)}
    asked = writer.results.seeds.asked
    if writer.bundle.record.asked:  # by a plan, some trials have more
        counts["count"] = writer.sentence(SUMMARY.or_more, count=asked)
    made = writer.plural(SUMMARY.made, asked, **counts)
    return (made, _best(writer), _all_claims(writer), _clearest(writer, found))


def best_network(writer: Writer) -> TrialResult | None:
    """Return the network with the highest mean test accuracy at its end; None when none has finished."""
    finished = [each for each in writer.results.trials if each.stages and each.primary.datum.value is not None]
    return max(finished, key=lambda trial: trial.primary.datum.value or 0.0, default=None)


def _best(writer: Writer) -> Markup:
    """Return the highest mean with the stage that has it, and what the last stage has where that is another one."""
    stages = [stage for trial in writer.results.trials for stage in trial.stages if _mean(stage) is not None]
    if not stages:
        return writer.sentence(SUMMARY.no_best)
    best = max(stages, key=lambda stage: _mean(stage) or 0.0)
    last, datum = writer.results.trial(best.trial).stages[-1], best.primary.test_accuracy.datum
    first = next((trial.id for each in writer.experiments("trials", "own") for trial in each.trials), None)
    reference = first and writer.results.trial(first).primary.datum
    known = reference and reference.value is not None and first != best.trial
    earlier = last.id != best.id and known
    return writer.sentence(
        SUMMARY.best_earlier if earlier else SUMMARY.best if known else SUMMARY.best_alone,
        trial=writer.trial_name(best.trial, best.id),
        accuracy=writer.quantity(datum),
        interval=spaced_interval(writer, datum),
        stage=writer.stage_name(last.trial, last.id),
        last=writer.quantity(last.primary.test_accuracy.datum),
        reference=reference and partial(writer.quantity, reference),
    )


def _mean(stage: StageSummary) -> float | None:
    return stage.primary.test_accuracy.datum.value


def tally(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """Return how many claims have each outcome."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return {outcome: counts[outcome] for outcome in get_args(Outcome)}


def _all_claims(writer: Writer) -> Markup:
    verdicts = writer.results.tallied
    if not verdicts:
        return writer.sentence(SUMMARY.no_claims)
    counts = tally(verdicts)
    supported = sum(each.outcome == "reproduced" and not each.measured_before for each in verdicts)
    shown = {
        "reproduced": counts["reproduced"] - supported,
        "supported": supported,
        "contradicted": counts["not_reproduced"],
        "open": counts["inconclusive"],
        "untested": counts["not_run"] + counts["not_testable"],
    }
    link = Markup('<a class="reference" href="#verdicts">{}</a>')
    links = {name: link.format(writer.numbers.integer(count)) for name, count in shown.items()}
    every = next((each for each in writer.results.statements if each.kind == "every"), None)
    if every is None:
        return writer.plural(SUMMARY.claimed, len(verdicts), **links)
    whole = {name: getattr(every, name) for name in ("all", "some", "none", "refuted")}
    return writer.plural(SUMMARY.stated, every.statements, tests=len(verdicts), **whole, **links)


def _clearest(writer: Writer, found: Sequence[Finding]) -> Markup:
    """Return the strongest findings on accuracy for the original, and those against it."""
    measured = [each for each in found if each.verdict.measured_before or writer.translation.own]

    def named(outcome: Outcome) -> Markup | None:
        shown = [each for each in lead(measured) if each.kind == "accuracy" and each.verdict.outcome == outcome]
        named = []
        for each in shown[:CLEAREST]:
            topic, direction = topic_name(writer, each), direction_words(writer, each)
            named.append(writer.sentence(SUMMARY.headline, topic=topic, direction=direction))
        return writer.enumeration(named) if named else None

    agrees, differs = named("reproduced"), named("not_reproduced")
    forms = SUMMARY.clearest_for if agrees else SUMMARY.clearest_against if differs else SUMMARY.undecided
    return writer.sentence(SUMMARY.clearest if agrees and differs else forms, agrees=agrees, differs=differs)


def surprises(writer: Writer) -> tuple[Markup, ...]:
    """Return what a reader of the original would not expect: its own numbers, turned signs, and overfitting."""
    differing = {each.claim.code: each.id for each in writer.results.verdicts if _own_numbers_differ(each)}
    claims = writer.enumeration([claim_link(claim, code) for code, claim in differing.items()])
    said = [writer.sentence(SAY.own_numbers, count=len(differing), claims=claims)] if differing else []
    confounded, turned = [], []
    for row in writer.results.ablation:
        if row.as_written is not None and row.as_written.confounded:
            confounded.append(row)
        if row.as_written is not None and row.one_change is not None:
            written, single = row.as_written.difference.value, row.one_change.difference.value
            if written and single and (written > 0) != (single > 0):
                turned.append(row)
    for forms, rows in ((SAY.confounded, confounded), (SAY.reversed, turned)):
        if rows:
            said.append(writer.plural(forms, len(rows), trials=writer.trial_names(row.trial for row in rows)))
    return (*said, *_gap(writer)) or (writer.sentence(SAY.no_surprise),)


def _own_numbers_differ(verdict: Verdict) -> bool:
    """Whether the original's number lies on the other side of zero (of the stated ratio's band) than its claim says."""
    claim, original = verdict.claim, verdict.original
    if original is None or original.value is None:
        return False
    zero = 1.0 if original.unit == "ratio" else 0.0
    if claim.relation in ("greater", "less"):
        return original.value < zero if claim.relation == "greater" else original.value > zero
    stated = claim.value if claim.relation == "ratio" else None
    return bool(stated) and abs(math.log(original.value / (stated or 1.0))) > math.log(RATIO_SLACK)


def _gap(writer: Writer) -> Iterator[Markup]:
    ends = [(trial.id, trial.stages[-1].primary) for trial in writer.results.trials if trial.stages]
    known = [(trial, scores) for trial, scores in ends if scores.gap.datum.value is not None]
    if known:
        trial, widest = max(known, key=lambda end: end[1].gap.datum.value or 0.0)
        training, test = writer.quantity(widest.train_accuracy.datum), writer.quantity(widest.test_accuracy.datum)
        yield writer.sentence(SAY.gap, trial=writer.trial_name(trial), training=training, test=test)


def one_run(writer: Writer) -> tuple[Markup, ...]:
    """Return what a single run of each configuration could not have told."""
    varied = [row for row in writer.results.variance if row.observed.value is not None]
    if not varied:
        return (writer.sentence(SAY.one_seed),)
    row = max(varied, key=lambda row: row.observed.value or 0.0)
    values = writer.results.trial(row.trial).primary.values
    least, most = (f"{writer.numbers.bare(each, 'share')}%" for each in (min(values), max(values)))
    shown = {"trial": writer.trial_name(row.trial), "spread": writer.quantity(row.observed)}
    said = [writer.plural(SAY.spread, len(values), least=least, most=most, **shown)]
    return (*said, *_alone(writer), *_unusual(writer))


def _alone(writer: Writer) -> Iterator[Markup]:
    """Yield what each seed of the original's comparisons taken alone would have told: how often the opposite way."""
    counts: dict[tuple[Side, Side], tuple[int, int]] = {}
    for verdict in writer.results.tallied:
        claim, mean = verdict.claim, verdict.estimate.value
        if claim.quantity == "accuracy" and claim.comparator is not None and mean:
            both = [(each.subject, each.comparator) for each in verdict.differences if each.seed is not None]
            signs = [(one - other) * mean for one, other in both if one is not None and other is not None]
            if len(signs) > 1:
                counts[claim.subject, claim.comparator] = sum(sign < 0 for sign in signs), len(signs)
    groups: dict[tuple[int, int], list[Markup]] = {}
    for pair, (opposite, count) in counts.items():
        if opposite:
            first, second = map(writer.side_name, pair)
            pairs = groups.setdefault((opposite, count), [])
            pairs.append(writer.sentence(SAY.alone_pair, subject=first, comparator=second))
    shown: list[Markup] = []
    for (opposite, count), pairs in sorted(groups.items(), reverse=True):
        joined = writer.plural(SAY.alone_more, len(pairs)) if shown else Markup("; ").join(pairs)
        shown.append(writer.sentence(SAY.alone_group, opposite=opposite, count=count, pairs=joined))
    if counts:
        form = SAY.alone if shown else SAY.alone_agree
        yield writer.plural(form, len(counts), disagree=sum(map(len, groups.values())), groups=Markup(" ").join(shown))


def _unusual(writer: Writer) -> Iterator[Markup]:
    named, count = [], 0
    for trial in writer.results.trials:
        if runs := unusual_runs(writer, trial):
            count += len(runs)
            name = writer.trial_name(trial.id)
            named.append(writer.sentence(SAY.unusual_of, trial=name, runs=writer.enumeration(runs)))
    if named:
        yield writer.plural(SAY.unusual, count, runs=Markup("; ").join(named))


def changes(writer: Writer) -> Iterator[Markup]:
    """Yield how many verdicts other choices would change, and what could decide the tests that are open."""
    claims: dict[ChangeKind, set[str]] = {}
    tallied = {verdict.id for verdict in writer.results.tallied}
    for change in writer.results.changes_of_mind:
        if change.claim in tallied:
            claims.setdefault(change.kind, set()).add(change.claim)
    could = [kind for kind in NEEDS if kind in claims]
    would = [kind for kind in claims if kind not in NEEDS]
    for kinds, message in ((would, SAY.would_change), (could, SAY.could_decide)):
        parts = [writer.sentence(SAY.changes[kind], count=len(claims[kind])) for kind in kinds]
        if parts:
            yield writer.sentence(message, parts=writer.enumeration(parts))
        elif kinds is would:
            yield writer.sentence(SAY.stable)


def front(writer: Writer) -> Iterator[Markup]:
    """Yield which trials have a higher mean than all that cost no more, by parameters and by time."""
    best = {front.cost: [point for point in front.points if point.on_front] for front in writer.results.pareto}
    if best.get("parameters"):
        named = {cost: Markup("; ").join(writer.trial_name(point.trial) for point in best[cost]) for cost in best}
        yield writer.sentence(SAY.front if best.get("seconds") else SAY.front_counted, **named)


def study_sentences(writer: Writer) -> tuple[Markup, ...]:
    """Return a sentence for each study with a significant difference, and one for all others of several trials."""
    rankings = {study.experiment: study.ranking for study in writer.results.studies if len(study.ranking) > 1}
    compared = [each for each in writer.experiments(*STUDIES) if each.id in rankings]
    apart = [each for each in compared if any(row.tied is False for row in rankings[each.id])]
    alike = [writer.translation.text(each.title) for each in compared if each not in apart]
    joined = [writer.sentence(STUDY.alike, studies="; ".join(alike))] if alike else []
    return (*(study_sentence(writer, each) for each in apart), *joined)


def study_sentence(writer: Writer, experiment: Experiment) -> Markup:
    """Return what the ranking of a study's trials among themselves says, in one sentence."""
    found = next((study for study in writer.results.studies if study.experiment == experiment.id), None)
    title = writer.translation.text(experiment.title)
    if found is None or not found.ranking:
        return writer.sentence(STUDY.nothing, study=title)
    first, last, others = found.ranking[0], found.ranking[-1], found.ranking[1:]
    tied = [row for row in others if row.tied is not False]  # what was not tested differs from nothing
    untied = [row for row in others if row.tied is False]
    values: dict[str, object] = {
        "study": title,
        "best": writer.trial_name(first.trial),
        "worst": writer.trial_name(last.trial),
        "high": partial(writer.quantity, first.accuracy),
        "low": partial(writer.quantity, last.accuracy),
        "tied": partial(writer.trial_names, [row.trial for row in tied]),
        "apart": partial(writer.trial_names, [row.trial for row in untied]),
    }
    if not others:
        return writer.sentence(STUDY.single, **values)
    if found.only_splits:
        return writer.plural(STUDY.splits_apart if untied else STUDY.splits_together, len(found.ranking), **values)
    if not untied:
        return writer.plural(STUDY.together, len(found.ranking), **values)
    return writer.sentence(STUDY.partly if tied else STUDY.alone, **values)
