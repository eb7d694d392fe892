"""The cache of prepared datasets: never trusted when damaged, never half-written, safe with parallel starters."""

import hashlib
import json
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from data_samples import BINARY, binary_files, find, sample_arrays, write_files

from cifar_report.data.dataset import PreparedData
from cifar_report.errors import SuiteError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_files(tmp_path / "data", binary_files())


def datasets(tmp_path: Path) -> list[str]:
    return sorted(child.name for child in (tmp_path / "cache" / "datasets").iterdir())


def test_a_dataset_is_named_by_its_hash_and_cannot_be_changed_on_disk(tmp_path, folder):
    """A dataset is named by the hash of its bytes, small when pickled, and cannot be changed on disk."""
    dataset = find(tmp_path, folder)
    images, labels = sample_arrays()
    assert dataset.fingerprint == hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    assert dataset.folder == tmp_path / "cache" / "datasets" / dataset.fingerprint
    packed = pickle.dumps(find(tmp_path, folder))
    assert len(packed) < 2000
    opened = pickle.loads(packed)  # noqa: S301 - our own bytes
    assert isinstance(opened, PreparedData)
    images = opened.images()
    assert isinstance(images, np.memmap)
    with pytest.raises(ValueError, match="read-only"):
        images[0] = 0
    private = opened.images("c")
    private[0] = 255 - private[0]
    assert np.array_equal(opened.images(), sample_arrays()[0])


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("images.npy", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        ("labels.npy", lambda content: content.replace(b"'|u1'", b"'|O1'")),
        ("dataset.json", lambda _: b"{"),
        ("labels.npy", None),
    ],
    ids=["pixel", "header", "description", "removed"],
)
def test_a_damaged_dataset_is_rebuilt(tmp_path, folder, name, damage):
    """Whatever is damaged in the cache is made anew from the source."""
    first = find(tmp_path, folder)
    path = first.folder / name
    content = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage(content))
    assert find(tmp_path, folder) == first
    images, labels = sample_arrays()
    assert np.array_equal(first.images(), images)
    assert np.array_equal(first.labels(), labels)
    assert json.loads((first.folder / "dataset.json").read_text())["grade"] == "unverified"
    assert not list(first.folder.parent.glob(".partial-*"))


def test_a_grade_belongs_to_the_bytes(tmp_path, folder):
    """The published archive makes the same images of a folder canonical, and they stay so."""
    assert find(tmp_path, folder).grade == "unverified"
    archive = tmp_path / "cifar-10-binary.tar.gz"
    archive.write_bytes(BINARY)
    assert find(tmp_path, archive).grade == "canonical"
    dataset = find(tmp_path, folder)
    assert (dataset.grade, dataset.source) == ("canonical", "binary folder")
    assert find(tmp_path, None).source == "cache (binary archive)"


@pytest.mark.parametrize("obstacle", ["cache", "cache/datasets"])
def test_a_cache_that_cannot_be_written_says_so(tmp_path, folder, obstacle):
    """Where a file stands in the cache's way, the error names the folder and the variable that moves it."""
    path = tmp_path / obstacle
    path.parent.mkdir(exist_ok=True)
    path.write_text("in the way")
    with pytest.raises(SuiteError, match=r"cache folder .*cache cannot be written.*CIFAR_REPORT_CACHE"):
        find(tmp_path, folder)
    assert path.read_text() == "in the way"


FULL_DISK = """
import resource, signal, sys
from pathlib import Path
from data_samples import *
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))  # no file may grow beyond this
try:
    find(Path(sys.argv[1]), Path(sys.argv[1]) / "data")
except Exception as error:
    print(type(error).__name__, error)
"""
PARALLEL = """
import sys
from pathlib import Path
from data_samples import *
sys.stdin.readline()
for _ in range(5):
    dataset = find(Path(sys.argv[1]), Path(sys.argv[1]) / "data")
    print(dataset.fingerprint, int(dataset.images().sum()), int(dataset.labels().sum()))
"""


def start(program: str, tmp_path: Path) -> subprocess.Popen[str]:
    """Start a program that works in a folder."""
    places = [str(Path(__file__).parent), str(Path(__file__).parent.parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}
    command = [sys.executable, "-c", program, str(tmp_path)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)


@pytest.mark.usefixtures("folder")
def test_a_disk_that_fills_up_leaves_no_half_dataset(tmp_path):
    """When writing fails on the way, the error says so and nothing half-written stays."""
    output, _ = start(FULL_DISK, tmp_path).communicate(timeout=60)
    assert re.match(r"SuiteError The cache folder .* cannot be written", output)
    assert datasets(tmp_path) == []


def test_parallel_starters_share_one_dataset(tmp_path, folder):
    """Processes that prepare the same data at once all succeed and leave one whole dataset."""
    processes = [start(PARALLEL, tmp_path) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    images, labels = sample_arrays()
    dataset = find(tmp_path, folder)
    assert outputs == [f"{dataset.fingerprint} {int(images.sum())} {int(labels.sum())}\n" * 5] * 3
    assert datasets(tmp_path) == [dataset.fingerprint]
