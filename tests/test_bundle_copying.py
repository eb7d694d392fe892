"""A bundle's numbers are copied without its weights."""

import shutil

import pytest
from command import call
from reports import small_bundle

from cifar_report.bundle import Bundle
from cifar_report.bundle.copying import copy_numbers
from cifar_report.bundle.manifest import MANIFEST_FILE, write_manifest
from cifar_report.errors import UsageError


@pytest.fixture
def source(tmp_path):
    """Return a bundle with weights, and with a hidden file that is no part of it."""
    folder = tmp_path / "source"
    shutil.copytree(small_bundle("baseline", seeds=2).folder, folder)
    for run in Bundle.load(folder).runs:
        (folder / "runs" / run.id / "weights.npz").write_bytes(b"weights")
    (folder / ".lock").write_text("1")
    write_manifest(folder)
    return folder


def test_everything_but_the_weights_is_copied_byte_for_byte(source, tmp_path):
    """The copy loads as the same runs; no weights and no hidden file are in it, and its manifest names what is."""
    target = tmp_path / "target"
    size = copy_numbers(source, target)
    names = {path.relative_to(target).as_posix() for path in target.rglob("*") if path.is_file()}
    assert {path.relative_to(source).as_posix() for path in source.rglob("*.json")} <= names
    assert not any("weights" in name or name.startswith(".") for name in names)
    for name in names - {MANIFEST_FILE}:
        assert (target / name).read_bytes() == (source / name).read_bytes()
    assert Bundle.load(target).runs == Bundle.load(source).runs
    listed = {line.split("  ")[1] for line in (target / MANIFEST_FILE).read_text().splitlines()}
    assert listed == names - {MANIFEST_FILE}
    assert size == sum((target / name).stat().st_size for name in listed)


def test_a_copy_never_falls_into_a_folder_that_holds_something(source, tmp_path):
    """A target that is not empty, and a source that is no bundle, are refused and stay as they are."""
    (tmp_path / "kept").write_text("kept")
    with pytest.raises(UsageError, match="not empty"):
        copy_numbers(source, tmp_path)
    with pytest.raises(UsageError, match="no results bundle"):
        copy_numbers(tmp_path, tmp_path / "target")
    assert (tmp_path / "kept").read_text() == "kept"
    assert not (tmp_path / "target").exists()


def test_the_command_copies_a_finished_bundle_and_no_other(source, tmp_path):
    """``bundle copy`` says how large the copy is; a bundle that is not what its manifest says is not copied."""
    assert call("bundle", "copy", str(source), "copy", cwd=tmp_path).status == 0
    assert Bundle.load(tmp_path / "copy").runs == Bundle.load(source).runs
    (source / "bundle.json").write_bytes((source / "bundle.json").read_bytes() + b" ")
    refused = call("bundle", "copy", str(source), "other", cwd=tmp_path)
    assert refused.status == 1
    assert "bundle.json" in refused.err
    assert not (tmp_path / "other").exists()
