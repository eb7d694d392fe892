"""Rebuilds what a bundle derives from its numbers, and compares it byte for byte with what is stored."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from itertools import zip_longest

from cifar_report.bundle import Bundle, Environment
from cifar_report.bundle.arrays import MOST_BYTES
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.store import read_plain
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import processor_name, record_environment
from cifar_report.verify.files import KNOWN, Files
from cifar_report.verify.findings import Report

FOLDERS = ("tables/", "figures/")
INPUTS = (RECORD_FILE, "runs/", "timing/")
CALCULATING = ("numpy", "scipy", "statsmodels", "scikit-learn")
DRAWING = "matplotlib"
# What the analysis may raise on numbers that no suite has written: they are then wrong, and the program is not.
BROKEN_ANALYSIS = (ArithmeticError, LookupError, TypeError, ValueError)
NUMBER = re.compile(rb"(-?\d*\.\d+|-?\d+)")
COORDINATE = 0.011  # points: drawings round to hundredths
MOST_CELLS = 3  # that are named of one table
ROUNDING = 1e-9  # relative; another release of a library or another processor may round the last digits otherwise


def check_derived(bundle: Bundle, files: Files, report: Report) -> None:
    """Draw every table and figure again from the numbers, and compare; say so where that cannot be done."""
    stored = {name: digest for name, digest in files.digests.items() if name.startswith(FOLDERS)}
    if not stored and not any(name.startswith(FOLDERS) for name in files.listed or ()):
        report.note("the bundle holds no tables and figures, so none were compared")
        return
    if any(finding.file.startswith(INPUTS) and KNOWN.fullmatch(finding.file) for finding in report.findings):
        report.note("tables and figures were not drawn again, because something is wrong with the numbers behind them")
        return
    rebuilt = _rebuild(bundle, report)
    if rebuilt is None:
        return
    for name in sorted(stored.keys() - rebuilt.keys()):
        report.find(name, "does not follow from the numbers: no such table or figure is drawn from them")
    for name in sorted(rebuilt.keys() - stored.keys() - {finding.file for finding in report.findings}):
        report.find(name, "is missing: the numbers give this table or figure")
    _compare(bundle, files, {name: rebuilt[name] for name in sorted(rebuilt.keys() & stored.keys())}, report)
    if any(finding.file.startswith(FOLDERS) for finding in report.findings):
        _tell_program(bundle, report)


def _tell_program(bundle: Bundle, report: Report) -> None:
    """Say when another state of the project drew what is stored: it may have drawn it in another way."""
    before, now = bundle.record.environment, record_environment()
    if (before.project_version, before.project_commit) != (now.project_version, now.project_commit):
        report.note(
            f"the stored tables and figures are by version {before.project_version} of this project (commit "
            f"{before.project_commit or 'unknown'}), the comparison by {now.project_version} "
            f"(commit {now.project_commit or 'unknown'})"
        )


def _rebuild(bundle: Bundle, report: Report) -> dict[str, bytes] | None:
    try:
        from cifar_report.analysis import analyse
        from cifar_report.report.derived import derived_files
    except ImportError as error:
        package = (error.name or "a package").partition(".")[0]
        report.note(f"tables and figures were not drawn again: {package} is not installed (pip install -e '.[report]')")
        return None
    try:
        return derived_files(bundle, analyse(bundle))
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(
            RECORD_FILE, f"tables and figures cannot be drawn from the numbers ({type(error).__name__}: {error})"
        )
        return None


def _compare(bundle: Bundle, files: Files, rebuilt: Mapping[str, bytes], report: Report) -> None:
    made_with = bundle.record.environment
    packages, others = made_with.packages, _what_rounds_otherwise(made_with)
    rounded: list[str] = []
    redrawn: list[str] = []
    for name, content in rebuilt.items():
        stored = read_plain(files.folder / name, MOST_BYTES)
        report.counts["tables and figures compared"] += 1
        if stored == content:
            continue
        if name.endswith(".csv"):
            cells = list(_other_cells(stored, content))
            if others and not cells:
                rounded.append(name)
            else:
                report.find(name, *(cells[:MOST_CELLS] or ["is not the table that the numbers give"]), *_more(cells))
        elif packages.get(DRAWING, _version(DRAWING)) != _version(DRAWING):
            redrawn.append(name)
        elif others and _same_drawing(stored, content):
            rounded.append(name)
        else:
            report.find(name, "is not the figure that the numbers give")
    _tell(packages, rounded, others, redrawn, report)


def _what_rounds_otherwise(made_with: Environment) -> list[str]:
    """Return what the numbers were made with and is another here, of what decides their last digits."""
    here = processor_name()
    others = [
        f"{name} {made_with.packages.get(name)}"
        for name in CALCULATING
        if made_with.packages.get(name) != _version(name)
    ]
    if made_with.processor == here:
        return others
    unknown = " (its design was not recorded)" if made_with.processor == here.partition(" (")[0] else ""
    return [*others, f"the processor {made_with.processor}{unknown}; here it is {here}"]


def _tell(
    packages: Mapping[str, str], rounded: list[str], others: list[str], redrawn: list[str], report: Report
) -> None:
    """Say which differences another release of a library or another processor explains: no findings, and no proof."""
    if rounded:
        report.note(
            f"{len(rounded)} tables and figures agree within rounding (made with {', '.join(others)}): "
            f"{', '.join(rounded)}"
        )
    if redrawn:
        report.counts["tables and figures compared"] -= len(redrawn)
        report.note(
            f"{len(redrawn)} figures were drawn by {DRAWING} {packages[DRAWING]}, and {_version(DRAWING)} draws other "
            f"bytes, so only their numbers, in the tables beside them, were compared: {', '.join(redrawn)}"
        )


def _more(cells: list[str]) -> list[str]:
    return [f"and {len(cells) - MOST_CELLS} more cells"] if len(cells) > MOST_CELLS else []


def _other_cells(stored: bytes, rebuilt: bytes) -> Iterator[str]:
    """Yield what is another in a stored table, cell by cell; numbers that differ by rounding are the same."""
    try:
        given = list(csv.reader(io.StringIO(stored.decode(), newline="")))
    except (UnicodeDecodeError, csv.Error) as error:
        yield f"cannot be read as a table: {error}"
        return
    right = list(csv.reader(io.StringIO(rebuilt.decode(), newline="")))
    if len(given) != len(right):
        yield f"has {len(given)} lines, but the numbers give {len(right)}"
        return
    for line, (row, expected) in enumerate(zip(given, right, strict=True), 1):
        for place, (cell, value) in enumerate(zip_longest(row, expected)):
            if cell != value and not _rounded(cell, value):
                column = right[0][place] if place < len(right[0]) else str(place + 1)
                what = f"{cell!r:.60}, but the numbers give {value!r:.60}"
                yield f"line {line} ({''.join(expected[:1]):.60}), {column}: {what}"


def _rounded(one: str | None, other: str | None) -> bool:
    try:
        return math.isclose(float(one or ""), float(other or ""), rel_tol=ROUNDING, abs_tol=ROUNDING * ROUNDING)
    except ValueError:
        return False


def _same_drawing(stored: bytes, rebuilt: bytes) -> bool:
    """Say whether two drawings differ by rounding alone: the same words, and each coordinate within its last digit."""
    given, right = NUMBER.split(stored), NUMBER.split(rebuilt)
    return len(given) == len(right) and all(
        one == other if place % 2 == 0 else abs(float(one) - float(other)) <= COORDINATE
        for place, (one, other) in enumerate(zip(given, right, strict=True))
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
