"""How often the method gives which verdict, by the size of the true difference: one panel for each number of seeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.calibration_records import Calibration, CurvePoint
from cifar_report.report import names
from cifar_report.report.figures import axis, style, words
from cifar_report.report.figures.drawn import ERROR_RATES as GROUP
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark

HEIGHT: Final = 176.0  # points
Drawn = Literal["reproduced", "not_reproduced", "inconclusive"]
LINES: Final[dict[Drawn, dict[str, Any]]] = {
    "reproduced": {"color": style.BLUE, "marker": "o", "markersize": 3.4, "linewidth": 1.3},
    "not_reproduced": {"color": style.VERMILLION, "marker": "s", "markersize": 3.0, "linestyle": style.DASHED},
    "inconclusive": {"color": style.GREY, "marker": "^", "markersize": 3.2, "linestyle": style.DOTTED},
}
COLUMNS: Final = (mark("Seeds"), mark("True difference, in margins"))


def draw_error_rates(calibration: Calibration, translate: Translation) -> DrawnFigure | None:
    """Draw the curves of one claim that stands alone; None when the calibration holds none."""
    counts = sorted({point.seeds for point in calibration.curves})
    if not counts:
        return None
    points = {count: [point for point in calibration.curves if point.seeds == count] for count in counts}
    figure_id = "error_rates"
    with style.drawing():
        figure = style.sheet(HEIGHT)
        row = style.panels(figure, len(counts), top=18, height=112, left=40, gap=16)
        for place, (axes, count) in enumerate(zip(row, counts, strict=True)):
            _draw_panel(axes, points[count], words.seeds(count, translate), translate)
            axes.tick_params(axis="y", labelleft=place == 0)
        row[0].set_ylabel(translate.gettext("Share of draws (%)"))
        row[len(row) // 2].set_xlabel(translate.gettext(COLUMNS[1]))
        style.legend_below(figure, _legend(translate), columns=3)
        svg = to_svg(figure, figure_id)
    return DrawnFigure(
        id=figure_id,
        svg=svg,
        width_points=style.WIDTH,
        height_points=HEIGHT,
        alt=" ".join(_finding(points[count], translate) for count in counts),
        caption=translate.plain(
            mark(
                "How often a claim that a value is higher by the margin gets which verdict, by the size of the true"
                " difference; simulated, one claim that stands alone. The vertical line marks a true difference of the"
                " margin."
            )
        ),
        columns=(*map(translate.gettext, COLUMNS), *(translate.gettext(names.OUTCOMES[name]) for name in LINES)),
        rows=tuple(
            (point.seeds, point.effect, *(getattr(point, name) for name in LINES)) for point in calibration.curves
        ),
        group=GROUP,
    )


def _draw_panel(axes: Axes, points: Sequence[CurvePoint], title: str, translate: Translation) -> None:
    effects = [point.effect for point in points]
    for name, look in LINES.items():
        axes.plot(effects, [100 * getattr(point, name) for point in points], clip_on=False, **look)
    axes.axvline(1, color=style.GREY, linewidth=0.6)
    axes.set_title(title)
    axes.set_ylim(0, 100)
    axes.set_xticks(sorted({round(effect) for effect in effects}))
    axes.grid(True, axis="y")
    axis.local_axis(axes.xaxis, translate)
    axis.local_axis(axes.yaxis, translate)


def _legend(translate: Translation) -> list[Line2D]:
    return [Line2D([], [], label=translate.gettext(names.OUTCOMES[name]), **look) for name, look in LINES.items()]


def _finding(points: Sequence[CurvePoint], translate: Translation) -> str:
    first, last = points[0], points[-1]
    return translate.plain(
        mark(
            "%(seeds)s: “reproduced” in %(least)s of the draws where the recipes are equally good and in %(most)s at"
            " the largest true difference."
        ),
        {
            "seeds": words.seeds(first.seeds, translate),
            "least": words.share(first.reproduced, translate),
            "most": words.share(last.reproduced, translate),
        },
    )
