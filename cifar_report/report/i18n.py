"""Words and numbers in the report's languages: gettext catalogues, compiled in memory, and Babel's formats."""

import datetime
import gettext as gettext_module
import io
import math
import re
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import SimpleNamespace

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from cifar_report.analysis.results.trials import Datum, Formula, Unit
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.errors import UsageError
from cifar_report.spec import CIFAR10, LANGUAGES, Dataset

SOURCE_LANGUAGE = "en"
PLACEHOLDER = re.compile(r"(?<!%)(?:%%)*%\((\w+)\)s")
MESSAGES = Path(__file__).parent / "messages"
LOCALE_FOLDER = Path(__file__).parent / "locale"
DOMAIN, STUDY_DOMAIN = "report", "study"  # the second replaces what speaks of the original
EXPERIMENT = "experiment"  # context of the experiments' own texts in the catalogues


def mark(message: str) -> str:
    """Return ``message`` unchanged: it is translated where it is used, and the catalogue finds it by this call."""
    return message


def load_messages(topic: str) -> SimpleNamespace:
    """Return the messages of a topic by their names: a text, a list of its two forms, or a table of them by codes."""
    return SimpleNamespace(**tomllib.loads((MESSAGES / f"{topic}.toml").read_text(encoding="utf-8")))


def catalogue_path(language: str, domain: str = DOMAIN) -> Path:
    """Return where a catalogue of ``language`` lies (or would lie)."""
    return LOCALE_FOLDER / language / "LC_MESSAGES" / f"{domain}.po"


class Translation:
    """The words of one language.

    ``%(name)s`` is a placeholder in a message, ``%%`` a per cent sign. Raises UsageError for a language that no
    report is written in. ``dataset`` is what the images are of, ``own``: a study without an original.
    """

    def __init__(self, language: str, dataset: Dataset = CIFAR10, *, own: bool = False) -> None:
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise UsageError(f"the report is not available in the language {language!r}; choose one of: {known}")
        self.language = language
        if own and language != SOURCE_LANGUAGE:
            raise UsageError("the report on a study of one's own is written in English: --lang en")
        self.dataset, self.own = dataset, own
        self.locale = Locale.parse(language)
        self.numbers = Numbers(self)
        self._catalogue = _load(language, STUDY_DOMAIN if own else DOMAIN)

    def gettext(self, message: str) -> str:
        """Return the translation of ``message``; its placeholders stay as they are."""
        return self._catalogue.gettext(message)

    def ngettext(self, singular: str, plural: str, count: int) -> str:
        """Return the translation in the plural form that ``count`` asks for; its placeholders stay as they are."""
        return self._catalogue.ngettext(singular, plural, count)

    def text(self, text: str) -> str:
        """Return an experiment's text in this language, or as it stands where nobody has translated it."""
        return self._catalogue.pgettext(EXPERIMENT, text)

    @property
    def classes(self) -> tuple[str, ...]:
        """Return what the classes are called, in the order of their labels."""
        return tuple(map(self.gettext, self.dataset.classes))

    def columns(self, titles: str) -> tuple[str, ...]:
        """Return the titles of a table's columns, which are separated by " | "."""
        return tuple(map(self.gettext, titles.split(" | ")))

    def sentence(self, message: str, values: Mapping[str, object] | None = None) -> Markup:
        """Translate a sentence and fill in its placeholders, whole numbers grouped; what is no markup is escaped."""
        return self._fill(self.gettext(message), values or {})

    def plural(self, forms: Sequence[str], count: int, values: Mapping[str, object]) -> Markup:
        """Translate a sentence in the plural form of ``count`` and fill in its placeholders."""
        singular, plural = forms
        return self._fill(self.ngettext(singular, plural, count), values)

    def _fill(self, sentence: str, values: Mapping[str, object]) -> Markup:
        """Fill the placeholders of a sentence; only those values are called that it names, so only they are linked."""
        named = {name: values[name] for name in PLACEHOLDER.findall(sentence)}
        called = {name: value() if callable(value) else value for name, value in named.items()}
        whole = self.numbers.integer
        return escape(sentence) % {k: whole(value) if isinstance(value, int) else value for k, value in called.items()}

    def plain_plural(self, forms: Sequence[str], count: int, values: Mapping[str, object]) -> str:
        """Translate a sentence in the plural form of ``count`` for places without markup."""
        singular, plural = forms
        return self.ngettext(singular, plural, count) % values

    def plain(self, message: str, values: Mapping[str, object] | None = None) -> str:
        """Translate a sentence for places without markup (attributes, metadata)."""
        return self.gettext(message) % (values or {})


@cache
def _load(language: str, domain: str) -> gettext_module.NullTranslations:
    if (language, domain) == (SOURCE_LANGUAGE, DOMAIN):
        return gettext_module.NullTranslations()
    binary = io.BytesIO()
    write_mo(binary, read_catalogue(language, domain))
    binary.seek(0)
    return gettext_module.GNUTranslations(binary)


def read_catalogue(language: str, domain: str = DOMAIN) -> Catalog:
    """Read a ``.po`` file of ``language``; raises an error of Babel's when it is malformed."""
    with catalogue_path(language, domain).open("rb") as stream:
        return read_po(stream, locale=language, domain=domain, abort_invalid=True)


DASH = "–"
NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "−"
INFINITE = "\N{INFINITY}"
HUGE, TINY = 1e15, 1e-6  # numbers outside are written with an exponent
LEAST_P = 0.001

SIGNED: tuple[Formula, ...] = (
    *("mean_difference", "mean_relative_difference", "difference_of_means", "difference_of_epochs"),
    *("difference_from_fixed", "difference_over_images", "mean_difference_over_images", "difference_beyond_images"),
    *("original_difference", "exact_difference", "one_sided_bound", "prediction_interval_of_difference"),
)
TRIMMED: frozenset[Formula] = frozenset({"margin", "stated_value"})
"""Numbers that somebody chose: shown without trailing zeros."""
UNSIGNED: frozenset[Formula] = TRIMMED | {"detectable_difference"}
"""Numbers that say how large a difference is, not to which side."""

PER_CENT: frozenset[Unit] = frozenset({"share", "relative"})
DECIMALS: dict[Unit, int] = {"loss": 4, "epochs": 1, "ratio": 2, "score": 3, "probability": 3}
DECIMALS |= {"share": 1, "points": 1, "relative": 1}  # of a per cent: single runs differ by more than that


class Numbers:
    """Numbers as one language writes them."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self._locale = translation.locale

    def bare(self, value: float, unit: Unit, *, signed: bool = False, trimmed: bool = False) -> str:
        """Return a value of ``unit`` without its unit: shares and points in per cent, bytes in mebibytes."""
        if not math.isfinite(value):
            return DASH
        if unit in ("share", "points", "relative"):
            value *= 100
        if unit in ("seconds", "throughput", "bytes", "ratio") and not trimmed:
            return self._significant(value / 2**20 if unit == "bytes" else value, signed=signed)
        if unit == "count":
            return self._decimal(value, 0 if float(value).is_integer() else 1, signed=signed)
        return self._decimal(value, DECIMALS[unit], signed=signed, trimmed=trimmed)

    def number(self, datum: Datum, *, size: bool = False) -> str:
        """Return a number as a table shows it, with a per cent sign where it is a share; ``size``: without its sign."""
        if datum.value is None:
            return DASH
        if datum.unit == "probability":
            is_p = datum.formula in ("p_value", "p_corrected", "mcnemar")
            return self.p_value(datum.value) if is_p else f"{self._decimal(datum.value * 100, 1)}%"
        value = abs(datum.value) if size else datum.value
        difference = datum.formula in SIGNED and datum.unit != "ratio"
        signed = difference or (datum.unit == "relative" and datum.formula not in UNSIGNED)
        text = self.bare(value, datum.unit, signed=signed and not size, trimmed=datum.formula in TRIMMED)
        return f"{text}%" if datum.unit in PER_CENT else text

    def quantity(self, datum: Datum, *, size: bool = False) -> str:
        """Return a number as a sentence shows it, with its unit on the same line; ``size``: without its sign."""
        text, form = self.number(datum, size=size), "%(number)s"
        if datum.value is None:
            return text
        match datum.unit:
            case "points":
                single = text.lstrip(f"+{MINUS}") in (self._decimal(1, 0), self._decimal(1, DECIMALS["points"]))
                form = self.translation.ngettext("%(number)s point", "%(number)s points", 1 if single else 2)
            case "epochs":
                single = abs(datum.value) == 1
                form = self.translation.ngettext("%(number)s epoch", "%(number)s epochs", 1 if single else 2)
            case "seconds":
                form = self.translation.gettext("%(number)s s")
            case "throughput":
                form = self.translation.gettext("%(number)s images/s")
            case "bytes":
                form = "%(number)s MiB"
        return (form % {"number": text}).replace(" ", NO_BREAK)

    def interval(self, datum: Datum, *, inverse: bool = False) -> str:
        """Return an interval in square brackets, in its number's unit, signed where an end is below zero; or a dash."""
        if datum.low is None and datum.high is None:
            return DASH
        known = [None if bound is None else 1 / bound if inverse else bound for bound in (datum.low, datum.high)]
        if datum.unit == "share":  # no accuracy lies beyond these, whatever t says of few seeds
            known = [None if bound is None else min(1.0, max(0.0, bound)) for bound in known]
        either = any((bound or 0) < 0 for bound in known) or None in known
        shown = ["" if bound is None else self.bare(bound, datum.unit, signed=either) for bound in known]
        low, high = (shown[1], shown[0]) if inverse else shown
        values = {"low": low or f"{MINUS}∞", "high": high or "∞"}
        return self.translation.plain(mark("[%(low)s, %(high)s]"), values).replace(" ", NO_BREAK)

    def p_value(self, value: float) -> str:
        """Return a p-value with two significant digits, or "< 0.001"; one below the level is never rounded to it."""
        if value < LEAST_P:
            return f"<{NO_BREAK}{self._decimal(LEAST_P, 3)}"
        places = 1 - math.floor(math.log10(float(f"{value:.1e}")))  # 0.996 is 1.0, not 1.00
        while value < LEVEL <= round(value, places):
            places += 1
        return self._decimal(value, places)

    def p_statement(self, value: float) -> str:
        """Return "p = 0.012", or "p < 0.001" where it is smaller."""
        sign = "" if value < LEAST_P else f"={NO_BREAK}"
        return f"p{NO_BREAK}{sign}{self.p_value(value)}"

    def integer(self, value: int) -> str:
        """Return a whole number, grouped."""
        return self._decimal(value, 0)

    def plain(self, value: float) -> str:
        """Return a number that somebody chose (a rate, a step size) with all its digits."""
        if abs(value) >= HUGE or 0 < abs(value) < TINY:
            return self._scientific(value)
        return _with_minus(format_decimal(value, format="#,##0.######", locale=self._locale))

    def date(self, moment: str) -> str:
        """Return the day of an ISO 8601 moment, in UTC."""
        return str(format_date(_in_utc(moment), format="long", locale=self._locale))

    def moment(self, moment: str) -> str:
        """Return day and minute of an ISO 8601 moment, in UTC."""
        return f"{self.date(moment)}, {_in_utc(moment):%H:%M} UTC"

    def enumeration(self, words: Sequence[str]) -> str:
        """Return words as a list in a sentence: "a, b and c"."""
        return format_list(list(words), locale=self._locale)

    def megabytes(self, count: int) -> str:
        """Return a number of bytes in mebibytes or gibibytes."""
        large = count >= 2**30
        return f"{self._significant(count / (2**30 if large else 2**20))} {'GiB' if large else 'MiB'}"

    def _scientific(self, value: float) -> str:
        """Return three significant figures with an exponent, for what has too many digits."""
        if not math.isfinite(value):
            return f"{MINUS if value < 0 else ''}{INFINITE}" if math.isinf(value) else DASH
        front, _, power = f"{value:.2e}".partition("e")
        return f"{self._decimal(float(front), 2, trimmed=True)}e{_with_minus(str(int(power)))}"

    def _significant(self, value: float, *, signed: bool = False) -> str:
        """Return at least three significant figures, without an exponent; whole numbers keep all theirs."""
        if value == 0:
            return self._decimal(0, 0)
        places = max(2 - math.floor(math.log10(abs(value))), 0)
        return self._decimal(round(value, places), places, signed=signed)

    def _decimal(self, value: float, places: int, *, signed: bool = False, trimmed: bool = False) -> str:
        if abs(value) >= HUGE:  # the loss of a diverged run
            return self._scientific(value)
        digits = ("#" if trimmed else "0") * places
        pattern = f"#,##0.{digits}" if places else "#,##0"
        text = _with_minus(format_decimal(float(value), format=pattern, locale=self._locale))
        if not any(character in "123456789" for character in text):
            return text.lstrip(MINUS)  # rounded to zero, which has no sign
        return f"+{text}" if signed and value > 0 else text


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS)


def _in_utc(moment: str) -> datetime.datetime:
    stamp = datetime.datetime.fromisoformat(moment)
    return stamp if stamp.tzinfo is None else stamp.astimezone(datetime.UTC)
