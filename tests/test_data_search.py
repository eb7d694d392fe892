"""Where data are looked for, in which order, and what happens where there are none."""

import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from data_samples import BINARY, PYTHON, RELEASE, binary_files, find, write_files

from cifar_report.data.dataset import cache_folder
from cifar_report.errors import SuiteError, UsageError

PLACE = Path("cache", "downloads", "cifar-10-binary.tar.gz")


@pytest.mark.parametrize(
    ("variables", "cache"),
    [
        ({}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch"}, "/scratch/cifar-report"),
        ({"XDG_CACHE_HOME": "", "CIFAR_REPORT_CACHE": ""}, "/home/student/.cache/cifar-report"),
        ({"XDG_CACHE_HOME": "/scratch", "CIFAR_REPORT_CACHE": "/fast"}, "/fast"),
    ],
)
def test_the_environment_says_where_the_cache_is(variables, cache, monkeypatch):
    """Our variable comes before XDG's, and that before the home folder; empty ones count as not set."""
    for name in ("XDG_CACHE_HOME", "CIFAR_REPORT_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {"HOME": "/home/student", **variables}.items():
        monkeypatch.setenv(name, value)
    assert cache_folder() == Path(cache)


def test_what_is_named_comes_before_the_environment(tmp_path):
    """A given path comes before CIFAR10_DIR, and a CIFAR10_DIR that leads nowhere is an error that nothing replaces."""
    given = write_files(tmp_path / "given", binary_files(seed=1))
    named = write_files(tmp_path / "named", binary_files())
    assert find(tmp_path, given, variable=named).location == str(given)
    assert find(tmp_path, variable=named).location == str(named)
    with pytest.raises(UsageError, match=r"^CIFAR10_DIR: .*nowhere does not exist"):
        find(tmp_path, variable=tmp_path / "nowhere", stand_in=True)


@pytest.mark.parametrize("name", ["cifar-10-batches-py.tar.gz", "cifar-10-batches-py-target_archive"])
def test_the_keras_cache_is_found(tmp_path, name):
    """The archive that Keras fetched is found under the names of its versions; another file there is passed over."""
    folder = write_files(tmp_path / "keras" / "datasets", {"cifar-10-batches-py": b"something else", name: PYTHON})
    dataset = find(tmp_path)
    assert (dataset.grade, dataset.source, dataset.location) == ("canonical", "Keras cache", str(folder / name))


def test_an_archive_put_in_the_cache_is_found(tmp_path):
    """The place that the error names works without a network; an archive with another hash is named in the error."""
    place = write_files(tmp_path / PLACE.parent, {PLACE.name: BINARY + b"0"}) / PLACE.name
    with pytest.raises(UsageError, match=r"cifar-10-binary\.tar\.gz is not the published archive"):
        find(tmp_path)
    place.write_bytes(BINARY)
    dataset = find(tmp_path)
    assert (dataset.grade, dataset.location) == ("canonical", str(place))
    assert find(tmp_path) == replace(dataset, source="cache (binary archive)", location=str(dataset.folder))


def test_only_canonical_data_are_taken_unasked(tmp_path):
    """Unverified data are not taken unasked from the cache, and a command that only looks downloads nothing."""
    find(tmp_path, write_files(tmp_path / "data", binary_files()))
    with pytest.raises(UsageError, match=r"CIFAR-10 was not found"):
        find(tmp_path)
    assert find(tmp_path, stand_in=True).grade == "stand-in"
    notices = []
    with pytest.raises(UsageError, match="this command only looks"):
        find(tmp_path, download=False, notify=notices.append)
    assert notices == []


def test_the_stand_in_replaces_data_with_a_warning(tmp_path):
    """Without data and network the stand-in is used where allowed, with a warning that says why and what to do."""
    warnings = []
    dataset = find(tmp_path, stand_in=True, warn=warnings.append)
    assert (dataset.grade, dataset.canonical_labels) == ("stand-in", False)
    (warning,) = warnings
    assert warning.startswith("NO CIFAR-10 DATA")
    for part in ("download failed", RELEASE.address, RELEASE.hashes[PLACE.name], str(tmp_path / PLACE)):
        assert part in warning
    assert find(tmp_path, "synthetic") == dataset


class Server(ThreadingHTTPServer):
    """Answers every request with the same bytes, and may promise more than it sends."""

    content, status, promised = BINARY, 200, len(BINARY)

    def release(self):
        return msgspec.structs.replace(RELEASE, address=f"http://127.0.0.1:{self.server_port}/")


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self):
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(self.server.promised))
        self.end_headers()
        self.wfile.write(self.server.content)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server(("127.0.0.1", 0), _Handler) as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_the_archive_is_downloaded_and_verified(server, tmp_path):
    """The archive arrives whole under its name, is canonical, and is said to be on its way."""
    notices = []
    dataset = find(tmp_path, release=server.release(), notify=notices.append)
    assert (dataset.grade, dataset.source) == ("canonical", "download")
    assert (tmp_path / PLACE).read_bytes() == BINARY
    assert list((tmp_path / PLACE).parent.iterdir()) == [tmp_path / PLACE]
    assert notices[0].startswith(f"Downloading {server.release().address}{PLACE.name}")


@pytest.mark.parametrize(
    ("content", "status", "promised", "words"),
    [
        (b"another file", 200, 12, "hash"),
        (BINARY[:1000], 200, len(BINARY), "IncompleteRead"),
        (b"", 503, 0, "503"),
    ],
    ids=["another file", "broken off", "no file"],
)
def test_a_failed_download_leaves_nothing(server, tmp_path, content, status, promised, words):
    """What was not received whole, or is another file, never stands under the archive's name, nor beside it."""
    server.content, server.status, server.promised = content, status, promised
    with pytest.raises(UsageError, match=f"The download failed: .*{words}"):
        find(tmp_path, release=server.release())
    assert list((tmp_path / "cache" / "downloads").iterdir()) == []


def test_a_cache_that_takes_no_download_says_so(server, tmp_path):
    """Where the archive cannot be written, the error names the cache, not the network."""
    (tmp_path / "cache").write_text("in the way")
    with pytest.raises(SuiteError, match="cannot be written"):
        find(tmp_path, release=server.release())
