"""Collects what a claim compares: values by seed, by timing block or by image, or why there are none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import compress
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from cifar_report.analysis.decisions import Decision, decide_onset
from cifar_report.analysis.hypothesis_tests import SAME, EpochTest, HypothesisTest, LooksTest, McNemar, TTest
from cifar_report.analysis.predictions import PredictionTable, same_images
from cifar_report.analysis.results.verdicts import Outcome, Reason
from cifar_report.analysis.trials import LEAST_RUNS, are_unusual
from cifar_report.analysis.values import Array, Value, by_block, finite, is_time, overfits_from, read
from cifar_report.bundle import Bundle, Run, StageResult
from cifar_report.spec import Claim, Quantity, Side, Trial, pairs_by_seed
from cifar_report.spec.experiments import SeedPlan

T = TypeVar("T")
Scale = Literal["difference", "relative", "log_ratio", "value"]
ONSET_SLACK = 1  # epochs by which an onset may miss the stated one


class NotTestable(NamedTuple):
    """Why a claim cannot be decided."""

    outcome: Outcome
    reason: Reason


class Look(NamedTuple):
    """One planned look at a claim: the ends of both sides' seeds, and its share of the level."""

    subject: float
    comparator: float
    share: float


@dataclass(frozen=True)
class Sample:
    """A claim's values by seed, block or image, with the ids of their runs."""

    scale: Scale
    n_of: Literal["seeds", "images", "blocks"]
    keys: tuple[int | None, ...]  # seeds or blocks; None: no seed
    subject: tuple[Value, ...]
    comparator: tuple[Value, ...] = ()  # none of absolute claims
    subject_runs: tuple[str, ...] = ()
    comparator_runs: tuple[str, ...] = ()
    images: McNemar | None = None  # of two classifiers without seeds, which are compared over images alone
    comparator_keys: tuple[int | None, ...] | None = None  # None: the same as ``keys``, in pairs
    whole: bool = False  # whole epochs, which exact tests compare
    looks: tuple[Look, ...] = ()  # that were taken by plan; none where there is one look at everything
    share: float = 1.0  # of the level, where it is the part of one look

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs behind the values, each once."""
        return tuple(dict.fromkeys((*self.subject_runs, *self.comparator_runs)))

    @property
    def paired(self) -> bool:
        """Whether each value has its partner or needs none."""
        return self.comparator_keys is None

    @property
    def others(self) -> tuple[int | None, ...]:
        """Return the comparator's seeds or blocks."""
        return self.keys if self.comparator_keys is None else self.comparator_keys

    @property
    def count(self) -> int:
        """Return how many seeds, blocks or images there are; of two sides that nothing pairs the fewer."""
        if self.images is not None:
            return self.images.total
        return min(len(self.keys), len(self.others))

    @property
    def defined(self) -> bool:
        """Whether every value is a number."""
        return all(value.value is not None for value in (*self.subject, *self.comparator))

    def sides(self) -> tuple[Array, Array | None]:
        """Return float [n] of one sample (differences by pair), or two, on the scale of the test."""
        subject, comparator = (
            np.array([each.value for each in side], float) for side in (self.subject, self.comparator)
        )  # NaN where a value is missing
        if not self.comparator:
            return subject, None
        with np.errstate(invalid="ignore", divide="ignore"):
            if not self.paired:
                unit = float(np.mean(comparator)) if self.scale == "relative" else 1.0
                return subject / unit, comparator / unit
            if self.scale == "log_ratio":
                return np.asarray(np.log(subject / comparator)), None
            return (subject - comparator) / (comparator if self.scale == "relative" else 1.0), None

    def test(self, trim: float = 0.0) -> HypothesisTest:
        """Return the hypothesis test that fits: McNemar, exact for whole epochs, else t; ``trim`` trims its means."""
        if self.looks:
            return LooksTest([part.test(trim) for part in self.parts], [part.share for part in self.parts])
        if self.images is not None:
            return self.images
        return EpochTest(*self.sides()) if self.whole else TTest(*self.sides(), trim=trim)

    @property
    def parts(self) -> tuple["Sample", ...]:
        """Return what each look tests: the first seeds of both sides; everything where there is one look."""
        return tuple(part for part in map(self.at, self.looks) if part.count > 1) or (self,)

    def at(self, look: Look) -> "Sample":
        """Return the part of the sample that one look tests."""
        ends = (min(look[:2]),) * 2 if self.paired else look[:2]
        first = [key is None or key < ends[0] for key in self.keys]
        second = [key is None or key < ends[1] for key in self.others]
        return replace(
            self,
            keys=tuple(compress(self.keys, first)),
            subject=tuple(compress(self.subject, first)),
            comparator=tuple(compress(self.comparator, second)),
            subject_runs=tuple(compress(self.subject_runs, first)),
            comparator_runs=tuple(compress(self.comparator_runs, second)),
            comparator_keys=None if self.comparator_keys is None else tuple(compress(self.others, second)),
            looks=(),
            share=look.share,
        )

    def without(self, place: int, *, comparator: bool = False) -> "Sample":
        """Return the sample without one value of one side, or without one pair."""

        def left(values: tuple[T, ...]) -> tuple[T, ...]:
            return values[:place] + values[place + 1 :]

        if self.comparator_keys is None:
            return replace(self, keys=left(self.keys), subject=left(self.subject), comparator=left(self.comparator))
        if comparator:
            return replace(self, comparator_keys=left(self.comparator_keys), comparator=left(self.comparator))
        return replace(self, keys=left(self.keys), subject=left(self.subject))


def onset_hits(claim: Claim, sample: Sample, factor: float = 1.0) -> list[bool]:
    """Return by seed whether it overfits from within one epoch (times ``factor``) of the stated one."""
    stated, slack = claim.value or 0.0, ONSET_SLACK * factor + SAME
    return [
        each.value is not None and not each.censored and abs(each.value - stated) <= slack for each in sample.subject
    ]


def collect_sample(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | NotTestable:
    """Return the values that a claim compares, or why it has none."""
    if is_time(claim):
        return _by_block(claim, bundle)
    sides = claim_sides(claim)
    for side, _ in sides:
        if not planned_runs(bundle, side.trial):
            return NotTestable("not_run", "failed" if bundle.failed_of(side.trial) else "missing")
    if len(sides) == 2 and not any(bundle.trials[side.trial].seeded for side, _ in sides):
        return _by_image(claim, bundle, predictions)
    return _by_seed(claim, bundle)


def claim_sides(claim: Claim) -> list[tuple[Side, Quantity]]:
    """Return the subject and, unless the claim is absolute, the comparator, each with its quantity."""
    sides = [(claim.subject, claim.quantity)]
    if claim.comparator is not None:
        sides.append((claim.comparator, claim.comparator_quantity or claim.quantity))
    return sides


def planned_runs(bundle: Bundle, trial: str) -> dict[int | None, Run]:
    """Return a trial's finished runs by seed, without those that the bundle was not asked for."""
    asked = bundle.seeds(trial)
    return {run.seed: run for run in bundle.runs_of(trial) if run.seed is None or run.seed in asked}


def _by_seed(claim: Claim, bundle: Bundle) -> Sample | NotTestable:
    """Collect the seeds of both sides, in pairs where they pair; a run without a seed stands for every seed."""
    found = [planned_runs(bundle, side.trial) for side, _ in claim_sides(claim)]
    seeds = [list(runs) for runs in found]
    if claim.relation == "exact" or pairs_by_seed(claim, bundle.trials):
        seeded = next((runs for runs in found if None not in runs), found[0])
        common = [seed for seed in seeded if all(seed in runs or None in runs for runs in found)]
        seeds = [common] * len(found)
    if not all(seeds):
        return NotTestable("not_run", "no_common_seeds")
    chosen = [[runs.get(seed) or runs[None] for seed in each] for runs, each in zip(found, seeds, strict=True)]
    values = [_values(claim, runs, *side) for runs, side in zip(chosen, claim_sides(claim), strict=True)]
    if claim.quantity == "unusual_runs" and min(map(len, chosen)) < LEAST_RUNS:
        return NotTestable("inconclusive", "too_few_runs")
    if claim.quantity == "dead_units" and any(value.value is None for side in values for value in side):
        return NotTestable("not_testable", "not_recorded")
    if claim.relation == "exact" and any(side[0].value is None for side in values):
        return NotTestable("inconclusive", "not_a_number")
    ids = [tuple(run.id for run in runs) for runs in chosen]
    compared: Scale = "relative" if claim.quantity == "loss" else "difference"
    scale: Scale = "value" if len(found) == 1 else "log_ratio" if claim.relation == "ratio" else compared
    apart = len(found) == 2 and seeds[0] is not seeds[1]
    return Sample(
        scale,
        "seeds",
        tuple(seeds[0]),
        *_two(values),
        *_two(ids),
        comparator_keys=tuple(seeds[1]) if apart else None,
        whole=claim.quantity.startswith("epoch") and claim.relation != "onset",
    )


def _two(sides: Sequence[tuple[T, ...]]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Return both sides, an empty comparator for absolute claims."""
    return sides[0], sides[1] if len(sides) > 1 else ()


def _values(claim: Claim, runs: Sequence[Run], side: Side, quantity: Quantity) -> tuple[Value, ...]:
    """Return the value of each run; of an onset the epoch from which it overfits, 0 where it never does."""
    if quantity == "unusual_runs":  # a number of the trial, the same for each of its runs
        accuracies = [read(run, side, "accuracy").value or 0.0 for run in runs]
        return (Value(sum(are_unusual(accuracies))),) * len(runs)
    if claim.relation != "onset":
        return tuple(read(run, side, quantity) for run in runs)
    return tuple(_onset(run.stage(side.stage)) for run in runs)


def _onset(stage: StageResult) -> Value:
    epoch = overfits_from(stage)
    losses = (*stage.history.loss, *stage.history.val_loss)
    if epoch is None and all(finite(loss) is not None for loss in losses):
        return Value(0.0, censored=True)
    return Value(epoch)  # of a run that diverged nobody can say when it would have overfitted


def _by_image(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | NotTestable:
    sides = claim_sides(claim)
    runs = [bundle.runs_of(side.trial)[0] for side, _ in sides]
    first, second = (predictions.get((run.id, None)) for run in runs)
    if first is None or second is None or not same_images(first, second):
        return NotTestable("not_run", "no_predictions")
    values = [(read(run, side, claim.quantity),) for run, (side, _) in zip(runs, sides, strict=True)]
    ids = [(run.id,) for run in runs]
    return Sample("difference", "images", (None,), *_two(values), *_two(ids), McNemar.of(first.correct, second.correct))


def _by_block(claim: Claim, bundle: Bundle) -> Sample | NotTestable:
    if _lacks_hardware(claim, bundle):
        return NotTestable("not_testable", "no_hardware")
    if bundle.timing_pass is None:
        return NotTestable("not_run", "no_timing_pass")
    sides = [(side.trial, quantity) for side, quantity in claim_sides(claim)]
    found = [by_block(bundle, *side) for side in sides]
    blocks = tuple(block for block in found[0] if all(block in values for values in found))
    if not blocks:
        timed = [by_block(bundle, *side, disturbed=True).keys() for side in sides]
        return NotTestable("not_run", "disturbed" if set.intersection(*map(set, timed)) else "not_timed")
    values = [tuple(Value(side[block]) for block in blocks) for side in found]
    return Sample("value" if len(values) == 1 else "log_ratio", "blocks", blocks, *_two(values))


def _lacks_hardware(claim: Claim, bundle: Bundle) -> bool:
    """Whether a claim about several devices meets a machine that has one processor core alone."""
    trial = bundle.trials.get(claim.subject.trial)
    if not isinstance(trial, Trial) or trial.strategy != "mirrored":
        return False
    measured = bundle.timing_pass.measurements if bundle.timing_pass else ()
    replicas = [each.replicas for each in measured if each.trial == claim.subject.trial]
    return max(replicas) < 2 if replicas else bundle.record.environment.cores < 2


def onset_decision(claim: Claim, sample: Sample, factor: float = 1.0) -> tuple[Decision, Sample]:
    """Return the decision of an onset with the look that gave it: the first one that decides, else the last one."""
    hits = [(sum(onset_hits(claim, part, factor)), part) for part in sample.parts]
    found = [(decide_onset(count, part.count, part.share), part) for count, part in hits]
    return next((each for each in found if each[0].outcome != "inconclusive"), found[-1])


def with_looks(claim: Claim, sample: Sample, plan: SeedPlan, done: Mapping[str, int]) -> Sample:
    """Return the sample as the planned looks see it; ``done`` maps trials to the end of the seeds that have run."""
    trials = [side.trial for side, _ in claim_sides(claim)]
    looks: list[Look] = []
    for place, share in enumerate(plan.shares):
        ends = [plan.seeds[trial][place] if trial in plan.seeds else math.inf for trial in trials]
        # The first look is taken with what is there; a later one when all of its seeds of both sides have run.
        if place and any(end > done.get(trial, end) for trial, end in zip(trials, ends, strict=True)):
            break
        looks.append(Look(ends[0], ends[-1], share))
    return replace(sample.at(looks[-1]), looks=tuple(looks), share=1.0)
