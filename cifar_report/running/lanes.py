"""Lanes: single-worker executors pinned to their cores, replaced when their worker dies."""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from cifar_report.running.log import Log
from cifar_report.running.worker import Product, Task, execute, start

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

    from cifar_report.training.outcome import Progress

MOST_MEMORY_BYTES = 1_300_000_000  # a worker that holds more after a run is replaced by a fresh one


class Lane:
    """One worker process at a time; a process pool of its own, since a dead worker breaks its whole pool."""

    def __init__(self, name: str, cores: tuple[int, ...], *, mirrored: bool = False) -> None:
        self.name = name
        self.cores = cores
        self.mirrored = mirrored
        self._executor: ProcessPoolExecutor | None = None
        self._messages: Connection | None = None
        self._log: Log | None = None

    def submit(self, task: Task) -> Future[Product]:
        """Start a task, in a new process where there is none."""
        if self._executor is None:
            self._executor = self._start()
        try:
            return _submit(self._executor, task)
        except BrokenProcessPool:  # the worker died while it had nothing to do, so no run was harmed
            self.close(kill=True)
            self._executor = self._start()
            return _submit(self._executor, task)

    def messages(self) -> Iterator[tuple[str, Progress]]:
        """Yield the progress that arrived since the last call, as (run id, progress)."""
        try:
            while self._messages is not None and self._messages.poll():
                yield self._messages.recv()
        except (EOFError, OSError):
            self._messages = None  # the worker died in the middle of a message; its future tells the rest

    def last_words(self) -> tuple[str, bytes]:
        """Return how the dead worker ended, in words, and the end of what it printed."""
        log = self._log.tail() if self._log is not None else b""
        for process in self._processes():
            process.join(timeout=5)
            if process.exitcode:
                return _ending(process.exitcode), log
        return "in a way unknown", log

    def close(self, *, kill: bool = False) -> None:
        """End the worker: after its task, or at once with ``kill``."""
        processes = self._processes()  # taken before the shutdown forgets them
        if kill:
            self.kill()
        executor, self._executor, self._messages = self._executor, None, None
        log, self._log = self._log, None
        if executor is None:
            return
        executor.shutdown(cancel_futures=True)
        for process in processes:
            process.join(timeout=5)
        if log is not None:
            log.close()

    def kill(self) -> None:
        """End the worker at once and wait for nothing."""
        for process in self._processes():
            process.kill()

    def _processes(self) -> list[BaseProcess]:
        # There is no public way to reach an executor's processes.
        return list((self._executor._processes or {}).values()) if self._executor is not None else []

    def _start(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        self._messages, sender = context.Pipe(duplex=False)
        self._log = Log()
        log: Any = self._log  # it arrives as the number of an open file
        words = (self.cores, self.mirrored, sender, log)
        return ProcessPoolExecutor(max_workers=1, mp_context=context, initializer=start, initargs=words)


def _ending(status: int) -> str:
    """Say how a process ended."""
    if status == -getattr(signal, "SIGKILL", 9):
        return "by SIGKILL (memory exhausted, or killed from outside)"
    if status < 0 and -status in set(signal.Signals):
        return f"by {signal.Signals(-status).name}"
    return f"with exit status {status}"


def _submit(executor: ProcessPoolExecutor, task: Task) -> Future[Product]:
    """Hand a task on; the process that this may start is deaf to Ctrl-C from its birth, where that is possible."""
    with _interrupts_held_back():
        if not hasattr(signal, "pthread_sigmask"):
            return executor.submit(execute, task)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            return executor.submit(execute, task)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM wait until the block is over: an executor stopped while it starts cannot be shut down."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, lambda which, _: arrived.append(which))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        for late in arrived:
            signal.raise_signal(late)


def make_lanes(jobs: int, cores: list[int]) -> list[Lane]:
    """Return one lane a job; they share cores only when there are more jobs than cores."""
    return [Lane(str(place + 1), (cores[place % len(cores)],)) for place in range(jobs)]
