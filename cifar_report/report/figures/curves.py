"""Learning curves: every seed thin, the mean strong, the test line dashed, the original's run beside them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from cifar_report.analysis.results import Curve, Measure, StageSummary, TrialResult
from cifar_report.report.figures import axis, curves_text, style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.figures.thinning import thinned
from cifar_report.report.i18n import Translation

Side = Literal["accuracy", "loss"]
SIDES: Final[tuple[Side, Side]] = ("accuracy", "loss")

TRAINING: Final[dict[str, Any]] = {"color": style.BLUE}
VALIDATION: Final[dict[str, Any]] = {
    "color": style.VERMILLION,
    "marker": "o",
    "markersize": 2.8,
    "markeredgewidth": 0.7,
    "markerfacecolor": "white",
}
TEST: Final[dict[str, Any]] = {"color": style.BLACK, "linestyle": style.DASHED, "linewidth": 0.9}
ORIGINAL_TEST: Final[dict[str, Any]] = {"color": style.GREY, "linestyle": style.DOTTED, "linewidth": 1.2}
ORIGINAL: Final[dict[str, Any]] = {"linestyle": style.DASHED, "linewidth": 0.8}

ONE_HEIGHT: Final = 174.0  # points
STAGES_HEIGHT: Final = 306.0
SECOND_LINE: Final = 12.0  # of the legend, for the original


def draw_curves(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw a trial's accuracy and loss by epoch, its stages side by side; None when nothing finished."""
    if not result.stages:
        return None
    several = len(result.stages) > 1
    height = STAGES_HEIGHT if several else ONE_HEIGHT
    if any(stage.original_curve for stage in result.stages):
        height += SECOND_LINE
    with style.drawing():
        figure = style.sheet(height)
        if several:
            _draw_stages(figure, result, translate)
        else:
            _draw_one(figure, result.stages[0], translate)
        handles = _legend(result, translate)
        columns = -(-len(handles) // 2) if len(handles) > 4 else len(handles)
        style.legend_below(figure, handles, columns=columns)
        svg = to_svg(figure, f"curves.{result.id}")
    return DrawnFigure(
        id=f"curves.{result.id}",
        svg=svg,
        width_points=style.WIDTH,
        height_points=height,
        alt=curves_text.alternative(result, translate),
        caption=curves_text.caption(result, translate),
        columns=curves_text.columns(translate),
        rows=tuple(row for stage in result.stages for row in curves_text.rows(stage, result, translate)),
        group=result.experiment,
    )


def _draw_one(figure: Figure, stage: StageSummary, translate: Translation) -> None:
    for axes, side in zip(style.panels(figure, 2, top=6, height=122), SIDES, strict=True):
        _draw_panel(axes, stage, side)
        axes.set_ylabel(_label(side, translate))
        axis.epoch_axis(axes, _longest(stage), translate)
        axis.local_axis(axes.yaxis, translate)


def _draw_stages(figure: Figure, result: TrialResult, translate: Translation) -> None:
    """Draw two rows of panels that share their scale; the edge between two panels is the stages' boundary."""
    for row, side in enumerate(SIDES):
        top = 18 + row * 130
        row_of_panels = style.panels(figure, len(result.stages), top=top, height=112, gap=9)
        for axes, stage in zip(row_of_panels, result.stages, strict=True):
            _draw_panel(axes, stage, side)
            axis.epoch_axis(axes, _longest(stage), translate)
            axis.local_axis(axes.yaxis, translate)
            if row == 0:
                axes.set_title(words.stage_name(result.trial, stage.id, translate))
                axes.set_xlabel("")
        _share_scale(row_of_panels)
        row_of_panels[0].set_ylabel(_label(side, translate))


def _share_scale(row: Sequence[Axes]) -> None:
    low, high = min(axes.get_ylim()[0] for axes in row), max(axes.get_ylim()[1] for axes in row)
    for place, axes in enumerate(row):
        axes.set_ylim(low, high)
        if place:
            axes.spines["left"].set(color=style.BLACK, linewidth=0.9)
            axes.tick_params(axis="y", length=0, labelleft=False)


def _draw_panel(axes: Axes, stage: StageSummary, side: Side) -> None:
    axes.grid(True, axis="y")
    lonely = {"marker": "."} if len(stage.epochs_table) == 1 else {}
    if len(stage.curves) > 1:
        seeds = thinned(stage.curves)
        training, validation = ([read(curve, side) for curve in seeds] for read in (_training, _validation))
        _lines(axes, training, **style.seed_line(style.BLUE), **lonely)
        _lines(axes, validation, **style.seed_line(style.VERMILLION), **lonely)
    if stage.original_curve is not None:
        _line(axes, _training(stage.original_curve, side), color=style.BLUE, **ORIGINAL)
        _line(axes, _validation(stage.original_curve, side), color=style.VERMILLION, **ORIGINAL)
    _line(axes, _mean(stage, side), **TRAINING, **lonely)
    _line(axes, _mean(stage, f"val_{side}"), **VALIDATION)
    measure = _test(stage, side)
    factor = _factor(side)
    if measure.original is not None and measure.original.value is not None:
        axes.axhline(factor * measure.original.value, **ORIGINAL_TEST)
    if measure.datum.value is not None:
        axes.axhline(factor * measure.datum.value, **TEST)


def _line(axes: Axes, values: Sequence[float | None], **look: Any) -> None:
    _lines(axes, [values], **look)


def _lines(axes: Axes, curves: Iterable[Sequence[float | None]], **look: Any) -> None:
    """Draw curves of one look as one artist, which is much faster than one each; gaps keep them apart."""
    epochs: list[float] = []
    heights: list[float] = []
    for values in curves:
        epochs += [*range(1, len(values) + 1), np.nan]
        heights += [*(np.nan if value is None else value for value in values), np.nan]
    axes.plot(epochs, heights, **look)


def _training(curve: Curve, side: Side) -> list[float | None]:
    return _scaled(curve.accuracy if side == "accuracy" else curve.loss, side)


def _validation(curve: Curve, side: Side) -> list[float | None]:
    return _scaled(curve.val_accuracy if side == "accuracy" else curve.val_loss, side)


def _mean(stage: StageSummary, column: str) -> list[float | None]:
    side: Side = "accuracy" if column.endswith("accuracy") else "loss"
    return _scaled((getattr(row, column).value for row in stage.epochs_table), side)


def _scaled(values: Iterable[float | None], side: Side) -> list[float | None]:
    return [None if value is None else _factor(side) * value for value in values]


def _factor(side: Side) -> float:
    return 100.0 if side == "accuracy" else 1.0


def _test(stage: StageSummary, side: Side) -> Measure:
    return stage.primary.test_accuracy if side == "accuracy" else stage.primary.test_loss


def _longest(stage: StageSummary) -> int:
    """Return how far the epoch axis must reach; the original trained longer than a reduced profile does."""
    curves = [*stage.curves, *([stage.original_curve] if stage.original_curve else [])]
    return max(len(curve.accuracy) for curve in curves)


def _label(side: Side, translate: Translation) -> str:
    return translate.gettext("Accuracy (%)") if side == "accuracy" else translate.gettext("Loss")


def _legend(result: TrialResult, translate: Translation) -> list[Line2D]:
    """Return the entries column by column: ours above, the original's below."""
    _ = translate.gettext
    ours = [(_("Training"), TRAINING), (_("Validation"), VALIDATION), (_("Test, at the end"), TEST)]
    theirs = [
        (_("Original, training"), {"color": style.BLUE, **ORIGINAL}),
        (_("Original, validation"), {"color": style.VERMILLION, **ORIGINAL}),
        (_("Original, test"), ORIGINAL_TEST),
    ]
    if not any(stage.original_curve for stage in result.stages):
        entries = ours
    else:
        entries = [entry for pair in zip(ours, theirs, strict=True) for entry in pair]
    if any(len(stage.curves) > 1 for stage in result.stages):
        entries = [*entries, (_("Single seeds"), style.seed_line(style.BLACK))]
    return [Line2D([], [], label=label, **look) for label, look in entries]
