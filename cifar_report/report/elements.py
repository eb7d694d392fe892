"""The plain things that templates show: cells, tables, figures and headings, all finished."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup, escape

PARTS = re.compile(r"(?<=[._])(?=[A-Za-z])")  # of an id; a number in it stays whole
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Cell:
    """One cell: what stands in it, and why there is nothing where there is nothing."""

    content: Markup
    numeric: bool = False
    missing: str | None = None  # the reason, in words


@dataclass(frozen=True)
class Column:
    """A column's heading; ``numeric`` columns are set flush right in tabular figures."""

    title: str
    numeric: bool = False
    whole: bool = False  # words that keep to one line


@dataclass(frozen=True)
class Note:
    """A remark under a table, with the letter that stands in its cells."""

    letter: str
    text: str


def data_address(content: bytes, kind: str) -> str:
    """Return ``content`` as a ``data:`` address of the media type ``kind``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def breakable(name: str) -> Markup:
    """Return an id that may go on on another line between two of its parts, and not in the middle of a word."""
    return Markup("<wbr>").join(escape(part) for part in PARTS.split(name))


def letter(place: int) -> str:
    """Return the letter of the note at a place, counted from 0: a to z, then aa, ab and so on."""
    before, last = divmod(place, len(LETTERS))
    return (letter(before - 1) if before else "") + LETTERS[last]


@dataclass(frozen=True)
class Row:
    """One row; ``outcome`` is set where a verdict filter may hide it, ``id`` where something links to it."""

    cells: tuple[tuple[Cell, str], ...]  # with the letter of its note, "" for none
    id: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class Table:
    """A captioned table; the first cell of each row is its heading."""

    id: str
    number: str
    caption: Markup
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[Note, ...] = ()
    style: str = ""  # a class of the style sheets
    widths: tuple[float, ...] = ()  # of the columns, in hundredths of the table's width; empty: as the browser likes

    @property
    def numbers(self) -> bool:
        """Say whether there are numbers alone beside the first column: then the table says so, and not each cell."""
        return bool(self.rows) and len(self.numeric_places) == len(self.rows[0].cells) - 1

    @cached_property
    def numeric_places(self) -> tuple[int, ...]:
        """Return which columns behind the first hold numbers alone, counted from 1; on the screen the table says so."""
        if not self.rows:
            return ()
        told = range(1, len(self.rows[0].cells))
        return tuple(place + 1 for place in told if all(row.cells[place][0].numeric for row in self.rows))


@dataclass(frozen=True)
class FigureView:
    """A captioned figure as a data address, with its data as a table where the report shows it."""

    id: str
    number: str
    address: str
    alt: str
    caption: str
    width: int  # points
    height: int  # points
    pixelated: bool
    data: Table | None


@dataclass(frozen=True)
class FormulaView:
    """A set formula as a data address; its words are the alternative text."""

    address: str
    alt: str
    width_em: float
    height_em: float
    shift_em: float = 0.0  # how far below the line of text it hangs


@dataclass(frozen=True)
class Heading:
    """A heading of the table of contents."""

    id: str
    number: str  # "" where it has none
    title: str
    level: int
