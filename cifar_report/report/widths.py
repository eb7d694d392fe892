"""Widths of the columns of a printed table, from the lengths of what stands in them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import NamedTuple

from cifar_report.report.elements import Column, Row

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


def column_widths(columns: Sequence[Column], rows: Sequence[Row], room: Room = UPRIGHT) -> tuple[float, ...]:
    """Return widths in hundredths: numbers keep to a line, their intervals to another, words share the rest."""
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
