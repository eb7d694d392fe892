"""WeasyPrint with the rules that this report needs of its style sheet, and without those that cost a third of it all.

Its own sheet gives every element a marker, a call and a mark of footnotes and of notes, whether it has any or not:
six computed styles more for each cell of each table. No report has notes, and markers only in front of list items.
"""

from __future__ import annotations

import re
from typing import Any

from weasyprint import CSS, HTML
from weasyprint.css.counters import CounterStyle
from weasyprint.html import UA

OF_EVERY_NOTE = re.compile(r"^::(?:foot)?note-[a-z]+\s*\{[^}]*\}", re.MULTILINE)
OF_EVERY_MARKER = re.compile(r"^::marker(?=\s*\{)", re.MULTILINE)


def lighter(sheet: str) -> str:
    """Return WeasyPrint's style sheet without rules for notes, and with markers for list items alone."""
    return OF_EVERY_MARKER.sub("li::marker", OF_EVERY_NOTE.sub("", sheet))


class LightHTML(HTML):  # type: ignore[misc]
    """A document that is set with the lighter style sheet."""

    def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
        del forms  # the report has none
        # Its counter styles are known by now, and to read them twice would be an error.
        return [CSS(string=lighter(UA), counter_style=CounterStyle())]
