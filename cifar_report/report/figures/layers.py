"""Layer diagrams: a network's layers as boxes in the order of the data's way, drawn from its spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, Rectangle

from cifar_report.analysis.results import TrialResult
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers
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

Box = tuple[str, tuple[str, ...], str, str]
"""Name, arguments, what stands below, fill."""


@dataclass(frozen=True)
class _Grid:
    """Boxes in rows of about equal length: how many a row, how wide, and how far from one to the next, in points."""

    a_row: int
    box: float
    step: float

    @classmethod
    def of(cls, count: int) -> _Grid:
        a_row = max(-(-count // -(-count // MOST_A_ROW)), 2)
        box = min((style.WIDTH - 1 + LEAST_BETWEEN) / a_row - LEAST_BETWEEN, WIDEST_BOX)
        step = (style.WIDTH - 1 - box) / (a_row - 1)
        return cls(a_row, box, step)

    def place(self, number: int) -> tuple[int, float, float]:
        """Return a box's column and its left and upper edge."""
        line, column = divmod(number, self.a_row)
        return column, 0.5 + column * self.step, 1.0 + line * ROW_STEP

    def fitting(self, text: str, size: float) -> float:
        """Return ``size``, or a smaller one at which a text fits into its box."""
        return min(size, size * (self.box - 5) / max(style.text_width(text, size), 1.0))


def draw_layers(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw the network of a trial; None for classifiers without layers."""
    if not isinstance(result.trial, Trial):
        return None
    rows = tuple(walk(result.trial.layers))
    boxes = [_input(translate), *(_box(row, translate) for row in rows)]
    grid = _Grid.of(len(boxes))
    height = -(-len(boxes) // grid.a_row) * ROW_STEP + 2
    with style.drawing():
        figure = style.sheet(height)
        axes = style.panel(figure, 0, 0, style.WIDTH, height)
        axes.set(xlim=(0, style.WIDTH), ylim=(height, 0))
        axes.set_axis_off()
        for place, box in enumerate(boxes):
            _draw_box(axes, grid, place, box, last=place == len(boxes) - 1)
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


def _draw_box(axes: Axes, grid: _Grid, place: int, box: Box, *, last: bool) -> None:
    title, arguments, below, fill = box
    column, left, top = grid.place(place)
    axes.add_patch(Rectangle((left, top), grid.box, BOX_HEIGHT, facecolor=fill, edgecolor=style.BLACK, linewidth=0.7))
    middle = left + grid.box / 2
    lines = [(title, grid.fitting(title, 7.8)), *((text, grid.fitting(text, TINY)) for text in arguments if text)]
    for number, (text, size) in enumerate(lines):
        height = top + BOX_HEIGHT / 2 + (number - (len(lines) - 1) / 2) * 10.5
        axes.text(middle, height, text, ha="center", va="center_baseline", fontsize=size)
    axes.text(middle, top + BOX_HEIGHT + 8, below, ha="center", va="center_baseline", fontsize=TINY, color="#404040")
    if last:
        return
    start, height = left + grid.box, top + BOX_HEIGHT / 2
    if column < grid.a_row - 1:
        axes.add_patch(_arrow((start, height), (left + grid.step, height)))
    else:
        _draw_turn(axes, grid, middle, top + BOX_HEIGHT + 14)


def _draw_turn(axes: Axes, grid: _Grid, middle: float, top: float) -> None:
    """Lead from below the last box of a row to the first box of the next one."""
    first = 0.5 + grid.box / 2
    axes.plot((middle, middle, first), (top, top + 4, top + 4), color=style.BLACK, linewidth=0.7)
    axes.add_patch(_arrow((first, top + 4), (first, top + ROW_STEP - BOX_HEIGHT - 14)))


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
