"""CIFAR-10 from folders and archives: every fault gets one sentence that names the file, and nothing is written."""

import gzip
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest
from data_samples import (
    BINARY,
    PYTHON,
    archive_bytes,
    binary_files,
    find,
    python_files,
    sample_arrays,
    write_files,
)

from cifar_report.errors import UsageError

FILES = binary_files()


def holds_the_sample(dataset):
    """Say whether a dataset holds the sample's images and labels in their order."""
    images, labels = sample_arrays()
    return np.array_equal(dataset.images(), images) and np.array_equal(dataset.labels(), labels)


def save(folder: Path, content: bytes, name: str = "archive.tar.gz") -> Path:
    (folder / name).write_bytes(content)
    return folder / name


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin"])
def test_a_binary_folder_is_read(tmp_path, inner):
    """A folder of batches, or the folder that holds it, gives all images in canonical order, unverified."""
    write_files(tmp_path / "data" / inner, FILES)
    dataset = find(tmp_path, tmp_path / "data")
    assert holds_the_sample(dataset)
    assert (dataset.grade, dataset.canonical_labels, dataset.source) == ("unverified", True, "binary folder")
    assert dataset.location == str(tmp_path / "data" / inner)


@pytest.mark.parametrize(
    ("name", "content", "grade", "source"),
    [
        ("cifar-10-binary.tar.gz", BINARY, "canonical", "binary archive"),
        ("any.tar.gz", PYTHON, "canonical", "Python archive"),
        ("any.tar.gz", archive_bytes(dict(reversed(FILES.items()))), "unverified", "binary archive"),
    ],
    ids=["binary", "Python", "another order"],
)
def test_an_archive_is_canonical_by_its_published_hash(tmp_path, name, content, grade, source):
    """An archive gives the same images whatever its members' order; nothing is extracted beside it."""
    path = save(tmp_path, content, name)
    dataset = find(tmp_path / "places", path)
    assert holds_the_sample(dataset)
    assert (dataset.grade, dataset.source, dataset.location) == (grade, source, str(path))
    assert sorted(child.name for child in tmp_path.iterdir()) == [name, "places"]


class _Attack:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[Path]]:
        return Path.mkdir, (self.path,)


def test_only_the_published_pickles_are_opened(tmp_path):
    """An archive of the Python version with another hash is refused, and its pickles run nothing."""
    attack = pickle.dumps(_Attack(tmp_path / "attacked"), protocol=2)
    path = save(tmp_path, archive_bytes({**python_files(), "data_batch_1": attack}))
    with pytest.raises(UsageError, match=r"lacks data_batch_1\.bin.* of CIFAR-10's binary version"):
        find(tmp_path, path)
    assert not (tmp_path / "attacked").exists()
    pickle.loads(attack)  # noqa: S301 - shows that the attack itself works
    assert (tmp_path / "attacked").exists()


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda batch: batch.write_bytes(batch.read_bytes()[:-1]), "is truncated: a batch of CIFAR-10 holds 61,460"),
        (lambda batch: batch.write_bytes(b""), "is truncated"),
        (lambda batch: batch.write_bytes(batch.read_bytes() + b"0"), "is oversized"),
        (
            lambda batch: batch.write_bytes(b"\x0a" + batch.read_bytes()[1:]),
            "has label 10 in record 0, expected 0 to 9",
        ),
        (Path.unlink, "of CIFAR-10's binary version"),
        (lambda batch: (batch.unlink(), batch.mkdir()), "of CIFAR-10's binary version"),
    ],
)
def test_a_bad_binary_folder_is_refused(tmp_path, spoil, words):
    """A bad batch gets one sentence that names the file, and nothing is written."""
    folder = write_files(tmp_path / "data", FILES)
    spoil(folder / "data_batch_3.bin")
    with pytest.raises(UsageError, match=f"data_batch_3.bin {words}"):
        find(tmp_path, folder)
    assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no whole gzip-compressed tar archive"),
        (gzip.compress(b"no tar inside" * 100), "no whole gzip-compressed tar archive"),
        (archive_bytes({}), "lacks data_batch_1.bin"),
        (archive_bytes({**FILES, "test_batch.bin": b"12345"}), "test_batch.bin is truncated"),
        (archive_bytes({**FILES, "test_batch.bin": FILES["test_batch.bin"] + b"0"}), "test_batch.bin is oversized"),
        (archive_bytes(dict.fromkeys(FILES, b""), kind=tarfile.SYMTYPE), "lacks data_batch_1.bin"),
    ],
    ids=["empty", "no tar", "no batch", "a short batch", "a long batch", "links"],
)
def test_a_bad_archive_is_refused(tmp_path, content, words):
    """A bad archive gets one sentence, and nothing is written."""
    path = save(tmp_path, content)
    with pytest.raises(UsageError, match=words):
        find(tmp_path, path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("path", "words"),
    [("nowhere", "does not exist"), ("empty", "holds no CIFAR-10"), ("x" * 300, "cannot be read"), ("", "is empty")],
)
def test_a_bad_path_is_refused(tmp_path, path, words):
    """A path that does not exist, or holds nothing like CIFAR-10, is refused and nothing written."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(UsageError, match=words):
        find(tmp_path, tmp_path / path if path else "")
    assert [each.name for each in tmp_path.iterdir()] == ["empty"]
