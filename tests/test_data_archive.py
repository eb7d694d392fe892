"""CIFAR-10 from an archive: read in memory, nothing extracted, nothing trusted."""

import gzip
import io
import re
import tarfile
from pathlib import Path

import numpy as np
import pytest
from data_samples import (
    archive_bytes,
    archive_of,
    binary_files,
    find,
    other_release,
    python_files,
    release_of,
    sample_arrays,
    tree,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cifar_report.data.archive import archive_batches
from cifar_report.data.reading import read_archive
from cifar_report.errors import UsageError

CONTENT = archive_bytes(binary_files())
RELEASE = release_of(CONTENT)


def _save(folder: Path, content: bytes, name: str = "cifar-10-binary.tar.gz") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def _member(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname = size, kind, link
    return member


@pytest.mark.parametrize("inside_a_folder", [False, True])
def test_the_published_archive_is_canonical(tmp_path: Path, inside_a_folder: bool) -> None:
    """An archive with the published hash gives canonical images, and nothing is extracted beside it."""
    path = _save(tmp_path, CONTENT)
    dataset = find(tmp_path / "places", RELEASE, tmp_path if inside_a_folder else path)
    images, labels = sample_arrays()
    assert np.array_equal(dataset.images(), images)
    assert np.array_equal(dataset.labels(), labels)
    assert (dataset.grade, dataset.source, dataset.location) == ("canonical", "binary archive", str(path))
    assert sorted(child.name for child in tmp_path.iterdir()) == [path.name, "places"]


def test_another_archive_is_unverified(tmp_path: Path) -> None:
    """A well-formed archive with another hash is read and named as unverified."""
    dataset = find(tmp_path, other_release(RELEASE), _save(tmp_path, CONTENT))
    assert dataset.grade == "unverified"


def test_a_python_archive_is_canonical_by_its_batches(tmp_path: Path) -> None:
    """The Python version's archive is read too; its batches' hashes decide."""
    path = _save(tmp_path, archive_bytes(python_files(), "cifar-10-batches-py"), "cifar-10-python.tar.gz")
    dataset = find(tmp_path, RELEASE, path)
    assert np.array_equal(dataset.images(), sample_arrays()[0])
    assert (dataset.grade, dataset.source) == ("canonical", "Python archive")
    with pytest.raises(UsageError, match="has MD5"):
        find(tmp_path / "elsewhere", other_release(RELEASE), path)


def test_the_order_of_members_does_not_matter(tmp_path: Path) -> None:
    """Batches are put in canonical order whatever their order in the archive."""
    path = _save(tmp_path, archive_bytes(dict(reversed(binary_files().items()))))
    assert np.array_equal(find(tmp_path, RELEASE, path).labels(), sample_arrays()[1])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.floats(0, 1, exclude_max=True))
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    """Wherever an archive is cut off inside its batches, it is refused with a sentence that names it."""
    # The last bytes hold the archive's other file and gzip's trailer, which no image depends on.
    path = _save(tmp_path, CONTENT[: int(share * 0.99 * len(CONTENT))])
    with pytest.raises(UsageError, match=re.escape(str(path))):
        read_archive(path, RELEASE, None)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_damaged_archive_is_never_canonical(tmp_path: Path, place: int, change: int) -> None:
    """One changed byte anywhere makes the archive unverified or unreadable, never canonical, never a crash."""
    damaged = bytearray(CONTENT)
    damaged[place] ^= change
    path = _save(tmp_path, bytes(damaged))
    try:
        outcome: str = read_archive(path, RELEASE, None).grade
    except UsageError as error:
        outcome = str(error)
    assert outcome == "unverified" or str(path) in outcome


FILES = binary_files()
FIRST = FILES["data_batch_1.bin"]
WHOLE = [(_member(name, len(content)), content) for name, content in FILES.items()]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "truncated or damaged"),
        (b"no archive at all", "truncated or damaged"),
        (gzip.compress(b"no tar inside" * 100), "truncated or damaged"),
        (archive_of(), "holds no CIFAR-10 batch"),
        (archive_of(*WHOLE[:5]), "lacks test_batch.bin"),
        (archive_of(*WHOLE, WHOLE[0]), "comes twice"),
        (archive_of(WHOLE[0], (_member("data_batch_2", len(FIRST)), FIRST)), "does not belong there"),
        (archive_of((_member("data_batch_1.bin", 5), b"12345")), "is truncated"),
        (archive_of((_member("data_batch_1.bin", len(FIRST) + 1), FIRST + b"0")), "is oversized"),
        (archive_of((_member("data_batch_1.bin", kind=tarfile.SYMTYPE, link="/etc/passwd"), b"")), "no regular file"),
        (archive_of((_member("data_batch_1.bin", kind=tarfile.LNKTYPE, link="other"), b"")), "no regular file"),
        (archive_of((_member("data_batch_1.bin", kind=tarfile.DIRTYPE), b"")), "no regular file"),
        (archive_of((_member("data_batch_1.bin", kind=tarfile.FIFOTYPE), b"")), "no regular file"),
        (archive_of(*((_member(f"file_{number}"), b"") for number in range(100))), "too many files"),
    ],
    ids=[
        "empty",
        "no gzip",
        "no tar",
        "no member",
        "a member missing",
        "a member twice",
        "versions mixed",
        "a short member",
        "a long member",
        "a symbolic link",
        "a hard link",
        "a folder",
        "a pipe",
        "many members",
    ],
)
def test_a_bad_archive_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    """A bad archive gets one sentence, and nothing is written anywhere."""
    path = _save(tmp_path, content)
    before = tree(tmp_path)
    with pytest.raises(UsageError, match=words):
        find(tmp_path, RELEASE, path)
    assert tree(tmp_path) == before


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_an_archive_that_swells_is_refused(tmp_path: Path, format_: int) -> None:
    """A small archive that unpacks to far more than CIFAR-10, even in a header, is refused in little memory."""
    import tracemalloc

    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz", format=format_) as archive:
        bomb = _member("bomb", 1 << 27)
        if format_ == tarfile.PAX_FORMAT:
            bomb.size, bomb.pax_headers = 0, {"comment": "0" * (1 << 25)}
        archive.addfile(bomb, io.BytesIO(bytes(bomb.size)))
    path = _save(tmp_path, stream.getvalue())
    tracemalloc.start()
    try:
        with pytest.raises(UsageError, match="unpacks to more than CIFAR-10 holds"):
            list(archive_batches(path, {"data_batch_1.bin": (0, 1000)}))
        assert tracemalloc.get_traced_memory()[1] < 24 << 20
    finally:
        tracemalloc.stop()
