"""What the full suite consists of, and which few parts of it are timed for all the others."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from cifar_report.benchmark.protocol import Slice
from cifar_report.running.plan import FIXED_COST_PER_IMAGE, plan_runs
from cifar_report.running.request import TEST_IMAGES, TRAIN_IMAGES, VALIDATION_IMAGES
from cifar_report.spec import PROFILES, AnyTrial, Stage, Trial

TIMED = (  # trial, stage: one or two of each size, batch size and way of training
    ("baseline", "training"),
    ("filters_32", "training"),
    ("kernel_7x7", "training"),
    ("batch_16", "training"),
    ("batch_128", "training"),
    ("second_conv_32", "training"),
    ("second_conv_64", "training"),
    ("third_conv_64", "training"),
    ("third_conv_128", "training"),
    ("model_2", "first"),
    ("model_2", "augmented"),
    ("baseline_parallel", "training"),
    ("model_2_parallel", "first"),
)
PEERS = (("baseline", "training"), ("model_2", "first"))  # what the other libraries train as well
SLICE_WORK = 3.0e10  # multiply-accumulates of a slice's forward passes, and what its images cost beside them
LEAST_STEPS, MOST_STEPS = 70, 400
EVALUATIONS = 2 * (TRAIN_IMAGES + VALIDATION_IMAGES + TEST_IMAGES)  # images a stage: last weights and best ones


@dataclass(frozen=True)
class Work:
    """One stage of one trial as the full suite trains it."""

    trial: Trial
    stage: Stage

    @property
    def name(self) -> str:
        """Return the trial, and the stage where there is more than one."""
        return self.trial.id if len(self.trial.stages) == 1 else f"{self.trial.id}/{self.stage.id}"

    @property
    def mirrored(self) -> bool:
        """Whether it takes the whole machine."""
        return self.trial.strategy == "mirrored"

    @property
    def trained(self) -> int:
        """Return how many images a run trains on, at most."""
        return self.stage.epochs * TRAIN_IMAGES

    @property
    def steps(self) -> int:
        """Return how many steps a run takes, at most."""
        return self.stage.epochs * math.ceil(TRAIN_IMAGES / self.trial.batch_size)

    @property
    def validated(self) -> int:
        """Return how many images a run validates on, at most."""
        return self.stage.epochs * VALIDATION_IMAGES

    @property
    def evaluated(self) -> int:
        """Return how many images are evaluated after the last epoch."""
        return EVALUATIONS


@dataclass
class Group:
    """A part that is timed, and all parts of the suite that are taken to cost the same for each image."""

    work: Work
    stands_for: list[Work] = field(default_factory=list)
    runs: int = 0  # of those, over all seeds

    def slice(self, steps: int | None = None) -> Slice:
        """Return what is timed of it."""
        trial, stage = self.work.trial, self.work.stage
        if steps is None:
            images = SLICE_WORK / (trial.macs + FIXED_COST_PER_IMAGE)
            steps = min(max(round(images / trial.batch_size), LEAST_STEPS), MOST_STEPS)
        return Slice(trial=trial, stage=stage, steps=steps)

    def epoch(self, steps: int | None = None) -> Slice:
        """Return a whole epoch of it, as far as its images fill batches; with ``steps`` as many as in a slice."""
        return self.slice(TRAIN_IMAGES // self.work.trial.batch_size if steps is None else steps)


def works(trials: Iterable[AnyTrial], seeds: int = PROFILES["full"].seeds) -> list[Work]:
    """Return every stage of every network of the full suite, once for each seed.

    Classifiers without training by gradient are left out: both ways call scikit-learn once.
    """
    runs = plan_runs(trials, PROFILES["full"], seeds, TRAIN_IMAGES)
    return [Work(run.trial, stage) for run in runs if isinstance(run.trial, Trial) for stage in run.trial.stages]


def group(all_works: Sequence[Work], timed: Sequence[tuple[str, str]] = TIMED) -> list[Group]:
    """Give each part of the suite to the timed one that is nearest to it; raises KeyError for an unknown name.

    Parts are near when they have the same strategy and augmentation, then by the ratios of batch sizes and of
    multiply-accumulates.
    """
    known = {(work.trial.id, work.stage.id): work for work in all_works}
    groups = [Group(known[name]) for name in timed if name in known]
    if not groups:
        raise KeyError(f"none of {timed} is part of the suite")
    for work in all_works:
        found = nearest(work, groups)
        found.runs += 1
        if work.name not in [other.name for other in found.stands_for]:
            found.stands_for.append(work)
    return groups


def nearest(work: Work, groups: Sequence[Group]) -> Group:
    """Return the timed part that is nearest to a part of the suite."""
    return min(groups, key=lambda candidate: _distance(candidate.work, work))


def _distance(timed: Work, work: Work) -> tuple[bool, bool, float]:
    batch_size = abs(math.log(timed.trial.batch_size / work.trial.batch_size))
    macs = abs(math.log(timed.trial.macs / work.trial.macs))
    return timed.mirrored != work.mirrored, timed.stage.augmentation != work.stage.augmentation, batch_size + macs
