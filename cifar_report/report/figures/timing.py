"""The exclusive timing pass: how long a training step of each network takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cifar_report.analysis.results import Datum, Results, TimingRow
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.rows import finish, row_plot
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers


def draw_timing(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the time of one training step of every network in the timing pass; None without a pass."""
    rows = [
        (row, row.seconds_per_step)
        for row in results.timing
        if row.seconds_per_step is not None and row.seconds_per_step.value is not None
    ]
    if not rows:
        return None
    names = [words.trial_name(results.trial(row.trial).trial, translate) for row, _ in rows]
    numbers = Numbers(translate)
    with style.drawing():
        plot = row_plot(names, names_width=150)
        for place, (row, seconds) in zip(plot.places, rows, strict=True):
            _draw_bar(plot.axes, place, row, seconds)
        finish(plot, translate.gettext("Time of one training step (ms)"), translate)
        style.legend_below(plot.figure, _bar_legend([row for row, _ in rows], translate), columns=3)
        svg = to_svg(plot.figure, "timing")
    slowest = max(range(len(rows)), key=lambda place: rows[place][1].value or 0.0)
    fastest = min(range(len(rows)), key=lambda place: rows[place][1].value or 0.0)
    return DrawnFigure(
        id="timing",
        svg=svg,
        width_points=style.WIDTH,
        height_points=plot.height,
        alt=translate.plain(
            mark("A training step takes longest for %(slow)s (%(most)s) and shortest for %(fast)s (%(least)s)."),
            {
                "slow": names[slowest],
                "most": numbers.quantity(rows[slowest][1]),
                "fast": names[fastest],
                "least": numbers.quantity(rows[fastest][1]),
            },
        ),
        caption=translate.plain(
            mark(
                "Time of one training step, measured alone on the machine, with its 95%% interval over the blocks; "
                "those that other work disturbed are left out, unless there are no others."
            )
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(
            (name, row.replicas, seconds.value, seconds.low, seconds.high, row.blocks, row.contended)
            for name, (row, seconds) in zip(names, rows, strict=True)
        ),
        group="timing",
    )


COLUMNS: Final = (
    mark("Trial"),
    mark("Replicas"),
    mark("Seconds per step"),
    mark("Low"),
    mark("High"),
    mark("Blocks"),
    mark("Disturbed blocks"),
)


def _draw_bar(axes: Axes, place: float, row: TimingRow, seconds: Datum) -> None:
    look = _bar(row)
    axes.barh(place, 1000 * (seconds.value or 0.0), height=8, **look)
    if seconds.low is not None and seconds.high is not None:
        axes.plot((1000 * seconds.low, 1000 * seconds.high), (place, place), color=style.BLACK, linewidth=0.9)


def _bar(row: TimingRow) -> dict[str, Any]:
    """Return a bar's look: hatched on several replicas, pale where every block stayed disturbed."""
    return {
        "facecolor": "#d6ecf8" if _disturbed(row) else style.SKY,
        "edgecolor": style.BLACK,
        "linewidth": 0.5,
        "hatch": "/////" if row.replicas > 1 else None,
    }


def _disturbed(row: TimingRow) -> bool:
    return row.contended == row.blocks


def _bar_legend(rows: Sequence[TimingRow], translate: Translation) -> list[Patch]:
    _ = translate.gettext
    kinds = {(row.replicas > 1, _disturbed(row)): row for row in rows}
    texts = {
        (False, False): _("One device"),
        (True, False): _("Several devices"),
        (False, True): _("One device, disturbed"),
        (True, True): _("Several devices, disturbed"),
    }
    return [Patch(**_bar(kinds[kind]), label=texts[kind]) for kind in sorted(kinds)]
