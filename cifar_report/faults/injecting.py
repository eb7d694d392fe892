"""Makes one step of writing fail, or takes the power away there: every operation on files passes through here."""

from __future__ import annotations

import errno
import io
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, get_args
from unittest import mock

from cifar_report.bundle import store

Way = Literal[
    "power off before", "power off after", "power off amid", "power off, entries lost", "no space", "input/output error"
]
WAYS: tuple[Way, ...] = get_args(Way)
ENTRIES_LOST: Way = "power off, entries lost"
POWER_OFF = 77  # exit status of a process whose power was taken away
GROWING = ("open", "write", "flush", "fsync", "mkdir")  # what a full disk refuses; it still renames and removes


class Injector:
    """Counts a process's steps on the disk, and at one of them lets it fail or takes the power away.

    A power cut keeps only what was flushed to the disk: a file that was written and not yet flushed loses its
    content, whatever it is called by then. With "entries lost" each name that was made, given or swapped in a folder
    that was not flushed since is lost as well, while what was removed stays removed; the other ways keep all names,
    since a file system may do either. ``steps`` names the steps in order. Nothing is really flushed: that takes long,
    and what counts as flushed is known.
    """

    def __init__(self, at: int | None, way: Way) -> None:
        self.steps: list[str] = []
        self._at = at
        self._way = way
        self._unflushed: dict[tuple[int, int], int] = {}  # device and inode of a file, and a handle of our own
        self._entries: list[tuple[tuple[int, int], Callable[[], Any]]] = []  # of which folder, and how one is lost

    def step(self, name: str, act: Callable[[], Any], half: Callable[[], Any] | None = None) -> Any:
        """Carry out one step, unless it is the one that fails."""
        place = len(self.steps)
        self.steps.append(name)
        if self._at is None or place < self._at:
            return act()
        if self._way == "no space" and name in GROWING:  # and it stays full
            if half is not None and place == self._at:
                half()
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if place > self._at:
            return act()
        if self._way == "input/output error":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        if self._way in ("power off after", ENTRIES_LOST):
            act()
        elif self._way == "power off amid" and half is not None:
            half()
        if self._way.startswith("power off"):
            self._power_off()
        return act()

    def wrote(self, handle: int) -> None:
        """Remember that a file holds what is not on the disk yet."""
        file = _identity(os.fstat(handle))
        if file not in self._unflushed:
            self._unflushed[file] = os.dup(handle)

    def flushed(self, handle: int) -> None:
        """Remember that a file is on the disk now."""
        own = self._unflushed.pop(_identity(os.fstat(handle)), None)
        if own is not None:
            os.close(own)

    def named(self, path: Path, undo: Callable[[], Any]) -> None:
        """Remember that a folder has an entry that is not on the disk yet, and how it is lost."""
        self._entries.append((_identity(path.parent.stat()), undo))

    def flushed_folder(self, handle: int) -> None:
        """Remember that a folder's entries are on the disk now."""
        folder = _identity(os.fstat(handle))
        self._entries = [entry for entry in self._entries if entry[0] != folder]

    def lose(self) -> None:
        """Leave on the disk what a power cut leaves there."""
        for handle in self._unflushed.values():
            with suppress(OSError):
                os.ftruncate(handle, 0)
        for _, undo in reversed(self._entries) if self._way == ENTRIES_LOST else ():
            with suppress(OSError):
                undo()

    def _power_off(self) -> None:
        self.lose()
        os._exit(POWER_OFF)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


class _Watched:
    """A stream for writing, each of whose writes is a step."""

    def __init__(self, stream: Any, injector: Injector) -> None:
        self._stream = stream
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def __enter__(self) -> _Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def write(self, content: bytes) -> Any:
        """Write, or write half of it and fail."""
        self._injector.wrote(self._stream.fileno())
        return self._injector.step("write", lambda: self._stream.write(content), lambda: self._half(content))

    def flush(self) -> Any:
        """Hand on to the system what was held back."""
        return self._injector.step("flush", self._stream.flush)

    def _half(self, content: bytes) -> None:
        self._stream.write(content[: len(content) // 2])
        self._stream.flush()


class _Naming:
    """The operations that give names, each telling the injector how its name is lost."""

    def __init__(self, injector: Injector) -> None:
        self._injector = injector
        self._mkdir, self._rename, self._swap = os.mkdir, os.rename, store._swap

    def mkdir(self, path: Any, *words: Any, **options: Any) -> None:
        """Make a folder; where its name is lost, all in it is."""
        self._mkdir(path, *words, **options)
        self._injector.named(Path(path), lambda: shutil.rmtree(path))

    def rename(self, source: Any, target: Any, **options: Any) -> None:
        """Give a file or folder another name; where that is lost, what bore the name before has it again."""
        before = Path(target).read_bytes() if Path(target).is_file() else None
        self._rename(source, target, **options)

        def undo() -> None:
            self._rename(target, source)
            if before is not None:
                Path(target).write_bytes(before)

        self._injector.named(Path(target), undo)

    def swap(self, first: Path, second: Path) -> bool:
        """Exchange two names; where that is lost, each bears its own again, as far as it is still there."""
        swapped = self._swap(first, second)
        if swapped:
            self._injector.named(
                second, lambda: self._swap(first, second) if first.exists() else self._rename(second, first)
            )
        return swapped


@contextmanager
def injected(injector: Injector) -> Iterator[None]:
    """Send every operation on files through ``injector`` as long as the block lasts."""
    real_open = io.open

    def watched_open(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
        if isinstance(file, int) or not set("wxa+") & set(mode):  # the lock is open already: it holds no state
            return real_open(file, mode, *more, **options)
        path = Path(file)
        new = not path.exists()

        def open_and_tell() -> Any:
            stream = real_open(file, mode, *more, **options)
            if new:
                injector.named(path, path.unlink)
            return stream

        return _Watched(injector.step("open", open_and_tell), injector)

    def watched_fsync(handle: int) -> None:
        injector.step("fsync", lambda: None)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            injector.flushed(handle)
        else:
            injector.flushed_folder(handle)

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *words, **options: injector.step(name, lambda: function(*words, **options))

    naming = _Naming(injector)
    patches: dict[str, Any] = {name: watch(name, getattr(os, name)) for name in ("unlink", "rmdir")}
    patches |= {"mkdir": watch("mkdir", naming.mkdir)}
    patches |= {name: watch(name, naming.rename) for name in ("rename", "replace")}  # the same on these systems
    with (
        mock.patch.multiple(os, fsync=watched_fsync, **patches),
        mock.patch.object(io, "open", watched_open),
        mock.patch.object(store, "_swap", watch("swap", naming.swap)),
    ):
        yield
