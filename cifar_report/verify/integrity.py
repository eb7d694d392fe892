"""The whole check of a bundle, in one pass: files, records, metrics, weights, then what is derived from them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from cifar_report.bundle import Bundle
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.attached import attached_numbers, compare_numbers
from cifar_report.verify.contents import read_bundle
from cifar_report.verify.derived import BROKEN_ANALYSIS, check_derived
from cifar_report.verify.files import check_files
from cifar_report.verify.findings import Report, printable
from cifar_report.verify.metrics import check_metrics
from cifar_report.verify.records import check_records
from cifar_report.verify.weights import check_weights


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
        check_records(bundle, files, report)
        check_metrics(bundle, files, report)
        check_weights(bundle, files, report)
        check_derived(bundle, files, report)
    report.findings.sort(key=lambda finding: finding.file)
    return report


def verify_pdf(pdf: Path, folder: Path, report: Report) -> None:
    """Compare the numbers attached to a report with those that the bundle gives, and add what differs.

    The words and the figures on its pages are not compared. Raises SuiteError where no analysis is installed.
    """
    try:
        from cifar_report.analysis import analyse
    except ImportError as error:
        raise SuiteError(f"{error.name} is not installed: pip install -e '.[report]'") from error
    try:
        attached = attached_numbers(pdf)
        expected = msgspec.json.decode(msgspec.json.encode(analyse(Bundle.load(folder)).data()))
    except (SuiteError, UsageError, *BROKEN_ANALYSIS) as error:
        report.find(pdf.name, f"was not compared: {error}")
        return
    compare_numbers(attached, expected, pdf.name, report)


def summary(report: Report) -> str:
    """Return in one line how much was checked, and what of it was found wrong."""
    counts = report.counts
    scores = f"{counts['test scores recomputed']} test scores recomputed"
    drawn = f"{counts['tables and figures compared']} tables and figures drawn again and compared"
    without = counts["runs without weights"]
    parts = [
        f"{counts['files']} files",
        f"{counts['runs']} of {counts['planned runs']} planned runs"
        + (f" ({counts['failed runs']} failed)" if counts["failed runs"] else ""),
        scores,
        f"{counts['runs with weights']} networks' weights"
        + (f" ({without} have none: they were left out)" if without else ""),
        drawn,
    ]
    if counts["attached numbers"]:
        parts.append(f"{counts['attached numbers']} numbers attached to the PDF (not its words and figures)")
    wrong = len(report.findings)
    end = f"{wrong} {'thing is' if wrong == 1 else 'things are'} wrong" if wrong else "nothing is wrong"
    return printable(f"checked {', '.join(parts)}: {end}")
