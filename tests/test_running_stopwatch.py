"""Real measurements in processes of their own: what comes back, what is left behind, and what the command says."""

import os
import shutil
import signal
import time

import psutil
import pytest
from command import TRAINING_ALONE, Suite, call, contents, is_one_sentence
from networks import small_trial
from timing_cases import CENTROID

from cifar_report.bundle import Bundle
from cifar_report.bundle.bundle import TIMING_FILE
from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.running.environment import available_cores
from cifar_report.running.measuring import MODULE, MeasurementError, Stopwatch, measure_group
from cifar_report.running.stopwatch import Reading, Request, decode_request, encode_request
from cifar_report.spec import Augmentation, ClassicalTrial, Dropout, Stage

CORES = tuple(available_cores())
PLAIN = ("--profile", "smoke", "--seeds", "1", "--only", "nearest_centroid", "--bundle", "bundle")
TIMED = (*PLAIN, "--timing")


@pytest.fixture
def request_of(dataset):
    """Return a function that makes a request for a tiny measurement."""

    def make(trial, **changes):
        several = not isinstance(trial, ClassicalTrial) and trial.strategy == "mirrored"
        fields = {
            "trial": trial,
            "dataset": dataset,
            "fraction": 1.0,
            "counts": (60, 20, 20),
            "portions": 3,
            "portion_steps": 2,
            "prepared_on": CORES[:1],
            "timed_on": CORES if several else CORES[-1:],
            "available": CORES,
        }
        return Request(**(fields | changes))

    return make


def stopwatches() -> list[psutil.Process]:
    """Return the processes below this one that measure, or prepare to."""
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if MODULE in process.cmdline():
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_request_survives_the_way_to_its_process(request_of):
    """What is decoded there equals what was encoded here, and is one line."""
    line = encode_request(request_of(small_trial(Dropout(0.5))))
    assert decode_request(line) == request_of(small_trial(Dropout(0.5)))
    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")


def test_each_kind_of_trial_is_measured(request_of):
    """A network, a mirrored one with augmentation and a classifier give their seconds; no process is left."""
    augmented = small_trial(strategy="mirrored", stages=[Stage(epochs=1, augmentation=Augmentation())])
    requests = [request_of(trial) for trial in (small_trial(Dropout(0.5)), augmented, CENTROID)]
    network, mirrored, classical = measure_group(requests)
    for reading, replicas in ((network, 1), (mirrored, 2)):
        assert (reading.replicas, reading.steps, len(reading.portions)) == (replicas, 6, 3)
        assert min(reading.portions) > 0
        assert 2e8 < reading.peak_memory_bytes < 2.5e9
    assert (classical.steps, classical.portions) == (0, ())
    assert min(classical.fit_seconds, classical.predict_seconds) > 0
    for reading in (network, mirrored, classical):
        assert 0 <= reading.steal <= 1
        assert 0 < reading.processor_share < 2 * len(CORES)
        assert 0 <= reading.other_work < len(CORES) + 1
    assert stopwatches() == []


def test_who_waits_for_the_turn_sleeps(request_of):
    """A process that is ready uses no processor time until it is told to measure, and then the timed cores alone."""
    with Stopwatch(request_of(CENTROID, prepared_on=CORES[:1], timed_on=CORES[-1:])) as stopwatch:
        stopwatch.wait()
        (process,) = stopwatches()
        assert process.cpu_affinity() == [CORES[0]]
        before = process.cpu_times()
        time.sleep(0.5)
        after = process.cpu_times()
        assert after.user + after.system - before.user - before.system <= 0.02
        assert isinstance(stopwatch.measure(), Reading)
    assert stopwatches() == []


def test_a_measurement_that_raises_says_why(request_of):
    """The last line of its traceback comes back, and the one beside it is measured."""
    broken = request_of(CENTROID, counts=(60, 20, 1))
    failed, reading = measure_group([broken, request_of(CENTROID)])
    assert isinstance(failed, MeasurementError)
    assert str(failed).startswith("ValueError: 1 test images asked for")
    assert isinstance(reading, Reading)


def test_a_measurement_that_is_killed_is_an_error(request_of):
    """A process that dies while it waits, as when memory runs out, is told and stops nothing."""
    with Stopwatch(request_of(CENTROID)) as stopwatch:
        stopwatch.wait()
        stopwatches()[0].kill()
        with pytest.raises(MeasurementError):
            stopwatch.measure()


@pytest.fixture(scope="module")
def trained(tmp_path_factory, data_words):
    """Return a bundle in which nothing is left to train."""
    folder = tmp_path_factory.mktemp("trained")
    called = call("run", *PLAIN, *data_words, cwd=folder, command=TRAINING_ALONE)
    assert called.status == 0, called.err
    assert "timing" not in called.out
    return folder / "bundle"


@pytest.fixture
def finished(trained, in_folder):
    """Return a copy of that bundle in a folder of its own."""
    return shutil.copytree(trained, in_folder / "bundle")


def test_timing_alone_runs_on_a_finished_bundle(finished, in_folder, data_words):
    """--timing adds the pass and nothing else, the manifest covers it, and the next call finds it finished."""
    runs = contents(finished / "runs")
    asked = call("status", *TIMED, *data_words, cwd=in_folder)
    assert "timing pass" in asked.out
    assert "would run: not run yet" in asked.out
    called = call("run", *TIMED, *data_words, cwd=in_folder, command=TRAINING_ALONE)
    assert called.status == 0, called.err
    assert "the timing pass is finished" in called.out
    assert "block 2 of 2 is measured" in called.out
    assert contents(finished / "runs") == runs
    assert f"  {TIMING_FILE}\n" in (finished / MANIFEST_FILE).read_text()
    bundle = Bundle.load(finished)
    assert [(each.trial, each.block) for each in bundle.timing_pass.measurements] == [
        ("nearest_centroid", 0),
        ("nearest_centroid", 1),
    ]
    assert all(each.attempts <= 2 for each in bundle.timing_pass.measurements)
    assert all(each.peak_memory_bytes for each in bundle.timing_pass.measurements)
    again = call("run", *TIMED, *data_words, cwd=in_folder, command=TRAINING_ALONE)
    assert again.out.startswith("all 1 runs are finished already")
    assert "finished" in call("status", *TIMED, *data_words, cwd=in_folder).out


def test_nothing_is_timed_unasked_in_smoke(finished, in_folder, data_words):
    """The smoke profile has no pass of its own, and where nothing of --only is timed, asking for it is an error."""
    assert "timing" not in call("status", *PLAIN, *data_words, cwd=in_folder).out
    refused = call("run", *TIMED, "--only", "dropout", *data_words, cwd=in_folder)
    assert refused.status == 2
    assert is_one_sentence(refused.err)
    assert "none of these trials is timed" in refused.err
    assert not (finished / TIMING_FILE).exists()


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="signals to a group are those of Unix")
@pytest.mark.parametrize(
    ("number", "status"),
    [
        (signal.SIGINT, 130),
        pytest.param(signal.SIGTERM, 130, marks=pytest.mark.long),  # goes the way of Ctrl-C
        (signal.SIGKILL, -9),
    ],
)
@pytest.mark.usefixtures("finished")
def test_whatever_ends_the_pass_leaves_no_process(in_folder, data_words, number, status):
    """After Ctrl-C, a polite request to end, and a kill, no measuring process lives on, and the lock is free."""
    with Suite(*TIMED, *data_words, cwd=in_folder) as running:
        measuring = running.wait_for(stopwatches, "a measurement")
        os.killpg(running.process.pid, number)
        assert running.end().status == status
        assert psutil.wait_procs(measuring, timeout=10)[1] == []
        assert stopwatches() == []
    assert "would run" in call("status", *TIMED, *data_words, cwd=in_folder).out
