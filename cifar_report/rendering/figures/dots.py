"""The original's test accuracies against ours, with the interval in which one more run of ours is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.results import Measure, Results
from cifar_report.rendering.figures import style, words
from cifar_report.rendering.figures.drawn import Cell, DrawnFigure
from cifar_report.rendering.figures.rows import ORIGINAL, OURS, PREDICTION, SEEDS, finish, row_plot
from cifar_report.rendering.figures.svg import to_svg
from cifar_report.rendering.i18n import Translation, mark
from cifar_report.rendering.numbers import Numbers


@dataclass(frozen=True)
class _Pair:
    """One training that the original published an accuracy of."""

    name: str
    measure: Measure

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Return the 95 % prediction interval."""
        compatibility = self.measure.compatibility
        return (None, None) if compatibility is None else (compatibility.prediction.low, compatibility.prediction.high)

    @property
    def inside(self) -> bool | None:
        """Whether the original lies in the prediction interval; None where that cannot be tested."""
        outcome = None if self.measure.compatibility is None else self.measure.compatibility.outcome
        return {"inside": True, "outside": False}.get(outcome or "")


def draw_dots(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw every training that the original published an accuracy of; None when none of them ran."""
    pairs = _pairs(results, translate)
    if not pairs:
        return None
    with style.drawing():
        plot = row_plot([pair.name for pair in pairs], names_width=170)
        for place, pair in zip(plot.places, pairs, strict=True):
            _draw_row(plot.axes, place, pair)
        finish(plot, translate.gettext("Test accuracy (%)"), translate)
        style.legend_below(plot.figure, _legend(translate), columns=4)
        svg = to_svg(plot.figure, "original_against_ours")
    return DrawnFigure(
        id="original_against_ours",
        svg=svg,
        width_points=style.WIDTH,
        height_points=plot.height,
        alt=_alternative(pairs, translate),
        caption=translate.plain(
            mark(
                "Test accuracy of the original's single run and of ours. The line is the 95%% prediction interval:"
                " where one more run of ours would be expected."
            )
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(pair) for pair in pairs),
        group="overview",
    )


def _pairs(results: Results, translate: Translation) -> list[_Pair]:
    pairs = []
    for result in results.trials:
        for stage in result.stages:
            measure = stage.primary.test_accuracy
            if measure.original is not None and measure.datum.value is not None:
                pairs.append(_Pair(words.trial_name(result.trial, translate, stage.id), measure))
    return pairs


def _draw_row(axes: Axes, place: float, pair: _Pair) -> None:
    low, high = pair.bounds
    if low is not None and high is not None:
        axes.plot((100 * low, 100 * high), (place, place), **PREDICTION)
    values = pair.measure.values
    axes.plot([100 * value for value in values], [place] * len(values), **SEEDS)
    if pair.measure.datum.value is not None:
        axes.plot(100 * pair.measure.datum.value, place, **OURS)
    if pair.measure.original is not None and pair.measure.original.value is not None:
        axes.plot(100 * pair.measure.original.value, place, **ORIGINAL)


def _legend(translate: Translation) -> list[Line2D]:
    _ = translate.gettext
    return [
        Line2D([], [], label=_("Ours, mean"), **OURS),
        Line2D([], [], label=_("Single seeds"), **SEEDS),
        Line2D([], [], label=translate.plain(mark("95%% prediction interval")), **PREDICTION),
        Line2D([], [], label=_("Original"), **ORIGINAL),
    ]


def _alternative(pairs: list[_Pair], translate: Translation) -> str:
    numbers = Numbers(translate)
    tested = [pair for pair in pairs if pair.inside is not None]
    inside = sum(pair.inside is True for pair in tested)
    if not tested:
        return translate.ngettext(
            "Test accuracy of %(count)s training, the original's beside ours; whether they are compatible cannot be"
            " tested here.",
            "Test accuracy of %(count)s trainings, the original's beside ours; whether they are compatible cannot be"
            " tested here.",
            len(pairs),
        ) % {"count": numbers.integer(len(pairs))}
    return translate.ngettext(
        "The original's accuracy lies inside our prediction interval in %(inside)s of %(count)s training.",
        "The original's accuracy lies inside our prediction interval in %(inside)s of %(count)s trainings.",
        len(tested),
    ) % {"inside": numbers.integer(inside), "count": numbers.integer(len(tested))}


COLUMNS: Final = (
    mark("Training"),
    mark("Original"),
    mark("Ours, mean"),
    mark("Seeds"),
    mark("Prediction, low"),
    mark("Prediction, high"),
)


def _row(pair: _Pair) -> tuple[Cell, ...]:
    original = None if pair.measure.original is None else pair.measure.original.value
    return (pair.name, original, pair.measure.datum.value, len(pair.measure.values), *pair.bounds)
