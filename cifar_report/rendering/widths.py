"""How wide the columns of a printed table are, from the lengths of what stands in them."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from markupsafe import Markup

from cifar_report.rendering.elements import Column, Row

WIDEST = 75.0  # characters that a column of words claims at most
LEAST = 3.0
ROOM = 2.0  # characters between two columns
BREAK_AFTER = str.maketrans({character: f"{character} " for character in "./_-"})


def column_widths(columns: Sequence[Column], rows: Sequence[Row]) -> tuple[float, ...]:
    """Return widths in hundredths: numbers keep to a line, their intervals to another, words share the rest."""
    claims = [
        _claim(column, [_text(row.cells[place][0].content) for row in rows]) for place, column in enumerate(columns)
    ]
    whole = sum(claims)
    return tuple(round(100 * claim / whole, 2) for claim in claims)


def _claim(column: Column, texts: Sequence[str]) -> float:
    lengths = [float(len(text)) for text in texts] or [LEAST]
    if column.whole:
        return max(*lengths, LEAST) + ROOM
    heading = max(len(word) for word in column.title.split() or [""])
    if column.numeric:
        lines = [float(len(line)) for text in texts for line in text.split(" [")] or [LEAST]
        return max(*lines, heading, LEAST) + ROOM
    words = [len(word) for text in texts for word in text.translate(BREAK_AFTER).split()] or [0]
    wanted = min(max(fmean(lengths) * 0.9, max(lengths) * 0.55), WIDEST)
    return max(wanted, min(max(words), WIDEST / 3), heading, LEAST) + ROOM


def _text(content: Markup) -> str:
    return content.striptags()
