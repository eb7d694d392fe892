"""The right diagnosis: of files that are no archive of CIFAR-10, of full disks, of bundles with other claims."""

import errno
import io
import os
import tarfile

import msgspec
import pytest
from verified import copied, made

from cifar_report.bundle import Bundle, store
from cifar_report.cli import main
from cifar_report.data.cifar10 import read
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments
from cifar_report.verify import copies
from cifar_report.verify.integrity import other_plan


def tar(mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as packed:
        packed.addfile(tarfile.TarInfo("cifar-10-batches-bin/test_batch.bin"), io.BytesIO())
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("cifar-10-binary.tar", tar("w:"), "is a tar archive without gzip: unpack it"),
        ("cifar-10-binary.tar.gz", tar("w:"), "is a tar archive without gzip: unpack it"),
        ("cifar.tar.bz2", tar("w:bz2"), "is an archive packed by bzip2: unpack it"),
        ("cifar.tar.xz", tar("w:xz"), "is an archive packed by xz: unpack it"),
        ("cifar-10.zip", b"PK\x03\x04", "is a zip archive: unpack it"),
        ("cifar.7z", b"7z\xbc\xaf\x27\x1c", "is a 7z archive: unpack it"),
        ("x_train.npy", b"\x93NUMPY\x01\x00", "is a NumPy array"),
        ("cifar.h5", b"\x89HDF\r\n\x1a\n", "is an HDF5 file"),
        ("data_batch_1.bin", bytes(3073), "is one of the dataset's files: name the folder"),
        ("data_batch_1", bytes(3073), "is one of the dataset's files: name the folder"),
        ("test_batch.bin", b"", "is one of the dataset's files: name the folder"),
        ("cifar-10-binary.tar.gz", b"<!DOCTYPE html>", "is no whole gzip-compressed"),
        ("cifar-10-binary.tar.gz", b"\x1f\x8b\x08\x00cut", "is no whole gzip-compressed"),
    ],
)
def test_what_was_named_in_place_of_the_archive_is_told(tmp_path, name, content, sentence):
    """Whoever names another kind of file reads what it is and what to name, and nothing of fetching it again."""
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UsageError, match=sentence) as caught:
        read(tmp_path / name)
    assert ("Fetch the dataset again" in str(caught.value)) == ("no whole" in sentence)


def full(*_, **__):
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_full_disk_names_the_place_that_is_full(tmp_path, monkeypatch):
    """Writing a file, a copy or an archive fails with the path of what could not be written, never of what was read."""
    source = copied(tmp_path)
    monkeypatch.setattr(store.os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        store.write_file(tmp_path / "file", b"x")
    assert caught.value.filename == str(tmp_path / "file")
    monkeypatch.undo()
    monkeypatch.setattr(copies.shutil, "copyfile", full)
    with pytest.raises(SuiteError, match=rf"{tmp_path / 'copy'}/\S+ cannot be written: No space"):
        copies.copy_numbers(source, tmp_path / "copy")
    monkeypatch.setattr(copies.tarfile.TarFile, "addfile", full)
    with pytest.raises(OSError, match="No space") as caught:
        copies.export_bundle(source, tmp_path / "all.tar")
    assert caught.value.filename == str(tmp_path / "all.tar")


@pytest.mark.parametrize("number", [errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EIO])
def test_a_file_system_that_cannot_flush_is_written_to_all_the_same(tmp_path, monkeypatch, number):
    """A flush that does not exist is no fault; one that fails is."""

    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(store.os, "fsync", refuse)
    if number == errno.EIO:
        with pytest.raises(OSError, match="rror"):
            store.write_file(tmp_path / "file", b"x")
        assert list(tmp_path.iterdir()) == []
    else:
        store.write_file(tmp_path / "file", b"x")
        assert (tmp_path / "file").read_bytes() == b"x"


def with_first(experiment, kind, **changes):
    """Return an experiment whose first trial or claim is another."""
    first, *rest = getattr(experiment, kind)
    return msgspec.structs.replace(experiment, **{kind: (msgspec.structs.replace(first, **changes), *rest)})


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("trials", {"id": "mine"}, "trial baseline is none of this suite's"),
        ("trials", {"learning_rate": 0.5}, "is not this suite's: learning_rate 0.001, here 0.5"),
        ("claims", {"id": "M1"}, " is none of this suite's"),
        ("claims", {"margin": 0.25}, "is not this suite's: margin 0.01, here 0.25"),
        ("claims", {"relation": "less"}, "here 'less'"),
    ],
)
def test_what_differs_from_the_suites_own_plan_is_named(kind, changes, sentence):
    """A bundle may plan other trials and claims: each is told with what is different, and is no finding."""
    bundle, suite = Bundle.load(made(("baseline", "dropout"))), list(load_experiments())
    assert not list(other_plan(bundle, suite))
    place = next(n for n, each in enumerate(suite) if each.id == ("baseline" if kind == "trials" else "dropout"))
    suite[place] = with_first(suite[place], kind, **changes)
    assert any(sentence in note for note in other_plan(bundle, suite))


def test_a_comparison_in_a_pipe_is_plain_text(monkeypatch, capsys):
    """Without a terminal each line is whole, whatever width is set, and holds no signs of a table."""
    told = []
    for columns in ("200", "40"):
        monkeypatch.setenv("COLUMNS", columns)
        assert main(["compare", str(made()), str(made())]) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert not set(told[0]) & set("│┃━─\x1b")
