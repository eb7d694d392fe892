"""The bench's tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from cifar_report.benchmark.growth import PHASES
from cifar_report.benchmark.results import Benchmark
from cifar_report.benchmark.words import aim, growth_rows, machine, number, spread, verdict


def show(benchmark: Benchmark, console: Console) -> None:
    """Print what was measured, each measure beside its aim, and what was skipped."""
    console.print(machine(benchmark))
    if benchmark.table:
        console.print(_parts(benchmark))
    if benchmark.growth:
        console.print(_growth(benchmark))
    console.print(_findings(benchmark))
    for way, reason in sorted(benchmark.missing.items()):
        console.print(f"skipped: {way}: {reason}", markup=False)
    missed = [finding.name for finding in benchmark.findings if not finding.met]
    for name in missed:
        console.print(f"missed: {name}", markup=False)


def _findings(benchmark: Benchmark) -> Table:
    table = Table("measure", "median", "spread", "aim", "met")
    for finding in benchmark.findings:
        style = "" if finding.met else ("bold red" if finding.must else "yellow")
        cells = (finding.name, number(finding.value, finding.unit), spread(finding), aim(finding), verdict(finding))
        table.add_row(*cells, style=style)
    return table


def _parts(benchmark: Benchmark) -> Table:
    table = Table("timed", "this engine", "notebook way", "time ratio", "steps of the suite", title="images a second")
    for row in benchmark.table:
        table.add_row(
            row.part,
            f"{row.engine:,.0f}",
            "–" if row.notebook is None else f"{row.notebook:,.0f}",
            "–" if row.ratio is None else f"{number(row.ratio.value, 'ratio')} ({spread(row.ratio)})",
            f"{row.steps:,}",
        )
    return table


def _growth(benchmark: Benchmark) -> Table:
    table = Table("runs", *(f"{phase}, s" for phase in PHASES), "whole report, s", "memory, MB", "HTML, MB")
    for size, values in growth_rows(benchmark.growth):
        table.add_row(f"{size:,}", *(f"{value:.2f}" for value in values))
    return table
