import re

import msgspec
import numpy as np
import pytest

from cifar_report.analysis import calibration as stored
from cifar_report.analysis.calibration import Calibration, Rates, load_calibration
from cifar_report.analysis.statistics import exact_interval
from cifar_report.bundle import Bundle, Predictions, encode, sha256
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import claims_of, load_experiments
from cifar_report.simulation import Simulation, calibration, simulate_bundle
from cifar_report.simulation.calibration import (
    Setting,
    accuracy_claims,
    at_margin,
    curve,
    main,
    measured_noise,
    no_effect,
    original_effects,
    with_interval,
)

CLAIMS = accuracy_claims(claims_of(load_experiments()))
DRAWS = 300


def slack(share: float, trials: int) -> float:
    """Return three binomial standard errors of a share."""
    return 3 * float(np.sqrt(share * (1 - share) / trials))


def test_claims_are_corrected_for_the_whole_registry(monkeypatch):
    """Claims of which nothing is drawn count in their families, as in a report, so that fewer directions are named."""
    alone = [claim for claim in CLAIMS if claim.id == "C11a"]
    within = original_effects(alone, Setting(5, DRAWS))
    monkeypatch.setattr(calibration, "_registry", lambda: tuple(alone))
    assert within.reproduced < original_effects(alone, Setting(5, DRAWS)).reproduced


def test_curve_rises_from_denial_to_reproduction():
    """The larger the true difference, the oftener "reproduced" and the rarer "not reproduced"."""
    points = curve(CLAIMS[0], Setting(5, 100))
    assert points[0].reproduced < 0.1 < 0.9 < points[-1].reproduced
    assert points[0].not_reproduced > points[-1].not_reproduced == 0


def test_the_committed_rates_keep_the_method_s_promises():
    """The committed rates are of 1,000 draws at 3, 5 and 10 seeds, and no promise lies outside their intervals."""
    found = load_calibration()
    assert found.command.startswith("nox -s calibration -- --draws 1000")
    assert {(each.scenario, each.seeds) for each in found.rates} == {
        (scenario, seeds) for scenario in ("no_effect", "at_margin", "original") for seeds in (3, 5, 10)
    }
    for rates in found.rates:
        assert rates.draws == 1000
        again = with_interval(rates)
        assert (rates.low, rates.high) == pytest.approx((again.low, again.high), rel=1e-9)
        assert rates.claims == len(CLAIMS) or rates.scenario == "original"
        if rates.scenario == "no_effect":
            assert rates.any_direction <= 0.05 + slack(0.05, rates.draws)
        if rates.scenario == "at_margin":
            assert rates.not_reproduced <= 0.05 + slack(0.05, rates.draws * rates.claims)
    assert {(point.seeds, point.effect) for point in found.curves} >= {(3, 0.0), (5, 1.0), (10, 5.0)}


def test_the_committed_rates_are_those_of_today_s_method():
    """A few draws of today's program, with the committed noise, lie where the committed rates say."""
    found = load_calibration()
    draws = 150
    for scenario in (no_effect, at_margin, original_effects):
        fresh = scenario(CLAIMS, Setting(5, draws, found.noise, random_seed=99))
        known = next(each for each in found.rates if (each.scenario, each.seeds) == (fresh.scenario, 5))
        for name in ("reproduced", "not_reproduced", "inconclusive", "significant"):
            expected, count = getattr(known, name), draws * fresh.claims
            # Claims that share a trial err together, so that fewer than all of them speak for themselves.
            assert getattr(fresh, name) == pytest.approx(expected, abs=2 * slack(expected, count) + 1e-9), name


def test_the_command_writes_what_the_report_reads(tmp_path, capsys):
    """The program prints the rates and writes them with its command; a bundle gives the noise and is not told of."""
    bundle = simulate_bundle(tmp_path / "secret", load_experiments(), Simulation(seeds=4, trials=("baseline",)))
    output, noise = tmp_path / "new" / "out.json", measured_noise(bundle)
    main(["--output", str(output), "--draws", "2", "--noise-from", str(bundle.folder)])
    assert "no_effect, 5 seeds: " in capsys.readouterr().out
    found = msgspec.json.decode(output.read_bytes(), type=Calibration)
    assert (found.command, found.noise) == ("nox -s calibration -- --draws 2 --noise-from BUNDLE", noise)
    known = load_calibration().rates
    assert [(each.scenario, each.seeds) for each in found.rates] == [(each.scenario, each.seeds) for each in known]
    assert (noise.source, noise.profile, noise.trials, noise.runs) == ("measured", "full", 1, 4)
    assert b"secret" not in output.read_bytes()


def test_measured_noise_is_that_of_the_bundle(tmp_path):
    """The noise that a bundle was drawn with is found again: between seeds, and on single images."""
    trials = ("baseline", "filters_32", "kernel_7x7", "dense_64")
    settings = {"trials": trials, "seeds": 25, "counts": (800, 200, 4000), "accuracies": dict.fromkeys(trials, 0.6)}
    loud = measured_noise(simulate_bundle(tmp_path / "a", load_experiments(), Simulation(seed_noise=0.03, **settings)))
    calm = measured_noise(simulate_bundle(tmp_path / "b", load_experiments(), Simulation(seed_noise=0.0, **settings)))
    assert loud.seed == pytest.approx(0.03, rel=0.2)
    assert calm.seed < 0.005
    assert calm.image == pytest.approx(loud.image, rel=0.05)
    assert 0.004 < calm.image < 0.5 / np.sqrt(4000)  # p(1 - p) is a quarter at most


def test_one_collapsed_run_does_not_speak_for_all(tmp_path):
    """A trial with a run far below the others leaves the measured noise nearly as it was."""
    trials = ("baseline", "filters_32", "kernel_7x7", "dense_64", "stride_2")
    settings = {"trials": trials, "seeds": 5, "counts": (800, 200, 2000), "accuracies": dict.fromkeys(trials, 0.6)}
    bundle = simulate_bundle(tmp_path, load_experiments(), Simulation(seed_noise=0.01, **settings))
    before = measured_noise(bundle)
    run = bundle.runs_of("dense_64")[2]
    predictions = bundle.predictions(run)
    wrong = {key: np.roll(table, 1, axis=1) for key, table in predictions.probabilities.items()}
    content = Predictions(predictions.indices, predictions.labels, wrong).dump()
    (bundle.folder / "runs" / run.id / "predictions.npz").write_bytes(content)
    changed = msgspec.structs.replace(run, files=run.files | {"predictions.npz": sha256(content)})
    (bundle.folder / "runs" / run.id / "run.json").write_bytes(encode(changed))
    after = measured_noise(Bundle.load(bundle.folder))
    assert max(before.seed, after.seed) < 0.03


def test_noise_needs_two_runs_of_a_trial(tmp_path):
    """One seed says nothing about noise, and the error says what to do."""
    bundle = simulate_bundle(tmp_path, load_experiments(), Simulation(seeds=1, trials=("baseline",)))
    with pytest.raises(UsageError, match="two seeds"):
        measured_noise(bundle)


def rates(scenario: str, **changes: object) -> Rates:
    """Return rates of 1,000 draws of ten claims."""
    shares = dict.fromkeys(
        ("reproduced", "not_reproduced", "inconclusive", "any_reproduced", "any_opposite", "any_direction"), 0.0
    )
    fields = {"scenario": scenario, "seeds": 5, "draws": 1000, "claims": 10, "significant": 0.0, "low": 0, "high": 1}
    fields |= shares
    return with_interval(Rates(**(fields | changes)))


@pytest.mark.parametrize(
    ("given", "kept", "count"),
    [
        (rates("no_effect", any_direction=0.05), True, 1000),
        (rates("no_effect", any_direction=0.06), True, 1000),  # within the error of 1,000 draws
        (rates("no_effect", any_direction=0.09), False, 1000),
        (rates("no_effect", any_direction=0.0), True, 1000),
        (rates("at_margin", not_reproduced=0.049), True, 10_000),
        (rates("at_margin", not_reproduced=0.06), False, 10_000),
        (rates("original", significant=0.80, power=0.80), True, 10_000),
        (rates("original", significant=0.80, power=0.90), False, 10_000),
        (rates("original", significant=0.95, power=0.90), False, 10_000),
    ],
)
def test_a_broken_promise_is_called_broken(given, kept, count):
    """A bound is broken when the whole interval lies above it, and the power when it lies outside."""
    assert given.kept is kept
    assert given.rate.n == count
    assert (given.rate.low, given.rate.high) == exact_interval(round((given.rate.value or 0.0) * count), count)


def test_a_missing_calibration_says_how_to_make_it(tmp_path, monkeypatch):
    """Without the file, or with a damaged one, the error names the command."""
    without_intervals = re.sub(rb'"(low|high)": [^\n]*\n', b"", stored.RESULTS.read_bytes())
    for content in (None, b"{}", without_intervals):
        path = tmp_path / "calibration.json"
        if content is not None:
            path.write_bytes(content)
        monkeypatch.setattr(stored, "RESULTS", path)
        with pytest.raises(SuiteError, match="nox -s calibration"):
            load_calibration()
