"""A suite killed three times in the middle of a run ends with the bytes of an undisturbed one."""

from contextlib import suppress

import psutil
import pytest

from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.verify.integrity import verify_bundle


def kill(running):
    """Kill a suite as a power cut would; its workers follow it."""
    family = [running.process, *running.workers()]
    running.process.kill()
    assert psutil.wait_procs(family, timeout=30)[1] == []


@pytest.mark.long
def test_a_suite_that_was_killed_three_times_ends_with_the_same_bytes(suite, run, in_folder, monkeypatch):
    """Killed after two epochs and at its start, a staged run ends byte for byte and leaves no temporary file."""
    monkeypatch.setenv("TMPDIR", str(in_folder / "temporary"))
    (in_folder / "temporary").mkdir()
    ours, undisturbed = (in_folder / name / "runs/model_2/seed-0" for name in ("bundle", "undisturbed"))
    checkpoints = in_folder / "bundle" / ".checkpoints"

    def written():  # what tells one checkpoint from the next
        with suppress(FileNotFoundError):  # replaced while we looked
            return {path.stat().st_mtime_ns for path in checkpoints.glob("[!.]*")}

    running = suite("model_2")
    first = running.wait_for(written, "the first epoch")
    running.wait_for_worker().kill()
    running.wait_for(lambda: (written() or first) - first, "another epoch")
    kill(running)
    again = suite("model_2")
    again.wait_for_worker()
    kill(again)
    assert written(), "the checkpoint outlives the suite"
    assert not (ours / "run.json").exists()
    last = run("model_2")
    assert last.status == 0, last.err
    assert "1 of 1 runs finished" in last.out
    assert run("model_2", "--bundle", "undisturbed").status == 0
    for path in sorted(undisturbed.iterdir()):
        if path.name not in ("timing.json", "log.txt"):
            assert (ours / path.name).read_bytes() == path.read_bytes(), path.name
    log = (ours / "log.txt").read_text(errors="replace")
    assert "first: epoch 1/1" not in log, "the stage that was finished is not trained again"
    assert not checkpoints.exists()
    assert (in_folder / "bundle" / MANIFEST_FILE).is_file()
    assert list((in_folder / "temporary").iterdir()) == []
    assert verify_bundle(in_folder / "bundle").findings == []
