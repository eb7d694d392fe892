"""Collects what a claim compares: values by seed, by timing block or by image, or why there are none."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from cifar_report.analysis.decisions import Decision, decide_onset, limits_of, margin_of, p_values, side_of
from cifar_report.analysis.estimates import by_block, finite, overfits_from, read
from cifar_report.analysis.hypothesis_tests import SAME, EpochTest, HypothesisTest, LooksTest, McNemar, TTest
from cifar_report.analysis.predictions import PredictionTable, same_images
from cifar_report.analysis.results.trials import SeedValue
from cifar_report.analysis.results.verdicts import RULED_OUT, Reason
from cifar_report.analysis.trials import LEAST_RUNS, are_unusual
from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.arrays import Array
from cifar_report.spec import Claim, Quantity, Side, Trial, pairs_by_seed
from cifar_report.spec.experiments import SeedPlan

Scale = Literal["difference", "relative", "log_ratio", "value"]


class Look(NamedTuple):
    """One planned look at a claim: the ends of both sides' seeds, and its share of the level."""

    subject: float
    comparator: float
    share: float


@dataclass(frozen=True)
class Sample:
    """A claim's values by seed, block or image; those of a run that stands for every seed carry its partner's."""

    scale: Scale
    n_of: Literal["seeds", "images", "blocks"]
    subject: tuple[SeedValue, ...]
    comparator: tuple[SeedValue, ...] = ()  # none of absolute claims
    _: KW_ONLY
    paired: bool = True  # whether each value has its partner or needs none
    images: McNemar | None = None  # of two classifiers without seeds, which are compared over images alone
    whole: bool = False  # whole epochs, which exact tests compare
    looks: tuple[Look, ...] = ()  # that were taken by plan; none where there is one look at everything
    share: float = 1.0  # of the level, where it is the part of one look

    @property
    def values(self) -> tuple[SeedValue, ...]:
        """Return the values of both sides."""
        return (*self.subject, *self.comparator)

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs behind the values, each once."""
        return tuple(dict.fromkeys(each.run for each in self.values if each.run))

    @property
    def count(self) -> int:
        """Return how many seeds, blocks or images there are; of two sides that nothing pairs the fewer."""
        if self.images is not None:
            return self.images.total
        return len(self.subject) if self.paired else min(len(self.subject), len(self.comparator))

    @property
    def defined(self) -> bool:
        """Whether every value is a number."""
        return all(each.value is not None for each in self.values)

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
        subject, comparator = (
            tuple(each for each in side if each.seed is None or each.seed < end)
            for side, end in zip((self.subject, self.comparator), ends, strict=True)
        )
        return replace(self, subject=subject, comparator=comparator, looks=(), share=look.share)

    def without(self, value: SeedValue) -> "Sample":
        """Return the sample without one of its values, and without the partner that it may have."""
        subject, comparator = (
            tuple(each for each in side if (each.seed != value.seed if self.paired else each is not value))
            for side in (self.subject, self.comparator)
        )
        return replace(self, subject=subject, comparator=comparator)


def onset_hits(claim: Claim, sample: Sample, factor: float = 1.0) -> list[bool]:
    """Return by seed whether it overfits from within one epoch (times ``factor``) of the stated one."""
    stated, slack = claim.value or 0.0, factor + SAME  # it may miss by an epoch
    return [
        each.value is not None and not each.censored and abs(each.value - stated) <= slack for each in sample.subject
    ]


def collect_sample(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | Decision:
    """Return the values that a claim compares, or why it has none."""
    if claim.timed:
        return _by_block(claim, bundle)
    for trial in claim.trials:
        if not planned_runs(bundle, trial):
            return Decision("not_run", "failed" if bundle.failed_of(trial) else "missing")
    if claim.comparator is not None and not any(bundle.trials[trial].seeded for trial in claim.trials):
        return _by_image(claim, bundle, predictions)
    return _by_seed(claim, bundle)


def planned_runs(bundle: Bundle, trial: str) -> dict[int | None, Run]:
    """Return a trial's finished runs by seed, without those that the bundle was not asked for."""
    asked = bundle.seeds(trial)
    return {run.seed: run for run in bundle.runs_of(trial) if run.seed is None or run.seed in asked}


def _by_seed(claim: Claim, bundle: Bundle) -> Sample | Decision:
    """Collect the seeds of both sides, in pairs where they pair; a run without a seed stands for every seed."""
    found = [planned_runs(bundle, trial) for trial in claim.trials]
    seeds = [list(runs) for runs in found]
    if claim.relation == "exact" or pairs_by_seed(claim, bundle.trials):
        seeded = next((runs for runs in found if None not in runs), found[0])
        common = [seed for seed in seeded if all(seed in runs or None in runs for runs in found)]
        seeds = [common] * len(found)
    if not all(seeds):
        return Decision("not_run", "no_common_seeds")
    values = []
    for runs, each, side in zip(found, seeds, claim.sides, strict=True):
        chosen = _values(claim, [runs.get(seed) or runs[None] for seed in each], *side)
        values.append(tuple(value._replace(seed=seed) for value, seed in zip(chosen, each, strict=True)))
    if claim.quantity == "unusual_runs" and min(map(len, values)) < LEAST_RUNS:
        return Decision("inconclusive", "too_few_runs")
    if claim.quantity == "dead_units" and any(value.value is None for side in values for value in side):
        return Decision("not_testable", "not_recorded")
    if claim.relation == "exact" and any(side[0].value is None for side in values):
        return Decision("inconclusive", "not_a_number")
    compared: Scale = "relative" if claim.quantity == "loss" else "difference"
    scale: Scale = "value" if len(found) == 1 else "log_ratio" if claim.relation == "ratio" else compared
    paired = len(found) < 2 or seeds[0] is seeds[1]
    whole = claim.quantity.startswith("epoch") and claim.relation != "onset"
    return Sample(scale, "seeds", *values, paired=paired, whole=whole)


def _values(claim: Claim, runs: Sequence[Run], side: Side, quantity: Quantity) -> list[SeedValue]:
    """Return the value of each run; of an onset the epoch from which it overfits, 0 where it never does."""
    if quantity == "unusual_runs":  # a number of the trial, the same for each of its runs
        unusual = sum(are_unusual([read(run, side, "accuracy").value or 0.0 for run in runs]))
        return [SeedValue(run.seed, run.id, unusual) for run in runs]
    return [_onset(run, side) if claim.relation == "onset" else read(run, side, quantity) for run in runs]


def _onset(run: Run, side: Side) -> SeedValue:
    stage = run.stage(side.stage)
    epoch, losses = overfits_from(stage), (*stage.history.loss, *stage.history.val_loss)
    if epoch is None and all(finite(loss) is not None for loss in losses):
        return SeedValue(run.seed, run.id, 0.0, censored=True)
    return SeedValue(run.seed, run.id, epoch)  # of one that diverged nobody can say when it would have overfitted


def _by_image(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | Decision:
    runs = [bundle.runs_of(trial)[0] for trial in claim.trials]
    first, second = (predictions.get((run.id, None)) for run in runs)
    if first is None or second is None or not same_images(first, second):
        return Decision("not_run", "no_predictions")
    values = [(read(run, side, claim.quantity),) for run, (side, _) in zip(runs, claim.sides, strict=True)]
    return Sample("difference", "images", *values, images=McNemar.of(first.correct, second.correct))


def _by_block(claim: Claim, bundle: Bundle) -> Sample | Decision:
    if _lacks_hardware(claim, bundle):
        return Decision("not_testable", "no_hardware")
    if bundle.timing_pass is None:
        return Decision("not_run", "no_timing_pass")
    sides = [(side.trial, quantity) for side, quantity in claim.sides]
    found = [by_block(bundle, *side) for side in sides]
    blocks = tuple(block for block in found[0] if all(block in values for values in found))
    if not blocks:
        timed = [by_block(bundle, *side, disturbed=True).keys() for side in sides]
        return Decision("not_run", "disturbed" if set.intersection(*map(set, timed)) else "not_timed")
    values = [tuple(SeedValue(block, "", side[block]) for block in blocks) for side in found]
    return Sample("value" if len(values) == 1 else "log_ratio", "blocks", *values)


def _lacks_hardware(claim: Claim, bundle: Bundle) -> bool:
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


def deciding_look(claim: Claim, sample: Sample, reason: Reason) -> Sample:
    """Return the values of the look that gave a verdict its p-value; all of them where there is one look."""
    side, margin = side_of(claim), margin_of(claim)

    def p(part: Sample) -> float:
        test = part.test()
        if reason in RULED_OUT:
            return test.p_value(side * margin, -side) / part.share
        if reason == "outside_margin":
            low, high = limits_of(claim)
            return min(test.p_value(high, 1), test.p_value(low, -1)) / part.share
        return (test.p_value(0.0, -side) if reason == "opposite" else p_values(claim, test).tested) / part.share

    return min(sample.parts, key=p) if sample.looks else sample


def with_looks(claim: Claim, sample: Sample, plan: SeedPlan, done: Mapping[str, int]) -> Sample:
    """Return the sample as the planned looks see it; ``done`` maps trials to the end of the seeds that have run."""
    looks: list[Look] = []
    for place, share in enumerate(plan.shares):
        ends = [plan.seeds[trial][place] if trial in plan.seeds else math.inf for trial in claim.trials]
        # The first look is taken with what is there; a later one when all of its seeds of both sides have run.
        if place and any(end > done.get(trial, end) for trial, end in zip(claim.trials, ends, strict=True)):
            break
        looks.append(Look(ends[0], ends[-1], share))
    return replace(sample.at(looks[-1]), looks=tuple(looks), share=1.0)
