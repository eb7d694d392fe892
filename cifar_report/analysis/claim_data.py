"""Puts a verdict together: descriptive numbers first, then those of the test, then what more seeds could see."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from cifar_report.analysis import estimates
from cifar_report.analysis.decisions import Decision
from cifar_report.analysis.evidence import Evidence, Paired
from cifar_report.analysis.judging import DIRECTIONS, Families, is_time, side_of
from cifar_report.analysis.measures import mean_datum
from cifar_report.analysis.results import Datum, Formula, Scope, Undefined, Unit, Verdict
from cifar_report.analysis.samples import Blocked, Sample
from cifar_report.analysis.statistics import SAME, Bounds, all_equal, detectable_effect, seeds_for_effect
from cifar_report.spec import Claim

MISSING: dict[str, Undefined] = {
    "failed": "failed",
    "no_timing_pass": "no_timing_pass",
    "not_timed": "not_timed",
    "disturbed": "disturbed",
    "no_predictions": "no_predictions",
    "not_a_number": "not_a_number",
}


def empty_verdict(claim: Claim, blocked: Blocked, families: Families) -> Verdict:
    """Return the verdict of a claim for which there are no values at all."""
    unit, formula = estimates.unit_of(claim), estimates.formula_of(claim)
    reason = MISSING.get(blocked.reason, "not_run")
    return Verdict(
        claim=claim,
        outcome=blocked.outcome,
        reason=blocked.reason,
        direction_only=False,
        test=None,
        n=0,
        n_of="blocks" if is_time(claim) else "seeds",
        estimate=Datum(f"claim.{claim.id}.estimate", None, unit, formula, 0, reason=reason),
        bound=None,
        margin=estimates.margin_datum(claim),
        stated=estimates.stated_datum(claim),
        p=None,
        p_corrected=None,
        opposite_p=None,
        family_size=families.size(claim),
        original=estimates.original_datum(claim),
        original_inside=None,
        prediction=None,
        wins=None,
        differences=(),
        subject_mean=None,
        comparator_mean=None,
        sensitivity=(),
        stable=None,
        detectable=None,
        seeds_needed=None,
        networks=None,
        deviation=None,
    )


def described(claim: Claim, sample: Sample, scope: Scope, families: Families) -> Verdict:
    """Return a verdict that holds all descriptive numbers; its outcome is still to be set."""
    unit, prefix = estimates.VALUE_UNITS[claim.quantity], f"claim.{claim.id}"
    subject = estimates.entries_of(sample, sample.subject, sample.subject_runs)
    comparator = estimates.entries_of(sample, sample.comparator, sample.comparator_runs) if sample.comparator else ()
    prediction = estimates.prediction(claim, sample)
    means = mean_datum(f"{prefix}.subject", unit, subject), mean_datum(f"{prefix}.comparator", unit, comparator)
    return replace(
        empty_verdict(claim, Blocked("inconclusive", "undecided"), families),
        n=sample.count,
        n_of=sample.n_of,
        estimate=estimates.estimate(claim, sample),
        wins=estimates.wins(claim, sample),
        differences=estimates.differences(claim, sample),
        subject_mean=replace(means[0], n_of="blocks" if sample.n_of == "blocks" else "seeds"),
        comparator_mean=replace(means[1], n_of="blocks" if sample.n_of == "blocks" else "seeds")
        if comparator
        else None,
        prediction=prediction,
        original_inside=_inside(claim.original_difference, prediction, scope),
        deviation="other_pixels" if scope.comparisons and not scope.absolutes and not is_time(claim) else None,
    )


def _inside(original: float | None, prediction: Datum | None, scope: Scope) -> bool | None:
    """Whether the original's number lies in the prediction interval; only canonical pixels can tell."""
    if original is None or prediction is None or prediction.low is None or prediction.high is None:
        return None
    return prediction.low - SAME <= original <= prediction.high + SAME if scope.absolutes else None


def with_test(
    verdict: Verdict, evidence: Evidence, p: float | None, corrected: float | None, opposite: float | None
) -> Verdict:
    """Add the test's numbers: p-values, the one-sided bound, what could have been seen and how many seeds could."""
    if verdict.claim.relation == "onset":
        return replace(verdict, test="binomial")
    equivalence = verdict.claim.relation not in DIRECTIONS and evidence.procedure == "paired_t"
    own: Formula = "p_value" if corrected is None else "p_corrected"
    return replace(
        verdict,
        test="tost" if equivalence else evidence.procedure,
        p=_probability(verdict, "p", p, "p_value"),
        p_corrected=_probability(verdict, "p_corrected", corrected, "p_corrected"),
        opposite_p=_probability(verdict, "opposite_p", opposite, own),
        bound=_bound(verdict, evidence),
        detectable=_detectable(verdict, evidence),
        seeds_needed=_seeds_needed(verdict, evidence),
    )


def _probability(verdict: Verdict, name: str, value: float | None, formula: Formula) -> Datum | None:
    if value is None:
        return None
    return Datum(f"claim.{verdict.claim.id}.{name}", value, "probability", formula, verdict.n, verdict.n_of)


def _bound(verdict: Verdict, evidence: Evidence) -> Datum | None:
    """Return the bound on the side of the margin, on the shown scale; None where the relation has no direction."""
    if verdict.claim.relation not in DIRECTIONS:
        return None
    value = evidence.bound(side_of(verdict.claim))
    if value is None:
        return None
    value = estimates.shown(verdict.claim, Bounds(value, None, None)).mean
    unit, runs = verdict.estimate.unit, verdict.estimate.runs
    return Datum(f"claim.{verdict.claim.id}.bound", value, unit, "one_sided_bound", verdict.n, verdict.n_of, runs=runs)


def _detectable(verdict: Verdict, evidence: Evidence) -> Datum | None:
    """Return the difference that this many seeds would have found; None where t does not apply."""
    if not isinstance(evidence, Paired) or evidence.count < 2:
        return None
    effect = detectable_effect(evidence.count, verdict.claim.relation not in DIRECTIONS)
    value = 0.0 if all_equal(evidence.values) else (effect or 0.0) * float(np.std(evidence.values, ddof=1))
    unit: Unit = "points" if verdict.estimate.unit == "share" else verdict.estimate.unit  # it is a difference
    if unit == "ratio":
        value = math.exp(value)
    identity = f"claim.{verdict.claim.id}.detectable"
    return Datum(identity, value, unit, "detectable_difference", verdict.n, verdict.n_of)


def _seeds_needed(verdict: Verdict, evidence: Evidence) -> Datum | None:
    """Return how many seeds would tell the observed difference from nought, at .05 and uncorrected.

    None where t does not apply, and for claims that say how near two values are: they do not ask about nought.
    """
    if not isinstance(evidence, Paired) or verdict.n_of != "seeds" or verdict.claim.relation not in DIRECTIONS:
        return None
    identity = f"claim.{verdict.claim.id}.seeds_needed"
    mean = abs(float(np.mean(evidence.values)))
    if mean <= SAME or all_equal(evidence.values):
        reason: Undefined = "no_difference_observed" if mean <= SAME else "no_spread"
        return Datum(identity, None, "count", "seeds_needed", reason=reason)
    effect = mean / float(np.std(evidence.values, ddof=1))
    needed = seeds_for_effect(effect, two_sided=False)
    return Datum(identity, needed, "count", "seeds_needed", reason=None if needed else "too_many_seeds")


def exact_verdict(
    claim: Claim, sample: Sample, decision: Decision, subject: float, reference: float, families: Families
) -> Verdict:
    """Return the verdict about counts: nothing is estimated."""
    value, formula = _exact_estimate(claim, subject, reference)
    prefix, unit = f"claim.{claim.id}", estimates.unit_of(claim)
    comparator = estimates.entries_of(sample, sample.comparator, sample.comparator_runs) if sample.comparator else ()
    return replace(
        empty_verdict(claim, Blocked(decision.outcome, decision.reason), families),
        test="exact",
        n=sample.count,
        estimate=Datum(f"{prefix}.estimate", value, unit, formula, sample.count, runs=sample.runs),
        subject_mean=mean_datum(
            f"{prefix}.subject", "count", estimates.entries_of(sample, sample.subject, sample.subject_runs)
        ),
        comparator_mean=mean_datum(f"{prefix}.comparator", "count", comparator) if comparator else None,
    )


def _exact_estimate(claim: Claim, subject: float, reference: float) -> tuple[float, Formula]:
    if claim.exact_relation == "quarter":
        return subject / reference, "exact_ratio"
    if claim.comparator is not None:
        return subject - reference, "exact_difference"
    return subject, "single_value"
