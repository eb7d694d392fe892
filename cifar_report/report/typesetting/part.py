"""One part of a printed report, laid out by itself before anyone knows on which page it begins.

The parts of a report are documents of their own, so that two processes can set them at the same time. What one part
has to learn of the others is the number of its first page and which places there are to link to; both are known when
every part is laid out, and wanted when its pages are drawn. Until then its margins stay empty.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import weasyprint
from weasyprint.layout import background, page

from cifar_report.report.typesetting.light import LightHTML, fonts
from cifar_report.report.typesetting.quick import quick_setting

VARIANT = "pdf/a-3a"
POINTS_PER_PIXEL = 0.75

Bookmarks = list[tuple[str, tuple[int, float, float], "Bookmarks", str]]  # label, place, what is below, open or closed


@dataclass(frozen=True)
class Extent:
    """How many pages a part has, and what on which of them, counted from 0: places to link to, and bookmarks."""

    pages: int
    places: Mapping[str, int]
    bookmarks: Bookmarks


class Part:
    """A part of a report whose pages are laid out; ``pictures`` are those that ``source`` names, by their addresses."""

    def __init__(self, source: str, pictures: Mapping[str, Any]) -> None:
        self._margins: list[tuple[Any, Any, int, Any]] = []
        sheet, configuration = fonts()
        with _setting(), _margins_later(self._margins):
            # WeasyPrint looks for a picture in its cache first.
            self.document = LightHTML(source).render(
                pdf_variant=VARIANT, cache=dict(pictures), font_config=configuration, stylesheets=[sheet]
            )
        pages = self.document.pages
        bookmarks = self.document.make_bookmark_tree(POINTS_PER_PIXEL, transform_pages=True)
        for each in pages:
            each.bookmarks = []  # WeasyPrint would write those of this part alone
        self.extent = Extent(len(pages), _places(pages), bookmarks)

    def number(self, before: int) -> None:
        """Fill the margins of pages that come after ``before`` others."""
        with _setting():
            for context, box, number, (quotes, counters, scopes, groups) in self._margins:
                context.current_page = number
                counted = {**counters, "page": [value + before for value in counters["page"]]}
                margins = list(page.make_margin_boxes(context, box, (quotes, counted, scopes, groups)))
                for each in margins:
                    background.layout_box_backgrounds(box, each, context.get_image_from_uri)
                box.children = (*box.children, *margins)
        self._margins.clear()

    def link_to(self, places: Iterable[str]) -> None:
        """Let the part's links lead to places of the whole report: WeasyPrint drops a link that leads nowhere."""
        nowhere = (0, 0, 0, 0)
        self.document.pages[-1].anchors.update((name, nowhere) for name in places if name not in self.extent.places)

    def write(self, finisher: Callable[[Any, Any], None], **options: Any) -> bytes:
        """Draw the pages; ``finisher`` is given the document and its PDF before that is written."""
        with _setting():
            content: bytes = self.document.write_pdf(pdf_variant=VARIANT, finisher=finisher, **options)
        return content


@contextmanager
def _setting() -> Iterator[None]:
    """Set pages quickly inside of this ``with``, and without a warning of what WeasyPrint leaves open."""
    with warnings.catch_warnings(), quick_setting():
        # WeasyPrint leaves the file of its colour profile to the garbage collector.
        warnings.simplefilter("ignore", ResourceWarning)
        yield


@contextmanager
def _margins_later(waiting: list[tuple[Any, Any, int, Any]]) -> Iterator[None]:
    """Note what the margins of each page are made of, and leave them empty."""
    layout = weasyprint.layout

    def remember(context: Any, box: Any, state: Any) -> tuple[()]:
        waiting.append((context, box, context.current_page, state))
        return ()

    make, layout.make_margin_boxes = layout.make_margin_boxes, remember
    try:
        yield
    finally:
        layout.make_margin_boxes = make


def _places(pages: Iterable[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for number, each in enumerate(pages):
        for name in each.anchors:
            found.setdefault(name, number)
    return found
