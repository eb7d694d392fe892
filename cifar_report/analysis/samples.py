"""Gathers what a claim compares: paired values by seed, by timing block or by image, or why there are none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import numpy as np

from cifar_report.analysis.alternatives import Unpaired
from cifar_report.analysis.answers import AnswerTable, same_images
from cifar_report.analysis.evidence import Evidence, Images, Paired, Signs
from cifar_report.analysis.results import Outcome, Reason
from cifar_report.analysis.timing import by_block, timed_quantity
from cifar_report.analysis.values import Value, diverged, overfits_from, read
from cifar_report.bundle import Bundle, Run
from cifar_report.spec import Claim, Quantity, Side, Trial

Array = np.ndarray[Any, Any]
Scale = Literal["difference", "relative", "log_ratio", "value"]


class Blocked(NamedTuple):
    """Why nothing can be compared."""

    outcome: Outcome
    reason: Reason
    n: int = 0


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
    comparator: tuple[Value, ...]
    subject_runs: tuple[str, ...]
    comparator_runs: tuple[str, ...] = ()
    images: Images | None = None

    @property
    def runs(self) -> tuple[str, ...]:
        """Return the ids of all runs behind the values, each once."""
        return tuple(dict.fromkeys((*self.subject_runs, *self.comparator_runs)))

    @property
    def count(self) -> int:
        """Return how many seeds, blocks or images there are."""
        return self.images.count if self.images is not None else len(self.keys)

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
        subject = _floats(self.subject)
        if not self.comparator:
            return subject
        comparator = _floats(self.comparator)
        with np.errstate(invalid="ignore", divide="ignore"):
            if self.scale == "log_ratio":
                return np.asarray(np.log(subject / comparator))
            difference = subject - comparator
            return np.asarray(difference / comparator if self.scale == "relative" else difference)

    def evidence(self) -> Evidence:
        """Return what the tests work on."""
        if self.images is not None:
            return self.images
        return Signs(self.differences()) if self.censored else Paired(self.differences())

    def without(self, place: int) -> Sample:
        """Return the same without one seed."""
        kept = [other for other in range(len(self.keys)) if other != place]
        return replace(
            self,
            keys=tuple(self.keys[other] for other in kept),
            subject=tuple(self.subject[other] for other in kept),
            subject_runs=tuple(self.subject_runs[other] for other in kept if self.subject_runs),
            comparator_runs=tuple(self.comparator_runs[other] for other in kept if self.comparator_runs),
            comparator=tuple(self.comparator[other] for other in kept) if self.comparator else (),
        )

    def unpaired(self) -> Unpaired | None:
        """Return the same for Welch's test; None where there are no two groups of numbers."""
        if self.images is not None or not self.comparator or self.censored:
            return None
        subject, comparator = _floats(self.subject), _floats(self.comparator)
        if self.scale == "log_ratio":
            subject, comparator = np.log(subject), np.log(comparator)
        elif self.scale == "relative":
            subject, comparator = subject / comparator.mean(), comparator / comparator.mean()
        return Unpaired(self.differences(), subject, comparator)


def gather(claim: Claim, bundle: Bundle, answers: AnswerTable) -> Sample | Blocked:
    """Return the values that a claim compares, or why it has none."""
    if timed_quantity(claim.quantity):
        return _gather_blocks(claim, bundle)
    sides = [side for side in (claim.subject, claim.comparator) if side is not None]
    for side in sides:
        if not bundle.runs_of(side.trial):
            return Blocked("not_run", "failed" if bundle.failed_of(side.trial) else "missing")
    if len(sides) == 2 and not any(bundle.trials[side.trial].seeded for side in sides):
        return _gather_images(claim, bundle, answers)
    return _gather_seeds(claim, bundle)


def _gather_seeds(claim: Claim, bundle: Bundle) -> Sample | Blocked:
    subject = _by_seed(bundle, claim.subject)
    comparator = None if claim.comparator is None else _by_seed(bundle, claim.comparator)
    seeds = [seed for seed in subject if comparator is None or seed in comparator or None in comparator]
    if comparator is not None and None in subject:
        seeds = list(comparator)
    if not seeds:
        return Blocked("not_run", "no_common_seeds")
    first = [_pick(subject, seed) for seed in seeds]
    second = [] if comparator is None else [_pick(comparator, seed) for seed in seeds]
    return Sample(
        scale=_scale(claim),
        n_of="seeds",
        keys=tuple(seeds),
        subject=tuple(_read(run, claim.subject, claim.quantity, claim) for run in first),
        comparator=tuple(
            _read(run, claim.comparator or claim.subject, claim.comparator_quantity or claim.quantity, claim)
            for run in second
        ),
        subject_runs=tuple(run.id for run in first),
        comparator_runs=tuple(run.id for run in second),
    )


def _read(run: Run, side: Side, quantity: Quantity, claim: Claim) -> Value:
    """Return the run's value; for an onset the epoch from which it overfits, "censored" where it never does.

    Of a run that diverged nobody can say when it would have overfitted.
    """
    if claim.relation != "onset":
        return read(run, side, quantity)
    epoch = overfits_from(run.stage(side.stage))
    return Value(epoch, censored=epoch is None and not diverged(run.stage(side.stage)))


def _scale(claim: Claim) -> Scale:
    if claim.comparator is None:
        return "value"
    if claim.relation == "ratio":
        return "log_ratio"
    return "relative" if claim.quantity == "loss" else "difference"


def _by_seed(bundle: Bundle, side: Side) -> dict[int | None, Run]:
    return {run.seed: run for run in bundle.runs_of(side.trial)}


def _pick(runs: Mapping[int | None, Run], seed: int | None) -> Run:
    return runs[seed] if seed in runs else runs[None]


def _gather_images(claim: Claim, bundle: Bundle, answers: AnswerTable) -> Sample | Blocked:
    sides = (claim.subject, claim.comparator or claim.subject)
    runs = [bundle.runs_of(side.trial)[0] for side in sides]
    first, second = (answers.get((run.id, None)) for run in runs)
    if first is None or second is None or not same_images(first, second):
        return Blocked("not_run", "no_predictions")
    one, other = first.right, second.right
    images = Images(int(np.sum(one & ~other)), int(np.sum(other & ~one)), len(one))
    values = [(read(run, side, claim.quantity),) for run, side in zip(runs, sides, strict=True)]
    ids = [(run.id,) for run in runs]
    return Sample("difference", "images", (None,), values[0], values[1], ids[0], ids[1], images)


def _gather_blocks(claim: Claim, bundle: Bundle) -> Sample | Blocked:
    if _lacks_hardware(claim, bundle):
        return Blocked("not_testable", "no_hardware")
    if bundle.timing_pass is None:
        return Blocked("not_run", "no_timing_pass")
    subject = by_block(bundle, claim.subject.trial, claim.quantity)
    comparator: dict[int, float] | None = None
    if claim.comparator is not None:
        comparator = by_block(bundle, claim.comparator.trial, claim.comparator_quantity or claim.quantity)
    blocks = [block for block in subject if comparator is None or block in comparator]
    if not blocks:
        return Blocked("not_run", "disturbed" if _timed(claim, bundle) else "not_timed")
    return Sample(
        scale="value" if comparator is None else "log_ratio",
        n_of="blocks",
        keys=tuple(blocks),
        subject=_values(subject, blocks),
        comparator=() if comparator is None else _values(comparator, blocks),
        subject_runs=(),
    )


def _timed(claim: Claim, bundle: Bundle) -> bool:
    """Whether the timing pass holds both sides in some block, disturbed or not."""
    sides = [(claim.subject, claim.quantity)]
    if claim.comparator is not None:
        sides.append((claim.comparator, claim.comparator_quantity or claim.quantity))
    blocks = [set(by_block(bundle, side.trial, quantity, disturbed=True)) for side, quantity in sides]
    return bool(set.intersection(*blocks))


def _lacks_hardware(claim: Claim, bundle: Bundle) -> bool:
    """Whether a claim about several devices meets a machine that has one processor core alone."""
    trial = bundle.trials.get(claim.subject.trial)
    parallel = isinstance(trial, Trial) and trial.strategy == "mirrored"
    replicas = [
        each.replicas
        for each in (bundle.timing_pass.measurements if bundle.timing_pass else ())
        if each.trial == claim.subject.trial
    ]
    return parallel and (max(replicas) < 2 if replicas else bundle.record.environment.cores < 2)


def _values(found: Mapping[int, float], blocks: Sequence[int]) -> tuple[Value, ...]:
    return tuple(Value(found[block]) for block in blocks)


def _floats(values: Sequence[Value]) -> Array:
    return np.array([np.inf if each.censored else np.nan if each.value is None else each.value for each in values])
