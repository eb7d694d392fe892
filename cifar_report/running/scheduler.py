"""Hands runs to workers in order, shows how far they are, and replaces workers that die."""

from __future__ import annotations

import queue
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn, TimeRemainingColumn

from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun
from cifar_report.running.runs import RunResult, RunWriter, train_run
from cifar_report.running.workers import POLL_SECONDS, Inbox, Message, PinnedWorker

if TYPE_CHECKING:
    from cifar_report.training import Progress as EpochProgress

MOST_MEMORY_BYTES = 1_300_000_000  # a worker that holds more after a run is replaced by a fresh one
ALL_CORES = "all"  # the slot of mirrored runs
WORKER_DIED = "The worker process died twice, the second time {}; the run has no result."


def train_runs(
    writer: RunWriter,
    runs: list[PlannedRun],
    jobs: int | None,
    console: Console,
    *,
    fresh: bool = False,
    cards: int = 0,
) -> None:
    """Train runs by so many workers (None: one a core) and write each as soon as it is there.

    ``fresh``: every run gets a process of its own. ``cards``: so many graphics cards, each for one worker alone.
    """
    cores = available_cores()
    jobs = min(jobs or cards, cards) if cards else jobs or len(cores)
    places = range(min(jobs, max(1, len(runs))))
    slots = [_Slot(str(job + 1), (cores[job % len(cores)],), job if cards else None) for job in places]
    with _Display(console, runs) as display:
        _Scheduler(writer, runs, display, [*slots, _Slot(ALL_CORES, tuple(cores))], fresh=fresh).run()


@dataclass
class _Slot:
    """A place for one worker at a time: one a job, on one core (shared only where there are more jobs than cores).

    One more, over all cores, is for mirrored runs, which have the machine for themselves.
    """

    name: str
    cores: tuple[int, ...]
    card: int | None = None  # that no other slot has
    worker: PinnedWorker | None = None
    run: PlannedRun | None = None  # that it is at work on
    attempt: int = 1


class _Scheduler:
    """One pass over the planned runs; each result is written as soon as it is there."""

    def __init__(
        self, writer: RunWriter, runs: list[PlannedRun], display: _Display, slots: list[_Slot], *, fresh: bool
    ) -> None:
        self._writer = writer
        self._waiting = list(runs)
        self._display = display
        self._slots = slots
        self._fresh = fresh
        self._inbox: Inbox = queue.SimpleQueue()

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, no worker is left behind."""
        try:
            self._hand_out()
            while any(slot.run for slot in self._slots):
                with suppress(queue.Empty):
                    self._receive(*self._inbox.get(timeout=POLL_SECONDS))
                self._hand_out()
        finally:
            workers = [slot.worker for slot in self._slots if slot.worker is not None]
            for worker in workers:
                worker.kill()  # all of them before waiting for one: a second Ctrl-C must find none alive
            for worker in workers:
                worker.close()

    def _hand_out(self) -> None:
        """Give every idle slot its next run; a mirrored run waits until it has the machine for itself."""
        *singles, everything = self._slots
        for slot in singles:
            if not self._waiting or everything.run is not None:
                return
            if self._waiting[0].mirrored:
                if all(single.run is None for single in singles):
                    self._start(everything, self._waiting.pop(0), attempt=1)
                return
            if slot.run is None:
                self._start(slot, self._waiting.pop(0), attempt=1)

    def _start(self, slot: _Slot, run: PlannedRun, attempt: int) -> None:
        self._display.started(slot.name, run)
        slot.run, slot.attempt = run, attempt
        if slot.worker is None:
            slot.worker = PinnedWorker(slot.cores, self._inbox, self._writer.folder, slot.card)
        slot.worker.call(train_run, self._writer.request(run))

    def _receive(self, worker: PinnedWorker, message: Message) -> None:
        slot = next((slot for slot in self._slots if slot.worker is worker), None)
        if slot is None:
            return  # of a worker that was replaced
        if message.kind == "ended":
            self._replace(slot, worker)
        elif slot.run is not None and message.kind == "progress":
            self._display.epoch(slot.name, slot.run, message.content)
        elif slot.run is not None:
            result = message.content if message.kind == "answer" else RunResult(error=message.content)
            self._finish(slot, slot.run, result, worker.log())
            # TensorFlow numbers its collective operations anew for each mirrored strategy, and a second one in the
            # same process meets the first one's numbers: every mirrored run gets a process of its own.
            used_up = result.error is not None or result.memory_bytes > MOST_MEMORY_BYTES
            if self._fresh or slot.name == ALL_CORES or used_up:
                slot.worker = None
                worker.close()

    def _replace(self, slot: _Slot, worker: PinnedWorker) -> None:
        """Try the run of a worker that died once more in a new one, from its checkpoint."""
        slot.worker = None
        ending, log = worker.ending(), worker.log()
        worker.close()
        if slot.run is None:
            return
        if slot.attempt == 1:
            self._display.note(f"{slot.run.id}: its worker died; a new one tries once more")
            self._start(slot, slot.run, attempt=2)
        else:
            self._finish(slot, slot.run, RunResult(error=WORKER_DIED.format(ending)), log)

    def _finish(self, slot: _Slot, run: PlannedRun, result: RunResult, log: bytes) -> None:
        slot.run = None
        self._display.finished(slot.name, run, self._writer.write(run, result, log))


class _Display:
    """Shows an overall bar with the time left, by the runs' estimated costs, and a bar for each slot's worker."""

    def __init__(self, console: Console, runs: list[PlannedRun]) -> None:
        self.console = console
        self._count = len(runs)
        self._finished = 0
        self._done: dict[str, float] = {}  # cost that is done, by run
        columns = ("{task.description}", BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._total = self._live.add_task(f"0 of {self._count} runs", total=sum(run.cost for run in runs))
        self._bars: dict[str, TaskID] = {}  # by slot

    def __enter__(self) -> _Display:
        """Begin to show."""
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        self._live.stop()

    def started(self, slot: str, run: PlannedRun) -> None:
        """Show that a slot's worker began a run."""
        if slot in self._bars:  # once more, in a new one
            self._live.remove_task(self._bars[slot])
        self._bars[slot] = self._live.add_task(f"  {slot}: {run.id}: starting", total=run.cost)

    def epoch(self, slot: str, run: PlannedRun, progress: EpochProgress) -> None:
        """Show a finished epoch."""
        epochs = sum(stage.epochs for stage in getattr(run.trial, "stages", ())) or 1
        words = f"  {slot}: {run.id}: {progress.stage}, epoch {progress.epoch} of {progress.epochs}"
        if run.seed is not None:  # a network's
            words += f", loss {progress.loss:.4f}, validation accuracy {progress.val_accuracy:.4f}"
        self._done[run.id] = run.cost * (progress.epochs_before + progress.epoch) / epochs
        self._live.update(self._bars[slot], completed=self._done[run.id], description=words)
        self._live.update(self._total, completed=sum(self._done.values()))

    def finished(self, slot: str, run: PlannedRun, what: str) -> None:
        """Say what became of a run; this line stays."""
        self._finished += 1
        self._done[run.id] = run.cost
        self._live.remove_task(self._bars.pop(slot))
        title = f"{self._finished} of {self._count} runs"
        self._live.update(self._total, completed=sum(self._done.values()), description=title)
        self.note(f"[{self._finished:>{len(str(self._count))}}/{self._count}] {run.id}: {what}")

    def note(self, text: str) -> None:
        """Print a line of its own above the display."""
        self.console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)
