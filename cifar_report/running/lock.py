"""One suite at a time on a bundle; the lock goes with its holder, however that ends."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cifar_report.errors import SuiteError

LOCK_FILE = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the bundle's lock; raises SuiteError naming the holder when another suite has it.

    The operating system drops the lock with the process, so a crash leaves nothing to clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _open(folder / LOCK_FILE) as stream:
        if not _try_lock(stream.fileno()):
            stream.seek(0)
            holder = re.sub("[^0-9]", "", stream.read(40)) or "unknown"
            raise SuiteError(f"another suite (process {holder}) is working on {folder}: wait for it or stop it")
        stream.seek(0)
        stream.truncate()
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


def _open(path: Path) -> TextIO:
    """Open the lock's file, made where there is none; it is emptied later, so that a link must not be followed."""
    if os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode):
        raise SuiteError(f"{path} is no plain file, so it is not the lock of a suite: remove it")
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
    return os.fdopen(handle, "r+", encoding="utf-8", errors="replace")


def _try_lock(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        os.lseek(handle, 1_000, os.SEEK_SET)  # locks are mandatory there: lock a byte that nobody reads
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined, unused-ignore]
        except OSError:
            return False
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
