"""Runs on a Dask cluster of this machine: what kills its parts in turn costs nothing that was finished."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from io import StringIO
from pathlib import Path

import psutil
import pytest
from command import COMMAND, PATIENCE, ROOT, environment, is_one_sentence
from rich.console import Console
from test_cluster import RUNS, Writer, answer

from cifar_report.bundle import Bundle
from cifar_report.running.cluster import dask_cluster, train_on_cluster
from cifar_report.running.plan import PlannedRun

pytestmark = pytest.mark.long
pytest.importorskip("distributed")
WORDS = ("--profile", "smoke", "--seeds", "1", "--only", "baseline,dropout,nearest_centroid", "--data", "synthetic")
WITH_TESTS = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
SCIENTIFIC = {"run.json", "predictions.npz", "weights.npz", "kernels.npz"}


def wait_for(condition, what):
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.05)
    return found


class Processes:
    """A scheduler, its workers and coordinators on 127.0.0.1; all are ended by their ids with the test."""

    def __init__(self, folder):
        self.folder, self.file, self.all = folder, folder / "scheduler.json", []
        self.scheduler = self.start_scheduler()

    def start_scheduler(self):
        """Start a scheduler and wait for its file."""
        self.file.unlink(missing_ok=True)
        words = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", str(self.file))
        self.scheduler = self._start("engine.log", "-m", "dask", "scheduler", *words)
        wait_for(self.file.exists, "the scheduler")
        return self.scheduler

    def worker(self, **variables):
        """Start a worker of one thread."""
        words = ("--nthreads", "1", "--memory-limit", "0", "--no-dashboard", "--no-nanny", "--host", "127.0.0.1")
        program = ("-m", "dask", "worker", "--scheduler-file", str(self.file), *words)
        return self._start("engine.log", *program, TMPDIR=str(self.folder), CIFAR10_DIR=None, **variables)

    def suite(self):
        """Start a suite on ``bundle``."""
        return self._start("suite.log", *COMMAND, "run", *WORDS, "--bundle", "bundle", "--dask", str(self.file))

    def _start(self, log, *words, **variables):
        with (self.folder / log).open("ab") as stream:
            started = subprocess.Popen(
                [sys.executable, "-u", *words],
                env=environment(**{"PYTHONPATH": WITH_TESTS} | variables),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=stream,
            )
        self.all.append(psutil.Process(started.pid))
        self.all[-1].wait = started.wait  # the exit status is its parent's to know
        return self.all[-1]

    @property
    def said(self):
        """Return what the suites have printed."""
        return (self.folder / "suite.log").read_text()

    def child(self, *workers):
        """Wait for a process that trains below one of these workers, and return it."""

        def found():
            children = [child for worker in workers for child in worker.children() if worker.is_running()]
            return [child for child in children if "running.workers" in " ".join(child.cmdline())]

        return wait_for(found, "a child")[0]

    def end(self):
        """Kill what is left."""
        for process in self.all:
            if process.is_running():
                process.kill()
            process.wait()


@pytest.fixture
def processes(tmp_path):
    """Return a scheduler without workers."""
    started = Processes(tmp_path)
    yield started
    started.end()


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Return the scientific files of the suite on this machine's own workers."""
    folder = tmp_path_factory.mktemp("local")
    done = subprocess.run(
        [sys.executable, *COMMAND, "run", *WORDS, "--bundle", "bundle"], cwd=folder, env=environment()
    )
    assert done.returncode == 0
    return scientific(folder)


def scientific(folder):
    """Return the scientific files of a bundle's runs."""
    found = (folder / "bundle" / "runs").rglob("*.*")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name in SCIENTIFIC}


def finish(processes, local):
    """Let a suite come to its end and compare it with the local one."""
    assert processes.suite().wait(PATIENCE) == 0, processes.said
    assert scientific(processes.folder) == local
    timings = [
        Bundle.load(processes.folder / "bundle").timing(run) for run in Bundle.load(processes.folder / "bundle").runs
    ]
    assert all(len(timing.cores) == 1 and timing.host for timing in timings)


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_a_lost_worker_and_a_lost_child_cost_nothing(processes, local, victim):
    """The run goes on elsewhere, or once more, and every scientific byte is that of the local suite."""
    workers = [processes.worker(), processes.worker()]
    suite = processes.suite()
    child = processes.child(*workers)
    (child if victim == "child" else child.parent()).kill()
    assert suite.wait(PATIENCE) == 0, processes.said
    finish(processes, local)
    assert "3 of 3 runs finished, 0 failed" in processes.said
    assert "all 3 runs are finished already" in processes.said


@pytest.mark.parametrize("victim", ["coordinator", "scheduler"])
def test_what_is_finished_outlives_coordinator_and_scheduler(processes, local, victim):
    """The next call goes on; nothing is recorded as failed, and the lost scheduler is told in a sentence."""
    workers = [processes.worker()]
    suite = processes.suite()
    wait_for(lambda: "[1/3]" in processes.said, "the first run")
    processes.child(*workers)
    if victim == "coordinator":
        suite.kill()
        suite.wait()
        assert len(list((processes.folder / "bundle").rglob("run.json"))) == 1
    else:
        processes.scheduler.kill()
        assert suite.wait(PATIENCE) == 1
        error = processes.said.splitlines()[-1]
        assert error.startswith("cifar-report: the scheduler tcp://127.0.0.1:")
        assert error.endswith("was lost; every finished run is kept, and the same call goes on from here")
        assert "Traceback" not in processes.said
        processes.start_scheduler()
        workers.append(processes.worker())
    kept = {path: path.stat().st_mtime_ns for path in (processes.folder / "bundle").rglob("run.json")}
    finish(processes, local)
    assert {path: path.stat().st_mtime_ns for path in kept} == kept
    assert "2 of 2 runs finished, 0 failed" in processes.said


def test_a_worker_with_another_version_is_refused(processes, local):
    """The difference is told, nothing is recorded as failed, and a worker that fits trains everything."""
    other = processes.folder / "other" / "scikit_learn-0.1.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 0.1\n")
    path = os.pathsep.join((WITH_TESTS, str(other.parent)))
    processes.worker(PYTHONPATH=path)
    suite = processes.suite()
    assert suite.wait(PATIENCE) == 1, processes.said
    assert "no worker is left: the worker on " in processes.said
    assert "version of scikit-learn is 0.1, not " in processes.said
    assert not list((processes.folder / "bundle").rglob("run.json"))
    processes.worker(PYTHONPATH=path)
    processes.worker()
    finish(processes, local)


def stub(request):
    """Answer after a moment, as a run would."""
    time.sleep(1)
    return answer(request)


def test_twenty_runs_outlive_three_killed_workers(processes):
    """Each of them is kept once, though workers are killed at work and others join late."""
    runs = [PlannedRun(RUNS[0].trial, seed, 1.0) for seed in range(20)]
    for _ in range(4):
        processes.worker()
    writer, shown = Writer(), StringIO()
    keep, victims = writer.keep, processes.all[1:4]

    def kill(*arguments):
        said = keep(*arguments)
        if victims and len(writer.kept) % 3 == 0:
            victims.pop().kill()
            processes.worker()
        return said

    writer.keep = kill
    with dask_cluster(str(processes.file)) as cluster:
        train_on_cluster(replace(cluster, function=stub), writer, runs, Console(file=shown, width=200))
    assert sorted(writer.kept) == sorted(run.id for run in runs)
    assert victims == []
    assert "given up" not in shown.getvalue()


def test_a_scheduler_that_is_not_there_is_named(processes):
    """One sentence, and the exit status of bad usage."""
    processes.scheduler.kill()
    assert processes.suite().wait(PATIENCE) == 2
    assert is_one_sentence(processes.said)
    assert "no scheduler answers" in processes.said
