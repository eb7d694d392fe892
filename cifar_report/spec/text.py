"""A text in the report's languages, side by side, so that an experiment stays one file."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

LANGUAGES = ("en", "el")

# Control characters have no place in XML; marks of direction make a text read as another one.
SHOWN = (
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z"
)
Word = Annotated[str, Meta(max_length=200, pattern=SHOWN)]
"""A name, hash or title of a stored record."""
Paragraph = Annotated[str, Meta(max_length=20_000, pattern=SHOWN)]


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One text in English and Greek; plain words, never markup."""

    en: Paragraph
    el: Paragraph

    def __post_init__(self) -> None:
        """Refuse an empty translation."""
        if not self.en.strip() or not self.el.strip():
            raise ValueError(f"text {self.en or self.el!r} lacks one of its languages")

    def in_language(self, language: str) -> str:
        """Return the text in ``language``, one of LANGUAGES."""
        return {"en": self.en, "el": self.el}[language]
