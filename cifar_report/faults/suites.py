"""Kills suites and workers, exhausts memory and disk, and compares what comes out with an undisturbed suite."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.faults.longer import EPOCHS
from cifar_report.faults.outcome import Outcome

NETWORKS = (
    "baseline",
    "dropout",
    "batch_norm",
    "model_2",
)  # one stage, dropout, normalisation, stages and augmentation
CLASSICAL = ("nearest_centroid", "nearest_neighbor_1")
VOLATILE = ("timing.json", "log.txt")
PATIENCE_SECONDS = 1800
POLL_SECONDS = 0.01
END_SECONDS = 30  # far more than a suite needs to end, also where many others share the machine
SAME = f"every run, of {EPOCHS} epochs a stage, ends with the bytes of an undisturbed one"


@dataclass
class Trying:
    """Where faults are tried, and on which data."""

    folder: Path
    data: str
    times: int
    source: random.Random
    reference: dict[str, bytes] = field(default_factory=dict)

    def command(self, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> list[str]:
        """Return the call of a suite on a bundle of this folder."""
        words = ("run", "--profile", "smoke", "--seeds", "1", "--only", ",".join(trials), "--data", self.data)
        return [sys.executable, "-m", "cifar_report.faults.longer", *words, "--bundle", str(self.folder / bundle)]

    def end(self, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> str | None:
        """Let a suite come to its end; return what was lost against the undisturbed one."""
        done = subprocess.run(  # noqa: S603 - this program itself
            self.command(bundle, trials), capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False
        )
        if done.returncode != 0:
            return f"{bundle}: the next call ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        found = science(self.folder / bundle)
        expected = {name: content for name, content in self.reference.items() if name.split("/")[0] in trials}
        differ = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        if differ:
            return f"{bundle}: other bytes than undisturbed: {', '.join(differ)}"
        left = [path.name for path in (self.folder / bundle).rglob("*") if path.name.endswith(".part")]
        if left or (self.folder / bundle / ".checkpoints").exists():
            return f"{bundle}: left behind: {', '.join(left) or 'checkpoints'}"
        return None if (self.folder / bundle / MANIFEST_FILE).is_file() else f"{bundle}: no manifest"


def science(bundle: Path) -> dict[str, bytes]:
    """Return the scientific files of a bundle's runs by their paths."""
    runs = bundle / "runs"
    files = [path for path in sorted(runs.rglob("*")) if path.is_file() and path.name not in VOLATILE]
    return {path.relative_to(runs).as_posix(): path.read_bytes() for path in files}


class Suite:
    """A suite that runs and can be killed; nothing of it outlives the block."""

    def __init__(self, trying: Trying, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> None:
        self.checkpoints = trying.folder / bundle / ".checkpoints"
        self.runs = trying.folder / bundle / "runs"
        self.process = psutil.Popen(
            trying.command(bundle, trials), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )

    def __enter__(self) -> Suite:
        return self

    def __exit__(self, *_: object) -> None:
        family = [*self.workers(), self.process]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=30)

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        try:
            children = self.process.children(recursive=True)
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def lives(self) -> bool:
        """Whether it has not ended."""
        return bool(self.process.poll() is None)

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Wait until something holds; False where the suite ended before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.lives():
            if condition():
                return True
            if time.monotonic() > deadline:
                raise TimeoutError(f"a suite did nothing for {PATIENCE_SECONDS} s")
            time.sleep(POLL_SECONDS)
        return False

    def wait_for_epochs(self, count: int) -> bool:
        """Wait until so many epochs were written down since now."""
        seen = self._written()
        new: set[object] = set()

        def changed() -> bool:
            new.update(self._written() - seen)
            return len(new) >= count

        return self.wait_for(changed)

    def _written(self) -> set[object]:
        found: set[object] = set()
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.checkpoints):
                if not entry.name.startswith("."):
                    found.add((entry.name, entry.inode(), entry.stat().st_mtime_ns))
        return found


def try_suites(trying: Trying) -> Iterator[Outcome]:
    """Train a bundle undisturbed, then yield one outcome for each fault that a suite must survive."""
    subprocess.run(trying.command("undisturbed"), check=True, capture_output=True, timeout=PATIENCE_SECONDS)  # noqa: S603
    trying.reference = science(trying.folder / "undisturbed")
    for fault in (kill_suites, interrupt_suites, kill_workers, exhaust_memory, fill_disk):
        yield fault(trying)


def kill_suites(trying: Trying) -> Outcome:
    """Kill the coordinator again and again at random epochs of one bundle, then let it come to its end."""
    outcome = Outcome(
        "the suite killed (SIGKILL) after a random number of epochs, again and again, then called again", SAME
    )
    return _stop_again_and_again(trying, outcome, signal.SIGKILL, (*NETWORKS, *CLASSICAL))


def interrupt_suites(trying: Trying) -> Outcome:
    """Interrupt the suite in the same way."""
    outcome = Outcome("the suite interrupted (SIGINT) in the same way; its workers end with it", SAME)
    return _stop_again_and_again(trying, outcome, signal.SIGINT, ("dropout",))


def _stop_again_and_again(trying: Trying, outcome: Outcome, number: signal.Signals, trials: tuple[str, ...]) -> Outcome:
    bundle = number.name.lower()
    for _ in range(trying.times):
        with Suite(trying, bundle, trials) as suite:
            stopped = suite.wait_for_epochs(trying.source.randint(1, EPOCHS - 1))
            family = [suite.process, *suite.workers()]
            if stopped:
                suite.process.send_signal(number)
                left = psutil.wait_procs(family, timeout=END_SECONDS)[1]
                outcome.count(f"{len(left)} processes outlived the suite" if left else None)
    _count_end(outcome, trying.end(bundle, trials))
    return outcome


def kill_workers(trying: Trying) -> Outcome:
    """Kill a worker at random epochs; each run survives the first death of its worker."""
    outcome = Outcome("a worker killed (SIGKILL, as the system does when memory ends) at a random epoch", SAME)
    for place in range(max(trying.times, len(NETWORKS))):
        bundle, trial = f"worker-{place}", NETWORKS[place % len(NETWORKS)]
        with Suite(trying, bundle, (trial,)) as suite:
            if suite.wait_for_epochs(trying.source.randint(1, EPOCHS - 1)) and (workers := suite.workers()):
                workers[0].kill()
                outcome.count(None if suite.process.wait(PATIENCE_SECONDS) == 0 else f"{bundle}: the run failed")
        _count_end(outcome, trying.end(bundle, (trial,)))
    return outcome


def exhaust_memory(trying: Trying) -> Outcome:
    """Take the memory away from a suite's first worker; the run is tried again, and a failed one by the next call."""
    outcome = Outcome("no memory left in a worker (RLIMIT_AS)", f"the others go on, and with the next call {SAME}")
    import resource

    if not hasattr(resource, "prlimit"):
        return outcome
    for place in range(trying.times):
        bundle = f"memory-{place}"
        with Suite(trying, bundle, CLASSICAL) as suite:
            if suite.wait_for(suite.workers):
                worker = suite.workers()[0]
                room = worker.memory_info().vms + trying.source.randint(1, 50) * 2**20
                resource.prlimit(worker.pid, resource.RLIMIT_AS, (room, room))
                suite.process.wait(PATIENCE_SECONDS)
                done = len(list(suite.runs.glob("*/*/run.json")))
                outcome.count(None if done == len(CLASSICAL) else f"{bundle}: {done} of {len(CLASSICAL)} runs recorded")
        _count_end(outcome, trying.end(bundle, CLASSICAL))
    return outcome


def fill_disk(trying: Trying) -> Outcome:
    """Let a suite and its workers write no more than some bytes a file from a random epoch on."""
    outcome = Outcome("the disk full (RLIMIT_FSIZE) from a random epoch on", f"with the next call {SAME}")
    import resource

    if not hasattr(resource, "prlimit"):
        return outcome
    for place in range(trying.times):
        bundle, trial = f"disk-{place}", NETWORKS[place % len(NETWORKS)]
        with Suite(trying, bundle, (trial,)) as suite:
            if suite.wait_for_epochs(trying.source.randint(1, EPOCHS - 1)):
                for process in (suite.process, *suite.workers()):
                    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1000, 1000))
                outcome.count(None if suite.process.wait(PATIENCE_SECONDS) == 1 else f"{bundle}: no error was told")
        _count_end(outcome, trying.end(bundle, (trial,)))
    return outcome


def _count_end(outcome: Outcome, loss: str | None) -> None:
    """Note what was lost in the end; it is the end of the faults that were counted before, none of its own."""
    if loss is not None:
        outcome.lost.append(loss)
