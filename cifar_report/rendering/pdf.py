"""The report as one PDF that is PDF/A-3a and PDF/UA-1 at once, the same bytes for the same input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from cifar_report.rendering import formulas
from cifar_report.rendering.environment import render
from cifar_report.rendering.figures.drawn import DrawnFigure
from cifar_report.rendering.i18n import Translation, mark
from cifar_report.rendering.paper import Paper
from cifar_report.rendering.pictures import paper_address
from cifar_report.rendering.pixels import UnknownShapeError
from cifar_report.rendering.sections import ReportView
from cifar_report.rendering.vector import Picture, to_picture

ZERO_WIDTH_SPACE = "\u200b"


def to_paper(
    view: ReportView, translation: Translation, created: str, numbers: bytes, figures: Sequence[DrawnFigure] = ()
) -> Paper:
    """Return the printed report, ready to be set, with ``numbers`` (JSON) attached; every date in it is ``created``.

    ``figures`` are those that the view shows: they are drawn faster than WeasyPrint draws pictures.
    """
    # Between elements WeasyPrint would rather break a word than go back to the last place for a break.
    source = render(view, translation, "print", created).replace("<wbr>", ZERO_WIDTH_SPACE)
    description = translation.gettext(mark("Every number of this report"))
    return Paper(source, created, numbers, description, dict(_pictures(figures)))


def to_pdf(
    view: ReportView, translation: Translation, created: str, numbers: bytes, figures: Sequence[DrawnFigure] = ()
) -> bytes:
    """Return the PDF file; it is set in this process.

    Raises SuiteError naming the packages where the libraries for setting text are missing.
    """
    return to_paper(view, translation, created, numbers, figures).pdf()


def _pictures(figures: Sequence[DrawnFigure]) -> Iterator[tuple[str, Picture]]:
    """Yield the pictures that we can draw ourselves, by their addresses."""
    for figure in figures:
        if figure.picture is not None and figure.png is None:
            yield str(paper_address(figure)), figure.picture
    for address, content in formulas.pictures():
        with contextlib.suppress(UnknownShapeError):
            yield address, to_picture(content)
