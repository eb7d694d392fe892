"""WeasyPrint with the rules that this report needs of its style sheet, and without those that cost a third of it all.

Its own sheet gives every element a marker, a call and a mark of footnotes and of notes, whether it has any or not:
six computed styles more for each cell of each table. No report has notes, and markers only in front of list items.

Its parser reads whatever a browser would read, which takes far longer than to read well-formed text. Its fonts and
its own style sheet are read once in a process, however many documents that sets.
"""

from __future__ import annotations

import atexit
import re
from functools import cache
from typing import Any
from xml.etree import ElementTree

from cssselect2 import ElementWrapper
from weasyprint import CSS, HTML
from weasyprint.css.counters import CounterStyle
from weasyprint.html import UA
from weasyprint.text.fonts import FontConfiguration
from weasyprint.urls import URLFetcher

from cifar_report.report.typefaces import font_faces

DOCUMENT_TYPE = "<!DOCTYPE html>"
UNCLOSED = re.compile(r"(<(?:br|col|hr|img|link|meta|wbr)\b[^>]*)>")
OF_EVERY_NOTE = re.compile(r"^::(?:foot)?note-[a-z]+\s*\{[^}]*\}", re.MULTILINE)
OF_EVERY_MARKER = re.compile(r"^::marker(?=\s*\{)", re.MULTILINE)


def lighter(sheet: str) -> str:
    """Return WeasyPrint's style sheet without rules for notes, and with markers for list items alone."""
    return OF_EVERY_MARKER.sub("li::marker", OF_EVERY_NOTE.sub("", sheet))


def well_formed(source: str) -> ElementTree.Element | None:
    """Return the elements of an HTML document that would be XML if nothing in it were left open, else None."""
    closed = UNCLOSED.sub(r"\1/>", source.removeprefix(DOCUMENT_TYPE))
    try:
        return ElementTree.fromstring(closed)  # noqa: S314 - written by our templates a moment ago
    except ElementTree.ParseError:
        return None


def fetcher() -> Any:
    """Return a fetcher that opens what stands in the document itself and nothing else, no file and no address."""
    return URLFetcher(allowed_protocols={"data"}, allow_redirects=False)


@cache
def fonts() -> tuple[Any, Any]:
    """Return the report's typefaces, as the style sheet that names them and as what finds them.

    They lie in a temporary folder, which goes with the process (``forget_fonts``), whoever still holds them then.
    """
    configuration = FontConfiguration()
    atexit.register(forget_fonts)
    return CSS(string=font_faces(), font_config=configuration, url_fetcher=fetcher()), configuration


def forget_fonts() -> None:
    """Delete the typefaces' folder; nothing can be set in this process afterwards."""
    if fonts.cache_info().currsize:
        fonts()[1].__del__()


@cache
def own_sheet() -> Any:
    """Return what WeasyPrint's style sheet leaves of itself for this report."""
    # Its counter styles are known by now, and to read them twice would be an error.
    return CSS(string=lighter(UA), counter_style=CounterStyle())


class LightHTML(HTML):  # type: ignore[misc]
    """A document that is set with the lighter style sheet."""

    def __init__(self, source: str) -> None:
        root = well_formed(source)
        if root is None:
            super().__init__(string=source, url_fetcher=fetcher())
            return
        self.base_url, self.url_fetcher, self.media_type = None, fetcher(), "print"
        self.wrapper_element = ElementWrapper.from_html_root(root, content_language=None)
        self.etree_element = root

    def _ua_stylesheets(self, forms: bool = False) -> list[Any]:
        del forms  # the report has none
        return [own_sheet()]
