"""From results and figures to the files of one language."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.html import to_html
from cifar_report.report.i18n import Translation
from cifar_report.report.pdf import to_paper
from cifar_report.report.sections import ReportView, assemble
from cifar_report.report.typesetting.paper import Paper
from cifar_report.report.writer import Medium, Writer


@dataclass(frozen=True)
class Edition:
    """The report in one language, before it is written."""

    bundle: Bundle
    results: Results
    figures: tuple[DrawnFigure, ...]
    language: str
    pictures: bool

    def html(self) -> bytes:
        """Return the HTML file."""
        translation = Translation(self.language)
        return to_html(self._view("screen", translation), translation, self._created)

    def paper(self) -> Paper:
        """Return the printed report, ready to be set."""
        translation = Translation(self.language)
        view = self._view("print", translation)
        return to_paper(view, translation, self._created, to_json(self.results), self.figures)

    def _view(self, medium: Medium, translation: Translation) -> ReportView:
        writer = Writer(self.bundle, self.results, translation, self.figures, medium)
        return assemble(writer, pictures=self.pictures)

    @property
    def _created(self) -> str:
        return self.bundle.record.finished or self.bundle.record.created


def to_json(results: Results) -> bytes:
    """Return every number of the report as JSON, by its id."""
    return msgspec.json.format(msgspec.json.encode(results.data(), order="sorted"), indent=1) + b"\n"
