"""What more seeds would decide: open claims, the processor time of a run, and the seeds that decide the most."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product, zip_longest
from statistics import fmean, median

from cifar_report.analysis.decisions import Families, PValues, family_key
from cifar_report.analysis.estimates import scope_of
from cifar_report.analysis.power import COUNTS, POWER, power_of_more
from cifar_report.analysis.predictions import read_predictions
from cifar_report.analysis.results.verdicts import Lacking, Verdict
from cifar_report.analysis.samples import Sample, claim_sides
from cifar_report.analysis.values import LEVEL
from cifar_report.analysis.verdicts import LEAST_NEW_SEEDS, families_of, planned_sample, verdicts
from cifar_report.bundle import Bundle, RunTiming
from cifar_report.spec import Claim, Trial

STEPS = (0, LEAST_NEW_SEEDS, 10, 15, 20, 25, 30, 35, 40, 50, 60)  # new seeds of a trial
OPEN, DECIDED = ("inconclusive",), ("reproduced", "not_reproduced")
LEAST_GAIN = 0.02  # of expected decided claims, below which a step is not worth its name

Power = Callable[[str, tuple[int, ...]], float]
"""Of a claim by its id: the probability that so many new seeds of each side decide it."""


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
    """Return the processor seconds of one run of each trial with seeds.

    The median epoch counts, because a whole run's seconds hold the stalls of a machine. A trial that has not run is
    estimated from its multiply-accumulates by the others.
    """
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
    rates = [seconds / work[trial] for trial, seconds in known.items() if work[trial]]
    rate = median(rates) if rates else 0.0
    return {trial: known.get(trial, amount * rate) for trial, amount in work.items()}


def _stage_seconds(timings: Sequence[RunTiming], stage: str) -> float:
    """Return the median seconds of an epoch with its validation, times the mean number of epochs."""
    trained = [timing.epoch_seconds.get(stage, ()) for timing in timings]
    checked = [timing.validation_seconds.get(stage, ()) for timing in timings]
    epochs = [sum(pair) for runs in zip(trained, checked, strict=True) for pair in zip_longest(*runs, fillvalue=0.0)]
    return median(epochs) * fmean(map(len, trained)) if epochs else 0.0


def propose(bundle: Bundle, hours: float) -> Proposal:
    """Return which claims are open and which new seeds decide the most of them in ``hours`` of processor time.

    The new seeds are tested alone, as a confirmation, which may lose a claim that was decided before: what is counted
    are all claims that are decided in the end.
    """
    predictions, seconds = read_predictions(bundle), run_seconds(bundle)
    found = {each.id: each for each in verdicts(bundle, predictions, scope_of(bundle))}
    collected = {claim: planned_sample(claim, bundle, predictions) for claim in bundle.claims}
    samples = {claim.id: sample for claim, sample in collected.items() if isinstance(sample, Sample)}
    families = families_of(samples, bundle.claims)
    tested = [each for each in bundle.claims if found[each.id].n_of == "seeds" and found[each.id].n > 1]
    groups = [[each for each in tested if found[each.id].outcome in kind] for kind in (OPEN, DECIDED)]
    levels = {name: level for group in groups for name, level in _levels(group, families).items()}
    by_id = {claim.id: claim for group in groups for claim in group if claim.relation != "exact"}
    trials = {
        name: tuple(dict.fromkeys(side.trial for side, _ in claim_sides(claim) if side.trial in seconds))
        for name, claim in by_id.items()
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
    """Return the level of each open claim among new seeds: Holm's, if those with smaller p-values are found as well."""
    levels: dict[str, float] = {}
    before: Counter[tuple[str | None, str]] = Counter()
    alone = PValues(1.0, None)
    for claim in sorted(claims, key=lambda claim: families.found.get(claim.id, alone).tested):
        size = families.size(claim)
        levels[claim.id] = LEVEL / (1 if size is None else size - before[family_key(claim)])
        before[family_key(claim)] += size is not None
    return levels


def allocate(
    trials: Mapping[str, tuple[str, ...]], power: Power, seconds: Mapping[str, float], budget: float
) -> dict[str, int]:
    """Return the new seeds of each trial: the steps that add the most expected decided claims an hour, one by one.

    ``trials`` maps each open claim to its sides, which need not get equally many; ``power`` is a claim's probability
    of being decided by so many new seeds of each. A step gives the sides of one claim more seeds, and counts what it
    adds to every claim.
    """
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
                if gain >= LEAST_GAIN:
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
