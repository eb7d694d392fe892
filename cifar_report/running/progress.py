"""What a person sees while the suite runs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TimeElapsedColumn, TimeRemainingColumn

from cifar_report.running.plan import PlannedRun

if TYPE_CHECKING:
    from cifar_report.training.outcome import Progress as EpochProgress


class Display:
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

    def __enter__(self) -> Display:
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
        words = (
            f"  {slot}: {run.id}: {progress.stage}, epoch {progress.epoch} of {progress.epochs}, "
            f"loss {progress.loss:.4f}, validation accuracy {progress.val_accuracy:.4f}"
        )
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
