"""Accuracies as points: the mean with its interval, every seed, and the original's value beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.results import Measure
from cifar_report.report.figures import axis, style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.rows import ORIGINAL, OURS, SEEDS, finish, row_plot
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.figures.thinning import spread
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

HEIGHT: Final = 178.0  # points
WIDTH: Final = 370.0
INTERVAL: Final[dict[str, Any]] = {"color": style.BLUE, "linewidth": 1.3, "linestyle": "-"}


@dataclass(frozen=True)
class Point:
    """One accuracy and its name."""

    name: str
    measure: Measure

    @property
    def mean(self) -> float:
        """Return the mean; points without one are not drawn at all."""
        value = self.measure.datum.value
        if value is None:
            raise ValueError(f"the accuracy of {self.name!r} is not defined")
        return value

    @property
    def original(self) -> float | None:
        """Return the original's accuracy, where it published one."""
        return None if self.measure.original is None else self.measure.original.value


def by_number(figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation) -> DrawnFigure:
    """Draw points in a row, each over its name; ``label`` says what the names are."""
    with style.drawing():
        figure = style.sheet(HEIGHT, WIDTH)
        (axes,) = style.panels(figure, 1, top=6, height=124, left=40)
        for place, point in enumerate(points):
            _draw_point(axes, place, point.measure, upright=True)
        means = [100 * point.mean for point in points]
        axes.plot(range(len(points)), means, color=style.BLUE, linewidth=0.8, zorder=1)
        axes.set_xticks(range(len(points)), [style.wrapped(p.name, 220 / len(points), style.SMALL) for p in points])
        axes.set_xlim(-0.5, len(points) - 0.5)
        axes.grid(True, axis="y")
        axes.set_xlabel(label)
        axes.set_ylabel(translate.gettext("Test accuracy (%)"))
        axis.local_axis(axes.yaxis, translate)
        style.legend_below(figure, _legend(points, translate, upright=True), columns=3)
        svg = to_svg(figure, figure_id)
    return _drawn(figure_id, group, svg, (WIDTH, HEIGHT), points, label, translate)


def by_name(figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation) -> DrawnFigure:
    """Draw points below each other, each beside its name; ``label`` says what the names are."""
    with style.drawing():
        plot = row_plot([point.name for point in points], names_width=170)
        for place, point in zip(plot.places, points, strict=True):
            _draw_point(plot.axes, place, point.measure, upright=False)
        finish(plot, translate.gettext("Test accuracy (%)"), translate)
        style.legend_below(plot.figure, _legend(points, translate, upright=False), columns=3)
        svg = to_svg(plot.figure, figure_id)
    return _drawn(figure_id, group, svg, (style.WIDTH, plot.height), points, label, translate)


def _draw_point(axes: Axes, place: float, measure: Measure, *, upright: bool) -> None:
    def plot(values: Sequence[float], **look: Any) -> None:
        along, across = [100 * value for value in values], [place] * len(values)
        axes.plot(*((across, along) if upright else (along, across)), **look)

    datum = measure.datum
    if datum.low is not None and datum.high is not None:
        plot((datum.low, datum.high), **INTERVAL)
    if len(measure.values) > 1:
        plot(spread(measure.values), **(SEEDS | {"marker": "_" if upright else "|"}))
    if datum.value is not None:
        plot((datum.value,), **OURS)
    if measure.original is not None and measure.original.value is not None:
        plot((measure.original.value,), **ORIGINAL)


def _legend(points: Sequence[Point], translate: Translation, *, upright: bool) -> list[Line2D]:
    _ = translate.gettext
    handles = [Line2D([], [], label=translate.plain(mark("Mean with 95%% interval")), **(OURS | INTERVAL))]
    if any(len(point.measure.values) > 1 for point in points):
        handles.append(Line2D([], [], label=_("Single seeds"), **(SEEDS | {"marker": "_" if upright else "|"})))
    if any(point.original is not None for point in points):
        handles.append(Line2D([], [], label=_("Original"), **ORIGINAL))
    return handles


def _drawn(
    figure_id: str,
    group: str,
    svg: bytes,
    size: tuple[float, float],
    points: Sequence[Point],
    label: str,
    translate: Translation,
) -> DrawnFigure:
    return DrawnFigure(
        id=figure_id,
        svg=svg,
        width_points=size[0],
        height_points=size[1],
        alt=_alternative(label, points, translate),
        caption=_caption(label, points, translate),
        columns=(label, *map(translate.gettext, COLUMNS)),
        rows=tuple(
            (
                point.name,
                point.mean,
                point.measure.datum.low,
                point.measure.datum.high,
                len(point.measure.values),
                point.original,
            )
            for point in points
        ),
        group=group,
    )


def _caption(label: str, points: Sequence[Point], translate: Translation) -> str:
    seeds = mark("%(label)s: test accuracy, mean over the seeds with its 95%% interval.")
    images = mark(
        "%(label)s: test accuracy with its 95%% interval, over the seeds for networks and over the test images for"
        " classifiers without seeds."
    )
    # A classifier without seeds has one value and an interval all the same.
    seedless = any(point.measure.datum.n_of == "images" for point in points)
    caption = translate.plain(images if seedless else seeds, {"label": label})
    apart = any(point.original is not None and not words.held_against(point.measure) for point in points)
    return f"{caption} {translate.gettext(words.ORIGINAL_APART)}" if apart else caption


COLUMNS: Final = (mark("Test accuracy"), mark("Low"), mark("High"), mark("Seeds"), mark("Original"))


def _alternative(label: str, points: Sequence[Point], translate: Translation) -> str:
    numbers = Numbers(translate)
    best, worst = max(points, key=lambda point: point.mean), min(points, key=lambda point: point.mean)
    values = {
        "label": label,
        "best": best.name,
        "high": numbers.number(best.measure.datum),
        "worst": worst.name,
        "low": numbers.number(worst.measure.datum),
    }
    return translate.plain(
        mark("%(label)s: test accuracy is highest for %(best)s (%(high)s) and lowest for %(worst)s (%(low)s)."), values
    )
