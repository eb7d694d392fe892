"""The template environment: escaping always, no undefined name, words from the catalogue."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cifar_report import __version__
from cifar_report.errors import SuiteError
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import ReportView
from cifar_report.report.typefaces import font_faces
from cifar_report.report.writer import Medium

TEMPLATES = Path(__file__).parents[2] / "templates"


@dataclass(frozen=True)
class Sheet:
    """A style sheet inside the document, for one medium or for all."""

    text: str
    media: str = ""


def render(view: ReportView, translation: Translation, medium: Medium, created: str, *, front: bool = True) -> str:
    """Return the report as one HTML document for the screen or for the printed report.

    ``front`` says whether title and contents stand before the sections. The printed report's typefaces are not in it.
    """
    template = _environment(translation).get_template("report.html.j2")
    return template.render(
        report=view,
        language=translation.language,
        medium=medium,
        front=front,
        version=__version__,
        created=created,
        sheets=_sheets(medium),
        script=_safe(_read("report.js")) if medium == "screen" else "",
    )


def _environment(translation: Translation) -> Environment:
    if not TEMPLATES.is_dir():
        raise SuiteError(f"the report's templates are missing: {TEMPLATES} (install the project again)")
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.policies["ext.i18n.trimmed"] = True
    catalogue: Any = environment
    catalogue.install_gettext_callables(translation.gettext, translation.ngettext, newstyle=True)
    return environment


def _sheets(medium: Medium) -> tuple[Sheet, ...]:
    if medium == "print":
        return (Sheet(_safe(_read("print.css"))), Sheet(_safe(_read("pages.css"))))
    fonts = Sheet(_safe(font_faces()))
    return (fonts, Sheet(_safe(_read("screen.css")), "screen"), Sheet(_safe(_read("print.css")), "print"))


def _read(name: str) -> str:
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _safe(text: str) -> Any:
    """Mark our own style sheet or script as finished; it holds nothing from a bundle."""
    from markupsafe import Markup

    return Markup(text)  # noqa: S704 - a file of this project
