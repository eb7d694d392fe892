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


@pytest.mark.parametrize("recovers", [True, False])
def test_a_run_without_memory_is_tried_once_more_in_a_new_process(history, monkeypatch, recovers):
    """The second attempt has a fresh worker; where that has no memory either, the run is recorded and others go on."""
    ends = iter([True, not recovers, False])

    def submit(self, task):
        self.history.append(f"{'uses' if self.open else 'starts'} for {task}")
        self.open = True
        future = Future()
        future.set_result(Product(None, "MemoryError", b"", "", "", 0.0, 0, 0, out_of_memory=next(ends)))
        return future

    monkeypatch.setattr(FakeLane, "submit", submit)
    runs, kept, out = [PlannedRun(small_trial(), seed, 1.0) for seed in (0, 1)], [], StringIO()
    with Display(Console(file=out), runs, ["1"]) as display:
        keep = lambda run, product, _: kept.append((run.seed, product.out_of_memory)) or "kept"  # noqa: E731
        Execution(runs, lambda run: run.seed, keep, display, 1, [0]).run()
    assert history == ["starts for 0", "starts for 0", "uses for 1" if recovers else "starts for 1"]
    assert kept == [(0, not recovers), (1, False)]
    assert out.getvalue().count("had no memory left; a new one tries once more") == 1


def test_every_mirrored_run_has_a_process_of_its_own(history):
    """Single runs share their worker; a mirrored strategy never meets a process that held another one."""
    mirrored = small_trial(strategy="mirrored")
    runs = [PlannedRun(trial, seed, 1.0) for trial in (small_trial(), mirrored) for seed in (0, 1)]
    with Display(Console(file=StringIO()), runs, ["1"]) as display:
        Execution(runs, lambda run: f"{run.mirrored}-{run.seed}", lambda *_: "kept", display, 1, [0, 1]).run()
    assert history == ["starts 1 for False-0", "uses 1 for False-1", "starts all for True-0", "starts all for True-1"]
