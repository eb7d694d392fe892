"""Where the last measurements stand: JSON for programs, and the measured part of ``docs/performance.md``."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cifar_report.benchmark.results import Benchmark
from cifar_report.benchmark.words import document
from cifar_report.bundle import write_file
from cifar_report.errors import SuiteError, UsageError

DOCUMENT, NUMBERS, CURVES = "performance.md", "performance.json", "growth.svg"
BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"


class Performance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The last measurement of each kind; one may be older than the other."""

    suite: Benchmark | None = None
    growth: Benchmark | None = None

    def replaced(self, benchmark: Benchmark) -> Performance:
        """Return it with a new measurement in the place of the old one of its kind."""
        if benchmark.growth:
            return msgspec.structs.replace(self, growth=benchmark)
        return msgspec.structs.replace(self, suite=benchmark)


def write_json(path: Path, record: msgspec.Struct) -> None:
    """Write a record as indented JSON; raises SuiteError when the place refuses it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, msgspec.json.format(msgspec.json.encode(record), indent=1) + b"\n")
    except OSError as error:
        raise SuiteError(f"{path} cannot be written: {error.strerror or error}") from error


def read_benchmark(path: Path) -> Benchmark:
    """Read what an earlier call measured; raises UsageError for a file that holds no such record."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Benchmark)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} holds no measurements of the bench: {error}") from error


def update_docs(folder: Path, benchmark: Benchmark) -> Path:
    """Put a measurement into ``performance.json`` and between the marks of ``performance.md``; return the latter.

    What people wrote before and after the marks stays. Raises UsageError when the document or its marks are missing.
    """
    text, old = read_docs(folder)
    new = old.replaced(benchmark)
    write_json(folder / NUMBERS, new)
    before, after = text.partition(BEGIN)[0], text.partition(END)[2]
    write_file(folder / DOCUMENT, f"{before}{BEGIN}\n\n{document(new.suite, new.growth)}\n{END}{after}".encode())
    return folder / DOCUMENT


def read_docs(folder: Path) -> tuple[str, Performance]:
    """Return the document and the last measurements; raises UsageError when they cannot be brought up to date."""
    numbers, page = folder / NUMBERS, folder / DOCUMENT
    try:
        text = page.read_text(encoding="utf-8")
        old = msgspec.json.decode(numbers.read_bytes(), type=Performance) if numbers.is_file() else Performance()
    except (OSError, ValueError) as error:
        raise UsageError(f"{folder} cannot be brought up to date: {error}") from error
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(BEGIN) > text.index(END):
        raise UsageError(f"{page} must hold the lines {BEGIN} and {END} once each, in this order")
    return text, old
