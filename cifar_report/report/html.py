"""The report as one self-contained HTML file."""

from __future__ import annotations

from cifar_report.report.environment import render
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import ReportView


def to_html(view: ReportView, translation: Translation, created: str) -> bytes:
    """Return the HTML file: fonts, figures, styles and script inside, nothing fetched from anywhere."""
    return render(view, translation, "screen", created).encode("utf-8")
