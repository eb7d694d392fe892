"""Hands out runs in order, shows how far they are, and has each result written as it comes.

This process alone writes the bundle. ``local_workers`` carries out runs on this machine, ``cluster`` on others.
"""

import queue
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn, TimeRemainingColumn

from cifar_report.errors import SuiteError
from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun, longest_first
from cifar_report.running.runs import Answer, RunRequest, RunWriter, ask, carry_out
from cifar_report.running.workers import POLL_SECONDS, PinnedWorker

if TYPE_CHECKING:
    from cifar_report.training import Progress as EpochProgress

MOST_MEMORY_BYTES = 1_300_000_000  # a worker that holds more after a run is replaced by a fresh one
REREAD_SECONDS = 1.0  # after which the number of threads is read anew
KEPT = "every finished run is kept, and the same call goes on from here"
Tell = Callable[[str, "EpochProgress | None"], None]
"""Gets where a run is trained, and the epoch that it has just finished there; None as it begins."""


class RefusedError(Exception):
    """A machine does not fit: its arguments are its name, why, and what its workers need to dismiss it."""


@dataclass(frozen=True)
class Workers:
    """What carries out runs, as an executor does; ``threads``: how many at once now.

    On one machine runs keep the order of the plan, and a mirrored one has it for itself; over several the longest goes
    first. ``dismiss`` takes the third argument of a RefusedError.
    """

    name: str
    submit: Callable[[PlannedRun, RunRequest, Tell], Future[Answer]]
    threads: Callable[[], int]
    one_machine: bool = False
    machine_lost: tuple[type[BaseException], ...] = ()  # what a call raises that lost several machines
    dismiss: Callable[[str], object] | None = None


def train_runs(
    workers: Workers, writer: RunWriter, runs: list[PlannedRun], console: Console, *, table: bool = True
) -> None:
    """Train runs and write each as soon as it is there; a run that kills its worker is tried once more.

    ``table``: show what each worker does, in place of one line about all. Raises SuiteError where the workers are lost
    or fit no run; what is finished stays.
    """
    with Display(console, runs, table=table) as display:
        _Coordinator(workers, writer, runs, display).run()


class Display:
    """Shows an overall bar with the time left, by the runs' estimated costs, and a line on the workers or one each."""

    def __init__(self, console: Console, runs: list[PlannedRun], *, table: bool = True) -> None:
        self._console, self._table, self._count = console, table, len(runs)
        self._finished: set[str] = set()
        self._done = {run.id: 0.0 for run in runs}  # cost that is done
        columns = ("{task.description}", BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._total = self._live.add_task(f"0 of {self._count} runs", total=sum(run.cost for run in runs))
        self._line = self._live.add_task("", total=None, visible=False)
        self._bars: dict[str, TaskID] = {}  # of runs at work

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def at_work(self, run: PlannedRun, place: str, progress: "EpochProgress | None") -> None:
        """Show that a run began somewhere, perhaps once more, or has finished an epoch there."""
        if run.id in self._finished:
            return
        if progress is None:
            self._show(run, f"{place}: {run.id}: starting", 0.0)
            return
        epochs = sum(stage.epochs for stage in getattr(run.trial, "stages", ())) or 1
        words = f"{place}: {run.id}: {progress.stage}, epoch {progress.epoch} of {progress.epochs}"
        if run.seed is not None and progress.epoch:  # a network's, which has begun
            words += f", loss {progress.loss:.4f}, validation accuracy {progress.val_accuracy:.4f}"
        self._show(run, words, run.cost * (progress.epochs_before + progress.epoch) / epochs)

    def _show(self, run: PlannedRun, words: str, done: float) -> None:
        self._live.update(self._total, advance=done - self._done[run.id])
        self._done[run.id] = done
        if not self._table:
            return
        if run.id not in self._bars:
            self._bars[run.id] = self._live.add_task("", total=run.cost)
        self._live.update(self._bars[run.id], description=f"  {words}", completed=done)

    def line(self, words: str) -> None:
        """Show in one line what all workers do, unless each has its own."""
        self._live.update(self._line, description=f"  {words}", visible=not self._table)

    def finished(self, run: PlannedRun, what: str) -> None:
        """Say what became of a run."""
        self._show(run, "", run.cost)
        self._finished.add(run.id)
        if run.id in self._bars:
            self._live.remove_task(self._bars.pop(run.id))
        number = len(self._finished)
        self._live.update(self._total, description=f"{number} of {self._count} runs")
        self.note(f"[{number:>{len(str(self._count))}}/{self._count}] {run.id}: {what}")

    def note(self, text: str) -> None:
        """Print a line that stays, above the bars."""
        self._console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


class _Coordinator:
    """One pass over the planned runs: as many in flight as there are threads, all else in the thread that calls."""

    def __init__(self, workers: Workers, writer: RunWriter, runs: list[PlannedRun], display: Display) -> None:
        self._workers, self._writer, self._display = workers, writer, display
        self._waiting = deque(runs if workers.one_machine else longest_first(runs))
        self._flying: dict[Future[Answer], PlannedRun] = {}
        self._inbox: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._threads, self._read = 0, -REREAD_SECONDS
        self._hosts: set[str] = set()  # that have sent a result
        self._died: set[str] = set()  # runs of which a worker has died
        self._lost = self._told = False
        self._given_up: list[str] = []
        self._refused, self._refusals = "", Counter[str]()

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, what is in flight is given back."""
        try:
            while self._waiting or self._flying or self._lost:
                self._hand_out()
                try:
                    self._inbox.get(timeout=POLL_SECONDS)()
                except queue.Empty:
                    if self._lost:
                        raise SuiteError(f"the scheduler {self._workers.name} was lost; {KEPT}") from None
        finally:
            for future in self._flying:
                future.cancel()
        if self._given_up:
            names = ", ".join(self._given_up[:3]) + ", …" * (len(self._given_up) > 3)
            raise SuiteError(
                f"{len(self._given_up)} runs have no result, because machine after machine was lost with them ({names})"
                f"; {KEPT}"
            )

    def _hand_out(self) -> None:
        """Have as many runs in flight as there are threads, read anew: a worker that dies takes no others with it."""
        if self._lost:
            return
        if monotonic() - self._read >= REREAD_SECONDS:
            self._threads, self._read = self._count(), monotonic()
        if not self._threads and self._refused and not self._flying:
            raise SuiteError(f"no worker is left: {self._refused}; {KEPT}")
        while self._waiting and self._has_room(self._waiting[0]):
            self._start(self._waiting.popleft())
        if not self._threads and not self._told:
            self._display.note(f"{self._workers.name} has no workers yet: runs begin as they come")
            self._told = True
        at_work = f"runs at work: {len(self._flying)}, threads: {self._threads}"
        at_work += "" if self._workers.one_machine else f", machines so far: {len(self._hosts)}"
        self._display.line(at_work if self._threads else f"waiting for workers of {self._workers.name}")

    def _count(self) -> int:
        try:
            return self._workers.threads()
        except (OSError, RuntimeError) as error:  # RuntimeError: Dask has given up
            raise SuiteError(f"the scheduler {self._workers.name} does not answer ({error}); {KEPT}") from error

    def _has_room(self, run: PlannedRun) -> bool:
        if self._workers.one_machine and (run.mirrored or any(each.mirrored for each in self._flying.values())):
            return not self._flying
        return len(self._flying) < self._threads

    def _start(self, run: PlannedRun) -> None:
        def tell(place: str, progress: "EpochProgress | None") -> None:
            self._inbox.put(partial(self._display.at_work, run, place, progress))

        future = self._workers.submit(run, self._writer.request(run), tell)
        self._flying[future] = run
        future.add_done_callback(lambda done: self._inbox.put(partial(self._receive, done)))

    def _receive(self, future: Future[Answer]) -> None:
        run = self._flying.pop(future)
        if future.cancelled():
            self._lost = True
            return
        error = future.exception()
        if error is None:
            self._finish(run, future.result())
        elif isinstance(error, RefusedError):
            self._refuse(run, *error.args)
        elif isinstance(error, self._workers.machine_lost):
            self._given_up.append(run.id)
            self._display.note(f"{run.id}: given up: {error}")
        elif self._workers.one_machine:
            raise error
        else:
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            need = "scheduler and workers need the same cifar-report as this machine"
            raise SuiteError(f"{run.id} cannot begin ({why}): {need}; {KEPT}") from error

    def _refuse(self, run: PlannedRun, host: str, why: str, worker: str = "") -> None:
        self._refused = f"the worker on {host} does not fit: {why}"
        self._refusals[worker] += 1
        if self._workers.dismiss is None or self._refusals[worker] > self._threads:  # it is still there
            raise SuiteError(f"{self._refused}; {KEPT}")
        if self._refusals[worker] == 1:
            self._display.note(f"{self._refused}; it is dismissed")
        self._workers.dismiss(worker)
        self._waiting.appendleft(run)
        self._read = -REREAD_SECONDS

    def _finish(self, run: PlannedRun, answer: Answer) -> None:
        if answer.died and run.id not in self._died:
            self._died.add(run.id)
            self._waiting.appendleft(run)
            self._display.note(f"{run.id}: its worker died; a new one tries once more")
            return
        self._hosts.add(answer.host)
        said = self._writer.keep(run, answer)
        self._display.finished(run, said if self._workers.one_machine else f"{said}, on {answer.host}")


@dataclass
class _Slot:
    """A place for one worker at a time: one a job, on one core, and one over all cores for mirrored runs."""

    name: str
    cores: tuple[int, ...]
    card: int | None = None  # that no other slot has
    worker: PinnedWorker | None = None


@contextmanager
def local_workers(
    folder: Path, jobs: int | None, runs: int, *, cards: int = 0, fresh: bool = False
) -> Iterator[Workers]:
    """Yield so many workers of this machine (None: one a core) for so many runs; at the end no process is left.

    ``fresh``: every run gets a process of its own. ``cards``: so many graphics cards, each for one worker alone.
    Temporary files lie in ``folder``.
    """
    cores = available_cores()
    jobs = min(jobs or cards, cards) if cards else jobs or len(cores)
    places = range(min(jobs, max(1, runs)))
    idle = deque(_Slot(str(job + 1), (cores[job % len(cores)],), job if cards else None) for job in places)
    everything = _Slot("all", tuple(cores))
    slots, threads = [*idle, everything], ThreadPoolExecutor(len(places))

    def submit(run: PlannedRun, request: RunRequest, tell: Tell) -> Future[Answer]:
        slot = everything if run.mirrored else idle.popleft()
        if slot.worker is not None and not slot.worker.alive:  # it has ended since its last run, which costs no run
            slot.worker.close()
            slot.worker = None
        if slot.worker is None:
            slot.worker = PinnedWorker(slot.cores, folder, slot.card)
        return threads.submit(train, slot, slot.worker, request, tell)

    def train(slot: _Slot, worker: PinnedWorker, request: RunRequest, tell: Tell) -> Answer:
        tell(slot.name, None)
        answer = ask(worker, carry_out, request, partial(tell, slot.name))
        # TensorFlow numbers its collective operations anew for each mirrored strategy, and a second one in the same
        # process meets the first one's numbers: every mirrored run gets a process of its own.
        used_up = not answer.files or answer.memory_bytes > MOST_MEMORY_BYTES  # a failed run has no files
        if fresh or slot is everything or used_up:
            slot.worker = None
            worker.close()
        if slot is not everything:
            idle.append(slot)
        return answer

    try:
        yield Workers("this machine", submit, lambda: len(places), one_machine=True)
    finally:
        for worker in [worker for slot in slots if (worker := slot.worker) is not None]:
            worker.kill()  # all of them before waiting for one: a second Ctrl-C must find none alive
        threads.shutdown()
        for slot in slots:
            if slot.worker is not None:
                slot.worker.close()
