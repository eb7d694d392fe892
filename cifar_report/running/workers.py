"""Worker processes: pinned to their cores, single-threaded, calling one function after the other.

A worker reads pickled calls from standard input, answers on standard output, and ends at once when its input is
closed: it cannot outlive whoever started it. What it and its libraries print goes to its log.
"""

from __future__ import annotations

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
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple, cast

from cifar_report.running.environment import worker_environment

Report = Callable[[object], None]
ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from cifar_report.running.workers import serve; serve()"
MOST_LOG_BYTES = 2**20
POLL_SECONDS = 0.2  # within which Ctrl-C is noticed where the system does not interrupt a waiting thread


class Message(NamedTuple):
    """What a worker says: progress, the answer to its call, the traceback of its call, or that it has ended."""

    kind: Literal["progress", "answer", "error", "ended"]
    content: Any = None


class PinnedWorker:
    """One worker process, bound to ``cores``; its messages arrive in ``inbox`` with the worker that sent them.

    ``card`` is the number of the one graphics card that it sees. Its temporary files lie hidden in ``folder``, a
    bundle's: whoever holds that next removes what a kill left.
    """

    def __init__(self, cores: tuple[int, ...], inbox: Inbox, folder: Path, card: int | None = None) -> None:
        self.cores = cores
        self._log = tempfile.TemporaryFile("a+b", buffering=0)  # noqa: SIM115 - closed with the worker
        self._scratch = tempfile.TemporaryDirectory(prefix=".worker.", suffix=".part", dir=folder.resolve())
        temporary = dict.fromkeys(("TMPDIR", "TEMP", "TMP"), self._scratch.name)
        path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(  # noqa: S603 - this program's own module
            [sys.executable, "-P", "-c", PROGRAM, *map(str, cores)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env={**worker_environment(card), **temporary, "PYTHONPATH": path},
            **_without_interrupts(),
        )
        self._receiver = threading.Thread(target=self._receive, args=(inbox,), daemon=True)
        self._receiver.start()

    def call(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Have the worker call ``function(report, *arguments)``, pickled; ``report`` sends progress."""
        self._log.truncate(0)
        requests = cast("IO[bytes]", self._process.stdin)
        with suppress(BrokenPipeError):  # it has just ended, and says so
            requests.write(pickle.dumps((function, arguments)))
            requests.flush()

    def log(self) -> bytes:
        """Return the end of what was printed since the last call, at most ``MOST_LOG_BYTES``."""
        size = self._log.seek(0, os.SEEK_END)
        self._log.seek(max(0, size - MOST_LOG_BYTES))
        return self._log.read()

    def ending(self) -> str:
        """Return how the process ended, in words."""
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
        self._receiver.join()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            with suppress(OSError):  # what was not sent yet
                cast("IO[bytes]", stream).close()
        self._scratch.cleanup()

    def _receive(self, inbox: Inbox) -> None:
        with suppress(EOFError, pickle.UnpicklingError):  # killed, perhaps in the middle of a message
            while True:
                inbox.put((self, pickle.load(cast("IO[bytes]", self._process.stdout))))  # noqa: S301 - our own process
        inbox.put((self, Message("ended")))


def call_alone(function: Callable[..., Any], argument: Any, cores: tuple[int, ...], folder: Path) -> Message:
    """Return the answer of a worker of its own to one call; else, as an error, the last line that it wrote."""
    inbox: Inbox = queue.SimpleQueue()
    message = Message("progress")
    with closing(PinnedWorker(cores, inbox, folder)) as worker:
        worker.call(function, argument)
        while message.kind == "progress":
            with suppress(queue.Empty):
                _, message = inbox.get(timeout=POLL_SECONDS)
        if message.kind == "answer":
            return message
        words = (message.content or worker.log().decode(errors="replace")).strip()
        return Message("error", words.split("\n")[-1] or f"the worker ended {worker.ending()}")


Inbox = queue.SimpleQueue[tuple[PinnedWorker, Message]]


def _without_interrupts() -> dict[str, Any]:
    """Keep the terminal's Ctrl-C from a process: whoever started it ends it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}


def serve() -> None:
    """Answer calls, as the program of a worker process; the arguments of the command are its cores."""
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    faulthandler.enable()  # where a library brings the process down, the log says in which line
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, set(map(int, sys.argv[1:])))
    calls: queue.SimpleQueue[tuple[Callable[..., Any], tuple[Any, ...]]] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(calls,), daemon=True).start()

    def send(message: Message) -> None:
        sys.stdout.flush()
        answers.write(pickle.dumps(message))
        answers.flush()

    while True:
        function, arguments = calls.get()
        try:
            send(Message("answer", function(lambda progress: send(Message("progress", progress)), *arguments)))
        except Exception:  # noqa: BLE001 - whoever called says what became of it
            send(Message("error", traceback.format_exc()))


def _listen(calls: queue.SimpleQueue[Any]) -> None:
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
