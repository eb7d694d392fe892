"""The filters of a first convolution, where they are large enough to show anything."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cifar_report.analysis.results import TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, DrawnFigure, trial_name
from cifar_report.report.i18n import Translation

Kernels = np.ndarray[Any, Any]
"""Weights, float32 [height, width, 3, filters]."""
LEAST_SIDE: Final = 5  # weights: smaller filters are blots
A_ROW: Final = 16  # filters
TILE: Final = 24  # pixels of the picture for one filter, about; whole pixels for each weight
GAP: Final = 4  # white pixels between filters


@style.in_style()
def draw_kernels(result: TrialResult, run_id: str, kernels: Kernels, translate: Translation) -> DrawnFigure | None:
    """Draw the filters that one of a trial's runs has learnt; None where they are small or not of three colours."""
    if kernels.ndim != 4 or kernels.shape[2] != 3 or kernels.shape[0] < LEAST_SIDE or not np.isfinite(kernels).all():
        return None
    picture = _picture(kernels)
    width = float(min(style.WIDTH, picture.shape[1]))
    height = width * picture.shape[0] / picture.shape[1]
    figure = style.sheet(height, width)
    axes = style.panel(figure, 0, 0, width, height, translate)
    axes.set_axis_off()
    axes.imshow(picture, interpolation="none", aspect="auto")
    _, numbers = translate.gettext, translate.numbers
    values = {
        "trial": trial_name(result.trial, translate),
        "run": run_id,
        "size": "\N{MULTIPLICATION SIGN}".join(map(str, kernels.shape[:2])),
    }
    values["count"] = numbers.integer(kernels.shape[3])
    values["low"] = numbers.bare(float(kernels.min()), "score")
    values["high"] = numbers.bare(float(kernels.max()), "score", signed=True)
    alt, caption = translate.plain(SAY.kernels_alt, values), translate.plain(SAY.kernels, values)
    columns = translate.columns("Filter | Channel | Weights, row by row")
    rows = [
        (place + 1, channel, _weights(kernels[:, :, depth, place]))
        for place in range(kernels.shape[3])
        for depth, channel in enumerate((_("red"), _("green"), _("blue")))
    ]
    figure_id = f"kernels.{result.id}"
    return style.finished(figure, figure_id, result.experiment, alt=alt, caption=caption, columns=columns, rows=rows)


def _picture(kernels: Kernels) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the filters side by side as uint8 [height, width, 3]; mid-grey stands for zero."""
    reach = float(np.abs(kernels).max()) or 1.0
    colours = np.clip(np.rint(127.5 + 127.5 * kernels.astype(np.float64) / reach), 0, 255).astype(np.uint8)
    zoom = max(1, TILE // kernels.shape[0])
    tiles = colours.transpose(3, 0, 1, 2).repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, _ = tiles.shape
    down, right = height + GAP, width + GAP
    picture = np.full((-(-count // A_ROW) * down - GAP, A_ROW * right - GAP, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // A_ROW * down, place % A_ROW * right
        picture[top : top + height, left : left + width] = tile
    return picture


def _weights(kernel: Kernels) -> str:
    """Write a kernel's weights with two decimals, more than the picture shows; the bundle holds them in full."""
    texts = (f"{weight:.2f}".replace("0.", ".") for weight in kernel.ravel())
    return f"[{' '.join('0' if text in ('.00', '-.00') else text for text in texts)}]"
