"""What a person sees while the suite runs: a live display on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.text import Text as Line

from cifar_report.running.plan import PlannedRun

if TYPE_CHECKING:
    from cifar_report.training.outcome import Progress as EpochProgress


class Display:
    """Shows an overall bar with the time left and one line for each worker."""

    def __init__(self, console: Console, runs: list[PlannedRun], lanes: list[str]) -> None:
        self.console = console
        self._total = sum(run.cost for run in runs)
        self._count = len(runs)
        self._finished = 0
        self._done_cost = 0.0
        self._shares: dict[str, tuple[float, float]] = {}  # run id: its cost and the share that is done
        self._lines: dict[str, str] = dict.fromkeys(lanes, "idle")
        self._started = time.monotonic()
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[left]}")
        )
        self._task: TaskID = self._bar.add_task(self._title(), total=1.0, left="")
        self._live = Live(console=console, refresh_per_second=4, transient=True) if console.is_terminal else None

    def __enter__(self) -> Display:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def started(self, lane: str, run: PlannedRun) -> None:
        """Show that a lane began a run."""
        self._shares[run.id] = (run.cost, 0.0)
        self._lines[lane] = f"{run.id}: starting"
        self._refresh()

    def epoch(self, lane: str, run: PlannedRun, progress: EpochProgress) -> None:
        """Show a finished epoch."""
        total = sum(stage.epochs for stage in getattr(run.trial, "stages", ())) or 1
        self._shares[run.id] = (run.cost, (progress.epochs_before + progress.epoch) / total)
        self._lines[lane] = (
            f"{run.id}: {progress.stage}, epoch {progress.epoch} of {progress.epochs}, "
            f"loss {progress.loss:.4f}, validation accuracy {progress.val_accuracy:.4f}"
        )
        self._refresh()

    def finished(self, lane: str, run: PlannedRun, what: str) -> None:
        """Say what became of a run; this line stays."""
        self._finished += 1
        self._done_cost += run.cost
        self._shares.pop(run.id, None)
        self._lines[lane] = "idle"
        counter = f"[{self._finished:>{len(str(self._count))}}/{self._count}]"
        self.console.print(f"{counter} {run.id}: {what}", markup=False, highlight=False, soft_wrap=True)
        self._refresh()

    def note(self, text: str) -> None:
        """Print a line of its own above the display."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _refresh(self) -> None:
        if self._live is None:
            return
        done = self._done_cost + sum(cost * share for cost, share in self._shares.values())
        share = done / self._total if self._total else 1.0
        self._bar.update(self._task, completed=share, description=self._title(), left=self._left(share))
        rows = [Line(f"  {name}: {text}", no_wrap=True, overflow="ellipsis") for name, text in self._lines.items()]
        self._live.update(Group(self._bar, *rows))

    def _title(self) -> str:
        return f"{self._finished} of {self._count} runs"

    def _left(self, share: float) -> str:
        elapsed = time.monotonic() - self._started
        if share < 0.01 or elapsed < 10:
            return "estimating the time left"
        minutes, seconds = divmod(round(elapsed * (1 - share) / share), 60)
        return f"about {minutes // 60:d}:{minutes % 60:02d}:{seconds:02d} left"
