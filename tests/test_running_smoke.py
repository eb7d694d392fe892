"""What the smoke bundle shows, and what becomes of it when the suite is called again."""

import json
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
from command import TRAINING_ALONE, call, contents, environment, is_one_sentence

from cifar_report.bundle import Bundle
from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.running.environment import processor_name


def test_ctrl_c_keeps_what_is_finished_and_the_next_call_goes_on(suite, run, in_folder, smoke):
    """Ctrl-C ends everything within 3 seconds with status 130; the next call runs what is missing, more seeds too.

    What it trains in one worker, in another order, language and hash seed has the bytes of the smoke bundle.
    """
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

    trials = "nearest_centroid,dropout,nearest_neighbor_1"
    later = run(trials, "--seeds", "2", PYTHONHASHSEED="7", LC_ALL="C.UTF-8", TZ="Asia/Tokyo")
    assert later.status == 0, later.err
    assert "3 of 3 runs finished, 0 failed" in later.out
    assert contents(in_folder / "bundle" / "runs" / "nearest_centroid") == kept
    bundle = Bundle.load(in_folder / "bundle")
    assert [each.seed for each in bundle.runs_of("dropout")] == [0, 1]
    assert bundle.record.seeds == 2
    for name in ("nearest_centroid/once", "dropout/seed-0"):
        for path in sorted((smoke.folder / "runs" / name).iterdir()):
            if path.name not in ("timing.json", "log.txt"):
                again = in_folder / "bundle" / "runs" / name / path.name
                assert again.read_bytes() == path.read_bytes(), f"{name}/{path.name} differs"
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
    assert "all 5 runs are finished already" in done.stdout
    assert contents(folder) == before


def test_a_pass_that_was_cut_short_at_its_end_is_ended_by_the_next_call(smoke, data_words, tmp_path):
    """Where every run is there but not what a pass ends with, the next call writes it without training."""
    folder = shutil.copytree(smoke.folder, tmp_path / "bundle")
    (folder / MANIFEST_FILE).unlink()
    runs = contents(folder / "runs")
    trials = ",".join(path.name for path in (folder / "runs").iterdir())
    words = ("run", "--profile", "smoke", "--seeds", "1", "--only", trials, "--bundle", str(folder), *data_words)
    assert call(*words, cwd=tmp_path, command=TRAINING_ALONE).status == 0
    assert (folder / MANIFEST_FILE).is_file()
    assert contents(folder / "runs") == runs


def test_each_run_records_what_the_report_needs(smoke):
    """Every run of the smoke bundle has its counts, histories, predictions, kernels, seconds and log."""
    assert smoke.called.status == 0, smoke.called.err
    bundle = Bundle.load(smoke.folder)
    assert len(bundle.runs) == 5
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
        assert (run.parameters_total, run.parameters_trainable) == (
            run.trial.parameters_total,
            run.trial.parameters_trainable,
        )
        assert run.macs == run.trial.macs
        assert [stage.id for stage in run.stages] == [stage.id for stage in run.trial.stages]
        assert set(predictions.probabilities) == {(s.id, w) for s in run.stages for w in ("last", "best")}
        assert bundle.kernels(run).shape == (3, 3, 3, run.trial.layers[0].filters)
        for stage in run.stages:
            table = predictions.probabilities[stage.id, "last"]
            assert stage.last.test.accuracy == (table.argmax(1) == predictions.labels).mean()
            assert len(timing.epoch_seconds[stage.id]) == stage.epochs


def test_tensorflows_chatter_goes_into_the_log(smoke):
    """The terminal shows one line a run; what TensorFlow prints is in the run's log."""
    assert "tensorflow" not in (smoke.called.out + smoke.called.err).lower()
    assert [line[:5] for line in smoke.called.out.splitlines()[:5]] == [f"[{place}/5]" for place in range(1, 6)]
    log = (smoke.folder / "runs" / "baseline" / "seed-0" / "log.txt").read_text(errors="replace")
    assert "training: epoch 1/1: loss" in log


def test_the_scientific_record_names_no_host_and_no_folder(smoke):
    """A bundle can be given away: the host stands in the timing files alone, paths nowhere."""
    texts = {path: path.read_text() for path in smoke.folder.rglob("*.json")}
    assert not [path for path, text in texts.items() if str(Path.home()) in text or str(smoke.folder.parent) in text]
    named = {path.name for path, text in texts.items() if json.dumps(socket.gethostname()) in text}
    assert named <= {"timing.json"}
