"""Makes one step of writing fail, or takes the power away there: every operation on files passes through here."""

from __future__ import annotations

import errno
import io
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal
from unittest import mock

from cifar_report.bundle import store

Way = Literal["power off before", "power off after", "power off amid", "no space", "input/output error"]
WAYS: tuple[Way, ...] = ("power off before", "power off after", "power off amid", "no space", "input/output error")
POWER_OFF = 77  # exit status of a process whose power was taken away
GROWING = ("open", "write", "flush", "fsync", "mkdir")  # what a full disk refuses; it still renames and removes


class Injector:
    """Counts a process's steps on the disk, and at one of them lets it fail or takes the power away.

    A power cut keeps only what was flushed to the disk: a file that was written and not yet flushed loses its
    content, whatever it is called by then. ``steps`` names the steps in order. Nothing is really flushed: that takes
    long, and what counts as flushed is known.
    """

    def __init__(self, at: int | None, way: Way) -> None:
        self.steps: list[str] = []
        self._at = at
        self._way = way
        self._unflushed: dict[tuple[int, int], int] = {}  # device and inode of a file, and a handle of our own

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
        if self._way == "power off after":
            act()
        elif self._way == "power off amid" and half is not None:
            half()
        if self._way.startswith("power off"):
            self._power_off()
        return act()

    def wrote(self, handle: int) -> None:
        """Remember that a file holds what is not on the disk yet."""
        status = os.fstat(handle)
        if (status.st_dev, status.st_ino) not in self._unflushed:
            self._unflushed[status.st_dev, status.st_ino] = os.dup(handle)

    def flushed(self, handle: int) -> None:
        """Remember that a file is on the disk now."""
        status = os.fstat(handle)
        own = self._unflushed.pop((status.st_dev, status.st_ino), None)
        if own is not None:
            os.close(own)

    def _power_off(self) -> None:
        for handle in self._unflushed.values():
            with suppress(OSError):
                os.ftruncate(handle, 0)
        os._exit(POWER_OFF)


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


@contextmanager
def injected(injector: Injector) -> Iterator[None]:
    """Send every operation on files through ``injector`` as long as the block lasts."""
    real_open = io.open

    def watched_open(file: Any, mode: str = "r", *more: Any, **options: Any) -> Any:
        if not set("wxa+") & set(mode):
            return real_open(file, mode, *more, **options)
        stream = injector.step("open", lambda: real_open(file, mode, *more, **options))
        return _Watched(stream, injector)

    def watched_fsync(handle: int) -> None:
        injector.step("fsync", lambda: None)
        if stat.S_ISREG(os.fstat(handle).st_mode):
            injector.flushed(handle)

    def watch(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *words, **options: injector.step(name, lambda: function(*words, **options))

    names = ("rename", "replace", "mkdir", "unlink", "rmdir")
    patches: dict[str, Any] = {name: watch(name, getattr(os, name)) for name in names}
    with (
        mock.patch.multiple(os, fsync=watched_fsync, **patches),
        mock.patch.object(io, "open", watched_open),
        mock.patch.object(store, "_swap", watch("swap", store._swap)),
    ):
        yield
