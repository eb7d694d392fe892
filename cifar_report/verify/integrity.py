"""The whole check of a bundle in one pass: files, records, scores, weights, then the tables that follow from them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path

from cifar_report.bundle import METHOD_VERSION, Bundle
from cifar_report.bundle.arrays import MOST_BYTES
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.bundle.store import read_plain
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.files import KNOWN, Files, Report, check_files, printable
from cifar_report.verify.records import check_records, read_bundle
from cifar_report.verify.scores import check_scores, check_weights

TABLES = "tables/"
INPUTS = (RECORD_FILE, "runs/", "timing/")
# What the analysis may raise on numbers that no suite has written: they are then wrong, and the program is not.
BROKEN_ANALYSIS = (ArithmeticError, LookupError, TypeError, ValueError)
MOST_CELLS = 3  # that are named of one table
ROUNDING = 1e-9  # relative


def verify_bundle(folder: Path) -> Report:
    """Check everything that a bundle says against everything else that it says; findings are sorted by file.

    What agrees may still be invented as a whole: only training again shows that (``verify --rerun``). Raises
    UsageError where the folder is no bundle, not even a damaged one.
    """
    if not any((folder / name).is_file() for name in (RECORD_FILE, MANIFEST_FILE)):
        raise UsageError(f"{folder} is no results bundle: it holds neither {RECORD_FILE} nor {MANIFEST_FILE}")
    report = Report()
    files = check_files(folder, report)
    bundle = read_bundle(files, report)
    if bundle is not None:
        for check in (check_records, check_scores, check_weights, check_tables):
            check(bundle, files, report)
    report.findings.sort(key=lambda finding: finding.file)
    return report


def summary(report: Report) -> str:
    """Return in one line how much was checked, and what of it was found wrong."""
    counts = report.counts
    failed, without = counts["failed runs"], counts["runs without weights"]
    parts = [
        f"{counts['files']} files",
        f"{counts['runs']} of {counts['planned runs']} planned runs" + (f" ({failed} failed)" if failed else ""),
        f"{counts['test scores recomputed']} test scores recomputed",
        f"{counts['runs with weights']} networks' weights"
        + (f" ({without} have none: they were left out)" if without else ""),
        f"{counts['tables compared']} tables computed again and compared",
    ]
    if counts["attached numbers"]:
        parts.append(f"{counts['attached numbers']} numbers attached to the PDF (not its words and figures)")
    wrong = len(report.findings)
    end = f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong" if wrong else "nothing is wrong"
    return printable(f"checked {', '.join(parts)}: {end}")


def check_tables(bundle: Bundle, files: Files, report: Report) -> None:
    """Compute every table again and compare; figures are compared with their hashes in the manifest alone."""
    stored = {name for name in files.digests if name.startswith(TABLES)}
    if not stored and not any(name.startswith(TABLES) for name in files.listed or ()):
        report.notes.append("the bundle holds no tables, so none were compared")
    elif bundle.record.method_version != METHOD_VERSION:
        report.notes.append(
            f"the tables are by version {bundle.record.method_version} of the method, and this program has version "
            f"{METHOD_VERSION}, so they were not compared"
        )
    elif any(finding.file.startswith(INPUTS) and KNOWN.fullmatch(finding.file) for finding in report.findings):
        report.notes.append("tables were not computed again, because something is wrong with the numbers behind them")
    elif (computed := _compute(bundle, report)) is not None:
        for name in sorted(stored - computed.keys()):
            report.find(name, "does not follow from the numbers: no such table is computed from them")
        for name in sorted(computed.keys() - stored):
            if not report.names(name):
                report.find(name, "is missing: the numbers give this table")
        _compare(files, {name: computed[name] for name in sorted(computed.keys() & stored)}, report)


def _compute(bundle: Bundle, report: Report) -> dict[str, bytes] | None:
    try:
        from cifar_report.analysis import analyse
        from cifar_report.report.tables import summary_tables

        return {f"{TABLES}{name}": content for name, content in summary_tables(bundle, analyse(bundle)).items()}
    except ImportError as error:
        package = (error.name or "a package").partition(".")[0]
        report.notes.append(f"tables were not computed again: {package} is not installed (pip install -e '.[report]')")
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(RECORD_FILE, f"tables cannot be computed from the numbers ({type(error).__name__}: {error})")
    return None


def _compare(files: Files, computed: dict[str, bytes], report: Report) -> None:
    """Compare tables cell by cell; last digits may differ between processors and releases of libraries."""
    rounded = []
    for name, content in computed.items():
        stored = read_plain(files.folder / name, MOST_BYTES)
        cells = [] if stored == content else list(_other_cells(stored, content))
        more = [f"and {len(cells) - MOST_CELLS} more cells"] if len(cells) > MOST_CELLS else []
        report.find(name, *cells[:MOST_CELLS], *more)
        report.counts["tables compared"] += 1
        if not cells and stored != content:
            rounded.append(name)
    if rounded:
        report.notes.append(f"{len(rounded)} tables agree within rounding of the last digits: {', '.join(rounded)}")


def _other_cells(stored: bytes, computed: bytes) -> Iterator[str]:
    """Yield what differs in a stored table, cell by cell; numbers that differ by rounding are the same."""
    try:
        given, right = (list(csv.reader(io.StringIO(table.decode(), newline=""))) for table in (stored, computed))
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"cannot be read as a table: {error}"
        return
    if len(given) != len(right):
        yield f"has {len(given)} lines, but the numbers give {len(right)}"
        return
    for line, (row, expected) in enumerate(zip(given, right, strict=True), 1):
        for column, cell, value in zip_longest(right[0], row, expected):
            if cell != value and not _rounded(cell, value):
                what = f"{cell!r:.60}, but the numbers give {value!r:.60}"
                yield f"line {line} ({''.join(expected[:1]):.60}), {column}: {what}"


def _rounded(one: str | None, other: str | None) -> bool:
    try:
        return math.isclose(float(one or ""), float(other or ""), rel_tol=ROUNDING, abs_tol=ROUNDING * ROUNDING)
    except ValueError:
        return False
