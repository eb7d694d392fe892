"""Learning curves: every seed thin, the mean strong, the test line dashed, the original's run beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cifar_report.analysis.results import StageSummary, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, comparable, seeds_text, stage_name, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation, mark

Score = Literal["accuracy", "loss"]
SCORES: Final[tuple[Score, Score]] = ("accuracy", "loss")
FACTORS: Final[dict[Score, float]] = {"accuracy": 100.0, "loss": 1.0}
LABELS: Final[dict[Score, str]] = {"accuracy": mark("Accuracy (%)"), "loss": mark("Loss")}

TRAINING: Final[Look] = {"color": style.BLUE}
VALIDATION: Final[Look] = {"color": style.VERMILLION, "marker": "o", "ms": 2.8, "mew": 0.7, "mfc": "white"}
TEST: Final[Look] = {"color": style.BLACK, "ls": style.DASHED, "lw": 0.9}
ORIGINAL: Final[Look] = {"ls": style.DASHED, "lw": 0.8}
ORIGINAL_TEST: Final[Look] = {"color": style.GREY, "ls": style.DOTTED, "lw": 1.2}
SEED: Final[Look] = {"lw": 0.5, "alpha": 0.45, "solid_joinstyle": "round"}


@style.in_style()
def draw_curves(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw a trial's accuracy and loss by epoch, its stages side by side; None when nothing finished."""
    if not result.stages:
        return None
    several = len(result.stages) > 1
    handles = _legend(result, translate)
    figure = style.sheet(
        (306 if several else 174) + (12 if any(stage.original_curve for stage in result.stages) else 0)
    )
    if several:
        _draw_stages(figure, result, translate)
    else:
        _draw_one(figure, result.stages[0], translate)
    style.legend_below(figure, handles, columns=-(-len(handles) // 2) if len(handles) > 4 else len(handles))
    return style.finished(
        figure,
        f"curves.{result.id}",
        result.experiment,
        alt=" ".join(_finding(stage, result, translate) for stage in result.stages),
        caption=caption(result, translate),
        columns=translate.columns(
            "Training | Epoch | Seeds | Training accuracy | Validation accuracy | Training loss | Validation loss | "
            "Original, training accuracy | Original, validation accuracy | "
            "Original, training loss | Original, validation loss"
        ),
        rows=[row for stage in result.stages for row in _rows(stage, result, translate)],
    )


def _draw_one(figure: Figure, stage: StageSummary, translate: Translation) -> None:
    for axes, score in zip(style.panels(figure, 2, 6, 122, translate), SCORES, strict=True):
        _draw_panel(axes, stage, score, translate)
        axes.set_ylabel(translate.gettext(LABELS[score]))


def _draw_stages(figure: Figure, result: TrialResult, translate: Translation) -> None:
    """Draw two rows of panels that share their scale; the edge between two panels is the stages' boundary."""
    for row, score in enumerate(SCORES):
        panels = style.panels(figure, len(result.stages), 18 + row * 130, 112, translate, gap=9)
        for axes, stage in zip(panels, result.stages, strict=True):
            _draw_panel(axes, stage, score, translate)
            if row == 0:
                axes.set_title(stage_name(result.trial, stage.id, translate))
                axes.set_xlabel("")
        low, high = min(axes.get_ylim()[0] for axes in panels), max(axes.get_ylim()[1] for axes in panels)
        for axes in panels:
            axes.set_ylim(low, high)
        for axes in panels[1:]:
            axes.spines["left"].set(color=style.BLACK, linewidth=0.9)
            axes.tick_params(axis="y", length=0, labelleft=False)
        panels[0].set_ylabel(translate.gettext(LABELS[score]))


def _draw_panel(axes: Axes, stage: StageSummary, score: Score, translate: Translation) -> None:
    axes.grid(True, axis="y")
    lonely = {"marker": "."} if len(stage.epochs_table) == 1 else {}
    factor, validation = FACTORS[score], f"val_{score}"

    def lines(curves: Iterable[Sequence[float | None]], **look: Any) -> None:
        for values in curves:
            heights = [math.nan if value is None else factor * value for value in values]
            axes.plot(range(1, len(values) + 1), heights, **look)

    if len(stage.curves) > 1:
        lines([getattr(curve, score) for curve in stage.curves], color=style.BLUE, **SEED, **lonely)
        lines([getattr(curve, validation) for curve in stage.curves], color=style.VERMILLION, **SEED, **lonely)
    if stage.original_curve is not None:
        lines([getattr(stage.original_curve, score)], color=style.BLUE, **ORIGINAL)
        lines([getattr(stage.original_curve, validation)], color=style.VERMILLION, **ORIGINAL)
    lines([[getattr(row, score).value for row in stage.epochs_table]], **TRAINING, **lonely)
    lines([[getattr(row, validation).value for row in stage.epochs_table]], **VALIDATION)
    test = stage.primary.test_accuracy if score == "accuracy" else stage.primary.test_loss
    if test.original is not None and test.original.value is not None:
        axes.axhline(factor * test.original.value, **ORIGINAL_TEST)
    if test.datum.value is not None:
        axes.axhline(factor * test.datum.value, **TEST)
    curves = [*stage.curves, *([stage.original_curve] if stage.original_curve else [])]
    last = max(len(curve.accuracy) for curve in curves)  # the original trained longer than a reduced profile does
    axes.set_xlim(1 - 0.03 * max(last - 1, 1), last + 0.03 * max(last - 1, 1))
    axes.xaxis.set_major_locator(MaxNLocator(8, steps=[1, 2, 5, 10], integer=True))
    axes.set_xlabel(translate.gettext("Epoch"))


def _legend(result: TrialResult, translate: Translation) -> dict[str, Look]:
    """Return the entries column by column: ours above, the original's below."""
    _ = translate.gettext
    entries = [(_("Training"), TRAINING), (_("Validation"), VALIDATION), (_("Test, at the end"), TEST)]
    if any(stage.original_curve for stage in result.stages):
        theirs = [
            (_("Original, training"), {"color": style.BLUE, **ORIGINAL}),
            (_("Original, validation"), {"color": style.VERMILLION, **ORIGINAL}),
            (_("Original, test"), ORIGINAL_TEST),
        ]
        entries = [entry for pair in zip(entries, theirs, strict=True) for entry in pair]
    if any(len(stage.curves) > 1 for stage in result.stages):
        entries = [*entries, (_("Single seeds"), {"color": style.BLACK, **SEED})]
    return dict(entries)


def caption(result: TrialResult, translate: Translation) -> str:
    """Return one or two sentences on what the curves show."""
    count = max(len(stage.curves) for stage in result.stages)
    forms = SAY.curves_with_original if any(stage.original_curve for stage in result.stages) else SAY.curves
    values = {"trial": trial_name(result.trial, translate), "seeds": seeds_text(count, translate)}
    sentence = translate.plain_plural(forms, count, values)
    if any(stage.original_curve and not comparable(stage.primary.test_accuracy) for stage in result.stages):
        return f"{sentence} {translate.gettext(SAY.original_apart)}"
    return sentence


def _finding(stage: StageSummary, result: TrialResult, translate: Translation) -> str:
    """Return one sentence on where the curves of a stage end and where overfitting begins."""
    last, numbers = stage.epochs_table[-1], translate.numbers
    values = {
        "trial": trial_name(result.trial, translate, stage.id),
        "seeds": seeds_text(len(stage.curves), translate),
        "epoch": numbers.integer(last.epoch),
        "training": numbers.number(last.accuracy),
        "validation": numbers.number(last.val_accuracy),
        "test": numbers.number(stage.primary.test_accuracy.datum),
        "best": numbers.number(stage.best_epoch.datum),
    }
    return translate.plain_plural(SAY.curves_alt, len(stage.curves), values)


def _rows(stage: StageSummary, result: TrialResult, translate: Translation) -> list[tuple[Cell, ...]]:
    """Return one row an epoch: the means over the seeds, and the original's values."""
    original = stage.original_curve
    found: list[tuple[Cell, ...]] = []
    for place, row in enumerate(stage.epochs_table):
        ours = (row.accuracy.value, row.val_accuracy.value, row.loss.value, row.val_loss.value)
        theirs: tuple[Cell, ...] = (None,) * 4
        if original is not None and place < len(original.accuracy):
            curves = (original.accuracy, original.val_accuracy, original.loss, original.val_loss)
            theirs = tuple(column[place] for column in curves)
        found.append((stage_name(result.trial, stage.id, translate), row.epoch, row.n, *ours, *theirs))
    return found
