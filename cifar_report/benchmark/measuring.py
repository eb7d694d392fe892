"""One call of the bench: what is measured, in which order, and what is made of it."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from statistics import median

import msgspec

from cifar_report.benchmark import throughput
from cifar_report.benchmark.blocks import Blocks
from cifar_report.benchmark.costs import FixedCosts, fixed_costs
from cifar_report.benchmark.growth import PHASES, SIZES, GrowthPoint, Phase, exponents, measure_growth
from cifar_report.benchmark.peers import install_peers
from cifar_report.benchmark.results import Benchmark, Finding, finding
from cifar_report.benchmark.workload import group, works
from cifar_report.bundle import Bundle
from cifar_report.data import Dataset, locate
from cifar_report.errors import SuiteError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import available_cores, record_environment
from cifar_report.running.plan import plan_runs
from cifar_report.running.request import TRAIN_IMAGES
from cifar_report.spec import PROFILES

SHORT_RUN = ("baseline", "baseline_30_epochs", "stride_2", "padding_same", "filters_32", "filters_32_30_epochs")
MOST_SECONDS = 1_100.0  # from the start of a call to the end of its last block: the whole ends within 20 minutes
QUICK_STEPS, QUICK_PARTS = 2, ("baseline", "model_2")
QUICK_SIZES = (100, 200)
EXPONENT_LIMIT, LARGEST_SECONDS, LARGEST_MEMORY = 1.1, 60.0, 1.0e9
LEAST_SECONDS = 0.1  # medians below it say more about the clock than about growth


@dataclass(frozen=True)
class Wish:
    """What a call asks for."""

    blocks: int
    quick: bool = False
    data: str | None = None
    bundle: Path | None = None  # whose timings give the fixed costs; None: a short run is made for them
    peers: bool = True


def measure_suite(wish: Wish, tell: Callable[[str], None]) -> Benchmark:
    """Measure throughput, peers, the physical limit, overhead and memory.

    What can go wrong without long measurements comes before them.
    """
    begun = time.monotonic()
    costs = fixed_costs(Bundle.load(wish.bundle)) if wish.bundle else None
    dataset = locate(wish.data, allow_stand_in=True, warn=tell, notify=tell)
    cores, steps = available_cores(), QUICK_STEPS if wish.quick else None
    trials = trials_of(load_experiments()).values()
    seeds = PROFILES["full"].seeds
    groups = group(works(trials, seeds))
    timed = [each for each in groups if not wish.quick or each.work.trial.id in QUICK_PARTS]
    missing: dict[str, str] = {}
    if costs is None:
        costs = _short_run(wish, dataset, tell)
    blocks = Blocks(dataset.folder, cores, install_peers(missing, tell) if wish.peers else {}, tell)
    run_blocks(partial(blocks.run, groups=timed, steps=steps), wish.blocks, begun + MOST_SECONDS, tell)
    if wish.quick:
        groups = group(works(trials, seeds), [(each.work.trial.id, each.work.stage.id) for each in timed])
    runs = plan_runs(trials, PROFILES["full"], seeds, TRAIN_IMAGES)
    return Benchmark(
        date=_now(),
        environment=record_environment(),
        workers=len(cores),
        findings=throughput.findings(runs, groups, blocks.samples, blocks.machine, costs, len(cores)),
        table=throughput.table(groups, blocks.samples, seeds, steps),
        samples=tuple(blocks.samples),
        machine=tuple(blocks.machine),
        costs=costs,
        missing=missing | blocks.missing,
    )


def run_blocks(run: Callable[[int], None], count: int, deadline: float, tell: Callable[[str], None]) -> None:
    """Carry out the blocks; fewer where the next one would end after ``deadline`` (``time.monotonic``) or fails.

    The first one is carried out however long it takes, and raises SuiteError when it fails.
    """
    begun = time.monotonic()
    for block in range(count):
        now = time.monotonic()
        if block and now + (now - begun) / block > deadline:
            tell(f"this machine is slow: {block} of {count} blocks must do")
            return
        try:
            run(block)
        except SuiteError as error:
            if not block:
                raise
            tell(f"{block} of {count} blocks must do: {error}")
            return


def measure_reading(wish: Wish, tell: Callable[[str], None]) -> Benchmark:
    """Measure how reading, judging and reporting grow with the number of runs."""
    points = measure_growth(QUICK_SIZES if wish.quick else SIZES, wish.blocks, tell)
    return Benchmark(
        date=_now(),
        environment=record_environment(),
        workers=1,
        findings=growth_findings(points),
        growth=tuple(points),
    )


def growth_findings(points: list[GrowthPoint]) -> tuple[Finding, ...]:
    """Return the exponents of growth, and what the largest bundle took.

    A phase whose largest median is below ``LEAST_SECONDS`` has no exponent worth a name.
    """
    measures: dict[str, Callable[[GrowthPoint], float]] = {
        f"seconds, {phase}": partial(_seconds, phase) for phase in PHASES
    }
    measures |= {"seconds, whole report": lambda point: point.total, "memory": lambda point: point.peak_memory}
    found = []
    largest = [point for point in points if point.runs == max(point.runs for point in points)]
    for name, value in measures.items():
        if median(value(point) for point in largest) < LEAST_SECONDS or not (slopes := exponents(points, value)):
            continue
        spread = finding(f"steepest growth: {name}", "exponent", slopes, limit=EXPONENT_LIMIT, must=True)
        found.append(msgspec.structs.replace(spread, value=slopes[0]))
    totals, memory = [each.total for each in largest], [each.peak_memory for each in largest]
    seconds = finding("largest bundle: whole report", "seconds", totals, limit=LARGEST_SECONDS)
    return (*found, seconds, finding("largest bundle: memory", "bytes", memory, limit=LARGEST_MEMORY))


def _seconds(phase: Phase, point: GrowthPoint) -> float:
    return point.seconds[phase]


def _short_run(wish: Wish, dataset: Dataset, tell: Callable[[str], None]) -> FixedCosts:
    """Train a few trials on little data: what a run costs beyond its steps hardly depends on how much there is."""
    tell("a short suite is run for what surrounds the steps")
    profile, only = ("smoke", QUICK_PARTS[:1]) if wish.quick else ("quick", SHORT_RUN)
    with tempfile.TemporaryDirectory(prefix="cifar-report-bench-") as folder:
        bundle = Path(folder) / "bundle"
        words = ["run", "--profile", profile, "--seeds", "1", "--only", ",".join(only), "--no-timing"]
        words += ["--bundle", str(bundle)] + (["--data", "synthetic"] if dataset.grade == "stand-in" else [])
        words += ["--data", wish.data] if wish.data and dataset.grade != "stand-in" else []
        command = [sys.executable, "-m", "cifar_report", *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - this project's own program
        if done.returncode:
            raise SuiteError(f"the short suite failed: {(done.stderr.strip() or 'no word').splitlines()[-1]}")
        return fixed_costs(Bundle.load(bundle))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
