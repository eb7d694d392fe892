"""Planned looks: which trials go on to the next one, from values by seed alone."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from cifar_report.analysis.decisions import Decision
from cifar_report.analysis.estimates import scope_of
from cifar_report.analysis.power import LEAST_POWER, power_at_last
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.samples import Sample, claim_sides, with_looks
from cifar_report.analysis.verdicts import families_of, finished_seeds, judged, not_testable, planned_sample
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim
from cifar_report.spec.experiments import SeedPlan


class NextLook(NamedTuple):
    """Which trials go on, to the end of which seeds, and what becomes of the claims that are still open."""

    ends: dict[str, int]
    going: tuple[str, ...]  # claims that are looked at again
    futile: tuple[str, ...]  # not decidable below the seeds of the last look
    over: tuple[str, ...]  # after their last look, or without the processor time for another one
    decided: int


def take_looks(
    samples: Mapping[str, Sample], claims: tuple[Claim, ...], plan: SeedPlan
) -> tuple[dict[str, Decision], dict[str, int]]:
    """Return the decisions at the end of a plan, and the seeds that each trial was trained for.

    ``samples`` hold the values of all seeds that the plan could ask for; what no look asks for is not looked at.
    """
    done = {trial: ends[0] for trial, ends in plan.seeds.items()}
    while True:
        seen = {each.id: with_looks(each, samples[each.id], plan, done) for each in claims if each.id in samples}
        following = next_look(seen, claims, plan, done)
        if not following.ends:
            return judged(seen, claims), done
        done |= following.ends


def look_ahead(bundle: Bundle, plan: SeedPlan, seconds: Mapping[str, float]) -> NextLook:
    """Return the next look of a bundle with planned looks; ``seconds`` is the processor time of one run by trial."""
    predictions, scope = read_predictions(bundle), scope_of(bundle)
    found = {claim: planned_sample(claim, bundle, predictions) for claim in bundle.claims if claim.relation != "exact"}
    samples = {
        claim.id: sample
        for claim, sample in found.items()
        if isinstance(sample, Sample) and not_testable(claim, sample, scope) is None
    }
    return next_look(samples, bundle.claims, plan, finished_seeds(bundle), seconds)


def next_look(
    samples: Mapping[str, Sample],
    claims: tuple[Claim, ...],
    plan: SeedPlan,
    done: Mapping[str, int],
    seconds: Mapping[str, float] | None = None,
) -> NextLook:
    """Return what the next look trains: the trials of each open claim whose power at the last look is enough.

    ``samples`` hold what the looks so far saw of every claim that can be tested; ``done`` maps trials to the end of
    their seeds. Where the plan has a cap, the claims with the most power an hour come first, and what does not fit
    is left.
    """
    decisions, families = judged(samples, claims), families_of(samples, claims)
    wanted: dict[str, dict[str, int]] = {}
    powers: dict[str, float] = {}
    over: list[str] = []
    for claim in claims:
        sample = samples.get(claim.id)
        if sample is None or sample.n_of != "seeds" or decisions[claim.id].outcome != "inconclusive":
            continue
        place, trials = len(sample.looks), [side.trial for side, _ in claim_sides(claim)]
        if place >= len(plan.shares):
            over.append(claim.id)
            continue
        wanted[claim.id] = {trial: plan.seeds[trial][place] for trial in trials if trial in plan.seeds}
        powers[claim.id] = power_at_last(claim, sample, plan, families.level(claim))
    going, asked = _affordable(wanted, powers, plan, done, seconds or {})
    futile = tuple(name for name, power in powers.items() if power < LEAST_POWER)
    over += [name for name in wanted if name not in going and name not in futile]
    decided = sum(each.outcome != "inconclusive" for each in decisions.values())
    return NextLook(asked, going, futile, tuple(over), decided)


def _affordable(
    wanted: Mapping[str, Mapping[str, int]],
    powers: Mapping[str, float],
    plan: SeedPlan,
    done: Mapping[str, int],
    seconds: Mapping[str, float],
) -> tuple[tuple[str, ...], dict[str, int]]:
    """Return the claims that go on, the most power an hour first, and the end of their trials' seeds."""
    ends = dict(done)
    left = math.inf
    if plan.hours is not None:
        left = plan.hours * 3600 - sum(count * seconds.get(trial, 0.0) for trial, count in done.items())

    def price(name: str) -> float:
        return sum(max(0, end - ends[trial]) * seconds.get(trial, 0.0) for trial, end in wanted[name].items())

    waiting, going = [name for name in wanted if powers[name] >= LEAST_POWER], []
    while waiting:
        best = max(waiting, key=lambda name: powers[name] / (price(name) + 1.0))
        waiting.remove(best)
        if price(best) <= left:
            left -= price(best)
            ends |= {trial: max(end, ends[trial]) for trial, end in wanted[best].items()}
            going.append(best)
    return tuple(name for name in wanted if name in going), {t: end for t, end in ends.items() if end > done[t]}
