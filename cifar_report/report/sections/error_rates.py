"""The method's own error rates: what was simulated with known truth, and whether the method keeps its promises."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup, escape

from cifar_report.analysis.calibration_records import Noise, Scenario, load_calibration
from cifar_report.analysis.error_rates import ErrorRate, error_rates
from cifar_report.analysis.results import Datum
from cifar_report.report.elements import Cell, Column, FigureView, Row, Table
from cifar_report.report.figures.drawn import ERROR_RATES as GROUP
from cifar_report.report.i18n import mark, mark_plural
from cifar_report.report.sections.title import code
from cifar_report.report.writer import Writer

FINGERPRINT_SHOWN = 16  # digits of a SHA-256 that tell two apart by eye
WHAT = mark(
    "To see how often the method itself errs, reports with a known truth were simulated: values by seed were drawn at "
    "random and put through the same tests, corrections and margins as the measured ones."
)
ASSUMED = mark(
    "Accuracies were drawn with an assumed spread: a standard deviation of %(seed)s between random starts and of "
    "%(image)s from the limited number of test images."
)
MEASURED = mark_plural(
    "Accuracies were drawn with the spread of %(count)s trial of a bundle with the data %(dataset)s: a standard "
    "deviation of %(seed)s between random starts and of %(image)s from the limited number of test images.",
    "Accuracies were drawn with the median spread of %(count)s trials of a bundle with the data %(dataset)s: a "
    "standard deviation of %(seed)s between random starts and of %(image)s from the limited number of test images.",
)
MADE = mark("The numbers were made by the command %(command)s and are stored with the program.")
KEPT = mark(
    "No simulated rate contradicts its promise: each interval holds the promised value or, where that is a bound, lies "
    "below it. How often the method errs is known no better than these intervals say."
)
BROKEN = mark_plural(
    "In %(count)s row the simulated rate breaks the promise.",
    "In %(count)s rows the simulated rate breaks the promise.",
)
COUNTED: dict[Scenario, str] = {
    "no_effect": mark(
        "all recipes equally good: draws in which a family of claims is given a direction (counted for the family with "
        "the most)"
    ),
    "at_margin": mark("true difference exactly the margin: claims that read “not reproduced”"),
    "original": mark("true differences of the original's size: claims with an uncorrected p below .05"),
}
PROMISED: dict[Scenario, str] = {
    "no_effect": mark("at most %(promised)s"),
    "at_margin": mark("at most %(promised)s"),
    "original": mark("%(promised)s, the power by theory"),
}


@dataclass(frozen=True)
class ErrorRatesView:
    """What was simulated, the rates and their figure."""

    sentences: tuple[Markup, ...]
    table: Table
    figures: tuple[FigureView, ...]


def build(writer: Writer) -> ErrorRatesView:
    """Return the committed rates as the appendix shows them."""
    calibration = load_calibration()
    rates = error_rates(calibration)
    broken = sum(not rate.kept for rate in rates)
    said = (
        writer.say(WHAT),
        _noise(writer, calibration.noise),
        writer.count(BROKEN, broken) if broken else writer.say(KEPT),
        writer.say(MADE, command=code(calibration.command)),
    )
    return ErrorRatesView(said, _table(writer, rates), writer.group(GROUP))


def _noise(writer: Writer, noise: Noise) -> Markup:
    values = {name: writer.quantity(_spread(noise, name)) for name in ("seed", "image")}
    if noise.source == "assumed":
        return writer.say(ASSUMED, **values)
    dataset = code((noise.dataset or "")[:FINGERPRINT_SHOWN])
    return writer.count(MEASURED, noise.trials or 0, dataset=dataset, **values)


def _spread(noise: Noise, name: str) -> Datum:
    value, identity = (noise.seed if name == "seed" else noise.image), f"calibration.noise.{name}"
    if noise.source == "assumed":
        return Datum(identity, value, "points", "assumed_deviation", origin="spec")
    return Datum(identity, value, "points", "standard_deviation", noise.runs, "runs")


def _table(writer: Writer, rates: tuple[ErrorRate, ...]) -> Table:
    heads = (
        Column(writer.word(mark("What is counted"))),
        Column(writer.word(mark("Seeds")), numeric=True),
        Column(writer.word(mark("Draws")), numeric=True),
        Column(writer.word(mark("n")), numeric=True),
        Column(writer.word(mark("Rate [95% interval]")), numeric=True, whole=True),
        Column(writer.word(mark("Promised"))),
        Column(writer.word(mark("In agreement"))),
    )
    caption = writer.say(
        mark("The method's own error rates, from simulations with known truth; n counts draws or, within them, claims")
    )
    return writer.table("error-rates", caption, heads, [_row(writer, rate) for rate in rates], style="wide")


def _row(writer: Writer, rate: ErrorRate) -> Row:
    interval = Markup(' <span class="interval">{}</span>').format(writer.numbers.interval(rate.rate))
    promised = writer.translation.plain(PROMISED[rate.scenario], {"promised": writer.numbers.number(rate.promised)})
    return writer.row(
        (
            writer.text_cell(writer.word(COUNTED[rate.scenario])),
            writer.count_cell(rate.seeds),
            writer.count_cell(rate.draws),
            writer.count_cell(rate.rate.n),
            Cell(escape(writer.numbers.number(rate.rate)) + interval, numeric=True),
            writer.text_cell(promised),
            writer.text_cell(writer.word(mark("yes") if rate.kept else mark("no"))),
        )
    )
