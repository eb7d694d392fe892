"""``python -m cifar_report.faults``: try all faults, write the table, exit with status 1 where anything was lost."""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from cifar_report.bundle import write_file
from cifar_report.faults.downloads import try_downloads
from cifar_report.faults.outcome import Outcome
from cifar_report.faults.storing import walk_store
from cifar_report.faults.suites import try_suites
from cifar_report.faults.table import to_markdown
from cifar_report.faults.trying import Trying

KINDS = ("store", "downloads", "suites")
COMMAND = "python -m cifar_report.faults"


def main(words: list[str]) -> int:
    """Try the faults and say what was lost; 1 where it was anything."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Break things for real and say what was lost.")
    parser.add_argument("--times", type=int, default=3, metavar="N", help="how often each random fault (default: 3)")
    parser.add_argument("--only", choices=KINDS, action="append", help="these kinds of faults alone")
    parser.add_argument("--data", default="synthetic", metavar="PATH", help="images (default: the synthetic stand-in)")
    parser.add_argument("--seed", type=int, default=None, help="of the random places (default: another each time)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the table there, beside showing it")
    options = parser.parse_args(words)
    started = time.monotonic()
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="cifar-report-faults-") as place:
        for outcome in _try_all(options, Path(place)):
            outcomes.append(outcome)
            print(f"{outcome.fault}: tried {outcome.tried}, lost {outcome.lost or 'nothing'}", flush=True)
    command = " ".join([COMMAND, *words])
    if options.output is not None:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        write_file(options.output, to_markdown(outcomes, command, time.monotonic() - started).encode())
    return 1 if any(outcome.lost for outcome in outcomes) else 0


def _try_all(options: argparse.Namespace, folder: Path) -> Iterator[Outcome]:
    kinds = options.only or KINDS
    source = random.Random(options.seed)  # noqa: S311 - chooses where to break
    if "store" in kinds:
        yield from walk_store()
    if "downloads" in kinds:
        yield from try_downloads(folder / "downloads", options.times, source)
    if "suites" in kinds:
        yield from try_suites(Trying(folder / "suites", options.data, options.times, source))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
