"""Test accuracies as points: the mean with its interval, every seed, and the original's value beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cifar_report.analysis.results import Measure, Results, Study, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, DrawnFigure, comparable, showcase, stage_name, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation
from cifar_report.spec import differences

INTERVAL: Final[Look] = {"color": style.BLUE, "lw": 1.3, "ls": "-"}
OURS: Final[Look] = {"color": style.BLUE, "marker": "o", "ms": 4.4, "ls": "none"}
SEEDS: Final[Look] = {"color": style.BLACK, "marker": "|", "ms": 5, "mew": 0.6, "ls": "none", "alpha": 0.7}
ORIGINAL: Final[Look] = {"marker": "D", "ms": 4.4, "mfc": "white", "mec": style.VERMILLION, "mew": 1.1, "ls": "none"}
Bounds = tuple[float | None, float | None]


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
    def interval(self) -> Bounds:
        """Return the 95 % confidence interval of the mean."""
        return self.measure.datum.low, self.measure.datum.high

    @property
    def prediction(self) -> Bounds:
        """Return the 95 % prediction interval; none where the original's value may not be compared with it."""
        compatibility = self.measure.compatibility
        if compatibility is None or not comparable(self.measure):
            return None, None
        return compatibility.prediction.low, compatibility.prediction.high


def _draw_point(axes: Axes, place: float, point: Point, bounds: Bounds, *, upright: bool = False) -> None:
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


def _legend(
    first: Mapping[str, Look], points: Sequence[Point], translate: Translation, seed_marker: str = "|"
) -> dict[str, Look]:
    lines = {**first}
    if any(len(point.measure.values) > 1 for point in points):
        lines[translate.gettext("Single seeds")] = SEEDS | {"marker": seed_marker}
    if any(point.original is not None for point in points):
        lines[translate.gettext("Original")] = ORIGINAL
    return lines


@style.in_style()
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


@style.in_style()
def by_name(figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation) -> DrawnFigure:
    """Draw points below each other, each beside its name; ``label`` says what the names are."""
    plot = style.row_plot([point.name for point in points], 170, translate)
    for place, point in zip(plot.places, points, strict=True):
        _draw_point(plot.axes, place, point, point.interval)
    mean = {translate.plain("Mean with 95%% interval"): OURS | INTERVAL}
    plot.finish(translate.gettext("Test accuracy (%)"), _legend(mean, points, translate), 3)
    return _finished(plot.figure, figure_id, group, label, points, translate)


def _finished(
    figure: Figure, figure_id: str, group: str, label: str, points: Sequence[Point], translate: Translation
) -> DrawnFigure:
    best, worst = max(points, key=lambda point: point.mean), min(points, key=lambda point: point.mean)
    high, low = (translate.numbers.number(each.measure.datum) for each in (best, worst))
    alt = translate.plain(
        SAY.points_alt, {"label": label, "best": best.name, "high": high, "worst": worst.name, "low": low}
    )
    # A classifier without seeds has one value and an interval all the same.
    seedless = any(point.measure.datum.n_of == "images" for point in points)
    caption = translate.plain(SAY.points_over_images if seedless else SAY.points, {"label": label})
    if any(point.original is not None and not comparable(point.measure) for point in points):
        caption += f" {translate.gettext(SAY.original_apart)}"
    columns = (label, *translate.columns("Test accuracy | Low | High | Seeds | Original"))
    rows = [(each.name, each.mean, *each.interval, len(each.measure.values), each.original) for each in points]
    return style.finished(figure, figure_id, group, alt=alt, caption=caption, columns=columns, rows=rows)


@style.in_style()
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
    predicted = any(point.prediction[0] is not None for point in points)
    plot = style.row_plot([point.name for point in points], 170, translate)
    for place, point in zip(plot.places, points, strict=True):
        _draw_point(plot.axes, place, point, point.prediction)
    lines = {translate.gettext("Ours, mean"): OURS}
    lines |= {translate.plain("95%% prediction interval"): INTERVAL} if predicted else {}
    plot.finish(translate.gettext("Test accuracy (%)"), _legend(lines, points, translate), 4)
    alt, caption = _original_alt(points, translate), translate.plain(_original_caption(points))
    columns = translate.columns("Training | Original | Ours, mean | Seeds | Prediction, low | Prediction, high")
    rows = [(each.name, each.original, each.mean, len(each.measure.values), *each.prediction) for each in points]
    return style.finished(
        plot.figure, "original_against_ours", "overview", alt=alt, caption=caption, columns=columns, rows=rows
    )


def _original_caption(points: Sequence[Point]) -> str:
    """Return what the picture shows, and why no interval is drawn where none may be."""
    if any(point.prediction[0] is not None for point in points):
        return str(SAY.original_predicted)
    if all(comparable(point.measure) for point in points):
        return str(SAY.original_one_seed)
    reasons = {point.measure.compatibility.reason for point in points if point.measure.compatibility is not None}
    return str(SAY.original_on_other_pixels if reasons == {"other_pixels"} else SAY.original_not_tested)


def _original_alt(points: Sequence[Point], translate: Translation) -> str:
    whole = translate.numbers.integer
    outcomes = [point.measure.compatibility.outcome for point in points if point.measure.compatibility is not None]
    inside, tested = outcomes.count("inside"), outcomes.count("inside") + outcomes.count("outside")
    if not tested:
        return translate.plain_plural(SAY.original_not_tested_alt, len(points), {"count": whole(len(points))})
    return translate.plain_plural(SAY.original_alt, tested, {"inside": whole(inside), "count": whole(tested)})


def draw_study(study: Study, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a study against the number that its trials differ in, or by name; None with fewer than two points."""
    trials = _finished_trials([point.trial for point in study.points], results)
    if len(trials) < 2:
        return None
    figure_id, group = f"study.{study.experiment}", study.experiment
    varied = _varied_number(trials)
    if varied is None:
        points = [Point(trial_name(result.trial, translate), result.primary) for result in trials]
        return by_name(figure_id, group, translate.gettext("Trials"), points, translate)
    field, values = varied
    points = [
        Point(f"{value:.0f}" if field == "split_seed" else translate.numbers.plain(value), result.primary)
        for value, result in sorted(zip(values, trials, strict=True), key=lambda pair: pair[0])
    ]
    return by_number(figure_id, group, translate.gettext(SAY.fields[field]), points, translate)


def draw_stages(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw a trial's test accuracy from stage to stage; None with fewer than two finished stages."""
    points = [
        Point(stage_name(result.trial, stage.id, translate), stage.primary.test_accuracy)
        for stage in result.stages
        if stage.primary.test_accuracy.datum.value is not None
    ]
    if len(points) < 2:
        return None
    label = trial_name(result.trial, translate)
    return by_number(f"stages.{result.id}", result.experiment, label, points, translate)


def draw_methods(study: Study, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a study's trials by name beside the networks that the report looks at closely; None with fewer than two."""
    ids = [*(each.result.id for each in showcase(results)), *(point.trial for point in study.points)]
    trials = sorted(_finished_trials(ids, results), key=lambda result: -(result.primary.datum.value or 0.0))
    if len(trials) < 2:
        return None
    points = [Point(trial_name(result.trial, translate), result.primary) for result in trials]
    return by_name(f"methods.{study.experiment}", study.experiment, translate.gettext("Methods"), points, translate)


def _finished_trials(ids: Sequence[str], results: Results) -> list[TrialResult]:
    """Return the trials that have an accuracy, each once."""
    trials = [results.trial(trial_id) for trial_id in dict.fromkeys(ids)]
    return [result for result in trials if result.primary.datum.value is not None]


def _varied_number(trials: Sequence[TrialResult]) -> tuple[str, list[float]] | None:
    """Return the one number in which the trials differ, and its value in each; None where there is none.

    Counts of layers, strategies and anything that is no number have no place on an axis.
    """
    changes = [differences(one.trial, other.trial) for one, other in combinations(trials, 2)]
    places = {change.place for found in changes for change in found}
    if len(places) != 1 or any(len(found) != 1 for found in changes):
        return None
    field = places.pop().rpartition(", ")[2]
    if field not in SAY.fields:
        return None
    first = changes[0][0].before
    return field, [float(value) for value in (first, *(found[0].after for found in changes[: len(trials) - 1]))]
