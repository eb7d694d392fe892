"""Where data are looked for, in which order, and what happens where there are none."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from data_samples import BINARY_ARCHIVE, PYTHON_ARCHIVE, RELEASE, binary_files, find, search_in, write_files

from cifar_report.data import TRAIN_COUNT, Dataset
from cifar_report.data.release import CIFAR10, RECORD_BYTES, Release
from cifar_report.data.searching import cache_folder
from cifar_report.errors import SuiteError, UsageError


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch"}, "/scratch/cifar-report"),
        ({"XDG_CACHE_HOME": "", "CIFAR_REPORT_CACHE": ""}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch", "CIFAR_REPORT_CACHE": "/fast"}, "/fast"),
    ],
)
def test_the_environment_says_where_the_cache_is(
    variables: dict[str, str], cache: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Our variable comes before XDG's, and that before the home folder; empty ones count as not set."""
    for name in ("XDG_CACHE_HOME", "CIFAR_REPORT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/student", **variables}.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(cache)


def test_what_is_named_comes_before_the_environment(tmp_path: Path) -> None:
    """A path that a person gives is taken, whatever CIFAR10_DIR says; without one, CIFAR10_DIR is."""
    given = write_files(tmp_path / "given", binary_files(seed=1))
    named = write_files(tmp_path / "named", binary_files())
    search, _, _ = search_in(tmp_path, named=str(named))
    assert search.find(str(given), allow_stand_in=False).location == str(given)
    assert search.find(None, allow_stand_in=False).location == str(named)


def test_a_bad_variable_is_an_error(tmp_path: Path) -> None:
    """A CIFAR10_DIR that leads nowhere is said to be wrong; nothing else is taken in its place."""
    search, warnings, _ = search_in(tmp_path, named=str(tmp_path / "nowhere"))
    with pytest.raises(UsageError, match=r"^CIFAR10_DIR: .*nowhere does not exist"):
        search.find(None, allow_stand_in=True)
    assert warnings == []


@pytest.mark.parametrize("name", ["cifar-10-batches-py.tar.gz", "cifar-10-batches-py-target_archive"])
def test_the_keras_cache_is_found(tmp_path: Path, name: str) -> None:
    """The archive that Keras fetched is found under the names of its versions; another file there is passed over."""
    write_files(tmp_path / "keras", {"cifar-10-batches-py": b"something else", name: PYTHON_ARCHIVE})
    dataset = find(tmp_path, None)
    assert (dataset.grade, dataset.source) == ("canonical", "Keras cache")
    assert dataset.location == str(tmp_path / "keras" / name)


def test_an_archive_put_in_the_cache_is_found(tmp_path: Path) -> None:
    """The place that the error names works without a network; an archive with another hash is named in the error."""
    search, _, _ = search_in(tmp_path)
    search.archive_place.parent.mkdir(parents=True)
    search.archive_place.write_bytes(BINARY_ARCHIVE + b"0")
    with pytest.raises(UsageError, match=r"cifar-10-binary\.tar\.gz is not the published archive"):
        search.find(None, allow_stand_in=False)
    search.archive_place.write_bytes(BINARY_ARCHIVE)
    dataset = search.find(None, allow_stand_in=False)
    assert (dataset.grade, dataset.location) == ("canonical", str(search.archive_place))
    assert search.find(None, allow_stand_in=False) == replace(
        dataset, source="cache (binary archive)", location=str(dataset.folder)
    )


def test_only_canonical_data_are_taken_unasked(tmp_path: Path) -> None:
    """Unverified data that were named once are not taken from the cache by a later call that names nothing."""
    folder = write_files(tmp_path / "data", binary_files())
    search, warnings, _ = search_in(tmp_path)
    search.find(str(folder), allow_stand_in=False)
    with pytest.raises(UsageError, match=r"CIFAR-10 was not found"):
        search.find(None, allow_stand_in=False)
    assert search.find(None, allow_stand_in=True).grade == "stand-in"
    assert len(warnings) == 1


def test_the_stand_in_replaces_data_with_a_warning(tmp_path: Path) -> None:
    """Without data and network the stand-in is used where allowed, with a warning that says why and what to do."""
    search, warnings, _ = search_in(tmp_path)
    dataset = search.find(None, allow_stand_in=True)
    assert (dataset.grade, dataset.canonical_labels) == ("stand-in", False)
    (warning,) = warnings
    assert warning.startswith("NO CIFAR-10 DATA")
    for part in ("download failed", RELEASE.address, RELEASE.binary_sha256, str(search.archive_place)):
        assert part in warning
    assert search.find("synthetic", allow_stand_in=False) == dataset
    assert warnings == [warning]


def test_a_command_that_only_looks_downloads_nothing(tmp_path: Path) -> None:
    """Without ``download`` the network is not asked, and the message says so."""
    search, _, notices = search_in(tmp_path)
    with pytest.raises(UsageError, match="this command only looks"):
        replace(search, download=False).find(None, allow_stand_in=False)
    assert notices == []


class Server(ThreadingHTTPServer):
    """Answers every request with the same bytes, and may promise more than it sends."""

    content, status, promised = BINARY_ARCHIVE, 200, len(BINARY_ARCHIVE)

    def release(self) -> Release:
        """Say that this server publishes the sample."""
        return replace(RELEASE, address=f"http://127.0.0.1:{self.server_port}/cifar-10-binary.tar.gz")


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.promised))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server in a thread."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_the_archive_is_downloaded_and_verified(server: Server, tmp_path: Path) -> None:
    """The archive arrives whole under its name, is canonical, and is said to be on its way."""
    search, _, notices = search_in(tmp_path, server.release())
    dataset = search.find(None, allow_stand_in=False)
    assert (dataset.grade, dataset.source) == ("canonical", "download")
    assert search.archive_place.read_bytes() == BINARY_ARCHIVE
    assert list(search.archive_place.parent.iterdir()) == [search.archive_place]
    assert notices[0].startswith(f"Downloading {server.release().address}")


@pytest.mark.parametrize(
    ("content", "status", "promised", "words"),
    [
        (b"another file", 200, 12, "hash"),
        (BINARY_ARCHIVE[:1000], 200, len(BINARY_ARCHIVE), "IncompleteRead"),
        (b"", 503, 0, "503"),
    ],
    ids=["another file", "broken off", "no file"],
)
def test_a_failed_download_leaves_nothing(
    server: Server, tmp_path: Path, content: bytes, status: int, promised: int, words: str
) -> None:
    """What was not received whole, or is another file, never stands under the archive's name, nor beside it."""
    server.content, server.status, server.promised = content, status, promised
    with pytest.raises(UsageError, match=f"The download failed: .*{words}"):
        find(tmp_path, None, server.release())
    assert list((tmp_path / "cache" / "downloads").iterdir()) == []


def test_a_cache_that_takes_no_download_says_so(server: Server, tmp_path: Path) -> None:
    """Where the archive cannot be written, the error names the cache, not the network."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(SuiteError, match="cannot be written"):
        find(tmp_path, None, server.release())


def test_real_data_are_those_of_the_files(dataset: Dataset) -> None:
    """Labels are CIFAR-10's, 6,000 of each class; images are stored upright with their colours together."""
    if dataset.grade == "stand-in" or not (batch := Path(dataset.location) / "test_batch.bin").is_file():
        pytest.skip("there is no unpacked CIFAR-10 on this machine")
    labels = dataset.labels()
    assert dataset.canonical_labels
    assert hashlib.sha256(labels.tobytes()).hexdigest() == CIFAR10.labels_sha256
    assert np.bincount(labels[:TRAIN_COUNT]).tolist() == [5000] * 10
    record = np.fromfile(batch, dtype=np.uint8, count=RECORD_BYTES, offset=1234 * RECORD_BYTES)
    assert labels[TRAIN_COUNT + 1234] == record[0]
    expected = [record[1 + colour * 1024 + 5 * 32 + 7] for colour in range(3)]
    assert dataset.images()[TRAIN_COUNT + 1234, 5, 7].tolist() == expected
