"""The search for losses: it finds them where there are some, and none in what this project writes."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from command import environment

from cifar_report.bundle import store, write_file, write_folder
from cifar_report.faults import __main__ as program
from cifar_report.faults.downloads import try_downloads
from cifar_report.faults.injecting import POWER_OFF, WAYS
from cifar_report.faults.outcome import Outcome
from cifar_report.faults.storing import OLD_RUN, OPERATIONS, RUN, Operation, checkpoint_to, tries, walk
from cifar_report.faults.table import to_markdown

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")
ONE = {"bundle.json": b"old"}


# Every try is a copy of its process, and the process of the tests is a large one.
WALKS = """
import json
from cifar_report.faults.storing import OPERATIONS, walk

walked = {operation.name: walk(operation) for operation in OPERATIONS}
print(json.dumps({name: [outcome.tried, outcome.lost] for name, outcome in walked.items()}))
"""


@pytest.mark.long  # as the session "faults" does
def test_the_store_shows_the_old_state_or_the_new_one_whatever_fails():
    """Each step of each operation fails in each way: nothing is ever lost, and the next pass tidies up."""
    done = subprocess.run([sys.executable, "-c", WALKS], env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    walked = json.loads(done.stdout)
    assert walked.keys() == {operation.name for operation in OPERATIONS}
    assert {name: lost for name, (_, lost) in walked.items() if lost} == {}
    assert min(tried for tried, _ in walked.values()) >= 3 * len(WAYS)


def in_place(folder: Path) -> None:
    """Write over a file where it stands."""
    with (folder / "bundle.json").open("wb") as stream:
        stream.write(b"new content")


def unflushed(folder: Path) -> None:
    """Rename a file into place that was never flushed."""
    beside = folder / ".bundle.json.part"
    with beside.open("wb") as stream:
        stream.write(b"new")
    beside.replace(folder / "bundle.json")


def removed_first(folder: Path) -> None:
    """Remove the old file before the new one takes its place."""
    (folder / "bundle.json").unlink()
    write_file(folder / "bundle.json", b"new")


def untidy(folder: Path) -> None:
    """Leave a file behind that no later pass knows."""
    (folder / ".mine").write_bytes(b"half")
    write_file(folder / "bundle.json", b"new")
    (folder / ".mine").unlink()


def into_an_unflushed_folder(folder: Path) -> None:
    """Write a checkpoint where nobody has made its folder before."""
    checkpoint_to(folder / "checkpoints" / "c.npz")


CARELESS = (in_place, unflushed, removed_first, untidy, into_an_unflushed_folder)


@pytest.mark.parametrize("act", CARELESS, ids=lambda act: act.__name__)
def test_a_careless_writer_is_found_out(act):
    """A writer that can lose the old state, or leaves something behind, is found out by the same walk."""
    assert any(tries(Operation("carelessly", ONE, act)))


def test_a_run_that_is_removed_before_it_is_replaced_is_found_out(monkeypatch):
    """Where the system cannot swap two folders, a power cut may leave the run away until the next pass: it is told."""
    monkeypatch.setattr(store, "_swap", lambda *_: False)
    old = {f"{RUN}/{name}": content for name, content in OLD_RUN.items()}
    outcome = walk(Operation("a run", old, lambda folder: write_folder(folder / RUN, {"run.json": b"new"})))
    assert outcome.lost
    assert all("neither the old state nor the new one" in loss for loss in outcome.lost)
    assert not [loss for loss in outcome.lost if "tidying up" in loss], "the next pass puts it back"


@pytest.mark.parametrize(
    "operation", [each for each in OPERATIONS if each.name != "leftovers"], ids=lambda each: each.name
)
def test_a_name_that_is_not_flushed_is_found_out(operation, monkeypatch):
    """A store that never flushes a folder loses what it said was written, or an old run half removed."""
    monkeypatch.setattr(store, "_flush_folder", lambda _: None)
    assert any(tries(operation))


def test_a_power_cut_ends_a_process_like_one(tmp_path):
    """What is still to be done in the process does not happen: no handler, no tidying up."""
    from cifar_report.faults import storing

    def act(folder):
        try:
            write_file(folder / "bundle.json", b"new")
        finally:
            (folder / "tidied").touch()

    status = storing._try_in_a_process(Operation("x", {}, act), tmp_path, 1, "power off before")
    assert status == POWER_OFF
    assert not (tmp_path / "tidied").exists()
    assert storing._try_in_a_process(Operation("x", {}, act), tmp_path, 10_000, "power off before") == os.EX_OK


@pytest.mark.long  # as the session "faults" does
def test_killed_downloads_lose_nothing(tmp_path):
    """Downloads killed at random bytes, from servers that fail in every way, are completed by the next call."""
    outcomes = list(try_downloads(tmp_path, 1, random.Random(0)))  # noqa: S311 - chooses where to break
    assert [outcome.tried for outcome in outcomes] == [1] * 6
    assert [loss for outcome in outcomes for loss in outcome.lost] == []


def test_a_loss_is_told_and_gives_status_1(tmp_path, monkeypatch, capsys):
    """Where anything was lost, the table names it and the program ends with status 1; else with 0."""
    found = [Outcome("a fault", "all stays", 2), Outcome("another", "all stays", 3, ["runs/x | is gone"])]
    monkeypatch.setattr(program, "_try_all", lambda *_: iter(found))
    assert program.main(["--output", str(tmp_path / "docs" / "faults.md")]) == 1
    table = (tmp_path / "docs" / "faults.md").read_text()
    assert "| a fault | 2 | all stays | nothing |" in table
    assert r"| another | 3 | all stays | runs/x \| is gone |" in table
    assert "1 LOSSES" in table
    assert "another: tried 3" in capsys.readouterr().out
    found[1].lost.clear()
    assert program.main([]) == 0
    assert "5 faults, nothing lost" in to_markdown(found, "command", 1.0)
    assert "not tried" in to_markdown([Outcome("a fault", "x")], "command", 1.0)
