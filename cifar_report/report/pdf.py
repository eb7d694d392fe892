"""The report as one accessible PDF (PDF/UA-1), the same bytes for the same input."""

from __future__ import annotations

import gc
from datetime import datetime

import msgspec

from cifar_report.analysis.results import Results
from cifar_report.errors import SuiteError
from cifar_report.report.html import render
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.sections import ReportView

NUMBERS_NAME = "results.json"
PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
ZERO_WIDTH_SPACE = "\u200b"


def to_json(results: Results) -> bytes:
    """Return every number of the report as JSON, by its id."""
    return msgspec.json.format(msgspec.json.encode(results.data(), order="sorted"), indent=1) + b"\n"


def to_pdf(view: ReportView, translation: Translation, created: str, numbers: bytes) -> bytes:
    """Return the PDF file with ``numbers`` (JSON) attached; every date in it is ``created`` (ISO 8601).

    Raises SuiteError naming the packages where the libraries for setting text are missing.
    """
    try:
        from weasyprint import HTML, Attachment
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        raise SuiteError(
            "the PDF was not written, because the libraries that set its text are missing; install them, for "
            f"example with: apt-get install {PANGO_PACKAGES} (then build the report again). {error}"
        ) from error
    # Between elements WeasyPrint would rather break a word than go back to the last place for a break.
    source = render(view, translation, "print", created).replace("<wbr>", ZERO_WIDTH_SPACE)
    fetcher = URLFetcher(allowed_protocols={"data"}, allow_redirects=False)
    date = datetime.fromisoformat(created)
    attachment = Attachment(
        string=numbers,
        name=NUMBERS_NAME,
        description=translation.gettext(mark("Every number of this report")),
        created=date,
        modified=date,
        relationship="Data",
        url_fetcher=fetcher,
    )
    gc.disable()  # layout makes millions of objects, and looking through them again and again takes seconds
    try:
        document = HTML(string=source, url_fetcher=fetcher)
        content: bytes = document.write_pdf(pdf_variant="pdf/ua-1", attachments=[attachment])
    finally:
        gc.enable()
    return content
