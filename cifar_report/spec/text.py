"""A text in the report's languages, side by side, so that an experiment stays one file."""

from __future__ import annotations

import msgspec

LANGUAGES = ("en", "el")


class Text(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One text in English and Greek; plain words, never markup."""

    en: str
    el: str

    def __post_init__(self) -> None:
        """Refuse an empty translation."""
        if not self.en.strip() or not self.el.strip():
            raise ValueError(f"text {self.en or self.el!r} lacks one of its languages")

    def in_language(self, language: str) -> str:
        """Return the text in ``language``, one of LANGUAGES."""
        return {"en": self.en, "el": self.el}[language]
