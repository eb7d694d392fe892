"""Takes a report apart into its sections: the HTML by its headings, the PDF by the same headings in its text."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser

HEADINGS = {"h1", "h2", "h3"}
UNSEEN = {"script", "style", "head", "details", "nav"}
"""What a reader of the page does not see, what is closed until it is opened, and the table of contents.

The numbers of a figure (``details``) belong to the HTML alone: in the PDF they are attached.
"""
SCREEN_ONLY = "screen-only"  # the class of what the printed report leaves out
VERBATIM = {"code", "pre"}
INLINE = {"a", "b", "em", "i", "span", "strong", "sub", "sup", "small", "time", "wbr", *VERBATIM}
VOID = {"br", "col", "hr", "img", "input", "link", "meta", "wbr"}


@dataclass
class Section:
    """A heading with what stands below it; ``verbatim`` are the codes and listings in it, which may break anywhere."""

    title: str
    id: str = ""
    text: str = ""
    verbatim: list[str] = field(default_factory=list)


class SectionReader(HTMLParser):
    """Reads the sections of a page as a reader sees them; ``date`` is what stands in the running heads."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections = [Section("")]
        self.date = ""
        self._open: list[tuple[str, str]] = []  # tag, and what it is to us: "", "unseen", "verbatim", "title", "date"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Open an element."""
        if tag not in INLINE:
            self.sections[-1].text += "\n"
        if tag in VOID:
            return
        attributes = {name: value or "" for name, value in attrs}
        role = self._role(tag, attributes)
        self._open.append((tag, role))
        if role == "title":
            self.sections.append(Section("", attributes.get("id", "")))
        if role == "verbatim":
            self.sections[-1].verbatim.append("")

    def _role(self, tag: str, attributes: dict[str, str]) -> str:
        classes = set(attributes.get("class", "").split())
        if tag in UNSEEN or "hidden" in attributes or SCREEN_ONLY in classes:
            return "unseen"
        if tag in HEADINGS and not self._inside("unseen"):
            return "title"
        if tag in VERBATIM and not self._inside("verbatim"):
            return "verbatim"
        return "date" if "date" in classes else ""

    def _inside(self, role: str) -> bool:
        return any(each == role for _, each in self._open)

    def handle_endtag(self, tag: str) -> None:
        """Close the element that was opened last."""
        if self._open and self._open[-1][0] == tag:
            self._open.pop()
        if tag not in INLINE:
            self.sections[-1].text += "\n"

    def handle_data(self, data: str) -> None:
        """Give text to the section that it stands in."""
        if self._inside("unseen"):
            return
        section = self.sections[-1]
        if self._inside("title"):
            section.title += data
        elif self._inside("verbatim"):
            section.verbatim[-1] += data
        else:
            section.text += data
        if self._inside("date"):
            self.date += data


def html_sections(source: str) -> tuple[list[Section], str]:
    """Return the sections of a page in order, and the date in its running heads."""
    reader = SectionReader()
    reader.feed(source)
    reader.close()
    sections = [Section(plain(each.title), each.id, plain(each.text), each.verbatim) for each in reader.sections]
    return [each for each in sections if each.title], " ".join(reader.date.split())


def pdf_sections(text: str, titles: list[str], date: str) -> dict[int, str]:
    """Return the text of each section of a PDF by its place in ``titles``; a heading that is not found has none.

    ``text`` is what ``pdftotext -raw`` read: the order of the content, pages separated by form feeds. Headings are
    looked for in order, each as whole lines, so that neither a reference nor the contents passes for one.
    """
    whole = plain("\n".join(without_running_head(page, date) for page in text.split("\f")))
    found: dict[int, tuple[int, int]] = {}
    at = 0
    for place, title in enumerate(titles):
        words = r"\s+".join(re.escape(word) for word in title.split())
        match = re.compile(rf"^{words}$", re.MULTILINE).search(whole, at)
        if match:
            found[place] = match.span()
            at = match.end()
    starts = sorted(start for start, _ in found.values())
    ends = {start: next((each for each in starts if each > start), len(whole)) for start in starts}
    return {place: whole[end : ends[start]] for place, (start, end) in found.items()}


def without_running_head(page: str, date: str) -> str:
    """Return a page's text without its running head and page number, which stand last in the order of the content."""
    lines = [line for line in page.splitlines() if line.strip()]
    if lines and lines[-1].strip().isdigit():
        lines.pop()
        if date and lines and lines[-1].strip().endswith(date):
            lines.pop()
    return "\n".join(lines)


def plain(text: str) -> str:
    """Return text with ligatures taken apart, one kind of space, no soft hyphens and no blank lines."""
    text = unicodedata.normalize("NFKC", text).replace("\u00ad", "").replace("\u200b", "")
    lines = (" ".join(line.split()) for line in text.splitlines())
    return "\n".join(line for line in lines if line)
