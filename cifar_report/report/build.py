"""From a bundle to the report's files. Nothing is trained, and whatever the bundle lacks, a report comes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from cifar_report.bundle import Bundle, write_file
from cifar_report.errors import SuiteError
from cifar_report.report import formulas
from cifar_report.report.figures.cache import FigureCache
from cifar_report.report.figures.gallery import jobs
from cifar_report.report.figures.job import Job
from cifar_report.report.i18n import SOURCE_LANGUAGE, Translation
from cifar_report.report.images import find_images
from cifar_report.report.workers import Workers

if TYPE_CHECKING:
    from cifar_report.report.edition import Edition


def build_report(
    bundle: Bundle,
    output: Path,
    languages: Sequence[str] = (SOURCE_LANGUAGE,),
    *,
    processes: int = 1,
    cache: FigureCache | None = None,
) -> list[Path]:
    """Write the report of ``bundle`` into the folder ``output``, as HTML and PDF in each of ``languages``.

    English is ``report.html`` and ``report.pdf``, another language ``report.<language>.html`` and so on. Returns the
    paths, language by language. ``processes`` and ``cache`` change how long it takes and nothing else. Raises
    UsageError for a language without a catalogue, before anything is written, and SuiteError when a file cannot be
    written or a PDF cannot be made; the HTML of every language is written first and stays.
    """
    translations = [Translation(language) for language in dict.fromkeys(languages)]
    with Workers(processes, cache) as workers:
        paths = [wait() for wait in _all_but_pages(bundle, output, translations, workers)]
    if cache is not None:
        cache.prune()
    return paths


def _all_but_pages(
    bundle: Bundle, output: Path, translations: Sequence[Translation], workers: Workers
) -> list[Callable[[], Path]]:
    """Draw, write the HTML, begin to set pages; return what waits for each file, and no longer holds the results."""
    wait_for_results = workers.analyse(bundle)
    from cifar_report.analysis.calibration_records import load_calibration
    from cifar_report.report.edition import Edition

    results = wait_for_results()
    images = find_images(bundle.record.dataset.fingerprint)
    of_method = load_calibration()  # whatever the bundle
    drawn = []
    for each in translations:
        wanted = [*jobs(results, each, bundle=bundle, images=images)]
        wanted.append(Job("error_rates.draw_error_rates", (of_method, each)))
        drawn.append(workers.draw(wanted))
    formulas.keep(workers.formulas())
    workers.end_drawing()
    written: list[Callable[[], Path]] = []
    for translation, figures in zip(translations, drawn, strict=True):
        edition = Edition(bundle, results, figures(), translation.language, pictures=images is not None)
        written += _write_both(edition, output, workers, last=translation is translations[-1])
    return written


def check_report(
    bundle: Bundle, output: Path, languages: Sequence[str] = (SOURCE_LANGUAGE,), *, processes: int = 1
) -> list[str]:
    """Build the report of ``bundle`` again, beside ``output``, and return the names of the files there that differ.

    A file that is missing differs. Nothing in ``output`` is changed, and every figure is drawn anew.
    """
    with TemporaryDirectory() as beside:
        built = build_report(bundle, Path(beside), languages, processes=processes)
        return [path.name for path in built if _content(output / path.name) != path.read_bytes()]


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SuiteError(f"{path} cannot be read: {error.strerror or error}") from error


def file_names(languages: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the files that a report in these languages consists of."""
    stems = [_file_name(language) for language in dict.fromkeys(languages)]
    return tuple(f"{stem}.{ending}" for stem in stems for ending in ("html", "pdf"))


def _write_both(edition: Edition, output: Path, workers: Workers, *, last: bool) -> list[Callable[[], Path]]:
    """Write the HTML while the pages are set; return what waits for either file, and writes the PDF."""
    html, pdf = (output / name for name in file_names((edition.language,)))
    wait_for_pages = workers.set_pages(edition.paper(), last=last)
    _write(html, edition.html())
    return [lambda: html, lambda: _write(pdf, wait_for_pages())]


def _file_name(language: str) -> str:
    return "report" if language == SOURCE_LANGUAGE else f"report.{language}"


def _write(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, content)
    except OSError as error:
        raise SuiteError(f"{path} cannot be written: {error.strerror or error}") from error
    return path
