"""The measured part of the document: every number of the last measurements as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median

from cifar_report.benchmark.growth import PHASES, GrowthPoint
from cifar_report.benchmark.results import Benchmark, Finding, TableRow, Unit


def document(suite: Benchmark | None, growth: Benchmark | None) -> str:
    """Return the Markdown of both measurements; one that was never made is said to be missing."""
    parts = [_suite(suite) if suite else "The suite has not been measured yet.\n"]
    parts.append(_growth(growth) if growth else "Growth has not been measured yet.\n")
    return "\n".join(parts)


def number(value: float, unit: Unit) -> str:
    """Return a value with its unit, rounded as its spread deserves."""
    match unit:
        case "share":
            return f"{value * 100:.1f} %"
        case "bytes":
            return f"{value / 1e6:,.0f} MB"
        case "seconds":
            return f"{value / 3600:.1f} h" if value >= 3600 else f"{value:.1f} s"
        case "ratio" | "factor" | "exponent":
            return f"{value:.3f}"


def spread(finding: Finding) -> str:
    """Return the least and the largest value."""
    return f"{number(finding.least, finding.unit)} – {number(finding.largest, finding.unit)}"


def aim(finding: Finding) -> str:
    """Return the aim, and whether it is a must."""
    if finding.limit is None:
        return "–"
    sign = "≥" if finding.more else "≤"
    return f"{sign} {number(finding.limit, finding.unit)}{' (must)' if finding.must else ''}"


def verdict(finding: Finding) -> str:
    """Return whether the aim is met."""
    if finding.limit is None:
        return "–"
    return "yes" if finding.met else "no"


def machine(benchmark: Benchmark) -> str:
    """Return date, machine and versions in one paragraph."""
    environment = benchmark.environment
    names = ("tensorflow", "keras", "numpy")
    versions = ", ".join(f"{name} {environment.packages[name]}" for name in names if name in environment.packages)
    return (
        f"Measured {benchmark.date} on {environment.processor}, {environment.cores} cores, "
        f"{environment.memory_bytes / 2**30:.0f} GiB, {environment.platform}, Python {environment.python}, {versions}."
    )


def _suite(benchmark: Benchmark) -> str:
    blocks = len(benchmark.machine)
    lines = ["### The suite\n", machine(benchmark), ""]
    lines += [f"{blocks} interleaved blocks; the median of the blocks, the least and the largest of them:\n"]
    lines += _findings(benchmark.findings)
    lines += ["", "Images a second in training, and what each timed part stands for in the full suite:\n"]
    lines += _table(benchmark.table)
    peaks = [f"{block.peak_one / 1e9:.0f} and {block.peak_all / 1e9:.0f}" for block in benchmark.machine]
    lines += ["", f"Matrix-product peak of one core and of all, GFLOP/s, by block: {', '.join(peaks)}.", ""]
    if benchmark.costs is not None:
        costs = benchmark.costs
        fixed = f"{costs.run:.2f} s a run, {costs.epoch:.3f} s an epoch, {costs.gap:.2f} s until the worker's next run"
        lines += [f"Fixed costs, from {costs.runs} runs: {fixed}.", ""]
    lines += [f"Skipped: {way} ({reason}).\n" for way, reason in sorted(benchmark.missing.items())]
    return "\n".join(lines)


def _growth(benchmark: Benchmark) -> str:
    lines = ["### Growth\n", machine(benchmark), ""]
    rows = [
        (f"{size:,}", *(f"{value:.2f}" for value in values[:-2]), f"{values[-2]:,.0f}", f"{values[-1]:.1f}")
        for size, values in growth_rows(benchmark.growth)
    ]
    lines += markdown(("runs", *(f"{phase}, s" for phase in PHASES), "whole report, s", "memory, MB", "HTML, MB"), rows)
    lines += ["", "![Time and memory against the number of runs](growth.svg)", ""]
    lines += _findings(benchmark.findings)
    return "\n".join(lines) + "\n"


def growth_rows(points: Sequence[GrowthPoint]) -> list[tuple[int, list[float]]]:
    """Return for each size the medians: seconds of each phase, of the whole, megabytes of memory and of HTML."""
    rows = []
    for size in sorted({point.runs for point in points}):
        same = [point for point in points if point.runs == size]
        values = [median(point.seconds[phase] for point in same) for phase in PHASES]
        values += [median(point.total for point in same), median(point.peak_memory for point in same) / 1e6]
        rows.append((size, [*values, median(point.html_bytes for point in same) / 1e6]))
    return rows


def _findings(findings: Iterable[Finding]) -> list[str]:
    rows = [(each.name, number(each.value, each.unit), spread(each), aim(each), verdict(each)) for each in findings]
    return markdown(("measure", "median", "spread", "aim", "met"), rows)


def _table(table: Iterable[TableRow]) -> list[str]:
    rows = [
        (
            each.part,
            f"{each.engine:,.0f}",
            "–" if each.notebook is None else f"{each.notebook:,.0f}",
            "–" if each.ratio is None else f"{number(each.ratio.value, 'ratio')} ({spread(each.ratio)})",
            f"{each.steps:,}",
            f"{each.slice_steps:,}",
            ", ".join(each.stands_for),
        )
        for each in table
    ]
    heads = ("timed", "this engine", "notebook way", "time ratio", "steps of the suite", "steps timed", "stands for")
    return markdown(heads, rows)


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the lines of a table."""
    lines = [heads, ["---"] * len(heads), *rows]
    return [f"| {' | '.join(cells)} |" for cells in lines]
