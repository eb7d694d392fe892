"""What the smoke bundle shows, and what becomes of it when the suite is called again."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from command import HOSTILE, TRAINING_ALONE, call, contents, environment, is_one_sentence

from cifar_report.bundle import Bundle
from cifar_report.running.environment import processor_name

KERAS = {
    "floatx": "float64", "epsilon": 0.5, "backend": "jax", "image_data_format": "channels_first", "nnx_enabled": True,
    "max_epochs": 0, "max_steps_per_epoch": 0,
}  # fmt: skip
STRANGE = "b-{epoch}{x}{ %s%(x)d [bold] :smile: ärger \u202e\U0001d518'\"$HOME"


@pytest.fixture
def suite_data(data_words):
    """Return the words for the data of the smoke bundle, with which runs are compared."""
    return data_words


@pytest.mark.long
def test_ctrl_c_keeps_what_is_finished_and_the_next_call_goes_on(suite, in_folder, data_words, smoke):
    """Ctrl-C ends all in 3 seconds; the next call, in a hostile environment, trains the rest to the same bytes."""
    running = suite("nearest_centroid,dropout")
    running.wait_for(lambda: "[1/2] nearest_centroid/once" in running.out, "the first run")
    family = running.process.children(recursive=True)
    started = time.monotonic()
    running.interrupt()
    ended = running.end()
    assert time.monotonic() - started < 3
    _, alive = psutil.wait_procs(family, timeout=3)
    assert alive == []
    assert ended.status == 130
    assert is_one_sentence(ended.err)
    assert "interrupted" in ended.err
    kept = contents(in_folder / "bundle" / "runs" / "nearest_centroid")
    assert "once/run.json" in kept

    home, folder = in_folder / "home", in_folder / STRANGE / "*"
    (home / ".keras").mkdir(parents=True)
    (home / ".keras" / "keras.json").write_text(json.dumps(KERAS))
    folder.parent.mkdir()
    (in_folder / "bundle").rename(folder)
    variables = {**HOSTILE, **dict.fromkeys(("PYTHONOPTIMIZE", "PYTHONWARNINGS", "GLIBC_TUNABLES"))}
    variables |= {"HOME": str(home), "KERAS_HOME": str(home / ".keras"), "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"}
    variables["XDG_CACHE_HOME"] = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    before = {path.name for path in in_folder.iterdir()}
    words = ("--profile", "smoke", "--seeds", "2", "--jobs", "1", "--bundle", str(folder), *data_words)
    words = (*words, "--only", "nearest_centroid,dropout,nearest_neighbor_1")
    later = call("run", *words, cwd=in_folder, command=TRAINING_ALONE, **variables)
    assert later.status == 0, later.err
    assert "3 of 3 runs finished, 0 failed" in later.out
    assert {path.name for path in in_folder.iterdir()} == before
    assert contents(folder / "runs" / "nearest_centroid") == kept
    bundle = Bundle.load(folder)
    assert [each.seed for each in bundle.runs_of("dropout")] == [0, 1]
    assert bundle.record.seeds == 2
    for name in ("nearest_centroid/once", "dropout/seed-0"):
        for path in sorted((smoke.folder / "runs" / name).iterdir()):
            if path.name not in ("timing.json", "log.txt"):
                assert (folder / "runs" / name / path.name).read_bytes() == path.read_bytes(), f"{name}/{path.name}"
    first, second = (bundle.predictions(each).dump() for each in bundle.runs_of("dropout"))
    assert first != second


def processor_seconds() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system


def test_a_finished_suite_says_so_without_tensorflow(smoke, data_words, tmp_path):
    """Called again, a finished suite answers in 5 processor seconds, imports no TensorFlow and changes no content."""
    folder = shutil.copytree(smoke.folder, tmp_path / "bundle")
    before = contents(folder)
    trials = ",".join(path.name for path in (folder / "runs").iterdir())
    words = ["run", "--profile", "smoke", "--seeds", "1", "--only", trials, "--bundle", str(folder), *data_words]
    program = (
        "import sys; from cifar_report.cli import main; status = main(sys.argv[1:]); "
        "sys.exit(status or 10 * any(name in sys.modules for name in ('tensorflow', 'keras', 'sklearn')))"
    )
    started = processor_seconds()
    done = subprocess.run(
        [sys.executable, "-c", program, *words], env=environment(), cwd=tmp_path, capture_output=True, text=True
    )
    assert processor_seconds() - started < 5
    assert (done.returncode, done.stderr) == (0, "")
    assert "all 3 runs are finished already" in done.stdout
    assert contents(folder) == before


def test_each_run_records_what_the_report_needs(smoke):
    """Every run of the smoke bundle has its counts, histories, predictions, kernels, seconds and log."""
    assert smoke.called.status == 0, smoke.called.err
    bundle = Bundle.load(smoke.folder)
    assert len(bundle.runs) == 3
    for run in bundle.runs:
        timing = bundle.timing(run)
        assert run.processor == processor_name()
        assert timing.total_seconds > 0
        assert timing.peak_memory_bytes < 2.5e9
        assert (smoke.folder / "runs" / run.id / "log.txt").stat().st_size > 0
        predictions = bundle.predictions(run)
        assert len(predictions.labels) == bundle.record.dataset.counts[2] == 200
        if run.classical is not None:
            assert predictions.predicted is not None
            continue
        assert [stage.id for stage in run.stages] == [stage.id for stage in run.trial.stages]
        assert set(predictions.probabilities) == {(s.id, w) for s in run.stages for w in ("last", "best")}
        assert bundle.kernels(run).shape == (3, 3, 3, run.trial.layers[0].filters)
        for stage in run.stages:
            assert len(timing.epoch_seconds[stage.id]) == stage.epochs


def test_tensorflows_chatter_goes_into_the_log(smoke):
    """TensorFlow's chatter goes into the log, and host and folder stand in no scientific record."""
    assert "tensorflow" not in (smoke.called.out + smoke.called.err).lower()
    assert [line[:5] for line in smoke.called.out.splitlines()[:3]] == [f"[{place}/3]" for place in range(1, 4)]
    log = (smoke.folder / "runs" / "baseline" / "seed-0" / "log.txt").read_text(errors="replace")
    assert "training: epoch 1/1: loss" in log
    texts = {path: path.read_text() for path in smoke.folder.rglob("*.json")}
    assert not [path for path, text in texts.items() if str(Path.home()) in text or str(smoke.folder.parent) in text]
    named = {path.name for path, text in texts.items() if json.dumps(socket.gethostname()) in text}
    assert named <= {"timing.json"}
