"""Numbers on axes: the language's decimal sign, whole epochs, round ticks on logarithmic axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from babel.numbers import get_decimal_symbol
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, Formatter, FuncFormatter, NullLocator

from cifar_report.report.i18n import Translation

MOST_TICKS: Final = 9
SUPERSCRIPTS: Final = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


class LocalNumbers(Formatter):
    """Numbers on an axis with the language's decimal sign and with as many digits as the steps between them need."""

    def __init__(self, translate: Translation) -> None:
        self._decimal = get_decimal_symbol(translate.locale)

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the number ``x`` as text, with the digits that it needs alone."""
        del pos  # the signature is matplotlib's
        return self._write(x, digits_of(x))

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        """Return the numbers on an axis: all with the same digits where the steps between them are even."""
        steps = [after - before for before, after in pairwise(sorted(set(values)))]
        even = bool(steps) and max(steps) - min(steps) < 1e-6 * max(steps)
        return [self._write(value, digits_of(min(steps) if even else value)) for value in values]

    def _write(self, number: float, digits: int) -> str:
        text = f"{number:.{digits}f}"
        text = text[1:] if text.strip("-0.") == "" and text.startswith("-") else text
        return text.replace("-", "\N{MINUS SIGN}").replace(".", self._decimal)


def digits_of(number: float) -> int:
    """Return how many decimals ``number`` has, six at most."""
    return next((digits for digits in range(6) if abs(round(number, digits) - number) <= 1e-6 * abs(number)), 6)


def local_axis(axis: Axis, translate: Translation) -> None:
    """Write an axis's numbers as the language does."""
    axis.set_major_formatter(LocalNumbers(translate))
    axis.set_minor_locator(NullLocator())


def ratio_ticks(axis: Axis, most: int = MOST_TICKS) -> None:
    """Give a logarithmic axis few round ticks that cover what it shows."""
    low, high = axis.get_view_interval()
    ticks: list[float] = []
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for steps in ((1.0, 1.2, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0), (1.0, 1.5, 2.0, 3.0, 5.0), (1.0, 2.0, 5.0), (1.0,)):
        ticks = [round(step * 10.0**decade, 12) for decade in decades for step in steps]
        ticks = [tick for tick in ticks if low <= tick <= high]
        if len(ticks) <= most:
            break
    axis.set_major_locator(FixedLocator(ticks))


def magnitudes(axis: Axis, translate: Translation) -> None:
    """Write a logarithmic axis's numbers in full where they are short, as powers of ten where they are long."""
    ratio_ticks(axis, most=5)
    plain = LocalNumbers(translate)

    def written(number: float, place: int | None = None) -> str:
        if 1e-3 <= number < 1e4:
            return plain(number, place)
        power = math.floor(math.log10(number) + 1e-9)
        front = round(number / 10.0**power)
        sign = "" if front == 1 else f"{front}\N{MULTIPLICATION SIGN}"
        return f"{sign}10{str(power).translate(SUPERSCRIPTS)}"

    axis.set_major_formatter(FuncFormatter(written))
    axis.set_minor_locator(NullLocator())


def epoch_axis(axes: Axes, epochs: int, translate: Translation) -> None:
    """Give ``axes`` an epoch axis from 1 to ``epochs`` with whole numbers on it."""
    step = next((step for step in (1, 2, 5, 10, 20, 50, 100) if epochs / step <= 8), 200)
    # Steps of two go 1, 3, 5, …: a 2 right beside the 1 would touch it.
    ticks = list(range(1, epochs + 1, step)) if step < 5 else [1, *range(step, epochs + 1, step)]
    axes.set_xlim(1 - 0.03 * max(epochs - 1, 1), epochs + 0.03 * max(epochs - 1, 1))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.set_xlabel(translate.gettext("Epoch"))
    local_axis(axes.xaxis, translate)
