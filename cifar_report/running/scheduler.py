"""Hands runs to workers in order, shows how far they are, and replaces workers that die."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn, TimeRemainingColumn

from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun
from cifar_report.running.runs import RunResult, RunWriter, train_run
from cifar_report.running.workers import POLL_SECONDS, PinnedWorker, WorkerDiedError, WorkerError

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
    """Train runs by so many workers (None: one a core), and write each as soon as it is there.

    ``fresh``: every run gets a process of its own. ``cards``: so many graphics cards, each for one worker alone.
    """
    cores = available_cores()
    jobs = min(jobs or cards, cards) if cards else jobs or len(cores)
    places = range(min(jobs, max(1, len(runs))))
    slots = [_Slot(str(job + 1), (cores[job % len(cores)],), job if cards else None) for job in places]
    with Display(console, runs) as display:
        _Scheduler(writer, list(runs), display, [*slots, _Slot(ALL_CORES, tuple(cores))], fresh).run()


@dataclass
class _Slot:
    """A place for one worker at a time: one a job, on one core, and one over all cores for mirrored runs."""

    name: str
    cores: tuple[int, ...]
    card: int | None = None  # that no other slot has
    worker: PinnedWorker | None = None
    busy: bool = False


class Display:
    """Shows an overall bar with the time left, by the runs' estimated costs, and a bar for each slot's worker."""

    def __init__(self, console: Console, runs: list[PlannedRun]) -> None:
        self._console = console
        self._count = len(runs)
        self._finished = 0
        self._done = {run.id: 0.0 for run in runs}  # cost that is done
        columns = ("{task.description}", BarColumn(), TimeElapsedColumn(), TimeRemainingColumn())
        self._live = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._total = self._live.add_task(f"0 of {self._count} runs", total=sum(run.cost for run in runs))
        self._workers = self._live.add_task("", total=None, visible=False)
        self._bars: dict[str, TaskID] = {}  # by slot

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def started(self, slot: str, run: PlannedRun) -> None:
        """Show that a slot's worker began a run."""
        if slot in self._bars:  # once more, in a new worker
            self._live.remove_task(self._bars[slot])
        self._bars[slot] = self._live.add_task(f"  {slot}: {run.id}: starting", total=run.cost)

    def epoch(self, slot: str, run: PlannedRun, progress: "EpochProgress") -> None:
        """Show a finished epoch."""
        epochs = sum(stage.epochs for stage in getattr(run.trial, "stages", ())) or 1
        words = f"  {slot}: {run.id}: {progress.stage}, epoch {progress.epoch} of {progress.epochs}"
        if run.seed is not None:  # a network's
            words += f", loss {progress.loss:.4f}, validation accuracy {progress.val_accuracy:.4f}"
        self._done[run.id] = run.cost * (progress.epochs_before + progress.epoch) / epochs
        self._live.update(self._bars[slot], completed=self._done[run.id], description=words)
        self._live.update(self._total, completed=sum(self._done.values()))

    def at_work(self, words: str) -> None:
        """Show in one line what workers on other machines do, instead of a bar for each."""
        self._live.update(self._workers, description=f"  {words}", visible=True)

    def finished(self, slot: str, run: PlannedRun, what: str) -> None:
        """Say what became of a run."""
        self._finished += 1
        self._done[run.id] = run.cost
        if slot in self._bars:
            self._live.remove_task(self._bars.pop(slot))
        title = f"{self._finished} of {self._count} runs"
        self._live.update(self._total, completed=sum(self._done.values()), description=title)
        self.note(f"[{self._finished:>{len(str(self._count))}}/{self._count}] {run.id}: {what}")

    def note(self, text: str) -> None:
        """Print a line that stays, above the bars."""
        self._console.print(text, markup=False, highlight=False, emoji=False, soft_wrap=True)


@dataclass
class _Scheduler:
    """One pass over the planned runs; a thread for each slot waits for its worker's answer, all else is done in one."""

    writer: RunWriter
    waiting: list[PlannedRun]
    display: Display
    slots: list[_Slot]
    fresh: bool
    running: dict[Future[RunResult], tuple[_Slot, PinnedWorker, PlannedRun, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.threads = ThreadPoolExecutor(len(self.slots))

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, no worker is left behind."""
        try:
            self._hand_out()
            while self.running:
                for answer in wait(self.running, POLL_SECONDS, FIRST_COMPLETED).done:
                    self._receive(answer, *self.running.pop(answer))
                self._hand_out()
        finally:
            workers = [slot.worker for slot in self.slots if slot.worker is not None]
            for worker in workers:
                worker.kill()  # all of them before waiting for one: a second Ctrl-C must find none alive
            for worker in workers:
                worker.close()
            self.threads.shutdown()

    def _hand_out(self) -> None:
        """Give every idle slot its next run; a mirrored run waits until it has the machine for itself."""
        *singles, everything = self.slots
        for slot in singles:
            if not self.waiting or everything.busy:
                return
            if self.waiting[0].mirrored:
                if not any(single.busy for single in singles):
                    self._start(everything, self.waiting.pop(0))
                return
            if not slot.busy:
                self._start(slot, self.waiting.pop(0))

    def _start(self, slot: _Slot, run: PlannedRun, attempt: int = 1) -> None:
        self.display.started(slot.name, run)
        slot.busy = True
        if slot.worker is None:
            slot.worker = PinnedWorker(slot.cores, self.writer.folder, slot.card)
        report = partial(self.display.epoch, slot.name, run)
        answer = self.threads.submit(slot.worker.call, train_run, self.writer.request(run), report)
        self.running[answer] = slot, slot.worker, run, attempt

    def _receive(
        self, answer: Future[RunResult], slot: _Slot, worker: PinnedWorker, run: PlannedRun, attempt: int
    ) -> None:
        """Write what came of a run; where its worker died, try once more in a new one, from its checkpoint."""
        died = False
        try:
            result = answer.result()
        except WorkerError as error:
            died = isinstance(error, WorkerDiedError)
            result = RunResult(error=WORKER_DIED.format(error) if died else str(error))
        log = worker.log()
        # TensorFlow numbers its collective operations anew for each mirrored strategy, and a second one in the same
        # process meets the first one's numbers: every mirrored run gets a process of its own.
        used_up = result.error is not None or result.memory_bytes > MOST_MEMORY_BYTES
        if self.fresh or slot.name == ALL_CORES or used_up:
            slot.worker = None
            worker.close()
        if died and attempt == 1:
            self.display.note(f"{run.id}: its worker died; a new one tries once more")
            self._start(slot, run, attempt=2)
        else:
            slot.busy = False
            self.display.finished(slot.name, run, self.writer.write(run, result, log))
