"""Starts the processes that measure, gives them their turn one after the other, and leaves none behind."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from cifar_report.running.environment import WORKER_VARIABLES
from cifar_report.running.stopwatch import READY, Reading, Request, encode_request

ROOT = Path(__file__).resolve().parents[2]
MODULE = "cifar_report.running.stopwatch"


class MeasurementError(Exception):
    """A process ended without a reading; the text is the last line that it wrote."""


class Stopwatch:
    """A process that prepares one measurement and waits for its turn; leaving the context ends it."""

    def __init__(self, request: Request) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the context is left
        self._process = subprocess.Popen(  # noqa: S603 - this program's own module
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_variables(),
            **_apart(),
        )
        self._requests = cast("IO[bytes]", self._process.stdin)
        self._answers = cast("IO[bytes]", self._process.stdout)
        self._tell(encode_request(request))

    def __enter__(self) -> Stopwatch:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._requests, self._answers, self._log):
            with suppress(OSError):
                stream.close()

    def wait(self) -> None:
        """Wait until everything but the measurement is done; raises MeasurementError when the process has ended."""
        if self._answers.readline() != READY:
            raise MeasurementError(self._last_words())

    def measure(self) -> Reading:
        """Let it measure; raises MeasurementError when the process has ended."""
        self._tell(b"measure\n")
        try:
            return msgspec.json.decode(self._answers.readline(), type=Reading)
        except msgspec.DecodeError as error:
            raise MeasurementError(self._last_words()) from error

    def _tell(self, line: bytes) -> None:
        with suppress(BrokenPipeError):  # it has ended; its missing answer says so
            self._requests.write(line)
            self._requests.flush()

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), f"exit status {self._process.returncode}")


def measure_group(requests: Sequence[Request]) -> Iterator[Reading | MeasurementError]:
    """Yield a reading for each request: all prepare at the same time, then each measures while the others sleep."""
    with ExitStack() as stack:
        stopwatches = [stack.enter_context(Stopwatch(request)) for request in requests]
        failed = {place: error for place, each in enumerate(stopwatches) if (error := _wait(each)) is not None}
        for place, each in enumerate(stopwatches):
            if place in failed:
                yield failed[place]
                continue
            with each:  # it is gone before the next one begins
                yield _measure(each)


def _wait(stopwatch: Stopwatch) -> MeasurementError | None:
    try:
        stopwatch.wait()
    except MeasurementError as error:
        return error
    return None


def _measure(stopwatch: Stopwatch) -> Reading | MeasurementError:
    try:
        return stopwatch.measure()
    except MeasurementError as error:
        return error


def _variables() -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    return {**os.environ, **WORKER_VARIABLES, "PYTHONPATH": path}


def _apart() -> dict[str, Any]:
    """Keep the terminal's Ctrl-C from the process: whoever started it ends it."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}
    return {"start_new_session": True}
