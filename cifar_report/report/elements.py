"""What templates show: cells, tables with the widths of their columns, figures, headings, and markup."""

import base64
import re
from collections.abc import Mapping
from typing import NamedTuple

from markupsafe import Markup, escape

PARTS = re.compile(r"(?<=[._])(?=[A-Za-z])")  # of an id; a number in it stays whole


class Cell(NamedTuple):
    """One table cell; ``missing`` says in words, in a note, why a cell holds a dash or what a reader should know."""

    content: Markup
    numeric: bool = False
    missing: str | None = None


class Column(NamedTuple):
    """A column's heading; ``numeric`` columns are set flush right."""

    title: str
    numeric: bool = False


class Row(NamedTuple):
    """One table row; a filter may hide rows by their ``outcome``, and ``id`` is where links lead to."""

    cells: tuple[Cell, ...]
    id: str | None = None
    outcome: str | None = None


class Table(NamedTuple):
    """A captioned table; the first cell of each row is its heading."""

    id: str
    number: str  # "" for a table that only one medium shows
    caption: Markup
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: dict[str, str]  # why cells hold dashes, each reason with its letter
    style: str = ""  # a class of the style sheets
    widths: tuple[float, ...] = ()  # of the columns in hundredths; empty: as the browser likes

    @property
    def stacked(self) -> bool:
        """Whether its rows stand one below the other on a narrow screen, so that cells need their column's title."""
        return not self.widths and not {"claims", "verdicts", "findings"}.isdisjoint(self.style.split())


class FigureView(NamedTuple):
    """A captioned figure, inline or as a data address, with its data as a table where the report shows it."""

    id: str
    number: str
    address: str  # "" where it is inline
    inline: Markup  # "" where it has an address
    title: str  # what it shows, as a sentence
    alt: str
    caption: str
    width: int  # points
    height: int  # points
    pixelated: bool
    data: Table | None


class FormulaView(NamedTuple):
    """A set formula: MathML for the screen, or a data address with its width; ``alt`` says it in words."""

    alt: str
    number: str = ""
    mathml: Markup | None = None
    address: str = ""
    width_em: float = 0.0


class Heading(NamedTuple):
    """A heading of the table of contents."""

    id: str
    number: str  # "" where it has none
    title: str
    level: int


class SectionView(NamedTuple):
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


def claim_link(claim_id: str, text: str | None = None) -> Markup:
    """Return a link to the place where a claim is discussed, by its id unless ``text`` is shown."""
    return Markup('<a class="claim" href="#claim-{}">{}</a>').format(claim_id, breakable(text or claim_id))
