"""Drives the lanes: hands out runs in order, gathers what comes back, replaces workers that die."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cifar_report.running.lanes import MOST_MEMORY_BYTES, Lane, make_lanes
from cifar_report.running.plan import PlannedRun, next_run
from cifar_report.running.progress import Display
from cifar_report.running.worker import Failure, Product, Task
from cifar_report.spec import Trial

if TYPE_CHECKING:
    from cifar_report.training.outcome import Progress

POLL_SECONDS = 0.2
WORKER_DIED = "The worker process died twice, the second time {}; the run has no result."
NO_WORKER = "The worker process could not be started; the run has no result.\n"


@dataclass
class _Working:
    lane: Lane
    run: PlannedRun
    attempt: int
    progress: Progress | None = None

    @property
    def remaining(self) -> float:
        """Return what is left of the run's cost, as estimated."""
        if self.progress is None or not isinstance(self.run.trial, Trial):
            return self.run.cost
        epochs = sum(stage.epochs for stage in self.run.trial.stages)
        return self.run.cost * (1 - (self.progress.epochs_before + self.progress.epoch) / epochs)


class Execution:
    """One pass over the planned runs; every product is handed to ``keep`` as soon as it is there."""

    def __init__(
        self,
        runs: list[PlannedRun],
        make_task: Callable[[PlannedRun], Task],
        keep: Callable[[PlannedRun, Product | Failure, Lane], str],
        display: Display,
        jobs: int,
        cores: list[int],
    ) -> None:
        self._waiting = deque(runs)
        self._make_task = make_task
        self._keep = keep
        self._display = display
        self._lanes = make_lanes(jobs, cores)
        self._mirrored = Lane("all", tuple(cores), mirrored=True)
        self._working: dict[Future[Product], _Working] = {}

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, no worker is left behind."""
        kill = True
        try:
            while self._waiting or self._working:
                self._hand_out()
                done, _ = wait(self._working, timeout=POLL_SECONDS, return_when=FIRST_COMPLETED)
                self._show_progress()
                for future in done:
                    self._gather(future)
            kill = False
        finally:
            lanes = (*self._lanes, self._mirrored)
            for lane in lanes if kill else ():
                lane.kill()  # all of them before waiting for one: a second Ctrl-C must find none alive
            for lane in lanes:
                lane.close(kill=kill)

    def _hand_out(self) -> None:
        """Give every idle lane its next run; a mirrored run waits until it has the machine for itself."""
        while (lane := self._idle_lane()) is not None:
            place = next_run(self._waiting, [working.remaining for working in self._working.values()])
            if place is None:
                return
            run = self._waiting[place]
            del self._waiting[place]
            self._submit(self._mirrored if run.mirrored else lane, run, attempt=1)

    def _idle_lane(self) -> Lane | None:
        busy = {id(working.lane) for working in self._working.values()}
        if id(self._mirrored) in busy:
            return None
        self._mirrored.close()
        return next((lane for lane in self._lanes if id(lane) not in busy), None)

    def _submit(self, lane: Lane, run: PlannedRun, attempt: int) -> None:
        self._display.started(lane.name, run)
        task, working = self._make_task(run), _Working(lane, run, attempt)
        try:
            self._working[lane.submit(task)] = working
        except OSError:  # the system gives no process or pipe
            lane.close(kill=True)
            self._finish(working, Failure(NO_WORKER + traceback.format_exc()))

    def _show_progress(self) -> None:
        for working in self._working.values():
            for run_id, progress in working.lane.messages():
                if run_id == working.run.id:
                    working.progress = progress
                    self._display.epoch(working.lane.name, working.run, progress)

    def _gather(self, future: Future[Product]) -> None:
        working = self._working.pop(future)
        lane = working.lane
        try:
            product = future.result()
        except BrokenProcessPool:
            ending, log = lane.last_words()
            lane.close(kill=True)
            if not self._tries_again(working, "its worker died"):
                self._finish(working, Failure(WORKER_DIED.format(ending), log))
            return
        except Exception:  # noqa: BLE001 - a task or a product that cannot be sent is this run's failure alone
            self._finish(working, Failure(traceback.format_exc()))
            return
        # TensorFlow numbers its collective operations anew for each mirrored strategy, and a second one in the same
        # process meets the first one's numbers: every mirrored run gets a process of its own.
        if lane.mirrored or product.out_of_memory or product.memory_bytes > MOST_MEMORY_BYTES:
            lane.close()
        if product.out_of_memory and self._tries_again(working, "its worker had no memory left"):
            return
        self._finish(working, product)

    def _finish(self, working: _Working, product: Product | Failure) -> None:
        lane, run = working.lane, working.run
        self._display.finished(lane.name, run, self._keep(run, product, lane))

    def _tries_again(self, working: _Working, what: str) -> bool:
        """Start a run once more in a new process, from its checkpoint; False when it was the second attempt."""
        if working.attempt > 1:
            return False
        self._display.note(f"{working.run.id}: {what}; a new one tries once more")
        self._submit(working.lane, working.run, attempt=working.attempt + 1)
        return True
