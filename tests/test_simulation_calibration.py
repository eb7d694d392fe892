from pathlib import Path

import msgspec
import numpy as np
import pytest

from cifar_report.registry import claims_of, load_experiments
from cifar_report.simulation.calibration import (
    Calibration,
    accuracy_claims,
    at_margin,
    curve,
    load_calibration,
    main,
    no_effect,
    original_effects,
)

CLAIMS = accuracy_claims(claims_of(load_experiments()))
DRAWS = 300


def slack(share: float, trials: int) -> float:
    """Return three binomial standard errors of a share."""
    return 3 * float(np.sqrt(share * (1 - share) / trials))


@pytest.mark.parametrize("seeds", [3, 5])
def test_no_effect_rarely_gives_a_direction(seeds: int) -> None:
    """Without any true difference a family names a direction, right or opposite, in at most 5 % of the draws."""
    assert no_effect(CLAIMS, seeds, DRAWS).any_direction <= 0.05 + slack(0.05, DRAWS)


@pytest.mark.parametrize("seeds", [3, 5])
def test_effect_at_the_margin_is_rarely_denied(seeds: int) -> None:
    """A true difference of exactly the margin reads "not reproduced" in at most 5 % of the cases."""
    rates = at_margin(CLAIMS, seeds, DRAWS)
    assert rates.not_reproduced <= 0.05 + slack(0.05, DRAWS * len(CLAIMS))
    assert rates.not_reproduced > 0.02  # a method that never says no could not be wrong


@pytest.mark.parametrize("seeds", [5, 10])
def test_original_effects_have_the_power_that_is_told(seeds: int) -> None:
    """For effects of the original's size uncorrected p-values are significant as often as TTestPower says."""
    rates = original_effects(CLAIMS, seeds, DRAWS)
    assert rates.power is not None
    assert rates.significant == pytest.approx(rates.power, abs=slack(rates.power, DRAWS * rates.claims))


def test_curve_rises_from_denial_to_reproduction() -> None:
    """The larger the true difference, the oftener "reproduced" and the rarer "not reproduced"."""
    points = curve(CLAIMS[0], 5, 100)
    assert points[0].reproduced < 0.1 < 0.9 < points[-1].reproduced
    assert points[0].not_reproduced > points[-1].not_reproduced == 0


def test_committed_calibration_is_the_program_s_own(tmp_path: Path) -> None:
    """The committed rates are of 1,000 draws and keep the method's promises; the command writes the same form."""
    found = load_calibration()
    for rates in found.rates:
        assert rates.draws == 1000
        if rates.scenario == "no_effect":
            assert rates.any_direction <= 0.05 + slack(0.05, rates.draws)
        if rates.scenario == "at_margin":
            assert rates.not_reproduced <= 0.05 + slack(0.05, rates.draws * rates.claims)
    main([str(tmp_path / "out.json"), "--draws", "2"])
    again = msgspec.json.decode((tmp_path / "out.json").read_bytes(), type=Calibration)
    assert [(rates.scenario, rates.seeds) for rates in again.rates] == [
        (rates.scenario, rates.seeds) for rates in found.rates
    ]
