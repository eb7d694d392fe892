"""The first page's sentences: what came out, in five sentences, and how far to trust it."""

from __future__ import annotations

from markupsafe import Markup

from cifar_report.analysis.results import Outcome, TrialResult, Verdict
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.text.verdicts import claim_link
from cifar_report.report.writer import Writer
from cifar_report.spec import Relation

CLAIMED = mark_plural(
    "The write-up's %(count)s claim, as it is put to the test here, ends as follows: reproduced %(reproduced)s, not "
    "reproduced %(contradicted)s, undecided %(open)s, not tested or not testable %(untested)s.",
    "The write-up's %(count)s claims, as they are put to the test here, end as follows: reproduced %(reproduced)s, not "
    "reproduced %(contradicted)s, undecided %(open)s, not tested or not testable %(untested)s.",
)
NO_CLAIMS = mark("This bundle holds no claims of the write-up that could be put to the test.")

BEST = mark(
    "The highest mean test accuracy of a network is %(accuracy)s, that of %(trial)s; the conclusions say from which "
    "others it can be told apart."
)
NO_BEST = mark("No network has finished its training yet, so nothing can be said about accuracies.")

REFERENCE = mark(
    "The reference model of the write-up, %(trial)s, reached %(accuracy)s here, where the write-up reported "
    "%(original)s."
)
REFERENCE_ALONE = mark("The reference model, %(trial)s, reached %(accuracy)s here.")
NO_REFERENCE = mark("The reference model has no finished run, so the other networks have nothing to be measured by.")

CLASSICAL = mark(
    "Of the classifiers without a network, %(trial)s did best, with %(accuracy)s of the test images; drawing one of "
    "the ten classes blindly would give a tenth."
)
NO_CLASSICAL = mark("None of the classifiers without a network has run yet.")

CONTRADICTED = mark(
    "The data speak most clearly against this claim, as it is tested here: “%(statement)s” (%(claim)s)."
)
SUPPORTED = mark("The data speak most clearly for this claim, as it is tested here: “%(statement)s” (%(claim)s).")
NOTHING_DECIDED = mark(
    "None of the claims that one value lies above or below another could be decided from these data, neither for the "
    "write-up nor against it."
)
COMPARING: frozenset[Relation] = frozenset({"greater", "less", "not_better"})


def summary(writer: Writer) -> tuple[Markup, ...]:
    """Return five sentences that say what came out, for a reader who knows no statistics."""
    return (_best(writer), _reference(writer), _classical(writer), _claims(writer), _clearest(writer))


def _best(writer: Writer) -> Markup:
    best = best_network(writer)
    if best is None:
        return writer.say(NO_BEST)
    return writer.say(BEST, trial=writer.trial_name(best.id), accuracy=writer.quantity(best.primary.datum))


def best_network(writer: Writer) -> TrialResult | None:
    """Return the network with the best mean test accuracy; None when none has finished."""
    return _best_of([trial for trial in writer.results.trials if trial.stages])


def best_classical(writer: Writer) -> TrialResult | None:
    """Return the classifier without a network that did best; None when none has run."""
    return _best_of([trial for trial in writer.results.trials if trial.classical is not None])


def _best_of(trials: list[TrialResult]) -> TrialResult | None:
    ranked = [(trial.primary.datum.value, trial) for trial in trials if trial.primary.datum.value is not None]
    return max(ranked, key=lambda pair: pair[0])[1] if ranked else None


def reference_trial(writer: Writer) -> TrialResult | None:
    """Return the trial that the first experiment of the trials' section opens with."""
    experiments = writer.experiments("trials")
    return writer.own_trials(experiments[0])[0] if experiments and experiments[0].trials else None


def _reference(writer: Writer) -> Markup:
    reference = reference_trial(writer)
    if reference is None or reference.primary.datum.value is None:
        return writer.say(NO_REFERENCE)
    values = {"trial": writer.trial_name(reference.id), "accuracy": writer.quantity(reference.primary.datum)}
    original, compatibility = reference.primary.original, reference.primary.compatibility
    # Other pixels and reduced profiles are not held against the write-up, here no more than in the judgements.
    comparable = compatibility is not None and compatibility.outcome in ("inside", "outside")
    if not comparable or original is None or original.value is None:
        return writer.say(REFERENCE_ALONE, **values)
    return writer.say(REFERENCE, original=writer.quantity(original), **values)


def _classical(writer: Writer) -> Markup:
    best = best_classical(writer)
    if best is None:
        return writer.say(NO_CLASSICAL)
    return writer.say(CLASSICAL, trial=writer.trial_name(best.id), accuracy=writer.quantity(best.primary.datum))


def tally(verdicts: tuple[Verdict, ...]) -> dict[Outcome, int]:
    """Return how many claims have each outcome."""
    counts: dict[Outcome, int] = {
        "reproduced": 0,
        "not_reproduced": 0,
        "inconclusive": 0,
        "not_run": 0,
        "not_testable": 0,
    }
    for verdict in verdicts:
        counts[verdict.outcome] += 1
    return counts


def _claims(writer: Writer) -> Markup:
    verdicts = writer.results.verdicts
    if not verdicts:
        return writer.say(NO_CLAIMS)
    counts = tally(verdicts)
    link = Markup('<a class="reference" href="#verdicts">{}</a>')
    whole = writer.numbers.integer
    return writer.count(
        CLAIMED,
        len(verdicts),
        reproduced=link.format(whole(counts["reproduced"])),
        contradicted=link.format(whole(counts["not_reproduced"])),
        open=link.format(whole(counts["inconclusive"])),
        untested=link.format(whole(counts["not_run"] + counts["not_testable"])),
    )


def _clearest(writer: Writer) -> Markup:
    for outcome, message in (("not_reproduced", CONTRADICTED), ("reproduced", SUPPORTED)):
        chosen = [
            each for each in writer.results.verdicts if each.outcome == outcome and each.claim.relation in COMPARING
        ]
        if chosen:
            clearest = max(chosen, key=clearness)
            statement = writer.translation.text(clearest.claim.statement).rstrip(".")
            return writer.say(message, statement=statement, claim=claim_link(clearest.id))
    return writer.say(NOTHING_DECIDED)


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
