"""The readers of CIFAR-10's binary and Python versions."""

import os
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
from data_samples import (
    RECORDS,
    archive_bytes,
    binary_files,
    encode_records,
    find,
    other_release,
    pickled,
    planes,
    python_files,
    release_of,
    sample_arrays,
    tree,
    write_files,
)
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from cifar_report.data.batches import parse_records
from cifar_report.data.python_batches import parse_pickled
from cifar_report.data.release import CIFAR10, Release
from cifar_report.errors import UsageError

RELEASE = release_of(archive_bytes(binary_files()))


@given(
    st.integers(0, 4).flatmap(
        lambda count: st.tuples(
            arrays.arrays(np.uint8, (count, 32, 32, 3), elements=st.integers(0, 255)),
            arrays.arrays(np.uint8, count, elements=st.integers(0, 9)),
        )
    )
)
def test_records_round_trip(sample: tuple[np.ndarray, np.ndarray]) -> None:
    """What is written as records is read back, pixel for pixel and label for label."""
    images, labels = sample
    read_images, read_labels = parse_records(encode_records(images, labels), "batch")
    assert np.array_equal(read_images, images)
    assert np.array_equal(read_labels, labels)


@given(st.integers(0, 3), st.integers(1, 3072))
def test_a_broken_record_is_refused(whole: int, rest: int) -> None:
    """Bytes that are no whole number of records are refused, whatever they hold."""
    with pytest.raises(UsageError, match=r"^here is truncated"):
        parse_records(bytes(whole * 3073 + rest), "here")


@given(st.integers(1, 4), st.data())
def test_a_bad_label_is_named(count: int, data: st.DataObject) -> None:
    """A label outside 0 to 9 is refused with the place of the first bad record and its value."""
    labels = np.array(data.draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), dtype=np.uint8)
    place = data.draw(st.integers(0, count - 1))
    labels[place] = data.draw(st.integers(10, 255))
    content = encode_records(np.zeros((count, 32, 32, 3), dtype=np.uint8), labels)
    with pytest.raises(UsageError, match=f"label {labels[place]} in record {place},"):
        parse_records(content, "here")


@given(st.binary(max_size=400))
def test_any_pickle_bytes_are_read_or_refused(content: bytes) -> None:
    """Whatever bytes stand in a Python batch, the reader answers with a UsageError, never with a crash."""
    with pytest.raises(UsageError, match="is no CIFAR-10 batch"):
        parse_pickled(content, RECORDS, "here")


def test_a_batch_file_of_cifar10_has_the_published_size() -> None:
    """The sizes that the readers demand are those of CIFAR-10."""
    from cifar_report.data.batches import binary_format

    assert binary_format(CIFAR10).smallest == binary_format(CIFAR10).largest == 30_730_000
    assert CIFAR10.count == 60_000


@pytest.mark.parametrize("inner", ["", "cifar-10-batches-bin"])
def test_a_binary_folder_is_read(tmp_path: Path, inner: str) -> None:
    """A folder of batches, or the folder that holds it, gives all images in canonical order, unverified."""
    write_files(tmp_path / "data" / inner, binary_files())
    dataset = find(tmp_path, RELEASE, tmp_path / "data")
    images, labels = sample_arrays()
    assert np.array_equal(dataset.images(), images)
    assert np.array_equal(dataset.labels(), labels)
    assert (dataset.grade, dataset.canonical_labels, dataset.source) == ("unverified", True, "binary folder")


def _cut(folder: Path) -> None:
    path = folder / "data_batch_3.bin"
    path.write_bytes(path.read_bytes()[:-1])


def _lengthen(folder: Path) -> None:
    path = folder / "data_batch_3.bin"
    path.write_bytes(path.read_bytes() + b"\0")


def _remove(folder: Path) -> None:
    (folder / "data_batch_3.bin").unlink()


def _spoil_label(folder: Path) -> None:
    path = folder / "data_batch_3.bin"
    path.write_bytes(b"\x0a" + path.read_bytes()[1:])


def _make_folder(folder: Path) -> None:
    _remove(folder)
    (folder / "data_batch_3.bin").mkdir()


def _make_pipe(folder: Path) -> None:
    _remove(folder)
    os.mkfifo(folder / "data_batch_3.bin")


def _make_loop(folder: Path) -> None:
    _remove(folder)
    (folder / "data_batch_3.bin").symlink_to("data_batch_3.bin")


def _empty(folder: Path) -> None:
    (folder / "data_batch_3.bin").write_bytes(b"")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_cut, "is truncated: it holds 61,459 bytes, a CIFAR-10 batch holds exactly 61,460"),
        (_empty, "is truncated: it holds 0 bytes"),
        (_lengthen, "is oversized: it holds 61,461 bytes"),
        (_remove, "is missing"),
        (_spoil_label, "has label 10 in record 0, expected 0 to 9"),
        (_make_folder, "is not a regular file"),
        (_make_pipe, "is not a regular file"),
        (_make_loop, "cannot be read"),
    ],
)
def test_a_bad_binary_folder_is_refused(tmp_path: Path, spoil: object, words: str) -> None:
    """A bad batch gets one sentence that names the file, and nothing is written anywhere."""
    folder = write_files(tmp_path / "data", binary_files())
    assert callable(spoil)
    spoil(folder)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=f"data_batch_3.bin {re.escape(words)}"):
        find(tmp_path, RELEASE, folder)
    assert tree(tmp_path) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A batch without read permission is refused with the reason."""
    folder = write_files(tmp_path / "data", binary_files())
    (folder / "test_batch.bin").chmod(0)
    with pytest.raises(UsageError, match=r"test_batch\.bin cannot be read \(Permission denied\)"):
        find(tmp_path, RELEASE, folder)


@pytest.mark.parametrize(
    ("path", "words"),
    [("nowhere", "does not exist"), ("empty", "holds no CIFAR-10"), ("x" * 300, "cannot be read"), ("", "is empty")],
)
def test_a_bad_path_is_refused(tmp_path: Path, path: str, words: str) -> None:
    """A path that does not exist, or holds nothing like CIFAR-10, is refused and nothing written."""
    (tmp_path / "empty").mkdir()
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=words):
        find(tmp_path, RELEASE, tmp_path / path if path else "")
    assert tree(tmp_path) == before


def test_python_batches_are_read_after_their_hashes_match(tmp_path: Path) -> None:
    """Batches pickled as Python 2 did give the images of the binary version, and are canonical."""
    write_files(tmp_path / "cifar-10-batches-py", python_files())
    dataset = find(tmp_path, RELEASE, tmp_path)
    images, labels = sample_arrays()
    assert np.array_equal(dataset.images(), images)
    assert np.array_equal(dataset.labels(), labels)
    assert (dataset.grade, dataset.source) == ("canonical", "Python batches")


def test_python_batches_with_other_hashes_are_not_opened(tmp_path: Path) -> None:
    """A batch whose MD5 is not the published one is refused before it is unpickled."""
    folder = write_files(tmp_path / "cifar-10-batches-py", python_files())
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=r"data_batch_1 has MD5 [0-9a-f]{32}, the published one is 0{32}: it was not"):
        find(tmp_path, other_release(RELEASE), folder)
    assert tree(tmp_path) == before


class _Attack:
    """Creates a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_cannot_run_anything(tmp_path: Path, protocol: int) -> None:
    """A hostile batch runs nothing even when it gets past the hash."""
    target = tmp_path / "attacked"
    content = pickle.dumps({"data": _Attack(target), "labels": []}, protocol=protocol)
    with pytest.raises(UsageError, match=r"it names (posix|nt|os)\.mkdir"):
        parse_pickled(content, RECORDS, "here")
    assert not target.exists()
    pickle.loads(content)  # noqa: S301 - shows that the attack itself works
    assert target.exists()


IMAGES, LABELS = (part[:RECORDS] for part in sample_arrays())


@pytest.mark.parametrize(
    "batch",
    [
        [],
        {"data": planes(IMAGES)},
        {"data": planes(IMAGES).tolist(), "labels": LABELS.tolist()},
        {"data": planes(IMAGES)[:-1], "labels": LABELS.tolist()},
        {"data": planes(IMAGES).astype(np.uint16), "labels": LABELS.tolist()},
        {"data": np.asfortranarray(planes(IMAGES)), "labels": LABELS.tolist()},
        {"data": planes(IMAGES), "labels": LABELS.tolist()[:-1]},
        {"data": planes(IMAGES), "labels": "a" * RECORDS},
        {"data": planes(IMAGES), "labels": [[1]] * RECORDS},
        {"data": planes(IMAGES), "labels": [2**70] * RECORDS},
    ],
    ids=range(10),
)
def test_a_batch_of_another_form_is_refused(batch: object) -> None:
    """A pickle without the values of a batch is refused in one sentence."""
    with pytest.raises(UsageError, match=r"^here is no CIFAR-10 batch"):
        parse_pickled(pickled(batch), RECORDS, "here")


@pytest.mark.parametrize("label", [-1, 10, 256])
def test_a_python_batch_with_a_bad_label_is_refused(label: int) -> None:
    """Labels are checked before they are narrowed to a byte, so that 256 does not become 0."""
    labels = [label, *LABELS.tolist()[1:]]
    with pytest.raises(UsageError, match=f"label {label} in record 0,"):
        parse_pickled(pickled({"data": planes(IMAGES), "labels": labels}), RECORDS, "here")


def test_a_release_names_its_files_in_canonical_order() -> None:
    """Training batches come first, in the order of their numbers, then the test batch."""
    assert isinstance(RELEASE, Release)
    assert RELEASE.binary_names == tuple(binary_files())
    assert RELEASE.python_names == tuple(python_files())
    assert set(CIFAR10.python_md5) == set(CIFAR10.python_names)
