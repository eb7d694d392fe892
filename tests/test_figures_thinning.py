"""Figures of bundles with very many seeds: what is drawn stays small, and what is left out was not drawn before."""

import pytest

from cifar_report.analysis import analyse
from cifar_report.registry import load_experiments
from cifar_report.report.figures import costs, curves, dots, forest, points
from cifar_report.report.figures.thinning import MOST_SEEDS, spread, thinned, without_runs
from cifar_report.report.i18n import Translation
from cifar_report.simulation import Simulation, simulate_bundle

TRIALS = ("baseline", "baseline_30_epochs", "filters_32", "nearest_centroid")
ENGLISH = Translation("en")


@pytest.fixture
def results(tmp_path, request):
    """Return the results of a simulated bundle of a few trials with the asked number of seeds."""
    simulation = Simulation(seeds=request.param, trials=TRIALS, counts=(80, 20, 20))
    return analyse(simulate_bundle(tmp_path / "bundle", load_experiments(), simulation))


def test_thinning_keeps_the_ends_and_few_in_between():
    """Up to the most all values stay as they are; of more, evenly spaced ones with the first and the last."""
    assert thinned(range(MOST_SEEDS)) == list(range(MOST_SEEDS))
    kept = thinned(range(1_000))
    assert len(kept) == len(set(kept)) == MOST_SEEDS
    assert (kept[0], kept[-1]) == (0, 999)
    assert kept == sorted(kept)
    assert spread([0.3, 0.1]) == [0.3, 0.1]
    values = [place * 0.7 % 1 for place in range(200)]
    assert (min(values), max(values)) == (spread(values)[0], spread(values)[-1])


@pytest.mark.parametrize("results", [3], indirect=True)
def test_figures_of_many_trials_draw_nothing_of_what_is_left_out(results):
    """Drawn from the whole results or from what thinning leaves of them, a figure is the same, bytes and words."""
    for draw in (dots.draw_dots, costs.draw_costs, forest.draw_forests):
        assert draw(without_runs(results), ENGLISH) == draw(results, ENGLISH)


@pytest.mark.parametrize("results", [MOST_SEEDS + 10], indirect=True)
def test_curves_of_many_seeds_say_how_many_are_drawn(results):
    """Beyond the most, a figure draws so many seeds and its caption says so; below, it says nothing of the kind."""
    figure = curves.draw_curves(results.trial("baseline"), ENGLISH)
    assert f"Of the seeds, only {MOST_SEEDS} are drawn, evenly spaced." in figure.caption
    assert points.spread(results.trial("baseline").primary.values)[0] == min(results.trial("baseline").primary.values)
