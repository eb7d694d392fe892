"""Power cuts and full disks at every step of what the suite writes: the old state or the new one, never a third."""

import sys

import pytest
from power_cuts import interrupt, state

from cifar_report.bundle import TimingPass, remove_leftovers, write_file, write_folder, write_timing_pass
from cifar_report.bundle.store import MANIFEST_FILE, write_manifest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
RUN = "runs/trial/seed-0"
RECORD = {"bundle.json": b"old"}
OLD_RUN = {f"{RUN}/run.json": b"old record", f"{RUN}/weights.npz": b"old weights"}
NEW_RUN = {"predictions.npz": b"new predictions", "log.txt": b"new log", "run.json": b"new record"}
LEFT = {"runs/trial/.seed-0.0123abcd.part/log.txt": b"half", ".bundle.json.0123abcd.part": b"half"}


def new_run(folder):
    """Write a run in the place where one may stand already."""
    write_folder(folder / RUN, NEW_RUN)


WRITERS = {  # what is there before, and what is done
    "a record": (RECORD, lambda folder: write_file(folder / "bundle.json", b"new")),
    "a large file": ({"c.npz": b"old" * 99_999}, lambda folder: write_file(folder / "c.npz", b"new" * 99_999)),
    "a timing pass": (RECORD, lambda folder: write_timing_pass(folder, TimingPass(warmup_steps=1, measurements=()))),
    "a new run": (RECORD, new_run),
    "a run again": (RECORD | OLD_RUN, new_run),
    "the manifest": (RECORD | {MANIFEST_FILE: b"old"}, write_manifest),
    "leftovers": (RECORD | OLD_RUN | LEFT, remove_leftovers),
}


def lay_out(folder, files):
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def readable(folder):
    """Return what a reader takes into account: a run counts when its record is there."""
    found = state(folder)
    return found if f"{RUN}/run.json" in found else {name: found[name] for name in found if not name.startswith(RUN)}


def losses(before, act, way, tmp_path):
    """Interrupt ``act`` at one step after the other; return the steps after which something was lost."""
    act(whole := lay_out(tmp_path / "whole", before))
    without_run = {name: content for name, content in before.items() if not name.startswith((RUN, "runs/trial/."))}
    old, new = readable(lay_out(tmp_path / "old", before)), readable(whole)
    lost = []
    for step in range(1_000):
        folder = lay_out(tmp_path / str(step), before)
        if not interrupt(lambda folder=folder: act(folder), step, way):
            return lost
        found = [readable(folder)]
        remove_leftovers(folder)
        found.append(readable(folder))
        act(folder)  # as the next pass does
        if any(each not in (old, new, without_run) for each in found) or readable(folder) != new:
            lost.append(step)
    raise AssertionError("no end after 1,000 steps")


@pytest.mark.parametrize("way", ["power off", "no space"])
@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_lost_at_any_step_of_a_write(name, way, tmp_path):
    """A reader finds the old files, the new ones or no run, and the next pass leaves the new ones."""
    assert losses(*WRITERS[name], way, tmp_path) == []


def test_a_careless_writer_is_found_out(tmp_path):
    """The same walk finds a loss where a file is written over in its place."""
    assert losses(RECORD, lambda folder: (folder / "bundle.json").write_bytes(b"new"), "power off", tmp_path) != []
