"""Every validator: what it judges, and the broken sample that it must object to before it is believed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from cifar_report.validation import samples
from cifar_report.validation.browser import check_page
from cifar_report.validation.bundles import check_crate, check_schema
from cifar_report.validation.comparison import compare_numbers
from cifar_report.validation.documents import check_accessibility, check_archive, check_structure, read_text
from cifar_report.validation.markup import check_markup
from cifar_report.validation.outcomes import MissingTool, Outcome, Result


class Report(NamedTuple):
    """A report in one language."""

    html: Path
    pdf: Path


class Subject(NamedTuple):
    """What is judged: a bundle, and the reports made from it."""

    name: str
    bundle: Path
    reports: tuple[Report, ...]


File = Path | Report


@dataclass(frozen=True)
class Validator:
    """``files`` picks from a subject what ``check`` judges; ``broken`` writes a sample into a folder.

    ``expected`` are words that its findings on the sample must hold, one finding or more for each.
    """

    name: str
    files: Callable[[Subject], tuple[File, ...]]
    check: Callable[[File], list[str]]
    broken: Callable[[Path], list[str]]
    expected: tuple[str, ...] = ("",)


def compare_text(report: Report) -> list[str]:
    """Return the numbers of the HTML that the same sections of the PDF do not hold."""
    findings, held = compare_numbers(report.html.read_text(encoding="utf-8"), read_text(report.pdf))
    return findings if held else [*findings, "the HTML holds no numbers"]


def _pages(subject: Subject) -> tuple[File, ...]:
    return tuple(report.html for report in subject.reports)


def _documents(subject: Subject) -> tuple[File, ...]:
    return tuple(report.pdf for report in subject.reports)


def _of(check: Callable[..., list[str]]) -> Callable[[File], list[str]]:
    return check


def _text_sample(folder: Path) -> list[str]:
    page = samples.write_page(folder / "page.html", samples.NUMBERS)
    return compare_text(Report(page, samples.write_pdf(folder / "page.pdf", samples.PRINTED)))


VALIDATORS = (
    Validator(
        "Nu HTML checker",
        _pages,
        _of(check_markup),
        lambda folder: check_markup(samples.write_page(folder / "page.html", samples.MARKUP)),
        ("figura", "Unclosed"),
    ),
    Validator(
        "axe-core in Chromium",
        _pages,
        _of(check_page),
        lambda folder: check_page(samples.write_page(folder / "page.html", samples.PAGE), driven=False),
        ("image-alt", "color-contrast", "leaves the page", "script error"),
    ),
    Validator(
        "qpdf",
        _documents,
        _of(check_structure),
        lambda folder: check_structure(samples.write_torn_pdf(folder / "torn.pdf")),
    ),
    Validator(
        "veraPDF, PDF/UA-1",
        _documents,
        _of(check_accessibility),
        lambda folder: check_accessibility(samples.write_pdf(folder / "plain.pdf", samples.PRINTED)),
    ),
    Validator(
        "veraPDF, PDF/A-3a",
        _documents,
        _of(check_archive),
        lambda folder: check_archive(samples.write_pdf(folder / "plain.pdf", samples.PRINTED)),
    ),
    Validator("numbers of HTML and PDF", lambda subject: subject.reports, _of(compare_text), _text_sample, ("61.67",)),
    Validator(
        "RO-Crate validator",
        lambda subject: (subject.bundle,),
        _of(check_crate),
        lambda folder: check_crate(samples.write_crate(folder / "crate")),
        ("about",),
    ),
    Validator(
        "schema of the records",
        lambda subject: (subject.bundle,),
        _of(check_schema),
        lambda folder: check_schema(samples.write_record(folder / "bundle")),
        ("unheard_of",),
    ),
)


def judge(validator: Validator, subjects: tuple[Subject, ...]) -> Iterator[Outcome]:
    """Yield the validator's outcome on every file; where it cannot run, or passes the broken sample, one outcome."""
    sample = judge_sample(validator)
    yield sample
    if sample.result == "passed":
        for subject in subjects:
            for file in validator.files(subject):
                yield judge_file(validator, subject, file)


def judge_sample(validator: Validator) -> Outcome:
    """Return "passed" when the validator objects to its broken sample, "skipped" when it cannot run here."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = validator.broken(Path(folder))
    except MissingTool as reason:
        return Outcome(validator.name, "–", "skipped", note=str(reason), seconds=time.monotonic() - started)
    seconds = time.monotonic() - started
    missed = [words for words in validator.expected if not any(words in each for each in found)]
    if not missed:
        return Outcome(validator.name, "(sample)", "passed", note="objects to a broken file", seconds=seconds)
    finding = f"it does not object to {', '.join(word or 'anything' for word in missed)} in a broken file"
    return Outcome(validator.name, "(sample)", "failed", (finding, *found), seconds=seconds)


def judge_file(validator: Validator, subject: Subject, file: File) -> Outcome:
    """Return what the validator finds in a file; one that gives up on it counts as an objection."""
    started = time.monotonic()
    name = f"{file.html.name} and .pdf" if isinstance(file, Report) else file.name
    try:
        findings = tuple(validator.check(file))
    except MissingTool as reason:
        findings = (str(reason),)
    result: Result = "failed" if findings else "passed"
    seconds = time.monotonic() - started
    return Outcome(validator.name, f"{subject.name}: {name}", result, findings, seconds=seconds)
