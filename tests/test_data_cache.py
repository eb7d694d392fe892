"""The cache of prepared datasets: never read twice, never trusted when damaged, safe with parallel starters."""

import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from data_samples import (
    archive_bytes,
    binary_files,
    find,
    other_release,
    release_of,
    sample_arrays,
    search_in,
    tree,
    write_files,
)

from cifar_report.data.dataset import Dataset
from cifar_report.errors import SuiteError

CONTENT = archive_bytes(binary_files())
RELEASE = release_of(CONTENT)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Write a small unpacked binary version."""
    return write_files(tmp_path / "data", binary_files())


def _datasets(tmp_path: Path) -> list[str]:
    return sorted(child.name for child in (tmp_path / "cache" / "datasets").iterdir())


def test_an_unchanged_source_is_not_read_again(tmp_path: Path, folder: Path) -> None:
    """The second call gives the same dataset, says nothing, writes nothing and reads no batch."""
    first = find(tmp_path, RELEASE, folder)
    before = tree(tmp_path)
    for path in folder.iterdir():
        state = path.stat()
        path.write_bytes(bytes(state.st_size))  # would be refused if it were read: its hash is another
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    search, warnings, notices = search_in(tmp_path, RELEASE)
    assert search.find(str(folder), allow_stand_in=False) == first
    assert (warnings, notices) == ([], [])
    assert tree(tmp_path) == before


def test_a_changed_source_is_read_again(tmp_path: Path, folder: Path) -> None:
    """A batch that was written anew gives another fingerprint; the old dataset stays."""
    first = find(tmp_path, RELEASE, folder)
    shutil.rmtree(folder)
    write_files(folder, binary_files(seed=1))
    second = find(tmp_path, RELEASE, folder)
    assert np.array_equal(second.images(), sample_arrays(seed=1)[0])
    assert not second.canonical_labels
    assert _datasets(tmp_path) == sorted([first.fingerprint, second.fingerprint])


def test_the_fingerprint_is_the_hash_of_images_and_labels(tmp_path: Path, folder: Path) -> None:
    """The fingerprint is SHA-256 over the image bytes and the label bytes, and names the folder."""
    import hashlib

    dataset = find(tmp_path, RELEASE, folder)
    images, labels = sample_arrays()
    assert dataset.fingerprint == hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert dataset.folder == tmp_path / "cache" / "datasets" / dataset.fingerprint


def test_a_dataset_travels_to_another_process(tmp_path: Path, folder: Path) -> None:
    """A dataset is small when pickled and opens the same images; a mapped image cannot be changed on disk."""
    dataset = find(tmp_path, RELEASE, folder)
    packed = pickle.dumps(dataset)
    assert len(packed) < 1000
    opened = pickle.loads(packed)  # noqa: S301 - our own bytes
    assert isinstance(opened, Dataset)
    images = opened.images()
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    private = opened.images("c")
    private[0] = 255 - private[0]
    assert np.array_equal(opened.images(), sample_arrays()[0])


def _truncate(entry: Path) -> None:
    os.truncate(entry / "images.npy", 1000)


def _flip_a_pixel(entry: Path) -> None:
    content = bytearray((entry / "images.npy").read_bytes())
    content[-1] ^= 1
    (entry / "images.npy").write_bytes(content)


def _spoil_a_header(entry: Path) -> None:
    path = entry / "labels.npy"
    state = path.stat()
    path.write_bytes(path.read_bytes().replace(b"|u1", b"|i1"))
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


def _spoil_the_description(entry: Path) -> None:
    (entry / "dataset.json").write_text("{")


def _make_the_description_huge(entry: Path) -> None:
    path = entry / "dataset.json"
    path.write_bytes(path.read_bytes() + b" " * (1 << 20))


def _claim_another_fingerprint(entry: Path) -> None:
    description = json.loads((entry / "dataset.json").read_text())
    (entry / "dataset.json").write_text(json.dumps(description | {"fingerprint": "0" * 64}))


def _claim_another_version(entry: Path) -> None:
    description = json.loads((entry / "dataset.json").read_text())
    (entry / "dataset.json").write_text(json.dumps(description | {"version": 2}))


def _remove_the_labels(entry: Path) -> None:
    (entry / "labels.npy").unlink()


def _replace_by_a_file(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.write_text("no folder")


def _empty(entry: Path) -> None:
    shutil.rmtree(entry)
    entry.mkdir()


@pytest.mark.parametrize(
    "damage",
    [
        _truncate,
        _flip_a_pixel,
        _spoil_a_header,
        _spoil_the_description,
        _make_the_description_huge,
        _claim_another_fingerprint,
        _claim_another_version,
        _remove_the_labels,
        _replace_by_a_file,
        _empty,
    ],
)
def test_a_damaged_dataset_is_rebuilt(tmp_path: Path, folder: Path, damage: Callable[[Path], None]) -> None:
    """Whatever is damaged in the cache is made anew from the source, and nothing else is left."""
    first = find(tmp_path, RELEASE, folder)
    damage(first.folder)
    assert find(tmp_path, RELEASE, folder) == first
    images, labels = sample_arrays()
    assert np.array_equal(first.images(), images)
    assert np.array_equal(first.labels(), labels)
    assert first.labels().dtype == np.uint8
    assert (first.folder / "dataset.json").stat().st_size < 1000
    assert _datasets(tmp_path) == [first.fingerprint]
    search, _, notices = search_in(tmp_path, RELEASE)
    search.find(str(folder), allow_stand_in=False)
    assert notices == []


def test_a_copied_cache_is_hashed_once(tmp_path: Path, folder: Path) -> None:
    """Files whose bytes are right but whose times changed are recognised, and their new times recorded."""
    first = find(tmp_path, RELEASE, folder)
    os.utime(first.folder / "images.npy", ns=(1, 1))
    search, _, notices = search_in(tmp_path, RELEASE)
    assert search.find(str(folder), allow_stand_in=False) == first
    assert notices == []
    assert json.loads((first.folder / "dataset.json").read_text())["files"][0]["modified_ns"] == 1


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"version": 1}', "\xff"])
def test_a_damaged_source_record_is_ignored(tmp_path: Path, folder: Path, content: str) -> None:
    """A record of a source that cannot be read only costs reading the source again."""
    first = find(tmp_path, RELEASE, folder)
    (record,) = (tmp_path / "cache" / "sources").iterdir()
    record.write_text(content, encoding="latin-1")
    assert find(tmp_path, RELEASE, folder) == first
    assert first.fingerprint in record.read_text()


def test_a_folder_is_canonical_if_its_bytes_came_from_the_published_archive(tmp_path: Path, folder: Path) -> None:
    """A grade belongs to the bytes: the archive raises the folder's, whichever came first."""
    assert find(tmp_path, RELEASE, folder).grade == "unverified"
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(CONTENT)
    assert find(tmp_path, RELEASE, archive).grade == "canonical"
    dataset = find(tmp_path, RELEASE, folder)
    assert (dataset.grade, dataset.source) == ("canonical", "binary folder")
    find(tmp_path, other_release(RELEASE), folder)
    assert find(tmp_path, RELEASE, folder).grade == "canonical"


def test_a_rebuilt_dataset_keeps_what_its_archive_proved(tmp_path: Path, folder: Path) -> None:
    """After a damage was repaired from a folder, the unchanged archive makes the bytes canonical again."""
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(CONTENT)
    first = find(tmp_path, RELEASE, archive)
    shutil.rmtree(first.folder)
    assert find(tmp_path, RELEASE, folder).grade == "unverified"
    assert find(tmp_path, RELEASE, archive) == first


@pytest.mark.parametrize("obstacle", ["cache", "cache/datasets"])
def test_a_cache_that_cannot_be_written_says_so(tmp_path: Path, folder: Path, obstacle: str) -> None:
    """Where a file stands in the cache's way, the error names the folder and the variable that moves it."""
    path = tmp_path / obstacle
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(SuiteError, match=r"cache folder .*cache cannot be written.*CIFAR_REPORT_CACHE"):
        find(tmp_path, RELEASE, folder)
    assert path.read_text() == "in the way"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from data_samples import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no file may grow beyond this
folder = Path(sys.argv[1])
try:
    find(folder, release_of(archive_bytes(binary_files())), folder / "data")
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_disk_that_fills_up_leaves_no_half_dataset(tmp_path: Path, folder: Path) -> None:
    """When writing fails on the way, the error says so and nothing half-written stays."""
    done = _start(FULL_DISK, tmp_path)
    output, _ = done.communicate(timeout=60)
    assert re.match(r"SuiteError The cache folder .* cannot be written \(File too large\)", output)
    assert _datasets(tmp_path) == []
    assert folder.is_dir()


PARALLEL = """
import sys, time
from pathlib import Path
from data_samples import *
release, folder = release_of(archive_bytes(binary_files())), Path(sys.argv[1])
(folder / f"ready-{sys.argv[2]}").touch()
while not (folder / "go").exists():
    time.sleep(0.001)
for _ in range(5):
    dataset = find(folder, release, folder / "data")
    print(dataset.fingerprint, int(dataset.images().sum()), int(dataset.labels().sum()))
"""


def _start(program: str, *arguments: object) -> subprocess.Popen[str]:
    places = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.parametrize("damaged", [False, True])
def test_parallel_starters_share_one_dataset(tmp_path: Path, folder: Path, damaged: bool) -> None:
    """Processes that prepare the same data at once all succeed and leave one whole dataset."""
    if damaged:
        first = find(tmp_path, RELEASE, folder)
        _spoil_the_description(first.folder)
    processes = [_start(PARALLEL, tmp_path, number) for number in range(3)]
    deadline = time.monotonic() + 60
    while len(list(tmp_path.glob("ready-*"))) < len(processes) and time.monotonic() < deadline:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    images, labels = sample_arrays()
    dataset = find(tmp_path, RELEASE, folder)
    expected = f"{dataset.fingerprint} {int(images.sum())} {int(labels.sum())}\n" * 5
    assert outputs == [expected] * 3
    assert _datasets(tmp_path) == [dataset.fingerprint]


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path, folder: Path) -> None:
    """Unfinished folders go after a day; younger ones may belong to a process that still works."""
    for name, age in (("old", 2 * 24 * 3600), ("young", 60)):
        leftover = tmp_path / "cache" / "datasets" / f".partial-{name}"
        leftover.mkdir(parents=True)
        os.utime(leftover, (time.time() - age, time.time() - age))
    dataset = find(tmp_path, RELEASE, folder)
    assert _datasets(tmp_path) == [".partial-young", dataset.fingerprint]
