"""The report's typefaces as style sheet rules that need no file beside them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cifar_report.report.elements import data_address

FOLDER = Path(__file__).parent / "fonts"

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
RULE = '@font-face{{font-family:"{}";font-weight:{};font-style:{};src:url({}) format("woff2")}}'


@cache
def font_faces() -> str:
    """Return the ``@font-face`` rules with the fonts in them."""
    rules = []
    for family, name, weight, style in FACES:
        content = (FOLDER / f"{name}.woff2").read_bytes()
        rules.append(RULE.format(family, weight, style, data_address(content, "font/woff2")))
    return "\n".join(rules)
