"""Hands runs to workers in order, gathers what comes back, and replaces workers that die."""

from __future__ import annotations

import queue
import traceback
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console

from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun, next_run
from cifar_report.running.progress import Display
from cifar_report.running.runs import RunResult, RunWriter, train_run
from cifar_report.running.workers import POLL_SECONDS, Inbox, Message, PinnedWorker
from cifar_report.spec import Trial

if TYPE_CHECKING:
    from cifar_report.training.outcome import Progress

MOST_MEMORY_BYTES = 1_300_000_000  # a worker that holds more after a run is replaced by a fresh one
ALL_CORES = "all"  # the slot of mirrored runs
WORKER_DIED = "The worker process died twice, the second time {}; the run has no result."
NO_WORKER = "The worker process could not be started; the run has no result.\n"


def train_runs(
    writer: RunWriter, runs: list[PlannedRun], jobs: int | None, console: Console, *, fresh: bool = False
) -> None:
    """Train runs by so many workers (None: one a core) and write each as soon as it is there.

    ``fresh``: every run gets a process of its own.
    """
    cores = available_cores()
    jobs = min(jobs or len(cores), max(1, len(runs)))
    with Display(console, runs) as display:
        _Scheduler(writer, runs, display, jobs, cores, fresh=fresh).run()


@dataclass
class _Working:
    """A run at work in a slot."""

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


class _Scheduler:
    """One pass over the planned runs; each result is written as soon as it is there.

    A slot has one worker at a time: one slot a job, named "1", "2", …, each on one core (they share cores only when
    there are more jobs than cores), and one over all cores for mirrored runs, which have the machine for themselves.
    """

    def __init__(
        self, writer: RunWriter, runs: list[PlannedRun], display: Display, jobs: int, cores: list[int], *, fresh: bool
    ) -> None:
        self._writer = writer
        self._waiting = list(runs)
        self._display = display
        self._fresh = fresh
        self._cores = {str(job + 1): (cores[job % len(cores)],) for job in range(jobs)} | {ALL_CORES: tuple(cores)}
        self._inbox: Inbox = queue.SimpleQueue()
        self._workers: dict[str, PinnedWorker] = {}  # by slot
        self._working: dict[str, _Working] = {}  # by slot

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, no worker is left behind."""
        try:
            while self._waiting or self._working:
                self._hand_out()
                with suppress(queue.Empty):
                    self._receive(*self._inbox.get(timeout=POLL_SECONDS))
        finally:
            for worker in self._workers.values():
                worker.kill()  # all of them before waiting for one: a second Ctrl-C must find none alive
            for worker in self._workers.values():
                worker.close()

    def _hand_out(self) -> None:
        """Give every idle slot its next run; a mirrored run waits until it has the machine for itself."""
        while ALL_CORES not in self._working and (idle := self._cores.keys() - self._working.keys() - {ALL_CORES}):
            place = next_run(self._waiting, [working.remaining for working in self._working.values()])
            if place is None:
                return
            run = self._waiting.pop(place)
            self._start(ALL_CORES if run.mirrored else min(idle, key=int), run, attempt=1)

    def _start(self, slot: str, run: PlannedRun, attempt: int) -> None:
        self._display.started(slot, run)
        self._working[slot] = _Working(run, attempt)
        request = self._writer.request(run)
        try:
            if slot not in self._workers:
                self._workers[slot] = PinnedWorker(self._cores[slot], self._inbox, self._writer.folder)
            self._workers[slot].call(train_run, request)
        except OSError:  # the system gives no process
            self._finish(slot, RunResult(error=NO_WORKER + traceback.format_exc()), b"")

    def _receive(self, worker: PinnedWorker, message: Message) -> None:
        slot = next((slot for slot, each in self._workers.items() if each is worker), None)
        if slot is None:
            return  # of a worker that was replaced
        working = self._working.get(slot)
        if message.kind == "ended":
            self._replace(slot, working)
        elif working is not None and message.kind == "progress":
            working.progress = message.content
            self._display.epoch(slot, working.run, message.content)
        elif working is not None:
            result = message.content if message.kind == "answer" else RunResult(error=message.content)
            self._finish(slot, result, worker.log())
            # TensorFlow numbers its collective operations anew for each mirrored strategy, and a second one in the
            # same process meets the first one's numbers: every mirrored run gets a process of its own.
            used_up = result.error is not None or result.memory_bytes > MOST_MEMORY_BYTES
            if self._fresh or slot == ALL_CORES or used_up:
                self._workers.pop(slot).close()

    def _replace(self, slot: str, working: _Working | None) -> None:
        """Try the run of a worker that died once more in a new one, from its checkpoint."""
        worker = self._workers.pop(slot)
        ending, log = worker.ending(), worker.log()
        worker.close()
        if working is None:
            return
        if working.attempt == 1:
            self._display.note(f"{working.run.id}: its worker died; a new one tries once more")
            self._start(slot, working.run, attempt=2)
        else:
            self._finish(slot, RunResult(error=WORKER_DIED.format(ending)), log)

    def _finish(self, slot: str, result: RunResult, log: bytes) -> None:
        run = self._working.pop(slot).run
        self._display.finished(slot, run, self._writer.write(run, result, log))
