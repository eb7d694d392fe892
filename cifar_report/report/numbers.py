"""The one place that decides how a number looks: rounding, units, signs, and what stands where there is none."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from functools import lru_cache

from babel import Locale
from babel.dates import format_date, format_time
from babel.lists import format_list
from babel.numbers import format_decimal

from cifar_report.analysis.results import Datum, Formula, Unit
from cifar_report.report.i18n import Translation, mark

DASH = "–"
MINUS = "−"
LEAST_P = 0.001

SIGNED: frozenset[Formula] = frozenset(
    {
        "mean_difference",
        "mean_relative_difference",
        "median_difference",
        "difference_over_images",
        "mean_difference_over_images",
        "difference_beyond_images",
        "original_difference",
        "exact_difference",
        "one_sided_bound",
        "prediction_interval_of_difference",
    }
)
TRIMMED: frozenset[Formula] = frozenset({"margin", "stated_value"})
"""Numbers that somebody chose: shown as chosen, without zeros behind."""
UNSIGNED: frozenset[Formula] = TRIMMED | {"detectable_difference"}
"""Numbers that say how large a difference is, not to which side."""

PER_CENT: frozenset[Unit] = frozenset({"share", "relative"})
DECIMALS: dict[Unit, int] = {
    "share": 2,  # of a per cent: one of 10,000 images
    "points": 2,
    "relative": 1,
    "loss": 4,
    "epochs": 1,
    "ratio": 2,
    "score": 3,
}


class Numbers:
    """Numbers in the words of one language."""

    def __init__(self, translation: Translation) -> None:
        self._translation = translation
        self._locale = translation.locale

    def bare(self, value: float, unit: Unit, *, signed: bool = False, trimmed: bool = False) -> str:
        """Return a value of ``unit`` in figures alone: shares and points in hundredths, no unit, no per cent sign."""
        if not math.isfinite(value):
            return DASH
        if unit == "probability":
            return self._decimal(value, 3)
        if unit in ("share", "points", "relative"):
            value *= 100
        if unit in ("seconds", "throughput", "bytes"):
            return self._significant(value / 2**20 if unit == "bytes" else value, signed=signed)
        if unit == "count":
            return self._decimal(value, 0 if float(value).is_integer() else 1, signed=signed)
        return self._decimal(value, DECIMALS[unit], signed=signed, trimmed=trimmed)

    def number(self, datum: Datum) -> str:
        """Return a number as it stands in a table: figures, a per cent sign where it is a share."""
        if datum.value is None:
            return DASH
        if datum.unit == "probability" and datum.formula in ("p_value", "p_corrected", "mcnemar"):
            return self.p_value(datum.value)
        if datum.unit == "probability":
            return f"{self._decimal(datum.value * 100, 1)}%"
        text = self.bare(datum.value, datum.unit, signed=self.signed(datum), trimmed=datum.formula in TRIMMED)
        return f"{text}%" if datum.unit in PER_CENT else text

    def quantity(self, datum: Datum, *, size: bool = False) -> str:
        """Return a number as it stands in a sentence, with its unit in words; ``size`` leaves out the sign."""
        if datum.value is None:
            return DASH
        value = abs(datum.value) if size else datum.value
        trimmed = datum.formula in TRIMMED
        text = self.bare(value, datum.unit, signed=self.signed(datum) and not size, trimmed=trimmed)
        if datum.unit in PER_CENT:
            return f"{text}%"
        return self._with_unit(datum.unit, text, self.number(datum), value)

    def interval(self, datum: Datum) -> str:
        """Return the bounds of a number's interval in square brackets, or a dash where it has none."""
        if datum.low is None or datum.high is None:
            return DASH
        low, high = (self.bare(bound, datum.unit, signed=self.signed(datum)) for bound in (datum.low, datum.high))
        sign = "%" if datum.unit in PER_CENT else ""
        return f"[{low}{sign}, {high}{sign}]" if "," not in low + high else f"[{low}{sign}; {high}{sign}]"

    def p_value(self, value: float) -> str:
        """Return a p-value, "< 0.001" where it is smaller than that."""
        return f"< {self._decimal(LEAST_P, 3)}" if value < LEAST_P else self._decimal(value, 3)

    def p_statement(self, value: float) -> str:
        """Return what a sentence says of a p-value: "p = 0.012", or "p < 0.001" where it is smaller."""
        return f"p {self.p_value(value)}" if value < LEAST_P else f"p = {self.p_value(value)}"

    def integer(self, value: int) -> str:
        """Return a whole number, grouped."""
        return self._decimal(value, 0)

    def plain(self, value: float) -> str:
        """Return a number that somebody chose (a rate, a step size) with all its digits."""
        return self._fix(format_decimal(value, format="#,##0.######", locale=self._locale))

    def date(self, moment: str) -> str:
        """Return the day of an ISO 8601 moment."""
        return str(format_date(_moment(moment), format="long", locale=self._locale))

    def moment(self, moment: str) -> str:
        """Return day and minute (UTC) of an ISO 8601 moment."""
        stamp = _moment(moment)
        return f"{format_date(stamp, format='long', locale=self._locale)}, {self._time(stamp)} UTC"

    def enumeration(self, words: Sequence[str]) -> str:
        """Return words as a list in a sentence: "a, b and c"."""
        return format_list(list(words), locale=self._locale)

    def megabytes(self, count: int) -> str:
        """Return a number of bytes in mebibytes or gibibytes."""
        if count >= 2**30:
            return f"{self._significant(count / 2**30)} GiB"
        return f"{self._significant(count / 2**20)} MiB"

    @staticmethod
    def signed(datum: Datum) -> bool:
        """Whether a number is shown with its sign: differences are."""
        difference = datum.formula in SIGNED and datum.unit != "ratio"
        return difference or (datum.unit == "relative" and datum.formula not in UNSIGNED)

    def _with_unit(self, unit: Unit, text: str, number: str, value: float) -> str:
        if unit == "points":
            one = 1 if text.lstrip(f"+{MINUS}") in (self._decimal(1, 0), self._decimal(1, 2)) else 2
            return self._translation.ngettext("%(number)s point", "%(number)s points", one) % {"number": text}
        if unit == "epochs":
            one = 1 if abs(value) == 1 else 2
            return self._translation.ngettext("%(number)s epoch", "%(number)s epochs", one) % {"number": text}
        if unit == "seconds":
            return self._translation.plain(mark("%(number)s s"), {"number": text})
        if unit == "throughput":
            return self._translation.plain(mark("%(number)s images/s"), {"number": text})
        if unit == "bytes":
            return f"{text} MiB"
        return number if unit == "probability" else text

    def _significant(self, value: float, *, signed: bool = False) -> str:
        """Return at least three significant figures, without an exponent; whole numbers keep all theirs."""
        if value == 0:
            return self._decimal(0, 0)
        places = max(2 - math.floor(math.log10(abs(value))), 0)
        return self._decimal(round(value, places), places, signed=signed)

    def _decimal(self, value: float, places: int, *, signed: bool = False, trimmed: bool = False) -> str:
        digits = ("#" if trimmed else "0") * places
        text = _in_figures(float(value), f"#,##0.{digits}" if places else "#,##0", self._locale)
        rounded_to_nought = not any(character in "123456789" for character in text)
        sign = "+" if signed and value > 0 and not rounded_to_nought else ""
        return sign + (self._fix(text).lstrip(MINUS) if rounded_to_nought else self._fix(text))

    @staticmethod
    def _fix(text: str) -> str:
        return text.replace("-", MINUS)

    def _time(self, stamp: datetime.datetime) -> str:
        return str(format_time(stamp, format="HH:mm", locale=self._locale))


@lru_cache(maxsize=1 << 16)
def _in_figures(value: float, pattern: str, locale: Locale) -> str:
    """Return a number by a pattern: a report shows the same ones on the screen and on paper, many of them often."""
    return format_decimal(value, format=pattern, locale=locale)


def _moment(moment: str) -> datetime.datetime:
    stamp = datetime.datetime.fromisoformat(moment)
    return stamp if stamp.tzinfo is None else stamp.astimezone(datetime.UTC)
