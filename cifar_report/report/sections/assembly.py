"""All sections in the order of the write-up."""

from __future__ import annotations

from dataclasses import dataclass

from cifar_report.report.elements import Heading
from cifar_report.report.sections import (
    algorithm,
    appendix,
    classical,
    code,
    conclusions,
    examples,
    experiments,
    introduction,
    reading,
    title,
    verdicts,
)
from cifar_report.report.sections.title import TitleView
from cifar_report.report.sections.view import SectionView
from cifar_report.report.writer import Writer


@dataclass(frozen=True)
class ReportView:
    """The whole report, ready for its template."""

    title: TitleView
    contents: tuple[Heading, ...]
    sections: tuple[SectionView, ...]


def assemble(writer: Writer, *, pictures: bool) -> ReportView:
    """Build every section; ``pictures`` says whether the dataset was at hand for the examples."""
    first = title.build(writer)
    sections = (
        reading.build(writer),
        introduction.build(writer),
        algorithm.build(writer, "1"),
        code.build(writer, "2"),
        experiments.build(writer, "3"),
        classical.build(writer, "4"),
        examples.build(writer, "5", pictures=pictures),
        conclusions.build(writer),
        verdicts.build(writer),
        appendix.build(writer),
    )
    return ReportView(first, tuple(writer.headings), sections)
