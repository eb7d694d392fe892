"""Learning curves on one scale: all networks side by side, and those of one experiment with their losses."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from cifar_report.analysis.results import Results, StageSummary, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, data_gid, reference, trial_name, written_trials
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation, mark

COLUMNS: Final = mark(
    "Training | Epoch | Seeds | Training accuracy | Validation accuracy | Training loss | Validation loss"
)
TRAINING: Final[Look] = {"color": style.BLUE, "lw": 1.3}
VALIDATION: Final[Look] = {"color": style.VERMILLION, "lw": 1.3}
TEST: Final[Look] = {"color": style.BLACK, "ls": style.DASHED, "lw": 0.7}
BASELINE: Final[Look] = {"color": style.GREY, "lw": 0.9, "alpha": 0.6}
GAP: Final[Look] = {"color": style.GREY, "alpha": 0.13, "linewidth": 0}
SEED: Final[Look] = {"lw": 0.45, "alpha": 0.45}
ACROSS: Final = 4


class Panel(NamedTuple):
    """One training of a network."""

    name: str
    result: TrialResult
    stage: StageSummary


class Scale(NamedTuple):
    """What all learning curves of a report share: epochs, accuracies in per cent, the largest loss, the baseline."""

    epochs: int
    low: float
    high: float
    loss: float
    baseline: StageSummary | None


def scale_of(results: Results) -> Scale:
    """Return the scale that holds every curve of the write-up's networks."""
    stages = [stage for result in written_trials(results) for stage in result.stages]
    curves = [curve for stage in stages for curve in stage.curves]
    shares = [each for curve in curves for each in (*curve.accuracy, *curve.val_accuracy) if each is not None]
    losses = [each for curve in curves for each in (*curve.loss, *curve.val_loss) if each is not None]
    low, high = 10 * math.floor(10 * min(shares, default=0.0)), 10 * math.ceil(10 * max(shares, default=1.0))
    epochs, first = max((len(curve.accuracy) for curve in curves), default=1), reference(results)
    loss = min(1.05 * max(losses, default=1.0), 2 * math.log(10))  # twice what guessing costs: above, it diverges
    return Scale(epochs, low, high, loss, first.stages[-1] if first else None)


def panels_of(trials: Iterable[TrialResult], translate: Translation) -> list[Panel]:
    """Return a panel for each training of some networks."""
    return [Panel(trial_name(each.trial, translate, stage.id), each, stage) for each in trials for stage in each.stages]


@style.in_style()
def draw_overview(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the accuracies of all networks by epoch as small multiples; None with fewer than two."""
    panels, scale = panels_of(written_trials(results), translate)[:32], scale_of(results)  # more are blots
    if len(panels) < 2:
        return None
    lines, width = -(-len(panels) // ACROSS), (style.WIDTH - 34 - 3 * 10) / ACROSS
    step = min(590.0 / lines, 78.0)  # a page at most
    figure = style.sheet(lines * step + 34)
    for place, panel in enumerate(panels):
        row, column = divmod(place, ACROSS)
        axes = style.panel(figure, 32 + column * (width + 10), row * step + 14, width, step - 20, translate)
        _draw_panel(axes, panel, "accuracy", scale)
        _label_ends(axes, panel, translate)
        axes.set_title(style.shortened(panel.name, width + 2), fontsize=style.SMALL, pad=2)
        axes.tick_params(labelleft=column == 0, labelbottom=place + ACROSS >= len(panels))
        if column == 0:
            axes.set_ylabel(translate.gettext("Accuracy (%)"))
    figure.text(1, 15 / figure.get_size_inches()[1] / 72, translate.gettext("Epoch"), ha="right")
    style.legend_below(figure, _legend(translate, scale), 6)
    gaps = sorted(panels, key=lambda panel: panel.stage.primary.gap.datum.value or -1.0)
    return style.finished(
        figure, "curves", "curves", title=_title(gaps, translate), alt=" ".join(_told(e, translate) for e in panels),
        caption=translate.plain(SAY.curves_overview), columns=translate.columns(COLUMNS), rows=_rows(panels),
    )  # fmt: skip


@style.in_style()
def draw_curves(
    experiment: str, trials: Sequence[TrialResult], results: Results, translate: Translation, group: str
) -> DrawnFigure | None:
    """Draw accuracy and loss by epoch of an experiment's networks; None when nothing finished."""
    panels, scale = panels_of(trials, translate)[: 2 * ACROSS], scale_of(results)
    if not panels:
        return None
    across = min(len(panels), ACROSS)
    total, lines = (style.HALF if across < 3 else style.WIDTH), -(-len(panels) // across)
    width, step = (total - 32 - (across - 1) * 10) / across, 178.0
    legend = _legend(translate, scale)
    columns = style.legend_columns([*legend], 3 if total < style.WIDTH else 6, total)
    figure = style.sheet(lines * step + 10 - len(legend) // -columns * style.LEGEND_LINE, total)
    for place, panel in enumerate(panels):
        left, top = 30 + place % across * (width + 10), place // across * step
        above = style.panel(figure, left, top + 14, width, 88, translate)
        below = style.panel(figure, left, top + 114, width, 46, translate)
        _draw_panel(above, panel, "accuracy", scale)
        _draw_panel(below, panel, "loss", scale)
        above.tick_params(labelleft=place % across == 0, labelbottom=False)
        below.tick_params(labelleft=place % across == 0)
        _label_ends(above, panel, translate)
        above.set_title(style.shortened(panel.name, width), fontsize=style.SMALL, pad=3)
        if place % across == 0:
            above.set_ylabel(translate.gettext("Accuracy (%)"))
            below.set_ylabel(translate.gettext("Loss"))
    figure.axes[-1].set_xlabel(translate.gettext("Epoch"), loc="right", labelpad=1)
    style.legend_below(figure, legend, columns)
    return style.finished(
        figure, f"curves.{experiment}", group, alt=" ".join(_told(each, translate) for each in panels),
        caption=translate.plain(SAY.curves), columns=translate.columns(COLUMNS), rows=_rows(panels),
    )  # fmt: skip


def _draw_panel(axes: Axes, panel: Panel, score: Literal["accuracy", "loss"], scale: Scale) -> None:
    stage, factor = panel.stage, 100.0 if score == "accuracy" else 1.0
    most = 100.0 if score == "accuracy" else 2 * scale.loss

    def line(values: Sequence[float | None], **look: Any) -> None:
        heights = np.minimum(factor * np.array(values, float), most)  # a missing value is drawn as a gap
        marker: Look = {"marker": "."} if len(heights) == 1 else {}
        axes.plot(range(1, len(heights) + 1), heights, **look, **marker)

    axes.set(xlim=(0, 1.22 * scale.epochs), ylim=(scale.low, scale.high) if score == "accuracy" else (0, scale.loss))
    axes.grid(True, axis="y")
    if scale.baseline is not None and scale.baseline is not stage:
        for name in (score, f"val_{score}"):
            line(_means(scale.baseline, name), **BASELINE)
    if len(stage.curves) > 1:
        for curve in stage.curves:
            gid = data_gid(trial=panel.result.id, seed=curve.seed)
            line(getattr(curve, score), color=style.BLUE, gid=gid, **SEED)
            line(getattr(curve, f"val_{score}"), color=style.VERMILLION, gid=gid, **SEED)
    training, validation = _means(stage, score), _means(stage, f"val_{score}")
    line(training, **TRAINING)
    line(validation, **VALIDATION)
    if score == "accuracy":
        axes.fill_between(range(1, len(training) + 1), *(factor * np.array([training, validation], float)), **GAP)
        if stage.primary.test_accuracy.datum.value is not None:
            axes.plot((0, len(stage.epochs_table)), (factor * stage.primary.test_accuracy.datum.value,) * 2, **TEST)
    axes.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], integer=True))
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))


def _means(stage: StageSummary, name: str) -> list[float | None]:
    """Return the means by epoch as long as every run trains."""
    whole = max((row.n for row in stage.epochs_table), default=0)
    return [getattr(row, name).value for row in stage.epochs_table if row.n == whole]


def _label_ends(axes: Axes, panel: Panel, translate: Translation) -> None:
    """Write what the means end at beside their ends, at least a line apart, and the gap in the corner."""
    ends = [_means(panel.stage, name) for name in ("accuracy", "val_accuracy")]
    (training, validation), last = (each[-1] if each else None for each in ends), len(panel.stage.epochs_table)
    low, high = axes.get_ylim()
    line = 7.5 * (high - low) / (72 * axes.get_window_extent().height / axes.figure.dpi)
    look: Look = {"va": "center_baseline", "clip_on": False}
    if training is not None and validation is not None:
        upper, lower = 100 * max(training, validation), 100 * min(training, validation)
        apart = max(0.0, line - (upper - lower)) / 2
        places = sorted((upper + apart, lower - apart), reverse=training >= validation)
        for value, place, colour in zip((training, validation), places, (style.BLUE, style.VERMILLION), strict=True):
            axes.text(last + 0.4, place, f"{100 * value:.0f}", color=colour, **look)
    gap = panel.stage.primary.gap.datum
    if gap.value is not None:
        text = translate.plain(SAY.gap, {"gap": translate.numbers.bare(gap.value, "points", signed=True)})
        axes.text(0.99, 0.07, text, transform=axes.transAxes, ha="right", color=style.GREY)


def _legend(translate: Translation, scale: Scale) -> dict[str, Look]:
    _ = translate.gettext
    entries = {_("Training"): TRAINING, _("Validation"): VALIDATION, _("Test, at the end"): TEST}
    entries |= {_("Single seeds"): SEED | {"color": style.BLUE}}
    return entries | ({_("Baseline"): BASELINE} if scale.baseline else {})


def _title(gaps: Sequence[Panel], translate: Translation) -> str:
    known = [panel for panel in gaps if panel.stage.primary.gap.datum.value is not None]
    if len(known) < 2:
        return ""
    numbers, least, most = translate.numbers, known[0], known[-1]
    values = {"most": most.name, "wide": numbers.quantity(most.stage.primary.gap.datum)}
    values |= {"least": least.name, "narrow": numbers.quantity(least.stage.primary.gap.datum)}
    return translate.plain(SAY.curves_title, values)


def _told(panel: Panel, translate: Translation) -> str:
    last, numbers = panel.stage.epochs_table[-1], translate.numbers
    values = {
        "trial": panel.name,
        "epoch": numbers.integer(last.epoch),
        "training": numbers.number(last.accuracy),
        "validation": numbers.number(last.val_accuracy),
        "test": numbers.number(panel.stage.primary.test_accuracy.datum),
        "best": numbers.number(panel.stage.best_epoch.datum),
    }
    return translate.plain(SAY.curves_alt, values)


def _rows(panels: Sequence[Panel]) -> list[tuple[Cell, ...]]:
    return [
        (panel.name, row.epoch, row.n, row.accuracy.value, row.val_accuracy.value, row.loss.value, row.val_loss.value)
        for panel in panels
        for row in panel.stage.epochs_table
    ]
