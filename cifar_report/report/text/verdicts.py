"""A claim's verdict in words: what was measured, what follows, and what would change it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TypeAlias

from markupsafe import Markup

from cifar_report.analysis.results import Datum, Sensitivity, TrialResult, Verdict
from cifar_report.report import names
from cifar_report.report.elements import claim_link
from cifar_report.report.i18n import load_messages
from cifar_report.report.writer import Writer
from cifar_report.spec import Side

SAY = load_messages("claims")
# "Not better" has no claimed side, and ratios are of blocks; nothing is counted for them.
SEEDS_AS_CLAIMED = {"greater": SAY.wins, "less": SAY.wins, "equal": SAY.within, "value": SAY.within}
PAIRS_AS_CLAIMED = {"greater": SAY.wins_of_pairs, "less": SAY.wins_of_pairs, "equal": SAY.within_of_pairs}
SMALL_RATIO = 0.5  # below, the inverse says more

Message: TypeAlias = str | tuple[list[str], int]
"""A sentence that is to be filled, or its two forms and the count that chooses between them."""


def verdict_sentence(writer: Writer, verdict: Verdict) -> Markup:
    """Return the one sentence that says what the verdict is and why."""
    return writer.sentence(_decision(verdict), **_values(writer, verdict))


def verdict_paragraph(writer: Writer, verdict: Verdict) -> tuple[Markup, ...]:
    """Return everything that is said about a claim: whole sentences, in order."""
    values = _values(writer, verdict)
    said = [
        writer.sentence(message, **values)
        if isinstance(message, str)
        else writer.plural(message[0], message[1], **{**values, "count": writer.numbers.integer(message[1])})
        for message in _messages(writer, verdict)
    ]
    return (*said, *_runs(writer, verdict))


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
        if estimate.low is not None or estimate.high is not None:
            difference = claim.comparator is not None and estimate.unit != "ratio"
            yield SAY.interval_of_difference if difference else SAY.interval
        if verdict.n_comparator is not None and wins_known and claim.relation in PAIRS_AS_CLAIMED:
            yield PAIRS_AS_CLAIMED[claim.relation]
            return
        counted = SEEDS_AS_CLAIMED.get(claim.relation)
        if counted is not None and wins_known and n > 1 and verdict.n_of == "seeds":
            yield counted, n


def _estimate_forms(verdict: Verdict, value: float) -> list[str]:
    forms: list[str]
    if verdict.claim.comparator is None:
        forms = SAY.value
    elif verdict.estimate.unit == "ratio":
        forms = SAY.times_inverse if value < SMALL_RATIO else SAY.times
        if verdict.claim.comparator_quantity is not None:
            forms = SAY.between_inverse if value < SMALL_RATIO else SAY.between
    elif value == 0:
        forms = SAY.level
    else:
        kind = verdict.n_of if verdict.n_comparator is None else "runs"
        forms = (SAY.exceeded if value > 0 else SAY.fell_short)[kind]
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
    if verdict.test in ("permutation", "sign_flips"):
        yield SAY.permutation if verdict.test == "permutation" else SAY.sign_flips
    if verdict.test == "all_equal":
        yield SAY.all_equal
    if verdict.networks is not None:
        yield SAY.networks, len(verdict.networks.tests)


def _qualified(verdict: Verdict) -> Iterator[Message]:
    if verdict.direction_only:
        yield SAY.direction_only
    if verdict.outcome == "inconclusive":
        yield from _power(verdict)
    if verdict.outcome in ("reproduced", "not_reproduced", "inconclusive"):
        if verdict.deviation == "other_pixels":
            yield SAY.other_pixels
        if verdict.fragile:
            yield SAY.fragile
    if verdict.claim.proxy is not None:
        yield SAY.proxy


def _power(verdict: Verdict) -> Iterator[Message]:
    """Yield what so many runs could have found, never without a word where it is less than what was observed."""
    detectable, seeds, observed = verdict.detectable, verdict.seeds_needed, abs(verdict.estimate.value or 0.0)
    if detectable is not None and detectable.value is not None:
        factor, ratio = detectable.unit == "ratio", verdict.estimate.value or 1.0
        below = detectable.value < (max(ratio, 1 / ratio) if factor else observed)
        if factor:
            yield SAY.detectable_factor_below if below else SAY.detectable_factor
        else:
            yield SAY.detectable_below if below else SAY.detectable
    if seeds is not None:
        least, most = seeds.value, seeds.high
        known = SAY.needed_open if most is None else SAY.needed_one if least == most else SAY.needed
        yield SAY.needed_more if least is None else known


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
    needed = verdict.seeds_needed
    inverse = estimate.unit == "ratio" and estimate.value is not None and estimate.value < SMALL_RATIO
    said_inverse = inverse and claim.relation != "exact"
    number = partial(writer.link, estimate, writer.numbers.bare(1 / (estimate.value or 1.0), "ratio"))
    coverage = writer.numbers.bare(estimate.coverage, "share", trimmed=True)
    choices = [_choice(writer, verdict, entry) for entry in _changing(verdict)]
    return {
        **{name: partial(_optional, writer, datum) for name, datum in _data(writer, verdict).items()},
        **({} if claim.relation != "onset" or verdict.stated is None else {"stated": writer.link(verdict.stated)}),
        "quantity": writer.word(names.QUANTITIES[claim.quantity]),
        "other_quantity": writer.word(names.QUANTITIES[claim.comparator_quantity or claim.quantity]),
        "subject": writer.trial_name(claim.subject.trial, claim.subject.stage),
        "comparator": writer.trial_name(claim.comparator.trial, claim.comparator.stage) if claim.comparator else "",
        "estimate": number if said_inverse else partial(writer.quantity, estimate),
        "others": writer.numbers.integer(verdict.n_comparator or 0),
        "count": writer.numbers.integer(verdict.n),
        "coverage": f"{coverage}%",
        "shown": partial(_shown, writer, verdict),
        "lean": partial(_lean, writer, verdict),
        "lacking": "" if verdict.lacking is None else writer.word(SAY.lacking[verdict.lacking]),
        "least": "" if needed is None else writer.quantity(needed),
        "most": "" if needed is None or needed.high is None else writer.numbers.integer(round(needed.high)),
        "pairs": "" if verdict.wins is None else writer.numbers.integer(verdict.wins.n or 0),
        "size": partial(writer.quantity, estimate, size=True),
        "interval": partial(writer.interval, estimate, inverse=said_inverse),
        "reason": writer.reason(estimate),
        "p": partial(_probability, writer, verdict.p_corrected or verdict.p),
        "opposite_p": partial(_probability, writer, verdict.opposite_p),
        "prediction": partial(writer.interval, verdict.prediction) if verdict.prediction else "",
        "choices": writer.enumeration(choices) if choices else "",
        "proxy": "" if claim.proxy is None else writer.translation.text(claim.proxy),
    }


def _data(writer: Writer, verdict: Verdict) -> dict[str, Datum | None]:
    """Return the numbers of a claim that are written as they are."""
    first, second = verdict.subject_mean, verdict.comparator_mean
    if verdict.outcome == "not_run":
        sides = verdict.claim.subject, verdict.claim.comparator
        first, second = (_described(writer, verdict, side) for side in sides)
    return {
        "margin": verdict.margin,
        "bound": verdict.bound,
        "stated": verdict.stated,
        "wins": verdict.wins,
        "detectable": verdict.detectable,
        "original": verdict.original,
        "first": first,
        "second": second,
        "apart": None if verdict.networks is None else verdict.networks.apart,
    }


def _optional(writer: Writer, datum: Datum | None) -> Markup:
    return Markup("") if datum is None else writer.quantity(datum)


def _probability(writer: Writer, datum: Datum | None) -> Markup:
    if datum is None or datum.value is None:
        return _optional(writer, datum)
    statement = writer.link(datum, writer.numbers.p_statement(datum.value))
    return writer.sentence(SAY.corrected, p=statement) if datum.formula == "p_corrected" else statement


def _shown(writer: Writer, verdict: Verdict) -> Markup:
    """Return what was observed beside what is ruled out, so that its direction is told."""
    estimate, bound = verdict.estimate, verdict.bound
    if bound is None:
        bare = SAY.shown["bare"]
        return writer.sentence(bare, estimate=writer.quantity(estimate))
    form = SAY.shown["ratio" if estimate.unit == "ratio" else "difference"]
    return writer.sentence(form, estimate=writer.quantity(estimate), bound=writer.quantity(bound))


def _lean(writer: Writer, verdict: Verdict) -> Markup:
    """Return which way the data lean, in seeds, blocks or pairs of runs."""
    wins = verdict.wins
    form = "within"
    if wins is None or wins.value is None or not wins.n:
        form = "neither"
    elif verdict.claim.relation in ("greater", "less", "not_better"):
        form = "claimed" if 2 * wins.value > wins.n else "other" if 2 * wins.value < wins.n else "neither"
    message, count = SAY.lean[form], 0 if wins is None else wins.n or 0
    of = writer.plural(SAY.counted["blocks" if verdict.n_of == "blocks" else wins.n_of if wins else "seeds"], count)
    return writer.sentence(message, wins=_optional(writer, wins), of=of)


def _runs(writer: Writer, verdict: Verdict) -> Iterator[Markup]:
    """Yield which planned seeds the claim's trials lack, and which of their runs are unusual."""
    whole = writer.numbers.integer
    for trial, seeds in verdict.missing:
        named = writer.enumeration([whole(seed) for seed in seeds])
        yield writer.plural(SAY.missing, len(seeds), trial=writer.trial_name(trial), seeds=named)
    if verdict.n_of != "seeds" or verdict.claim.relation == "exact" or not verdict.n:
        return
    sides = (verdict.claim.subject, verdict.claim.comparator)
    for trial in dict.fromkeys(side.trial for side in sides if side is not None):
        unusual = unusual_runs(writer, writer.results.trial(trial))
        if unusual:
            runs = writer.enumeration(unusual)
            yield writer.plural(SAY.unusual, len(unusual), trial=writer.trial_name(trial), runs=runs)


def unusual_runs(writer: Writer, trial: TrialResult) -> list[Markup]:
    """Return a trial's unusual runs by seed, each with its accuracy."""
    return [
        writer.sentence(
            SAY.unusual_run,
            seed=writer.numbers.integer(run.seed or 0),
            accuracy=f"{writer.numbers.bare(run.value or 0.0, 'share')}%",
        )
        for run in trial.unusual
    ]


def _choice(writer: Writer, verdict: Verdict, entry: Sensitivity) -> Markup:
    name: str = entry.kind
    if verdict.claim.relation == "ratio":
        name = name.replace("margin", "factor")
    if entry.kind == "without_run":
        name = (
            "without_block" if verdict.n_of == "blocks" else "without_run" if entry.trial is None else "without_run_of"
        )
    seed = "" if entry.seed is None else writer.numbers.integer(entry.seed)
    trial = "" if entry.trial is None else writer.trial_name(entry.trial)
    return writer.sentence(SAY.choices[name], seed=seed, trial=trial)
