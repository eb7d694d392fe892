"""The method's own error rates, as simulated with known truth and committed, and what the method promises of them."""

from pathlib import Path
from typing import Literal

import msgspec

from cifar_report.analysis.results import Datum
from cifar_report.errors import SuiteError

RESULTS = Path(__file__).parents[1] / "simulation" / "calibration.json"
COMMAND = "nox -s calibration"
NEAR = 0.02  # by which a predicted power may miss: both are simulated, and the correction is not known beforehand

Scenario = Literal["no_effect", "halves", "at_margin", "at_limit", "original", "ranking", "looks"]
Spread = Literal["own", "collapsing"]


class Noise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The bundle whose runs the simulated values scatter like; accuracies' standard deviations between runs, 0 … 1."""

    least: float
    median: float
    most: float
    profile: str
    dataset: str  # fingerprint of the bundle's data
    networks: int
    runs: int
    collapses: float  # share of the runs, where some collapse
    depth: float  # accuracy that these lose


class Rates(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a scenario gave the verdict that the method promises something about."""

    scenario: Scenario
    family: str  # of the claims; "alone": of nearness, which no family corrects
    spread: Spread  # each network scatters as in the bundle (own), or all as its median one, and some runs collapse
    seeds: int
    draws: int
    share: float
    count: int  # draws, or claims of all draws, that it is a share of
    low: float  # exact 95 % interval of the share
    high: float
    bound: float | None  # that the share must not exceed; of "original" the power to be met; None: nothing is promised

    def datum(self, part: Literal["rate", "promised"]) -> Datum:
        """Return the share with its exact binomial interval, or what is promised of it."""
        identity = ".".join(("calibration", self.scenario, self.family, self.spread, str(self.seeds), part))
        identity = identity.replace(" ", "_")
        if part == "promised":
            return Datum(identity, self.bound, "share", "promised_rate", origin="simulated")
        interval = self.low, self.high
        return Datum(
            identity, self.share, "share", "share_of_draws", self.count, "draws", *interval, origin="simulated"
        )

    @property
    def kept(self) -> bool | None:
        """Whether the interval of the share allows the promise; None where nothing is promised."""
        if self.bound is None:
            return None
        if self.scenario == "original":
            return self.low - NEAR <= self.bound <= self.high + NEAR
        return self.low <= self.bound


class Calibration(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that was simulated, by which command and with which noise."""

    command: str
    noise: Noise
    rates: tuple[Rates, ...]


def load_calibration() -> Calibration:
    """Return the committed calibration of the project's own claims; raises SuiteError when it cannot be read."""
    try:
        return msgspec.json.decode(RESULTS.read_bytes(), type=Calibration)
    except (OSError, msgspec.DecodeError) as error:
        raise SuiteError(f"{RESULTS}: the calibration cannot be read: {error}; make it anew with: {COMMAND}") from error
