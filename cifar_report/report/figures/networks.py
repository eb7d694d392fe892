"""Networks: their layers as boxes in the order of the data's way, and the filters of their first convolution."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from cifar_report.analysis.results import TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, SEPARATOR, DrawnFigure, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation
from cifar_report.spec import (
    INPUT_SHAPE,
    AnyLayer,
    BatchNormalization,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    LayerRow,
    MaxPooling2D,
    Trial,
    walk,
)

BOX_HEIGHT: Final = 38.0  # points
WIDEST_BOX: Final = 84.0
LEAST_BETWEEN: Final = 13.0  # for an arrow
ROW_STEP: Final = 64.0
MOST_A_ROW: Final = 6
TINY: Final = 6.8
FILLS: Final[dict[type[AnyLayer], str]] = {
    Conv2D: "#cfe6f4",
    MaxPooling2D: "#fbe3c3",
    Flatten: "#ffffff",
    Dense: "#cdeee3",
    BatchNormalization: "#f6e3ee",
    Dropout: "#eeeeee",
}


@style.in_style()
def draw_layers(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw the network of a trial as boxes in rows of about equal length; None for classifiers without layers."""
    if not isinstance(result.trial, Trial):
        return None
    layers = tuple(walk(result.trial.layers))
    count = len(layers) + 1
    a_row = max(-(-count // -(-count // MOST_A_ROW)), 2)
    height = -(-count // a_row) * ROW_STEP + 2
    figure, axes = style.canvas(height, translate)
    box = min((style.WIDTH - 1 + LEAST_BETWEEN) / a_row - LEAST_BETWEEN, WIDEST_BOX)
    step = (style.WIDTH - 1 - box) / (a_row - 1)
    corners = [(0.5 + place % a_row * step, 1.0 + place // a_row * ROW_STEP) for place in range(count)]
    for corner, layer in zip(corners, (None, *layers), strict=True):
        _draw_box(axes, corner, box, layer, translate)
    for one, other in pairwise(corners):
        _draw_arrow(axes, one, other, box)
    parts = ", ".join(f"{type(each.layer).__name__} ({_shape(each.shape)})" for each in layers)
    total = translate.numbers.integer(sum(each.parameters for each in layers))
    values = {"trial": trial_name(result.trial, translate), "layers": parts, "parameters": total}
    alt, caption = translate.plain(SAY.layers_alt, values), translate.plain(SAY.layers, values)
    columns = translate.columns("Layer | Arguments | Output | Parameters")
    rows = [
        (type(each.layer).__name__, ", ".join(_arguments(each.layer, translate)), _shape(each.shape), each.parameters)
        for each in layers
    ]
    figure_id = f"layers.{result.id}"
    return style.finished(figure, figure_id, result.experiment, alt=alt, caption=caption, columns=columns, rows=rows)


def _shape(sizes: tuple[int, ...]) -> str:
    """Return a shape as people write it, for example "30×30×16"."""
    return "\N{MULTIPLICATION SIGN}".join(map(str, sizes))


def _arguments(layer: AnyLayer, translate: Translation) -> tuple[str, ...]:
    """Return a layer's arguments in at most two short lines."""
    _ = translate.gettext
    match layer:
        case Conv2D():
            size = _shape((layer.kernel_size, layer.kernel_size))
            sizes = _("%(count)s filters %(size)s") % {"count": layer.filters, "size": size}
            stride = [_("stride %(count)s") % {"count": layer.strides}] if layer.strides > 1 else []
            padding = [layer.padding] if layer.padding != "valid" else []
            return sizes, ", ".join([*stride, *padding, *_activation(layer.activation)])
        case MaxPooling2D():
            return (_shape((layer.pool_size, layer.pool_size)),)
        case Dense():
            return _("%(count)s neurons") % {"count": layer.units}, ", ".join(_activation(layer.activation))
        case Dropout():
            return (_("rate %(rate)s") % {"rate": translate.numbers.plain(layer.rate)},)
        case _:
            return ()


def _activation(name: str) -> list[str]:
    return [] if name == "linear" else [{"relu": "ReLU"}.get(name, name)]


def _draw_box(
    axes: Axes, corner: tuple[float, float], width: float, row: LayerRow | None, translate: Translation
) -> None:
    """Draw a layer, or the image that enters the first one, with the shape of what leaves it below."""
    left, top = corner
    title = translate.gettext("Image") if row is None else type(row.layer).__name__
    arguments = () if row is None else _arguments(row.layer, translate)
    below = _shape(INPUT_SHAPE if row is None else row.shape)
    if row is not None and row.parameters:
        below += f"{SEPARATOR}{translate.numbers.integer(row.parameters)}"
    fill = "#ffffff" if row is None else FILLS[type(row.layer)]
    axes.add_patch(Rectangle(corner, width, BOX_HEIGHT, facecolor=fill, edgecolor=style.BLACK, linewidth=0.7))
    middle: Look = {"ha": "center", "va": "center_baseline"}
    lines = [(title, 7.8), *((text, TINY) for text in arguments if text)]
    for number, (text, size) in enumerate(lines):
        fitting = min(size, size * (width - 5) / style.text_width(text, size))
        height = top + BOX_HEIGHT / 2 + (number - (len(lines) - 1) / 2) * 10.5
        axes.text(left + width / 2, height, text, fontsize=fitting, **middle)
    axes.text(left + width / 2, top + BOX_HEIGHT + 8, below, fontsize=TINY, color="#404040", **middle)


def _draw_arrow(axes: Axes, one: tuple[float, float], other: tuple[float, float], width: float) -> None:
    """Lead from a box to the next one beside it, or from below it to the first one of the next row."""
    start, end = (one[0] + width, one[1] + BOX_HEIGHT / 2), (other[0], other[1] + BOX_HEIGHT / 2)
    if one[1] != other[1]:
        middle, first, turn = one[0] + width / 2, other[0] + width / 2, one[1] + BOX_HEIGHT + 18
        axes.plot((middle, middle, first), (turn - 4, turn, turn), color=style.BLACK, linewidth=0.7)
        start, end = (first, turn), (first, other[1] - 1)
    look: Look = {"arrowstyle": "-|>", "mutation_scale": 6, "shrinkA": 0, "shrinkB": 0}
    axes.add_patch(FancyArrowPatch(start, end, linewidth=0.7, color=style.BLACK, **look))


Kernels = np.ndarray[Any, Any]
"""Weights, float32 [height, width, 3, filters]."""
A_ROW: Final = 16  # filters
TILE: Final = 24  # pixels of the picture for one filter, about; whole pixels for each weight
GAP: Final = 4  # white pixels between filters


@style.in_style()
def draw_kernels(result: TrialResult, run_id: str, kernels: Kernels, translate: Translation) -> DrawnFigure | None:
    """Draw the filters that one of a trial's runs has learnt; None for kernels that are not of three colours."""
    if kernels.ndim != 4 or kernels.shape[2] != 3 or not np.isfinite(kernels).all():
        return None
    picture = _picture(kernels)
    width = float(min(style.WIDTH, picture.shape[1]))
    height = width * picture.shape[0] / picture.shape[1]
    figure = style.sheet(height, width)
    axes = style.panel(figure, 0, 0, width, height, translate)
    axes.set_axis_off()
    axes.imshow(picture, interpolation="none", aspect="auto")
    _, numbers = translate.gettext, translate.numbers
    values = {"trial": trial_name(result.trial, translate), "run": run_id, "size": _shape(kernels.shape[:2])}
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
