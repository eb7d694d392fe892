"""Test accuracies in rows: every seed, the mean with its interval, the original's value, and the baseline's line."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Final, NamedTuple

from cifar_report.analysis.results import Comparison, Datum, Measure, Results, SeedValue, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import (
    SAY,
    DrawnFigure,
    data_gid,
    percent_interval,
    reference,
    trial_name,
    written_trials,
)
from cifar_report.report.figures.style import Look, RowPlot
from cifar_report.report.i18n import DASH, Translation
from cifar_report.spec import Experiment

INTERVAL: Final[Look] = {"color": style.SKY, "lw": 2.2, "ls": "-", "solid_capstyle": "butt"}
OURS: Final[Look] = {"color": style.BLUE, "marker": "o", "ms": 4.6, "ls": "none"}
SEEDS: Final[Look] = {"color": style.BLUE, "marker": "|", "ms": 7, "mew": 1.0, "ls": "none"}
ORIGINAL: Final[Look] = {"marker": "D", "ms": 4.4, "mfc": "none", "mec": style.GREY, "mew": 1.1, "ls": "none"}
LABEL: Final = 8.5  # points; the line above a row that names its unusual runs
MOST_NAMES: Final = 170.0  # points


class Rung(NamedTuple):
    """One accuracy with its name; ``original`` is None where none was published."""

    name: str
    trial: str
    measure: Measure
    mean: float | None
    original: float | None
    unusual: tuple[SeedValue, ...]


def _rung(name: str, result: TrialResult, measure: Measure) -> Rung:
    original, unusual = measure.original, result.unusual if measure is result.primary else ()
    return Rung(name, result.id, measure, measure.datum.value, None if original is None else original.value, unusual)


@style.in_style()
def draw_ladder(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw every training of the write-up's networks, best mean first; None when nothing finished."""
    rungs = [
        _rung(trial_name(result.trial, translate, stage.id), result, stage.primary.test_accuracy)
        for result in written_trials(results)
        for stage in result.stages
        if stage.primary.test_accuracy.values
    ]
    if not rungs:
        return None
    return _draw(rungs, "ladder", "ladder", _title(rungs, results, translate), results, translate)


@style.in_style()
def draw_methods(experiment: Experiment, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw an experiment's trials beside the first network and the first of several stages; None below two."""
    networks = [*results.trials[:1], *[each for each in results.trials if len(each.stages) > 1][:1]]
    ids = dict.fromkeys([*(each.id for each in networks), *experiment.shown])
    found = [result for result in map(results.trial, ids) if result.primary.datum.value is not None]
    if len(found) < 2:
        return None
    rungs = [_rung(trial_name(result.trial, translate), result, result.primary) for result in found]
    return _draw(rungs, f"methods.{experiment.id}", experiment.id, "", results, translate)


def _draw(
    rungs: list[Rung], figure_id: str, group: str, title: str, results: Results, translate: Translation
) -> DrawnFigure:
    rungs = sorted(rungs, key=lambda rung: -1.0 if rung.mean is None else rung.mean, reverse=True)
    many = len(rungs) > 24  # beyond, names keep to one line
    names = [style.shortened(rung.name, MOST_NAMES - 10) if many else rung.name for rung in rungs]
    width = min(max(style.text_width(name) for name in names) + 10, MOST_NAMES)
    above = [LABEL if rung.unusual else 0.0 for rung in rungs]
    label = translate.gettext("Test accuracy (%)")
    plot = style.row_plot(names, width, label, translate, right=34, top=12, above=above, gap=2.6)
    _draw_baseline(plot, results, translate)
    for place, rung in zip(plot.places, rungs, strict=True):
        _draw_rung(plot, place, rung, translate)
    legend = {mean_label([rung.measure for rung in rungs], translate): OURS | INTERVAL}
    if any(len(rung.measure.values) > 1 for rung in rungs):
        legend |= {translate.gettext("One seed"): SEEDS}
    if any(rung.original is not None for rung in rungs):
        legend[translate.gettext("Original, one run")] = ORIGINAL
    style.legend_below(plot.figure, legend, 3)
    for place, rung in zip(plot.places, rungs, strict=True):
        _name_unusual(plot, place, rung, translate)
    best, worst = rungs[0], rungs[-1]
    values = {"best": best.name, "high": _mean(best, translate), "worst": worst.name, "low": _mean(worst, translate)}
    caption = translate.plain(SAY.ladder)
    if reference(results) is not None:
        caption += f" {translate.gettext(SAY.ladder_line)}"
    if any(rung.measure.datum.n_of == "images" for rung in rungs):
        caption += f" {translate.plain(SAY.over_images)}"
    fits = [rung.measure.compatibility for rung in rungs if rung.original is not None]
    if any(fit is not None and fit.outcome == "not_testable" for fit in fits):  # only canonical pixels compare
        caption += f" {translate.gettext(SAY.original_apart)}"
    columns = translate.columns("Training | Test accuracy | Low | High | Seeds | Original")
    rows = [
        (rung.name, rung.mean, rung.measure.datum.low, rung.measure.datum.high, len(rung.measure.values), rung.original)
        for rung in rungs
    ]
    alt = translate.plain(SAY.ladder_alt, values)
    return style.finished(
        plot.figure, figure_id, group, title=title, alt=alt, caption=caption, columns=columns, rows=rows
    )


def mean_label(measures: Sequence[Measure], translate: Translation) -> str:
    """Return what a dot with its bar is called: a single value has no interval."""
    known = any(measure.datum.low is not None for measure in measures)
    return translate.plain("Mean with 95%% interval") if known else translate.gettext("Value of one run")


def _mean(rung: Rung, translate: Translation) -> str:
    return DASH if rung.mean is None else f"{translate.numbers.bare(rung.mean, 'share')}%"


def _draw_rung(plot: RowPlot, place: float, rung: Rung, translate: Translation) -> None:
    datum = rung.measure.datum
    if (ends := percent_interval(datum)) is not None:
        plot.axes.plot(ends, (place, place), **INTERVAL, zorder=2)
    if len(rung.measure.values) > 1:
        for each in rung.measure.seeds:
            if each.value is not None:
                plot.axes.plot(100 * each.value, place, **SEEDS, gid=data_gid(trial=rung.trial, seed=each.seed))
    if rung.original is not None:
        plot.axes.plot(100 * rung.original, place, **ORIGINAL, zorder=4)
    if rung.mean is not None:
        plot.axes.plot(100 * rung.mean, place, **OURS, zorder=3)
    text = DASH if rung.mean is None else translate.numbers.bare(rung.mean, "share")
    plot.write(place, style.WIDTH - 2, text, ha="right", fontsize=style.SIZE)


def _draw_baseline(plot: RowPlot, results: Results, translate: Translation) -> None:
    if (baseline := reference(results)) is None:
        return
    value = baseline.primary.datum.value or 0.0
    plot.axes.axvline(100 * value, color=style.GREY, lw=0.9, zorder=1)
    name = f"{trial_name(baseline.trial, translate)} {translate.numbers.bare(value, 'share')}"
    look: Look = {"ha": "center", "va": "bottom", "color": style.GREY}
    plot.axes.annotate(name, (100 * value, 0), (0, 2), textcoords="offset points", annotation_clip=False, **look)


def _name_unusual(plot: RowPlot, place: float, rung: Rung, translate: Translation) -> None:
    """Name runs far from the others above their marks, each right of the one before."""
    box = plot.axes.get_position()
    left, width = box.x0 * style.WIDTH, box.width * style.WIDTH
    low, high = plot.axes.get_xlim()
    free = left
    for each in sorted(rung.unusual, key=lambda each: each.value or 0.0):
        value = translate.numbers.bare(each.value or 0.0, "share")
        text = translate.plain(SAY.unusual, {"seed": each.seed, "value": value})
        size = style.text_width(text)
        middle = left + width * (100 * (each.value or 0.0) - low) / (high - low)
        start = min(max(middle - size / 2, free), left + width - size)
        plot.write(place - LABEL, start, text, color=style.VERMILLION)
        free = start + size + 5


def _one_sided(difference: Datum, side: int) -> bool:
    """Whether the whole interval lies above zero (``side`` 1) or below it (-1)."""
    end = difference.low if side > 0 else difference.high
    return end is not None and side * end > 0


def _title(rungs: Sequence[Rung], results: Results, translate: Translation) -> str:
    """Return what gained and what lost most against the trial that the write-up compared it with, if anything did."""
    shown = {rung.trial for rung in rungs}
    said = []
    for side, message in ((1, SAY.ladder_gain), (-1, SAY.ladder_loss)):
        found = [
            (side * (row.as_written.difference.value or 0.0), row.trial, row.as_written)
            for row in results.ablation
            if row.trial in shown and row.as_written is not None and _one_sided(row.as_written.difference, side)
        ]
        if found:
            _, trial, comparison = max(found, key=itemgetter(0))
            said.append(translate.plain(message, compared(trial, comparison, results, translate, in_words=True)))
            first = [each for each in found if side > 0 and each[1] == rungs[0].trial != trial]
            for _, name, other in first:
                said.append(translate.plain(SAY.ladder_best, compared(name, other, results, translate, in_words=True)))
    unusual = len({rung.trial for rung in rungs if rung.unusual})
    count = {"count": translate.numbers.integer(unusual)}
    return " ".join([*said, *([translate.plain_plural(SAY.ladder_unusual, unusual, count)] if unusual else [])])


def compared(
    trial: str, comparison: Comparison, results: Results, translate: Translation, *, in_words: bool = False
) -> dict[str, str]:
    """Return two trials' names and their difference with its interval."""
    names = [trial_name(results.trial(each).trial, translate) for each in (trial, comparison.comparator)]
    difference, numbers = comparison.difference, translate.numbers
    text = numbers.quantity(difference) if in_words else numbers.number(difference)
    interval = "" if difference.low is None else f" {numbers.interval(difference)}"
    return {"trial": names[0], "other": names[1], "difference": f"{text}{interval}"}
