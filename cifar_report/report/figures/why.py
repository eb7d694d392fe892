"""Why runs of one configuration differ: their accuracies against their shares of dead hidden units."""

from __future__ import annotations

from typing import Final

from cifar_report.analysis.results import Results, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.figures.svg import data_gid
from cifar_report.report.i18n import Translation

LOOKS: Final[tuple[Look, ...]] = (
    {"marker": "o", "mec": style.BLUE, "mfc": style.BLUE},
    {"marker": "s", "mec": style.VERMILLION, "mfc": style.VERMILLION},
    {"marker": "^", "mec": style.GOOD, "mfc": style.GOOD},
    {"marker": "D", "mec": style.BLACK, "mfc": "none"},
    {"marker": "v", "mec": style.BLUE, "mfc": "none"},
    {"marker": "P", "mec": style.OPEN, "mfc": style.OPEN},
)
OTHERS: Final[Look] = {"marker": "o", "mec": style.GREY, "mfc": "none", "ms": 2.6}
CLEAR: Final = 0.3  # a rank correlation nearer to zero is called none
Pairs = list[tuple[int | None, float, float]]
"""Seed, share of dead units and accuracy of each run, in per cent."""


@style.in_style()
def draw_dead_units(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a dot for each run, the trials that vary most in forms of their own; None where nothing was recorded."""
    found = [(result, pairs) for result in results.trials if (pairs := _pairs(result))]
    if sum(len(pairs) for _, pairs in found) < 2:
        return None
    found.sort(key=lambda each: -_range(each[1]))
    own = [result.id for result, _ in found[: len(LOOKS)]]
    figure = style.sheet(240, 340)
    (axes,) = style.panels(figure, 1, 6, 160, translate, left=40)
    legend: dict[str, Look] = {}
    for number, (result, pairs) in enumerate(found):
        look = {"ms": 4, "mew": 0.9} | LOOKS[number] if result.id in own else OTHERS
        for seed, dead, accuracy in pairs:
            axes.plot(dead, accuracy, ls="none", **look, gid=data_gid(trial=result.id, seed=seed))
        name = trial_name(result.trial, translate) if result.id in own else translate.gettext("Other trials")
        legend[name] = {"ls": "none"} | look
    axes.set(xlabel=translate.gettext("Dead hidden units (%)"), ylabel=translate.gettext("Test accuracy (%)"))
    axes.margins(0.06)
    axes.grid(True)
    style.legend_below(figure, legend, style.legend_columns([*legend], 4, 340))
    rows: list[tuple[Cell, ...]] = [
        (trial_name(result.trial, translate), seed, dead / 100, accuracy / 100)
        for result, pairs in found
        for seed, dead, accuracy in pairs
    ]
    columns = translate.columns("Trial | Seed | Dead hidden units | Test accuracy")
    return style.finished(
        figure, "dead_units", "why", title=_title(results, translate), alt="", caption=translate.plain(SAY.dead_units),
        columns=columns, rows=rows,
    )  # fmt: skip


def _pairs(result: TrialResult) -> Pairs:
    stage = result.stage()
    if stage is None or stage.primary.dead_units is None:
        return []
    accuracies = {each.seed: each.value for each in stage.primary.test_accuracy.seeds}
    return [
        (each.seed, 100 * each.value, 100 * accuracy)
        for each in stage.primary.dead_units.seeds
        if each.value is not None and (accuracy := accuracies.get(each.seed)) is not None
    ]


def _range(pairs: Pairs) -> float:
    return max(dead for _, dead, _ in pairs) - min(dead for _, dead, _ in pairs)


def _title(results: Results, translate: Translation) -> str:
    datum = results.dead_units
    if datum is None or datum.value is None:
        return ""
    values = {"correlation": translate.numbers.number(datum), "count": translate.numbers.integer(datum.n or 0)}
    if abs(datum.value) < CLEAR:
        return translate.plain(SAY.dead_units_none, values)
    return translate.plain(SAY.dead_units_less if datum.value < 0 else SAY.dead_units_more, values)
