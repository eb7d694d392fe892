"""One look for all figures: sizes for an A4 page, colours for every eye, line styles for black and white."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from functools import cache
from typing import Any, Final, cast

import matplotlib
from matplotlib import font_manager
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font, LoadFlags

from cifar_report.report.typefaces import FOLDER

# The report's own design in its cut for small type, which matplotlib can read; what it lacks (a stranger's Cyrillic
# title) is set in the face that comes with matplotlib.
FONT: Final = "Report Figures"
FONTS: Final = (FONT, "DejaVu Sans")
font_manager.fontManager.addfont(FOLDER / "report-figures-400-normal.otf")

WIDTH: Final = 453.5  # points; 160 mm, the text width of an A4 page
POINTS_PER_INCH: Final = 72.0
MEASURED: Final = 100.0  # points in which letters are measured, and drawn: smaller ones would be rounded
SIZE: Final = 8.0  # points; labels
SMALL: Final = 7.0  # points; ticks and legends

# Okabe and Ito's colours: told apart with every common colour vision deficiency.
BLACK: Final = "#000000"
ORANGE: Final = "#e69f00"
SKY: Final = "#56b4e9"
GREEN: Final = "#009e73"
YELLOW: Final = "#f0e442"
BLUE: Final = "#0072b2"
VERMILLION: Final = "#d55e00"
PURPLE: Final = "#cc79a7"
GREY: Final = "#6e6e6e"
PALE: Final = "#dddddd"

DASHED: Final = (0, (4.0, 2.0))
DOTTED: Final = (0, (1.0, 1.6))

SETTINGS: Final[dict[Any, Any]] = {
    **cast(Any, matplotlib.rcParamsDefault),
    "font.family": [*FONTS],
    "font.size": SIZE,
    "axes.labelsize": SIZE,
    "axes.titlesize": SIZE,
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
    "legend.fontsize": SMALL,
    "axes.linewidth": 0.6,
    "axes.edgecolor": GREY,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 5.0,
    "axes.labelpad": 3.0,
    "axes.unicode_minus": True,
    "axes.formatter.use_locale": False,
    "axes.formatter.use_mathtext": False,
    "grid.color": PALE,
    "grid.linewidth": 0.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": BLACK,
    "ytick.labelcolor": BLACK,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.4,
    "lines.linewidth": 1.4,
    "path.simplify": True,
    "svg.fonttype": "path",
    "text.parse_math": False,
    "text.usetex": False,
}
for _of_the_machine in ("backend", "backend_fallback", "interactive", "toolbar", "webagg.open_in_browser"):
    SETTINGS.pop(_of_the_machine, None)


def sheet(height: float, width: float = WIDTH) -> Figure:
    """Return an empty figure of ``width`` by ``height`` points; call it inside ``drawing()``."""
    return Figure(figsize=(width / POINTS_PER_INCH, height / POINTS_PER_INCH), facecolor="white")


def drawing() -> AbstractContextManager[None]:
    """Return a context in which matplotlib has this project's settings, whatever the user's own are."""
    return matplotlib.rc_context(SETTINGS)


def panel(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """Add axes at a fixed place, in points from the top left corner: no layout engine, the same bytes everywhere."""
    total_width, total_height = (inches * POINTS_PER_INCH for inches in figure.get_size_inches())
    bottom = total_height - top - height
    return figure.add_axes((left / total_width, bottom / total_height, width / total_width, height / total_height))


def panels(figure: Figure, count: int, *, top: float, height: float, left: float = 34, gap: float = 44) -> list[Axes]:
    """Add ``count`` axes of one size side by side over the figure's width."""
    total = figure.get_size_inches()[0] * POINTS_PER_INCH - left - 6
    width = (total - (count - 1) * gap) / count
    return [panel(figure, left + place * (width + gap), top, width, height) for place in range(count)]


@cache
def text_width(text: str, size: float = SIZE) -> float:
    """Return how wide ``text`` is set, in points."""
    font = _font()
    font.set_size(MEASURED, POINTS_PER_INCH)
    font.set_text(text, 0.0, flags=LoadFlags.NO_HINTING)
    return float(font.get_width_height()[0]) / 64 * size / MEASURED  # FreeType counts in 64ths


@cache
def _font() -> FT2Font:
    return font_manager.get_font([font_manager.findfont(name) for name in FONTS])


def wrapped(text: str, width: float, size: float = SIZE) -> str:
    """Break ``text`` between words into the fewest lines of at most ``width`` points, all about equally long.

    Only a single word may be wider.
    """
    lines = _filled(text, width, size)
    while len(lines) > 1:
        widest = _widest(lines, size)
        tighter = _filled(text, widest - 0.5, size)
        if len(tighter) > len(lines) or _widest(tighter, size) >= widest:
            break
        lines = tighter
    return "\n".join(lines)


def _widest(lines: Sequence[str], size: float) -> float:
    return max(text_width(line, size) for line in lines)


def _filled(text: str, width: float, size: float) -> list[str]:
    """Return lines that each hold as many words as they can."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def shortened(text: str, width: float, size: float = SIZE) -> str:
    """Return ``text``, cut and marked with an ellipsis where it is wider than ``width`` points."""
    if text_width(text, size) <= width:
        return text
    while text and text_width(text + "\N{HORIZONTAL ELLIPSIS}", size) > width:
        text = text[:-1]
    return text.rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def legend_below(figure: Figure, handles: Sequence[Artist], columns: int, *, bottom: float = 2) -> None:
    """Put a legend under all panels, where it covers no data."""
    height = figure.get_size_inches()[1] * POINTS_PER_INCH
    figure.legend(
        handles=list(handles),
        loc="lower center",
        bbox_to_anchor=(0.5, bottom / height),
        ncols=columns,
        borderaxespad=0,
        borderpad=0,
    )


def seed_line(color: str) -> dict[str, Any]:
    """Return the look of one seed's curve."""
    return {"color": color, "linewidth": 0.5, "alpha": 0.45, "solid_joinstyle": "round"}
