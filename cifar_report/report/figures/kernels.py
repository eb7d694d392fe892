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
TILE, GAP = 24, 4  # pixels of the picture for one filter, about, and between two; whole pixels for each weight


@style.in_style()
def draw_kernels(result: TrialResult, run_id: str, kernels: Kernels, translate: Translation) -> DrawnFigure | None:
    """Draw the filters that one of a trial's runs has learnt; None where they are small or not of three colours."""
    if kernels.ndim != 4 or kernels.shape[2] != 3 or kernels.shape[0] < LEAST_SIDE or not np.isfinite(kernels).all():
        return None
    picture, count = _picture(kernels), kernels.shape[3]
    width = min(style.WIDTH, picture.shape[1])
    height = width * picture.shape[0] / picture.shape[1]
    figure = style.sheet(height, width)
    axes = style.panel(figure, 0, 0, width, height, translate)
    axes.set_axis_off()
    axes.imshow(picture, interpolation="none", aspect="auto")
    numbers, size = translate.numbers, "\N{MULTIPLICATION SIGN}".join(map(str, kernels.shape[:2]))
    values = {
        "trial": trial_name(result.trial, translate),
        "run": run_id,
        "size": size,
        "count": numbers.integer(count),
    }
    values |= {"low": numbers.bare(float(kernels.min()), "score"), "high": numbers.bare(float(kernels.max()), "score")}
    colours = translate.columns("red | green | blue")
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
    tiles = colours.transpose(3, 0, 1, 2).repeat(zoom, axis=1).repeat(zoom, axis=2)
    room = ((0, -len(tiles) % min(A_ROW, len(tiles))), (0, GAP), (0, GAP), (0, 0))
    tiles = np.pad(tiles, room, constant_values=255)
    return np.vstack([np.hstack([*tiles[start : start + A_ROW]]) for start in range(0, len(tiles), A_ROW)])
