"""The method's own error rates: what was simulated with known truth, and whether the method keeps its promises."""

from __future__ import annotations

from markupsafe import Markup, escape

from cifar_report.analysis.calibration import Noise, Rates, load_calibration
from cifar_report.analysis.results import Datum
from cifar_report.report.elements import Cell, Row, Table, code
from cifar_report.report.figures.base import ERROR_RATES as GROUP
from cifar_report.report.i18n import load_messages, mark
from cifar_report.report.sections.front import FINGERPRINT_SHOWN
from cifar_report.report.writer import Writer

SAY = load_messages("error_rates")


def build(writer: Writer) -> dict[str, object]:
    """Return the committed rates as the appendix shows them."""
    calibration = load_calibration()
    return {
        "noise": _noise(writer, calibration.noise),
        "broken": sum(not rate.kept for rate in calibration.rates),
        "command": code(calibration.command),
        "table": _table(writer, calibration.rates),
        "figures": writer.group(GROUP),
    }


def _noise(writer: Writer, noise: Noise) -> Markup:
    assumed = noise.source == "assumed"
    values: dict[str, Markup] = {}
    for name, value in (("seed", noise.seed), ("image", noise.image)):
        identity = f"calibration.noise.{name}"
        values[name] = writer.quantity(
            Datum(identity, value, "points", "assumed_deviation", origin="spec")
            if assumed
            else Datum(identity, value, "points", "standard_deviation", noise.runs, "runs")
        )
    if assumed:
        return writer.sentence(SAY.assumed, **values)
    dataset = code((noise.dataset or "")[:FINGERPRINT_SHOWN])
    return writer.plural(SAY.measured, noise.trials or 0, dataset=dataset, **values)


def _table(writer: Writer, rates: tuple[Rates, ...]) -> Table:
    columns = (
        *writer.columns("What is counted | Seeds | Draws | n"),
        *writer.columns("Rate [95% interval]", words=0, whole=(0,)),
        *writer.columns("Promised | In agreement", words=2),
    )
    caption = writer.sentence(
        "The method's own error rates, from simulations with known truth; n counts draws or, within them, claims"
    )
    return writer.table("error-rates", caption, columns, [_row(writer, rate) for rate in rates], style="wide")


def _row(writer: Writer, rate: Rates) -> Row:
    interval = Markup(' <span class="interval">{}</span>').format(writer.numbers.interval(rate.rate))
    return writer.row(
        writer.word(SAY.counted[rate.scenario]),
        rate.seeds,
        rate.draws,
        rate.rate.n,
        Cell(escape(writer.numbers.number(rate.rate)) + interval, numeric=True),
        writer.translation.plain(SAY.promised[rate.scenario], {"promised": writer.numbers.number(rate.promised)}),
        writer.word(mark("yes") if rate.kept else mark("no")),
    )
