"""Measure what a task costs on a Dask cluster, and play suites on 1 to 1,000 workers: python benchmarks/cluster.py.

The tasks are stubs, so nothing is trained: a scheduler and workers on 127.0.0.1 answer at once, and the coordinator
writes each answer into a bundle as it writes runs. What is played takes the seconds of a bundle's runs, and a
coordinator that takes one result after the other.
"""

from __future__ import annotations

import argparse
import heapq
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from io import StringIO
from pathlib import Path

import msgspec
import psutil
from rich.console import Console
from rich.table import Table

from cifar_report.bundle import Bundle
from cifar_report.running.cluster import dask_cluster
from cifar_report.running.plan import Prepared, prepare, states_of
from cifar_report.running.runs import Answer, RunRequest, RunWriter, pack
from cifar_report.running.scheduler import train_runs

SIZE = 1_000  # bytes of an answer's file
LIMIT = 0.005  # seconds of the coordinator's processor a task: more is a failure
WORKERS, THREADS = 2, 8
REFERENCE = Path(__file__).parents[1] / "report" / "reference"


def stub(request: bytes) -> Answer:
    """Answer at once, as a machine whose run failed."""
    answer = pack(msgspec.json.decode(request, type=RunRequest), error="stub")
    return replace(answer, files={"predictions.npz": os.urandom(SIZE)}, host="here")


@contextmanager
def processes(folder: Path) -> Iterator[list[psutil.Process]]:
    """Start a scheduler and workers, and end them by their ids."""
    file, started = folder / "scheduler.json", []
    scheduler = ("scheduler", "--port", "0", "--scheduler-file", str(file))
    worker = ("worker", "--scheduler-file", str(file), "--nthreads", str(THREADS), "--memory-limit", "0", "--no-nanny")
    try:
        for words in (scheduler, *[worker] * WORKERS):
            command = [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1", "--no-dashboard"]
            started.append(subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL))  # noqa: S603 - ours
            while not file.exists():
                time.sleep(0.1)
        yield [psutil.Process(each.pid) for each in started]
    finally:
        for each in started:
            each.kill()
            each.wait()


def measure(count: int, folder: Path) -> dict[str, float]:
    """Return seconds a task, of processors and of the clock, over ``count`` stubs."""
    prepared: Prepared = prepare(
        "smoke", seeds=count, only=["baseline"], data="synthetic", bundle=folder / "bundle", warn=print, timing=False
    )
    writer = RunWriter(prepared, {state.planned.id: state.key_parts for state in states_of(prepared)})
    with processes(folder) as (scheduler, *_), dask_cluster(str(folder / "scheduler.json"), stub) as cluster:
        while cluster.threads() < WORKERS * THREADS:
            time.sleep(0.1)
        before, own, clock = scheduler.cpu_times(), time.process_time(), time.perf_counter()
        train_runs(cluster, writer, prepared.runs, Console(file=StringIO()))
        own, clock, after = time.process_time() - own, time.perf_counter() - clock, scheduler.cpu_times()
    taken = after.user + after.system - before.user - before.system
    return {"coordinator, processor": own / count, "scheduler, processor": taken / count, "clock": clock / count}


def measured_seconds(bundle: Bundle) -> list[list[float]]:
    """Return the seconds of a bundle's runs, seed by seed, the longest first within a seed."""
    seeds: dict[int, list[float]] = {}
    for run in bundle.runs:
        if (timing := bundle.timing(run)) is not None:
            seeds.setdefault(run.seed or 0, []).append(timing.total_seconds)
    return [sorted(each, reverse=True) for _, each in sorted(seeds.items())]


def play(runs: Sequence[float], workers: int, a_result: float) -> float:
    """Return the seconds until the coordinator, which takes ``a_result`` each, has all runs, handed out in order."""
    free, ends, written = [0.0] * min(workers, len(runs)), [], 0.0
    for seconds in runs:
        ends.append(heapq.heappop(free) + seconds)
        heapq.heappush(free, ends[-1])
    for end in sorted(ends):
        written = max(written, end) + a_result
    return written


def play_all(seeds: list[list[float]], a_result: float, console: Console) -> None:
    """Print the hours of suites on several numbers of workers, and what share of their time the workers are busy."""
    table = Table("runs", "workers", "longest first, h", "seed by seed, h", "busy")
    for count in (100, 1_000, 10_000):
        by_seed = [run for number in range(count) for run in seeds[number % len(seeds)]][:count]
        for workers in (1, 10, 100, 1_000):
            hours = [play(runs, workers, a_result) / 3600 for runs in (sorted(by_seed, reverse=True), by_seed)]
            busy = sum(by_seed) / 3600 / workers / hours[0]
            table.add_row(f"{count:,}", f"{workers:,}", *(f"{each:.2f}" for each in hours), f"{busy:.0%}")
    console.print(table)


def main() -> int:
    """Measure and play, and print both; 1 where a task costs the coordinator too much."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tasks", type=int, default=10_000, help="stubs (default and most: 10,000)")
    parser.add_argument("--bundle", type=Path, default=REFERENCE, help="whose runs' seconds are played")
    options, console = parser.parse_args(), Console()
    with tempfile.TemporaryDirectory() as folder:
        found = measure(options.tasks, Path(folder))
    for name, seconds in found.items():
        console.print(f"{name}: {1000 * seconds:.2f} ms a task")
    play_all(measured_seconds(Bundle.load(options.bundle)), found["coordinator, processor"], console)
    return int(found["coordinator, processor"] > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
