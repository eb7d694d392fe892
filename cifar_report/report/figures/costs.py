"""What networks cost: accuracy against parameters, operations and seconds; the timing pass; more replicas."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from matplotlib.axes import Axes

from cifar_report.analysis.results import ParetoFront, ParetoPoint, Results
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation, mark

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
FRONT: Final[Look] = {"marker": "o", "ms": 4.2, "color": style.BLUE, "lw": 1}
BEHIND: Final[Look] = {"marker": "o", "ms": 3.2, "mfc": "white", "color": style.GREY, "ls": "none"}


@style.in_style()
def draw_costs(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw one panel for each cost that is known, with the trials on a front numbered; None when there is none."""
    fronts = [front for front in results.pareto if any(map(_place, front.points))]
    if not fronts:
        return None
    on_front = {point.trial for front in fronts for point in front.points if point.on_front}
    key = {result.id: place for place, result in enumerate((r for r in results.trials if r.id in on_front), start=1)}
    labels = [style.wrapped(translate.gettext(AXES[front.cost]), TITLE_WIDTH) for front in fronts]
    key_top = PANEL_HEIGHT + BELOW + max(label.count("\n") + 1 for label in labels) * TITLE_LINE
    key_lines = -(-len(key) // 3)
    height = key_top + 18 + key_lines * KEY_LINE
    figure = style.sheet(height)
    row = style.panels(figure, len(fronts), 6, PANEL_HEIGHT, translate, gap=20)
    for axes, front, label in zip(row, fronts, labels, strict=True):
        _draw_front(axes, front, translate)
        axes.set_xlabel(label)
        axes.tick_params(axis="y", labelleft=axes is row[0])
    low, high = min(axes.get_ylim()[0] for axes in row), max(axes.get_ylim()[1] for axes in row)
    for axes, front in zip(row, fronts, strict=True):
        axes.set_ylim(low, high)
        _number_points(axes, front, key)
    _ = translate.gettext
    row[0].set_ylabel(_("Test accuracy (%)"))
    for place, (trial_id, number) in enumerate(key.items()):
        column, line = divmod(place, key_lines)
        title = f"{number}  {trial_name(results.trial(trial_id).trial, translate)}"
        across, down = (34 + column * 150) / style.WIDTH, 1 - (key_top + 6 + line * KEY_LINE) / height
        figure.text(across, down, style.shortened(title, 146, style.SMALL), fontsize=style.SMALL)
    style.legend_below(figure, {_("On the front"): FRONT, _("Behind it"): BEHIND}, 2)
    titles, answers = {each.id: trial_name(each.trial, translate) for each in results.trials}, (_("no"), _("yes"))
    rows: list[tuple[Cell, ...]] = [
        (_(AXES[front.cost]), titles[each.trial], each.cost.value, each.accuracy.value, answers[each.on_front])
        for front in fronts
        for each in front.points
    ]
    alt, caption = " ".join(_front_finding(front, results, translate) for front in fronts), translate.plain(SAY.costs)
    columns = translate.columns("Cost | Trial | Amount | Test accuracy | On the front")
    return style.finished(figure, "costs", "overview", alt=alt, caption=caption, columns=columns, rows=rows)


def _place(point: ParetoPoint) -> tuple[float, float] | None:
    """Return cost and accuracy where both are known and the cost fits a logarithmic axis."""
    cost, accuracy = point.cost.value, point.accuracy.value
    return None if cost is None or accuracy is None or cost <= 0 else (cost, 100 * accuracy)


def _draw_front(axes: Axes, front: ParetoFront, translate: Translation) -> None:
    axes.set_xscale("log")
    others = [place for point in front.points if not point.on_front and (place := _place(point))]
    line = sorted(place for point in front.points if point.on_front and (place := _place(point)))
    axes.plot([cost for cost, _ in others], [accuracy for _, accuracy in others], **BEHIND)
    axes.plot([cost for cost, _ in line], [accuracy for _, accuracy in line], **FRONT, drawstyle="steps-post")
    axes.margins(0.1)
    axes.grid(True)
    style.log_axis(axes.xaxis, translate, most=5)


def _number_points(axes: Axes, front: ParetoFront, key: Mapping[str, int]) -> None:
    """Write each number of the front beside its point, at the first place where no other number stands."""
    taken: list[tuple[float, float]] = []
    look: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center", "fontsize": style.SMALL}
    to_points = style.POINTS_PER_INCH / axes.figure.dpi
    for point in front.points:
        place = _place(point)
        if not point.on_front or place is None:
            continue
        across, up = axes.transData.transform(place) * to_points
        spots = [
            (right, rise)
            for right, rise in BESIDE
            if all(abs(across + right - x) > 8 or abs(up + rise - y) > 7 for x, y in taken)
        ]
        right, rise = spots[0] if spots else BESIDE[0]
        taken.append((across + right, up + rise))
        axes.annotate(str(key[point.trial]), place, xytext=(right, rise), **look)


def _front_finding(front: ParetoFront, results: Results, translate: Translation) -> str:
    names = [trial_name(results.trial(point.trial).trial, translate) for point in front.points if point.on_front]
    trials = translate.numbers.enumeration(names)
    return translate.plain(SAY.costs_alt, {"cost": translate.gettext(AXES[front.cost]), "trials": trials})
