"""What a worker prints: a file without a name, which the coordinator can still read when the worker is dead."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from multiprocessing import reduction
from pathlib import Path
from typing import Any

MOST_LOG_BYTES = 2**20


class Log:
    """The coordinator's side; handed to a process that starts, it arrives there as an open file's number."""

    def __init__(self) -> None:
        self._stream = tempfile.TemporaryFile()  # noqa: SIM115 - closed with its lane

    def __reduce__(self) -> tuple[Any, ...]:
        """Let the new process inherit the file; where systems cannot (Windows), it makes one of its own."""
        if not hasattr(reduction, "DupFd"):
            return _nothing, ()
        return _inherited, (reduction.DupFd(self._stream.fileno()),)

    def tail(self) -> bytes:
        """Return the end of what the worker has printed since its last task, at most ``MOST_LOG_BYTES``."""
        if not hasattr(os, "pread"):
            return b""
        handle = self._stream.fileno()
        return os.pread(handle, MOST_LOG_BYTES, max(0, os.fstat(handle).st_size - MOST_LOG_BYTES))

    def close(self) -> None:
        """Forget the file; it goes with the worker."""
        self._stream.close()


def _nothing() -> None:
    return None


def _inherited(duplicate: Any) -> int:
    return int(duplicate.detach())


def redirect_output(handle: int | None) -> None:
    """Send everything that this process prints, C++ libraries included, into an open file (None: a new one)."""
    if handle is None:
        handle, name = tempfile.mkstemp(prefix="cifar-report-worker-")
        with contextlib.suppress(OSError):  # Windows keeps open files until the process ends
            Path(name).unlink()
    sys.stdout.flush()
    sys.stderr.flush()
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)


def take_log() -> bytes:
    """Return the end of what was printed since the last task, and empty the file."""
    sys.stdout.flush()
    sys.stderr.flush()
    length = os.lseek(1, 0, os.SEEK_END)
    os.lseek(1, max(0, length - MOST_LOG_BYTES), os.SEEK_SET)
    content = os.read(1, MOST_LOG_BYTES)
    os.ftruncate(1, 0)
    os.lseek(1, 0, os.SEEK_SET)
    return content
