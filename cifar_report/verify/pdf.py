"""Compares the numbers attached to a report's PDF with those that its bundle gives; the file is not trusted."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cifar_report.bundle import Bundle
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.files import Report
from cifar_report.verify.integrity import BROKEN_ANALYSIS

NUMBERS_NAME = "results.json"  # of the attachment
MOST_PDF_BYTES = 64 * 2**20
ROUNDING = 1e-9  # relative; another release of a library may round the last digits of a number in another way

Numbers = dict[str, dict[str, Any]]


def verify_pdf(pdf: Path, folder: Path, report: Report) -> None:
    """Compare the numbers attached to a report with those that the bundle gives, and add what differs.

    The words and the figures on its pages are not compared.
    """
    from cifar_report.analysis import analyse

    try:
        attached = attached_numbers(pdf)
        expected = msgspec.json.decode(msgspec.json.encode(analyse(Bundle.load(folder)).data()))
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(pdf.name, f"was not compared: {error}")
    else:
        report.find(pdf.name, *sorted(number_differences(attached, expected)))
        report.counts["attached numbers"] += len(attached)


def attached_numbers(path: Path) -> Numbers:
    """Return the numbers attached to a PDF by id, each with its fields.

    Raises SuiteError where the file is no report of this project.
    """
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # what is wrong is said in the error
    try:
        if path.stat().st_size > MOST_PDF_BYTES:
            raise ValueError(f"it is larger than {MOST_PDF_BYTES} bytes")
        files = pypdf.PdfReader(path).attachments.get(NUMBERS_NAME, [])
        if len(files) != 1:
            raise ValueError(f"it holds {len(files)} files {NUMBERS_NAME}, where there must be one")
        return msgspec.json.decode(files[0], type=Numbers)
    except (OSError, RecursionError, pypdf.errors.PyPdfError, *BROKEN_ANALYSIS) as error:
        raise SuiteError(f"{path} is no report of this project with its numbers attached: {error}") from error


def number_differences(attached: Numbers, expected: Numbers) -> Iterator[str]:
    """Yield each number that a PDF gives otherwise than the bundle."""
    yield from (f"{number}: is not attached, but the bundle gives it" for number in expected.keys() - attached)
    yield from (f"{number}: the bundle gives no such number" for number in attached.keys() - expected)
    for number in attached.keys() & expected.keys():
        given, right = attached[number], expected[number]
        for field in sorted(given.keys() | right.keys()):
            pair = given.get(field), right.get(field)
            if not _same(*pair):
                yield f"{number}: {field} is {pair[0]!r:.100} in the PDF, but the bundle gives {pair[1]!r:.100}"


def _same(one: Any, other: Any) -> bool:
    if type(one) is float or type(other) is float:
        try:
            return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING * ROUNDING)
        except (TypeError, OverflowError):  # no number, or an integer that is larger than any float
            return False
    return bool(one == other) and type(one) is type(other)
