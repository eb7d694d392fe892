"""Holds the numbers of the HTML against the text of the PDF, section by section."""

from __future__ import annotations

import re
from collections import Counter

from cifar_report.validation.sections import Section, html_sections, pdf_sections, plain

NUMBER = re.compile(r"(?:(?<![\w.,])[+\u2212])?\d+(?:[.,]\d+)*")
"""Digits with their points and commas; a sign belongs to it where nothing stands before the sign."""
SHORTER_ON_PAPER = {"appendix-data"}
"""Headings whose sections have fewer rows on paper: there each number of the PDF must stand in the HTML.

How often is not compared: the head of a table stands on every page that it goes on to.
"""
MOST_NAMED = 5  # numbers of a section that a finding names


def numbers_in(text: str) -> Counter[str]:
    """Return each number of a text as it is written, with how often it occurs."""
    return Counter(NUMBER.findall(text))


def compare_numbers(html: str, pdf_text: str) -> tuple[list[str], int]:
    """Return what sections of the HTML hold and the same sections of the PDF do not, and how many numbers were held.

    ``html`` is the page's source; ``pdf_text`` what ``pdftotext -raw`` read. Each number must occur in the PDF's
    section at least as often as in the HTML's. Codes and listings are compared letter by letter without spaces,
    because they may break anywhere.
    """
    sections, date = html_sections(html)
    printed = pdf_sections(pdf_text, [section.title for section in sections], date)
    findings, held = [], 0
    if not sections:
        findings.append("the HTML has no headings")
    for place, section in enumerate(sections):
        if place not in printed:
            findings.append(f"the PDF has no heading “{section.title}”")
            continue
        findings += _compare(section, printed[place])
        held += numbers_in(section.text).total()
    return findings, held


def _compare(section: Section, printed: str) -> list[str]:
    numbers, of_pdf = numbers_in(section.text), numbers_in(printed)
    if section.id in SHORTER_ON_PAPER:
        for code in section.verbatim:
            numbers += numbers_in(code)
        strange = Counter({number: count for number, count in of_pdf.items() if number not in numbers})
        return _findings(section.title, strange, "the HTML lacks")
    text = _squeezed(printed)
    missing = [each for each in section.verbatim if _squeezed(plain(each)) not in text]
    codes = [f"“{section.title}”: the PDF lacks the code {each.strip()[:60]!r}" for each in missing[:MOST_NAMED]]
    return [*_findings(section.title, numbers - of_pdf, "the PDF lacks"), *codes]


def _findings(title: str, missing: Counter[str], what: str) -> list[str]:
    if not missing:
        return []
    named = ", ".join(f"{number} ({count} times)" for number, count in missing.most_common(MOST_NAMED))
    more = f" and {len(missing) - MOST_NAMED} others" if len(missing) > MOST_NAMED else ""
    return [f"“{title}”: {what} {named}{more}"]


def _squeezed(text: str) -> str:
    return "".join(text.split())
