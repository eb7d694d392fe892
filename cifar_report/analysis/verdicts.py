"""From the registry of claims and a bundle to a verdict for every claim."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import count
from typing import Any, Literal, cast, get_args

from scipy import stats

from cifar_report.analysis import claim_estimates as estimates
from cifar_report.analysis.decisions import Decision, Families, decide, decide_exact, p_values
from cifar_report.analysis.hypothesis_tests import SAME, HypothesisTest
from cifar_report.analysis.power import LEAST_POWER, power_at_last
from cifar_report.analysis.predictions import PredictionTable
from cifar_report.analysis.results import Outcome, Scope, StatementKind, StatementTally, Verdict
from cifar_report.analysis.results.trials import Datum, Formula
from cifar_report.analysis.results.verdicts import RULED_OUT, OtherVerdict, TakenLook
from cifar_report.analysis.samples import Sample, collect_sample, deciding_look, onset_decision, onset_hits, with_looks
from cifar_report.analysis.sensitivity import fragile, missing_seeds, sensitivities
from cifar_report.bundle import Bundle
from cifar_report.spec import STATEMENTS, Claim
from cifar_report.spec.experiments import SeedPlan

NEAR = ("equal", "ratio", "value")
LEAST_NEW_SEEDS = 5  # of both sides, from which a confirmation is the headline


def verdicts(bundle: Bundle, predictions: PredictionTable, scope: Scope) -> tuple[Verdict, ...]:
    """Return the verdict of every claim, in the order of the experiments."""
    if bundle.record.plan is None or not bundle.record.plan.confirms or bundle.phase == "first":
        return _verdicts(bundle, predictions, scope)
    # The new seeds of a confirmation are judged apart, and both verdicts are kept.
    first = _verdicts(replace(bundle, phase="first"), predictions, scope)
    return tuple(map(_confirmed, first, _verdicts(replace(bundle, phase="confirmation"), predictions, scope)))


def _verdicts(bundle: Bundle, predictions: PredictionTable, scope: Scope) -> tuple[Verdict, ...]:
    # Holm's correction needs the p-values of a whole family, so all claims are tested before the first is judged.
    samples = planned_samples(bundle, predictions)
    families = families_of(testable(bundle.claims, samples, scope), bundle.claims)
    return tuple(judge_claim(claim, samples[claim.id], families, scope, bundle, predictions) for claim in bundle.claims)


def testable(claims: Iterable[Claim], samples: Mapping[str, Sample | Decision], scope: Scope) -> dict[str, Sample]:
    """Return the samples of the claims that a hypothesis test or an onset's count can decide."""
    return {
        claim.id: sample
        for claim in claims
        if isinstance(sample := samples[claim.id], Sample)
        and claim.relation != "exact"
        and not_testable(claim, sample, scope) is None
    }


def planned_samples(bundle: Bundle, predictions: PredictionTable) -> dict[str, Sample | Decision]:
    """Return what each claim compares, by the bundle's plan where it has one."""
    return {claim.id: planned_sample(claim, bundle, predictions) for claim in bundle.claims}


def planned_sample(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | Decision:
    """Return what a claim compares, by the bundle's plan where it has one."""
    sample, plan = collect_sample(claim, bundle, predictions), bundle.record.plan
    over_seeds = isinstance(sample, Sample) and sample.n_of == "seeds" and claim.relation != "exact"
    if plan is None or bundle.phase == "first":
        return sample
    done = finished_seeds(bundle)
    if not plan.confirms:
        return with_looks(claim, cast("Sample", sample), plan, done) if over_seeds else sample
    # New seeds are no confirmation before all of them have run on both sides, nor where a claim has no seeds.
    ends = ((trial, plan.seeds[trial][-1]) for trial in claim.trials if trial in plan.seeds)
    whole = over_seeds and all(done[trial] >= end for trial, end in ends)
    return sample if whole else Decision("not_run", "missing")


def finished_seeds(bundle: Bundle) -> dict[str, int]:
    """Return the end of the seeds without a gap that each trial has run, failed ones among them."""
    found: dict[str, set[int | None]] = {trial: set() for trial in bundle.trials}
    for run in bundle.runs:
        found.setdefault(run.trial.id, set()).add(run.seed)
    return {trial: next(seed for seed in count() if seed not in seeds) for trial, seeds in found.items()}


def _confirmed(first: Verdict, new: Verdict) -> Verdict:
    """Return the headline with the other verdict beside it: the new seeds' from five of each side on."""
    if new.outcome in ("not_run", "not_testable") or new.n < 2:
        return first
    headline, other = first, new
    if min(new.n, new.n if new.n_comparator is None else new.n_comparator) >= LEAST_NEW_SEEDS:
        headline, other = new, first
    phase: Literal["first", "confirmation"] = "first" if other is first else "confirmation"

    def beside(datum: Datum | None) -> Datum | None:
        return datum and replace(datum, id=datum.id.replace(f"claim.{first.id}.", f"claim.{first.id}.{phase}."))

    estimate, p = cast("Datum", beside(other.estimate)), beside(other.p_corrected or other.p)
    kept = OtherVerdict(phase, other.outcome, other.n, estimate, p)
    return replace(headline, other=kept)


def judged(samples: Mapping[str, Sample], claims: tuple[Claim, ...]) -> dict[str, Decision]:
    """Return the decisions for samples of claims, in the families of ``claims``, which are all of the registry."""
    chosen = [claim for claim in claims if claim.id in samples]
    tests = {claim.id: samples[claim.id].test() for claim in chosen if claim.relation != "onset"}
    onsets = {claim.id: onset_decision(claim, samples[claim.id])[0] for claim in chosen if claim.id not in tests}
    return decided(tests, claims) | onsets


def decided(tests: Mapping[str, HypothesisTest], claims: tuple[Claim, ...]) -> dict[str, Decision]:
    """Return the decisions of claims by their tests: the method's core, which the calibration asks."""
    chosen = [claim for claim in claims if claim.id in tests]
    families = Families(claims, {claim.id: p_values(claim, tests[claim.id]) for claim in chosen})
    return {claim.id: decide(claim, tests[claim.id], families) for claim in chosen}


def families_of(samples: Mapping[str, Sample], claims: tuple[Claim, ...]) -> Families:
    """Return the families of all claims with the p-values of those that have a sample; onsets stand alone."""
    tested = [claim for claim in claims if claim.id in samples and claim.relation not in ("onset", "exact")]
    return Families(claims, {claim.id: p_values(claim, samples[claim.id].test()) for claim in tested})


def not_testable(claim: Claim, sample: Sample | Decision, scope: Scope) -> Decision | None:
    """Return why the claim cannot be decided: the bundle's kind first, then what is missing, then too few seeds."""
    counted = claim.relation == "exact" and claim.quantity != "unusual_runs"
    if not counted and scope.obstacle is not None:
        return Decision("not_testable", scope.obstacle)
    if isinstance(sample, Decision):
        return sample
    if claim.relation == "exact":
        return None
    if claim.relation == "value" and not scope.absolutes and not claim.timed:
        return Decision("not_testable", "other_pixels")
    if not sample.defined:
        return Decision("inconclusive", "not_a_number")
    if sample.n_of != "images" and sample.count < 2:
        return Decision("inconclusive", "one_seed" if sample.n_of == "seeds" else "one_block")
    return None


def judge_claim(
    claim: Claim,
    sample: Sample | Decision,
    families: Families,
    scope: Scope,
    bundle: Bundle,
    predictions: PredictionTable,
) -> Verdict:
    """Return the verdict of one claim: test, Holm's correction, decision, and the numbers that the report shows."""
    obstacle = not_testable(claim, sample, scope)
    tested: dict[str, Any] = {}
    shown: Sample | Decision = sample
    if obstacle is not None:
        decision = obstacle
    else:
        values = cast("Sample", sample)  # where there is none, there is an obstacle
        decision, shown, tested = _decide(claim, values, families)
        if values.looks:
            shares = [part.share for part in values.parts]
            tested["look"] = TakenLook(shares.index(shown.share) + 1, len(shares), shown.share)
        varied = sensitivities(claim, values, families, decision.outcome, bundle)
        tested |= {"sensitivity": varied, "fragile": fragile(varied), "missing": missing_seeds(claim, bundle)}
        if decision.outcome == "inconclusive":
            tested["undecidable_below"] = _undecidable_below(claim, values, families, bundle.record.plan)
        tested["networks"] = estimates.networks_of(claim, shown, bundle, predictions)
    return Verdict(
        claim=claim,
        **decision._asdict(),
        **tested,
        **estimates.known_before(claim),
        family_size=families.size(claim),
        **_described(claim, shown, decision, scope),
    )


def _decide(claim: Claim, sample: Sample, families: Families) -> tuple[Decision, Sample, dict[str, Any]]:
    """Return the decision, the values of the look that gave it, and the fields that its hypothesis test fills."""
    if claim.relation == "exact":
        relation = claim.exact_relation or "equal"
        return decide_exact(relation, *estimates.counts(claim, sample)), sample, {"test": "exact"}
    if claim.relation == "onset":
        decision, shown = onset_decision(claim, sample)
        hits = sum(onset_hits(claim, shown))
        p_value = float(stats.binomtest(hits, shown.count, alternative="greater").pvalue)
        p_datum = estimates.number(claim, shown, "p", min(1.0, p_value / shown.share), "probability", "p_value")
        return decision, shown, {"test": "binomial", "p": p_datum}
    test, decision = sample.test(), decide(claim, sample.test(), families)
    p, shown = p_values(claim, test), deciding_look(claim, sample, decision.reason)
    corrected = families.corrected(claim, p)
    alone = families.size(claim) is None

    def probability(name: str, value: float | None, formula: Formula) -> Datum | None:
        return None if value is None else estimates.number(claim, shown, name, value, "probability", formula)

    tested = {
        "test": shown.test().procedure,
        "p": probability("p", p.tested, "p_value"),
        "p_corrected": None if alone else probability("p_corrected", corrected.tested, "p_corrected"),
        "opposite_p": probability("opposite_p", corrected.opposite, "p_value" if alone else "p_corrected"),
        "bound": estimates.margin_bound(claim, shown, shown.test()),
    }
    if decision.outcome == "inconclusive":
        level = families.level(claim) * shown.share
        tested |= {
            "detectable": estimates.detectable(claim, shown, shown.test(), level),
            "seeds_needed": estimates.needed(claim, sample, level),
        }
    return decision, shown, tested


def _undecidable_below(claim: Claim, sample: Sample, families: Families, plan: SeedPlan | None) -> int | None:
    """Return the seeds of the last look where it would hardly decide an open claim; None else, or without looks."""
    if plan is None or not 0 < len(sample.looks) < len(plan.shares):
        return None
    if power_at_last(claim, sample, plan, families.level(claim)) >= LEAST_POWER:
        return None
    return min(plan.seeds[trial][-1] for trial in claim.trials if trial in plan.seeds)


def _described(claim: Claim, sample: Sample | Decision, decision: Decision, scope: Scope) -> dict[str, Any]:
    if isinstance(sample, Decision):
        return {"n_of": "blocks" if claim.timed else "seeds", "estimate": estimates.estimate(claim, decision)}
    means: dict[str, Any] = {"n": len(sample.subject) if sample.images is None else sample.count}
    means |= estimates.side_means(claim, sample)
    if claim.relation == "exact":
        return means | {"estimate": estimates.estimate(claim, sample)}
    prediction, original, inside = estimates.prediction(claim, sample), claim.original_difference, None
    if scope.absolutes and original is not None and prediction and prediction.low is not None:
        inside = prediction.low - SAME <= original <= (prediction.high or 0.0) + SAME
    other_pixels = scope.obstacle is None and not scope.absolutes and not claim.timed
    one_sided = decision.reason in RULED_OUT or (claim.relation in NEAR and decision.reason != "outside_margin")
    twice = (one_sided or sample.share < 1) and sample.count > 1
    return means | {
        "n_of": sample.n_of,
        "n_comparator": None if sample.paired else len(sample.comparator),
        "estimate": estimates.estimate(claim, sample, 1 - (0.1 if one_sided else 0.05) * sample.share),
        "wide": estimates.estimate(claim, sample, name="wide") if twice else None,
        "original_inside": inside,
        "prediction": prediction,
        "wins": estimates.wins(claim, sample),
        "differences": estimates.differences(claim, sample),
        "deviation": "other_pixels" if other_pixels else None,
    }


def statements(found: tuple[Verdict, ...]) -> tuple[StatementTally, ...]:
    """Return how the write-up's statements fared, all and those of each kind, with the outcomes of their tests."""
    tallies = []
    for kind in get_args(StatementKind):
        tests: dict[str, list[Outcome]] = {}
        for verdict in found:  # one that is tested in two ways counts in both kinds
            if verdict.claim.code in STATEMENTS and kind in ("every", _kind(verdict.claim)):
                tests.setdefault(verdict.claim.code, []).append(verdict.outcome)
        outcomes = Counter(outcome for each in tests.values() for outcome in each)
        whole = sum(set(each) == {"reproduced"} for each in tests.values())
        none = [each for each in tests.values() if "reproduced" not in each]
        refuted = sum("not_reproduced" in each for each in none)
        if tests:
            by_outcome = tuple((outcome, outcomes[outcome]) for outcome in get_args(Outcome))
            tallies.append(StatementTally(kind, whole, len(tests) - whole - len(none), len(none), refuted, by_outcome))
    return tuple(tallies)


def _kind(claim: Claim) -> StatementKind:
    if claim.relation == "exact":
        return "counts"
    if claim.timed:
        return "times"
    if claim.quantity == "gap":
        return "gap"
    return "convergence" if claim.quantity.startswith("epoch") else "accuracy"
