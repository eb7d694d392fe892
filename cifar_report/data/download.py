"""Download the published archive: resumed where it broke off, never longer than published, hashed before use."""

from __future__ import annotations

import contextlib
import http.client
import os
import time
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from cifar_report.data.files import CHUNK_BYTES, sha256_of
from cifar_report.data.release import PublishedFile

TIMEOUT_SECONDS = 15.0  # for connecting and for each read
SLOWEST_RATE = 1_000  # bytes a second, over some timeouts: a server may not keep anybody for days
TIMEOUTS_AT_LEAST = 4  # before a rate is measured
ABANDONED_SECONDS = 600.0  # a file that grew no more for so long belongs to a process that was killed
ATTEMPTS = 5  # each but the first goes on where the one before broke off


class DownloadFailed(Exception):  # noqa: N818 - it is an outcome that callers expect, not a defect
    """The file could not be had; the message says why."""


class _SameScheme(HTTPRedirectHandler):
    """Follows redirects only to the scheme that the download began with."""

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage, newurl: str
    ) -> Request | None:
        if urlsplit(newurl).scheme != urlsplit(req.full_url).scheme:
            fp.close()
            raise DownloadFailed(f"{req.full_url} redirects to another scheme ({newurl})")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    # Built by hand, because urllib's default one also opens files and FTP addresses.
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(),
        _SameScheme(),
    ):
        opener.add_handler(handler)
    return opener


def fetch(published: PublishedFile, folder: Path, *, timeout: float = TIMEOUT_SECONDS) -> Path:
    """Download a published file into a folder, whole and verified, or not at all.

    Processes that start together each write a file of their own; what a broken download leaves is taken up by
    exactly one later process, because renaming it claims it.

    Returns: the path of the file.

    Raises DownloadFailed where the network or the server failed, or what it sent is not the published file.
    Raises OSError where the folder cannot be written.
    """
    target = folder / published.name
    unfinished = folder / f"{published.name}.partial"
    own = folder / f".{published.name}.{uuid.uuid4().hex}"
    _take_over_abandoned(published, folder, unfinished)
    with contextlib.suppress(FileNotFoundError):
        unfinished.rename(own)
    try:
        _complete(published, own, timeout)
        with own.open("rb+") as file:
            os.fsync(file.fileno())  # the name must never outlive the bytes
        own.replace(target)
    finally:
        if _size(own):
            own.replace(unfinished)
        own.unlink(missing_ok=True)
    return target


def _take_over_abandoned(published: PublishedFile, folder: Path, unfinished: Path) -> None:
    """Let what killed processes left be gone on with, or remove it where there is something to go on with already."""
    for left in sorted(folder.glob(f".{published.name}.*")):
        with contextlib.suppress(OSError):  # another process may be faster
            if time.time() - left.stat().st_mtime < ABANDONED_SECONDS:
                continue
            if unfinished.exists():
                left.unlink()
            else:
                left.rename(unfinished)


def _complete(published: PublishedFile, own: Path, timeout: float) -> None:
    """Bring a partial file to the published bytes; raises DownloadFailed, OSError."""
    if _size(own) > published.size:
        own.unlink()
    reason = None
    for _ in range(ATTEMPTS):
        before = _size(own)
        try:
            reason = _receive(published, own, timeout) if before < published.size else None
            if _size(own) == published.size and _verified(published, own):
                return
        except DownloadFailed:
            if not before:
                raise
            # What was kept from before may be what is wrong: once more from the beginning.
            own.unlink(missing_ok=True)
            continue
        if _size(own) <= before:
            break
    raise DownloadFailed(reason or f"{published.address} sent {_size(own):,} of {published.size:,} bytes")


def _verified(published: PublishedFile, own: Path) -> bool:
    """Hold a whole file against the published hash; a wrong one is deleted and raises DownloadFailed."""
    found = sha256_of(own)
    if found == published.sha256:
        return True
    own.unlink()
    raise DownloadFailed(f"{published.address} sent another file: SHA-256 {found}, expected {published.sha256}")


def _receive(published: PublishedFile, own: Path, timeout: float) -> str | None:
    """Append what the server sends; returns why it broke off, None if it ended by itself."""
    start = _size(own)
    headers = {"User-Agent": "cifar-report", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    request = Request(published.address, headers=headers)  # noqa: S310 - only http and https can be opened
    try:
        with contextlib.closing(_chunks(published, request, start, timeout)) as chunks:
            _append(published, own, start if next(chunks) else 0, chunks)
    except _NetworkError as error:
        return str(error)
    return None


def _append(published: PublishedFile, own: Path, start: int, chunks: Iterator[bytes]) -> None:
    received = start
    own.parent.mkdir(parents=True, exist_ok=True)  # only now, so that a dead network leaves nothing behind
    with own.open("ab" if start else "wb") as file:
        for chunk in chunks:
            received += len(chunk)
            if received > published.size:
                file.truncate(0)
                raise DownloadFailed(f"{published.address} sends more than {published.size:,} bytes")
            file.write(chunk)


class _NetworkError(Exception):
    """The connection failed or broke off; kept apart from failures to write."""


def _chunks(published: PublishedFile, request: Request, start: int, timeout: float) -> Generator[Any, None, None]:
    """Yield first whether the server goes on at ``start``, then the bytes it sends."""
    try:
        with _opener().open(request, timeout=timeout) as response:
            resumed = _goes_on(response, start, published)
            yield resumed
            began, received = time.monotonic(), 0
            while chunk := response.read1(CHUNK_BYTES):  # read would wait for a whole chunk, however long
                received += len(chunk)
                seconds = time.monotonic() - began
                if seconds > TIMEOUTS_AT_LEAST * timeout and received < SLOWEST_RATE * seconds:
                    raise TimeoutError(f"timed out: {received:,} bytes in {seconds:.0f} s")
                yield chunk
    except HTTPError as error:
        error.close()
        raise DownloadFailed(f"{published.address} answered {error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _NetworkError(f"{published.address}: {error or type(error).__name__}") from error


def _goes_on(response: http.client.HTTPResponse, start: int, published: PublishedFile) -> bool:
    """Hold the answer's status and lengths against what was asked for; raises DownloadFailed."""
    resumed = bool(start) and response.status == http.client.PARTIAL_CONTENT
    expected_range = f"bytes {start}-{published.size - 1}/{published.size}"
    if resumed and response.headers.get("Content-Range") != expected_range:
        raise DownloadFailed(f"{published.address} offers another range than {expected_range}")
    if not resumed and response.status != http.client.OK:
        raise DownloadFailed(f"{published.address} answered {response.status}")
    length = response.headers.get("Content-Length")
    expected = published.size - start if resumed else published.size
    if length is not None and length != str(expected):
        raise DownloadFailed(f"{published.address} offers {length} bytes, expected {expected:,}")
    return resumed


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
