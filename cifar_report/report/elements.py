"""What templates show: cells, tables, figures and headings, and the markup that several of them share."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass

from markupsafe import Markup, escape

PARTS = re.compile(r"(?<=[._])(?=[A-Za-z])")  # of an id; a number in it stays whole


@dataclass(frozen=True)
class Cell:
    """One table cell; ``missing`` says in words why a cell holds a dash."""

    content: Markup
    numeric: bool = False
    missing: str | None = None


@dataclass(frozen=True)
class Column:
    """A column's heading; ``numeric`` columns are set flush right, ``whole`` ones keep to one line."""

    title: str
    numeric: bool = False
    whole: bool = False


@dataclass(frozen=True)
class Row:
    """One table row; a filter may hide rows by their ``outcome``, and ``id`` is where links lead to."""

    cells: tuple[Cell, ...]
    id: str | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class Table:
    """A captioned table; the first cell of each row is its heading."""

    id: str
    number: str  # "" for a table that only one medium shows
    caption: Markup
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: dict[str, str]  # why cells hold dashes, each reason with its letter
    style: str = ""  # a class of the style sheets
    widths: tuple[float, ...] = ()  # of the columns in hundredths; empty: as the browser likes


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


@dataclass(frozen=True)
class Heading:
    """A heading of the table of contents."""

    id: str
    number: str  # "" where it has none
    title: str
    level: int


@dataclass(frozen=True)
class SectionView:
    """A section: its heading, the template that shows it, and what the template shows (``it``)."""

    heading: Heading
    template: str
    it: Mapping[str, object]


def data_address(content: bytes, kind: str) -> str:
    """Return ``content`` as a ``data:`` address of the media type ``kind``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def breakable(name: str) -> Markup:
    """Return an id that may be broken between two of its parts, not inside a word."""
    return Markup("<wbr>").join(escape(part) for part in PARTS.split(name))


def code(text: str) -> Markup:
    """Return text in the fixed-width face."""
    return Markup("<code>{}</code>").format(breakable(text))


def claim_link(claim_id: str) -> Markup:
    """Return a link to the place where a claim is discussed."""
    return Markup('<a class="claim" href="#claim-{}">{}</a>').format(claim_id, breakable(claim_id))
