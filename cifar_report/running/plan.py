"""Which runs a suite consists of, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

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


def plan_runs(trials: Iterable[AnyTrial], profile: Profile, seeds: int, training_images: int) -> list[PlannedRun]:
    """Return all runs seed by seed, so that after the first pass every trial has a result.

    Within a seed the longest come first, which keeps all cores busy to its end; mirrored runs, which need the
    machine for themselves, come last. Classifiers without seeds belong to the first pass.
    """
    runs: list[PlannedRun] = []
    for seed in range(seeds):
        block = [
            PlannedRun(trial := profile.apply(planned), seed if planned.seeded else None, cost(trial, training_images))
            for planned in trials
            if planned.seeded or seed == 0
        ]
        runs += sorted(block, key=lambda run: (run.mirrored, -run.cost, run.id))
    return runs


def cost(trial: AnyTrial, training_images: int) -> float:
    """Estimate how long a run takes, in arbitrary units that are comparable between runs of one suite."""
    if isinstance(trial, ClassicalTrial):
        return CLASSICAL_COST * training_images / 40_000
    epochs = sum(stage.epochs for stage in trial.stages)
    return epochs * training_images * (trial.macs + FIXED_COST_PER_IMAGE)
