"""The bench's side of a probe: start its process, ask, read the answer, end it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

import msgspec

from cifar_report.benchmark.protocol import Answer, Request, Setting
from cifar_report.errors import SuiteError
from cifar_report.running.environment import WORKER_VARIABLES

QUIET = {"TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONDONTWRITEBYTECODE": "1"}
MOST_ANSWER_SECONDS = 300.0  # what takes longer hangs: nobody watches over the bench
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Probe:
    """A probe's process; leaving its ``with`` block ends it."""

    def __init__(self, setting: Setting, libraries: Path | None = None) -> None:
        self.setting = setting
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the probe
        started = time.perf_counter()
        self._process = subprocess.Popen(  # noqa: S603 - this project's own program
            [sys.executable, "-m", "cifar_report.benchmark.probes", msgspec.json.encode(setting).decode()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment(setting, os.environ, libraries),
        )
        self._started = started
        self.start_seconds = 0.0

    def __enter__(self) -> Probe:
        """Return the probe."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the process."""
        self.close()

    def wait(self) -> Probe:
        """Wait until the process is ready and has imported its library."""
        self.receive()
        self.start_seconds = time.perf_counter() - self._started
        return self

    def send(self, request: Request) -> None:
        """Hand a request on without waiting for the answer."""
        try:
            assert self._process.stdin is not None  # noqa: S101 - opened above
            self._process.stdin.write(msgspec.json.encode(request) + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise SuiteError(self._failure()) from error

    def receive(self) -> dict[str, float]:
        """Wait for an answer; raises SuiteError with the end of what the probe said when it failed.

        A probe that does not answer within ``MOST_ANSWER_SECONDS`` is killed.
        """
        assert self._process.stdout is not None  # noqa: S101 - opened above
        limit = threading.Timer(MOST_ANSWER_SECONDS, self._process.kill)
        limit.start()
        try:
            line = self._process.stdout.readline()
        finally:
            limit.cancel()
        if not line:
            raise SuiteError(self._failure())
        answer = msgspec.json.decode(line, type=Answer)
        if answer.error is not None:
            raise SuiteError(f"the probe {self.setting.way} failed: {answer.error.strip().splitlines()[-1]}")
        return answer.values

    def ask(self, request: Request) -> dict[str, float]:
        """Send a request and return the answer."""
        self.send(request)
        return self.receive()

    def close(self) -> None:
        """End the process by closing its input; one that does not listen is killed."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):  # what was still to be sent to a process that has ended
                    stream.close()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _failure(self) -> str:
        self._process.wait()
        self._log.seek(0)
        said = self._log.read().decode(errors="replace").strip().splitlines()
        return f"the probe {self.setting.way} ended with {self._process.returncode}: {said[-1] if said else 'no word'}"


def environment(setting: Setting, base: Mapping[str, str], libraries: Path | None = None) -> dict[str, str]:
    """Return a probe's variables: the engine's are a worker's, the others' threads stay their library's choice."""
    free = {name: value for name, value in base.items() if name not in THREADS}
    if setting.way == "engine":
        return free | WORKER_VARIABLES | QUIET
    path = os.pathsep.join(str(part) for part in (libraries, base.get("PYTHONPATH")) if part)
    backend = "jax" if setting.way == "jax" else "tensorflow"
    return free | QUIET | {"KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu", "PYTHONPATH": path}
