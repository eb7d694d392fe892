"""Where data are looked for, in which order, and what happens where there are none."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from data_samples import (
    archive_bytes,
    binary_files,
    other_release,
    python_files,
    release_of,
    sample_arrays,
    search_in,
    write_files,
)

import cifar_report.data
from cifar_report.data import Dataset, locate
from cifar_report.data.locating import Places
from cifar_report.data.release import CIFAR10
from cifar_report.errors import UsageError

CONTENT = archive_bytes(binary_files())
RELEASE = release_of(CONTENT)
HOME = Path("/home/student")


@pytest.mark.parametrize(
    ("environment", "cache"),
    [
        ({}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch"}, "/scratch/cifar-report"),
        ({"XDG_CACHE_HOME": "relative"}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "", "CIFAR_REPORT_CACHE": ""}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch", "CIFAR_REPORT_CACHE": "/fast"}, "/fast"),
    ],
)
def test_the_environment_says_where_the_cache_is(environment: dict[str, str], cache: str) -> None:
    """Our variable comes before XDG's, and that before the home folder; empty ones count as not set."""
    assert Places.of(environment, HOME).cache == Path(cache)


def test_the_environment_says_where_data_are() -> None:
    """CIFAR10_DIR and KERAS_HOME are followed."""
    places = Places.of({"CIFAR10_DIR": "/data", "KERAS_HOME": "/keras"}, HOME)
    assert (places.named, places.keras) == ("/data", Path("/keras/datasets"))
    assert Places.of({"CIFAR10_DIR": ""}, HOME) == Places(None, HOME / ".cache/cifar-report", HOME / ".keras/datasets")


def test_what_is_named_comes_before_the_environment(tmp_path: Path) -> None:
    """A path that a person gives is taken, whatever CIFAR10_DIR says; without one, CIFAR10_DIR is."""
    given = write_files(tmp_path / "given", binary_files(seed=1))
    named = write_files(tmp_path / "named", binary_files())
    search, _, _ = search_in(tmp_path, RELEASE, named=str(named))
    assert search.find(str(given), allow_stand_in=False).location == str(given)
    assert search.find(None, allow_stand_in=False).location == str(named)


def test_a_bad_variable_is_an_error(tmp_path: Path) -> None:
    """A CIFAR10_DIR that leads nowhere is said to be wrong; nothing else is taken in its place."""
    search, warnings, _ = search_in(tmp_path, RELEASE, named=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"^CIFAR10_DIR: .*nowhere does not exist"):
        search.find(None, allow_stand_in=True)
    assert warnings == []


@pytest.mark.parametrize("inner", ["cifar-10-batches-py", "cifar-10-batches-py-target/cifar-10-batches-py"])
def test_the_keras_cache_is_found(tmp_path: Path, inner: str) -> None:
    """Batches that Keras fetched are found in both places where its versions put them."""
    write_files(tmp_path / "keras" / "datasets" / inner, python_files())
    search, warnings, _ = search_in(tmp_path, RELEASE)
    dataset = search.find(None, allow_stand_in=False)
    assert (dataset.grade, dataset.source, warnings) == ("canonical", "Keras cache", [])
    assert np.array_equal(dataset.images(), sample_arrays()[0])


def test_a_wrong_keras_cache_is_passed_over(tmp_path: Path) -> None:
    """Batches of Keras with other hashes are not used, and the error says so beside the failed download."""
    write_files(tmp_path / "keras" / "datasets" / "cifar-10-batches-py", python_files())
    search, _, _ = search_in(tmp_path, other_release(RELEASE))
    with pytest.raises(UsageError, match=r"data_batch_1 has MD5 .* download failed"):
        search.find(None, allow_stand_in=False)


def test_an_archive_put_in_the_cache_is_found(tmp_path: Path) -> None:
    """The place that the error names works: an archive put there is used without a network."""
    search, _, _ = search_in(tmp_path, RELEASE)
    search.archive_place.parent.mkdir(parents=True)
    search.archive_place.write_bytes(CONTENT)
    dataset = search.find(None, allow_stand_in=False)
    assert (dataset.grade, dataset.location) == ("canonical", str(search.archive_place))
    assert search.find(None, allow_stand_in=False).fingerprint == dataset.fingerprint


def test_a_wrong_archive_in_the_cache_is_named(tmp_path: Path) -> None:
    """An archive in that place with another hash is not used, and the error says so."""
    search, _, _ = search_in(tmp_path, other_release(RELEASE))
    search.archive_place.parent.mkdir(parents=True)
    search.archive_place.write_bytes(CONTENT)
    with pytest.raises(UsageError, match=r"cifar-10-binary\.tar\.gz is not the published archive"):
        search.find(None, allow_stand_in=False)


def test_only_canonical_data_are_taken_unasked(tmp_path: Path) -> None:
    """Unverified data that were named once are not taken from the cache by a later call that names nothing."""
    folder = write_files(tmp_path / "data", binary_files())
    search, warnings, _ = search_in(tmp_path, RELEASE)
    search.find(str(folder), allow_stand_in=False)
    with pytest.raises(UsageError, match=r"CIFAR-10 was not found"):
        search.find(None, allow_stand_in=False)
    assert search.find(None, allow_stand_in=True).grade == "stand-in"
    assert len(warnings) == 1


def test_the_stand_in_replaces_data_with_a_warning(tmp_path: Path) -> None:
    """Without data and network the stand-in is used where allowed, with a warning that says why and what to do."""
    search, warnings, _ = search_in(tmp_path, RELEASE)
    dataset = search.find(None, allow_stand_in=True)
    assert (dataset.grade, dataset.canonical_labels) == ("stand-in", False)
    (warning,) = warnings
    assert warning.startswith("NO CIFAR-10 DATA")
    for part in ("download failed", RELEASE.archive.address, RELEASE.archive.sha256, str(search.archive_place)):
        assert part in warning


def test_the_stand_in_can_be_asked_for(tmp_path: Path) -> None:
    """The word synthetic gives the stand-in without a warning, drawn once; a folder of that name has a path."""
    search, warnings, notices = search_in(tmp_path, RELEASE)
    first = search.find("synthetic", allow_stand_in=False)
    assert search.find("synthetic", allow_stand_in=False) == first
    assert (first.source, warnings, len(notices)) == ("synthetic stand-in", [], 1)


PROGRAM = """
import sys, time
start = time.process_time()  # of the processor: others may be busy on this machine
import cifar_report.data
seconds = time.process_time() - start
heavy = {"numpy", "sklearn", "tensorflow", "keras", "scipy", "urllib.request"} & set(sys.modules)
print(sorted(heavy), seconds)
"""


def test_importing_is_quick() -> None:
    """Importing the package brings neither NumPy nor scikit-learn nor TensorFlow, and takes under 150 ms."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent)}
    command = [sys.executable, "-c", PROGRAM]
    outputs = [
        subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout for _ in range(3)
    ]
    assert all(output.startswith("[] ") for output in outputs)
    assert min(float(output.split()[-1]) for output in outputs) < 0.15


@pytest.fixture(scope="module")
def real() -> Dataset:
    """Find the real images where CIFAR10_DIR names them."""
    if not os.environ.get("CIFAR10_DIR"):
        pytest.skip("CIFAR10_DIR is not set: no real CIFAR-10 to read")
    return locate(None, allow_stand_in=False, warn=pytest.fail)


def test_real_labels_are_canonical(real: Dataset) -> None:
    """The labels of the real data are CIFAR-10's in canonical order, 6,000 of each class."""
    import hashlib

    labels = real.labels()
    assert real.canonical_labels
    assert hashlib.sha256(labels.tobytes()).hexdigest() == CIFAR10.labels_sha256
    assert np.bincount(labels[: cifar_report.data.TRAIN_COUNT]).tolist() == [5000] * 10
    assert np.bincount(labels[cifar_report.data.TRAIN_COUNT :]).tolist() == [1000] * 10


def test_real_images_are_those_of_the_files(real: Dataset) -> None:
    """Images are stored upright with their colours together: the bytes of a record's planes come out again."""
    images = real.images()
    assert images.shape == (60_000, 32, 32, 3)
    assert real.grade in ("canonical", "unverified")
    batch = Path(real.location) / "test_batch.bin"
    if not batch.is_file():
        pytest.skip("the real data are no unpacked folder")
    with batch.open("rb") as file:
        file.seek(1234 * 3073)
        record = np.frombuffer(file.read(3073), dtype=np.uint8)
    assert real.labels()[51_234] == record[0]
    assert images[51_234, 5, 7].tolist() == [record[1 + colour * 1024 + 5 * 32 + 7] for colour in range(3)]


def test_real_data_are_found_again_at_once(real: Dataset) -> None:
    """A second search takes well under 0.3 seconds and gives the same dataset."""
    import time

    start = time.perf_counter()
    again = locate(None, allow_stand_in=False, warn=pytest.fail, notify=pytest.fail)
    assert time.perf_counter() - start < 0.3
    assert again == real


def test_a_command_that_only_looks_downloads_nothing(tmp_path: Path) -> None:
    """Without ``download`` the network is not asked, and the message says so."""
    search, _, _ = search_in(tmp_path, RELEASE)
    told: list[str] = []
    looking = replace(search, download=False, notify=told.append)
    with pytest.raises(UsageError, match="this command only looks"):
        looking.find(None, allow_stand_in=False)
    assert told == []
