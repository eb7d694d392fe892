"""What came out, in the five sentences of the first page, and conclusions over all trials and studies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import get_args

from markupsafe import Markup

from cifar_report.analysis.results import AblationRow, Outcome, ParetoPoint, RankRow, TrialResult, Verdict
from cifar_report.report.elements import claim_link
from cifar_report.report.i18n import load_messages
from cifar_report.report.text.verdicts import unusual_runs
from cifar_report.report.writer import Writer
from cifar_report.spec import Experiment, Relation, Section

SUMMARY = load_messages("summary")


COMPARING: frozenset[Relation] = frozenset({"greater", "less", "not_better"})


def summary(writer: Writer) -> tuple[Markup, ...]:
    """Return five sentences that say what came out, for a reader who knows no statistics."""
    trials = writer.results.trials
    network, classical = best_network(writer), _best_of(each for each in trials if each.classical is not None)
    return (
        _best(writer, network, SUMMARY.best, SUMMARY.no_best),
        _reference(writer),
        _best(writer, classical, SUMMARY.classical, SUMMARY.no_classical),
        _all_claims(writer),
        _clearest(writer),
    )


def _best(writer: Writer, trial: TrialResult | None, message: str, no_trial: str) -> Markup:
    return writer.sentence(no_trial) if trial is None else writer.sentence(message, **_best_named(writer, trial))


def best_network(writer: Writer) -> TrialResult | None:
    """Return the network with the highest mean test accuracy; None when none has finished."""
    return _best_of(trial for trial in writer.results.trials if trial.stages)


def tally(verdicts: Iterable[Verdict]) -> dict[Outcome, int]:
    """Return how many claims have each outcome."""
    counts = Counter(verdict.outcome for verdict in verdicts)
    return {outcome: counts[outcome] for outcome in get_args(Outcome)}


def _best_of(trials: Iterable[TrialResult]) -> TrialResult | None:
    finished = [trial for trial in trials if trial.primary.datum.value is not None]
    return max(finished, key=lambda trial: trial.primary.datum.value or 0.0, default=None)


def _best_named(writer: Writer, trial: TrialResult) -> dict[str, object]:
    stage = trial.stages[-1].id if trial.stages else None
    return {"trial": writer.trial_name(trial.id, stage), "accuracy": writer.quantity(trial.primary.datum)}


def unusual(writer: Writer) -> tuple[Markup, ...]:
    """Return one sentence for each trial with unusual runs."""
    said = ((trial, unusual_runs(writer, trial)) for trial in writer.results.trials)
    return tuple(
        writer.plural(SUMMARY.unusual, len(runs), trial=writer.trial_name(trial.id), runs=writer.enumeration(runs))
        for trial, runs in said
        if runs
    )


def _reference(writer: Writer) -> Markup:
    reference = next((trial for each in writer.experiments("trials") for trial in writer.own_trials(each)), None)
    if reference is None or reference.primary.datum.value is None:
        return writer.sentence(SUMMARY.no_reference)
    values = _best_named(writer, reference)
    original, compatibility = reference.primary.original, reference.primary.compatibility
    # Other pixels and reduced profiles are not compared with the write-up, here no more than in the judgements.
    comparable = compatibility is not None and compatibility.outcome in ("inside", "outside")
    if not comparable or original is None or original.value is None:
        return writer.sentence(SUMMARY.reference_alone, **values)
    return writer.sentence(SUMMARY.reference, original=writer.quantity(original), **values)


def _all_claims(writer: Writer) -> Markup:
    verdicts = writer.results.verdicts
    if not verdicts:
        return writer.sentence(SUMMARY.no_claims)
    counts = tally(verdicts)
    shown = {
        "reproduced": counts["reproduced"],
        "contradicted": counts["not_reproduced"],
        "open": counts["inconclusive"],
        "untested": counts["not_run"] + counts["not_testable"],
    }
    link = Markup('<a class="reference" href="#verdicts">{}</a>')
    links = {name: link.format(writer.numbers.integer(count)) for name, count in shown.items()}
    every = next((each for each in writer.results.statements if each.kind == "every"), None)
    if every is None:
        return writer.plural(SUMMARY.claimed, len(verdicts), **links)
    whole = {name: writer.numbers.integer(getattr(every, name)) for name in ("all", "some", "none")}
    return writer.plural(
        SUMMARY.stated, every.statements, tests=writer.numbers.integer(len(verdicts)), **whole, **links
    )


def _clearest(writer: Writer) -> Markup:
    outcomes: dict[Outcome, str] = {"not_reproduced": SUMMARY.contradicted, "reproduced": SUMMARY.supported}
    for outcome, message in outcomes.items():
        decided = [verdict for verdict in writer.results.verdicts if verdict.outcome == outcome]
        chosen = [verdict for verdict in decided if verdict.claim.relation in COMPARING]
        if chosen:
            clearest = max(chosen, key=clearness)
            statement = writer.translation.text(clearest.claim.statement).rstrip(".")
            return writer.sentence(message, statement=statement, claim=claim_link(clearest.id))
    return writer.sentence(SUMMARY.nothing_decided)


def clearness(verdict: Verdict) -> tuple[bool, float]:
    """Return whether no other choice changes the verdict, and how many margins its interval is from the other verdict.

    Only claims that compare two values have such a distance; times have none on the scale of the others.
    """
    return verdict.fragile is False, _distance(verdict) / (verdict.claim.margin or 1.0)


def _distance(verdict: Verdict) -> float:
    estimate, margin = verdict.estimate, verdict.claim.margin or 0.0
    if estimate.low is None or estimate.high is None or estimate.unit == "ratio":
        return 0.0
    if verdict.reason in ("beyond_margin", "improvement_found"):
        line = 0.0  # what is found is a difference
    else:
        line = -margin if verdict.claim.relation == "less" else margin  # what is ruled out is the margin
    return max(estimate.low - line, line - estimate.high, 0.0)


SAY, STUDY = load_messages("conclusions"), load_messages("studies")


STUDIES: tuple[Section, ...] = ("hidden_layer", "training_parameters")
"""The sections of the studies that the assignment asked for."""


def ranking(writer: Writer) -> Iterator[Markup]:
    """Yield which trial comes first, and which ones are tied with it."""
    rows = writer.results.ranking
    if not rows:
        yield writer.sentence(SAY.no_ranking)
        return
    first, others = rows[0], [row for row in rows[1:] if row.tied is not None]
    stages = writer.results.trial(first.trial).stages
    name = writer.trial_name(first.trial, stages[-1].id if stages else None)
    yield writer.sentence(SAY.first, trial=name, accuracy=writer.quantity(first.accuracy))
    if not others:
        return
    tied = [row for row in others if row.tied]
    yield writer.plural(SAY.tied, len(tied), trials=_named(writer, tied)) if tied else writer.sentence(SAY.alone)
    yield writer.plural(SAY.corrected, len(others))


def fronts(writer: Writer) -> Iterator[Markup]:
    """Yield which trials have a higher mean than all that cost no more, for each cost."""
    for front in writer.results.pareto:
        best = [point for point in front.points if point.on_front]
        if best:
            yield writer.plural(SAY.front[front.cost], len(best), trials=_named(writer, best))
        else:
            yield writer.sentence(SAY.no_front[front.cost])
    if any(front.points for front in writer.results.pareto):
        yield writer.sentence(SAY.only_means)


def confounding(writer: Writer) -> Iterator[Markup]:
    """Yield where the write-up's own comparison changed more than one thing, and where that turned the sign."""
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
            yield writer.plural(forms, len(rows), trials=_named(writer, rows))


def spread(writer: Writer) -> Iterator[Markup]:
    """Yield how far single runs of one configuration lie apart, and what choosing weights would change."""
    varied = [row for row in writer.results.variance if row.observed.value is not None]
    if varied:
        row = max(varied, key=lambda row: row.observed.value or 0.0)
        values = {"trial": writer.trial_name(row.trial), "spread": writer.quantity(row.observed)}
        yield writer.plural(SAY.spread, row.observed.n or 0, **values)
    chosen = [row for row in writer.results.weights if row.difference.value]
    if chosen:
        weights = max(chosen, key=lambda row: abs(row.difference.value or 0.0))
        name = writer.trial_name(weights.trial, weights.stage)
        difference = writer.quantity(weights.difference)
        yield writer.plural(SAY.selected, weights.difference.n or 0, trial=name, difference=difference)


def study_sentences(writer: Writer) -> tuple[Markup, ...]:
    """Return one sentence for each study, and how they were tested where any two trials were."""
    experiments = writer.experiments(*STUDIES)
    ids = {experiment.id for experiment in experiments}
    tested = any(study.experiment in ids and len(study.ranking) > 1 for study in writer.results.studies)
    said = tuple(study_sentence(writer, each) for each in experiments)
    return (*said, writer.sentence(STUDY.tested)) if tested else said


def study_sentence(writer: Writer, experiment: Experiment) -> Markup:
    """Return what the ranking of a study's trials among themselves says, in one sentence."""
    found = next((study for study in writer.results.studies if study.experiment == experiment.id), None)
    title = writer.translation.text(experiment.title)
    if found is None or not found.ranking:
        return writer.sentence(STUDY.nothing, study=title)
    first, last, others = found.ranking[0], found.ranking[-1], found.ranking[1:]
    tied = [row for row in others if row.tied is not False]  # what was not tested is not told apart
    untied = [row for row in others if row.tied is False]
    values: dict[str, object] = {
        "study": title,
        "best": writer.trial_name(first.trial),
        "worst": writer.trial_name(last.trial),
        "high": partial(writer.quantity, first.accuracy),
        "low": partial(writer.quantity, last.accuracy),
        "tied": partial(_named, writer, tied),
        "apart": partial(_named, writer, untied),
    }
    if not others:
        return writer.sentence(STUDY.single, **values)
    if found.only_splits:
        return writer.plural(STUDY.splits_apart if untied else STUDY.splits_together, len(found.ranking), **values)
    if not untied:
        return writer.plural(STUDY.together, len(found.ranking), **values)
    if not tied:
        return writer.sentence(STUDY.alone, **values)
    return writer.sentence(STUDY.partly, **values) if untied else writer.plural(STUDY.best_tied, len(tied), **values)


def _named(writer: Writer, rows: Sequence[RankRow | ParetoPoint | AblationRow]) -> Markup:
    return writer.enumeration([writer.trial_name(row.trial) for row in rows])
