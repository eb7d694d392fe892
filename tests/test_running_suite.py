"""The suite with real workers: deaths, failures, full disks, Ctrl-C, and going on."""

import errno
import os
import shutil
import signal
import stat
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from command import call, contents, is_one_sentence

from cifar_report.bundle import Bundle, read_run
from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.running.execution import Execution
from cifar_report.running.lanes import Lane
from cifar_report.running.lock import hold
from cifar_report.running.log import MOST_LOG_BYTES
from cifar_report.running.plan import PlannedRun
from cifar_report.running.worker import Failure, Product, Task
from cifar_report.spec import ClassicalTrial, NearestCentroid

resource = pytest.importorskip("resource", reason="limits and signals are those of Unix")
LINUX = pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process's limits are Linux's")
CLASSICAL = "nearest_centroid,nearest_neighbor_1,nearest_neighbor_3"
CENTROID = ClassicalTrial(id="centroid", title="Centroid", method=NearestCentroid())


def test_a_worker_that_dies_is_replaced_and_its_run_tried_once_more(suite, in_folder):
    """A run whose worker is killed twice is recorded as failed, one whose worker is killed once is done.

    The others go on, and the exit status is 1.
    """
    running = suite(CLASSICAL)
    seen = set()
    for _ in range(3):  # twice in the first run, once in the second
        worker = running.wait_for_worker(other_than=seen)
        seen.add(worker.pid)
        worker.kill()
    ended = running.end()
    assert ended.status == 1
    lines = ended.out.splitlines()
    assert [line for line in lines if "its worker died" in line] == [
        f"{name}/once: its worker died; a new one tries once more" for name in CLASSICAL.split(",")[:2]
    ]
    assert "2 of 3 runs finished, 1 failed" in ended.out
    bundle = Bundle.load(in_folder / "bundle")
    assert [run.trial.id for run in bundle.runs if run.done] == CLASSICAL.split(",")[1:]
    failed = read_run(in_folder / "bundle", "nearest_centroid/once")
    assert (failed.status, failed.stages, failed.files) == ("failed", (), {})
    assert "died twice" in failed.error


def test_a_run_that_raises_is_recorded_and_tried_again_by_the_next_call(suite, run, in_folder, monkeypatch, dataset):
    """An error inside a run is stored with its traceback, the other runs go on, and the next call repeats it."""
    cache = copy_cache(dataset, in_folder / "cache")
    monkeypatch.setenv("CIFAR_REPORT_CACHE", str(cache))
    running = suite(CLASSICAL)
    running.wait_for(lambda: "[1/3]" in running.out, "the first run")
    for labels in cache.rglob("labels.npy"):
        labels.rename(labels.with_suffix(".away"))
    ended = running.end()
    assert ended.status == 1
    assert "[3/3] nearest_neighbor_3/once: failed: FileNotFoundError" in ended.out
    assert "tracebacks" in ended.err
    failed = read_run(in_folder / "bundle", "nearest_neighbor_3/once")
    assert failed.status == "failed"
    assert failed.error.startswith("Traceback")
    assert read_run(in_folder / "bundle", "nearest_centroid/once").done
    for labels in cache.rglob("labels.away"):
        labels.rename(labels.with_suffix(".npy"))
    again = run(CLASSICAL)
    assert again.status == 0
    assert "is not installed, so the bundle gets no tables and plots" in " ".join(again.err.split())
    assert "nearest_centroid" not in again.out
    assert all(each.done for each in Bundle.load(in_folder / "bundle").runs)


def copy_cache(dataset, folder: Path) -> Path:
    """Return a cache of its own that holds the dataset, without copying its images where that is possible."""
    cache = dataset.folder.parent.parent

    def link(source, target):
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)

    shutil.copytree(cache / "sources", folder / "sources", dirs_exist_ok=True)
    shutil.copytree(dataset.folder, folder / dataset.folder.relative_to(cache), copy_function=link)
    return folder


@LINUX
def test_a_disk_that_fills_keeps_every_finished_run(suite, in_folder):
    """When the disk takes no more, the suite ends with status 1 and a sentence; finished runs are whole."""
    running = suite(CLASSICAL)
    running.wait_for(lambda: "[1/3]" in running.out, "the first run")
    resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (100, 100))
    ended = running.end()
    assert ended.status == 1
    assert is_one_sentence(ended.err)
    assert "every finished run is kept" in ended.err
    bundle = Bundle.load(in_folder / "bundle")
    assert 1 <= len(bundle.runs) < 3
    assert all(run.done and bundle.predictions(run).predicted is not None for run in bundle.runs)
    assert not list((in_folder / "bundle").rglob("*.part"))
    assert not (in_folder / "bundle" / MANIFEST_FILE).exists()


def test_a_full_disk_at_the_start_changes_nothing(run, in_folder):
    """Where not even the plan can be written, there is one sentence, status 1, and no bundle."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # noqa: E731 - runs in the new process
    called = run("nearest_centroid", prepare=limit)
    assert called.status == 1
    assert is_one_sentence(called.err)
    assert "every finished run is kept" in called.err
    assert not [path for path in (in_folder / "bundle").rglob("*") if path.name != ".lock"]


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


def test_nothing_outlives_a_suite_that_was_killed(suite, in_folder, data_words):
    """When the suite itself is killed, its workers end by themselves and the lock is free."""
    running = suite("model_2")
    worker = running.wait_for_worker()
    family = running.process.children(recursive=True)
    running.process.kill()
    _, alive = psutil.wait_procs(family, timeout=20)
    assert worker.pid not in {process.pid for process in alive}
    assert alive == []
    words = ("--profile", "smoke", "--seeds", "1", "--only", "model_2", "--bundle", "bundle", *data_words)
    assert "model_2/seed-0" in call("status", *words, cwd=in_folder).out
    with hold(in_folder / "bundle"):
        pass


def test_ctrl_c_while_a_worker_starts_is_quiet(suite):
    """Ctrl-C at the very beginning ends the suite as well, and no worker's traceback reaches the terminal."""
    running = suite("baseline")
    running.wait_for_worker()
    running.interrupt()
    ended = running.end()
    assert ended.status == 130
    assert is_one_sentence(ended.err)


class Recorder:
    """Stands where the display and the bundle are, and remembers what comes."""

    def __init__(self) -> None:
        self.kept: dict[str, Product | Failure] = {}

    def keep(self, run, product, _lane):
        """Remember what came of a run."""
        self.kept[run.id] = product
        return ""

    def started(self, *_):
        """Show nothing."""

    def epoch(self, *_):
        """Show nothing."""

    def finished(self, *_):
        """Show nothing."""

    def note(self, *_):
        """Show nothing."""


@pytest.fixture
def task(dataset, tmp_path):
    """Return a small task for a worker."""
    return Task("centroid/once", CENTROID, None, dataset, 1.0, (50, 20, 20), "key", tmp_path / "checkpoint.npz")


def test_a_lane_outlives_its_runs_failures_and_its_idle_workers_death(task):
    """A run that raises comes back with its traceback, and a worker killed between two tasks costs neither."""
    from networks import linear_trial

    lane = Lane("1", ())
    try:
        failed = lane.submit(replace(task, trial=linear_trial())).result()
        for process in lane._processes():
            process.kill()
            process.join()
        time.sleep(0.5)  # the executor notices by itself
        product = lane.submit(task).result()
    finally:
        lane.close(kill=True)
    assert failed.outcome is None
    assert "ValueError: centroid/once: a network needs a seed" in failed.error
    assert product.error is None
    assert product.outcome.classical.training_images == 50
    assert product.peak_memory_bytes >= product.memory_bytes > 0


def test_a_task_that_cannot_be_sent_is_its_runs_failure_alone(task):
    """Whatever goes wrong on the way to a worker and back is recorded for that run; the next one is carried out."""
    recorder = Recorder()
    runs = [PlannedRun(CENTROID, None, 1.0), PlannedRun(replace_id(CENTROID, "other"), None, 1.0)]

    def make(planned):
        return replace(task, run_id=planned.id, dataset=(lambda: None) if planned is runs[0] else task.dataset)

    Execution(runs, make, recorder.keep, recorder, 1, [0]).run()
    assert "pickle" in recorder.kept["centroid/once"].error
    assert recorder.kept["other/once"].error is None


def test_a_worker_that_cannot_be_started_costs_its_run_alone(task, monkeypatch):
    """Where the system gives no further process, that run is recorded as failed and the next one is carried out."""
    recorder, submit = Recorder(), Lane.submit
    runs = [PlannedRun(CENTROID, None, 1.0), PlannedRun(replace_id(CENTROID, "other"), None, 1.0)]

    def refused(lane, given):
        if given.run_id == runs[0].id:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")
        return submit(lane, given)

    monkeypatch.setattr(Lane, "submit", refused)
    Execution(runs, lambda planned: replace(task, run_id=planned.id), recorder.keep, recorder, 1, [0]).run()
    failure = recorder.kept["centroid/once"]
    assert failure.error.startswith("The worker process could not be started")
    assert "Resource temporarily unavailable" in failure.error
    assert recorder.kept["other/once"].error is None


def die() -> None:
    """Print more than a log holds, and bring the process down as a library does."""
    print("x" * (MOST_LOG_BYTES + 10))
    print("last words", flush=True)
    os.abort()


class Deadly:
    """Brings the process down that receives it."""

    def __reduce__(self):
        return die, ()


def test_a_worker_that_dies_twice_leaves_its_last_words(task):
    """How it ended and the end of what it printed are kept, with the line where it was; the next run goes on."""
    recorder = Recorder()
    runs = [PlannedRun(CENTROID, None, 1.0), PlannedRun(replace_id(CENTROID, "other"), None, 1.0)]

    def make(planned):
        return replace(task, run_id=planned.id, dataset=Deadly() if planned is runs[0] else task.dataset)

    Execution(runs, make, recorder.keep, recorder, 1, [0]).run()
    failure = recorder.kept["centroid/once"]
    assert failure.error.startswith("The worker process died twice, the second time by SIGABRT;")
    assert len(failure.log) == MOST_LOG_BYTES
    assert b"x\nlast words\n" in failure.log
    assert b"Fatal Python error: Aborted" in failure.log
    assert b"in die" in failure.log
    assert recorder.kept["other/once"].error is None


def test_a_network_without_memory_is_tried_twice_and_the_others_go_on(run, in_folder):
    """Where its library finds no room, a network's run is tried once more, then recorded; the next call trains it."""
    limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))  # noqa: E731 - runs in the new process
    called = run("baseline,nearest_centroid", prepare=limit)
    assert called.status == 1
    assert called.out.count("a new one tries once more") == 1
    assert "baseline/seed-0: failed: " in called.out
    assert "1 of 2 runs finished, 1 failed" in called.out
    bundle = Bundle.load(in_folder / "bundle")
    assert {run.trial.id: run.done for run in bundle.runs} == {"baseline": False, "nearest_centroid": True}
    assert not list((in_folder / "bundle").rglob("*.part"))


def test_what_a_killed_suite_left_goes_with_the_next_call(run, in_folder):
    """A call that has nothing to train tidies up as well, unless another one holds the bundle: then it is at work."""
    folder = in_folder / "bundle"
    folder.mkdir()
    (folder / ".bundle.json.0123abcd.part").write_bytes(b"ha")  # killed before it had written its plan
    assert run("nearest_centroid").status == 0
    assert not list(folder.rglob("*.part"))
    (folder / ".rerun.x.0123abcd.part" / "runs" / ".seed-0.0123abcd.old.part").mkdir(parents=True)
    with hold(folder):
        assert "finished already" in run("nearest_centroid").out
        assert list(folder.glob(".rerun.*"))
    assert "finished already" in run("nearest_centroid").out
    assert not list(folder.rglob("*.part"))


def replace_id(trial, name):
    """Return a trial under another id."""
    return type(trial)(id=name, title=trial.title, method=trial.method)


def test_sigterm_ends_the_suite_like_ctrl_c(suite):
    """A polite request to end, as a batch system sends it, keeps what is finished and leaves no process."""
    running = suite("model_2")
    running.wait_for_worker()
    family = running.process.children(recursive=True)
    running.process.send_signal(signal.SIGTERM)
    assert running.end().status == 130
    assert psutil.wait_procs(family, timeout=3)[1] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_while_a_worker_is_started_waits_until_it_is_started(number):
    """An executor that is stopped half started can be neither used nor shut down, so the signal is held back."""
    from cifar_report.running import lanes

    steps = []

    class Starting:
        def submit(self, *_):
            signal.raise_signal(number)
            steps.append("started")

    def interrupt(*_):
        steps.append("interrupted")

    before = signal.signal(number, interrupt)
    try:
        lanes._submit(Starting(), None)
        assert signal.getsignal(number) is interrupt
    finally:
        signal.signal(number, before)
    assert steps == ["started", "interrupted"]
