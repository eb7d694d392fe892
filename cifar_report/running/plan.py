"""Which runs a suite consists of, and in which order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from cifar_report.spec import AnyTrial, ClassicalTrial, Profile, Trial

# One training step of an image takes about this many operations beyond its multiply-accumulates; the estimate
# orders runs and feeds the progress bar, it is never shown as a result.
FIXED_COST_PER_IMAGE = 1.5e6
CLASSICAL_COST = 1.0e12


@dataclass(frozen=True)
class PlannedRun:
    """A trial as the profile trains it, under one seed (None: it has no randomness)."""

    trial: AnyTrial
    seed: int | None
    cost: float  # estimated, in arbitrary units

    @property
    def id(self) -> str:
        """Return the run's name, as in the bundle."""
        return f"{self.trial.id}/{'once' if self.seed is None else f'seed-{self.seed}'}"

    @property
    def mirrored(self) -> bool:
        """Whether it needs several devices in one process."""
        return isinstance(self.trial, Trial) and self.trial.strategy == "mirrored"


class Waiting(Protocol):
    """A run that nobody has taken yet."""

    @property
    def cost(self) -> float:
        """Return how long it takes, as estimated."""

    @property
    def mirrored(self) -> bool:
        """Return whether it needs the machine for itself."""


def next_run(waiting: Sequence[Waiting], remaining: Sequence[float]) -> int | None:
    """Return the place of the run that an idle worker takes, or None where it had better wait.

    ``remaining`` is what is left of the runs at work, in the units of their cost. Runs are taken in their order, but
    for a mirrored one that waits until all others have ended: meanwhile goes ahead what is estimated to end before
    the last of them, so that few cores stand idle and the mirrored one starts no later.
    """
    if not waiting:
        return None
    if not waiting[0].mirrored or not remaining:
        return 0
    fitting = (place for place, run in enumerate(waiting) if not run.mirrored and run.cost <= max(remaining))
    return next(fitting, None)


def plan_runs(trials: Iterable[AnyTrial], profile: Profile, seeds: int, training_images: int) -> list[PlannedRun]:
    """Return all runs seed by seed, so that after the first pass every trial has a result.

    Within a seed the longest come first. Mirrored runs need the machine for themselves: those of the first pass close
    it, those of the others close the suite, because cores stand idle whenever all workers have to end together.
    Classifiers without seeds belong to the first pass.
    """
    runs = [
        PlannedRun(trial := profile.apply(planned), seed if planned.seeded else None, cost(trial, training_images))
        for planned in trials
        for seed in range(seeds if planned.seeded else min(seeds, 1))
    ]
    return sorted(runs, key=_place)


def _place(run: PlannedRun) -> tuple[bool, int, bool, float, str]:
    seed = run.seed or 0
    return run.mirrored and seed > 0, seed, run.mirrored, -run.cost, run.id


def cost(trial: AnyTrial, training_images: int) -> float:
    """Estimate how long a run takes, in arbitrary units that are comparable between runs of one suite."""
    if isinstance(trial, ClassicalTrial):
        return CLASSICAL_COST * training_images / 40_000
    epochs = sum(stage.epochs for stage in trial.stages)
    return epochs * training_images * (trial.macs + FIXED_COST_PER_IMAGE)
