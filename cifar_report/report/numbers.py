"""Units and rounding: how a number looks in one language, and what stands where there is none."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence

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
        *("mean_difference", "mean_relative_difference", "median_difference", "difference_over_images"),
        *("mean_difference_over_images", "difference_beyond_images", "original_difference", "exact_difference"),
        *("one_sided_bound", "prediction_interval_of_difference"),
    }
)
TRIMMED: frozenset[Formula] = frozenset({"margin", "stated_value"})
"""Numbers that somebody chose: shown without trailing zeros."""
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
    "probability": 3,
}


class Numbers:
    """Numbers as one language writes them."""

    def __init__(self, translation: Translation) -> None:
        self.translation = translation
        self._locale = translation.locale

    def bare(self, value: float, unit: Unit, *, signed: bool = False, trimmed: bool = False) -> str:
        """Return a value of ``unit`` without its unit: shares and points in hundredths, bytes in mebibytes."""
        if not math.isfinite(value):
            return DASH
        if unit in ("share", "points", "relative"):
            value *= 100
        if unit in ("seconds", "throughput", "bytes"):
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
        signed = _signed(datum) and not size
        text = self.bare(value, datum.unit, signed=signed, trimmed=datum.formula in TRIMMED)
        return f"{text}%" if datum.unit in PER_CENT else text

    def quantity(self, datum: Datum, *, size: bool = False) -> str:
        """Return a number as a sentence shows it, with its unit in words; ``size``: without its sign."""
        text = self.number(datum, size=size)
        if datum.value is None:
            return text
        values = {"number": text}
        if datum.unit == "points":
            one = 1 if text.lstrip(f"+{MINUS}") in (self._decimal(1, 0), self._decimal(1, 2)) else 2
            return self.translation.ngettext("%(number)s point", "%(number)s points", one) % values
        if datum.unit == "epochs":
            one = 1 if abs(datum.value) == 1 else 2
            return self.translation.ngettext("%(number)s epoch", "%(number)s epochs", one) % values
        if datum.unit == "seconds":
            return self.translation.plain(mark("%(number)s s"), values)
        if datum.unit == "throughput":
            return self.translation.plain(mark("%(number)s images/s"), values)
        return f"{text} MiB" if datum.unit == "bytes" else text

    def interval(self, datum: Datum) -> str:
        """Return the bounds of a number's interval in square brackets, or a dash where it has none."""
        if datum.low is None or datum.high is None:
            return DASH
        low, high = (self.bare(bound, datum.unit, signed=_signed(datum)) for bound in (datum.low, datum.high))
        sign = "%" if datum.unit in PER_CENT else ""
        return f"[{low}{sign}{';' if ',' in low + high else ','} {high}{sign}]"

    def p_value(self, value: float) -> str:
        """Return a p-value, "< 0.001" where it is smaller than that."""
        return f"< {self._decimal(LEAST_P, 3)}" if value < LEAST_P else self._decimal(value, 3)

    def p_statement(self, value: float) -> str:
        """Return "p = 0.012", or "p < 0.001" where it is smaller."""
        return f"p {self.p_value(value)}" if value < LEAST_P else f"p = {self.p_value(value)}"

    def integer(self, value: int) -> str:
        """Return a whole number, grouped."""
        return self._decimal(value, 0)

    def plain(self, value: float) -> str:
        """Return a number that somebody chose (a rate, a step size) with all its digits."""
        return _with_minus(format_decimal(value, format="#,##0.######", locale=self._locale))

    def date(self, moment: str) -> str:
        """Return the day of an ISO 8601 moment, in UTC."""
        return str(format_date(_in_utc(moment), format="long", locale=self._locale))

    def moment(self, moment: str) -> str:
        """Return day and minute of an ISO 8601 moment, in UTC."""
        time = format_time(_in_utc(moment), format="HH:mm", locale=self._locale)
        return f"{self.date(moment)}, {time} UTC"

    def enumeration(self, words: Sequence[str]) -> str:
        """Return words as a list in a sentence: "a, b and c"."""
        return format_list(list(words), locale=self._locale)

    def megabytes(self, count: int) -> str:
        """Return a number of bytes in mebibytes or gibibytes."""
        large = count >= 2**30
        return f"{self._significant(count / (2**30 if large else 2**20))} {'GiB' if large else 'MiB'}"

    def _significant(self, value: float, *, signed: bool = False) -> str:
        """Return at least three significant figures, without an exponent; whole numbers keep all theirs."""
        if value == 0:
            return self._decimal(0, 0)
        places = max(2 - math.floor(math.log10(abs(value))), 0)
        return self._decimal(round(value, places), places, signed=signed)

    def _decimal(self, value: float, places: int, *, signed: bool = False, trimmed: bool = False) -> str:
        digits = ("#" if trimmed else "0") * places
        pattern = f"#,##0.{digits}" if places else "#,##0"
        text = _with_minus(format_decimal(float(value), format=pattern, locale=self._locale))
        if not any(character in "123456789" for character in text):
            return text.lstrip(MINUS)  # rounded to zero, which has no sign
        return f"+{text}" if signed and value > 0 else text


def _signed(datum: Datum) -> bool:
    """Whether a number is shown with its sign: differences are."""
    difference = datum.formula in SIGNED and datum.unit != "ratio"
    return difference or (datum.unit == "relative" and datum.formula not in UNSIGNED)


def _with_minus(text: str) -> str:
    return text.replace("-", MINUS)


def _in_utc(moment: str) -> datetime.datetime:
    stamp = datetime.datetime.fromisoformat(moment)
    return stamp if stamp.tzinfo is None else stamp.astimezone(datetime.UTC)
