"""From the registry of claims and a bundle to a verdict for every claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any, cast, get_args

from scipy import stats

from cifar_report.analysis import claim_estimates as estimates
from cifar_report.analysis.decisions import (
    Decision,
    Families,
    PValues,
    decide,
    decide_exact,
    decide_onset,
    p_values,
)
from cifar_report.analysis.predictions import PredictionTable
from cifar_report.analysis.results import Datum, Formula, Outcome, Scope, StatementTally, Verdict
from cifar_report.analysis.results.views import StatementKind
from cifar_report.analysis.samples import NotTestable, Sample, collect_sample
from cifar_report.analysis.sensitivity import fragile, missing_seeds, sensitivities
from cifar_report.analysis.statistics import SAME
from cifar_report.analysis.values import is_time
from cifar_report.bundle import Bundle
from cifar_report.spec import STATEMENTS, Claim

RULED_OUT = ("margin_ruled_out", "improvement_ruled_out")
NEAR = ("equal", "ratio", "value")


def verdicts(bundle: Bundle, predictions: PredictionTable, scope: Scope) -> tuple[Verdict, ...]:
    """Return the verdict of every claim, in the order of the experiments.

    Holm's correction needs the p-values of a whole family, so all claims are tested before the first is judged.
    """
    samples = {claim.id: collect_sample(claim, bundle, predictions) for claim in bundle.claims}
    found: dict[str, PValues] = {}
    for claim in bundle.claims:
        sample = samples[claim.id]
        decided_otherwise = claim.relation in ("onset", "exact") or not_testable(claim, sample, scope) is not None
        if isinstance(sample, Sample) and not decided_otherwise:
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
    return {claim.id: decide(claim, tests[claim.id], families) for claim in chosen}


def not_testable(claim: Claim, sample: Sample | NotTestable, scope: Scope) -> NotTestable | None:
    """Return why the claim cannot be decided: the bundle's kind first, then what is missing, then too few seeds."""
    if claim.relation != "exact" and not scope.comparisons and scope.comparisons_reason is not None:
        return NotTestable("not_testable", scope.comparisons_reason)
    if isinstance(sample, NotTestable):
        return sample
    if claim.relation == "exact":
        return None
    if claim.relation == "value" and not scope.absolutes and not is_time(claim):
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
    tested: dict[str, Any] = {}
    if obstacle is not None:
        decision = Decision(*obstacle)
    else:
        values = cast("Sample", sample)  # where there is none, there is an obstacle
        decision, tested = _decide(claim, values, families)
        varied = sensitivities(claim, values, families, decision.outcome, bundle)
        tested |= {"sensitivity": varied, "fragile": fragile(varied), "missing": missing_seeds(claim, bundle)}
        tested["networks"] = estimates.networks_of(claim, values, bundle, predictions)
    return Verdict(
        claim=claim,
        **decision._asdict(),
        **tested,
        margin=estimates.margin_datum(claim),
        stated=estimates.stated_datum(claim),
        original=estimates.original_datum(claim),
        family_size=families.size(claim),
        **_described(claim, sample, decision, scope),
    )


def _decide(claim: Claim, sample: Sample, families: Families) -> tuple[Decision, dict[str, Any]]:
    """Return the decision and the fields of a verdict that its hypothesis test fills."""
    if claim.relation == "exact":
        return decide_exact(claim.exact_relation or "equal", *estimates.counts(claim, sample)), {"test": "exact"}
    if claim.relation == "onset":
        hits = sum(estimates.onset_hits(claim, sample))
        p_value = float(stats.binomtest(hits, sample.count, alternative="greater").pvalue)
        p_datum = estimates.number(claim, sample, "p", p_value, "probability", "p_value")
        return decide_onset(hits, sample.count), {"test": "binomial", "p": p_datum}
    test, decision = sample.test(), decide(claim, sample.test(), families)
    p = p_values(claim, test)
    corrected = families.corrected(claim, p)
    alone = families.size(claim) is None

    def probability(name: str, value: float | None, formula: Formula) -> Datum | None:
        return None if value is None else estimates.number(claim, sample, name, value, "probability", formula)

    tested = {
        "test": test.procedure,
        "p": probability("p", p.tested, "p_value"),
        "p_corrected": None if alone else probability("p_corrected", corrected.tested, "p_corrected"),
        "opposite_p": probability("opposite_p", corrected.opposite, "p_value" if alone else "p_corrected"),
        "bound": estimates.margin_bound(claim, sample, test),
    }
    if decision.outcome == "inconclusive":
        level = families.level(claim)
        tested |= {
            "detectable": estimates.detectable(claim, sample, test, level),
            "seeds_needed": estimates.needed(claim, sample, level),
        }
    return decision, tested


def _described(claim: Claim, sample: Sample | NotTestable, decision: Decision, scope: Scope) -> dict[str, Any]:
    """Return the fields of a verdict that say what was measured, whatever a test makes of it."""
    if isinstance(sample, NotTestable):
        missing = estimates.missing_estimate(claim, decision.reason)
        return {"n_of": "blocks" if is_time(claim) else "seeds", "estimate": missing}
    subject, comparator = estimates.side_means(claim, sample)
    means: dict[str, Any] = {"n": len(sample.keys) if sample.images is None else sample.count}
    means |= {"subject_mean": subject, "comparator_mean": comparator}
    if claim.relation == "exact":
        return means | {"estimate": estimates.exact_estimate(claim, sample)}
    prediction = estimates.prediction(claim, sample)
    other_pixels = scope.comparisons and not scope.absolutes and not is_time(claim)
    one_sided = decision.reason in RULED_OUT or (claim.relation in NEAR and decision.reason != "outside_margin")
    return means | {
        "n_of": sample.n_of,
        "n_comparator": None if sample.comparator_keys is None else len(sample.comparator_keys),
        "estimate": estimates.estimate(claim, sample, 0.90 if one_sided else 0.95),
        "wide": estimates.estimate(claim, sample, name="wide") if one_sided and sample.count > 1 else None,
        "original_inside": _inside(claim.original_difference, prediction) if scope.absolutes else None,
        "prediction": prediction,
        "wins": estimates.wins(claim, sample),
        "differences": estimates.differences(claim, sample),
        "deviation": "other_pixels" if other_pixels else None,
    }


def statements(found: tuple[Verdict, ...]) -> tuple[StatementTally, ...]:
    """Return how the write-up's statements fared, all and those of each kind, with the outcomes of their tests.

    A statement that is tested in two ways counts in both kinds.
    """
    known = [verdict for verdict in found if verdict.claim.code in STATEMENTS]
    tallies = []
    for kind in get_args(StatementKind):
        codes: dict[str, list[Verdict]] = {}
        for verdict in known:
            if kind in ("every", _kind(verdict.claim)):
                codes.setdefault(verdict.claim.code, []).append(verdict)
        shares = [[each.outcome == "reproduced" for each in tests] for tests in codes.values()]
        whole, none = sum(map(all, shares)), sum(not any(each) for each in shares)
        counts = Counter(each.outcome for tests in codes.values() for each in tests)
        if shares:
            by_outcome = tuple((outcome, counts[outcome]) for outcome in get_args(Outcome))
            tallies.append(StatementTally(kind, whole, len(shares) - whole - none, none, by_outcome))
    return tuple(tallies)


def _kind(claim: Claim) -> StatementKind:
    if claim.relation == "exact":
        return "counts"
    if is_time(claim):
        return "times"
    if claim.quantity == "gap":
        return "gap"
    return "convergence" if claim.quantity.startswith("epoch") else "accuracy"


def _inside(original: float | None, prediction: Datum | None) -> bool | None:
    """Whether the original's number lies in the prediction interval; None where one of them is missing."""
    if original is None or prediction is None or prediction.low is None or prediction.high is None:
        return None
    return prediction.low - SAME <= original <= prediction.high + SAME
