"""The suite with real workers: deaths, failures, full disks, Ctrl-C, and going on."""

import dataclasses
import math
import os
import signal
import stat
import sys
import tempfile
from io import StringIO
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest
from command import contents, is_one_sentence
from conftest import ONE_WORKER
from msgspec import structs
from networks import RECORD, small_trial
from rich.console import Console

from cifar_report.bundle import Bundle, Run, RunTiming
from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.cli import main
from cifar_report.commands import suite as commands
from cifar_report.running import scheduler
from cifar_report.running.plan import PlannedRun
from cifar_report.running.runs import Answer, RunRequest
from cifar_report.running.scheduler import train_runs
from cifar_report.running.suite import hold
from cifar_report.running.workers import MOST_LOG_BYTES
from cifar_report.spec import PROFILES, ClassicalTrial, NearestCentroid

resource = pytest.importorskip("resource", reason="limits and signals are those of Unix")
LINUX = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits are Linux's")
CLASSICAL = "nearest_centroid,nearest_neighbor_1,nearest_neighbor_3"
CENTROID, OTHER = (
    PlannedRun(ClassicalTrial(id=name, title="Centroid", method=NearestCentroid()), None, 1.0)
    for name in ("centroid", "other")
)
TINY = structs.replace(PROFILES["smoke"], counts=(50, 20, 20))


@pytest.mark.long
def test_a_worker_that_dies_is_replaced_and_its_run_tried_once_more(suite, in_folder):
    """A run whose worker is killed twice is recorded as failed, one whose worker is killed once is done.

    The others go on, and the exit status is 1.
    """
    running, seen = suite(CLASSICAL), set()
    for _ in range(3):  # twice in the first run, once in the second
        worker = running.wait_for_worker(other_than=seen)
        seen.add(worker.pid)
        worker.kill()
    ended = running.end()
    assert (ended.status, ended.out.count("/once: its worker died; a new one tries once more")) == (1, 2)
    assert "2 of 3 runs finished, 1 failed" in ended.out
    runs = {run.trial.id: run for run in Bundle.load(in_folder / "bundle").runs}
    assert [name for name in CLASSICAL.split(",") if runs[name].done] == CLASSICAL.split(",")[1:]
    assert (failed := runs["nearest_centroid"]).files == {}
    assert "died twice" in failed.error


@LINUX
def test_a_disk_that_fills_keeps_every_finished_run(suite, in_folder):
    """When the disk takes no more, the suite ends with status 1 and a sentence; finished runs are whole."""
    running = suite(CLASSICAL)
    running.wait_for(lambda: "[1/3]" in running.out, "the first run")
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (250, 250))  # room for the sentence itself
    ended = running.end()
    assert ended.status == 1
    assert is_one_sentence(ended.err)
    assert "every finished run is kept" in ended.err
    bundle = Bundle.load(in_folder / "bundle")
    assert 1 <= len(bundle.runs) < 3
    assert all(run.done and bundle.predictions(run).predicted is not None for run in bundle.runs)
    assert not list((in_folder / "bundle").rglob("*.part"))
    assert not (in_folder / "bundle" / MANIFEST_FILE).exists()


def give_up_the_powers_of_root() -> None:
    """Let permissions count for root as well (Linux: without CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH)."""
    import ctypes

    if sys.platform == "linux":
        for power in (1, 2):
            ctypes.CDLL(None).prctl(24, power)


def test_a_folder_without_write_permission_is_a_sentence(run, in_folder):
    """A folder that may not be written to gives status 1 and one sentence, and stays empty."""
    if os.getuid() == 0 and sys.platform != "linux":
        pytest.skip("root may write everywhere")
    (in_folder / "bundle").mkdir()
    (in_folder / "bundle").chmod(stat.S_IRUSR | stat.S_IXUSR)
    called = run("nearest_centroid", prepare=give_up_the_powers_of_root)
    (in_folder / "bundle").chmod(stat.S_IRWXU)
    assert called.status == 1
    assert is_one_sentence(called.err)
    assert "Permission denied" in called.err
    assert contents(in_folder / "bundle") == {}


def test_nothing_outlives_a_suite_that_was_killed(suite, in_folder, suite_data, capsys):
    """When the suite itself is killed, its workers end by themselves and the lock is free."""
    running = suite("model_2")
    worker = running.wait_for_worker()
    family = running.process.children(recursive=True)
    running.process.kill()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert worker.pid not in {process.pid for process in alive}
    assert alive == []
    words = ("--profile", "smoke", "--seeds", "1", "--only", "model_2", "--bundle", "bundle", *suite_data)
    assert main(("status", *words)) == 0
    assert "model_2/seed-0" in capsys.readouterr().out
    with hold(in_folder / "bundle"):
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.long)])
def test_an_interrupt_while_a_worker_starts_is_quiet(suite, number):
    """Ctrl-C, or a batch system's request to end, leaves no process and one sentence, also at the very beginning."""
    running = suite("baseline")
    running.wait_for_worker()
    family = running.process.children(recursive=True)
    os.killpg(running.process.pid, number)
    ended = running.end()
    assert ended.status == 130
    assert is_one_sentence(ended.err)
    assert psutil.wait_procs(family, timeout=3)[1] == []


def test_a_bundle_has_one_suite_at_a_time_which_tidies_up(run, in_folder, suite_data, capsys, monkeypatch):
    """A second suite is refused with the number of the first one's process; the lock goes with its holder.

    What a killed suite left goes with the next call, also with one that has nothing to train, unless another suite
    holds the bundle: then it is at work.
    """
    monkeypatch.setattr(commands, "derive", lambda _: None)  # tables and plots
    folder, words = in_folder / "bundle", ("run", *ONE_WORKER, "--only", "nearest_centroid", *suite_data)
    with hold(folder):
        assert main(words) == 1
        err = capsys.readouterr().err
        assert is_one_sentence(err)
        assert f"another suite (process {os.getpid()}) is working on bundle: wait for it or stop it" in err
        assert [path.name for path in folder.iterdir()] == [".lock"]
    (folder / ".bundle.json.0123abcd.part").write_bytes(b"ha")  # killed before it had written its plan
    after = run("nearest_centroid")
    assert after.status == 0
    assert "is not installed, so there are no tables and plots" in " ".join(after.err.split())
    assert not list(folder.rglob("*.part"))
    (folder / ".rerun.x.0123abcd.part" / "runs" / ".seed-0.0123abcd.old.part").mkdir(parents=True)
    with hold(folder):
        assert main(words) == 0
        assert list(folder.glob(".rerun.*"))
    assert main(words) == 0
    assert capsys.readouterr().out.count("finished already") == 2
    assert not list(folder.rglob("*.part"))


@pytest.fixture
def request_of(dataset, tmp_path):
    path = tmp_path / "checkpoint.npz"
    fixed = {"profile": TINY, "dataset": RECORD, "key_parts": {}, "data": dataset, "checkpoint": path}
    return lambda planned: RunRequest(trial=planned.trial, seed=planned.seed, **fixed)


class Writer:
    """Stands where the bundle is: makes requests, and remembers the record and the answer for each run."""

    def __init__(self, make_request, folder) -> None:
        self.request, self.folder, self.written = make_request, folder, {}

    def keep(self, run, answer) -> str:
        self.written[run.id] = msgspec.json.decode(answer.run, type=Run | None), answer
        return "written"


def carry_out(runs, make_request, *, fresh=False) -> tuple[dict[str, tuple[Run, Answer]], str]:
    """Carry out runs by one worker; return the record and the answer for each, and what a person saw."""
    with tempfile.TemporaryDirectory() as folder:
        writer, out = Writer(make_request, Path(folder)), StringIO()
        with scheduler.local_workers(Path(folder), 1, len(runs), fresh=fresh) as workers:
            train_runs(workers, writer, runs, Console(file=out, width=200))
        assert list(Path(folder).iterdir()) == []
    return writer.written, out.getvalue()


def test_a_classifier_shows_no_loss_that_it_does_not_have():
    """On a terminal the display says what is at work, and nothing of losses that are no number."""
    out = StringIO()
    epoch = SimpleNamespace(stage="fit", epoch=1, epochs=1, epochs_before=0, loss=math.nan, val_accuracy=math.nan)
    with scheduler.Display(Console(file=out, width=200, force_terminal=True), [CENTROID]) as display:
        display.at_work(CENTROID, "1", None)
        display.at_work(CENTROID, "1", epoch)
    assert f"1: {CENTROID.id}: fit, epoch 1 of 1" in out.getvalue()
    assert "nan" not in out.getvalue()


class Deadly:
    """Brings the process down that receives it as a library does, after it printed more than a log holds."""

    def __reduce__(self):
        words = f"import os; print('x' * {MOST_LOG_BYTES + 10}); print('last words', flush=True); os.abort()"
        return exec, (words,)


def test_a_worker_that_dies_twice_leaves_its_last_words(request_of, dataset):
    """How it ended and the end of what it printed are kept, with the line where it was; the next run goes on."""
    make = lambda run: structs.replace(request_of(run), data=Deadly() if run is CENTROID else dataset)  # noqa: E731
    written, said = carry_out([CENTROID, OTHER], make)
    failed, answer = written["centroid/once"]
    assert failed.error.startswith("The worker process died twice, the second time by SIGABRT;")
    assert len(answer.log) == MOST_LOG_BYTES
    assert b"x\nlast words\n" in answer.log
    assert b"Fatal Python error: Aborted" in answer.log
    assert said.count("its worker died; a new one tries once more") == 1
    assert written["other/once"][0].error is None


def test_a_run_that_raises_costs_itself_alone(request_of, dataset, tmp_path):
    """Its traceback is the result; the next run is carried out, measured, and has a log of its own."""
    lost = dataclasses.replace(dataset, folder=tmp_path)
    make = lambda run: structs.replace(request_of(run), data=lost if run is CENTROID else dataset)  # noqa: E731
    written, _ = carry_out([CENTROID, OTHER], make)
    failed, (done, answer) = written["centroid/once"][0], written["other/once"]
    assert failed.error.startswith("Traceback")
    assert done.classical.training_images == 50
    timing = msgspec.json.decode(answer.timing, type=RunTiming)
    assert timing.peak_memory_bytes >= answer.memory_bytes > 0
    assert len(timing.cores) == (1 if hasattr(os, "sched_setaffinity") else 0)
    assert answer.log.startswith(b"other: fitted on 50 images")


class FakeWorker:
    """A worker without a process: every call is answered at once, and what happens is written down."""

    history: list[str]
    alive = property(lambda self: "then dies" not in self.history[-1])

    def __init__(self, cores, _folder, _card=None):
        self.history.append(f"start on {cores}")

    def call(self, _function, request, _report):
        self.history.append(request)
        return Answer(b"null", {} if "fails" in request else {"predictions.npz": b""})

    def log(self):
        return b""

    kill = close = lambda _: None


@pytest.mark.parametrize(
    ("requests", "fresh", "history"),
    [
        (["a", "b"], False, ["start on (0,)", "a", "b"]),
        (["a", "b"], True, ["start on (0,)", "a", "start on (0,)", "b"]),
        (["a, then dies", "b"], False, ["start on (0,)", "a, then dies", "start on (0,)", "b"]),
        (["a fails", "b"], False, ["start on (0,)", "a fails", "start on (0,)", "b"]),
        (["a", "mirrored b", "mirrored c"], False,
         ["start on (0,)", "a", "start on (0, 1)", "mirrored b", "start on (0, 1)", "mirrored c"]),
    ],
    ids=["reused", "fresh", "died idle", "failed", "mirrored"],
)  # fmt: skip
def test_which_runs_share_a_worker(monkeypatch, requests, fresh, history):
    """Runs share a worker, but for mirrored ones, those behind a failed or dead one, and where each has its own."""
    FakeWorker.history = []
    monkeypatch.setattr(scheduler, "PinnedWorker", FakeWorker)
    strategies = ["mirrored" if "mirrored" in request else "single" for request in requests]
    runs = [PlannedRun(small_trial(strategy=each), seed, 1.0) for seed, each in enumerate(strategies)]
    monkeypatch.setattr(scheduler, "available_cores", lambda: [0, 1])
    written, _ = carry_out(runs, lambda run: requests[run.seed], fresh=fresh)
    assert FakeWorker.history == history
    assert len(written) == len(runs)
