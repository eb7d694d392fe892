"""Confusion matrices: how many images of each class were called what, as counts and as shares of the class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from cifar_report.analysis.results import PredictionMetrics, TrialResult
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

HEIGHT: Final = 252.0  # points
TITLE: Final = 14.0  # points for an axis's title at the left
SHADES: Final = LinearSegmentedColormap.from_list("shades", ("#ffffff", style.SKY, style.BLUE, "#00304d"))
DARK: Final = 0.5  # share of the darkest shade from which on the numbers are white
PIXELS: Final = 32  # of the picture for one cell, a side: enough that smoothing viewers keep the edges


def draw_confusion(
    result: TrialResult, metrics: PredictionMetrics, stage_id: str | None, translate: Translation
) -> DrawnFigure:
    """Draw the matrix of a trial twice: counts summed over its seeds, and shares of each class."""
    names = words.class_names(translate)
    with style.drawing():
        figure = style.sheet(HEIGHT)
        names_width = max(style.text_width(name, style.SMALL) for name in names) + 6
        left, side = names_width + TITLE, (style.WIDTH - 2 * (names_width + TITLE) - 4) / 2
        counts = style.panel(figure, left, 22, side, side)
        shares = style.panel(figure, 2 * left + side, 22, side, side)
        _draw_matrix(counts, metrics.confusion, [[str(count) for count in row] for row in metrics.confusion], names)
        percent = [[f"{100 * share:.0f}" for share in row] for row in metrics.confusion_shares]
        _draw_matrix(shares, metrics.confusion_shares, percent, names)
        counts.set_title(translate.gettext("Images, all seeds together"), pad=8)
        shares.set_title(translate.gettext("Share of the class (%)"), pad=8)
        for axes in (counts, shares):
            axes.set_xlabel(translate.gettext("Predicted class"))
        counts.set_ylabel(translate.gettext("True class"))
        svg = to_svg(figure, f"confusion.{result.id}")
    return DrawnFigure(
        id=f"confusion.{result.id}",
        svg=svg,
        width_points=style.WIDTH,
        height_points=HEIGHT,
        alt=_alternative(result, metrics, stage_id, translate),
        caption=translate.plain(
            mark("Confusion matrix of %(trial)s on the test images: rows are true classes, columns the answers."),
            {"trial": words.trial_name(result.trial, translate, stage_id)},
        ),
        columns=(translate.gettext("True class"), *names),
        rows=tuple((name, *row) for name, row in zip(names, metrics.confusion, strict=True)),
        group="confusion",
    )


def _draw_matrix(
    axes: Axes, values: Sequence[Sequence[float]], texts: Sequence[Sequence[str]], names: Sequence[str]
) -> None:
    shades = np.asarray(values, float)
    shades = np.sqrt(shades / (shades.max() or 1.0))  # the root keeps rare mistakes visible beside the diagonal
    picture = (SHADES(shades)[:, :, :3] * 255).round().astype(np.uint8)
    picture = picture.repeat(PIXELS, axis=0).repeat(PIXELS, axis=1)
    axes.imshow(picture, extent=(-0.5, 9.5, 9.5, -0.5), interpolation="none", aspect="auto")
    size = 6.4 if max(len(text) for row in texts for text in row) < 5 else 5.6
    for row, line in enumerate(texts):
        for column, text in enumerate(line):
            colour = "white" if shades[row, column] > DARK + 0.15 else style.BLACK
            axes.text(column, row, text, ha="center", va="center_baseline", fontsize=size, color=colour)
    axes.set_xticks(range(10), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(10), names)
    axes.tick_params(length=0, pad=2)
    axes.spines[["top", "right"]].set_visible(True)


def _alternative(result: TrialResult, metrics: PredictionMetrics, stage_id: str | None, translate: Translation) -> str:
    names, numbers = words.class_names(translate), Numbers(translate)
    pairs = [
        translate.plain(
            mark("%(label)s called %(predicted)s (%(share)s)"),
            {"label": names[pair.label], "predicted": names[pair.predicted], "share": numbers.number(pair.share)},
        )
        for pair in metrics.most_confused[:3]
    ]
    trial = words.trial_name(result.trial, translate, stage_id)
    if not pairs:
        return translate.plain(mark("Confusion matrix of %(trial)s without a single mistake."), {"trial": trial})
    return translate.plain(
        mark("Confusion matrix of %(trial)s; the commonest mistakes are: %(pairs)s."),
        {"trial": trial, "pairs": numbers.enumeration(pairs)},
    )
