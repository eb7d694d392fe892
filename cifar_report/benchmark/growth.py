"""How time and memory grow with the number of runs: simulated bundles, each read and reported in a fresh process."""

from __future__ import annotations

import math
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Literal

import msgspec

from cifar_report.errors import SuiteError

SIZES = (100, 1_000, 10_000)
Phase = Literal["load", "verdicts", "report"]
PHASES: tuple[Phase, ...] = ("load", "verdicts", "report")


class GrowthPoint(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One reading of a bundle from its files to the finished report; "report" judges the claims once more."""

    runs: int
    seconds: dict[Phase, float]
    peak_memory: float  # bytes that the process and its helpers hold, looked at four times a second
    html_bytes: int

    @property
    def total(self) -> float:
        """Return the seconds from the files to the report."""
        return self.seconds["load"] + self.seconds["report"]


def measure_growth(sizes: Sequence[int], repeats: int, tell: Callable[[str], None]) -> list[GrowthPoint]:
    """Write a bundle of about each size and read it ``repeats`` times, the sizes in turn."""
    points = []
    with tempfile.TemporaryDirectory(prefix="cifar-report-growth-") as folder:
        bundles = []
        for size in sizes:
            tell(f"a bundle of {size} runs is written")
            bundles.append(write_bundle(Path(folder) / str(size), size))
        for repeat in range(repeats):
            for bundle in bundles:
                points.append(_measure(bundle, Path(folder) / "report"))
                tell(f"{points[-1].runs} runs, reading {repeat + 1}: {points[-1].total:.1f} s")
    return points


def write_bundle(folder: Path, size: int) -> Path:
    """Simulate a bundle of about ``size`` runs: all trials of the suite, as many seeds as that takes."""
    from cifar_report.registry import load_experiments, trials_of
    from cifar_report.simulation import Simulation, simulate_bundle

    experiments = load_experiments()
    trials = trials_of(experiments).values()
    seeded = sum(trial.seeded for trial in trials)
    seeds = max(1, round((size - (len(trials) - seeded)) / seeded))
    simulate_bundle(folder, experiments, Simulation(seeds=seeds))
    return folder


def _measure(bundle: Path, output: Path) -> GrowthPoint:
    words = [sys.executable, "-m", "cifar_report.benchmark.reading", str(bundle), str(output)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - this project's own program
    if done.returncode:
        raise SuiteError(f"reading a bundle failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
    return msgspec.json.decode(done.stdout, type=GrowthPoint)


def steepest(points: Sequence[GrowthPoint], value: Callable[[GrowthPoint], float]) -> float | None:
    """Return the largest exponent between neighbouring sizes, from the medians of each; None for one size alone.

    A single line through all points would hide growth at the end behind what every report costs.
    """
    sizes = sorted({point.runs for point in points})
    medians = [(size, median(value(point) for point in points if point.runs == size)) for size in sizes]
    slopes = [
        math.log(later / earlier) / math.log(larger / smaller)
        for (smaller, earlier), (larger, later) in pairwise(medians)
    ]
    return max(slopes, default=None)


def exponents(points: Sequence[GrowthPoint], value: Callable[[GrowthPoint], float]) -> list[float]:
    """Return ``steepest`` of the medians, then its spread: that of each reading on its own."""
    middle = steepest(points, value)
    if middle is None:
        return []
    by_size: dict[int, list[GrowthPoint]] = {}
    for point in points:
        by_size.setdefault(point.runs, []).append(point)
    readings = zip(*by_size.values(), strict=False)
    return [middle, *(slope for reading in readings if (slope := steepest(reading, value)) is not None)]
