"""Refuses a bundle that is not what its manifest says, before anything is made of it."""

from __future__ import annotations

from pathlib import Path

from cifar_report.bundle import read_record
from cifar_report.bundle.manifest import MANIFEST_FILE
from cifar_report.errors import SuiteError
from cifar_report.verify.files import check_files
from cifar_report.verify.findings import Report, printable


def sound_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a finished bundle by its path, the manifest left out.

    Raises UsageError where the folder is no bundle, SuiteError where it is unfinished, or names the first file that
    is missing, added, changed or no plain file, and how many more there are.
    """
    record = read_record(folder)
    if record.finished is None or not (folder / MANIFEST_FILE).exists():
        raise SuiteError(f"{folder} is unfinished: let its suite come to the end first (the same call goes on)")
    report = Report()
    files = check_files(folder, report)
    refuse_findings(folder, report)
    return files.digests


def refuse_findings(folder: Path, report: Report) -> None:
    """Raise SuiteError with the first finding, if there is one."""
    if report.findings:
        rest = len(report.findings) - 1
        more = f" (and {rest} more: cifar-report verify names them)" if rest else ""
        raise SuiteError(f"{folder} is damaged: {printable(str(report.findings[0]))}{more}")
