"""The report as one PDF that is PDF/A-3a and PDF/UA-1 at once, the same bytes for the same input."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cifar_report.report import formulas
from cifar_report.report.environment import render
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.pictures import paper_address
from cifar_report.report.pixels import UnknownShapeError
from cifar_report.report.sections import ReportView
from cifar_report.report.sections.view import SectionView
from cifar_report.report.typesetting.paper import Paper, PartSource
from cifar_report.report.typesetting.setter import Setter, alone, set_paper
from cifar_report.report.vector import Picture, to_picture

ZERO_WIDTH_SPACE = "\u200b"
# Each begins on a new page, and the parts that they cut the report into can be shared out evenly between two.
PARTS_BEGIN_WITH = ("trials", "conclusions")


def to_paper(
    view: ReportView, translation: Translation, created: str, numbers: bytes, figures: Sequence[DrawnFigure] = ()
) -> Paper:
    """Return the printed report, ready to be set, with ``numbers`` (JSON) attached; every date in it is ``created``.

    ``figures`` are those that the view shows: they are drawn faster than WeasyPrint draws pictures.
    """

    def source(sections: Sequence[SectionView], *, front: bool = False) -> str:
        written = render(replace(view, sections=tuple(sections)), translation, "print", created, front=front)
        # Between elements WeasyPrint would rather break a word than go back to the last place for a break.
        return written.replace("<wbr>", ZERO_WIDTH_SPACE)

    pictures = dict(_pictures(figures))
    chapters = [source(part) for part in _parts(view.sections)]
    parts = tuple(
        PartSource(chapter, {address: each for address, each in pictures.items() if address in chapter})
        for chapter in chapters
    )
    description = translation.gettext(mark("Every number of this report"))
    return Paper(source((), front=True), parts, created, numbers, description)


def to_pdf(
    view: ReportView, translation: Translation, created: str, numbers: bytes, figures: Sequence[DrawnFigure] = ()
) -> bytes:
    """Return the PDF file; it is set in this process.

    Raises SuiteError naming the packages where the libraries for setting text are missing.
    """
    return set_paper(to_paper(view, translation, created, numbers, figures), [alone(Setter())])


def _parts(sections: Sequence[SectionView]) -> list[list[SectionView]]:
    """Cut the report where a part begins."""
    parts: list[list[SectionView]] = []
    for section in sections:
        if not parts or section.template in PARTS_BEGIN_WITH:
            parts.append([])
        parts[-1].append(section)
    return parts


def _pictures(figures: Sequence[DrawnFigure]) -> Iterator[tuple[str, Picture]]:
    """Yield the pictures that we can draw ourselves, by their addresses."""
    for figure in figures:
        if figure.picture is not None and figure.png is None:
            yield str(paper_address(figure)), figure.picture
    for address, content in formulas.pictures():
        with contextlib.suppress(UnknownShapeError):
            yield address, to_picture(content)
