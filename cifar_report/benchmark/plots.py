"""The curves of growth, as SVG and PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cifar_report.benchmark.growth import PHASES, GrowthPoint
from cifar_report.benchmark.words import growth_rows

LINES = ("-", "--", "-.", ":")


def draw_growth(points: Sequence[GrowthPoint], path: Path) -> list[Path]:
    """Draw seconds and memory against the number of runs, both axes logarithmic; return ``path`` and its PNG."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    rows = growth_rows(points)
    sizes = [size for size, _ in rows]
    with mpl.rc_context({"svg.hashsalt": "growth", "svg.fonttype": "path"}):
        figure = Figure(figsize=(8, 3.4), layout="constrained")
        time, memory = figure.subplots(1, 2)
        for place, (name, line) in enumerate(zip((*PHASES, "whole report"), LINES, strict=True)):
            time.loglog(sizes, [values[place] for _, values in rows], line, marker="o", label=name)
        memory.loglog(sizes, [values[-2] for _, values in rows], marker="o", color="black")
        time.set(xlabel="runs", ylabel="seconds")
        memory.set(xlabel="runs", ylabel="peak memory, MB")
        time.legend(frameon=False)
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, metadata={"Date": None})
        figure.savefig(path.with_suffix(".png"), dpi=150)
    return [path, path.with_suffix(".png")]
