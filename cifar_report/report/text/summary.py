"""What came out, in the five sentences of the first page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import get_args

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, TrialResult, Verdict
from cifar_report.report.elements import claim_link
from cifar_report.report.i18n import load_messages
from cifar_report.report.writer import Writer
from cifar_report.spec import Relation

SAY = load_messages("summary")


COMPARING: frozenset[Relation] = frozenset({"greater", "less", "not_better"})


def summary(writer: Writer) -> tuple[Markup, ...]:
    """Return five sentences that say what came out, for a reader who knows no statistics."""
    trials = writer.results.trials
    network = best_network(writer)
    classical = _best_of(trial for trial in trials if trial.classical is not None)
    return (
        writer.sentence(SAY.no_best) if network is None else writer.sentence(SAY.best, **_named(writer, network)),
        _reference(writer),
        writer.sentence(SAY.no_classical)
        if classical is None
        else writer.sentence(SAY.classical, **_named(writer, classical)),
        _claims(writer),
        _clearest(writer),
    )


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


def _named(writer: Writer, trial: TrialResult) -> dict[str, object]:
    return {"trial": writer.trial_name(trial.id), "accuracy": writer.quantity(trial.primary.datum)}


def _reference(writer: Writer) -> Markup:
    reference = next((trial for each in writer.experiments("trials") for trial in writer.own_trials(each)), None)
    if reference is None or reference.primary.datum.value is None:
        return writer.sentence(SAY.no_reference)
    values = _named(writer, reference)
    original, compatibility = reference.primary.original, reference.primary.compatibility
    # Other pixels and reduced profiles are not compared with the write-up, here no more than in the judgements.
    comparable = compatibility is not None and compatibility.outcome in ("inside", "outside")
    if not comparable or original is None or original.value is None:
        return writer.sentence(SAY.reference_alone, **values)
    return writer.sentence(SAY.reference, original=writer.quantity(original), **values)


def _claims(writer: Writer) -> Markup:
    verdicts = writer.results.verdicts
    if not verdicts:
        return writer.sentence(SAY.no_claims)
    counts = tally(verdicts)
    shown = {
        "reproduced": counts["reproduced"],
        "contradicted": counts["not_reproduced"],
        "open": counts["inconclusive"],
        "untested": counts["not_run"] + counts["not_testable"],
    }
    link = Markup('<a class="reference" href="#verdicts">{}</a>')
    links = {name: link.format(writer.numbers.integer(count)) for name, count in shown.items()}
    return writer.plural(SAY.claimed, len(verdicts), **links)


def _clearest(writer: Writer) -> Markup:
    outcomes: dict[Outcome, str] = {"not_reproduced": SAY.contradicted, "reproduced": SAY.supported}
    for outcome, message in outcomes.items():
        decided = [verdict for verdict in writer.results.verdicts if verdict.outcome == outcome]
        chosen = [verdict for verdict in decided if verdict.claim.relation in COMPARING]
        if chosen:
            clearest = max(chosen, key=clearness)
            statement = writer.translation.text(clearest.claim.statement).rstrip(".")
            return writer.sentence(message, statement=statement, claim=claim_link(clearest.id))
    return writer.sentence(SAY.nothing_decided)


def clearness(verdict: Verdict) -> tuple[bool, float]:
    """Return whether no other choice changes the verdict, and how many margins its interval is from the other verdict.

    Only claims that compare two values have such a distance; times have none on the scale of the others.
    """
    return verdict.stable is True, _distance(verdict) / (verdict.claim.margin or 1.0)


def _distance(verdict: Verdict) -> float:
    estimate, margin = verdict.estimate, verdict.claim.margin or 0.0
    if estimate.low is None or estimate.high is None or estimate.unit == "ratio":
        return 0.0
    if verdict.reason in ("beyond_margin", "improvement_found"):
        line = 0.0  # what is found is a difference
    else:
        line = -margin if verdict.claim.relation == "less" else margin  # what is ruled out is the margin
    return max(estimate.low - line, line - estimate.high, 0.0)
