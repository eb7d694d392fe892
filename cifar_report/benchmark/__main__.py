"""``python -m cifar_report.benchmark``; exit status 0: every must is kept, 1: one is missed, 2: bad usage."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cifar_report.benchmark.measuring import Wish, measure_reading, measure_suite
from cifar_report.benchmark.plots import draw_growth
from cifar_report.benchmark.record import CURVES, read_benchmark, read_docs, update_docs, write_json
from cifar_report.benchmark.results import Benchmark
from cifar_report.benchmark.screen import show
from cifar_report.errors import SuiteError, UsageError


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, write what was asked for; return the exit status."""
    options = _parser().parse_args(arguments)
    console = Console()
    try:
        benchmark = _measured(options, console)
        show(benchmark, console)
        for path in _written(options, benchmark):
            console.print(f"written: {path}", markup=False)
    except UsageError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except SuiteError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    return 1 if benchmark.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="nox -s bench --", description="Measure how fast the suite is.")
    parser.add_argument("--growth", action="store_true", help="measure reading and reporting larger and larger bundles")
    parser.add_argument("--quick", action="store_true", help="a few steps of everything: shows that it works, no more")
    parser.add_argument("--blocks", type=int, metavar="N", default=3, help="repeat everything N times (default: 3)")
    parser.add_argument("--bundle", type=Path, metavar="DIR", help="take the fixed costs from this bundle's timings")
    parser.add_argument("--data", metavar="PATH|synthetic", help="which images, as for cifar-report run")
    parser.add_argument("--no-peers", action="store_true", help="leave PyTorch and JAX out")
    parser.add_argument("--from", dest="recorded", type=Path, metavar="FILE", help="measure nothing: show this record")
    parser.add_argument(
        "--output", type=Path, metavar="DIR", default=Path("report/bench"), help="where the JSON goes, and the curves"
    )
    parser.add_argument(
        "--write-docs", type=Path, metavar="DIR", nargs="?", const=Path("docs"), help="update docs/performance.md"
    )
    return parser


def _measured(options: argparse.Namespace, console: Console) -> Benchmark:
    if options.blocks < 1:
        raise UsageError(f"--blocks {options.blocks}: at least one is needed")
    if options.write_docs is not None and options.quick:
        raise UsageError("--quick measures nothing worth writing down: leave out --write-docs")
    if options.write_docs is not None:
        read_docs(options.write_docs)  # what cannot be written later is said now
    if options.recorded is not None:
        return read_benchmark(options.recorded)
    wish = Wish(options.blocks, options.quick, options.data, options.bundle, not options.no_peers)
    measure = measure_reading if options.growth else measure_suite
    return measure(wish, lambda text: console.print(text, markup=False, highlight=False))


def _written(options: argparse.Namespace, benchmark: Benchmark) -> list[Path]:
    """Write the record, the curves and the documents; return their paths."""
    paths = []
    if options.recorded is None:
        paths.append(options.output / ("growth.json" if benchmark.growth else "bench.json"))
        write_json(paths[0], benchmark)
    folders = [folder for folder in (options.output, options.write_docs) if folder is not None]
    for folder in folders if benchmark.growth else ():
        paths += draw_growth(benchmark.growth, folder / CURVES)
    if options.write_docs is not None:
        paths.append(update_docs(options.write_docs, benchmark))
    return paths


if __name__ == "__main__":
    sys.exit(main())
