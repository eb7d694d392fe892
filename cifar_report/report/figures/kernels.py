"""First-layer filters: what the network's first convolution looks for, drawn from the stored kernels."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from cifar_report.analysis.results import TrialResult
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import Cell, DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

Kernels = np.ndarray[Any, Any]
"""Weights, float32 [height, width, 3, filters]."""

A_ROW: Final = 16
TILE: Final = 24  # pixels of the picture for one filter, about; whole pixels for each weight
GAP: Final = 4  # white pixels between filters


def draw_kernels(result: TrialResult, run_id: str, kernels: Kernels, translate: Translation) -> DrawnFigure | None:
    """Draw the filters that one of a trial's runs has learnt; None for kernels that are not of three colours."""
    if kernels.ndim != 4 or kernels.shape[2] != 3 or not np.isfinite(kernels).all():
        return None
    picture = _picture(kernels)
    width = min(style.WIDTH, picture.shape[1])
    height = width * picture.shape[0] / picture.shape[1]
    with style.drawing():
        figure = style.sheet(height, width)
        axes = style.panel(figure, 0, 0, width, height)
        axes.set_axis_off()
        axes.imshow(picture, interpolation="none", aspect="auto")
        svg = to_svg(figure, f"kernels.{result.id}")
    values = {
        "trial": words.trial_name(result.trial, translate),
        "run": run_id,
        "count": Numbers(translate).integer(kernels.shape[3]),
        "size": f"{kernels.shape[0]}\N{MULTIPLICATION SIGN}{kernels.shape[1]}",
        "low": Numbers(translate).bare(float(kernels.min()), "score"),
        "high": Numbers(translate).bare(float(kernels.max()), "score", signed=True),
    }
    return DrawnFigure(
        id=f"kernels.{result.id}",
        svg=svg,
        width_points=width,
        height_points=height,
        alt=translate.plain(
            mark("The %(count)s filters (%(size)s) of the run %(run)s have weights from %(low)s to %(high)s."), values
        ),
        caption=translate.plain(
            mark(
                "First-layer filters of %(trial)s (run %(run)s) as colours: mid-grey is a weight of nought, the largest"
                " weight of all filters is fully bright or dark."
            ),
            values,
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=_rows(kernels, translate),
        group=result.experiment,
    )


COLUMNS: Final = (mark("Filter"), mark("Channel"), mark("Weights, row by row"))


def _picture(kernels: Kernels) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the filters side by side as uint8 [height, width, 3]; mid-grey stands for nought."""
    reach = float(np.abs(kernels).max()) or 1.0
    colours = np.clip(np.rint(127.5 + 127.5 * kernels.astype(np.float64) / reach), 0, 255).astype(np.uint8)
    zoom = max(1, TILE // kernels.shape[0])
    tiles = colours.transpose(3, 0, 1, 2).repeat(zoom, axis=1).repeat(zoom, axis=2)
    count, height, width, _ = tiles.shape
    lines = -(-count // A_ROW)
    step_down, step_right = height + GAP, width + GAP
    picture = np.full((lines * step_down - GAP, A_ROW * step_right - GAP, 3), 255, np.uint8)
    for place, tile in enumerate(tiles):
        top, left = place // A_ROW * step_down, place % A_ROW * step_right
        picture[top : top + height, left : left + width] = tile
    return picture


def _rows(kernels: Kernels, translate: Translation) -> tuple[tuple[Cell, ...], ...]:
    _ = translate.gettext
    channels = (_("red"), _("green"), _("blue"))
    return tuple(
        (place + 1, channel, _weights(kernels[:, :, depth, place]))
        for place in range(kernels.shape[3])
        for depth, channel in enumerate(channels)
    )


def _weights(kernel: Kernels) -> str:
    """Write a kernel's weights with two decimals, more than the picture shows; the bundle holds them in full."""
    texts = (f"{weight:.2f}".replace("0.", ".") for weight in kernel.ravel())
    return f"[{' '.join('0' if text in ('.00', '-.00') else text for text in texts)}]"
