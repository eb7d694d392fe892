"""The download of the published archive from a server that may fail or lie in every way."""

import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
from data_samples import CLOSED_ADDRESS, archive_bytes, binary_files, release_of, sample_arrays, search_in, tree

from cifar_report.data.download import DownloadFailed, fetch
from cifar_report.data.release import PublishedFile, Release
from cifar_report.errors import UsageError

CONTENT = archive_bytes(binary_files())
SIZE = len(CONTENT)
HALF = SIZE // 2


class _Handler(BaseHTTPRequestHandler):
    """Answers with the next of the server's prepared answers; the last one stays."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Record the request and answer it."""
        server: Server = self.server.owner  # type: ignore[attr-defined]
        server.ranges.append(self.headers.get("Range"))
        answer = server.answers.pop(0) if len(server.answers) > 1 else server.answers[0]
        self.close_connection = True
        answer(self)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class Server:
    """A server on the loopback address, what it answers, and what it was asked."""

    address: str = ""
    answers: list[Answer] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)

    def published(self) -> PublishedFile:
        """Say that this server publishes the sample's archive."""
        return self.release().archive

    def release(self) -> Release:
        """Say that this server publishes the sample."""
        return release_of(CONTENT, self.address)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Run a server in a thread."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    owner = Server()
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as running:
        running.owner = owner  # type: ignore[attr-defined]
        owner.address = f"http://127.0.0.1:{running.server_port}/cifar-10-binary.tar.gz"
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield owner
        running.shutdown()
        thread.join()


def send(content: bytes, *, length: int | None = None, status: int = 200, **headers: str) -> Answer:
    """Answer with these bytes, and with a Content-Length that may be a lie (0: without any)."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        if length != 0:
            handler.send_header("Content-Length", str(length or len(content)))
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        try:
            handler.wfile.write(content)
        except ConnectionError:  # the client has heard enough
            return

    return answer


def send_range(content: bytes = CONTENT, shift: int = 0) -> Answer:
    """Answer with the rest that was asked for, or with one that begins elsewhere."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        start = int(re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"])[1]) + shift  # type: ignore[index]
        said = f"bytes {start}-{len(content) - 1}/{len(content)}"
        send(content[start:], status=206, Content_Range=said)(handler)

    return answer


def test_the_archive_is_downloaded_and_verified(server: Server, tmp_path: Path) -> None:
    """The file arrives whole under its name, in one request, and nothing stays beside it."""
    server.answers = [send(CONTENT)]
    path = fetch(server.published(), tmp_path / "downloads")
    assert path.read_bytes() == CONTENT
    assert list(path.parent.iterdir()) == [path]
    assert server.ranges == [None]


def test_a_broken_download_goes_on_where_it_broke(server: Server, tmp_path: Path) -> None:
    """A connection that ends early is resumed in the same call from the byte reached."""
    server.answers = [send(CONTENT[:HALF], length=SIZE), send_range()]
    assert fetch(server.published(), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_a_later_call_takes_up_what_is_there(server: Server, tmp_path: Path) -> None:
    """What a failed call left is taken up by the next, once the server is back."""
    server.answers = [send(CONTENT[:HALF], length=SIZE), send(b"", status=503)]
    with pytest.raises(DownloadFailed, match="503"):
        fetch(server.published(), tmp_path)
    server.answers = [send(CONTENT[:HALF], length=SIZE), send(CONTENT[:100], length=SIZE)]
    with pytest.raises(DownloadFailed, match=rf"sent 100 of {SIZE:,} bytes"):
        fetch(server.published(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["cifar-10-binary.tar.gz.partial"]
    server.answers, server.ranges = [send_range()], []
    assert fetch(server.published(), tmp_path).read_bytes() == CONTENT
    assert server.ranges == ["bytes=100-"]


@pytest.mark.parametrize(
    "first",
    [
        send(CONTENT),
        send(b"", status=416),
        send_range(shift=-1),
        send_range(bytes(SIZE)),
        send(CONTENT[:9], status=206),
    ],
    ids=["ignores ranges", "refuses the range", "another range", "wrong bytes", "a range without a name"],
)
def test_a_partial_file_never_stands_in_the_way(server: Server, tmp_path: Path, first: Answer) -> None:
    """When the rest cannot be had, the whole file is asked for again."""
    (tmp_path / "cifar-10-binary.tar.gz.partial").write_bytes(CONTENT[:HALF])
    server.answers = [first, send(CONTENT)]
    path = fetch(server.published(), tmp_path)
    assert path.read_bytes() == CONTENT
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("left", [CONTENT, bytes(SIZE), bytes(SIZE + 1)], ids=["whole", "wrong", "oversized"])
def test_a_partial_file_of_full_size_is_verified(server: Server, tmp_path: Path, left: bytes) -> None:
    """A leftover of full size is used only if its hash is right."""
    (tmp_path / "cifar-10-binary.tar.gz.partial").write_bytes(left)
    server.answers = [send(CONTENT)]
    assert fetch(server.published(), tmp_path).read_bytes() == CONTENT
    assert len(server.ranges) == (0 if left == CONTENT else 1)


def redirect(target: str) -> Answer:
    """Answer with a redirect."""
    return send(b"", status=302, Location=target)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (send(bytes(SIZE)), "sent another file: SHA-256 [0-9a-f]{64}, expected"),
        (send(CONTENT[:HALF]), f"offers {HALF} bytes"),
        (send(CONTENT + b"0"), f"offers {SIZE + 1} bytes"),
        (send(CONTENT + bytes(1 << 22), length=0), "sends more than"),
        (send(b"", length=0), f"sent 0 of {SIZE:,} bytes"),
        (send(b"<p>Log in first</p>"), "offers 19 bytes"),
        (send(b"", status=404), "answered 404"),
        (send(b"", status=204), "answered 204"),
        (redirect("ftp://127.0.0.1/archive"), "to another scheme"),
        (redirect("https://127.0.0.1:9/archive"), "to another scheme"),
        (redirect("file:///etc/passwd"), "answered 302"),
        (redirect("data:text/plain,x"), "answered 302"),
        (redirect(CLOSED_ADDRESS), "refused"),
    ],
)
def test_a_wrong_answer_fails(server: Server, tmp_path: Path, answer: Answer, words: str) -> None:
    """Each wrong answer is named, and no file stays that could be taken for the dataset."""
    server.answers = [answer]
    with pytest.raises(DownloadFailed, match=words) as caught:
        fetch(server.published(), tmp_path)
    assert server.address in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_endless_redirect_ends(server: Server, tmp_path: Path) -> None:
    """A server that redirects to itself for ever is given up."""
    server.answers = [redirect(server.address)]
    with pytest.raises(DownloadFailed, match="302"):
        fetch(server.published(), tmp_path)
    assert len(server.ranges) < 20


def test_a_redirect_within_the_scheme_is_followed(server: Server, tmp_path: Path) -> None:
    """A moved file is found."""
    server.answers = [redirect(server.address + "?moved"), send(CONTENT)]
    assert fetch(server.published(), tmp_path).read_bytes() == CONTENT


def test_a_silent_server_is_given_up(tmp_path: Path) -> None:
    """A server that accepts and says nothing costs one timeout."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}/archive"
        with pytest.raises(DownloadFailed, match="timed out"):
            fetch(release_of(CONTENT, address).archive, tmp_path, timeout=0.2)


def test_a_server_that_stalls_in_the_middle_is_given_up_and_gone_on_with(server: Server, tmp_path: Path) -> None:
    """A connection that falls silent half way costs one timeout; the next request goes on from there."""
    silent = threading.Event()

    def stall(handler: BaseHTTPRequestHandler) -> None:
        send(CONTENT[:HALF], length=SIZE)(handler)
        silent.wait(10)

    server.answers = [stall, send_range()]
    assert fetch(server.published(), tmp_path, timeout=0.3).read_bytes() == CONTENT
    silent.set()
    assert server.ranges == [None, f"bytes={HALF}-"]


def test_a_server_that_drips_is_given_up(server: Server, tmp_path: Path) -> None:
    """A server that sends a few bytes now and then, each within the timeout, does not keep anybody for days."""
    ended = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        send(b"", length=SIZE)(handler)
        for byte in CONTENT[:200]:
            if ended.wait(0.02):
                return
            try:
                handler.wfile.write(bytes([byte]))
            except ConnectionError:
                return

    server.answers = [drip, send(b"", status=503)]
    with pytest.raises(DownloadFailed, match="503"):
        fetch(server.published(), tmp_path, timeout=0.1)
    ended.set()
    assert server.ranges[0] is None
    assert len(server.ranges) >= 2


def test_one_wrong_byte_anywhere_is_noticed(server: Server, tmp_path: Path) -> None:
    """A file of the right length with one changed bit is never given its name."""
    for place in (0, HALF, SIZE - 1):
        changed = bytearray(CONTENT)
        changed[place] ^= 1
        server.answers = [send(bytes(changed))]
        with pytest.raises(DownloadFailed, match="sent another file"):
            fetch(server.published(), tmp_path)
        assert list(tmp_path.iterdir()) == []


def test_what_a_killed_download_left_is_taken_over(server: Server, tmp_path: Path) -> None:
    """A file that no longer grows is gone on with, one that grew a moment ago is another process's and stays."""
    left, alive = (tmp_path / f".cifar-10-binary.tar.gz.{name}" for name in ("left", "alive"))
    left.write_bytes(CONTENT[:HALF])
    alive.write_bytes(CONTENT[:9])
    os.utime(left, (1e9, 1e9))
    server.answers = [send_range()]
    assert fetch(server.published(), tmp_path).read_bytes() == CONTENT
    assert server.ranges == [f"bytes={HALF}-"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [alive.name, "cifar-10-binary.tar.gz"]


@pytest.mark.parametrize("address", ["file:///etc/passwd", "ftp://127.0.0.1:9/a", "data:,x"])
def test_only_the_web_is_opened(tmp_path: Path, address: str) -> None:
    """No address of another scheme is opened."""
    with pytest.raises(DownloadFailed, match="unknown url type"):
        fetch(release_of(CONTENT, address).archive, tmp_path)


def test_a_download_is_found_again_without_the_network(server: Server, tmp_path: Path) -> None:
    """Data that were downloaded once are canonical, and are neither fetched nor read a second time."""
    server.answers = [send(CONTENT)]
    search, warnings, notices = search_in(tmp_path, server.release())
    first = search.find(None, allow_stand_in=False)
    assert np.array_equal(first.images(), sample_arrays()[0])
    assert (first.grade, first.source) == ("canonical", "download")
    assert len(notices) == 2
    second = search.find(None, allow_stand_in=False)
    assert (second.fingerprint, second.source, second.location) == (
        first.fingerprint,
        "cache (download)",
        str(first.folder),
    )
    assert (len(server.ranges), len(notices), warnings) == (1, 2, [])


def test_a_damaged_cache_is_rebuilt_from_the_downloaded_archive(server: Server, tmp_path: Path) -> None:
    """The archive that lies in the cache repairs the prepared images; a damaged archive is fetched again."""
    server.answers = [send(CONTENT)]
    search, _, _ = search_in(tmp_path, server.release())
    first = search.find(None, allow_stand_in=False)
    (first.folder / "images.npy").write_bytes(b"damaged")
    assert search.find(None, allow_stand_in=False).fingerprint == first.fingerprint
    assert len(server.ranges) == 1
    (first.folder / "images.npy").write_bytes(b"damaged")
    search.archive_place.write_bytes(b"damaged")
    assert search.find(None, allow_stand_in=False).fingerprint == first.fingerprint
    assert len(server.ranges) == 2
    assert np.array_equal(first.images(), sample_arrays()[0])


def test_no_data_and_no_network_without_a_stand_in(tmp_path: Path) -> None:
    """The error names the address, the expected hash, the place for the file, and nothing is written."""
    release = release_of(CONTENT)
    search, _, _ = search_in(tmp_path, release)
    before = tree(tmp_path)
    with pytest.raises(UsageError) as caught:
        search.find(None, allow_stand_in=False)
    for part in (CLOSED_ADDRESS, release.archive.sha256, str(search.archive_place), "refused", "CIFAR10_DIR"):
        assert part in str(caught.value)
    assert tree(tmp_path) == before


FETCH = """
import sys
from pathlib import Path
from cifar_report.data.download import fetch
from cifar_report.data.release import PublishedFile
published = PublishedFile("cifar-10-binary.tar.gz", sys.argv[1], int(sys.argv[2]), sys.argv[3])
fetch(published, Path(sys.argv[4]))
"""


def test_parallel_downloads_do_not_mix(server: Server, tmp_path: Path) -> None:
    """Processes that download at once, one of them from a leftover, leave one right file."""
    (tmp_path / "cifar-10-binary.tar.gz.partial").write_bytes(CONTENT[:HALF])

    def whole_or_rest(handler: BaseHTTPRequestHandler) -> None:
        (send_range() if "Range" in handler.headers else send(CONTENT))(handler)

    server.answers = [whole_or_rest]
    published = server.published()
    here = Path(__file__).parent
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(here), str(here.parent)])}
    command = [sys.executable, "-c", FETCH, published.address, str(published.size), published.sha256, str(tmp_path)]
    processes = [subprocess.Popen(command, env=environment) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert [path.name for path in tmp_path.iterdir()] == [published.name]
    assert (tmp_path / published.name).read_bytes() == CONTENT
    assert sorted(server.ranges, key=str) == [None, None, f"bytes={HALF}-"]
