import json
import os
import random
import socket

import pytest
from verified import change_run, copied, draw_once, files_of, findings, finish, flip, made, set_in

from cifar_report.cli import main
from cifar_report.errors import UsageError
from cifar_report.verify.findings import printable
from cifar_report.verify.integrity import summary, verify_bundle

MANIFEST = "manifest-sha256.txt"


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Return a copy of a finished bundle, whose tables and figures are drawn once for all tests."""
    draw_once(monkeypatch)
    return copied(tmp_path)


def test_an_untouched_bundle_verifies_and_says_what_was_checked(capsys):
    """Nothing is found in what the project wrote, and the last line counts files, runs, scores, tables and figures."""
    folder = made()
    assert main(["verify", str(folder)]) == 0
    line = capsys.readouterr().out
    files = len(files_of(folder)) - 1
    assert line.count("\n") == 1
    assert line.startswith(f"checked {files} files, 8 of 8 planned runs, 10 test scores recomputed")
    assert "33 tables and figures drawn again and compared: nothing is wrong" in line


def test_one_flipped_bit_is_found_in_every_file(bundle):
    """Turning over one bit of any file of the bundle, the manifest included, makes a finding that names the file."""
    chance = random.Random(5)  # noqa: S311 - which bit it is must be the same in each run
    names = files_of(bundle)
    assert len(names) > 60
    for name in names:
        bit = chance.randrange(8 * (bundle / name).stat().st_size)
        flip(bundle / name, bit)
        found = findings(bundle)
        assert name in found or (name == MANIFEST and MANIFEST in str(found)), (name, bit)
        flip(bundle / name, bit)
    assert findings(bundle) == {}


def test_a_missing_file_is_named_whichever_it_is(bundle):
    """Taking away any one file makes a finding about it."""
    for name in files_of(bundle):
        content = (bundle / name).read_bytes()
        (bundle / name).unlink()
        assert "missing" in findings(bundle)[name]
        (bundle / name).write_bytes(content)


def test_added_files_are_named(bundle):
    """A file that the manifest does not list is found, and one that no bundle holds even where it is listed."""
    (bundle / "tables" / "more.csv").write_text("a\n1\n")
    (bundle / "runs" / "baseline" / "seed-0" / "model.keras").write_bytes(b"PK")
    found = findings(bundle)
    assert "it was added" in found["tables/more.csv"]
    assert "it was added" in found["runs/baseline/seed-0/model.keras"]
    finish(bundle)
    found = findings(bundle)
    assert "no bundle holds such a file" in found["runs/baseline/seed-0/model.keras"]
    assert "no such table or figure" in found["tables/more.csv"]


def test_swapped_files_are_named_with_their_places(bundle):
    """Two files that changed places are both found, each with the place that it belongs to."""
    one, other = (f"runs/{run}/once/predictions.npz" for run in ("nearest_neighbor_1", "nearest_neighbor_3"))
    content = (bundle / one).read_bytes()
    (bundle / other).replace(bundle / one)
    (bundle / other).write_bytes(content)
    found = findings(bundle)
    assert f"holds what belongs into {other}" in found[one]
    assert f"holds what belongs into {one}" in found[other]


def test_links_and_devices_are_named_and_not_followed(bundle, tmp_path):
    """A link to a file or a folder, a named pipe and a socket are found; nothing behind them is read."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "run.json").write_text("{}")
    (bundle / "tables" / "runs.csv").unlink()
    (bundle / "tables" / "runs.csv").symlink_to("/dev/zero")
    (bundle / "runs" / "linked").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(bundle / "figures" / "pipe.csv")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(bundle / "timing" / "s"))
        found = findings(bundle)
    assert "is a link" in found["tables/runs.csv"]
    assert "is a link" in found["runs/linked"]
    assert "pipe" in found["figures/pipe.csv"]
    assert "socket" in found["timing/s"]


def test_hidden_files_of_a_suite_are_no_findings_but_others_are(bundle):
    """Lock, checkpoints and what a killed writer left are told from a hidden file that somebody else put there."""
    (bundle / ".lock").write_text("1\n")
    (bundle / ".checkpoints").mkdir()
    (bundle / ".checkpoints" / "baseline.seed-0.npz").write_bytes(b"half")
    (bundle / "runs" / "baseline" / ".seed-0.0123abcd.part").mkdir()
    report = verify_bundle(bundle)
    assert report.findings == []
    assert ".checkpoints" in report.notes[0]
    assert ".seed-0.0123abcd.part" in report.notes[1]
    (bundle / "figures" / ".secret").write_text("")
    assert "is hidden" in findings(bundle)["figures/.secret"]


def test_a_bundle_without_a_manifest_is_unfinished(bundle):
    """A missing manifest is one finding that says what it means; the rest is checked all the same."""
    (bundle / MANIFEST).unlink()
    (bundle / "runs" / "baseline" / "seed-0" / "predictions.npz").write_bytes(b"")
    found = findings(bundle)
    assert "unfinished" in found[MANIFEST]
    assert "runs/baseline/seed-0/predictions.npz" in found


@pytest.mark.parametrize("line", [b"no hash  bundle.json\n", b"\xff\xfe\n", b"0" * 64 + b"  ../outside\n"])
def test_a_bad_line_of_the_manifest_does_not_hide_the_others(bundle, line):
    """Lines that cannot be right are named by number or by path, and the other lines still count."""
    content = (bundle / MANIFEST).read_bytes()
    (bundle / MANIFEST).write_bytes(line + content + content.splitlines(keepends=True)[0])
    (bundle / "tables" / "runs.csv").write_bytes(b"")
    found = findings(bundle)
    assert "line 1 " in found.get(MANIFEST, "") or "../outside" in found
    assert "is there twice" in found[MANIFEST]
    assert "was changed" in found["tables/runs.csv"]


def test_all_findings_come_in_one_pass(bundle, capsys):
    """Several damages are all named in one call, one line each, and the exit status is 1."""
    names = ("tables/data.csv", "figures/costs.svg", "runs/baseline/seed-0/kernels.npz")
    for name in names:
        flip(bundle / name, 700)
    assert main(["verify", str(bundle)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(f"{name}: ") for line in lines) for name in names)
    assert "things are wrong" in lines[-1]


DAMAGES = {
    "empty": lambda _: b"",
    "half": lambda content: content[: len(content) // 2],
    "no text": lambda content: b"\xff" + content,
    "another kind": lambda _: b"[]",
    "nothing in it": lambda _: b"{}",
    "nested": lambda _: b"[" * 100_000,
    "a newer version": lambda content: content.replace(b'"schema_version": 2', b'"schema_version": 99'),
    "an unknown field": lambda content: content.replace(b"{", b'{"more": 1,', 1),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
@pytest.mark.parametrize("name", ["bundle.json", "runs/baseline/seed-0/run.json", "timing/timing.json"])
def test_a_record_that_cannot_be_read_is_named_without_a_traceback(bundle, name, damage):
    """Whatever a record holds, and with hashes that fit, its file is named and nothing is raised."""
    (bundle / name).write_bytes(damage((bundle / name).read_bytes()))
    if name != "bundle.json":
        finish(bundle)
    assert name in findings(bundle)


@pytest.mark.parametrize("damage", ["half", "another kind", "nothing in it", "an unknown field"])
def test_a_runs_seconds_that_cannot_be_read_are_named(bundle, damage):
    """The volatile record of a run is held to its schema as well, though no score depends on it."""
    name = "runs/baseline/seed-0/timing.json"
    (bundle / name).write_bytes(DAMAGES[damage]((bundle / name).read_bytes()))
    finish(bundle)
    assert name in findings(bundle)


@pytest.mark.parametrize("seconds", [b"[]", b"[1.0, 1.0]", b'[1.0], "more": [1.0]'])
def test_the_seconds_of_a_run_are_those_of_its_epochs(bundle, seconds):
    """A run's table of seconds holds one number for each epoch that was trained, of each stage and no other."""
    name = "runs/baseline/seed-0/timing.json"
    content = json.loads((bundle / name).read_bytes())
    content["epoch_seconds"] = json.loads(b'{"training": ' + seconds + b"}")
    (bundle / name).write_text(json.dumps(content))
    finish(bundle)
    assert "but baseline/seed-0 trained {'training': 1}" in findings(bundle)[name]


def test_a_folder_that_is_no_bundle_is_bad_usage(tmp_path, capsys):
    """Neither record nor manifest: there is nothing to verify, and the exit status is 2."""
    with pytest.raises(UsageError, match="no results bundle"):
        verify_bundle(tmp_path)
    assert main(["verify", str(tmp_path / "nowhere")]) == 2
    assert "no results bundle" in capsys.readouterr().err


def test_names_from_strangers_reach_no_terminal_raw(bundle, capsys):
    """A file's name that would steer a terminal is printed with its characters written out."""
    (bundle / "tables" / "\x1b[2Jcleared.csv").write_text("")
    (bundle / "tables" / os.fsdecode(b"\xff.csv")).write_text("")
    assert main(["verify", str(bundle)]) == 1
    out = capsys.readouterr().out
    assert "\\x1b[2Jcleared.csv" in out
    assert "\x1b" not in out
    assert printable("\udcff") == "\\udcff"


def test_the_summary_says_when_weights_were_left_out(bundle):
    """Weights that a run lists and neither the folder nor the manifest has were left out on purpose."""
    change_run(bundle, "baseline/seed-0", lambda run: run, weights=b"whatever")
    path = bundle / "runs" / "baseline" / "seed-0"
    (path / "weights.npz").unlink()
    assert "is missing" in findings(bundle)["runs/baseline/seed-0/weights.npz"]
    finish(bundle)
    report = verify_bundle(bundle)
    assert report.findings == []
    assert "0 networks' weights (1 have none: they were left out)" in summary(report)
    change_run(bundle, "baseline/seed-0", lambda run: set_in(run, "files", {}))
    (path / "predictions.npz").unlink()
    finish(bundle)
    assert "predictions.npz" in str(findings(bundle))
