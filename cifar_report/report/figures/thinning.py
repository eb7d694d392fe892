"""What figures leave out of a bundle with very many seeds, so that their size does not grow with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, TypeVar

from cifar_report.analysis.results import Measure, Results, StageSummary, TrialResult, WeightScores

T = TypeVar("T")

MOST_SEEDS: Final = 50  # that a figure draws one by one: more would be a block of ink


def thinned(values: Sequence[T]) -> list[T]:
    """Return at most ``MOST_SEEDS`` of some values, evenly spaced, the first and the last among them."""
    count = len(values)
    if count <= MOST_SEEDS:
        return list(values)
    return [values[round(place * (count - 1) / (MOST_SEEDS - 1))] for place in range(MOST_SEEDS)]


def spread(values: Sequence[float]) -> list[float]:
    """Return at most ``MOST_SEEDS`` of some numbers, evenly spaced by rank, the least and the largest among them."""
    return thinned(sorted(values) if len(values) > MOST_SEEDS else values)


def without_runs(results: Results) -> Results:
    """Return what the figures about several trials draw: the test accuracies keep their seeds, nothing else does.

    Each of those figures may be drawn in a process of its own, and its fingerprint covers all that it is given.
    """
    verdicts = (replace(each, differences=(), sensitivity=(), networks=None) for each in results.verdicts)
    return replace(
        results, trials=tuple(map(_without_runs, results.trials)), verdicts=tuple(verdicts), ranking=(), cautions=()
    )


def _without_runs(result: TrialResult) -> TrialResult:
    return replace(result, stages=tuple(map(_stage, result.stages)))


def _stage(stage: StageSummary) -> StageSummary:
    test = stage.test
    if test is not None:
        test = replace(test, classes=(), most_confused=(), negative_log_likelihood=None, brier=None)
    return replace(
        stage,
        last=_scores(stage.last),
        best=_scores(stage.best),
        curves=(),
        epochs_table=(),
        epochs_run=_plain(stage.epochs_run),
        best_epoch=_plain(stage.best_epoch),
        epochs_to_accuracy=_plain(stage.epochs_to_accuracy),
        epoch_of_least_loss=_plain(stage.epoch_of_least_loss),
        test=test,
    )


def _scores(scores: WeightScores) -> WeightScores:
    return replace(
        scores,
        train_accuracy=_plain(scores.train_accuracy),
        validation_accuracy=_plain(scores.validation_accuracy),
        train_loss=_plain(scores.train_loss),
        validation_loss=_plain(scores.validation_loss),
        test_loss=_plain(scores.test_loss),
        gap=_plain(scores.gap),
    )


def _plain(measure: Measure) -> Measure:
    return replace(measure, seeds=())
