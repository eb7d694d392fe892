"""How runs are handed to lanes: who waits for whom, and which worker serves only once."""

from concurrent.futures import Future
from io import StringIO

import pytest
from networks import small_trial
from rich.console import Console

from cifar_report.running import execution
from cifar_report.running.execution import Execution
from cifar_report.running.plan import PlannedRun
from cifar_report.running.progress import Display
from cifar_report.running.worker import Product


class FakeLane:
    """A lane without processes: every task is finished at once, and what happens is written down."""

    history: list[str]

    def __init__(self, name, cores, *, mirrored=False):
        self.name, self.cores, self.mirrored = name, cores, mirrored
        self.open = False

    def submit(self, task):
        """Finish a task."""
        self.history.append(f"{'uses' if self.open else 'starts'} {self.name} for {task}")
        self.open = True
        future = Future()
        future.set_result(Product(None, "x", b"", "", "", 0.0, 0, 0))
        return future

    def messages(self):
        """Tell nothing."""
        return iter(())

    def kill(self):
        """Forget the process."""
        self.open = False

    def close(self, **_):
        """Forget the process."""
        self.open = False


@pytest.fixture
def history(monkeypatch):
    """Put fake lanes in the place of the real ones and return what they write down."""
    FakeLane.history = []
    monkeypatch.setattr(execution, "Lane", FakeLane)
    monkeypatch.setattr(execution, "make_lanes", lambda *_: [FakeLane("1", (0,))])
    return FakeLane.history


def test_every_mirrored_run_has_a_process_of_its_own(history):
    """Single runs share their worker; a mirrored strategy never meets a process that held another one."""
    mirrored = small_trial(strategy="mirrored")
    runs = [PlannedRun(trial, seed, 1.0) for trial in (small_trial(), mirrored) for seed in (0, 1)]
    with Display(Console(file=StringIO()), runs, ["1"]) as display:
        Execution(runs, lambda run: f"{run.mirrored}-{run.seed}", lambda *_: "kept", display, 1, [0, 1]).run()
    assert history == ["starts 1 for False-0", "uses 1 for False-1", "starts all for True-0", "starts all for True-1"]
