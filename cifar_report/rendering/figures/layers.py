"""Layer diagrams: a network's layers as boxes in the order of the data's way, drawn from its spec."""

from __future__ import annotations

from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from cifar_report.analysis.results import TrialResult
from cifar_report.rendering.figures import style, words
from cifar_report.rendering.figures.drawn import DrawnFigure
from cifar_report.rendering.figures.svg import to_svg
from cifar_report.rendering.i18n import Translation, mark
from cifar_report.rendering.numbers import Numbers
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

BOX: Final = (64.0, 38.0)  # points
STEP: Final = (77.7, 64.0)
A_ROW: Final = 6
FILLS: Final[dict[type[AnyLayer], str]] = {
    Conv2D: "#cfe6f4",
    MaxPooling2D: "#fbe3c3",
    Flatten: "#ffffff",
    Dense: "#cdeee3",
    BatchNormalization: "#f6e3ee",
    Dropout: "#eeeeee",
}

Box = tuple[str, tuple[str, ...], str, str]
"""Name, arguments, what stands below, fill."""


def draw_layers(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw the network of a trial; None for classifiers without layers."""
    if not isinstance(result.trial, Trial):
        return None
    rows = tuple(walk(result.trial.layers))
    boxes = [_input(translate), *(_box(row, translate) for row in rows)]
    lines = -(-len(boxes) // A_ROW)
    height = lines * STEP[1] + 2
    with style.drawing():
        figure = style.sheet(height)
        axes = style.panel(figure, 0, 0, style.WIDTH, height)
        axes.set(xlim=(0, style.WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        for place, box in enumerate(boxes):
            _draw_box(axes, place, box, last=place == len(boxes) - 1)
        svg = to_svg(figure, f"layers.{result.id}")
    return DrawnFigure(
        id=f"layers.{result.id}",
        svg=svg,
        width_points=style.WIDTH,
        height_points=height,
        alt=_alternative(result, rows, translate),
        caption=translate.plain(
            mark(
                "The layers of %(trial)s; below each box stand the shape of its output and, where it has any, its"
                " parameters."
            ),
            {"trial": words.trial_name(result.trial, translate)},
        ),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(
            (type(row.layer).__name__, ", ".join(_arguments(row.layer, translate)), shape(row.shape), row.parameters)
            for row in rows
        ),
        group=result.experiment,
    )


COLUMNS: Final = (mark("Layer"), mark("Arguments"), mark("Output"), mark("Parameters"))


def shape(sizes: tuple[int, ...]) -> str:
    """Return a shape as people write it, for example "30×30×16"."""
    return "\N{MULTIPLICATION SIGN}".join(map(str, sizes))


def _input(translate: Translation) -> Box:
    return translate.gettext("Image"), (), shape(INPUT_SHAPE), "#ffffff"


def _box(row: LayerRow, translate: Translation) -> Box:
    below = shape(row.shape)
    if row.parameters:
        below = f"{below}{words.SEPARATOR}{Numbers(translate).integer(row.parameters)}"
    return type(row.layer).__name__, _arguments(row.layer, translate), below, FILLS[type(row.layer)]


def _arguments(layer: AnyLayer, translate: Translation) -> tuple[str, ...]:
    """Return a layer's arguments in at most two short lines."""
    _ = translate.gettext
    match layer:
        case Conv2D():
            size = shape((layer.kernel_size, layer.kernel_size))
            sizes = _("%(count)s filters %(size)s") % {"count": layer.filters, "size": size}
            stride = [_("stride %(count)s") % {"count": layer.strides}] if layer.strides > 1 else []
            padding = [layer.padding] if layer.padding != "valid" else []
            return sizes, ", ".join([*stride, *padding, *_activation(layer.activation)])
        case MaxPooling2D():
            return (shape((layer.pool_size, layer.pool_size)),)
        case Dense():
            return _("%(count)s neurons") % {"count": layer.units}, ", ".join(_activation(layer.activation))
        case Dropout():
            return (_("rate %(rate)s") % {"rate": Numbers(translate).plain(layer.rate)},)
        case _:
            return ()


def _activation(name: str) -> list[str]:
    return [] if name == "linear" else [{"relu": "ReLU"}.get(name, name)]


def _draw_box(axes: Axes, place: int, box: Box, *, last: bool) -> None:
    title, arguments, below, fill = box
    column, line = place % A_ROW, place // A_ROW
    left, top = 0.5 + column * STEP[0], 1.0 + line * STEP[1]
    axes.add_patch(Rectangle((left, top), *BOX, facecolor=fill, edgecolor=style.BLACK, linewidth=0.7))
    middle = left + BOX[0] / 2
    lines = [(title, _fitting(title)), *((text, 6.2) for text in arguments if text)]
    for number, (text, size) in enumerate(lines):
        height = top + BOX[1] / 2 + (number - (len(lines) - 1) / 2) * 10.5
        axes.text(middle, height, text, ha="center", va="center_baseline", fontsize=size)
    axes.text(middle, top + BOX[1] + 8, below, ha="center", va="center_baseline", fontsize=6.2, color="#404040")
    if last:
        return
    start, height = left + BOX[0], top + BOX[1] / 2
    if column < A_ROW - 1:
        axes.add_patch(_arrow((start, height), (left + STEP[0], height)))
    else:
        _draw_turn(axes, middle, top + BOX[1] + 14)


def _draw_turn(axes: Axes, middle: float, top: float) -> None:
    """Lead from below the last box of a row to the first box of the next one."""
    first = 0.5 + BOX[0] / 2
    axes.plot((middle, middle, first), (top, top + 4, top + 4), color=style.BLACK, linewidth=0.7)
    axes.add_patch(_arrow((first, top + 4), (first, top + STEP[1] - BOX[1] - 14)))


def _fitting(title: str) -> float:
    """Return the size at which a name fits into its box."""
    return min(7.6, 7.6 * (BOX[0] - 6) / max(style.text_width(title, 7.6), 1.0))


def _arrow(start: tuple[float, float], end: tuple[float, float]) -> FancyArrowPatch:
    return FancyArrowPatch(
        start, end, arrowstyle="-|>", mutation_scale=6, shrinkA=0, shrinkB=0, linewidth=0.7, color=style.BLACK
    )


def _alternative(result: TrialResult, rows: tuple[LayerRow, ...], translate: Translation) -> str:
    sentence = mark("The network of %(trial)s in order: %(layers)s; %(parameters)s parameters in all.")
    values = {
        "trial": words.trial_name(result.trial, translate),
        "layers": ", ".join(f"{type(row.layer).__name__} ({shape(row.shape)})" for row in rows),
        "parameters": Numbers(translate).integer(sum(row.parameters for row in rows)),
    }
    return translate.plain(sentence, values)
