"""Call the command as a person does: in a process of its own, in a folder of its own."""

import contextlib
import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import psutil

ROOT = Path(__file__).resolve().parent.parent
PATIENCE = 600  # seconds: far more than any call takes, even where many others share the machine


COMMAND = ("-m", "cifar_report")
# As COMMAND, but in an environment without the packages of the report: a pass then ends at once.
TRAINING_ALONE = (
    "-c",
    "import runpy, sys; sys.modules['statsmodels'] = None; runpy.run_module('cifar_report', run_name='__main__')",
)

HOSTILE = {  # variables that reach the results of libraries, or stop a program
    "ONEDNN_MAX_CPU_ISA": "SSE41", "DNNL_MAX_CPU_ISA": "SSE41", "ONEDNN_DEFAULT_FPMATH_MODE": "ANY",
    "TF_ENABLE_ONEDNN_OPTS": "0", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2", "TF_NUM_INTRAOP_THREADS": "7",
    "NPY_DISABLE_CPU_FEATURES": "AVX2", "OPENBLAS_CORETYPE": "Nehalem", "OMP_NUM_THREADS": "9", "OMP_DYNAMIC": "true",
    "KMP_BLOCKTIME": "0", "MKL_CBWR": "COMPATIBLE", "KERAS_BACKEND": "jax", "KERAS_MAX_EPOCHS": "0",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2",
    "PYTHONIOENCODING": "ascii", "LC_ALL": "tr_TR.UTF-8", "LANG": "el_GR.ISO-8859-7", "LC_NUMERIC": "de_DE",
}  # fmt: skip


class Called(NamedTuple):
    """What came of a call."""

    status: int
    out: str
    err: str


def environment(**changes: str | None) -> dict[str, str]:
    """Return this process's variables with the project importable; None takes a variable away."""
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "120", **changes}
    return {name: value for name, value in variables.items() if value is not None}


def call(*words: str, cwd: Path, prepare=None, command=COMMAND, **changes: str | None) -> Called:
    """Call ``cifar-report`` and wait for its end; ``prepare`` runs in the new process before it starts."""
    done = subprocess.run(
        [sys.executable, *command, *words],
        cwd=cwd,
        env=environment(**changes),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        preexec_fn=prepare,
    )
    return Called(done.returncode, done.stdout, done.stderr)


def wait_for(condition, what):
    """Wait until something is true, and return it."""
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)
    return found


class Suite:
    """A running ``cifar-report run`` in a process group of its own, whose lines can be awaited."""

    def __init__(self, *words: str, cwd: Path) -> None:
        self._out = (cwd / "suite.out").open("w+", encoding="utf-8")
        self._err = (cwd / "suite.err").open("w+", encoding="utf-8")
        self.process = psutil.Popen(
            [sys.executable, "-u", *TRAINING_ALONE, "run", *words],
            cwd=cwd,
            env=environment(),
            stdout=self._out,
            stderr=self._err,
            start_new_session=True,
        )

    def __enter__(self) -> "Suite":
        return self

    def __exit__(self, *_: object) -> None:
        for process in [*self.workers(), self.process]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        self._out.close()
        self._err.close()

    @property
    def out(self) -> str:
        return _content(self._out)

    @property
    def err(self) -> str:
        return _content(self._err)

    def workers(self) -> list[psutil.Process]:
        try:
            children = self.process.children(recursive=True)
            return [child for child in children if "running.workers" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def wait_for(self, condition, what: str):
        """Wait until ``condition`` returns something true, and return that."""

        def found():
            assert self.process.status() != psutil.STATUS_ZOMBIE, f"ended before {what}: {self.out}{self.err}"
            return condition()

        return wait_for(found, what)

    def wait_for_worker(self, *, other_than: set[int] = frozenset()) -> psutil.Process:
        return self.wait_for(
            lambda: next((worker for worker in self.workers() if worker.pid not in other_than), None), "a worker"
        )

    def interrupt(self) -> None:
        """Press Ctrl-C: the signal goes to the whole process group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def end(self) -> Called:
        status = self.process.wait(PATIENCE)
        return Called(status, self.out, self.err)


def _content(stream) -> str:
    return Path(stream.name).read_text(encoding="utf-8")


def contents(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder and the names of its folders, to see what a call changed."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(folder.rglob("*"))
    }


def is_one_sentence(text: str) -> bool:
    """Whether an error is a single line that names the command, and no traceback."""
    return text.startswith("cifar-report") and text.count("\n") == 1 and text.endswith("\n")
