"""A suite and its worker killed in the middle of a run: the next call ends with the bytes of an undisturbed one."""

import os
from pathlib import Path

import psutil
import pytest

from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.running.keeping import CHECKPOINTS
from cifar_report.verify.integrity import verify_bundle

VOLATILE = ("timing.json", "log.txt")


def written(bundle: Path) -> set[tuple[str, int, int]]:
    """Return what tells one checkpoint from the next."""
    folder = bundle / CHECKPOINTS
    entries = [entry for entry in os.scandir(folder) if not entry.name.startswith(".")] if folder.is_dir() else []
    try:
        return {(entry.name, entry.inode(), entry.stat().st_mtime_ns) for entry in entries}
    except FileNotFoundError:  # replaced while we looked
        return written(bundle)


@pytest.mark.long
def test_a_run_whose_worker_and_suite_were_killed_ends_with_the_same_bytes(suite, run, in_folder, smoke, monkeypatch):
    """Three stages, augmented and stopped early: killed after an epoch, the run goes on and ends byte for byte.

    No temporary file outlives it.
    """
    monkeypatch.setenv("TMPDIR", str(in_folder / "temporary"))
    (in_folder / "temporary").mkdir()
    bundle = in_folder / "bundle"
    running = suite("model_2")
    first = running.wait_for(lambda: written(bundle), "the first epoch")
    worker = running.wait_for_worker()
    worker.kill()
    running.wait_for(lambda: "its worker died" in running.out, "the second attempt")
    running.wait_for(lambda: written(bundle) - first, "another epoch")
    family = [running.process, *running.workers()]
    running.process.kill()
    assert psutil.wait_procs(family, timeout=30)[1] == []
    assert written(bundle), "the checkpoint outlives the suite"
    assert not (bundle / "runs" / "model_2").exists()

    again = run("model_2")
    assert again.status == 0, again.err
    assert "1 of 1 runs finished" in again.out
    undisturbed = smoke.folder / "runs" / "model_2" / "seed-0"
    for path in sorted(undisturbed.iterdir()):
        if path.name not in VOLATILE:
            assert (bundle / "runs/model_2/seed-0" / path.name).read_bytes() == path.read_bytes(), path.name
    log = (bundle / "runs/model_2/seed-0/log.txt").read_text(errors="replace")
    assert "first: epoch 1/1" not in log, "the stage that was finished is not trained again"
    assert not (bundle / CHECKPOINTS).exists()
    assert (bundle / MANIFEST_FILE).is_file()
    assert list((in_folder / "temporary").iterdir()) == []
    assert verify_bundle(bundle).findings == []
