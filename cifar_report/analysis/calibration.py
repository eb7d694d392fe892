"""The method's own error rates, as simulated with known truth and committed, and what the method promises of them.

No statistics are imported: a figure is drawn from this.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from cifar_report.analysis.results import Datum
from cifar_report.analysis.values import LEVEL
from cifar_report.errors import SuiteError

RESULTS = Path(__file__).parents[1] / "simulation" / "calibration.json"
COMMAND = "nox -s calibration"

Scenario = Literal["no_effect", "at_margin", "original"]


class _Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file."""


class Noise(_Record, frozen=True, kw_only=True):
    """How far accuracies lie apart without any difference between configurations: standard deviations, 0 … 1.

    ``seed`` is what the random start does to a configuration; ``image`` what a finite test set adds to each network,
    as two networks of one configuration disagree on some images. Measured noise names the data and the runs.
    """

    seed: float
    image: float
    source: Literal["assumed", "measured"] = "assumed"
    profile: str | None = None
    dataset: str | None = None  # fingerprint of the measured bundle's data
    trials: int | None = None
    runs: int | None = None


class Rates(_Record, frozen=True, kw_only=True):
    """How often a scenario gave which verdict, over all claims and draws, and in how many draws any claim erred."""

    scenario: Scenario
    seeds: int
    draws: int
    claims: int
    reproduced: float  # share of claims
    not_reproduced: float
    inconclusive: float
    any_reproduced: float  # share of draws with at least one claim "reproduced"; of the family that has most
    any_opposite: float  # the same with at least one claim contradicted by the opposite sign
    any_direction: float  # the same with either of the two
    significant: float  # share of claims with an uncorrected p below .05 on the claimed side
    low: float  # exact 95 % interval of the share that is ``counted``
    high: float
    power: float | None = None  # what TTestPower says for the same effects, mean over claims

    @property
    def counted(self) -> tuple[float, int]:
        """Return the share that the method promises something about, and of how many draws or claims it is one."""
        # Claims of one draw share trials only where nothing differs; everywhere else each is a draw of its own.
        return {
            "no_effect": (self.any_direction, self.draws),
            "at_margin": (self.not_reproduced, self.draws * self.claims),
            "original": (self.significant, self.draws * self.claims),
        }[self.scenario]


class CurvePoint(_Record, frozen=True, kw_only=True):
    """Shares of verdicts on one claim that stands alone, when the true difference is ``effect`` margins."""

    seeds: int
    effect: float
    reproduced: float
    not_reproduced: float
    inconclusive: float


class Calibration(_Record, frozen=True, kw_only=True):
    """Everything that was simulated, by which command and with which noise."""

    command: str
    noise: Noise
    rates: tuple[Rates, ...]
    curves: tuple[CurvePoint, ...]


def load_calibration() -> Calibration:
    """Return the committed calibration of the project's own claims; raises SuiteError when it cannot be read."""
    try:
        return msgspec.json.decode(RESULTS.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise SuiteError(f"{RESULTS}: the calibration cannot be read: {error}; make it anew with: {COMMAND}") from error


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
    return tuple(_error_rate(rates) for rates in calibration.rates)


def _error_rate(rates: Rates) -> ErrorRate:
    (value, count), low, high = rates.counted, rates.low, rates.high
    bound = (rates.power or 0.0) if rates.scenario == "original" else LEVEL
    prefix = f"calibration.{rates.scenario}.{rates.seeds}"
    return ErrorRate(
        rates.scenario,
        rates.seeds,
        rates.draws,
        rates.claims,
        Datum(f"{prefix}.rate", value, "share", "share_of_draws", count, "draws", low, high, origin="simulated"),
        Datum(f"{prefix}.promised", bound, "share", "promised_rate", origin="simulated"),
        kept=low <= bound and (rates.scenario != "original" or bound <= high),
    )
