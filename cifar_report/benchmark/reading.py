"""Reads a bundle as the report does and prints what it cost.

Called as ``python -m cifar_report.benchmark.reading BUNDLE OUTPUT``.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import msgspec
import psutil

from cifar_report.benchmark.growth import GrowthPoint

if TYPE_CHECKING:
    from cifar_report.bundle import Bundle

SAMPLING_SECONDS = 0.25
LOADS = 3


class Memory:
    """Looks again and again at what this process and those that it started hold; the most of it is ``peak``, bytes."""

    def __init__(self) -> None:
        self.peak = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Memory:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look once more, and end."""
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        process = psutil.Process()
        while True:
            held = 0
            for each in (process, *process.children(recursive=True)):
                with contextlib.suppress(psutil.Error):  # it ended meanwhile
                    held += share_of(each)
            self.peak = max(self.peak, held)
            if self._ended.wait(SAMPLING_SECONDS):
                return


def share_of(process: psutil.Process) -> int:
    """Return the bytes that a process holds, pages shared with others divided among them where the system says so."""
    try:
        return int(process.memory_full_info().pss)
    except AttributeError:  # neither macOS nor Windows counts shares
        return int(process.memory_info().rss)


def read(folder: Path, output: Path) -> GrowthPoint:
    """Load a bundle, write its report as HTML and PDF on all cores, every figure drawn anew, and judge its claims.

    The memory is that of the report, in which claims are judged elsewhere; here they are judged to time that alone.
    """
    from cifar_report.running.environment import available_cores

    with Memory() as memory:
        bundle, load = _load(folder)
        from cifar_report.report.build import build_report

        begun = time.perf_counter()
        html = build_report(bundle, output, processes=len(available_cores()))[0]
        finished = time.perf_counter()
    from cifar_report.bundle import Bundle

    fresh = Bundle.load(folder)  # nothing that the report left in memory shortens the judging
    began = time.perf_counter()
    from cifar_report.analysis import analyse

    analyse(fresh)
    judged = time.perf_counter()
    return GrowthPoint(
        runs=len(fresh.runs),
        seconds={"load": load, "verdicts": judged - began, "report": finished - begun},
        peak_memory=float(memory.peak),
        html_bytes=html.stat().st_size,
    )


def _load(folder: Path) -> tuple[Bundle, float]:
    """Load a bundle some times, and return it with the median of the seconds: a single load is over too soon."""
    from cifar_report.bundle import Bundle

    def seconds() -> float:
        began = time.perf_counter()
        Bundle.load(folder)
        return time.perf_counter() - began

    middle = median(seconds() for _ in range(LOADS))
    return Bundle.load(folder), middle


if __name__ == "__main__":
    sys.stdout.write(msgspec.json.encode(read(Path(sys.argv[1]), Path(sys.argv[2]))).decode())
