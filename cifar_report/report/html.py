"""The report as one self-contained HTML file, for the screen or ready to be printed."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from cifar_report import __version__, project_folder
from cifar_report.errors import SuiteError
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import ReportView
from cifar_report.report.typefaces import font_faces
from cifar_report.report.writer import Medium

TEMPLATES = project_folder("templates")


def to_html(view: ReportView, translation: Translation, created: str) -> bytes:
    """Return the HTML file: fonts, figures, styles and script inside, nothing fetched from anywhere."""
    return render(view, translation, "screen", created).encode("utf-8")


def render(view: ReportView, translation: Translation, medium: Medium, created: str) -> str:
    """Return the report as one HTML document for the screen or for the printed report."""
    return _environment(translation).get_template("report.html.j2").render(
        report=view,
        language=translation.language,
        medium=medium,
        version=__version__,
        created=created,
        sheets=_sheets(medium),
        script=_safe(_read("report.js")) if medium == "screen" else "",
    )  # fmt: skip


def _environment(translation: Translation) -> Environment:
    if not TEMPLATES.is_dir():
        raise SuiteError(f"the report's templates are missing: {TEMPLATES} (install the project again)")
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
    return environment  # type: ignore[no-any-return]


def _sheets(medium: Medium) -> tuple[tuple[str, Markup], ...]:
    """Return the style sheets inside the document: the medium that each is for ("" for any), and its rules."""
    fonts, paper = _safe(font_faces()), _safe(_read("print.css"))
    if medium == "print":
        return (("", fonts), ("", paper), ("", _safe(_read("pages.css"))))
    return (("", fonts), ("screen", _safe(_read("screen.css"))), ("print", paper))


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _safe(text: str) -> Markup:
    """Mark our own style sheet or script as finished; it holds nothing from a bundle."""
    return Markup(text)  # noqa: S704 - a file of this project
