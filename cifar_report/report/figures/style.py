"""One look for all figures: sizes for an A4 page, colours for every eye, numbers as the language writes them."""

import io
import locale
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import matplotlib
import matplotlib.style
import numpy as np
from babel.numbers import get_decimal_symbol
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import LoadFlags
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import ScalarFormatter

from cifar_report.analysis.results import Outcome
from cifar_report.report.figures.base import Cell, DrawnFigure, to_inline
from cifar_report.report.i18n import Translation

Look = dict[str, Any]
"""Properties of matplotlib's lines or patches."""

WIDTH: Final = 476.0  # points; 168 mm, the text width of an A4 page
HALF: Final = 232.0  # points; of a figure beside another
POINTS_PER_INCH: Final = 72.0
SIZE: Final = 8.0  # points; labels
SMALL: Final = 7.0  # points; ticks and legends
UNSCALED: Final = 100.0  # points; in which widths of text are measured

# Okabe and Ito's colours, which differ with every common colour vision deficiency, and those of the verdicts.
COLOURS: Final = {
    "#000000": "--ink",
    "#ffffff": "--paper",
    "#56b4e9": "--figure-sky",
    "#0072b2": "--figure-blue",
    "#d55e00": "--figure-red",
    "#6e6e6e": "--soft",
    "#dddddd": "--line",
    "#f5f5f5": "--panel",
    "#00573a": "--good",
    "#8c2f00": "--bad",
    "#6b5200": "--open",
}
"""The variables of the page that stand for the colours of a drawing inside it."""
BLACK, WHITE, SKY, BLUE, VERMILLION, GREY, PALE, BAND, GOOD, BAD, OPEN = COLOURS
FACES: Final = '"Report Figures","Serif Latin","Serif Greek",serif'

VERDICTS: Final[dict[Outcome, Look]] = {
    "reproduced": {"marker": "o", "mfc": GOOD, "mec": GOOD},
    "not_reproduced": {"marker": "X", "mfc": BAD, "mec": BAD},
    "inconclusive": {"marker": "s", "mfc": WHITE, "mec": OPEN},
    "not_testable": {"marker": "^", "mfc": WHITE, "mec": GREY},
    "not_run": {"marker": "_", "mfc": WHITE, "mec": GREY},
}
"""Each outcome has a form of its own, so that no colour is needed to read it."""

MARGIN: Final[Look] = {"color": GREY, "alpha": 0.22, "linewidth": 0}
ROW_LINE: Final = 9.2  # points from one line of a row's name to the next
LEGEND_LINE: Final = 13.0
HANDLE, GAP_OF_LEGEND = 26.0, 8.4  # points of a legend's mark and the space after it, and of the space after a column

DASHED: Final = (0, (4.0, 2.0))
ELLIPSIS: Final = "\N{HORIZONTAL ELLIPSIS}"

font_manager.fontManager.addfont(Path(__file__).parents[1] / "fonts" / "report-figures-400-normal.otf")


@contextmanager
def in_style() -> Iterator[None]:
    """Give matplotlib these settings while a function draws, whatever the user's own are; also a decorator.

    The locale is left out as well: HarfBuzz takes the language of a text from it where matplotlib measures one.
    """
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C")
    try:
        with matplotlib.style.context(("default", Path(__file__).parent / "figures.mplstyle")):
            yield
    finally:
        locale.setlocale(locale.LC_CTYPE, before)


def sheet(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of ``width`` by ``height`` points."""
    return Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH))


def panel(figure: Figure, left: float, top: float, width: float, height: float, translate: Translation) -> Axes:
    """Add axes at a fixed place, in points from the top left corner, with the language's numbers on them."""
    across, down = figure.get_size_inches() * POINTS_PER_INCH
    axes = figure.add_axes((left / across, 1 - (top + height) / down, width / across, height / down))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(LocalNumbers(translate))
    return axes


def canvas(height: float, translate: Translation) -> tuple[Figure, Axes]:
    """Return a figure and axes all over it that count in points from the top left corner, for drawings."""
    figure = sheet(height)
    axes = panel(figure, 0, 0, WIDTH, height, translate)
    axes.set(xlim=(0, WIDTH), ylim=(height, 0), autoscale_on=False)
    axes.set_axis_off()
    return figure, axes


def legend_columns(labels: Sequence[str], most: int, width: float = WIDTH) -> int:
    """Return in how many columns, ``most`` at most, a legend of these labels fits a width in points."""
    for count in range(min(most, len(labels)), 1, -1):
        columns = np.array_split([text_width(label) for label in labels], count)
        if sum(column.max() + HANDLE for column in columns) <= width + GAP_OF_LEGEND:
            return count
    return 1


def legend_below(figure: Figure, lines: Mapping[str, Look], columns: int, patches: Sequence[Patch] = ()) -> None:
    """Put a legend under all panels, where it covers no data; ``lines`` are labels with their looks."""
    above = (0.5, 2 / POINTS_PER_INCH / figure.get_size_inches()[1])
    place: Look = {"loc": "lower center", "bbox_to_anchor": above, "borderaxespad": 0, "borderpad": 0}
    handles: list[Artist] = [Line2D([], [], label=label, **look) for label, look in lines.items()]
    figure.legend(handles=[*handles, *patches], ncols=columns, **place)


class RowPlot(NamedTuple):
    """An empty figure with named rows; ``places`` are the rows' heights on the axes, in points from the top."""

    figure: Figure
    axes: Axes
    places: tuple[float, ...]
    top: float  # of the axes, points

    def write(self, place: float, across: float, text: str, **look: Any) -> None:
        """Write beside the axes, ``across`` points from the left and ``place`` points below the axes' top."""
        width, height = self.figure.get_size_inches() * POINTS_PER_INCH
        self.figure.text(across / width, 1 - (self.top + place) / height, text, va="center_baseline", **look)


def row_plot(
    names: Sequence[str],
    names_width: float,
    label: str,
    translate: Translation,
    *,
    codes: Sequence[str] = (),
    right: float,
    top: float,
    above: Sequence[float] = (),
    gap: float,
) -> RowPlot:
    """Return a figure with one named row per trial or claim and one axis, called ``label``, at the bottom.

    The columns beside the axes are ``names_width`` and ``right`` points wide; ``codes`` stand at the left edge;
    ``above`` gives rows room for what stands above their marks.
    """
    codes_width = 8 + max((text_width(code) for code in codes), default=0)
    texts = [wrapped(name, names_width - codes_width) for name in names]
    sizes = [ROW_LINE * (text.count("\n") + 1) + gap for text in texts]
    more = above or [0.0] * len(sizes)
    total = sum(sizes) + sum(more)
    figure = sheet(top + total + 32.0 + LEGEND_LINE)  # points for the axis and its title
    axes = panel(figure, names_width, top, WIDTH - names_width - right, total, translate)
    places, start = [], 0.0
    for row, (size, room) in enumerate(zip(sizes, more, strict=True)):
        if row % 2 == 0:
            axes.axhspan(start, start + size + room, color=BAND, linewidth=0, zorder=0)
        places.append(start + room + size / 2)
        start += size + room
    axes.set_ylim(total, 0)
    axes.set_yticks(places, texts)
    axes.tick_params(axis="y", length=0, pad=4)
    plot = RowPlot(figure, axes, tuple(places), top)
    for middle, code in zip(places, codes, strict=False):
        plot.write(middle, 0, code)
    axes.spines["left"].set_visible(False)
    axes.grid(True, axis="x")
    axes.set_xlabel(label, fontsize=SIZE)
    return plot


def finished(
    figure: Figure,
    figure_id: str,
    group: str,
    *,
    title: str = "",
    alt: str = "",
    caption: str,
    columns: Sequence[str],
    rows: Sequence[tuple[Cell, ...]],
    png: bytes | None = None,
) -> DrawnFigure:
    """Return the figure as SVG with its texts and data; without ``title`` and ``alt`` its caption is read aloud."""
    alt = f"{title} {alt}".strip() or caption
    drawn, anchor = _saved(figure, figure_id, "none"), f"svg-{figure_id.replace('.', '-')}"
    inline = to_inline(drawn, anchor, title or caption, alt, COLOURS, FACES)
    for artist in figure.findobj(lambda each: each.get_gid() is not None):
        artist.set_gid(None)
    width, height = (float(inches) * POINTS_PER_INCH for inches in figure.get_size_inches())
    svg, shown = _saved(figure, figure_id, "path"), tuple(columns)
    return DrawnFigure(figure_id, svg, width, height, alt, caption, shown, tuple(rows), group, png, title, inline)


def _saved(figure: Figure, figure_id: str, text: str) -> bytes:
    """Return matplotlib's SVG with its text as ``path`` or, on no ground, as text (``none``)."""
    buffer = io.BytesIO()
    metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with matplotlib.rc_context({"svg.hashsalt": figure_id, "svg.fonttype": text}):
        figure.savefig(buffer, format="svg", metadata=metadata, facecolor=WHITE if text == "path" else "none")
    return re.sub(rb"\n +", b"\n", buffer.getvalue())  # a tenth of it is indentation


@cache
def text_width(text: str, size: float = SMALL) -> float:
    """Return how wide ``text`` is set, in points."""
    font = font_manager.get_font([font_manager.findfont(name) for name in ("Report Figures", "DejaVu Sans")])
    font.set_size(UNSCALED, POINTS_PER_INCH)
    font.set_text(text, flags=LoadFlags.NO_HINTING, language="en")
    return float(font.get_width_height()[0]) / 64 * (size / UNSCALED)


def widest_word(*texts: str) -> float:
    """Return how wide the widest word of some texts is set, in points: less cannot hold them."""
    return max(text_width(word) for text in texts for word in text.split(" "))


def wrapped(text: str, width: float) -> str:
    """Break ``text`` between words into the fewest lines of at most ``width`` points, all about equally long.

    Only a single word may be wider.
    """
    lines = _filled(text, width)
    while len(lines) > 1:
        widest = max(map(text_width, lines))
        tighter = _filled(text, widest - 0.5)
        if len(tighter) > len(lines) or max(map(text_width, tighter)) >= widest:
            break
        lines = tighter
    return "\n".join(lines)


def _filled(text: str, width: float) -> list[str]:
    """Return lines that each hold as many words as they can."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def shortened(text: str, width: float, size: float = SMALL) -> str:
    """Return ``text``, cut and marked with an ellipsis where it is wider than ``width`` points."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + ELLIPSIS, size) > width:
        text = text[:-1]
    return text.rstrip() + ELLIPSIS


class LocalNumbers(ScalarFormatter):
    """Numbers on an axis with the language's decimal sign, all with as many digits as the steps between them need."""

    def __init__(self, translate: Translation) -> None:
        super().__init__(useOffset=False)
        self.set_scientific(False)
        self._decimal = get_decimal_symbol(translate.locale)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the number ``x`` at the tick ``pos`` as text."""
        return super().__call__(x, pos).replace(".", self._decimal)
