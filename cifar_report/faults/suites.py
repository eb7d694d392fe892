"""Kills suites and workers, exhausts memory and disk, and compares what comes out with an undisturbed suite."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator

import psutil

from cifar_report.bundle import read_run
from cifar_report.faults.longer import EPOCHS
from cifar_report.faults.outcome import Outcome
from cifar_report.faults.trying import CLASSICAL, NETWORKS, PATIENCE_SECONDS, Suite, Trying, science

NETWORK_ROOM = (2**30, 9 * 2**28)  # bytes of addresses; a classifier's worker needs less, a network's more than most
END_SECONDS = 30  # far more than a suite needs to end, also where many others share the machine
SAME = f"every run, of {EPOCHS} epochs a stage, ends with the bytes of an undisturbed one"


def try_suites(trying: Trying) -> Iterator[Outcome]:
    """Train a bundle undisturbed, then yield one outcome for each fault that a suite must survive."""
    subprocess.run(  # noqa: S603 - this program itself
        trying.command("undisturbed"),
        env=trying.variables(),
        check=True,
        capture_output=True,
        timeout=PATIENCE_SECONDS,
    )
    trying.reference = science(trying.folder / "undisturbed")
    for fault in (kill_suites, interrupt_suites, kill_workers, exhaust_memory, starve_networks, fill_disk):
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


def starve_networks(trying: Trying) -> Outcome:
    """Leave a suite's processes room for a classifier and too little for a network, from its libraries on."""
    words = f"every run is recorded, a classifier's as done, and with the next call {SAME}"
    outcome = Outcome("no memory for a network in any worker (RLIMIT_AS, a random size)", words)
    import resource

    if not hasattr(resource, "prlimit"):
        return outcome
    for place in range(trying.times):
        bundle, trials = f"starved-{place}", (NETWORKS[place % len(NETWORKS)], CLASSICAL[0])
        room = trying.source.randint(*NETWORK_ROOM)
        with Suite(trying, bundle, trials) as suite:
            resource.prlimit(suite.process.pid, resource.RLIMIT_AS, (room, room))
            suite.process.wait(PATIENCE_SECONDS)
        runs = [read_run(trying.folder / bundle, run) for run in (f"{trials[0]}/seed-0", f"{trials[1]}/once")]
        recorded = runs[0] is not None and runs[1] is not None and runs[1].done
        outcome.count(None if recorded else f"{bundle}: a run was not recorded, or the classifier failed")
        _count_end(outcome, trying.end(bundle, trials))
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
