"""What goes on inside networks: the filters of a first convolution, and dead hidden units against accuracy."""

from typing import Any, Final

import numpy as np

from cifar_report.analysis.results import Results, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, DrawnFigure, data_gid, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation

Kernels = np.ndarray[Any, Any]
"""Weights, float32 [height, width, colours, filters]."""
LEAST_SIDE: Final = 5  # weights: smaller filters are blots
A_ROW: Final = 16  # filters
TILE, GAP = 24, 4  # pixels of the picture for one filter, about, and between two; whole pixels for each weight


@style.in_style()
def draw_kernels(result: TrialResult, run_id: str, kernels: Kernels, translate: Translation) -> DrawnFigure | None:
    """Draw the filters that one of a trial's runs has learnt; None where they are small or show no colours."""
    if kernels.shape[2] == 2 or kernels.shape[0] < LEAST_SIDE or not np.isfinite(kernels).all():
        return None
    picture, count = _picture(kernels), kernels.shape[3]
    width = min(style.WIDTH, picture.shape[1])
    height = width * picture.shape[0] / picture.shape[1]
    figure = style.sheet(height, width)
    axes = style.panel(figure, 0, 0, width, height, translate)
    axes.set_axis_off()
    axes.imshow(picture, interpolation="none", aspect="auto")
    numbers, size = translate.numbers, "\N{MULTIPLICATION SIGN}".join(map(str, kernels.shape[:2]))
    values = {"trial": trial_name(result.trial, translate), "run": run_id, "size": size}
    values |= {"low": numbers.bare(float(kernels.min()), "score"), "high": numbers.bare(float(kernels.max()), "score")}
    values |= {"count": numbers.integer(count)}
    colours = translate.columns("red | green | blue")[: kernels.shape[2]]
    rows = [
        (place + 1, colour, " ".join(f"{weight:.2f}" for weight in kernels[:, :, depth, place].ravel()))
        for place in range(count)
        for depth, colour in enumerate(colours)
    ]
    return style.finished(
        figure, f"kernels.{result.id}", result.experiment, alt=translate.plain(SAY.kernels_alt, values),
        caption=translate.plain(SAY.kernels, values), rows=rows,
        columns=translate.columns("Filter | Channel | Weights, row by row"),
    )  # fmt: skip


def _picture(kernels: Kernels) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the filters side by side as uint8 [height, width, 3]; mid-grey stands for zero."""
    reach = float(np.abs(kernels).max()) or 1.0
    colours = np.clip(np.rint(127.5 + 127.5 * kernels.astype(np.float64) / reach), 0, 255).astype(np.uint8)
    zoom = max(1, TILE // kernels.shape[0])
    colours = np.broadcast_to(colours, (*colours.shape[:2], 3, colours.shape[3]))  # one colour is grey
    tiles = colours.transpose(3, 0, 1, 2).repeat(zoom, axis=1).repeat(zoom, axis=2)
    room = ((0, -len(tiles) % min(A_ROW, len(tiles))), (0, GAP), (0, GAP), (0, 0))
    tiles = np.pad(tiles, room, constant_values=255)
    return np.vstack([np.hstack([*tiles[start : start + A_ROW]]) for start in range(0, len(tiles), A_ROW)])


LOOKS: Final[tuple[Look, ...]] = (
    {"marker": "o", "mec": style.BLUE, "mfc": style.BLUE},
    {"marker": "s", "mec": style.VERMILLION, "mfc": style.VERMILLION},
    {"marker": "^", "mec": style.GOOD, "mfc": style.GOOD},
    {"marker": "D", "mec": style.BLACK, "mfc": "none"},
    {"marker": "v", "mec": style.BLUE, "mfc": "none"},
    {"marker": "P", "mec": style.OPEN, "mfc": style.OPEN},
)
OTHERS: Final[Look] = {"marker": "o", "mec": style.GREY, "mfc": "none", "ms": 2.6}
Pairs = list[tuple[int | None, float, float]]
"""Seed, share of dead units and accuracy of each run, in per cent."""


@style.in_style()
def draw_dead_units(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a dot for each run; trials of claims on dead units, then those that vary most, have forms of their own."""
    claimed = {trial for each in results.verdicts if each.claim.quantity == "dead_units" for trial in each.claim.trials}
    found = [(result, pairs) for result in results.trials if (pairs := _pairs(result))]
    if sum(len(pairs) for _, pairs in found) < 2:
        return None
    found.sort(key=lambda each: (each[0].id not in claimed, -np.ptp([dead for _, dead, _ in each[1]])))
    own = [result.id for result, _ in found[: len(LOOKS)]]
    figure = style.sheet(240, 340)
    axes = style.panel(figure, 40, 6, 294, 160, translate)
    legend: dict[str, Look] = {}
    for number, (result, pairs) in enumerate(found):
        look = {"ms": 4, "mew": 0.9} | LOOKS[number] if result.id in own else OTHERS
        for seed, dead, accuracy in pairs:
            axes.plot(dead, accuracy, ls="none", **look, gid=data_gid(trial=result.id, seed=seed))
        name = trial_name(result.trial, translate) if result.id in own else translate.gettext("Other trials")
        legend[name] = {"ls": "none"} | look
    axes.set_xlabel(translate.gettext("Dead hidden units (%)"), fontsize=style.SIZE)
    axes.set_ylabel(translate.gettext("Test accuracy (%)"), fontsize=style.SIZE)
    axes.margins(0.06)
    axes.grid(True)
    style.legend_below(figure, legend, style.legend_columns([*legend], 4, 340))
    rows = [
        (trial_name(result.trial, translate), seed, dead / 100, accuracy / 100)
        for result, pairs in found
        for seed, dead, accuracy in pairs
    ]
    columns = translate.columns("Trial | Seed | Dead hidden units | Test accuracy")
    return style.finished(
        figure, "dead_units", "dead_units", title=_title(results, translate), caption=translate.plain(SAY.dead_units),
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


def _title(results: Results, translate: Translation) -> str:
    datum = results.dead_units
    if datum is None or datum.value is None:
        return ""
    values = {"correlation": translate.numbers.number(datum), "count": translate.numbers.integer(datum.n or 0)}
    if abs(datum.value) < 0.3:  # nearer to zero it is called none
        return translate.plain(SAY.dead_units_none, values)
    return translate.plain(SAY.dead_units_less if datum.value < 0 else SAY.dead_units_more, values)
