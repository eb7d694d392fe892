"""Words in the report's languages: gettext catalogues, compiled in memory from their ``.po`` files."""

from __future__ import annotations

import gettext as gettext_module
import io
import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from babel import Locale
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup, escape

from cifar_report.errors import UsageError
from cifar_report.spec import LANGUAGES

SOURCE_LANGUAGE = "en"
PLACEHOLDER = re.compile(r"(?<!%)(?:%%)*%\((\w+)\)s")
MESSAGES = Path(__file__).parent / "messages"
LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN = "report"
EXPERIMENT = "experiment"  # context of the experiments' own texts in the catalogues


def mark(message: str) -> str:
    """Return ``message`` unchanged: it is translated where it is used, and the catalogue finds it by this call."""
    return message


def mark_plural(singular: str, plural: str) -> tuple[str, str]:
    """Return both forms unchanged: the form is chosen and translated where they are used."""
    return singular, plural


def load_messages(topic: str) -> SimpleNamespace:
    """Return the messages of a topic by their names: a text, a list of its two forms, or a table of them by codes."""
    return SimpleNamespace(**tomllib.loads((MESSAGES / f"{topic}.toml").read_text(encoding="utf-8")))


def available_languages() -> tuple[str, ...]:
    """Return the languages a report can be built in: English, and every other one that has a catalogue."""
    return tuple(
        language for language in LANGUAGES if language == SOURCE_LANGUAGE or catalogue_path(language).is_file()
    )


def catalogue_path(language: str) -> Path:
    """Return where the catalogue of ``language`` lies (or would lie)."""
    return LOCALE_FOLDER / language / "LC_MESSAGES" / f"{DOMAIN}.po"


class Translation:
    """The words of one language.

    ``%(name)s`` is a placeholder in a message, ``%%`` a per cent sign. Raises UsageError for a language without a
    catalogue.
    """

    def __init__(self, language: str) -> None:
        if language not in available_languages():
            known = ", ".join(available_languages())
            raise UsageError(f"the report is not available in the language {language!r}; choose one of: {known}")
        self.language = language
        self.locale = Locale.parse(language)
        self._catalogue = _load(language)

    def __reduce__(self) -> tuple[type[Translation], tuple[str]]:
        """Pickle the language alone: a catalogue holds a function that cannot be pickled."""
        return type(self), (self.language,)

    def gettext(self, message: str) -> str:
        """Return the translation of ``message``; its placeholders stay as they are."""
        return self._catalogue.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the translation in the plural form that ``count`` asks for; its placeholders stay as they are."""
        return self._catalogue.ngettext(singular, plural, count)

    def text(self, text: str) -> str:
        """Return an experiment's text in this language, or as it stands where nobody has translated it."""
        return self._catalogue.pgettext(EXPERIMENT, text)

    def sentence(self, message: str, values: Mapping[str, object] | None = None) -> Markup:
        """Translate a sentence and fill in its placeholders; whatever is no markup is escaped."""
        return _fill(self.gettext(message), values or {})

    def plural(self, singular: str, plural: str, count: int, values: Mapping[str, object] | None = None) -> Markup:
        """Translate a sentence in the plural form of ``count`` and fill in its placeholders."""
        return _fill(self.ngettext(singular, plural, count), values or {})

    def plain(self, message: str, values: Mapping[str, object] | None = None) -> str:
        """Translate a sentence for places without markup (attributes, metadata)."""
        return self.gettext(message) % (values or {})


def _fill(sentence: str, values: Mapping[str, object]) -> Markup:
    """Fill the placeholders of a sentence; only those values are called that it names, so only they are linked."""
    named = {name: values[name] for name in PLACEHOLDER.findall(sentence)}
    return escape(sentence) % {name: value() if callable(value) else value for name, value in named.items()}


@cache
def _load(language: str) -> gettext_module.NullTranslations:
    if language == SOURCE_LANGUAGE:
        return gettext_module.NullTranslations()
    binary = io.BytesIO()
    write_mo(binary, read_catalogue(language))
    binary.seek(0)
    return gettext_module.GNUTranslations(binary)


def read_catalogue(language: str) -> Catalog:
    """Read the ``.po`` file of ``language``; raises an error of Babel's when it is malformed."""
    with catalogue_path(language).open("rb") as stream:
        return read_po(stream, locale=language, domain=DOMAIN, abort_invalid=True)
