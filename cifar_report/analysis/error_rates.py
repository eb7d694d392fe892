"""The method's own error rates: what was simulated with known truth, and what the method promises of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from cifar_report.analysis.calibration_records import Calibration, Rates, Scenario
from cifar_report.analysis.results import Datum
from cifar_report.analysis.values import LEVEL


@dataclass(frozen=True)
class ErrorRate:
    """One rate that the method promises something about.

    ``rate`` carries its exact binomial interval. ``promised`` is the bound that it must not exceed or, in the
    scenario ``original``, the power that it must meet. ``kept`` says whether the interval allows the promise.
    """

    scenario: Scenario
    seeds: int
    draws: int
    claims: int
    rate: Datum
    promised: Datum
    kept: bool


def error_rates(calibration: Calibration) -> tuple[ErrorRate, ...]:
    """Return every promised rate beside what was simulated, in the order of the file."""
    return tuple(_error_rates(calibration))


def _error_rates(calibration: Calibration) -> Iterator[ErrorRate]:
    for rates in calibration.rates:
        value, count = rates.counted
        bound = (rates.power or 0.0) if rates.scenario == "original" else LEVEL
        prefix = f"calibration.{rates.scenario}.{rates.seeds}"
        yield ErrorRate(
            rates.scenario,
            rates.seeds,
            rates.draws,
            rates.claims,
            _rate(f"{prefix}.rate", value, count, rates),
            Datum(f"{prefix}.promised", bound, "share", "promised_rate", origin="simulated"),
            kept=rates.low <= bound and (rates.scenario != "original" or bound <= rates.high),
        )


def _rate(identity: str, value: float, count: int, rates: Rates) -> Datum:
    return Datum(identity, value, "share", "share_of_draws", count, "draws", rates.low, rates.high, origin="simulated")
