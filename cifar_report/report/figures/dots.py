"""The original's test accuracies against ours, with the interval in which one more run of ours is expected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from cifar_report.analysis.results import Measure, Results
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import Cell, DrawnFigure
from cifar_report.report.figures.rows import ORIGINAL, OURS, PREDICTION, SEEDS, finish, row_plot
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.figures.thinning import spread
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers


@dataclass(frozen=True)
class _Pair:
    """One training that the original published an accuracy of."""

    name: str
    measure: Measure

    @property
    def bounds(self) -> tuple[float | None, float | None]:
        """Return the 95 % prediction interval; none where the original's value may not be held against it."""
        compatibility = self.measure.compatibility
        if compatibility is None or not words.held_against(self.measure):
            return None, None
        return compatibility.prediction.low, compatibility.prediction.high

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
        style.legend_below(plot.figure, _legend(pairs, translate), columns=4)
        svg = to_svg(plot.figure, "original_against_ours")
    return DrawnFigure(
        id="original_against_ours",
        svg=svg,
        width_points=style.WIDTH,
        height_points=plot.height,
        alt=_alternative(pairs, translate),
        caption=translate.plain(_caption(pairs)),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(pair) for pair in pairs),
        group="overview",
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
    "Test accuracy of the original's single run and of ours, side by side and not held against each other: these"
    " pixels are not verified to be those that it was trained on, so that only differences between trainings on the"
    " same pixels can be compared, and no interval is drawn."
)
NOT_TESTED: Final = mark(
    "Test accuracy of the original's single run and of ours, side by side and not held against each other: these data"
    " or this profile cannot test absolute values, and no interval is drawn."
)


def _caption(pairs: list[_Pair]) -> str:
    """Return what the picture shows, and why no interval is drawn where none may be."""
    if any(pair.bounds[0] is not None for pair in pairs):
        return PREDICTED
    if all(words.held_against(pair.measure) for pair in pairs):
        return ONE_SEED
    reasons = {pair.measure.compatibility.reason for pair in pairs if pair.measure.compatibility is not None}
    return OTHER_PIXELS if reasons == {"other_pixels"} else NOT_TESTED


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
    values = spread(pair.measure.values)
    axes.plot([100 * value for value in values], [place] * len(values), **SEEDS)
    if pair.measure.datum.value is not None:
        axes.plot(100 * pair.measure.datum.value, place, **OURS)
    if pair.measure.original is not None and pair.measure.original.value is not None:
        axes.plot(100 * pair.measure.original.value, place, **ORIGINAL)


def _legend(pairs: list[_Pair], translate: Translation) -> list[Line2D]:
    _ = translate.gettext
    interval = Line2D([], [], label=translate.plain(mark("95%% prediction interval")), **PREDICTION)
    return [
        Line2D([], [], label=_("Ours, mean"), **OURS),
        Line2D([], [], label=_("Single seeds"), **SEEDS),
        *([interval] if any(pair.bounds[0] is not None for pair in pairs) else []),
        Line2D([], [], label=_("Original"), **ORIGINAL),
    ]


def _alternative(pairs: list[_Pair], translate: Translation) -> str:
    numbers = Numbers(translate)
    tested = [pair for pair in pairs if pair.inside is not None]
    inside = sum(pair.inside is True for pair in tested)
    if not tested:
        return translate.ngettext(
            "Test accuracy of %(count)s training, the original's beside ours and not held against it: absolute values"
            " cannot be tested here.",
            "Test accuracy of %(count)s trainings, the original's beside ours and not held against it: absolute values"
            " cannot be tested here.",
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
