"""Accuracy against what it costs: parameters, multiply-accumulates and, where they were measured, seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.results import ParetoFront, ParetoPoint, Results
from cifar_report.report.figures import axis, style, words
from cifar_report.report.figures.drawn import Cell, DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

PANEL_HEIGHT: Final = 150.0  # points
TITLE_WIDTH: Final = 132.0  # of an axis's title
BELOW: Final = 27.0  # for the numbers on the axis
TITLE_LINE: Final = 11.0
KEY_LINE: Final = 10.5
BESIDE: Final = (  # points
    (-5.5, 5.5), (6.0, -6.0), (-6.0, -5.5), (6.5, 6.0), (-14.0, 0.0), (14.0, 0.0), (-6.0, 14.0), (7.0, -14.0),
)  # fmt: skip
AXES: Final = {
    "parameters": mark("Parameters"),
    "macs": mark("Multiply-accumulates per image"),
    "seconds": mark("Seconds per epoch"),
}


def draw_costs(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw one panel for each cost that is known, with the trials on a front numbered; None when there is none."""
    fronts = [front for front in results.pareto if _known(front)]
    if not fronts:
        return None
    on_front = {point.trial for front in fronts for point in front.points if point.on_front}
    key = {result.id: place for place, result in enumerate((r for r in results.trials if r.id in on_front), start=1)}
    titles = [
        f"{place}  {words.trial_name(results.trial(trial_id).trial, translate)}" for trial_id, place in key.items()
    ]
    lines = -(-len(titles) // 3)
    title_lines = max(_axis_title(front, translate).count("\n") + 1 for front in fronts)
    key_top = PANEL_HEIGHT + BELOW + title_lines * TITLE_LINE
    height = key_top + 18 + lines * KEY_LINE
    with style.drawing():
        figure = style.sheet(height)
        row = style.panels(figure, len(fronts), top=6, height=PANEL_HEIGHT, gap=20)
        for place, (axes, front) in enumerate(zip(row, fronts, strict=True)):
            _draw_front(axes, front, translate)
            axes.tick_params(axis="y", labelleft=place == 0)
        low, high = min(axes.get_ylim()[0] for axes in row), max(axes.get_ylim()[1] for axes in row)
        for axes, front in zip(row, fronts, strict=True):
            axes.set_ylim(low, high)
            _name_points(axes, front, key)
        row[0].set_ylabel(translate.gettext("Test accuracy (%)"))
        for place, title in enumerate(titles):
            column, line = divmod(place, lines)
            across, down = (34 + column * 142) / style.WIDTH, 1 - (key_top + 6 + line * KEY_LINE) / height
            figure.text(across, down, style.shortened(title, 138, style.SMALL), fontsize=style.SMALL)
        style.legend_below(figure, _legend(translate), columns=2)
        svg = to_svg(figure, "costs")
    return DrawnFigure(
        id="costs",
        svg=svg,
        width_points=style.WIDTH,
        height_points=height,
        alt=" ".join(_finding(front, results, translate) for front in fronts),
        caption=translate.plain(
            mark(
                "Mean test accuracy against cost. Trials on the line have a higher mean than every other one that costs"
                " no more; numbers name them."
            )
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(front, point, results, translate) for front in fronts for point in front.points),
        group="overview",
    )


def _axis_title(front: ParetoFront, translate: Translation) -> str:
    return style.wrapped(translate.gettext(AXES[front.cost]), TITLE_WIDTH)


def _known(front: ParetoFront) -> bool:
    return any(_place(point) is not None for point in front.points)


def _place(point: ParetoPoint) -> tuple[float, float] | None:
    """Return cost and accuracy where both are known and the cost fits a logarithmic axis."""
    cost, accuracy = point.cost.value, point.accuracy.value
    return None if cost is None or accuracy is None or cost <= 0 else (cost, 100 * accuracy)


def _draw_front(axes: Axes, front: ParetoFront, translate: Translation) -> None:
    axes.set_xscale("log")
    others = [place for point in front.points if not point.on_front and (place := _place(point))]
    line = sorted(place for point in front.points if point.on_front and (place := _place(point)))
    axes.plot(
        *_columns(others), marker="o", markersize=3.2, markerfacecolor="white", color=style.GREY, linestyle="none"
    )
    axes.plot(*_columns(line), marker="o", markersize=4.2, color=style.BLUE, linewidth=1, drawstyle="steps-post")
    axes.margins(0.1)
    axes.grid(True)
    axes.set_xlabel(_axis_title(front, translate))
    axis.local_axis(axes.yaxis, translate)
    axis.magnitudes(axes.xaxis, translate)


def _name_points(axes: Axes, front: ParetoFront, key: dict[str, int]) -> None:
    """Write each number of the front beside its point, at the first place where no other number stands."""
    taken: list[tuple[float, float]] = []
    for point in front.points:
        place = _place(point)
        if not point.on_front or place is None:
            continue
        across, down = (pixels * style.POINTS_PER_INCH / axes.figure.dpi for pixels in axes.transData.transform(place))
        spots = [(across + shift, down + rise) for shift, rise in BESIDE]
        free = next((spot for spot in spots if all(_apart(spot, other) for other in taken)), spots[0])
        taken.append(free)
        offset = (free[0] - across, free[1] - down)
        axes.annotate(
            str(key[point.trial]),
            place,
            xytext=offset,
            textcoords="offset points",
            ha="center",
            va="center",
            fontsize=style.SMALL,
        )


def _apart(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return abs(one[0] - other[0]) > 8 or abs(one[1] - other[1]) > 7


def _columns(places: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [cost for cost, _ in places], [accuracy for _, accuracy in places]


def _legend(translate: Translation) -> list[Line2D]:
    _ = translate.gettext
    return [
        Line2D([], [], marker="o", markersize=4.2, color=style.BLUE, linewidth=1, label=_("On the front")),
        Line2D(
            [],
            [],
            marker="o",
            markersize=3.2,
            markerfacecolor="white",
            color=style.GREY,
            linestyle="none",
            label=_("Behind it"),
        ),
    ]


def _finding(front: ParetoFront, results: Results, translate: Translation) -> str:
    names = [words.trial_name(results.trial(point.trial).trial, translate) for point in front.points if point.on_front]
    return translate.plain(
        mark("%(cost)s: a higher mean accuracy than every other one that costs no more have %(trials)s."),
        {"cost": translate.gettext(AXES[front.cost]), "trials": Numbers(translate).enumeration(names)},
    )


COLUMNS: Final = (mark("Cost"), mark("Trial"), mark("Amount"), mark("Test accuracy"), mark("On the front"))


def _row(front: ParetoFront, point: ParetoPoint, results: Results, translate: Translation) -> tuple[Cell, ...]:
    _ = translate.gettext
    title = words.trial_name(results.trial(point.trial).trial, translate)
    answer = _("yes") if point.on_front else _("no")
    return (_(AXES[front.cost]), title, point.cost.value, point.accuracy.value, answer)
