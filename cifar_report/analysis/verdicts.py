"""From the registry of claims and a bundle to a verdict for every claim."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from cifar_report.analysis import claim_data
from cifar_report.analysis.answers import AnswerTable
from cifar_report.analysis.decisions import Decision, decide_exact
from cifar_report.analysis.evidence import Evidence
from cifar_report.analysis.judging import Families, is_time, judge, judge_onset, p_values
from cifar_report.analysis.networks import networks_of
from cifar_report.analysis.results import Networks, Scope, Verdict
from cifar_report.analysis.samples import Blocked, Sample, gather
from cifar_report.analysis.sensitivity import sensitivities, stable
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim


def verdicts(bundle: Bundle, answers: AnswerTable, scope: Scope) -> tuple[Verdict, ...]:
    """Return the verdict of every claim, in the order of the experiments."""
    samples = {claim.id: gather(claim, bundle, answers) for claim in bundle.claims}
    blocks = {claim.id: blocked for claim in bundle.claims if (blocked := _blocked(claim, samples[claim.id], scope))}
    found = {
        claim.id: p_values(claim, sample.evidence())
        for claim in bundle.claims
        if isinstance(sample := samples[claim.id], Sample)
        and claim.id not in blocks
        and claim.relation not in ("onset", "exact")
    }
    families = Families.of(bundle.claims, found)
    return tuple(
        _verdict(claim, samples[claim.id], blocks.get(claim.id), families, scope, bundle, answers)
        for claim in bundle.claims
    )


def judged(samples: Mapping[str, Sample], claims: tuple[Claim, ...]) -> dict[str, Decision]:
    """Return the decisions for samples of directional and equivalence claims, corrected within their families.

    ``claims`` are all of the registry, which give the families their sizes; those without a sample are left out.
    This is the method's core without a bundle around it; the calibration draws samples and asks here.
    """
    evidence = {name: sample.evidence() for name, sample in samples.items()}
    chosen = [claim for claim in claims if claim.id in samples]
    families = Families.of(claims, {claim.id: p_values(claim, evidence[claim.id]) for claim in chosen})
    return {claim.id: _decide(claim, samples[claim.id], evidence[claim.id], families)[0] for claim in chosen}


def _blocked(claim: Claim, sample: Sample | Blocked, scope: Scope) -> Blocked | None:
    """Return why the claim cannot be decided: the bundle's kind first, then what is missing, then too few seeds."""
    if claim.relation != "exact" and not scope.comparisons and scope.comparisons_reason is not None:
        return Blocked("not_testable", scope.comparisons_reason)
    if isinstance(sample, Blocked):
        return sample
    if claim.relation == "exact":
        return None
    if claim.comparator is None and not scope.absolutes and not is_time(claim):
        return Blocked("not_testable", "other_pixels")
    if not sample.defined:
        return Blocked("inconclusive", "not_a_number")
    if sample.n_of != "images" and sample.count < 2:
        return Blocked("inconclusive", "one_seed" if sample.n_of == "seeds" else "one_block")
    return None


@dataclass(frozen=True)
class _Tested:
    """The corrected and uncorrected p-values behind a decision."""

    p: float | None = None
    corrected: float | None = None
    opposite: float | None = None


def _decide(claim: Claim, sample: Sample, evidence: Evidence, families: Families) -> tuple[Decision, _Tested]:
    if claim.relation == "onset":
        return judge_onset(claim, sample), _Tested()
    p, opposite = p_values(claim, evidence)
    corrected, other = families.corrected(claim, p), families.corrected(claim, opposite, "opposite")
    decision = judge(claim, evidence, p if corrected is None else corrected, other)
    return decision, _Tested(p, corrected if families.size(claim) else None, other)


def _verdict(
    claim: Claim,
    sample: Sample | Blocked,
    blocked: Blocked | None,
    families: Families,
    scope: Scope,
    bundle: Bundle,
    answers: AnswerTable,
) -> Verdict:
    if isinstance(sample, Blocked):
        return claim_data.empty_verdict(claim, blocked or sample, families)
    if claim.relation == "exact":
        return _exact(claim, sample, families)
    verdict = claim_data.described(claim, sample, scope, families)
    if blocked is not None:
        return replace(verdict, outcome=blocked.outcome, reason=blocked.reason)
    evidence = sample.evidence()
    decision, tested = _decide(claim, sample, evidence, families)
    found = sensitivities(claim, sample, families, decision.outcome)
    networks: Networks | None = networks_of(claim, sample, bundle, answers)
    verdict = replace(
        verdict,
        outcome=decision.outcome,
        reason=decision.reason,
        direction_only=decision.direction_only,
        sensitivity=found,
        stable=stable(found),
        networks=networks,
    )
    return claim_data.with_test(verdict, evidence, tested.p, tested.corrected, tested.opposite)


def _exact(claim: Claim, sample: Sample, families: Families) -> Verdict:
    """Decide a relation of counts; every seed counted the same network."""
    subject = sample.subject[0].value
    reference = sample.comparator[0].value if sample.comparator else claim.value
    if subject is None or reference is None:
        return claim_data.empty_verdict(claim, Blocked("inconclusive", "not_a_number"), families)
    decision = decide_exact(claim.exact_relation or "equal", subject, reference)
    return claim_data.exact_verdict(claim, sample, decision, subject, reference, families)
