"""Runs of a real bundle trained again: the same bytes under other circumstances, and what was invented comes out."""

import shutil
import subprocess
import sys
import time
from argparse import Namespace

import numpy as np
import psutil
import pytest
from command import COMMAND, PATIENCE, call, contents, environment, is_one_sentence
from verified import change_run, flip, set_in

from cifar_report.bundle import Bundle
from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.cli import main
from cifar_report.commands.bundles import rerun
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.integrity import verify_bundle, weights_hash
from cifar_report.verify.records import sound_files


@pytest.fixture
def bundle(smoke, tmp_path):
    return shutil.copytree(smoke.folder, tmp_path / "bundle")


def invent_weights(bundle, run_id):
    """Change the weights of a run together with every hash that covers them."""
    arrays = load_arrays(bundle / "runs" / run_id / "weights.npz")
    for kind in ("last", "best"):
        name = max(each for each in arrays if each.startswith(f"training.{kind}.") and each.endswith(".bias"))
        arrays[name] = arrays[name] + np.float32(0.001)
    own = {name.removeprefix("training.last."): arrays[name] for name in arrays if name.startswith("training.last.")}
    logged = weights_hash(own)
    change_run(
        bundle, run_id, lambda run: set_in(run, "stages.0.hashes.0.weights", logged), weights=dump_arrays(arrays)
    )


@pytest.mark.long
def test_training_again_gives_the_same_bytes_and_finds_what_was_invented(bundle, data_words):
    """Runs agree bit by bit elsewhere; invented weights whose hashes fit are named by epoch in a certificate."""
    smoke = ("--profile", "smoke", "--seeds", "1", "--bundle", str(bundle), *data_words)
    assert call("run", *smoke, "--only", "baseline_parallel,model_2", cwd=bundle.parent).status == 0
    invent_weights(bundle, "dropout/seed-0")
    before = contents(bundle / "runs")
    only = "nearest_centroid,model_2,baseline_parallel/seed-0,dropout"
    changes = {"PYTHONHASHSEED": "7", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}
    words = ("--rerun", "9", "--only", only, *data_words)
    called = call("verify", str(bundle), *words, "--record", cwd=bundle.parent, **changes)
    assert (called.status, called.err) == (1, "")
    assert "nothing is wrong" in called.out
    assert "differs from training, epoch 1 (weights) by" in called.out
    assert "level reached by all 4 runs: numerical" in called.out
    found = Bundle.load(bundle).certificate
    levels = {each.run: each.level for each in found.reruns}
    assert levels.pop("dropout/seed-0") == "numerical"
    assert levels == dict.fromkeys(("model_2/seed-0", "baseline_parallel/seed-0", "nearest_centroid/once"), "bitwise")
    assert (found.level, found.verdicts_changed) == ("numerical", ())
    assert {change.name for change in found.changes} <= {"suite commit"}  # somebody may commit meanwhile
    invented = next(each for each in found.reruns if each.level == "numerical")
    assert set(invented.compared) == {"history", "weights", "kernels", "predictions", "hashes of each epoch"}
    assert invented.first.deviation.weights == pytest.approx(0.001, rel=0.01)
    assert invented.largest.loss == 0
    assert contents(bundle / "runs") == before
    assert found.place in sound_files(bundle)


def options(**given):
    return Namespace(**{"rerun": 1, "only": "nearest_centroid", "jobs": None, "data": None, "record": True} | given)


@pytest.mark.long
def test_a_bitwise_agreement_is_a_success(bundle, data_words, capsys):
    """Where every run agrees bit by bit the status is 0, and one certificate says so."""
    assert rerun(options(data=data_words[-1] if data_words else None), bundle) == 0
    assert "level reached by 1 run: bitwise" in capsys.readouterr().out
    assert Bundle.load(bundle).certificate.level == "bitwise"


@pytest.mark.long
def test_a_killed_rerun_leaves_nothing_that_the_next_one_does_not_remove(bundle, data_words, tmp_path, monkeypatch):
    """What it had trained lies hidden in the bundle, which stays sound; nothing stays among temporary files."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    words = ("verify", str(bundle), "--rerun", "1", "--record", "--only", "baseline", *data_words)
    with subprocess.Popen(
        [sys.executable, *COMMAND, *words], cwd=tmp_path, env=environment(), start_new_session=True
    ) as running:
        try:
            deadline = time.monotonic() + PATIENCE
            while not list(bundle.glob(".rerun.*/.worker.*.part")):
                assert running.poll() is None, "the rerun ended before its worker began"
                assert time.monotonic() < deadline
                time.sleep(0.01)
            family = psutil.Process(running.pid).children(recursive=True)
        finally:
            running.kill()
    assert psutil.wait_procs(family, timeout=30)[1] == []
    report = verify_bundle(bundle)
    assert report.findings == []
    monkeypatch.undo()
    assert rerun(options(data=data_words[-1] if data_words else None), bundle) == 0
    assert not list(bundle.rglob("*.part"))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_nothing_is_trained_for_other_data_or_for_a_damaged_bundle(bundle, dataset):
    """Other images and a file that is not what the manifest says are refused before anything is trained or written."""
    flip(bundle / "runs" / "dropout" / "seed-0" / "log.txt", 80)
    before = contents(bundle)
    named = "synthetic" if dataset.grade == "stand-in" else None
    with pytest.raises(SuiteError, match=r"is damaged: runs/dropout/seed-0/log\.txt"):
        rerun(options(data=named), bundle)
    assert contents(bundle) == before
    record = Bundle.load(bundle).record
    other = set_in(record, "dataset.fingerprint", "f" * 64)
    (bundle / "bundle.json").write_bytes((bundle / "bundle.json").read_bytes().replace(
        record.dataset.fingerprint.encode(), other.dataset.fingerprint.encode()
    ))  # fmt: skip
    before = contents(bundle)
    with pytest.raises(UsageError, match="was made from other data"):
        rerun(options(data=named), bundle)
    assert contents(bundle) == before


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--rerun", "0"), "--rerun 0: at least one run is needed"),
        (("--rerun", "two"), "invalid int value: 'two'"),
        (("--rerun", "1", "--jobs", "0"), "--jobs 0: at least one worker"),
        (("--rerun", "1", "--only", ","), "--only names no trial"),
        (("--only", "baseline"), "--only goes with --rerun"),
        (("--data", "synthetic"), "--data goes with --rerun"),
        (("--record",), "--record goes with --rerun"),
    ],
)
def test_options_that_mean_nothing_are_refused(words, sentence, capsys, tmp_path):
    """A number of runs below one, and an option of the reruns without them, are bad usage."""
    try:
        status = main(["verify", str(tmp_path), *words])
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    assert (status, out) == (2, "")
    assert is_one_sentence(err)
    assert sentence in err


def test_a_bundle_that_was_handed_in_stays_as_it_is(bundle, data_words, capsys):
    """Without --record nothing is written into the bundle, and what was found is told all the same."""
    before = contents(bundle)
    assert rerun(options(data=data_words[-1] if data_words else None, record=False), bundle) == 0
    out = capsys.readouterr().out
    assert "level reached by 1 run: bitwise" in out
    assert "recorded in" not in out
    assert contents(bundle) == before
