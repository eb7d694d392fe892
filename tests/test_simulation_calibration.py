"""The simulated error rates: what is drawn, what is counted, and that the committed ones are those of this program."""

import re
from functools import cache

import msgspec
import numpy as np
import pytest
from suites import shared

from cifar_report.analysis import calibration as stored
from cifar_report.analysis.calibration import Calibration, Rates, load_calibration
from cifar_report.analysis.hypothesis_tests import exact_interval
from cifar_report.bundle import Bundle
from cifar_report.errors import SuiteError, UsageError
from cifar_report.simulation import calibration
from cifar_report.simulation.calibration import COLLAPSES, REFERENCE, Setting, decisions, drawn_claims, halves, rates

TRIALS = ("baseline", "filters_32", "second_conv_32", "nearest_neighbor_1", "nearest_neighbor_3")


@cache
def drawn():
    return drawn_claims(Bundle.load(REFERENCE))


def slack(share: float, trials: int) -> float:
    return 3 * float(np.sqrt(share * (1 - share) / trials))


def values(name: str, setting: Setting, shift: float = 0.0, falling: tuple[int, ...] = (0, 1)):
    """Return the values of a claim's sides, float [draws, seeds] each, on the scale of its test."""
    one = next(each for each in drawn() if each.claim.id == name)
    generator = np.random.default_rng(5)
    size = (2, setting.draws, setting.seeds)
    return one, calibration.draw_values(one, lambda _: generator.random(size), shift, setting, falling)


def test_every_family_and_kind_of_claim_is_drawn():
    """All four families, claims of nearness, an onset, pairs, blocks, whole epochs and images are drawn."""
    assert {each.claim.family for each in drawn()} == {
        *("accuracy as written", "accuracy by one change", "convergence", "time", None)
    }
    assert {each.claim.relation for each in drawn()} >= {"greater", "less", "not_better", "equal", "ratio", "value",
                                                          "onset"}  # fmt: skip
    assert {len(each.streams) for each in drawn()} == {0, 1, 2}
    assert any(each.whole for each in drawn())


def test_values_scatter_as_in_the_bundle_around_the_true_difference():
    """Each side has its own network's standard deviation, and the means lie the asked difference apart."""
    one, sides = values("C05a.one_change", Setting(4, 4000), shift=0.02)
    for side, known in zip(sides, one.deviations, strict=True):
        assert np.std(side) == pytest.approx(np.std(known, ddof=1), rel=0.05)
    assert np.mean(sides[0]) - np.mean(sides[1]) == pytest.approx(0.02, abs=0.003)
    _, pairs = values("C13b.augmented", Setting(4, 4000), shift=0.01)
    assert len(pairs) == 1
    assert np.mean(pairs[0]) == pytest.approx(0.01, abs=0.002)


def test_epochs_stay_whole_and_have_their_mean():
    """Epochs are drawn whole from the bundle's own; neither they nor collapsed runs move the true difference."""
    one, sides = values("C07b.epochs_to_accuracy.as_written", Setting(4, 4000), shift=1.0)
    assert one.whole
    assert all(np.array_equal(side, np.rint(side)) for side in sides)
    assert np.mean(sides[0]) - np.mean(sides[1]) == pytest.approx(1.0, abs=0.15)
    assert set(np.unique(np.abs(sides[1]))) == set(np.abs(one.deviations[1]))
    setting = Setting(4, 4000, "collapsing")
    _, (subject, comparator) = values("C05a.one_change", setting, shift=0.02, falling=(1,))
    assert np.mean(subject) - np.mean(comparator) == pytest.approx(0.02, abs=0.003)
    assert np.mean(comparator < np.median(comparator) - 0.06) == pytest.approx(COLLAPSES, abs=0.02)
    assert not np.any(subject < np.median(subject) - 0.06)


@pytest.mark.parametrize("name", ["C05a.one_change", "C13b.augmented", "C07b.epochs_to_accuracy.as_written"])
def test_drawn_tests_are_those_of_a_bundle(name):
    """The tests of all draws at once give the p-values of the tests that a bundle's samples make one by one."""
    one, sides = values(name, Setting(4, 30), shift=1.0)
    for test, sample in zip(calibration.draw_tests(one, sides), calibration.draw_samples(one, sides), strict=True):
        known = sample.test()
        assert (test.procedure, test.center) == (known.procedure, pytest.approx(known.center))
        for side in (1, -1):
            assert test.p_value(0.0, side) == pytest.approx(known.p_value(0.0, side))
            assert test.p_value(0.5, side) == pytest.approx(known.p_value(0.5, side))


def test_claims_are_corrected_for_the_whole_registry():
    """Claims are corrected for the whole registry, and those about the same sides get the same draws."""
    alone = [each for each in drawn() if each.claim.id == "C11a"]
    found = []
    for scenario in ("no_effect", "original"):  # with the whole registry, and with the drawn claims alone
        each = [next(iter(given.values())) for given in decisions(alone, [0.013], Setting(3, 300), scenario)]
        found.append(sum(decision.outcome == "reproduced" for decision in each))
    assert 0 < found[0] < found[1]
    one = next(each for each in drawn() if each.claim.id == "C05a.as_written")
    twin = one._replace(claim=msgspec.structs.replace(one.claim, id="twin", family=None))
    pair = [one._replace(claim=msgspec.structs.replace(one.claim, family=None)), twin]
    same = {scenario: [len(set(each.values())) == 1 for each in decisions(pair, [0.02, 0.02], Setting(3, 60), scenario)]
            for scenario in ("no_effect", "original")}  # fmt: skip
    assert not all(same["original"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(calibration, "registry", lambda: tuple(each.claim for each in pair))
        assert all(len(set(each.values())) == 1 for each in decisions(pair, [0.02, 0.02], Setting(3, 60), "no_effect"))


def test_the_committed_rates_keep_the_method_s_promises():
    """Every promise was simulated 4,000 times at 2, 3, 5 and 10 seeds, and none lies outside its interval."""
    found = load_calibration()
    assert found.command == "nox -s calibration -- --draws 4000 --noise-from report/reference"
    families = {"accuracy as written", "accuracy by one change", "convergence", "time"}
    settings = {(each.scenario, each.family, each.spread, each.seeds) for each in found.rates}
    for scenario, groups in {
        "no_effect": families,
        "halves": {"halves"},
        "at_margin": families | {"alone"},
        "at_limit": {"alone"},
        "ranking": {"all"},
    }.items():
        assert settings >= {(scenario, group, "own", seeds) for group in groups for seeds in calibration.SEED_COUNTS}
    assert settings >= {("looks", group, "own", 40) for group in families - {"time"}}
    assert {(scenario, "accuracy as written", "collapsing", seeds)
            for scenario in ("no_effect", "at_margin") for seeds in calibration.SEED_COUNTS} <= settings  # fmt: skip
    for each in found.rates:
        assert each.draws == (1000 if each.scenario == "looks" else 4000)
        assert (each.low, each.high) == pytest.approx(exact_interval(round(each.share * each.count), each.count))
        assert each.kept is (None if (each.scenario, each.spread) == ("at_margin", "collapsing") else True), each
        if each.scenario != "original" and each.bound is not None:
            assert each.bound == 0.05
            assert each.share <= 0.05 + slack(0.05, each.draws)


@pytest.mark.parametrize("scenario", ["no_effect", "at_margin", "at_limit", "original", "halves"])
def test_the_committed_rates_are_those_of_today_s_method(scenario):
    """A few draws of today's program, with the committed noise, lie where the committed rates say."""
    draws = 100
    setting = Setting(3, draws, random_seed=99)
    known = {each.family: each for each in load_calibration().rates
             if (each.scenario, each.spread, each.seeds) == (scenario, "own", 3)}  # fmt: skip
    fresh = list(rates(scenario, halves(drawn()) if scenario == "halves" else drawn(), setting))
    assert {each.family for each in fresh} == set(known)
    for each in fresh:
        expected = known[each.family].share
        assert each.share == pytest.approx(expected, abs=slack(expected, each.count) + 1e-9), each.family


def test_the_committed_ranking_is_that_of_today_s_method():
    """A few rankings of equally good networks call one worse than the first as often as the committed ones."""
    known = next(each for each in load_calibration().rates
                 if (each.scenario, each.spread, each.seeds) == ("ranking", "own", 3))  # fmt: skip
    assert calibration.ranking(drawn(), Setting(3, 150, random_seed=9)).share <= known.share + slack(known.share, 150)


def test_the_command_writes_what_the_report_reads(tmp_path, capsys, monkeypatch):
    """The program prints the rates and writes them with its command; it does not tell where another bundle lies."""
    monkeypatch.setattr(calibration, "SEED_COUNTS", (2,))
    bundle = shared(seeds=3, trials=TRIALS, timing=True)
    output = tmp_path / "new" / "out.json"
    calibration.main(["--output", str(output), "--draws", "2", "--noise-from", str(bundle.folder)])
    assert "no_effect, accuracy as written, own, 2 seeds: " in capsys.readouterr().out
    found = msgspec.json.decode(output.read_bytes(), type=Calibration)
    assert found.command == "nox -s calibration -- --draws 2 --noise-from BUNDLE"
    assert (found.noise.networks, found.noise.runs, found.noise.profile) == (3, 9, "full")
    assert str(bundle.folder).encode() not in output.read_bytes()


def test_a_spread_needs_two_runs_of_a_trial():
    """One seed says nothing about the spread, and the error says what to do."""
    with pytest.raises(UsageError, match="two seeds"):
        drawn_claims(shared(seeds=1, trials=("baseline", "filters_32")))


def rate(scenario: str, share: float, bound: float | None = 0.05) -> Rates:
    return calibration.rate_of(scenario, "time", Setting(5, 1000), round(1000 * share), 1000, bound)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (rate("no_effect", 0.05), True),
        (rate("no_effect", 0.06), True),  # within the error of 1,000 draws
        (rate("no_effect", 0.09), False),
        (rate("at_margin", 0.0), True),
        (rate("at_margin", 0.5, None), None),
        (rate("original", 0.80, 0.80), True),
        (rate("original", 0.80, 0.90), False),
        (rate("original", 0.95, 0.90), False),
    ],
)
def test_a_broken_promise_is_called_broken(given, kept):
    """A bound is broken when the whole interval lies above it, and the power when it lies outside."""
    assert given.kept is kept
    shown = given.datum("rate")
    assert (shown.n, shown.low, shown.high) == (1000, *exact_interval(round(given.share * 1000), 1000))


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
