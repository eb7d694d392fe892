"""What more replicas bring: images per second of the parallel variants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.results import Datum, Results
from cifar_report.report.figures import axis, style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

HEIGHT: Final = 166.0  # points
MEASURED: Final[dict[str, Any]] = {"color": style.BLUE, "marker": "o", "markersize": 4.2, "linewidth": 1.2}
PERFECT: Final[dict[str, Any]] = {"color": style.BLACK, "linestyle": style.DASHED, "linewidth": 0.7}


@dataclass(frozen=True)
class _Scaling:
    """One recipe by its number of replicas."""

    name: str
    points: tuple[tuple[int, Datum], ...]


def draw_scaling(experiment: str, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw images per second by replicas for the experiment's parallel trials; None without a timing pass."""
    scalings = _scalings(experiment, results, translate)
    if not scalings:
        return None
    figure_id = f"scaling.{experiment}"
    with style.drawing():
        figure = style.sheet(HEIGHT)
        row = style.panels(figure, max(2, len(scalings)), top=18, height=100, left=48, gap=54)
        for axes, scaling in zip(row, scalings, strict=False):
            _draw_panel(axes, scaling, translate)
        for axes in row[len(scalings) :]:
            axes.set_axis_off()
        row[0].set_ylabel(translate.gettext("Images per second"))
        style.legend_below(figure, _legend(translate), columns=2)
        svg = to_svg(figure, figure_id)
    return DrawnFigure(
        id=figure_id,
        svg=svg,
        width_points=style.WIDTH,
        height_points=HEIGHT,
        alt=" ".join(_finding(scaling, translate) for scaling in scalings),
        caption=translate.plain(
            mark("Images per second of training by the number of replicas; dashed lines are perfect scaling.")
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(
            (scaling.name, replicas, datum.value, datum.low, datum.high)
            for scaling in scalings
            for replicas, datum in scaling.points
        ),
        group=experiment,
    )


COLUMNS: Final = (mark("Trial"), mark("Replicas"), mark("Images per second"), mark("Low"), mark("High"))


def _scalings(experiment: str, results: Results, translate: Translation) -> list[_Scaling]:
    """Return each parallel trial of the experiment together with the trial that it is compared with."""
    found = []
    for result in results.trials:
        partner = result.trial.as_written
        if result.experiment != experiment or partner is None:
            continue
        points = tuple(
            (row.replicas, row.images_per_second)
            for row in results.timing
            if row.trial in (partner, result.id)
            and row.images_per_second is not None
            and row.images_per_second.value is not None
        )
        if len({replicas for replicas, _ in points}) > 1:
            found.append(_Scaling(words.trial_name(result.trial, translate), tuple(sorted(points, key=lambda p: p[0]))))
    return found


def _draw_panel(axes: Axes, scaling: _Scaling, translate: Translation) -> None:
    replicas = [count for count, _ in scaling.points]
    values = [datum.value or 0.0 for _, datum in scaling.points]
    axes.plot(replicas, [values[0] * count / replicas[0] for count in replicas], **PERFECT)
    axes.plot(replicas, values, **MEASURED)
    for count, datum in scaling.points:
        if datum.low is not None and datum.high is not None:
            axes.plot((count, count), (datum.low, datum.high), color=style.BLUE, linewidth=0.9)
    axes.set_title(style.shortened(scaling.name, 180))
    axes.set_ylim(bottom=0)
    axes.set_xticks(sorted(set(replicas)))
    axes.margins(x=0.2)
    axes.grid(True, axis="y")
    axes.set_xlabel(translate.gettext("Replicas"))
    axis.local_axis(axes.xaxis, translate)
    axis.local_axis(axes.yaxis, translate)


def _legend(translate: Translation) -> list[Line2D]:
    _ = translate.gettext
    return [
        Line2D([], [], label=translate.plain(mark("Measured, with 95%% interval")), **MEASURED),
        Line2D([], [], label=_("Perfect scaling"), **PERFECT),
    ]


def _finding(scaling: _Scaling, translate: Translation) -> str:
    numbers = Numbers(translate)
    (few, slow), (many, fast) = scaling.points[0], scaling.points[-1]
    return translate.plain(
        mark("%(trial)s: %(slow)s on %(few)s and %(fast)s on %(many)s replicas."),
        {
            "trial": scaling.name,
            "slow": numbers.quantity(slow),
            "few": numbers.integer(few),
            "fast": numbers.quantity(fast),
            "many": numbers.integer(many),
        },
    )
