"""What templates show: cells, tables with the widths of their columns, figures, headings, and markup."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

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

    @property
    def stacked(self) -> bool:
        """Whether its rows stand one below the other on a narrow screen, so that cells need their column's title."""
        return not self.widths and not {"claims", "verdicts", "findings"}.isdisjoint(self.style.split())


@dataclass(frozen=True)
class FigureView:
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


@dataclass(frozen=True)
class FormulaView:
    """A set formula: MathML for the screen, or a data address with its size; ``alt`` says it in words."""

    alt: str
    number: str = ""
    mathml: Markup | None = None
    address: str = ""
    width_em: float = 0.0
    height_em: float = 0.0


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


LEAST = 3.0
BOLD = 1.2  # how much wider a letter of a heading is than one of the text
BREAK_AFTER = str.maketrans({character: f"{character} " for character in "./_-"})


@dataclass(frozen=True)
class Room:
    """What a page has room for, in characters: a column of words or one that keeps to a line, and the space between.

    A column of words claims at least ``share_of_longest`` of its longest text, and all of it up to ``short``. Where
    all claims together are more than fits on a ``line``, words are still not broken in two.
    """

    widest: float
    widest_whole: float
    between: float
    share_of_longest: float
    short: float
    line: float


UPRIGHT = Room(widest=75.0, widest_whole=75.0, between=2.0, share_of_longest=0.55, short=24.0, line=105.0)
# Lines fill the page: no second one.
ACROSS = Room(widest=124.0, widest_whole=26.0, between=1.0, share_of_longest=0.85, short=0.0, line=math.inf)


class _Claim(NamedTuple):
    """How many characters a column cannot do without, and how many it wants."""

    least: float
    wanted: float


def column_widths(columns: Sequence[Column], rows: Sequence[Row], *, across: bool = False) -> tuple[float, ...]:
    """Return widths in hundredths: numbers keep to a line, their intervals to another, words share the rest."""
    room = ACROSS if across else UPRIGHT
    claims = [
        _claim(column, [row.cells[place].content.striptags() for row in rows], room)
        for place, column in enumerate(columns)
    ]
    least, wanted = sum(claim.least for claim in claims), sum(claim.wanted for claim in claims)
    # What is too much is taken from that which columns want beyond their least.
    share = 1.0 if wanted <= room.line or wanted == least else max(0.0, (room.line - least) / (wanted - least))
    widths = [claim.least + share * (claim.wanted - claim.least) for claim in claims]
    return tuple(round(100 * width / sum(widths), 2) for width in widths)


def _claim(column: Column, texts: Sequence[str], room: Room) -> _Claim:
    longest = float(max(map(len, texts), default=LEAST))
    if column.whole:
        width = max(longest, LEAST)
        return _Claim(*[(width if column.numeric else min(width, room.widest_whole)) + room.between] * 2)
    heading = BOLD * max(map(len, column.title.replace("-", "- ").split()), default=0)
    if column.numeric:
        lines = max((len(line) for text in texts for line in text.split(" [")), default=0)
        return _Claim(*[max(lines, heading, LEAST) + room.between] * 2)
    average = fmean(map(len, texts)) if texts else LEAST
    wanted = min(max(average * 0.9, longest * room.share_of_longest, min(longest, room.short)), room.widest)
    word = max((len(word) for text in texts for word in text.translate(BREAK_AFTER).split()), default=0)
    least = max(min(word, room.widest / 3), heading, LEAST)
    return _Claim(least + room.between, max(wanted, least) + room.between)
