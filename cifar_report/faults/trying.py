"""Suites that are disturbed: starts them, watches their epochs, and compares their end with an undisturbed one."""

from __future__ import annotations

import contextlib
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from cifar_report.bundle.manifest import MANIFEST_FILE

NETWORKS = (
    "baseline",
    "dropout",
    "batch_norm",
    "model_2",
)  # one stage, dropout, normalisation, stages and augmentation
CLASSICAL = ("nearest_centroid", "nearest_neighbor_1")
VOLATILE = ("timing.json", "log.txt")
PATIENCE_SECONDS = 1800
POLL_SECONDS = 0.01


@dataclass
class Trying:
    """Where faults are tried, and on which data."""

    folder: Path
    data: str
    times: int
    source: random.Random
    reference: dict[str, bytes] = field(default_factory=dict)

    @property
    def temporary(self) -> Path:
        """Return where its suites put their temporary files."""
        return self.folder / "temporary"

    def variables(self) -> dict[str, str]:
        """Return the variables under which its suites run."""
        self.temporary.mkdir(parents=True, exist_ok=True)
        return {**os.environ, "TMPDIR": str(self.temporary)}

    def command(self, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> list[str]:
        """Return the call of a suite on a bundle of this folder."""
        words = ("run", "--profile", "smoke", "--seeds", "1", "--only", ",".join(trials), "--data", self.data)
        return [sys.executable, "-m", "cifar_report.faults.longer", *words, "--bundle", str(self.folder / bundle)]

    def end(self, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> str | None:
        """Let a suite come to its end; return what was lost against the undisturbed one."""
        done = subprocess.run(  # noqa: S603 - this program itself
            self.command(bundle, trials),
            env=self.variables(),
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        if done.returncode != 0:
            return f"{bundle}: the next call ended with status {done.returncode}: {done.stderr.strip()[-300:]}"
        found = science(self.folder / bundle)
        expected = {name: content for name, content in self.reference.items() if name.split("/")[0] in trials}
        differ = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
        if differ:
            return f"{bundle}: other bytes than undisturbed: {', '.join(differ)}"
        left = [path.name for path in (self.folder / bundle).rglob("*") if path.name.endswith(".part")]
        if left or (self.folder / bundle / ".checkpoints").exists():
            return f"{bundle}: left behind: {', '.join(left) or 'checkpoints'}"
        if strays := [path.name for path in self.temporary.iterdir()]:
            return f"{bundle}: left among the temporary files: {', '.join(strays)}"
        return None if (self.folder / bundle / MANIFEST_FILE).is_file() else f"{bundle}: no manifest"


def science(bundle: Path) -> dict[str, bytes]:
    """Return the scientific files of a bundle's runs by their paths."""
    runs = bundle / "runs"
    files = [path for path in sorted(runs.rglob("*")) if path.is_file() and path.name not in VOLATILE]
    return {path.relative_to(runs).as_posix(): path.read_bytes() for path in files}


class Suite:
    """A suite that runs and can be killed; nothing of it outlives the block."""

    def __init__(self, trying: Trying, bundle: str, trials: tuple[str, ...] = (*NETWORKS, *CLASSICAL)) -> None:
        self.checkpoints = trying.folder / bundle / ".checkpoints"
        self.runs = trying.folder / bundle / "runs"
        self.process = psutil.Popen(
            trying.command(bundle, trials),
            env=trying.variables(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def __enter__(self) -> Suite:
        return self

    def __exit__(self, *_: object) -> None:
        family = [*self.workers(), self.process]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.process.wait()
        psutil.wait_procs(family, timeout=30)

    def workers(self) -> list[psutil.Process]:
        """Return its worker processes."""
        try:
            children = self.process.children(recursive=True)
            return [child for child in children if "spawn_main" in " ".join(child.cmdline())]
        except psutil.NoSuchProcess:
            return []

    def lives(self) -> bool:
        """Whether it has not ended."""
        return bool(self.process.poll() is None)

    def wait_for(self, condition: Callable[[], object]) -> bool:
        """Wait until something holds; False where the suite ended before."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.lives():
            if condition():
                return True
            if time.monotonic() > deadline:
                raise TimeoutError(f"a suite did nothing for {PATIENCE_SECONDS} s")
            time.sleep(POLL_SECONDS)
        return False

    def wait_for_epochs(self, count: int) -> bool:
        """Wait until so many epochs were written down since now."""
        seen = self._written()
        new: set[object] = set()

        def changed() -> bool:
            new.update(self._written() - seen)
            return len(new) >= count

        return self.wait_for(changed)

    def _written(self) -> set[object]:
        found: set[object] = set()
        with contextlib.suppress(OSError):
            for entry in os.scandir(self.checkpoints):
                if not entry.name.startswith("."):
                    found.add((entry.name, entry.inode(), entry.stat().st_mtime_ns))
        return found
