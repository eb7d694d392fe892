from dataclasses import replace

import numpy as np
import pytest
from analysis_cases import FIRST, bundle, claim, experiment
from msgspec.structs import replace as alter

from cifar_report.analysis import Results, analyse
from cifar_report.analysis.estimates import epoch_of_least_loss, first_epoch_at_level, overfits_from, smoothed_loss
from cifar_report.analysis.results import Datum, Measure, SeedValue
from cifar_report.analysis.views import ties
from cifar_report.bundle import Bundle, Evaluation, History, Scores, StageResult
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import EarlyStopping, Stage

SCORES = Scores(accuracy=0.5, loss=1.0)
EVALUATION = Evaluation(train=SCORES, validation=SCORES, test=SCORES)
VALLEY = [2.0, 1.0, 1.0, 1.0]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """Return a bundle with a timing pass in which the second trial takes twice the first one's time."""
    seconds = {"first": 10.0, "second": 20.0}
    return bundle(tmp_path_factory.mktemp("views"), claim(), timing=True, seconds=seconds)


@pytest.fixture(scope="module")
def results(loaded: Bundle) -> Results:
    return analyse(loaded)


def stage(val_loss: list[float | None], loss: list[float] | None = None, val_accuracy: float = 0.5) -> StageResult:
    """Return a stage with this validation loss; training loss falls unless it is given."""
    epochs = len(val_loss)
    falling = tuple(loss or [2 - 0.1 * epoch for epoch in range(epochs)])
    accuracies = {"accuracy": (0.5,) * epochs, "val_accuracy": (val_accuracy,) * epochs}
    history = History(loss=falling, val_loss=tuple(val_loss), **accuracies)
    scores = {"last": EVALUATION, "best": EVALUATION}
    return StageResult(id="training", history=history, best_epoch=1, stopped_early=False, **scores)


def test_smoothing_by_hand():
    """Losses are smoothed by medians of three epochs, and a level that is never reached is no number."""
    assert smoothed_loss(stage([1.0, 3.0, 2.0, 5.0])) == pytest.approx([np.nan, 2.0, 3.0, np.nan], nan_ok=True)
    assert first_epoch_at_level((0.54, 0.56)) == 2.0
    assert first_epoch_at_level((0.54, 0.54)) is None


@pytest.mark.parametrize(
    ("losses", "epoch"), [([2.0, 1.5, 1.4, 1.4, 1.6], 3), ([2.0, None, 1.0, 1.1, 1.2], 3), ([None, None], None)]
)
def test_epoch_of_least_loss(losses, epoch):
    """The first of the least losses counts, missing losses are passed over, and none at all gives no epoch."""
    assert epoch_of_least_loss(stage(losses)) == epoch


@pytest.mark.parametrize(
    ("val_loss", "loss", "epoch"),
    [
        ([*VALLEY, 1.1, 1.1], None, 2),
        ([*VALLEY, 1.01, 1.01], None, None),
        ([*VALLEY, 1.1, 1.1], [1.0, 1.0, 1.1, 1.2, 1.3, 1.4], None),
        ([None, None], None, None),
    ],
)
def test_onset(val_loss, loss, epoch):
    """Two percent of rise behind the least loss count, one percent or a rising training loss do not."""
    assert overfits_from(stage(val_loss, loss)) == epoch


@pytest.mark.parametrize(
    ("others", "tied"),
    [
        ((0.543, 0.50), (False, False)),  # p = .0066, times three pairs, and .0199, times one
        ((0.543, 0.5429), (True, True)),  # .0198 times three; times two, for two tests, it would be below .05
        ((0.582, 0.50), (True, False)),  # the nearer one alone: .1583
        ((), ()),
    ],
)
def test_the_first_is_compared_for_every_pair_that_it_may_have_come_from(others, tied):
    """Of three trials the first test counts for three pairs, because the data chose the first; the next one for one."""

    def measure(mean):
        values = (mean - 0.01, mean, mean + 0.01)
        seeds = tuple(SeedValue(place, f"{mean}/{place}", value) for place, value in enumerate(values))
        return Measure(Datum(f"m{mean}", mean, "share", "mean_over_seeds"), seeds)

    assert ties([measure(mean) for mean in (0.60, *others)]) == [True, *tied]
    assert ties([]) == []


def test_ranking_follows_the_accuracies(results, tmp_path):
    """The better trial stands first and alone on the front at equal cost; what differs is named."""
    assert [row.trial for row in results.ranking] == ["second", "first", "nearest_3", "nearest_1"]
    assert [row.tied for row in results.ranking] == [True, False, False, False]
    fronts = {front.cost: front for front in results.pareto}
    assert {point.trial: point.on_front for point in fronts["parameters"].points} == {"second": True, "first": False}
    assert fronts["seconds"].points
    without = {front.cost: front for front in analyse(bundle(tmp_path)).pareto}["seconds"]
    assert without.points == ()
    (row,) = results.ablation
    assert row.trial == "second"
    assert [change.place for change in row.one_change.changes] == ["batch_size"]
    assert row.one_change.confounded is False
    assert row.one_change.difference.value == pytest.approx(0.1, abs=0.05)


def test_variance_is_split_by_hand(loaded, results):
    """The seeds' part is the spread of their accuracies, net of the images' noise; the images' that of mean answers."""
    row = next(row for row in results.variance if row.trial == "first")
    runs = loaded.runs_of("first")
    total = np.var([run.stages[0].last.test.accuracy for run in runs], ddof=1)
    tables = [loaded.predictions(run) for run in runs]
    right = [each.probabilities["training", "last"].argmax(axis=1) == each.labels for each in tables]
    within, count = np.mean(np.var(right, axis=0, ddof=1)), len(tables[0].labels)
    seeds = max(total - within / count, 0)
    images = (np.var(np.mean(right, axis=0), ddof=1) - within / len(right)) / count
    found = (row.observed.value, row.sampling.value, row.seed_share.value)
    assert found == pytest.approx((np.sqrt(seeds), np.sqrt(images), seeds / (seeds + images)))


def test_examples_follow_the_rule(loaded, results):
    """Per class the surest right and wrong answer of the median run of the best trial, then its confusions."""
    kinds = [example.kind for example in results.examples]
    assert (kinds[:20].count("right"), kinds[:20].count("wrong"), set(kinds[20:])) == (10, 10, {"confused"})
    assert {example.trial for example in results.examples} == {"second"}
    runs = loaded.runs_of("second")
    median = sorted(runs, key=lambda run: run.stage().last.validation.accuracy)[(len(runs) - 1) // 2]
    assert {example.run for example in results.examples} == {median.id}
    predictions = loaded.predictions(median)
    table = predictions.probabilities["training", "last"]
    chosen = (predictions.labels == 7) & (table.argmax(axis=1) != 7)
    example = next(each for each in results.examples if each.kind == "wrong" and each.label == 7)
    assert example.image == predictions.indices[chosen][table[chosen].max(axis=1).argmax()]
    assert example.probability.value == pytest.approx(float(table[chosen].max()))


def test_every_number_has_one_id(results):
    """Ids are unique, fit into HTML and are found again; two different numbers under one id are refused."""
    data = results.data()
    assert not [name for name in data if " " in name or not name[0].isalpha()]
    assert data["first.training.last.test_accuracy"] == results.trial("first").primary.datum
    row = results.ranking[0]
    twisted = replace(results, ranking=(replace(row, accuracy=replace(row.accuracy, value=0.123)),))
    with pytest.raises(ValueError, match="carry the id"):
        twisted.data()


def test_early_stopping_is_judged_by_its_restored_weights(tmp_path):
    """A stage with early stopping counts with its best weights, and its epochs' table says how many still ran."""
    stopped = alter(FIRST, stages=(Stage(epochs=30, early_stopping=EarlyStopping()),))
    one = alter(experiment(), trials=(stopped,))
    results = analyse(simulate_bundle(tmp_path, [one], Simulation(seeds=6)))
    summary = results.trial("first").stages[0]
    assert results.trial("first").primary == summary.best.test_accuracy
    assert summary.epochs_table[0].n == 6
    assert summary.epochs_table[-1].n < 6
    assert summary.epochs_run.values == tuple(len(curve.loss) for curve in summary.curves)
