"""Kills downloads at random bytes, from a server that fails in a random way each time."""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cifar_report.data.download import DownloadFailed, fetch
from cifar_report.data.release import PublishedFile
from cifar_report.faults.outcome import Outcome

SIZE = 400_000  # bytes
PIECE = 20_000
PAUSE_SECONDS = 0.02  # between two pieces
ILLS = ("none", "truncates", "corrupts", "lies about the length", "answers 503", "redirects to a file")
KILLED = "a download killed (SIGKILL) at a random byte"


class _Handler(BaseHTTPRequestHandler):
    """Sends the file slowly, from the byte that is asked for, and does it wrong as its server says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer one request."""
        server = self.server
        assert isinstance(server, _Server)  # noqa: S101 - it makes no other handler
        ill, content = server.ill, bytearray(server.content)
        self.close_connection = True
        if ill in ("answers 503", "redirects to a file"):
            self.send_response(503 if ill == "answers 503" else 302)
            self.send_header("Location", "file:///etc/hostname")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start = int((self.headers.get("Range") or "bytes=0-")[6:-1])
        if ill == "corrupts":
            content[server.place] ^= 1
        self.send_response(206 if start else 200)
        self.send_header("Content-Range", f"bytes {start}-{SIZE - 1}/{SIZE}")
        self.send_header("Content-Length", str(SIZE - start + (7 if ill == "lies about the length" else 0)))
        self.end_headers()
        end = server.place if ill == "truncates" else SIZE
        with suppress(OSError):  # whoever asked was killed
            for place in range(start, end, PIECE):
                self.wfile.write(content[place : min(place + PIECE, end)])
                time.sleep(PAUSE_SECONDS)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    ill = "none"
    place = 0
    content = b""


@contextmanager
def _serving(source: random.Random) -> Iterator[tuple[_Server, PublishedFile]]:
    with _Server(("127.0.0.1", 0), _Handler) as server:
        server.content = source.randbytes(SIZE)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/archive"
        yield server, PublishedFile("archive.tar.gz", address, SIZE, hashlib.sha256(server.content).hexdigest())
        server.shutdown()


def try_downloads(folder: Path, times: int, source: random.Random) -> Iterator[Outcome]:
    """Yield what came of downloads from each kind of server, killed at random bytes and called again."""
    expected = "the file is absent or right under its name, and the next call from a sound server completes it"
    with _serving(source) as (server, published):
        for ill in ILLS:
            words = KILLED if ill == "none" else f"{KILLED}, from a server that {ill}"
            outcome = Outcome(words, expected)
            for _ in range(times):
                place = folder / f"{ill}-{outcome.tried}"
                server.ill, server.place = ill, source.randrange(1, SIZE)
                _fetch_and_kill(published, place, source.uniform(0, SIZE / PIECE * PAUSE_SECONDS))
                server.ill = "none"
                outcome.count(_loss(published, place, server.content))
            yield outcome


def _fetch_and_kill(published: PublishedFile, folder: Path, seconds: float) -> None:
    words = (published.name, published.address, str(published.size), published.sha256, str(folder))
    command = [sys.executable, "-m", "cifar_report.faults.downloads", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - this
        assert process.stdout is not None  # noqa: S101 - a pipe was asked for
        process.stdout.readline()
        time.sleep(seconds)
        process.kill()


def _loss(published: PublishedFile, folder: Path, content: bytes) -> str | None:
    target = folder / published.name
    if target.exists() and target.read_bytes() != content:
        return f"{folder.name}: a wrong file under the final name"
    try:
        found = fetch(published, folder).read_bytes()
    except DownloadFailed as error:
        return f"{folder.name}: the next call failed: {error}"
    return None if found == content else f"{folder.name}: the next call left a wrong file"


if __name__ == "__main__":
    name, address, size, sha256, folder = sys.argv[1:]
    print("starting", flush=True)
    fetch(PublishedFile(name, address, int(size), sha256), Path(folder))
