"""The frame of all figures with one named row per trial or claim: names at the left, one axis at the bottom."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_report.report.figures import axis, style
from cifar_report.report.i18n import Translation

LINE: Final = 9.2  # points from one line of a name to the next
GAP: Final = 4.0  # points between two rows
BELOW: Final = 32.0  # points for the axis and its title
LEGEND_LINE: Final = 13.0
PREDICTION: Final[dict[str, Any]] = {"color": style.BLUE, "linewidth": 1.3}
OURS: Final[dict[str, Any]] = {"marker": "o", "markersize": 4.4, "color": style.BLUE, "linestyle": "none"}
SEEDS: Final[dict[str, Any]] = {
    "marker": "|",
    "markersize": 5,
    "markeredgewidth": 0.6,
    "color": style.BLACK,
    "linestyle": "none",
    "alpha": 0.7,
}
ORIGINAL: Final[dict[str, Any]] = {
    "marker": "D",
    "markersize": 4.4,
    "markerfacecolor": "white",
    "markeredgecolor": style.VERMILLION,
    "markeredgewidth": 1.1,
    "linestyle": "none",
}


@dataclass(frozen=True)
class RowPlot:
    """An empty figure with named rows; ``places`` are the rows' heights on the axes, in points from the top."""

    figure: Figure
    axes: Axes
    places: tuple[float, ...]
    height: float  # of the whole figure, points


def row_plot(
    names: Sequence[str], *, codes: Sequence[str] = (), legend_lines: int = 1, names_width: float = 190
) -> RowPlot:
    """Return a figure with one row per name; call it inside ``drawing()``.

    ``names_width`` is the column left of the axes, in points; ``codes`` stand at its left edge.
    """
    codes_width = 8 + max((style.text_width(code, style.SMALL) for code in codes), default=0)
    texts = [style.wrapped(name, names_width - codes_width, style.SMALL) for name in names]
    sizes = [LINE * (text.count("\n") + 1) + GAP for text in texts]
    rows_height = sum(sizes)
    height = 4 + rows_height + BELOW + legend_lines * LEGEND_LINE
    figure = style.sheet(height)
    axes = style.panel(figure, names_width, 4, style.WIDTH - names_width - 6, rows_height)
    places, top = [], 0.0
    for place, size in enumerate(sizes):
        if place % 2 == 0:
            axes.axhspan(top, top + size, color="#f5f5f5", linewidth=0, zorder=0)
        places.append(top + size / 2)
        top += size
    axes.set_ylim(rows_height, 0)
    axes.set_yticks(places, texts, fontsize=style.SMALL)
    axes.tick_params(axis="y", length=0, pad=4)
    for middle, code in zip(places, codes, strict=False):
        figure.text(0, 1 - (4 + middle) / height, code, va="center_baseline", fontsize=style.SMALL)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    return RowPlot(figure, axes, tuple(places), height)


def finish(plot: RowPlot, label: str, translate: Translation) -> None:
    """Write the axis's numbers and title."""
    plot.axes.set_xlabel(label)
    axis.local_axis(plot.axes.xaxis, translate)
