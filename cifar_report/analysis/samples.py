"""Collects what a claim compares: paired values by seed, by timing block or by image, or why there are none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeVar

import numpy as np

from cifar_report.analysis.hypothesis_tests import HypothesisTest, McNemar, PairedT, SignTest
from cifar_report.analysis.predictions import PredictionTable, same_images
from cifar_report.analysis.results import Outcome, Reason
from cifar_report.analysis.values import Array, Value, by_block, diverged, is_time, overfits_from, read
from cifar_report.bundle import Bundle, Run
from cifar_report.spec import Claim, Quantity, Side, Trial

T = TypeVar("T")
Scale = Literal["difference", "relative", "log_ratio", "value"]


class NotTestable(NamedTuple):
    """Why a claim cannot be decided."""

    outcome: Outcome
    reason: Reason


@dataclass(frozen=True)
class Sample:
    """A claim's values, paired: ``keys`` are seeds or blocks (None: no seed), the ids of their runs beside them.

    ``comparator`` is empty for absolute claims. ``images`` is set where two classifiers without seeds are
    compared over images alone.
    """

    scale: Scale
    n_of: Literal["seeds", "images", "blocks"]
    keys: tuple[int | None, ...]
    subject: tuple[Value, ...]
    comparator: tuple[Value, ...] = ()
    subject_runs: tuple[str, ...] = ()
    comparator_runs: tuple[str, ...] = ()
    images: McNemar | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs behind the values, each once."""
        return tuple(dict.fromkeys((*self.subject_runs, *self.comparator_runs)))

    @property
    def count(self) -> int:
        """Return how many seeds, blocks or images there are."""
        return self.images.total if self.images is not None else len(self.keys)

    @property
    def censored(self) -> bool:
        """Whether some run never reached the level."""
        return any(value.censored for value in (*self.subject, *self.comparator))

    @property
    def defined(self) -> bool:
        """Whether every value is a number or is known to lie beyond the last epoch."""
        return all(value.value is not None or value.censored for value in (*self.subject, *self.comparator))

    def differences(self) -> Array:
        """Return float [n] on the scale of the test; infinite where one side, NaN where both never got there."""
        subject = floats(self.subject)
        if not self.comparator:
            return subject
        comparator = floats(self.comparator)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.scale == "log_ratio":
                return np.asarray(np.log(subject / comparator))
            difference = subject - comparator
            return np.asarray(difference / comparator if self.scale == "relative" else difference)

    def test(self) -> HypothesisTest:
        """Return the hypothesis test that fits: McNemar over images, signs where runs are censored, else paired t."""
        if self.images is not None:
            return self.images
        return SignTest(self.differences()) if self.censored else PairedT(self.differences())


def floats(values: tuple[Value, ...]) -> Array:
    """Return float [n]; infinite where a value is censored, NaN where it is missing."""
    return np.array([np.inf if each.censored else np.nan if each.value is None else each.value for each in values])


def collect_sample(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | NotTestable:
    """Return the values that a claim compares, or why it has none."""
    if is_time(claim):
        return _by_block(claim, bundle)
    sides = _sides(claim)
    for side, _ in sides:
        if not bundle.runs_of(side.trial):
            return NotTestable("not_run", "failed" if bundle.failed_of(side.trial) else "missing")
    if len(sides) == 2 and not any(bundle.trials[side.trial].seeded for side, _ in sides):
        return _by_image(claim, bundle, predictions)
    return _by_seed(claim, bundle)


def _sides(claim: Claim) -> list[tuple[Side, Quantity]]:
    """Return the subject and, unless the claim is absolute, the comparator, each with its quantity."""
    sides = [(claim.subject, claim.quantity)]
    if claim.comparator is not None:
        sides.append((claim.comparator, claim.comparator_quantity or claim.quantity))
    return sides


def _by_seed(claim: Claim, bundle: Bundle) -> Sample | NotTestable:
    """Pair the seeds that all sides have; a run without a seed stands for every seed."""
    found = [{run.seed: run for run in bundle.runs_of(side.trial)} for side, _ in _sides(claim)]
    seeded = next((runs for runs in found if None not in runs), found[0])
    seeds = [seed for seed in seeded if all(seed in runs or None in runs for runs in found)]
    if not seeds:
        return NotTestable("not_run", "no_common_seeds")
    paired = [[runs[seed] if seed in runs else runs[None] for seed in seeds] for runs in found]
    values = [
        tuple(_value(run, side, quantity, claim) for run in runs)
        for runs, (side, quantity) in zip(paired, _sides(claim), strict=True)
    ]
    if claim.relation == "exact" and any(side[0].value is None for side in values):
        return NotTestable("inconclusive", "not_a_number")
    ids = [tuple(run.id for run in runs) for runs in paired]
    compared: Scale = "relative" if claim.quantity == "loss" else "difference"
    scale: Scale = "value" if len(paired) == 1 else "log_ratio" if claim.relation == "ratio" else compared
    return Sample(scale, "seeds", tuple(seeds), *_two(values), *_two(ids))


def _two(sides: Sequence[tuple[T, ...]]) -> tuple[tuple[T, ...], tuple[T, ...]]:
    """Return both sides, an empty comparator for absolute claims."""
    return sides[0], sides[1] if len(sides) > 1 else ()


def _value(run: Run, side: Side, quantity: Quantity, claim: Claim) -> Value:
    """Return the run's value; for an onset the epoch from which it overfits, "censored" where it never does.

    Of a run that diverged nobody can say when it would have overfitted.
    """
    if claim.relation != "onset":
        return read(run, side, quantity)
    epoch = overfits_from(run.stage(side.stage))
    return Value(epoch, censored=epoch is None and not diverged(run.stage(side.stage)))


def _by_image(claim: Claim, bundle: Bundle, predictions: PredictionTable) -> Sample | NotTestable:
    sides = _sides(claim)
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
    sides = [(side.trial, quantity) for side, quantity in _sides(claim)]
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
