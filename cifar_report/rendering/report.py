"""From a bundle to the report's files. Nothing is trained, and whatever the bundle lacks, a report comes out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from cifar_report.analysis import analyse
from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle, write_file
from cifar_report.errors import SuiteError
from cifar_report.rendering.figures import DrawnFigure, draw_all
from cifar_report.rendering.html import to_html
from cifar_report.rendering.i18n import SOURCE_LANGUAGE, Translation
from cifar_report.rendering.images import find_images
from cifar_report.rendering.pdf import to_pdf
from cifar_report.rendering.sections import ReportView, assemble
from cifar_report.rendering.writer import Medium, Writer

Figures = Sequence[DrawnFigure]


def build_report(bundle: Bundle, output: Path, languages: Sequence[str] = (SOURCE_LANGUAGE,)) -> list[Path]:
    """Write the report of ``bundle`` into the folder ``output``, as HTML and PDF in each of ``languages``.

    English is ``report.html`` and ``report.pdf``, another language ``report.<language>.html`` and so on. Returns the
    paths in the order in which they were written. Raises UsageError for a language without a catalogue, before
    anything is written, and SuiteError when a file cannot be written or the PDF cannot be made; the HTML is written
    first and stays.
    """
    translations = [Translation(language) for language in dict.fromkeys(languages)]
    results = analyse(bundle)
    images = find_images(bundle.record.dataset.fingerprint)
    created = bundle.record.finished or bundle.record.created
    written = []
    for translation in translations:
        figures = draw_all(results, translation, bundle=bundle, images=images)
        name = _file_name(translation.language)

        def view(medium: Medium, translation: Translation = translation, figures: Figures = figures) -> ReportView:
            writer = Writer(bundle, results, translation, figures, medium)
            return assemble(writer, pictures=images is not None)

        written.append(_write(output / f"{name}.html", to_html(view("screen"), translation, created)))
        content = to_pdf(view("print"), translation, created, to_json(results), figures)
        written.append(_write(output / f"{name}.pdf", content))
    return written


def to_json(results: Results) -> bytes:
    """Return every number of the report as JSON, by its id."""
    return msgspec.json.format(msgspec.json.encode(results.data(), order="sorted"), indent=1) + b"\n"


def _file_name(language: str) -> str:
    return "report" if language == SOURCE_LANGUAGE else f"report.{language}"


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    except OSError as error:
        raise SuiteError(f"{path} cannot be written: {error.strerror or error}") from error
    return path
