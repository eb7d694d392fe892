"""Runs on a Dask cluster of this machine: what kills its parts in turn costs nothing that was finished."""

import os
import re
import sys
import time
from contextlib import suppress
from io import StringIO
from pathlib import Path
from subprocess import DEVNULL

import psutil
import pytest
from command import COMMAND, PATIENCE, ROOT, call, environment, wait_for
from rich.console import Console
from test_cluster import RUNS, Writer, answer

from cifar_report.bundle import Bundle
from cifar_report.running.cluster import dask_cluster
from cifar_report.running.plan import PlannedRun
from cifar_report.running.scheduler import train_runs

pytestmark = pytest.mark.long
pytest.importorskip("distributed")
WORDS = ("--profile", "smoke", "--seeds", "1", "--only", "baseline,dropout,nearest_centroid", "--data", "synthetic",
    "--bundle", "bundle")  # fmt: skip
WITH_TESTS = os.pathsep.join((str(ROOT), str(Path(__file__).parent)))
SCIENTIFIC = {"run.json", "predictions.npz", "weights.npz", "kernels.npz"}


class Processes:
    """A scheduler, its workers and coordinators on 127.0.0.1; all are ended by their ids with the test."""

    def __init__(self, folder):
        self.folder, self.file, self.all = folder, folder / "scheduler.json", []

    def scheduler(self):
        self.file.unlink(missing_ok=True)
        started = self._start("engine.log", "-m", "dask", "scheduler", "--port", "0", *self._here())
        wait_for(self.file.exists, "the scheduler")
        return started

    def worker(self, **variables):
        words = ("-m", "dask", "worker", "--nthreads", "1", "--memory-limit", "0", "--no-nanny", *self._here())
        return self._start("engine.log", *words, TMPDIR=str(self.folder), CIFAR10_DIR=None, **variables)

    def suite(self, *words, **variables):
        return self._start("suite.log", *COMMAND, "run", *WORDS, "--dask", str(self.file), *words, **variables)

    def _here(self):
        return "--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self.file)

    def _start(self, log, *words, **variables):
        variables = environment(**{"PYTHONPATH": WITH_TESTS} | variables)
        with (self.folder / log).open("ab") as out:
            command = [sys.executable, "-u", *words]
            self.all.append(
                psutil.Popen(command, env=variables, cwd=self.folder, stdin=DEVNULL, stdout=out, stderr=out)
            )
        return self.all[-1]

    @property
    def said(self):
        return (self.folder / "suite.log").read_text()

    def child(self, *workers):
        """Wait for a process that trains below one of these workers, and return it."""

        def found():
            with suppress(psutil.Error):  # a process that has just ended
                children = [child for worker in workers for child in worker.children()]
                return [child for child in children if "running.workers" in " ".join(child.cmdline())]

        return wait_for(found, "a child")[0]


@pytest.fixture
def processes(tmp_path):
    started = Processes(tmp_path)
    yield started
    for process in started.all:
        with suppress(psutil.NoSuchProcess):
            process.kill()
        process.wait()


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    folder = tmp_path_factory.mktemp("local")
    assert call("run", *WORDS, cwd=folder).status == 0
    return scientific(folder)


def scientific(folder):
    found = (folder / "bundle" / "runs").rglob("*.*")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found if path.name in SCIENTIFIC}


def finish(processes, local):
    """Let a suite come to its end and compare it with the local one."""
    assert processes.suite().wait(PATIENCE) == 0, processes.said
    assert scientific(processes.folder) == local
    bundle = Bundle.load(processes.folder / "bundle")
    assert all(len(bundle.timing(run).cores) == 1 and bundle.timing(run).host for run in bundle.runs)


@pytest.mark.parametrize("victim", ["worker", "child"])
def test_a_lost_worker_and_a_lost_child_cost_nothing(processes, local, victim):
    """The run goes on elsewhere, or once more, and every scientific byte is that of the local suite."""
    processes.scheduler()
    workers = [processes.worker(), processes.worker()]
    suite = processes.suite("--progress", "table", FORCE_COLOR="1", COLUMNS="150")  # as on a terminal
    child = processes.child(*workers)
    (child if victim == "child" else child.parent()).kill()
    assert suite.wait(PATIENCE) == 0, processes.said
    finish(processes, local)
    assert "3 of 3 runs finished, 0 failed" in processes.said
    assert re.search("core [0-9]+: dropout/seed-0: training, epoch 1 of 1, loss [0-9]", processes.said)
    assert "all 3 runs are finished already" in processes.said


@pytest.mark.parametrize("victim", ["coordinator", "scheduler"])
def test_what_is_finished_outlives_coordinator_and_scheduler(processes, local, victim):
    """The next call goes on; nothing is recorded as failed, and the lost scheduler is told in a sentence."""
    scheduler, worker, suite = processes.scheduler(), processes.worker(), processes.suite()
    wait_for(lambda: "[1/3]" in processes.said, "the first run")
    processes.child(worker)
    if victim == "coordinator":
        suite.kill()
        suite.wait()
        assert len(list((processes.folder / "bundle").rglob("run.json"))) == 1
    else:
        scheduler.kill()
        assert suite.wait(PATIENCE) == 1
        error = processes.said.splitlines()[-1]
        assert error.startswith("cifar-report: the scheduler tcp://127.0.0.1:")
        assert error.endswith("was lost; every finished run is kept, and the same call goes on from here")
        assert "Traceback" not in processes.said
        assert processes.suite().wait(PATIENCE) == 2
        assert "no scheduler answers" in processes.said.splitlines()[-1]
        processes.scheduler()
        processes.worker()
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
    processes.scheduler()
    processes.worker(PYTHONPATH=path)
    assert processes.suite().wait(PATIENCE) == 1, processes.said
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
    processes.scheduler()
    victims = [processes.worker() for _ in range(4)][1:]
    writer, shown = Writer(), StringIO()
    keep = writer.keep

    def kill(*arguments):
        said = keep(*arguments)
        if victims and len(writer.kept) % 3 == 0:
            victims.pop().kill()
            processes.worker()
        return said

    writer.keep = kill
    with dask_cluster(str(processes.file), stub) as workers:
        train_runs(workers, writer, runs, Console(file=shown, width=200))
    assert sorted(writer.kept) == sorted(run.id for run in runs)
    assert victims == []
    assert "given up" not in shown.getvalue()
