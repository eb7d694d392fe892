"""A claim's verdict in words: what was measured, what follows, and what would change it."""

from __future__ import annotations

from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import Datum, Sensitivity, Verdict
from cifar_report.report.elements import breakable
from cifar_report.report.i18n import mark_plural
from cifar_report.report.text import sentences
from cifar_report.report.text.evidence import evidence, values_of
from cifar_report.report.writer import Writer
from cifar_report.spec import Side


def verdict_sentence(writer: Writer, verdict: Verdict) -> Markup:
    """Return the one sentence that says what the verdict is and why."""
    message = sentences.DECIDED.get((verdict.claim.relation, verdict.reason)) or sentences.UNDECIDED[verdict.reason]
    if verdict.claim.exact_relation == "quarter":
        message = sentences.QUARTER.get(verdict.reason, message)
    return writer.say(message, **values_of(writer, verdict))


def verdict_paragraph(writer: Writer, verdict: Verdict) -> tuple[Markup, ...]:
    """Return everything that is said about a claim: whole sentences, in order."""
    said = _measured(writer, verdict)
    said.append(verdict_sentence(writer, verdict))
    said += _subject(writer, verdict)
    said += _described(writer, verdict)
    said += _qualified(writer, verdict)
    said += _original(writer, verdict)
    return tuple(said)


def _measured(writer: Writer, verdict: Verdict) -> list[Markup]:
    # What nobody ran has no evidence; the verdict's own sentence says so once.
    nothing = verdict.estimate.value is None and verdict.estimate.reason != "not_reached"
    return [] if nothing else evidence(writer, verdict)


def _subject(writer: Writer, verdict: Verdict) -> list[Markup]:
    """Return of what the verdict speaks where its test is not the usual one, and what single networks show beside it.

    The method keeps two subjects apart: these networks, judged over images, and the recipe, judged over seeds.
    """
    if verdict.test == "mcnemar":
        return [writer.say(sentences.IMAGES_ALONE)]
    said = [writer.say(sentences.SIGNS)] if verdict.test == "sign_test" else []
    if verdict.test == "all_equal":
        said.append(writer.count(sentences.ALL_EQUAL, verdict.n))
    if verdict.networks is not None:
        apart = writer.quantity(verdict.networks.apart)
        said.append(writer.count(sentences.NETWORKS, len(verdict.networks.tests), apart=apart))
    return said


def _described(writer: Writer, verdict: Verdict) -> list[Markup]:
    """Return what the descriptions count where no network was built, so that no table contradicts the verdict."""
    claim = verdict.claim
    first = _counted(writer, verdict, claim.subject)
    second = None if claim.comparator is None else _counted(writer, verdict, claim.comparator)
    if claim.relation != "exact" or verdict.outcome != "not_run" or first is None:
        return []
    values = {**values_of(writer, verdict), "first": partial(writer.quantity, first)}
    if second is not None:
        return [writer.say(sentences.BOTH_DESCRIBED, second=writer.quantity(second), **values)]
    return [] if verdict.stated is None else [writer.say(sentences.DESCRIBED, **values)]


def _counted(writer: Writer, verdict: Verdict, side: Side) -> Datum | None:
    costs = next((trial.costs for trial in writer.results.trials if trial.id == side.trial), None)
    if costs is None:
        return None
    counts = {"parameters": costs.parameters, "trainable_parameters": costs.trainable_parameters, "macs": costs.macs}
    return counts.get(verdict.claim.quantity)


def _qualified(writer: Writer, verdict: Verdict) -> list[Markup]:
    values = values_of(writer, verdict)
    said = []
    if verdict.direction_only:
        said.append(writer.say(sentences.DIRECTION_ONLY, **values))
    if verdict.outcome == "inconclusive":
        said += _visible(writer, verdict)
    if verdict.outcome in ("reproduced", "not_reproduced", "inconclusive"):
        if verdict.deviation == "other_pixels":
            said.append(writer.say(sentences.OTHER_PIXELS))
        changing = [entry for entry in verdict.sensitivity if entry.changes and entry.counts]
        if changing:
            choices = writer.numbers.enumeration([choice_name(writer, entry) for entry in changing])
            said.append(writer.say(sentences.UNSTABLE, choices=choices))
    if verdict.claim.proxy is not None:
        said.append(writer.say(sentences.PROXY, proxy=writer.translation.text(verdict.claim.proxy)))
    return said


def _visible(writer: Writer, verdict: Verdict) -> list[Markup]:
    values = values_of(writer, verdict)
    said = []
    if verdict.detectable is not None and verdict.detectable.value is not None:
        factor = verdict.detectable.unit == "ratio"
        said.append(writer.count(sentences.DETECTABLE_FACTOR if factor else sentences.DETECTABLE, verdict.n, **values))
    # As many seeds as there are cannot be what is lacking: then it is the margin or the correction that is.
    needed = verdict.seeds_needed
    if needed is not None and needed.value is not None and needed.value > verdict.n:
        said.append(writer.say(sentences.NEEDED, **values))
    return said


def choice_name(writer: Writer, entry: Sensitivity) -> str:
    """Return what was chosen differently, as the end of a sentence."""
    seed = "" if entry.seed is None else writer.numbers.integer(entry.seed)
    return str(writer.translation.plain(sentences.CHOICES[entry.kind], {"seed": seed}))


def _original(writer: Writer, verdict: Verdict) -> list[Markup]:
    if verdict.original is None or verdict.original.value is None or verdict.claim.relation == "exact":
        return []
    values = values_of(writer, verdict)
    known = verdict.prediction is not None and verdict.prediction.low is not None
    if verdict.original_inside is None or not known:
        ratio = verdict.original.unit == "ratio"
        return [writer.say(sentences.ORIGINAL_RATIO if ratio else sentences.ORIGINAL_ONLY, **values)]
    message = sentences.ORIGINAL_INSIDE if verdict.original_inside else sentences.ORIGINAL_OUTSIDE
    return [writer.say(message, **values)]


def claim_link(claim_id: str) -> Markup:
    """Return a link to the place where a claim is discussed."""
    return Markup('<a class="claim" href="#claim-{}">{}</a>').format(claim_id, breakable(claim_id))


def claims_sentences(writer: Writer, verdicts: tuple[Verdict, ...]) -> tuple[Markup, ...]:
    """Return one sentence for each outcome that some of ``verdicts`` have, naming the claims."""
    said = []
    for outcome, forms in BY_OUTCOME.items():
        chosen = [verdict for verdict in verdicts if verdict.outcome == outcome]
        if chosen:
            links = enumerate_markup(writer, [claim_link(each.id) for each in chosen])
            said.append(writer.count(forms, len(chosen), claims=links))
    return tuple(said)


def enumerate_markup(writer: Writer, links: list[Markup]) -> Markup:
    """Return links as a list in a sentence."""
    marks = [f"\x00{place}\x00" for place in range(len(links))]
    text = str(Markup.escape(writer.numbers.enumeration(marks)))
    for place, link in enumerate(links):
        text = text.replace(f"\x00{place}\x00", str(link))
    return Markup(text)  # noqa: S704 - escaped above, then filled with links that are markup


BY_OUTCOME = {
    "reproduced": mark_plural(
        "The data reproduce %(count)s claim: %(claims)s.",
        "The data reproduce %(count)s claims: %(claims)s.",
    ),
    "not_reproduced": mark_plural(
        "The data do not reproduce %(count)s claim: %(claims)s.",
        "The data do not reproduce %(count)s claims: %(claims)s.",
    ),
    "inconclusive": mark_plural(
        "The data cannot decide %(count)s claim: %(claims)s.",
        "The data cannot decide %(count)s claims: %(claims)s.",
    ),
    "not_run": mark_plural(
        "%(count)s claim was not tested, because runs or timings are missing: %(claims)s.",
        "%(count)s claims were not tested, because runs or timings are missing: %(claims)s.",
    ),
    "not_testable": mark_plural(
        "%(count)s claim cannot be tested with these data and this profile: %(claims)s.",
        "%(count)s claims cannot be tested with these data and this profile: %(claims)s.",
    ),
}
