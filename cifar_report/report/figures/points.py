"""Test accuracies as points: the mean with its interval, every seed, and the original's value beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from cifar_report.analysis.results import Measure, Results
from cifar_report.report.figures import style
from cifar_report.report.figures.base import ORIGINAL_APART, DrawnFigure, comparable, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Numbers, Translation, mark

LINE: Final = 9.2  # points from one line of a name to the next
GAP: Final = 4.0  # points between two rows
BELOW: Final = 32.0  # points for the axis and its title
LEGEND_LINE: Final = 13.0
INTERVAL: Final[Look] = {"color": style.BLUE, "lw": 1.3, "ls": "-"}
OURS: Final[Look] = {"color": style.BLUE, "marker": "o", "ms": 4.4, "ls": "none"}
SEEDS: Final[Look] = {"color": style.BLACK, "marker": "|", "ms": 5, "mew": 0.6, "ls": "none", "alpha": 0.7}
ORIGINAL: Final[Look] = {"marker": "D", "ms": 4.4, "mfc": "white", "mec": style.VERMILLION, "mew": 1.1, "ls": "none"}


@dataclass(frozen=True)
class RowPlot:
    """An empty figure with named rows; ``places`` are the rows' heights on the axes, in points from the top."""

    figure: Figure
    axes: Axes
    places: tuple[float, ...]

    def finish(self, label: str, lines: Mapping[str, Look], columns: int, patches: Sequence[Patch] = ()) -> None:
        """Write the axis's title and the legend."""
        self.axes.set_xlabel(label)
        style.legend_below(self.figure, lines, columns, patches)


def row_plot(
    names: Sequence[str],
    names_width: float,
    translate: Translation,
    *,
    codes: Sequence[str] = (),
    legend_lines: int = 1,
) -> RowPlot:
    """Return a figure with one named row per trial or claim and one axis at the bottom.

    ``names_width`` is the column left of the axes, in points; ``codes`` stand at its left edge.
    """
    codes_width = 8 + max((style.text_width(code, style.SMALL) for code in codes), default=0)
    texts = [style.wrapped(name, names_width - codes_width, style.SMALL) for name in names]
    sizes = [LINE * (text.count("\n") + 1) + GAP for text in texts]
    height = 4 + sum(sizes) + BELOW + legend_lines * LEGEND_LINE
    figure = style.sheet(height)
    axes = style.panel(figure, names_width, 4, style.WIDTH - names_width - 6, sum(sizes), translate)
    places, top = [], 0.0
    for place, size in enumerate(sizes):
        if place % 2 == 0:
            axes.axhspan(top, top + size, color="#f5f5f5", linewidth=0, zorder=0)
        places.append(top + size / 2)
        top += size
    axes.set_ylim(top, 0)
    axes.set_yticks(places, texts, fontsize=style.SMALL)
    axes.tick_params(axis="y", length=0, pad=4)
    for middle, code in zip(places, codes, strict=False):
        figure.text(0, 1 - (4 + middle) / height, code, va="center_baseline", fontsize=style.SMALL)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    return RowPlot(figure, axes, tuple(places))


@dataclass(frozen=True)
class Point:
    """One accuracy with its name; its mean must be defined."""

    name: str
    measure: Measure

    @property
    def mean(self) -> float:
        """Return the mean over the seeds."""
        return self.measure.datum.value or 0.0

    @property
    def original(self) -> float | None:
        """Return the original's accuracy, where it published one."""
        return None if self.measure.original is None else self.measure.original.value

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """Return the 95 % confidence interval of the mean."""
        return self.measure.datum.low, self.measure.datum.high

    @property
    def prediction(self) -> tuple[float | None, float | None]:
        """Return the 95 % prediction interval; none where the original's value may not be compared with it."""
        compatibility = self.measure.compatibility
        if compatibility is None or not comparable(self.measure):
            return None, None
        return compatibility.prediction.low, compatibility.prediction.high


def _draw_point(
    axes: Axes, place: float, point: Point, bounds: tuple[float | None, float | None], *, upright: bool = False
) -> None:
    def plot(values: Sequence[float], look: Look) -> None:
        along, across = [100 * value for value in values], [place] * len(values)
        axes.plot(*((across, along) if upright else (along, across)), **look)

    low, high = bounds
    if low is not None and high is not None:
        plot((low, high), INTERVAL)
    if len(point.measure.values) > 1:
        plot(point.measure.values, SEEDS | {"marker": "_" if upright else "|"})
    plot([point.mean], OURS)
    if point.original is not None:
        plot([point.original], ORIGINAL)


@style.in_style
def by_number(figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation) -> DrawnFigure:
    """Draw points in a row, each over its name; ``label`` says what the names are."""
    figure = style.sheet(178, 370)
    (axes,) = style.panels(figure, 1, 6, 124, translate, left=40)
    for place, point in enumerate(points):
        _draw_point(axes, place, point, point.interval, upright=True)
    axes.plot(range(len(points)), [100 * point.mean for point in points], color=style.BLUE, linewidth=0.8, zorder=1)
    axes.set_xticks(range(len(points)), [style.wrapped(p.name, 220 / len(points), style.SMALL) for p in points])
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.grid(True, axis="y")
    axes.set_xlabel(label)
    axes.set_ylabel(translate.gettext("Test accuracy (%)"))
    mean = {translate.plain("Mean with 95%% interval"): OURS | INTERVAL}
    style.legend_below(figure, _legend(mean, points, translate, "_"), 3)
    return _finished(figure, figure_id, group, label, points, translate)


@style.in_style
def by_name(figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation) -> DrawnFigure:
    """Draw points below each other, each beside its name; ``label`` says what the names are."""
    plot = row_plot([point.name for point in points], 170, translate)
    for place, point in zip(plot.places, points, strict=True):
        _draw_point(plot.axes, place, point, point.interval)
    mean = {translate.plain("Mean with 95%% interval"): OURS | INTERVAL}
    plot.finish(translate.gettext("Test accuracy (%)"), _legend(mean, points, translate), 3)
    return _finished(plot.figure, figure_id, group, label, points, translate)


def _legend(
    first: Mapping[str, Look], points: Sequence[Point], translate: Translation, seed_marker: str = "|"
) -> dict[str, Look]:
    lines = {**first}
    if any(len(point.measure.values) > 1 for point in points):
        lines[translate.gettext("Single seeds")] = SEEDS | {"marker": seed_marker}
    if any(point.original is not None for point in points):
        lines[translate.gettext("Original")] = ORIGINAL
    return lines


def _finished(
    figure: Figure, figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation
) -> DrawnFigure:
    _, numbers = translate.gettext, Numbers(translate)
    best, worst = max(points, key=lambda point: point.mean), min(points, key=lambda point: point.mean)
    high, low = numbers.number(best.measure.datum), numbers.number(worst.measure.datum)
    alt = translate.plain(
        "%(label)s: test accuracy is highest for %(best)s (%(high)s) and lowest for %(worst)s (%(low)s).",
        {"label": label, "best": best.name, "high": high, "worst": worst.name, "low": low},
    )
    caption = _caption(label, points, translate)
    columns = (label, _("Test accuracy"), _("Low"), _("High"), _("Seeds"), _("Original"))
    rows = [(each.name, each.mean, *each.interval, len(each.measure.values), each.original) for each in points]
    return style.finished(figure, figure_id, group, alt=alt, caption=caption, columns=columns, rows=rows)


def _caption(label: str, points: Sequence[Point], translate: Translation) -> str:
    seeds = mark("%(label)s: test accuracy, mean over the seeds with its 95%% interval.")
    images = mark(
        "%(label)s: test accuracy with its 95%% interval, over the seeds for networks and over the test images for"
        " classifiers without seeds."
    )
    # A classifier without seeds has one value and an interval all the same.
    seedless = any(point.measure.datum.n_of == "images" for point in points)
    caption = translate.plain(images if seedless else seeds, {"label": label})
    apart = any(point.original is not None and not comparable(point.measure) for point in points)
    return f"{caption} {translate.gettext(ORIGINAL_APART)}" if apart else caption


@style.in_style
def draw_original(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the original's accuracies beside ours, with the interval in which one more run of ours is expected.

    None when no training that the original published an accuracy of has run.
    """
    points = [
        Point(trial_name(result.trial, translate, stage.id), stage.primary.test_accuracy)
        for result in results.trials
        for stage in result.stages
        if stage.primary.test_accuracy.original is not None and stage.primary.test_accuracy.datum.value is not None
    ]
    if not points:
        return None
    _, predicted = translate.gettext, any(point.prediction[0] is not None for point in points)
    plot = row_plot([point.name for point in points], 170, translate)
    for place, point in zip(plot.places, points, strict=True):
        _draw_point(plot.axes, place, point, point.prediction)
    interval = {translate.plain("95%% prediction interval"): INTERVAL} if predicted else {}
    plot.finish(_("Test accuracy (%)"), _legend({_("Ours, mean"): OURS, **interval}, points, translate), 4)
    alt, caption = _original_alt(points, translate), translate.plain(_original_caption(points))
    columns = (
        *(_("Training"), _("Original"), _("Ours, mean"), _("Seeds")),
        *(_("Prediction, low"), _("Prediction, high")),
    )
    rows = [(each.name, each.original, each.mean, len(each.measure.values), *each.prediction) for each in points]
    return style.finished(
        plot.figure, "original_against_ours", "overview", alt=alt, caption=caption, columns=columns, rows=rows
    )


PREDICTED: Final = mark(
    "Test accuracy of the original's single run and of ours. The line is the 95%% prediction interval:"
    " where one more run of ours would be expected."
)
ONE_SEED: Final = mark(
    "Test accuracy of the original's single run and of ours, side by side. With one seed there is no interval in which"
    " one more run of ours could be expected, so nothing says whether the two agree."
)
OTHER_PIXELS: Final = mark(
    "Test accuracy of the original's single run and of ours, side by side and not compared with each other: these"
    " pixels are not verified to be those that it was trained on, so that only differences between trainings on the"
    " same pixels can be compared, and no interval is drawn."
)
NOT_TESTED: Final = mark(
    "Test accuracy of the original's single run and of ours, side by side and not compared with each other: these data"
    " or this profile cannot test absolute values, and no interval is drawn."
)


def _original_caption(points: Sequence[Point]) -> str:
    """Return what the picture shows, and why no interval is drawn where none may be."""
    if any(point.prediction[0] is not None for point in points):
        return PREDICTED
    if all(comparable(point.measure) for point in points):
        return ONE_SEED
    reasons = {point.measure.compatibility.reason for point in points if point.measure.compatibility is not None}
    return OTHER_PIXELS if reasons == {"other_pixels"} else NOT_TESTED


def _original_alt(points: Sequence[Point], translate: Translation) -> str:
    numbers = Numbers(translate)
    outcomes = [point.measure.compatibility.outcome for point in points if point.measure.compatibility is not None]
    inside, tested = outcomes.count("inside"), outcomes.count("inside") + outcomes.count("outside")
    if not tested:
        return translate.ngettext(
            "Test accuracy of %(count)s training, the original's beside ours and not compared with it: absolute values"
            " cannot be tested here.",
            "Test accuracy of %(count)s trainings, the original's beside ours and not compared with it: absolute values"
            " cannot be tested here.",
            len(points),
        ) % {"count": numbers.integer(len(points))}
    return translate.ngettext(
        "The original's accuracy lies inside our prediction interval in %(inside)s of %(count)s training.",
        "The original's accuracy lies inside our prediction interval in %(inside)s of %(count)s trainings.",
        tested,
    ) % {"inside": numbers.integer(inside), "count": numbers.integer(tested)}
