"""Worker processes: pinned to their cores, single-threaded, calling one function after the other.

A worker reads pickled calls from standard input, answers on standard output, and ends at once when its input is
closed: it cannot outlive whoever started it. What it and its libraries print goes to its log.
"""

import faulthandler
import os
import pickle
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import IO, Any, NoReturn, cast

from cifar_report.running.environment import ROOT, available_cores, worker_environment

Report = Callable[[Any], None]
Call = Callable[[Any, Report], Any]
PROGRAM = "from cifar_report.running.workers import serve; serve()"
MOST_LOG_BYTES = 2**20
POLL_SECONDS = 0.2  # within which Ctrl-C is noticed where the system does not interrupt a waiting thread


class WorkerError(Exception):
    """A call raised in its worker; the text is its traceback."""


class WorkerDiedError(WorkerError):
    """A worker ended in the middle of a call; the text says how."""


class PinnedWorker:
    """One worker process, bound to ``cores``, which carries out one call at a time and sees the graphics card ``card``.

    ``start``: a command that starts it elsewhere, on all cores. Its temporary files lie hidden in ``folder``, a
    bundle's: whoever holds that next removes what a kill left.
    """

    def __init__(
        self, cores: tuple[int, ...], folder: Path, card: int | None = None, start: Sequence[str] = ()
    ) -> None:
        self._log = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - closed with the worker
        self._scratch = tempfile.TemporaryDirectory(prefix=".worker.", suffix=".part", dir=folder.resolve())
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._scratch.name)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603 - this program's own module, or what the user names
            start or [sys.executable, "-P", "-c", PROGRAM, *map(str, cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**worker_environment(card), **temporary, "PYTHONPATH": path},
            # The terminal's Ctrl-C does not reach it: whoever started it ends it.
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # the same on Windows
        )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)

    def call(self, function: Call, request: Any, report: Report = lambda _: None) -> Any:
        """Return what ``function(request, report)`` returns in the worker, all pickled; raises WorkerError."""
        with suppress(BrokenPipeError):  # it has just ended
            self._requests.write(pickle.dumps((function, request)))
            self._requests.flush()
        while True:
            try:
                kind, content = pickle.load(self._answers)  # noqa: S301 - our own process
            except (EOFError, pickle.UnpicklingError):  # it ended, perhaps in the middle of a message
                raise WorkerDiedError(self._ending()) from None
            if kind == "answer":
                return content
            if kind == "error":
                raise WorkerError(content)
            report(content)

    @property
    def alive(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

    def log(self) -> bytes:
        """Return the end of what was printed since this was asked last, at most ``MOST_LOG_BYTES``."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - MOST_LOG_BYTES))
        said = self._log.read()
        self._log.truncate(0)
        return said

    def _ending(self) -> str:
        status = self._process.wait()
        if status == -getattr(signal, "SIGKILL", 9):
            return "by SIGKILL (memory exhausted, or killed from outside)"
        return f"by {signal.Signals(-status).name}" if status < 0 else f"with exit status {status}"

    def kill(self) -> None:
        """End the process at once, without waiting for its end."""
        self._process.kill()

    def close(self) -> None:
        """End the process at once, and forget its log and its temporary files."""
        self.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._log):
            with suppress(OSError):  # what was not sent yet
                stream.close()
        self._scratch.cleanup()


def become_worker() -> NoReturn:
    """Go on as a worker on all cores, for whoever started this command and writes calls to its standard input."""
    command = [sys.executable, "-P", "-c", PROGRAM, *map(str, available_cores())]
    os.execve(sys.executable, command, worker_environment())  # noqa: S606


def call_alone(function: Call, request: Any, cores: tuple[int, ...], folder: Path) -> Any:
    """Return the answer of a worker of its own to one call; raises WorkerError with the last line that it wrote."""
    with ThreadPoolExecutor(1) as thread, closing(PinnedWorker(cores, folder)) as worker:
        future = thread.submit(worker.call, function, request)
        while not future.done():
            wait([future], POLL_SECONDS)
        try:
            return future.result()
        except WorkerError as error:
            words = worker.log().decode(errors="replace") if isinstance(error, WorkerDiedError) else str(error)
            raise WorkerError(words.strip().split("\n")[-1] or f"the worker ended {error}") from None


def serve() -> None:
    """Answer calls, as the program of a worker process; the arguments of the command are its cores."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    faulthandler.enable()  # where a library brings the process down, the log says in which line
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(map(int, sys.argv[1:])))
    calls: queue.SimpleQueue[tuple[Call, Any]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls,), daemon=True).start()

    def send(kind: str, content: Any) -> None:
        sys.stdout.flush()
        answers.write(pickle.dumps((kind, content)))
        answers.flush()

    while True:
        function, request = calls.get()
        try:
            send("answer", function(request, partial(send, "progress")))
        except Exception:  # noqa: BLE001 - whoever called says what became of it
            send("error", traceback.format_exc())


def _listen(calls: queue.SimpleQueue[tuple[Call, Any]]) -> None:
    """Read calls in a thread of its own; the process ends with it."""
    try:
        while True:
            calls.put(pickle.load(sys.stdin.buffer))  # noqa: S301 - from the process that started this one
    except EOFError:
        pass
    except Exception:  # noqa: BLE001 - the log says why
        traceback.print_exc()
        sys.stderr.flush()
    os._exit(1)
