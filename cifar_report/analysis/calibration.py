"""The method's own error rates, as simulated with known truth and committed, and what the method promises of them.

No statistics are imported: a figure is drawn from this.
"""

from __future__ import annotations

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

    @property
    def rate(self) -> Datum:
        """Return the share that is ``counted`` with its exact binomial interval."""
        (value, count), identity = self.counted, f"calibration.{self.scenario}.{self.seeds}.rate"
        interval = self.low, self.high
        return Datum(identity, value, "share", "share_of_draws", count, "draws", *interval, origin="simulated")

    @property
    def promised(self) -> Datum:
        """Return the bound that the rate must not exceed; in the scenario ``original`` the power that it must meet."""
        bound = (self.power or 0.0) if self.scenario == "original" else LEVEL
        identity = f"calibration.{self.scenario}.{self.seeds}.promised"
        return Datum(identity, bound, "share", "promised_rate", origin="simulated")

    @property
    def kept(self) -> bool:
        """Whether the interval of the rate allows the promise."""
        bound = self.promised.value or 0.0
        return self.low <= bound and (self.scenario != "original" or bound <= self.high)


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
