"""From images a second to the whole suite: its time in each way, the share of its steps, the cores' idle time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cifar_report.benchmark.blocks import Machine, Sample
from cifar_report.benchmark.costs import FixedCosts
from cifar_report.benchmark.schedule import Planned, play
from cifar_report.benchmark.workload import Group, Work, nearest
from cifar_report.running.plan import PlannedRun
from cifar_report.spec import Trial

ARITHMETIC = 2 * 3  # FLOPs a training image for each multiply-accumulate of its forward pass, see ``efficiency``


class Rates:
    """Images a second of one way in one block, for any part of the suite: those of the timed part nearest to it."""

    def __init__(self, samples: Sequence[Sample], groups: Sequence[Group], way: str, block: int) -> None:
        self._samples = {each.part: each for each in samples if (each.way, each.block) == (way, block)}
        self._groups = [group for group in groups if group.work.name in self._samples]

    def once(self, work: Work) -> float:
        """Return how long building and tracing take."""
        return self._sample(work).once_seconds

    def waited(self, work: Work) -> float:
        """Return the share of the steps' time, 0 … 1, that was spent waiting for the input pipeline."""
        return self._sample(work).waited

    def seconds(self, work: Work) -> Parts:
        """Return how long one run's stage takes."""
        sample = self._sample(work)
        return Parts(
            work.trained / sample.train_rate,
            work.validated / sample.evaluate_rate,
            work.evaluated / sample.evaluate_rate,
        )

    def _sample(self, work: Work) -> Sample:
        return self._samples[nearest(work, self._groups).work.name]


@dataclass(frozen=True)
class Parts:
    """Seconds of one stage, or of many: steps, validation after each epoch, evaluation after the last."""

    steps: float = 0.0
    validation: float = 0.0
    evaluation: float = 0.0

    def __add__(self, other: Parts) -> Parts:
        """Return the sums."""
        return Parts(self.steps + other.steps, self.validation + other.validation, self.evaluation + other.evaluation)

    def __mul__(self, factor: float) -> Parts:
        """Return all of them ``factor`` times."""
        return Parts(self.steps * factor, self.validation * factor, self.evaluation * factor)

    @property
    def total(self) -> float:
        """Return all seconds."""
        return self.steps + self.validation + self.evaluation


@dataclass(frozen=True)
class SuiteTime:
    """The full suite as one block measured it."""

    engine: float  # seconds, on all workers, idle time and all fixed costs included
    notebook: float  # seconds, one trial after the other; of fixed costs building and tracing once a run
    waited: float  # seconds of the notebook's in which nothing was computed
    overhead: float  # share of the workers' busy time beyond steps and validation
    beyond_steps: float  # the same with validation counted to it
    idle: float  # share of the workers' time

    @property
    def ratio(self) -> float:
        """Return the engine's time over the notebook's."""
        return self.engine / self.notebook

    @property
    def ratio_without_waits(self) -> float:
        """Return the engine's time over what the notebook's would be if it never waited."""
        return self.engine / (self.notebook - self.waited)


def suite_time(
    runs: Sequence[PlannedRun],
    groups: Sequence[Group],
    samples: Sequence[Sample],
    machine: Machine,
    costs: FixedCosts,
    workers: int,
) -> SuiteTime:
    """Return the full suite's times, from one block and the fixed costs of real runs."""
    engine = Rates(samples, groups, "engine", machine.block)
    notebook = Rates(samples, groups, "notebook", machine.block)
    planned, training, fixed, notebook_total, waited = [], Parts(), 0.0, 0.0, 0.0
    for run in runs:
        if not isinstance(run.trial, Trial):
            continue
        parts, beside = Parts(), costs.run + costs.gap
        for stage in run.trial.stages:
            work = Work(run.trial, stage)
            # The rates are sums over the workers, of which one trains this run.
            parts += engine.seconds(work) * (1 if run.mirrored else workers)
            beside += costs.epoch * stage.epochs
            notebook_total += notebook.seconds(work).total
            waited += notebook.seconds(work).steps * notebook.waited(work)
        notebook_total += notebook.once(Work(run.trial, run.trial.stages[0]))
        beside += machine.start_seconds if run.mirrored else 0.0
        planned.append(Planned(parts.total + beside, run.cost, run.mirrored))
        cores = workers if run.mirrored else 1
        training += parts * cores
        fixed += beside * cores
    schedule = play(planned, workers)
    busy = training.total + fixed + machine.start_seconds * workers
    return SuiteTime(
        engine=schedule.seconds + machine.start_seconds,
        notebook=notebook_total,
        waited=waited,
        overhead=1 - (training.steps + training.validation) / busy,
        beyond_steps=1 - training.steps / busy,
        idle=schedule.idle,
    )


def efficiency(trial: Trial, rate: float, peak: float, *, strict: bool = False) -> float:
    """Return the achieved share of the peak of matrix products, 0 … 1.

    A training image counts three forward passes of two operations for each multiply-accumulate: forward, to the
    inputs, to the weights. ``strict`` leaves out the gradient to the image, which nobody computes.
    """
    from cifar_report.spec import walk

    first = next(walk(trial.layers)).macs if strict else 0
    return (ARITHMETIC * trial.macs - 2 * first) * rate / peak
