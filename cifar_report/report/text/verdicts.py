"""A claim's verdict in words: what was measured, what follows, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from markupsafe import Markup

from cifar_report.analysis.results import Datum, Sensitivity, Verdict
from cifar_report.report import names
from cifar_report.report.elements import claim_link
from cifar_report.report.i18n import load_messages
from cifar_report.report.writer import Writer
from cifar_report.spec import Side

SAY = load_messages("claims")
# "Not better" has no claimed side, and ratios are of blocks; nothing is counted for them.
SEEDS_AS_CLAIMED = {"greater": SAY.wins, "less": SAY.wins, "equal": SAY.within, "value": SAY.within}

Message: TypeAlias = str | tuple[list[str], int]
"""A sentence that is to be filled, or its two forms and the count that chooses between them."""


def verdict_sentence(writer: Writer, verdict: Verdict) -> Markup:
    """Return the one sentence that says what the verdict is and why."""
    return writer.sentence(_decision(verdict), **_values(writer, verdict))


def verdict_paragraph(writer: Writer, verdict: Verdict) -> tuple[Markup, ...]:
    """Return everything that is said about a claim: whole sentences, in order."""
    values = _values(writer, verdict)
    return tuple(
        writer.sentence(message, **values) if isinstance(message, str) else writer.plural(*message, **values)
        for message in _messages(writer, verdict)
    )


def claims_sentences(writer: Writer, verdicts: tuple[Verdict, ...]) -> tuple[Markup, ...]:
    """Return one sentence for each outcome that some of ``verdicts`` have, naming the claims."""
    said = []
    for outcome, forms in SAY.by_outcome.items():
        links = [claim_link(verdict.id) for verdict in verdicts if verdict.outcome == outcome]
        if links:
            said.append(writer.plural(forms, len(links), claims=writer.enumeration(links)))
    return tuple(said)


def _messages(writer: Writer, verdict: Verdict) -> Iterator[Message]:
    yield from _measured(verdict)
    yield _decision(verdict)
    yield from _tested(verdict)
    # What the descriptions count where no network was built, so that no table contradicts the verdict.
    first, second = (_described(writer, verdict, side) for side in (verdict.claim.subject, verdict.claim.comparator))
    if verdict.claim.relation == "exact" and verdict.outcome == "not_run" and first is not None:
        if second is not None:
            yield SAY.both_described
        elif verdict.stated is not None:
            yield SAY.described
    yield from _qualified(verdict)
    yield from _original(verdict)


def _measured(verdict: Verdict) -> Iterator[Message]:
    claim, estimate, n = verdict.claim, verdict.estimate, verdict.n
    if estimate.value is None:
        # What nobody ran has no evidence; the verdict's own sentence says so once.
        if estimate.reason == "not_reached":
            yield SAY.no_estimate
        return
    wins_known = verdict.wins is not None and verdict.wins.value is not None
    if claim.relation == "exact":
        compared = verdict.comparator_mean is not None and claim.comparator is not None
        stated = SAY.one_count if verdict.stated is None else SAY.stated_count
        yield SAY.counts if compared else stated
    elif claim.relation == "onset":
        if wins_known:
            yield SAY.onset, n
    else:
        yield _estimate_forms(verdict, estimate.value), n
        if estimate.low is not None:
            difference = claim.comparator is not None and estimate.unit != "ratio"
            yield SAY.interval_of_difference if difference else SAY.interval
        counted = SEEDS_AS_CLAIMED.get(claim.relation)
        if counted is not None and wins_known and n > 1 and verdict.n_of == "seeds":
            yield counted, n


def _estimate_forms(verdict: Verdict, value: float) -> list[str]:
    # Where a run never reached the level there is no mean, and the median stands in for it.
    medians = verdict.estimate.formula == "median_difference"
    forms: list[str]
    if verdict.claim.comparator is None:
        forms = SAY.value
    elif verdict.estimate.unit == "ratio":
        forms = SAY.times if verdict.claim.comparator_quantity is None else SAY.between
    elif value == 0:
        forms = SAY.level_of_medians if medians else SAY.level
    else:
        forms = (SAY.exceeded if value > 0 else SAY.fell_short)["medians" if medians else verdict.n_of]
    return forms


def _decision(verdict: Verdict) -> str:
    message: str = SAY.decided[verdict.claim.relation].get(verdict.reason) or SAY.undecided[verdict.reason]
    quarter = verdict.claim.exact_relation == "quarter"
    return str(SAY.quarter.get(verdict.reason, message)) if quarter else message


def _tested(verdict: Verdict) -> Iterator[Message]:
    """Yield which test decided where it is not the usual one, and what McNemar's test shows of single networks."""
    if verdict.test == "mcnemar":
        yield SAY.images_alone
        return
    if verdict.test == "sign_test":
        yield SAY.signs
    if verdict.test == "all_equal":
        yield SAY.all_equal, verdict.n
    if verdict.networks is not None:
        yield SAY.networks, len(verdict.networks.tests)


def _qualified(verdict: Verdict) -> Iterator[Message]:
    if verdict.direction_only:
        yield SAY.direction_only
    if verdict.outcome == "inconclusive":
        if verdict.detectable is not None and verdict.detectable.value is not None:
            factor = verdict.detectable.unit == "ratio"
            yield (SAY.detectable_factor if factor else SAY.detectable), verdict.n
        # As many seeds as there are cannot be what is lacking: then it is the margin or the correction that is.
        if verdict.seeds_needed is not None and (verdict.seeds_needed.value or 0) > verdict.n:
            yield SAY.needed
    if verdict.outcome in ("reproduced", "not_reproduced", "inconclusive"):
        if verdict.deviation == "other_pixels":
            yield SAY.other_pixels
        if _changing(verdict):
            yield SAY.unstable
    if verdict.claim.proxy is not None:
        yield SAY.proxy


def _original(verdict: Verdict) -> Iterator[Message]:
    if verdict.original is None or verdict.original.value is None or verdict.claim.relation == "exact":
        return
    if verdict.original_inside is None or verdict.prediction is None or verdict.prediction.low is None:
        yield SAY.original_ratio if verdict.original.unit == "ratio" else SAY.original_only
    else:
        yield SAY.original_inside if verdict.original_inside else SAY.original_outside


def _changing(verdict: Verdict) -> list[Sensitivity]:
    return [entry for entry in verdict.sensitivity if entry.changes and entry.counts]


def _described(writer: Writer, verdict: Verdict, side: Side | None) -> Datum | None:
    """Return what the description of one side's network counts."""
    if side is None:
        return None
    costs = next((trial.costs for trial in writer.results.trials if trial.id == side.trial), None)
    if costs is None:
        return None
    counts = {"parameters": costs.parameters, "trainable_parameters": costs.trainable_parameters, "macs": costs.macs}
    return counts.get(verdict.claim.quantity)


def _values(writer: Writer, verdict: Verdict) -> dict[str, object]:
    """Return every placeholder that a sentence about a claim may name.

    Numbers are written, and linked, when a sentence names them.
    """
    claim, estimate = verdict.claim, verdict.estimate
    first, second = verdict.subject_mean, verdict.comparator_mean
    if verdict.outcome == "not_run":
        first, second = (_described(writer, verdict, side) for side in (claim.subject, claim.comparator))
    optional = {
        "margin": verdict.margin,
        "bound": verdict.bound,
        "stated": verdict.stated,
        "wins": verdict.wins,
        "detectable": verdict.detectable,
        "needed": verdict.seeds_needed,
        "original": verdict.original,
        "first": first,
        "second": second,
        "apart": None if verdict.networks is None else verdict.networks.apart,
    }
    choices = [_choice(writer, entry) for entry in _changing(verdict)]
    return {
        **{name: partial(_optional, writer, datum) for name, datum in optional.items()},
        "quantity": writer.word(names.QUANTITIES[claim.quantity]),
        "other_quantity": writer.word(names.QUANTITIES[claim.comparator_quantity or claim.quantity]),
        "subject": writer.trial_name(claim.subject.trial, claim.subject.stage),
        "comparator": writer.trial_name(claim.comparator.trial, claim.comparator.stage) if claim.comparator else "",
        "estimate": partial(writer.quantity, estimate),
        "size": partial(writer.quantity, estimate, size=True),
        "interval": partial(writer.interval, estimate),
        "reason": writer.reason(estimate),
        "p": partial(_probability, writer, verdict.p_corrected or verdict.p),
        "opposite_p": partial(_probability, writer, verdict.opposite_p),
        "prediction": partial(writer.interval, verdict.prediction) if verdict.prediction else "",
        "choices": writer.enumeration(choices) if choices else "",
        "proxy": "" if claim.proxy is None else writer.translation.text(claim.proxy),
    }


def _optional(writer: Writer, datum: Datum | None) -> Markup:
    return Markup("") if datum is None else writer.quantity(datum)


def _probability(writer: Writer, datum: Datum | None) -> Markup:
    if datum is None or datum.value is None:
        return _optional(writer, datum)
    statement = writer.link(datum, writer.numbers.p_statement(datum.value))
    return writer.sentence(SAY.corrected, p=statement) if datum.formula == "p_corrected" else statement


def _choice(writer: Writer, entry: Sensitivity) -> str:
    seed = "" if entry.seed is None else writer.numbers.integer(entry.seed)
    return writer.translation.plain(SAY.choices[entry.kind], {"seed": seed})
