"""From the registry of claims and a bundle to a verdict for every claim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cifar_report.analysis import claim_estimates as estimates
from cifar_report.analysis.decisions import (
    DIRECTIONS,
    Decision,
    Families,
    PValues,
    decide,
    decide_exact,
    decide_onset,
    p_values,
)
from cifar_report.analysis.hypothesis_tests import HypothesisTest
from cifar_report.analysis.networks import networks_of
from cifar_report.analysis.predictions import PredictionTable
from cifar_report.analysis.results import Datum, Formula, Scope, Undefined, Verdict
from cifar_report.analysis.samples import NotTestable, Sample, collect_sample
from cifar_report.analysis.sensitivity import sensitivities, stable
from cifar_report.analysis.statistics import SAME
from cifar_report.analysis.values import is_time
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim

MISSING: dict[str, Undefined] = {
    "failed": "failed",
    "no_timing_pass": "no_timing_pass",
    "not_timed": "not_timed",
    "disturbed": "disturbed",
    "no_predictions": "no_predictions",
    "not_a_number": "not_a_number",
}


def verdicts(bundle: Bundle, predictions: PredictionTable, scope: Scope) -> tuple[Verdict, ...]:
    """Return the verdict of every claim, in the order of the experiments.

    Holm's correction needs the p-values of a whole family, so all claims are tested before the first is judged.
    """
    samples = {claim.id: collect_sample(claim, bundle, predictions) for claim in bundle.claims}
    found: dict[str, PValues] = {}
    for claim in bundle.claims:
        sample = samples[claim.id]
        if isinstance(sample, Sample) and not_testable(claim, sample, scope) is None and _has_test(claim):
            found[claim.id] = p_values(claim, sample.test())
    families = Families(bundle.claims, found)
    return tuple(judge_claim(claim, samples[claim.id], families, scope, bundle, predictions) for claim in bundle.claims)


def judged(samples: Mapping[str, Sample], claims: tuple[Claim, ...]) -> dict[str, Decision]:
    """Return the decisions for samples of directional and equivalence claims, corrected within their families.

    ``claims`` are all of the registry, which give the families their sizes; those without a sample are left out.
    This is the method's core without a bundle around it; the calibration draws samples and asks here.
    """
    tests = {claim.id: samples[claim.id].test() for claim in claims if claim.id in samples}
    chosen = [claim for claim in claims if claim.id in samples]
    found = {claim.id: p_values(claim, tests[claim.id]) for claim in chosen}
    families = Families(claims, found)
    return {claim.id: decide(claim, tests[claim.id], families.corrected(claim, found[claim.id])) for claim in chosen}


def not_testable(claim: Claim, sample: Sample | NotTestable, scope: Scope) -> NotTestable | None:
    """Return why the claim cannot be decided: the bundle's kind first, then what is missing, then too few seeds."""
    if claim.relation != "exact" and not scope.comparisons and scope.comparisons_reason is not None:
        return NotTestable("not_testable", scope.comparisons_reason)
    if isinstance(sample, NotTestable):
        return sample
    if claim.relation == "exact":
        return None
    if claim.comparator is None and not scope.absolutes and not is_time(claim):
        return NotTestable("not_testable", "other_pixels")
    if not sample.defined:
        return NotTestable("inconclusive", "not_a_number")
    if sample.n_of != "images" and sample.count < 2:
        return NotTestable("inconclusive", "one_seed" if sample.n_of == "seeds" else "one_block")
    return None


def judge_claim(
    claim: Claim,
    sample: Sample | NotTestable,
    families: Families,
    scope: Scope,
    bundle: Bundle,
    predictions: PredictionTable,
) -> Verdict:
    """Return the verdict of one claim: test, Holm's correction, decision, and the numbers that the report shows."""
    obstacle = not_testable(claim, sample, scope)
    if isinstance(sample, NotTestable):
        return _without_values(claim, obstacle or sample, families)
    if claim.relation == "exact":
        return _judge_counts(claim, sample, families)
    tested: dict[str, Any] = {}
    if obstacle is not None:
        decision = Decision(*obstacle)
    elif claim.relation == "onset":
        decision, tested = decide_onset(sum(estimates.onset_hits(claim, sample)), sample.count), {"test": "binomial"}
    else:
        test = sample.test()
        p = p_values(claim, test)
        corrected = families.corrected(claim, p)
        decision = decide(claim, test, corrected)
        tested = _tested(claim, sample, test, p, corrected, families)
    subject_mean, comparator_mean = estimates.side_means(claim, sample)
    prediction = estimates.prediction(claim, sample)
    varied = () if obstacle else sensitivities(claim, sample, families, decision.outcome)
    other_pixels = scope.comparisons and not scope.absolutes and not is_time(claim)
    return Verdict(
        claim=claim,
        **decision._asdict(),
        **_declared(claim, families),
        **tested,
        n=sample.count,
        n_of=sample.n_of,
        estimate=estimates.estimate(claim, sample),
        original_inside=_inside(claim.original_difference, prediction) if scope.absolutes else None,
        prediction=prediction,
        wins=estimates.wins(claim, sample),
        differences=estimates.differences(claim, sample),
        subject_mean=subject_mean,
        comparator_mean=comparator_mean,
        sensitivity=varied,
        stable=stable(varied),
        networks=None if obstacle else networks_of(claim, sample, bundle, predictions),
        deviation="other_pixels" if other_pixels else None,
    )


def _tested(
    claim: Claim, sample: Sample, test: HypothesisTest, p: PValues, corrected: PValues, families: Families
) -> dict[str, Any]:
    """Return the fields of a verdict that its hypothesis test fills."""
    formula: Formula = "p_value" if families.size(claim) is None else "p_corrected"

    def probability(name: str, value: float | None, formula: Formula) -> Datum | None:
        identity = f"claim.{claim.id}.{name}"
        return value if value is None else Datum(identity, value, "probability", formula, sample.count, sample.n_of)

    equivalence = claim.relation not in DIRECTIONS and test.procedure == "paired_t"
    return {
        "test": "tost" if equivalence else test.procedure,
        "p": probability("p", p.tested, "p_value"),
        "p_corrected": probability("p_corrected", corrected.tested, formula) if formula == "p_corrected" else None,
        "opposite_p": probability("opposite_p", corrected.opposite, formula),
        "bound": estimates.margin_bound(claim, sample, test),
        "detectable": estimates.detectable(claim, sample, test),
        "seeds_needed": estimates.seeds_needed(claim, sample, test),
    }


def _has_test(claim: Claim) -> bool:
    """Whether a hypothesis test about a difference decides the claim: counts need none, onsets have their own."""
    return claim.relation not in ("onset", "exact")


def _declared(claim: Claim, families: Families) -> dict[str, Any]:
    """Return the fields of a verdict that the registry alone decides."""
    return {
        "margin": estimates.margin_datum(claim),
        "stated": estimates.stated_datum(claim),
        "original": estimates.original_datum(claim),
        "family_size": families.size(claim),
    }


def _without_values(claim: Claim, obstacle: NotTestable, families: Families) -> Verdict:
    return Verdict(
        claim=claim,
        outcome=obstacle.outcome,
        reason=obstacle.reason,
        n_of="blocks" if is_time(claim) else "seeds",
        estimate=estimates.missing_estimate(claim, MISSING.get(obstacle.reason, "not_run")),
        **_declared(claim, families),
    )


def _judge_counts(claim: Claim, sample: Sample, families: Families) -> Verdict:
    """Decide a relation of counts; every seed counted the same network, and nothing is estimated."""
    subject = sample.subject[0].value
    reference = sample.comparator[0].value if sample.comparator else claim.value
    if subject is None or reference is None:
        return _without_values(claim, NotTestable("inconclusive", "not_a_number"), families)
    decision = decide_exact(claim.exact_relation or "equal", subject, reference)
    subject_mean, comparator_mean = estimates.side_means(claim, sample)
    return Verdict(
        claim=claim,
        outcome=decision.outcome,
        reason=decision.reason,
        test="exact",
        n=sample.count,
        estimate=estimates.exact_estimate(claim, sample, subject, reference),
        subject_mean=subject_mean,
        comparator_mean=comparator_mean,
        **_declared(claim, families),
    )


def _inside(original: float | None, prediction: Datum | None) -> bool | None:
    """Whether the original's number lies in the prediction interval; None where one of them is missing."""
    if original is None or prediction is None or prediction.low is None or prediction.high is None:
        return None
    return prediction.low - SAME <= original <= prediction.high + SAME
