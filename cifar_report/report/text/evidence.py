"""What was measured, in one sentence a comparison; the verdict's sentence follows it."""

from __future__ import annotations

from functools import partial

from markupsafe import Markup

from cifar_report.analysis.results import Datum, Verdict
from cifar_report.report import names
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.writer import Writer
from cifar_report.spec import Relation

# Each kind of evidence has a singular and a plural form; %(count)s is the number of seeds, blocks or images.
EXCEEDED = {
    "seeds": mark_plural(
        "%(quantity)s, %(count)s seed on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, mean of %(count)s seeds on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
    "medians": mark_plural(
        "%(quantity)s, median of %(count)s seed on this split: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, median of %(count)s seeds on this split, not all of which reached it: %(subject)s exceeded "
        "%(comparator)s by %(size)s.",
    ),
    "blocks": mark_plural(
        "%(quantity)s, %(count)s block of the timing pass: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, %(count)s blocks of the timing pass: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
    "images": mark_plural(
        "%(quantity)s, %(count)s test image: %(subject)s exceeded %(comparator)s by %(size)s.",
        "%(quantity)s, the same %(count)s test images: %(subject)s exceeded %(comparator)s by %(size)s.",
    ),
}
FELL_SHORT = {
    "seeds": mark_plural(
        "%(quantity)s, %(count)s seed on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, mean of %(count)s seeds on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
    "medians": mark_plural(
        "%(quantity)s, median of %(count)s seed on this split: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, median of %(count)s seeds on this split, not all of which reached it: %(subject)s stayed below "
        "%(comparator)s by %(size)s.",
    ),
    "blocks": mark_plural(
        "%(quantity)s, %(count)s block of the timing pass: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, %(count)s blocks of the timing pass: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
    "images": mark_plural(
        "%(quantity)s, %(count)s test image: %(subject)s stayed below %(comparator)s by %(size)s.",
        "%(quantity)s, the same %(count)s test images: %(subject)s stayed below %(comparator)s by %(size)s.",
    ),
}
LEVEL = mark_plural(
    "%(quantity)s: the observed difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
    "%(quantity)s: the observed mean difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
)
LEVEL_OF_MEDIANS = mark_plural(
    "%(quantity)s: the observed median difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s).",
    "%(quantity)s: the observed median difference of %(subject)s and %(comparator)s is %(estimate)s (n = %(count)s; "
    "not all of the seeds reached it).",
)
TIMES = mark_plural(
    "%(quantity)s: that of %(subject)s is %(estimate)s times that of %(comparator)s (n = %(count)s).",
    "%(quantity)s: that of %(subject)s is on average %(estimate)s times that of %(comparator)s (n = %(count)s).",
)
BETWEEN = mark_plural(
    "%(quantity)s / %(other_quantity)s: the former, of %(subject)s, is %(estimate)s times the latter, of "
    "%(comparator)s (n = %(count)s).",
    "%(quantity)s / %(other_quantity)s: the former, of %(subject)s, is on average %(estimate)s times the latter, of "
    "%(comparator)s (n = %(count)s).",
)
VALUE = mark_plural(
    "%(quantity)s: %(subject)s has %(estimate)s (n = %(count)s).",
    "%(quantity)s: %(subject)s has %(estimate)s on average (n = %(count)s).",
)
INTERVAL = mark("The 95%% interval is %(interval)s.")
INTERVAL_OF_DIFFERENCE = mark("The 95%% interval of the difference is %(interval)s.")
ONSET = mark_plural(
    "In %(wins)s of %(count)s seed, overfitting of %(subject)s set in within one epoch of epoch %(stated)s.",
    "In %(wins)s of %(count)s seeds, overfitting of %(subject)s set in within one epoch of epoch %(stated)s.",
)
COUNTS = mark("%(quantity)s: %(subject)s has %(first)s, %(comparator)s has %(second)s.")
STATED_COUNT = mark("%(quantity)s: %(subject)s has %(first)s, and the claim states %(stated)s.")
ONE_COUNT = mark("%(quantity)s: %(subject)s has %(first)s.")
NO_ESTIMATE = mark("%(quantity)s: this comparison has no value (%(reason)s).")
WINS = mark_plural(
    "The difference is on the claimed side in %(wins)s of %(count)s seed.",
    "The difference is on the claimed side in %(wins)s of %(count)s seeds.",
)
WITHIN = mark_plural(
    "The margin is kept in %(wins)s of %(count)s seed.",
    "The margin is kept in %(wins)s of %(count)s seeds.",
)
CORRECTED = mark("%(p)s, corrected")
# "Not better" has no claimed side, and ratios are of blocks; nothing is counted for them.
SEEDS_AS_CLAIMED: dict[Relation, tuple[str, str]] = {"greater": WINS, "less": WINS, "equal": WITHIN, "value": WITHIN}


def evidence(writer: Writer, verdict: Verdict) -> list[Markup]:
    """Return what was measured for a claim, one or two whole sentences."""
    if verdict.claim.relation == "exact":
        return [_exact(writer, verdict)]
    if verdict.estimate.value is None:
        reason = writer.reason(verdict.estimate)
        return [writer.say(NO_ESTIMATE, quantity=_quantity(writer, verdict), reason=reason)]
    if verdict.claim.relation == "onset":
        return [_counted(writer, verdict, ONSET)] if verdict.wins and verdict.wins.value is not None else []
    sentences = [_counted(writer, verdict, _forms(verdict))]
    if verdict.estimate.low is not None:
        difference = verdict.claim.comparator is not None and verdict.estimate.unit != "ratio"
        interval = INTERVAL_OF_DIFFERENCE if difference else INTERVAL
        sentences.append(writer.say(interval, interval=writer.interval(verdict.estimate)))
    counted = SEEDS_AS_CLAIMED.get(verdict.claim.relation)
    known = verdict.wins is not None and verdict.wins.value is not None
    if counted is not None and known and verdict.n > 1 and verdict.n_of == "seeds":
        sentences.append(_counted(writer, verdict, counted))
    return sentences


def _forms(verdict: Verdict) -> tuple[str, str]:
    value = verdict.estimate.value or 0.0
    if verdict.claim.comparator is None:
        return VALUE
    if verdict.estimate.unit == "ratio":
        return TIMES if verdict.claim.comparator_quantity is None else BETWEEN
    # Where a run never reached the level there is no mean, and the median stands in for it.
    medians = verdict.estimate.formula == "median_difference"
    if value == 0:
        return LEVEL_OF_MEDIANS if medians else LEVEL
    kind = "medians" if medians else verdict.n_of
    return EXCEEDED[kind] if value > 0 else FELL_SHORT[kind]


def _counted(writer: Writer, verdict: Verdict, forms: tuple[str, str]) -> Markup:
    return writer.count(forms, verdict.n, **values_of(writer, verdict))


def values_of(writer: Writer, verdict: Verdict) -> dict[str, object]:
    """Return every placeholder that a sentence about a comparison may name; absent numbers stand as dashes.

    Numbers are written, and linked, when a sentence names them.
    """
    claim = verdict.claim
    estimate = verdict.estimate
    return {
        "quantity": _quantity(writer, verdict),
        "other_quantity": writer.word(names.QUANTITIES[claim.comparator_quantity or claim.quantity]),
        "subject": writer.side_name(claim.subject),
        "comparator": writer.side_name(claim.comparator) if claim.comparator else "",
        "estimate": partial(writer.quantity, estimate),
        "size": partial(writer.quantity, estimate, size=True),
        "interval": partial(writer.interval, estimate),
        "margin": partial(_optional, writer, verdict.margin),
        "bound": partial(_optional, writer, verdict.bound),
        "stated": partial(_optional, writer, verdict.stated),
        "wins": partial(_optional, writer, verdict.wins),
        "p": partial(_probability, writer, verdict.p_corrected or verdict.p),
        "opposite_p": partial(_probability, writer, verdict.opposite_p),
        "detectable": partial(_optional, writer, verdict.detectable),
        "needed": partial(_optional, writer, verdict.seeds_needed),
        "original": partial(_optional, writer, verdict.original),
        "prediction": partial(writer.interval, verdict.prediction) if verdict.prediction else "",
    }


def _optional(writer: Writer, datum: Datum | None) -> Markup:
    return Markup("") if datum is None else writer.quantity(datum)


def _probability(writer: Writer, datum: Datum | None) -> Markup:
    if datum is None or datum.value is None:
        return _optional(writer, datum)
    statement = writer.link(datum, writer.numbers.p_statement(datum.value))
    return writer.say(CORRECTED, p=statement) if datum.formula == "p_corrected" else statement


def _quantity(writer: Writer, verdict: Verdict) -> str:
    return writer.word(names.QUANTITIES[verdict.claim.quantity])


def _exact(writer: Writer, verdict: Verdict) -> Markup:
    values = values_of(writer, verdict)
    values["first"] = _optional(writer, verdict.subject_mean)
    second = verdict.comparator_mean
    if second is not None and verdict.claim.comparator is not None:
        return writer.say(COUNTS, second=writer.quantity(second), **values)
    if verdict.stated is not None:
        return writer.say(STATED_COUNT, **values)
    return writer.say(ONE_COUNT, **values)
