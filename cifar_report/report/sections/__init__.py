"""The report's sections in the order of the original: each builder turns results into what one template shows."""

from dataclasses import dataclass

from cifar_report.report.elements import Heading, SectionView
from cifar_report.report.sections import algorithm, appendix, claims, experiments, front, method, protocol
from cifar_report.report.writer import Writer


@dataclass(frozen=True)
class ReportView:
    """The whole report, ready for its template."""

    title: dict[str, object]
    contents: tuple[Heading, ...]
    sections: tuple[SectionView, ...]


def assemble(writer: Writer, *, pictures: bool) -> ReportView:
    """Build every section; ``pictures`` says whether the dataset was at hand for the examples."""
    title = front.title(writer)
    compares = not writer.translation.own or bool(writer.experiments("classical"))
    sections = (
        front.introduction(writer),
        algorithm.algorithm(writer, "1"),
        method.code_section(writer, "2"),
        protocol.protocol(writer),
        experiments.trials(writer, "3"),
        *([experiments.classical(writer, "4")] if compares else []),
        experiments.examples(writer, "5" if compares else "4", pictures=pictures),
        claims.conclude(writer),
        claims.verdicts(writer),
        protocol.reproduce(writer),
        *([appendix.build(writer)] if writer.medium == "screen" else []),
    )
    return ReportView(title, tuple(writer.headings), sections)
