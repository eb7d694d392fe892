"""One builder for each section: results in, a plain context for its template out."""

from cifar_report.report.sections.assembly import ReportView, assemble

__all__ = ["ReportView", "assemble"]
