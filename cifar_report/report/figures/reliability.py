"""Reliability diagrams: a network that says 80 % should get four out of five right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cifar_report.analysis.results import ReliabilityBin
from cifar_report.report.figures import axis, style
from cifar_report.report.figures.drawn import Cell, DrawnFigure
from cifar_report.report.figures.showcase import Shown
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

HEIGHT: Final = 216.0  # points
SIDE: Final = 150.0
STEP: Final = SIDE + 62.0


def draw_reliability(shown: Sequence[Shown], translate: Translation) -> DrawnFigure | None:
    """Draw the bins of the shown networks side by side; None when there is none with probabilities."""
    shown = [each for each in shown if each.metrics.reliability][:2]
    if not shown:
        return None
    with style.drawing():
        figure = style.sheet(HEIGHT)
        left = (style.WIDTH - len(shown) * STEP + STEP - SIDE) / 2
        for place, each in enumerate(shown):
            axes = style.panel(figure, left + place * STEP, 18, SIDE, SIDE)
            _draw_panel(axes, each.metrics.reliability, translate)
            axes.set_title(each.title(translate))
            if place == 0:
                axes.set_ylabel(translate.gettext("Right answers (%)"))
        style.legend_below(figure, _legend(translate), columns=3)
        svg = to_svg(figure, "reliability")
    return DrawnFigure(
        id="reliability",
        svg=svg,
        width_points=style.WIDTH,
        height_points=HEIGHT,
        alt=" ".join(_finding(each, translate) for each in shown),
        caption=translate.plain(
            mark(
                "Reliability on the test images: the share of right answers against the probability that the network"
                " gave them, in 15 bins; on the diagonal it is as sure as it should be. Grey bars are the share of"
                " images in a bin."
            )
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(each, part, translate) for each in shown for part in each.metrics.reliability),
        group="calibration",
    )


def _draw_panel(axes: Axes, bins: Sequence[ReliabilityBin], translate: Translation) -> None:
    total = sum(part.count for part in bins) or 1
    for part in bins:
        if part.count:
            width = 100 * (part.high - part.low)
            height = 100 * part.count / total
            axes.bar(100 * part.low, height, width, align="edge", color=style.PALE, edgecolor="#b5b5b5", linewidth=0.4)
    axes.plot((0, 100), (0, 100), color=style.BLACK, linestyle=style.DASHED, linewidth=0.8)
    filled = [part for part in bins if part.confidence is not None and part.accuracy is not None]
    axes.plot(
        [100 * (part.confidence or 0.0) for part in filled],
        [100 * (part.accuracy or 0.0) for part in filled],
        color=style.BLUE,
        marker="o",
        markersize=3.4,
        linewidth=1.1,
    )
    axes.set(xlim=(0, 100), ylim=(0, 100))
    axes.grid(True)
    axes.set_xlabel(translate.gettext("Probability of the answer (%)"))
    axis.local_axis(axes.xaxis, translate)
    axis.local_axis(axes.yaxis, translate)


def _legend(translate: Translation) -> list[Line2D | Patch]:
    _ = translate.gettext
    return [
        Line2D([], [], color=style.BLUE, marker="o", markersize=3.4, linewidth=1.1, label=_("Right answers")),
        Line2D([], [], color=style.BLACK, linestyle=style.DASHED, linewidth=0.8, label=_("As sure as right")),
        Patch(facecolor=style.PALE, edgecolor="#b5b5b5", linewidth=0.4, label=_("Share of images")),
    ]


def _finding(each: Shown, translate: Translation) -> str:
    error = each.metrics.calibration_error
    values = {"trial": each.title(translate), "error": "" if error is None else Numbers(translate).number(error.datum)}
    if error is None:
        return translate.plain(mark("%(trial)s: the calibration error is not known."), values)
    return translate.plain(
        mark("%(trial)s: right answers and stated probabilities differ by %(error)s on average (calibration error)."),
        values,
    )


COLUMNS: Final = (
    mark("Training"),
    mark("From"),
    mark("To"),
    mark("Images"),
    mark("Mean probability"),
    mark("Share of right answers"),
)


def _row(each: Shown, part: ReliabilityBin, translate: Translation) -> tuple[Cell, ...]:
    return (each.title(translate), part.low, part.high, part.count, part.confidence, part.accuracy)
