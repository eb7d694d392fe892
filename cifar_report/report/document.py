"""The report as one self-contained HTML file, and as one accessible PDF, the same bytes for the same bundle."""

from __future__ import annotations

import base64
import gc
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cifar_report import __version__, project_folder
from cifar_report.errors import SuiteError
from cifar_report.report.elements import data_address
from cifar_report.report.i18n import NO_BREAK, Translation, mark
from cifar_report.report.sections import ReportView
from cifar_report.report.writer import Medium

FONTS = Path(__file__).parent / "fonts"
TEMPLATES = project_folder("templates")
NUMBERS_NAME = "results.json"
PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"
ZERO_WIDTH_SPACE = "\u200b"

# Latin and Greek are two families: one family split by unicode-range garbles in the printed report. The signs
# (≤ ≥ ≈ ≠ and arrows) are cut from the same design, Source Serif 4.005 of npm's source-serif, under another name, as
# its licence asks. Figures have a face of their own, report-figures: the same design's cut for small type (Source
# Serif 4 Caption 4.005) with Latin, Greek and signs in one file, as matplotlib wants it, and lines as high as their
# letters, half of whose height matplotlib takes for the middle.
FACES = (
    ("Serif Latin", "source-serif-4-latin-400-normal", 400, "normal"),
    ("Serif Latin", "source-serif-4-latin-400-italic", 400, "italic"),
    ("Serif Latin", "source-serif-4-latin-600-normal", 600, "normal"),
    ("Serif Greek", "source-serif-4-greek-400-normal", 400, "normal"),
    ("Serif Greek", "source-serif-4-greek-400-italic", 400, "italic"),
    ("Serif Greek", "source-serif-4-greek-600-normal", 600, "normal"),
    ("Serif Signs", "report-signs-400-normal", 400, "normal"),
    ("Serif Signs", "report-signs-400-italic", 400, "italic"),
    ("Serif Signs", "report-signs-600-normal", 600, "normal"),
    ("Mono Latin", "source-code-pro-latin-400-normal", 400, "normal"),
    ("Mono Greek", "source-code-pro-greek-400-normal", 400, "normal"),
)
# On the screen alone, since print has outlines: the text of inline drawings, and MathML, without whose table of
# measures limits collide with their sums (cut from STIX Two Math 2.11).
SCREEN_FACES = (("Report Figures", "report-figures-400-normal"), ("Report Math", "report-math-400-normal"))
RULE = '@font-face{{font-family:"{}";font-weight:{};font-style:{};src:url({}) format("woff2")}}'


def render(
    view: ReportView,
    translation: Translation,
    medium: Medium,
    created: str,
    *,
    data: Markup | None = None,
    others: Mapping[str, str] | None = None,
) -> str:
    """Return the report as one HTML document, with everything inside, for the screen or for the printed report.

    ``data`` is what its script computes with, ``others`` the files beside it by their language.
    """
    script = _own("report.js") if medium == "screen" else ""
    source: str = (
        _templates(translation.language)
        .get_template("report.html.j2")
        .render(
            report=view,
            language=translation.language,
            medium=medium,
            version=__version__,
            created=created,
            sheets=_sheets(medium),
            script=script,
            script_hash=base64.b64encode(sha256(f"\n{script}\n".encode()).digest()).decode(),
            data=data,
            others=[(each, Locale.parse(each).display_name, name) for each, name in (others or {}).items()],
        )
    )
    return source.replace(" × ", f"{NO_BREAK}×{NO_BREAK}")


@cache
def _templates(language: str) -> Any:
    """Return the templates with the words of a language; they are compiled once a process."""
    translation = Translation(language)
    environment: Any = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(translation.gettext, translation.ngettext, newstyle=True)
    return environment


def _sheets(medium: Medium) -> tuple[tuple[str, Markup], ...]:
    """Return the style sheets inside the document: the medium that each is for ("" for any), and its rules."""
    if medium == "print":
        return (("", _font_faces()), ("", _own("print.css")), ("", _own("pages.css")))
    return (("", _font_faces() + _screen_faces()), ("screen", _own("screen.css")), ("print", _own("print.css")))


@cache
def _font_faces() -> Markup:
    """Return the ``@font-face`` rules with the fonts in them."""
    rules = []
    for family, name, weight, style in FACES:
        content = (FONTS / f"{name}.woff2").read_bytes()
        rules.append(RULE.format(family, weight, style, data_address(content, "font/woff2")))
    return Markup("\n".join(rules))  # noqa: S704 - files of this project


def _screen_faces() -> Markup:
    rules = []
    for family, name in SCREEN_FACES:
        content = (FONTS / f"{name}.woff2").read_bytes()
        rules.append(RULE.format(family, 400, "normal", data_address(content, "font/woff2")))
    return Markup("\n" + "\n".join(rules))  # noqa: S704 - files of this project


def _own(name: str) -> Markup:
    """Return our own style sheet or script, which holds nothing from a bundle."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8").strip())  # noqa: S704 - a file of this project


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
