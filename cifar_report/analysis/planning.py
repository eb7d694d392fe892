"""What more seeds would decide: the trials of the next planned look, and new seeds by the hours that they take."""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product, zip_longest
from statistics import fmean, median
from typing import NamedTuple

from cifar_report.analysis import verdicts as judging
from cifar_report.analysis.decisions import Decision, Families, PValues, family_key
from cifar_report.analysis.estimates import scope_of
from cifar_report.analysis.power import COUNTS, LEAST_POWER, POWER, power_at_last, power_of_more
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.results.verdicts import LEVEL, Lacking, Verdict
from cifar_report.analysis.samples import Sample, with_looks
from cifar_report.analysis.verdicts import LEAST_NEW_SEEDS, families_of, finished_seeds, judged, testable
from cifar_report.bundle import Bundle, RunTiming
from cifar_report.spec import Claim, Trial
from cifar_report.spec.experiments import SeedPlan

STEPS = (0, LEAST_NEW_SEEDS, 10, 15, 20, 25, 30, 35, 40, 50, 60)  # new seeds of a trial
OPEN, DECIDED = ("inconclusive",), ("reproduced", "not_reproduced")

Power = Callable[[str, tuple[int, ...]], float]
"""Of a claim by its id: the probability that so many new seeds of each side decide it."""


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
    """Return the decisions at the end of a plan of ``samples`` of all its seeds, and the seeds that were looked at."""
    done = {trial: ends[0] for trial, ends in plan.seeds.items()}
    while True:
        seen = {each.id: with_looks(each, samples[each.id], plan, done) for each in claims if each.id in samples}
        following = next_look(seen, claims, plan, done)
        if not following.ends:
            return judged(seen, claims), done
        done |= following.ends


def look_ahead(bundle: Bundle, plan: SeedPlan, seconds: Mapping[str, float]) -> NextLook:
    """Return the next look of a bundle with planned looks; ``seconds`` is the processor time of one run by trial."""
    found = judging.planned_samples(bundle, read_predictions(bundle))
    samples = testable(bundle.claims, found, scope_of(bundle))
    return next_look(samples, bundle.claims, plan, finished_seeds(bundle), seconds)


def next_look(
    samples: Mapping[str, Sample],
    claims: tuple[Claim, ...],
    plan: SeedPlan,
    done: Mapping[str, int],
    seconds: Mapping[str, float] | None = None,
) -> NextLook:
    """Return what the next look trains: the trials of open claims with enough power at the last one."""
    # ``samples`` hold what the looks so far saw; ``done`` maps trials to the end of their seeds.
    decisions, families = judged(samples, claims), families_of(samples, claims)
    wanted: dict[str, dict[str, int]] = {}
    powers: dict[str, float] = {}
    over: list[str] = []
    for claim in claims:
        sample = samples.get(claim.id)
        if sample is None or sample.n_of != "seeds" or decisions[claim.id].outcome != "inconclusive":
            continue
        place = len(sample.looks)
        if place >= len(plan.shares):
            over.append(claim.id)
            continue
        wanted[claim.id] = {trial: plan.seeds[trial][place] for trial in claim.trials if trial in plan.seeds}
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
    """Return the claims that go on and the end of their trials' seeds; under a cap the most power an hour first."""
    ends, spent = dict(done), sum(count * seconds.get(trial, 0.0) for trial, count in done.items())
    left = math.inf if plan.hours is None else plan.hours * 3600 - spent

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


@dataclass(frozen=True)
class OpenClaim:
    """A claim that the data cannot decide, and what would: ``seeds`` and ``hours`` have two ends, None is open."""

    id: str
    trials: tuple[str, ...]  # that have seeds, the subject's first
    lacking: Lacking | None
    seeds: tuple[float | None, float | None]  # new ones of each side, for 80 % power
    hours: tuple[float | None, float | None]  # of processor time for them
    chance: float  # of being decided by the seeds that are proposed


@dataclass(frozen=True)
class Proposal:
    """The new seeds of each trial that decide the most open claims in so many hours of processor time."""

    budget: float
    hours: float  # that the new seeds take
    claims: tuple[OpenClaim, ...]
    seeds: dict[str, int]
    seconds: dict[str, float]  # of one run of each trial
    expected: float  # open claims that are decided, on average
    decided: int  # claims that are decided already
    kept: float  # of them that stay so where new seeds test them again, on average


def run_seconds(bundle: Bundle) -> dict[str, float]:
    """Return the processor seconds of one run of each trial with seeds, by median epochs, which no stall moves."""
    known: dict[str, float] = {}
    work: dict[str, float] = {}
    for planned in bundle.trials.values():
        trial = bundle.record.profile.apply(planned)
        if not isinstance(trial, Trial):
            continue
        macs = trial.macs or max((run.macs or 0 for run in bundle.runs_of(trial.id)), default=0)
        work[trial.id] = float(macs * sum(stage.epochs for stage in trial.stages))
        timings = [timing for run in bundle.runs_of(trial.id) if (timing := bundle.timing(run)) is not None]
        total = sum(_stage_seconds(timings, stage.id) for stage in trial.stages)
        if total:
            known[trial.id] = total * max(1, *(len(timing.cores) for timing in timings))
    # A trial that has not run is estimated from its multiply-accumulates by the others.
    rates = [seconds / work[trial] for trial, seconds in known.items() if work[trial]]
    rate = median(rates) if rates else 0.0
    return {trial: known.get(trial, amount * rate) for trial, amount in work.items()}


def _stage_seconds(timings: Sequence[RunTiming], stage: str) -> float:
    trained = [timing.epoch_seconds.get(stage, ()) for timing in timings]
    checked = [timing.validation_seconds.get(stage, ()) for timing in timings]
    epochs = [sum(pair) for runs in zip(trained, checked, strict=True) for pair in zip_longest(*runs, fillvalue=0.0)]
    return median(epochs) * fmean(map(len, trained)) if epochs else 0.0


def propose(bundle: Bundle, hours: float) -> Proposal:
    """Return which claims are open and which new seeds decide the most of them in ``hours`` of processor time."""
    # The new seeds are tested alone, as a confirmation, which may lose a claim that was decided before: what is counted
    # are all claims that are decided in the end.
    predictions, seconds = read_predictions(bundle), run_seconds(bundle)
    found = {each.id: each for each in judging.verdicts(bundle, predictions, scope_of(bundle))}
    collected = judging.planned_samples(bundle, predictions)
    samples = {name: sample for name, sample in collected.items() if isinstance(sample, Sample)}
    families = families_of(samples, bundle.claims)
    tested = [each for each in bundle.claims if found[each.id].n_of == "seeds" and found[each.id].n > 1]
    groups = [[each for each in tested if found[each.id].outcome in kind] for kind in (OPEN, DECIDED)]
    levels = {name: level for group in groups for name, level in _levels(group, families).items()}
    by_id = {claim.id: claim for group in groups for claim in group if claim.relation != "exact"}
    trials = {
        name: tuple(dict.fromkeys(trial for trial in claim.trials if trial in seconds)) for name, claim in by_id.items()
    }

    @cache
    def power(name: str, new: tuple[int, ...]) -> float:
        if min(new) < LEAST_NEW_SEEDS:
            return float(found[name].outcome in DECIDED)
        ends = (min(new),) * 2 if samples[name].paired else new
        return power_of_more(by_id[name], samples[name], ends, levels[name], kept=False)

    seeds = allocate(trials, power, seconds, hours * 3600)
    chances = {name: power(name, tuple(seeds[trial] for trial in sides)) for name, sides in trials.items()}
    still_open = [name for name in chances if found[name].outcome in OPEN]
    return Proposal(
        budget=hours,
        hours=sum(count * seconds[trial] for trial, count in seeds.items()) / 3600,
        claims=tuple(_open_claim(found[name], trials[name], power, seconds, chances[name]) for name in still_open),
        seeds={trial: seeds[trial] for trial in seconds if seeds.get(trial)},
        seconds=seconds,
        expected=sum(chances[name] for name in still_open),
        decided=len(chances) - len(still_open),
        kept=sum(chance for name, chance in chances.items() if name not in still_open),
    )


def _levels(claims: Sequence[Claim], families: Families) -> dict[str, float]:
    """Return each claim's level among new seeds: Holm's, if those with smaller p-values are found as well."""
    levels: dict[str, float] = {}
    before: Counter[tuple[str, str] | None] = Counter()
    alone = PValues(1.0, None)
    for claim in sorted(claims, key=lambda claim: families.found.get(claim.id, alone).tested):
        size = families.size(claim)
        levels[claim.id] = LEVEL / (1 if size is None else size - before[family_key(claim)])
        before[family_key(claim)] += size is not None
    return levels


def allocate(
    trials: Mapping[str, tuple[str, ...]], power: Power, seconds: Mapping[str, float], budget: float
) -> dict[str, int]:
    """Return the new seeds of each trial: the steps that add the most expected decided claims an hour, one by one."""
    # ``trials`` maps each open claim to its sides, which need not get equally many. A step gives the sides of one claim
    # more seeds, and counts what it adds to every claim.
    seeds = {trial: 0 for sides in trials.values() for trial in sides}
    touching = {trial: [name for name, sides in trials.items() if trial in sides] for trial in seeds}

    def steps() -> Iterator[tuple[float, float, dict[str, int]]]:
        for sides in set(trials.values()):
            for counts in product(*([step for step in STEPS if step >= seeds[trial]] for trial in sides)):
                new = {trial: count for trial, count in zip(sides, counts, strict=True) if count > seeds[trial]}
                price = sum((count - seeds[trial]) * seconds[trial] for trial, count in new.items())
                if not new or price > budget:
                    continue
                after, gain = seeds | new, 0.0
                for name in {name for trial in new for name in touching[trial]}:
                    before_and_after = (tuple(each[trial] for trial in trials[name]) for each in (seeds, after))
                    before, then = (power(name, counts) for counts in before_and_after)
                    gain += then - before
                if gain >= 0.02:  # expected decided claims; less is not worth a step's name
                    yield gain / max(price, 1.0), price, new

    while best := max(steps(), key=lambda step: step[0], default=None):
        budget -= best[1]
        seeds |= best[2]
    return seeds


def _open_claim(
    verdict: Verdict, trials: tuple[str, ...], power: Power, seconds: Mapping[str, float], chance: float
) -> OpenClaim:
    needed = verdict.seeds_needed
    if needed is None:  # of an onset, whose power is exact
        least = most = next((count for count in COUNTS if power(verdict.id, (count,)) >= POWER), None)
    else:
        least, most = needed.value, needed.high
    price = sum(seconds[trial] for trial in trials) / 3600
    hours = [None if count is None else count * price for count in (least, most)]
    return OpenClaim(verdict.id, trials, verdict.lacking, (least, most), (hours[0], hours[1]), chance)
