"""One suite at a time on a bundle; the lock goes with its holder, however that ends."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cifar_report.errors import SuiteError

LOCK_FILE = ".lock"


@contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the bundle's lock; raises SuiteError naming the holder when another suite has it.

    The operating system drops the lock with the process, so a crash leaves nothing to clean up.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+") as stream:
        if not _try_lock(stream.fileno()):
            stream.seek(0)
            holder = stream.read(40).strip() or "unknown"
            raise SuiteError(f"another suite (process {holder}) is working on {folder}: wait for it or stop it")
        stream.truncate(0)
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        yield


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
