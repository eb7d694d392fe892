"""The report as one self-contained HTML file, with what its script computes with, and as one accessible PDF."""

import base64
import gc
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from babel import Locale
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.image import imsave

from cifar_report import __version__, project_folder
from cifar_report.analysis.decisions import family_key, side_of
from cifar_report.analysis.predictions import condensed, read_predictions, surest_of_pair
from cifar_report.analysis.results import TrialResult, Verdict
from cifar_report.analysis.verdicts import verdicts
from cifar_report.errors import SuiteError
from cifar_report.report.elements import data_address
from cifar_report.report.figures.base import MOST_CLASSES, Images
from cifar_report.report.i18n import NO_BREAK, Translation, mark
from cifar_report.report.sections import ReportView
from cifar_report.report.sections.claims import notation
from cifar_report.report.text.trials import change_labels
from cifar_report.report.writer import Medium, Writer
from cifar_report.spec import Trial, differences

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
SCREEN_FACES = (
    ("Report Figures", "report-figures-400-normal", 400, "normal"),
    ("Report Math", "report-math-400-normal", 400, "normal"),
)
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
    """Return the report as one HTML document; ``others`` are the files beside it by their language."""
    script = _own("report.js") if medium == "screen" else ""
    template = _templates(translation.language, translation.own).get_template("report.html.j2")
    source: str = template.render(
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
    return source.replace(" × ", f"{NO_BREAK}×{NO_BREAK}")


@cache
def _templates(language: str, own: bool) -> Any:
    """Return the templates with the words of a language; they are compiled once a process."""
    translation = Translation(language, own=own)
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
        return (("", _font_faces(FACES)), ("", _own("print.css")), ("", _own("pages.css")))
    faces = _font_faces(FACES + SCREEN_FACES)
    return (("", faces), ("screen", _own("screen.css")), ("print", _own("print.css")))


@cache
def _font_faces(faces: tuple[tuple[str, str, int, str], ...]) -> Markup:
    files = {name: data_address((FONTS / f"{name}.woff2").read_bytes(), "font/woff2") for _, name, *_ in faces}
    rules = (RULE.format(family, weight, style, files[name]) for family, name, weight, style in faces)
    return Markup("\n".join(rules))  # noqa: S704 - files of this project


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


ACROSS = 25  # images in a line of the sprite of those that the page's script shows
QUALITY = 80  # of its WebP: some 900 bytes an image
EXACT = ("exact", "mcnemar", None)  # tests that the page does not repeat


def page_data(writer: Writer, images: Images | None) -> Markup:
    """Return the JSON for a ``script`` element; ``images`` must be the dataset of the bundle's fingerprint."""
    results, pairs = writer.results, {}
    ran = [trial for trial in results.trials if trial.primary.datum.value is not None]
    plan, judged = writer.bundle.record.plan, results.verdicts
    confirmed = any(verdict.other is not None for verdict in judged)
    if confirmed:  # headlines come from two sets of seeds, each with corrections of its own: the page has one of them
        first = replace(writer.bundle, phase="first")
        judged = verdicts(first, read_predictions(first), results.scope)
    for one, other in combinations(ran, 2):
        labels = change_labels(writer, differences(one.trial, other.trial))
        pairs[f"{one.id}|{other.id}"] = [label.striptags() for label in labels]
    data = {
        "planned": plan is not None and not plan.confirms,  # a claim that is tested several times is not decided again
        "first": confirmed,
        "claims": [_claim(writer, verdict) for verdict in judged],
        "trials": [_trial(writer, trial) for trial in ran],
        "changes": pairs,
        "confusions": _confusions(writer, images),
    }
    encoded = msgspec.json.encode(data).decode().replace("<", "\\u003c")
    return Markup(encoded)  # noqa: S704 - no "<" is left in it


def _claim(writer: Writer, verdict: Verdict) -> dict[str, Any]:
    """Return everything that decides a claim: its definition, and the values of its seeds or blocks."""
    claim = verdict.claim
    return {
        "id": verdict.id,
        "about": notation(writer, verdict).striptags(),
        "trials": claim.trials,
        **{name: getattr(claim, name) for name in ("quantity", "relation", "margin", "value")},
        "side": side_of(claim),
        "family": (key := family_key(claim)) and "|".join(key),
        "time": claim.timed,
        "absolute": claim.comparator is None,
        **{name: getattr(verdict, name) for name in ("outcome", "reason", "test", "n_of")},
        "unit": verdict.estimate.unit,
        "estimate": [getattr(verdict.estimate, name) for name in ("value", "low", "high")],
        "fixed": verdict.test in EXACT,
        "paired": verdict.n_comparator is None,
        "rows": [[each.seed, each.subject, each.comparator, each.censored] for each in verdict.differences],
        "images": [
            [each.only_subject_right.value, each.only_comparator_right.value]
            for each in (verdict.networks.tests if verdict.networks and verdict.test == "mcnemar" else ())
        ],
    }


def _trial(writer: Writer, trial: TrialResult) -> dict[str, Any]:
    """Return a trial's name, its accuracy by seed, and each seed's accuracies by epoch, stage after stage."""
    curves: dict[str, list[list[float | None]]] = {}
    for curve in (curve for stage in trial.stages for curve in stage.curves):
        both = curves.setdefault(str(curve.seed), [[], []])
        for known, values in zip(both, (curve.accuracy, curve.val_accuracy), strict=True):
            known += [value if value is None else round(value, 4) for value in values]
    scores = [[each.seed, each.value] for each in trial.primary.seeds]
    name = writer.trial_title(trial.id)
    return {"id": trial.id, "name": name, "scores": scores, "mean": trial.primary.datum.value, "curves": curves}


def _confusions(writer: Writer, images: Images | None) -> dict[str, Any] | None:
    """Return the confusions of the run that the examples are of, and of each the images that it was surest of."""
    results, bundle = writer.results, writer.bundle
    shown = results.examples[0] if results.examples else None
    run = next((each for each in bundle.runs if shown and each.id == shown.run), None)
    if shown is None or run is None or not isinstance(run.trial, Trial):
        return None
    summary, file = results.trial(shown.trial).stage(shown.stage), bundle.predictions(run)
    kept = None if summary is None else condensed(file, shown.stage, summary.primary_weights)
    if kept is None or kept.top is None or len(file.dataset.classes) > MOST_CLASSES:
        return None
    cells, places, names = [], [], writer.translation.classes
    for label, predicted in np.ndindex(len(names), len(names)):
        chosen = surest_of_pair(file.labels, kept.predicted, kept.top, (label, predicted))
        count = int(np.sum((file.labels == label) & (kept.predicted == predicted)))
        cells.append([count, [[int(file.indices[place]), round(float(kept.top[place]), 4)] for place in chosen]])
        places += [int(file.indices[place]) for place in chosen]
    sprite = None if images is None else _sprite(images, places)
    trial = writer.trial_title(shown.trial, shown.stage)
    return {"trial": trial, "run": run.id, "classes": names, "cells": cells, "sprite": sprite, "across": ACROSS}


def _sprite(images: Images, places: Sequence[int]) -> str:
    """Return the images side by side, ``ACROSS`` in a line, as a data address."""
    lines = -(-len(places) // ACROSS)
    tiles = np.zeros((lines * ACROSS, *images.shape[1:]), np.uint8)
    tiles[: len(places)] = images[list(places)]
    height, width, colours = images.shape[1:]
    sheet = tiles.reshape(lines, ACROSS, *images.shape[1:]).swapaxes(1, 2)
    sheet = sheet.reshape(lines * height, ACROSS * width, colours)
    sheet = np.broadcast_to(sheet, (*sheet.shape[:2], 3))  # one colour is grey
    stream = io.BytesIO()
    imsave(stream, sheet, format="webp", pil_kwargs={"quality": QUALITY, "method": 6})
    return data_address(stream.getvalue(), "image/webp")
