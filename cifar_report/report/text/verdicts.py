"""A claim's verdict in words: what was measured, what follows, and what would change it."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from markupsafe import Markup

from cifar_report.analysis.decisions import HIGHER_IS_BETTER, side_of
from cifar_report.analysis.results import Datum, Sensitivity, TrialResult, Verdict
from cifar_report.report import names
from cifar_report.report.i18n import load_messages
from cifar_report.report.writer import Writer

SAY = load_messages("claims")
SMALL_RATIO = 0.5  # below, the inverse says more
COUNTED_AS = {"greater": SAY.as_claimed, "less": SAY.as_claimed, "equal": SAY.within, "value": SAY.within}
TESTED_BY = {"mcnemar": SAY.images_alone, "all_equal": SAY.all_equal}
TESTED_BY |= {"permutation": SAY.permutation, "sign_flips": SAY.sign_flips}
DECIDED = ("reproduced", "not_reproduced", "inconclusive")


def verdict_paragraph(writer: Writer, verdict: Verdict) -> tuple[Markup, ...]:
    """Return everything that is said about a claim: the verdict and why, then tests, power, the original, cautions."""
    values = _values(writer, verdict)
    details = [writer.sentence(message, **values) for message in _details(verdict)]
    if verdict.reason in SAY.untested:
        said = writer.sentence(SAY.untested[verdict.reason])
    else:
        values["measured"] = partial(_measured, writer, verdict, values)
        values["decision"] = partial(writer.sentence, _decision(verdict), **values)
        said = writer.sentence(SAY.both, **values)
        if verdict.other is not None and verdict.other.outcome != verdict.outcome:
            said = writer.sentence(SAY.other[f"differs_{verdict.other.phase}"], **values, said=said)
    for trial, seeds in verdict.missing:
        named = writer.enumeration([str(seed) for seed in seeds])
        details.append(writer.plural(SAY.missing, len(seeds), trial=writer.trial_name(trial), seeds=named))
    return (said, *details)


def _measured(writer: Writer, verdict: Verdict, values: dict[str, object]) -> Markup:
    """Return what was measured, and how often it is as claimed, where the lean does not say so."""
    clause = writer.sentence(SAY.measured[_form(verdict)], **values)
    counted = COUNTED_AS.get(verdict.claim.relation)
    counts = verdict.wins is not None and verdict.wins.value is not None and (verdict.wins.n or 0) > 1
    if counted is None or not counts or verdict.outcome == "inconclusive" or verdict.n_of != "seeds":
        return clause
    return writer.sentence(counted, **{**values, "measured": clause})


def _form(verdict: Verdict) -> str:
    claim, value = verdict.claim, verdict.estimate.value
    if value is None:
        return "no_estimate"
    if claim.relation == "onset":
        return "onset"
    if claim.relation == "exact":
        compared = verdict.comparator_mean is not None and claim.comparator is not None
        return "counts" if compared else "one_count" if verdict.stated is None else "stated_count"
    if claim.comparator is None:
        return "value"
    if verdict.estimate.unit == "ratio":
        inverse = "_inverse" if value < SMALL_RATIO else ""
        return ("times" if claim.comparator_quantity is None else "between") + inverse
    return "above" if value > 0 else "below" if value < 0 else "level"


def _decision(verdict: Verdict) -> str:
    if verdict.outcome == "inconclusive":
        return str(SAY.inconclusive[verdict.reason])
    if verdict.claim.exact_relation == "quarter":
        return str(SAY.quarter[verdict.reason])
    relation = verdict.claim.relation
    return str(SAY.decided["direction" if relation in ("greater", "less") else relation][verdict.reason])


def _details(verdict: Verdict) -> Iterator[str]:
    if verdict.other is not None and verdict.other.outcome == verdict.outcome:
        yield SAY.other[f"same_{verdict.other.phase}"]
    if verdict.look is not None:
        yield SAY.look_open if verdict.outcome == "inconclusive" else SAY.look
    if verdict.undecidable_below is not None:
        yield SAY.undecidable
    if verdict.test in TESTED_BY:
        yield TESTED_BY[verdict.test]
    if verdict.direction_only:
        yield SAY.direction_only
    if verdict.outcome == "inconclusive":
        yield from _power(verdict)
    if verdict.outcome in DECIDED and verdict.fragile:
        yield SAY.fragile
    if verdict.claim.proxy is not None:
        yield SAY.proxy
    yield from _original(verdict)


def _power(verdict: Verdict) -> Iterator[str]:
    """Yield what so many runs could have found, never without a word where it is less than what was observed."""
    detectable, observed = verdict.detectable, abs(verdict.estimate.value or 0.0)
    if detectable is not None and detectable.value is not None:
        if detectable.unit == "ratio":
            yield SAY.detectable_factor
        else:
            yield SAY.detectable_below if detectable.value < observed else SAY.detectable
    if verdict.seeds_needed is not None:
        yield SAY.needed


def _original(verdict: Verdict) -> Iterator[str]:
    if verdict.original is None or verdict.original.value is None or verdict.claim.relation == "exact":
        return
    if verdict.original_inside is None or verdict.prediction is None or verdict.prediction.low is None:
        yield SAY.original_ratio if verdict.original.unit == "ratio" else SAY.original_only
    else:
        yield SAY.original_inside if verdict.original_inside else SAY.original_outside


def _values(writer: Writer, verdict: Verdict) -> dict[str, object]:
    """Return every placeholder of the sentences on a claim; numbers are linked when a sentence names them."""
    claim, estimate = verdict.claim, verdict.estimate
    inverse = claim.relation != "exact" and estimate.unit == "ratio" and (estimate.value or 1.0) < SMALL_RATIO
    number = partial(writer.link, estimate, writer.numbers.bare(1 / (estimate.value or 1.0), "ratio"))
    changing = [entry for entry in verdict.sensitivity if entry.changes and entry.counts]
    plain = {"margin": verdict.margin, "stated": verdict.stated, "wins": verdict.wins}
    plain |= {"first": verdict.subject_mean, "second": verdict.comparator_mean}
    plain |= {"detectable": verdict.detectable, "original": verdict.original}
    return {
        **{name: partial(writer.quantity, datum) for name, datum in plain.items()},
        **({} if claim.relation != "onset" or verdict.stated is None else {"stated": writer.link(verdict.stated)}),
        "quantity": writer.word(names.QUANTITIES[claim.quantity]),
        "other_quantity": writer.word(names.QUANTITIES[claim.comparator_quantity or claim.quantity]),
        "subject": writer.side_name(claim.subject),
        "comparator": writer.side_name(claim.comparator),
        "estimate": number if inverse else partial(writer.quantity, estimate),
        "size": partial(writer.quantity, estimate, size=True),
        "interval": partial(spaced_interval, writer, estimate, inverse=inverse),
        "reason": writer.reason(estimate),
        "effect": partial(_effect, writer, verdict),
        "lean": partial(_lean, writer, verdict),
        "of": partial(_of, writer, verdict),
        "lacking": "" if verdict.lacking is None else writer.word(SAY.lacking[verdict.lacking]),
        "needed": names.seeds_needed(verdict, writer.numbers) or "",
        "p": partial(_probability, writer, verdict.p_corrected or verdict.p),
        "opposite_p": partial(_probability, writer, verdict.opposite_p),
        "prediction": partial(writer.interval, verdict.prediction) if verdict.prediction else "",
        "choices": lambda: writer.enumeration([_choice(writer, verdict, entry) for entry in changing]),
        "proxy": "" if claim.proxy is None else writer.translation.text(claim.proxy),
        **_planned(writer, verdict),
    }


def _planned(writer: Writer, verdict: Verdict) -> dict[str, object]:
    """Return the placeholders of the look that gave a verdict, and of the other verdict of a confirmed bundle."""
    numbers, look, other = writer.numbers, verdict.look, verdict.other
    values: dict[str, object] = {"below": verdict.undecidable_below}
    if look is not None:
        share = numbers.bare(look.share, "share", trimmed=True)
        values |= {"look": look.number, "taken": look.taken, "share": share}
    if other is not None:
        shown = Markup("{}{}").format(writer.quantity(other.estimate), spaced_interval(writer, other.estimate))
        values |= {"other": shown, "verdict": writer.badge(other.outcome)}
    return values


def spaced_interval(writer: Writer, datum: Datum, *, inverse: bool = False) -> Markup:
    """Return an interval with a space before it, nothing where there is none."""
    if datum.low is None and datum.high is None:
        return Markup("")
    return Markup(" ") + writer.interval(datum, inverse=inverse)


def turned(datum: Datum) -> Datum:
    """Return an effect seen from its other side: a ratio inverted, a difference with the other sign."""
    value, low, high = (
        None if each is None else 1 / each if datum.unit == "ratio" else -each
        for each in (datum.value, datum.high, datum.low)
    )
    return replace(datum, value=value, low=low, high=high)


def _probability(writer: Writer, datum: Datum | None) -> Markup:
    if datum is None or datum.value is None:
        return writer.quantity(datum)
    statement = writer.link(datum, writer.numbers.p_statement(datum.value))
    return writer.sentence(SAY.corrected, p=statement) if datum.formula == "p_corrected" else statement


def _effect(writer: Writer, verdict: Verdict) -> Markup:
    """Return in words what is ruled out or found: as large as the margin, on the side that was tested."""
    good = verdict.claim.quantity in HIGHER_IS_BETTER
    down, up = ("loss", "advantage") if good else ("decrease", "increase")
    return writer.sentence(
        SAY.effect[up if side_of(verdict.claim) > 0 else down], margin=writer.quantity(verdict.margin)
    )


def _lean(writer: Writer, verdict: Verdict) -> Markup:
    """Return which way the data lean, in seeds, blocks or pairs of runs."""
    wins, form = verdict.wins, "within"
    if wins is None or wins.value is None or not wins.n:
        form = "neither"
    elif verdict.claim.relation in ("greater", "less", "not_better"):
        form = "claimed" if 2 * wins.value > wins.n else "other" if 2 * wins.value < wins.n else "neither"
    return writer.sentence(SAY.lean[form], wins=writer.quantity(wins), of=_of(writer, verdict))


def _of(writer: Writer, verdict: Verdict) -> Markup:
    """Return of how many seeds, blocks or pairs of runs the wins were counted."""
    wins = verdict.wins
    kind = "blocks" if verdict.n_of == "blocks" else wins.n_of if wins else "seeds"
    return writer.plural(SAY.counted[kind], 0 if wins is None else wins.n or 0)


def unusual_runs(writer: Writer, trial: TrialResult) -> list[Markup]:
    """Return a trial's unusual runs by seed, each with its accuracy."""
    accuracies = [(run.seed or 0, writer.numbers.bare(run.value or 0.0, "share")) for run in trial.unusual]
    return [writer.sentence(SAY.unusual_run, seed=seed, accuracy=f"{accuracy}%") for seed, accuracy in accuracies]


def _choice(writer: Writer, verdict: Verdict, entry: Sensitivity) -> Markup:
    name: str = entry.kind
    if verdict.claim.relation == "ratio":
        name = name.replace("margin", "factor")
    if entry.kind == "without_run":
        of_run = "without_run" if entry.trial is None else "without_run_of"
        name = "without_block" if verdict.n_of == "blocks" else of_run
    trial = "" if entry.trial is None else writer.trial_name(entry.trial)
    return writer.sentence(SAY.choices[name], seed=entry.seed, trial=trial)
