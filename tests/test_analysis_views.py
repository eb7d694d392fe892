from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from analysis_cases import FIRST, bundle, claim, experiment
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace as alter

from cifar_report.analysis import analyse
from cifar_report.analysis.ranking import compact_letters
from cifar_report.analysis.values import epoch_of_least_loss, epochs_to_accuracy, overfits_from, smoothed_loss
from cifar_report.bundle import Evaluation, History, Scores, StageResult
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import EarlyStopping, Stage

SCORES = Scores(accuracy=0.5, loss=1.0)
EVALUATION = Evaluation(train=SCORES, validation=SCORES, test=SCORES)


def stage(val_loss: list[float | None], loss: list[float] | None = None, val_accuracy: float = 0.5) -> StageResult:
    """Return a stage with this validation loss; training loss falls unless it is given."""
    epochs = len(val_loss)
    falling = loss or [2 - 0.1 * epoch for epoch in range(epochs)]
    history = History(
        loss=tuple(falling), accuracy=(0.5,) * epochs, val_loss=tuple(val_loss), val_accuracy=(val_accuracy,) * epochs
    )
    return StageResult(
        id="training", history=history, best_epoch=1, stopped_early=False, last=EVALUATION, best=EVALUATION
    )


def test_smoothing_by_hand() -> None:
    """Each epoch takes the median of itself and its neighbours, the ends the mean of two."""
    assert smoothed_loss(stage([1.0, 3.0, 2.0, 5.0])) == pytest.approx([2.0, 2.0, 3.0, 3.5])


def test_single_dip_is_no_least_loss() -> None:
    """One lucky epoch does not become the epoch of least loss."""
    assert epoch_of_least_loss(stage([2.0, 1.5, 1.4, 1.45, 1.6, 1.0, 1.7, 1.8])) == 3


def test_onset_needs_a_rise_while_training_goes_on_falling() -> None:
    """Two percent of rise behind the least loss count, one percent or a rising training loss do not."""
    assert overfits_from(stage([2.0, 1.0, 1.0, 1.0, 1.1, 1.1])) == 2
    assert overfits_from(stage([2.0, 1.0, 1.0, 1.0, 1.01, 1.01])) is None
    assert overfits_from(stage([2.0, 1.0, 1.0, 1.0, 1.1, 1.1], [1.0, 1.0, 1.1, 1.2, 1.3, 1.4])) is None


def test_losses_that_are_no_numbers_are_skipped() -> None:
    """Missing validation losses are passed over, and none at all gives no epoch."""
    assert epoch_of_least_loss(stage([2.0, None, 1.0, 1.1, 1.2])) == 3
    assert epoch_of_least_loss(stage([None, None])) is None
    assert overfits_from(stage([None, None])) is None


def test_level_that_is_never_reached_is_censored() -> None:
    """Validation accuracy below .55 throughout is "not reached", not a number."""
    assert epochs_to_accuracy(stage([1.0, 1.0], val_accuracy=0.56)) == (1.0, False)
    assert epochs_to_accuracy(stage([1.0, 1.0], val_accuracy=0.54)) == (None, True)


def test_letters_by_hand() -> None:
    """When only the first and the last differ, the middle one shares a letter with both."""
    assert compact_letters(3, {(0, 2)}) == [frozenset({0, 1}), frozenset({1, 2})]
    assert compact_letters(2, {(0, 1)}) == [frozenset({0}), frozenset({1})]
    assert compact_letters(3, set()) == [frozenset({0, 1, 2})]
    assert compact_letters(0, set()) == []


@given(st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)).filter(lambda pair: pair[0] < pair[1])))
def test_letters_say_exactly_who_differs(apart: set[tuple[int, int]]) -> None:
    """Two trials share a letter exactly when no test tells them apart."""
    sets = compact_letters(7, apart)
    for one in range(7):
        for other in range(one + 1, 7):
            assert any({one, other} <= members for members in sets) == ((one, other) not in apart)


def test_ranking_follows_the_accuracies(tmp_path: Path) -> None:
    """The better trial stands first and shares no letter with one ten points below; equal recipes share one."""
    rows = {row.trial: row for row in analyse(bundle(tmp_path)).ranking}
    assert [rows[name].place for name in ("second", "first", "nearest_3", "nearest_1")] == [1, 2, 3, 4]
    assert not set(rows["second"].groups) & set(rows["first"].groups)


def test_pareto_front_holds_who_is_not_beaten(tmp_path: Path) -> None:
    """At equal cost only the more accurate trial is on the front; without a timing pass there is none of seconds."""
    fronts = {front.cost: front for front in analyse(bundle(tmp_path)).pareto}
    on_front = {point.trial: point.on_front for point in fronts["parameters"].points}
    assert on_front == {"second": True, "first": False}
    assert (fronts["seconds"].points, fronts["seconds"].reason) == ((), "no_timing_pass")


def test_timing_gives_rates_and_seconds(tmp_path: Path) -> None:
    """The timing pass gives seconds a step, images a second and a front of seconds for one epoch."""
    results = analyse(bundle(tmp_path, timing=True, seconds={"first": 10.0, "second": 20.0}))
    rows = {row.trial: row for row in results.timing}
    assert rows["first"].seconds_per_step is not None
    assert rows["first"].seconds_per_step.value == pytest.approx(0.05, rel=0.1)
    assert rows["second"].images_per_second is not None
    assert rows["second"].images_per_second.value == pytest.approx(640, rel=0.1)
    assert rows["nearest_1"].fit_seconds is not None
    assert next(front for front in results.pareto if front.cost == "seconds").points


def test_ablation_names_what_differs(tmp_path: Path) -> None:
    """The comparison carries the spec's differences, and one change is not confounded."""
    row = analyse(bundle(tmp_path)).ablation[0]
    assert row.trial == "second"
    assert row.one_change is not None
    assert [change.place for change in row.one_change.changes] == ["batch_size"]
    assert row.one_change.confounded is False
    assert row.one_change.difference.value == pytest.approx(0.1, abs=0.05)


def test_variance_is_split_by_hand(tmp_path: Path) -> None:
    """The seeds' part is the spread of their accuracies, the images' part that of the mean answers."""
    loaded = bundle(tmp_path)
    row = next(row for row in analyse(loaded).variance if row.trial == "first")
    runs = loaded.runs_of("first")
    accuracies = [run.stages[0].last.test.accuracy for run in runs]
    tables = [loaded.predictions(run) for run in runs]
    right = [each.probabilities["training", "last"].argmax(axis=1) == each.labels for each in tables]
    images = np.var(np.mean(right, axis=0), ddof=1) / len(tables[0].labels)
    assert row.observed.value == pytest.approx(np.std(accuracies, ddof=1))
    assert row.sampling.value == pytest.approx(np.sqrt(images))
    assert row.seed_share.value == pytest.approx(np.var(accuracies, ddof=1) / (np.var(accuracies, ddof=1) + images))


def test_examples_follow_the_rule(tmp_path: Path) -> None:
    """Per class the surest right and the surest wrong answer of the trial with the best validation accuracy."""
    loaded = bundle(tmp_path)
    found = analyse(loaded).examples
    assert {example.trial for example in found} == {"second"}
    assert len(found) == 20
    predictions = loaded.predictions(loaded.runs_of("second")[0])
    table = predictions.probabilities["training", "last"]
    chosen = (predictions.labels == 7) & (table.argmax(axis=1) != 7)
    example = next(each for each in found if each.kind == "wrong" and each.label == 7)
    assert example.image == predictions.indices[chosen][table[chosen].max(axis=1).argmax()]
    assert example.probability.value == pytest.approx(float(table[chosen].max()))


def test_every_number_has_one_id(tmp_path: Path) -> None:
    """Ids are unique, fit into HTML and are found again; two different numbers under one id are refused."""
    results = analyse(bundle(tmp_path, claim(), timing=True))
    data = results.data()
    assert not [name for name in data if " " in name or not name[0].isalpha()]
    assert data["first.training.last.test_accuracy"] == results.trial("first").primary.datum
    row = results.ranking[0]
    twisted = replace(results, ranking=(replace(row, accuracy=replace(row.accuracy, value=0.123)),))
    with pytest.raises(ValueError, match="carry the id"):
        twisted.data()


def test_same_bundle_gives_the_same_results(tmp_path: Path) -> None:
    """Nothing in the analysis is drawn anew: twice the same bundle is twice the same."""
    loaded = bundle(tmp_path, claim(), timing=True)
    assert analyse(loaded) == analyse(loaded)


def test_early_stopping_is_judged_by_its_restored_weights(tmp_path: Path) -> None:
    """A stage with early stopping counts with its best weights, and its epochs' table says how many still ran."""
    stopped = alter(FIRST, stages=(Stage(epochs=30, early_stopping=EarlyStopping()),))
    one = alter(experiment(), trials=(stopped,))
    results = analyse(simulate_bundle(tmp_path, [one], Simulation(seeds=6)))
    summary = results.trial("first").stages[0]
    assert summary.primary_weights == "best"
    assert results.trial("first").primary == summary.best.test_accuracy
    assert summary.epochs_table[0].n == 6
    assert summary.epochs_table[-1].n < 6
    assert summary.epochs_run.values == tuple(len(curve.loss) for curve in summary.curves)


def test_more_seeds_than_declared_are_told(tmp_path: Path) -> None:
    """The results say when the number of seeds is not the one that the profile declared."""
    assert not analyse(bundle(tmp_path / "five")).seeds.differs
    assert analyse(bundle(tmp_path / "seven", seeds=7)).seeds.differs
