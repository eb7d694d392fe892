"""Views that put trials side by side: studies, costs, ablation, last against best weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from cifar_report.analysis.ranking import ranking
from cifar_report.analysis.results import (
    AblationRow,
    Comparison,
    Datum,
    Measure,
    ParetoFront,
    ParetoPoint,
    Study,
    StudyPoint,
    TimingRow,
    TrialResult,
    Undefined,
    WeightsRow,
)
from cifar_report.analysis.statistics import all_equal, t_interval
from cifar_report.bundle import Bundle
from cifar_report.spec import Change, Trial


def studies(bundle: Bundle, trials: Mapping[str, TrialResult]) -> tuple[Study, ...]:
    """Return the points of every experiment, in its order."""
    return tuple(
        _study(experiment.id, [trials[name] for name in dict.fromkeys(experiment.shown) if name in trials])
        for experiment in bundle.record.experiments
    )


def _study(experiment: str, shown: Sequence[TrialResult]) -> Study:
    compared = [trial for trial in shown if trial.one_change_changes]
    return Study(
        experiment,
        tuple(point for trial in shown for point in _points(trial)),
        ranking(shown),
        only_splits=bool(compared) and all(_other_split(trial) for trial in compared),
    )


def _other_split(trial: TrialResult) -> bool:
    """Whether a trial differs from the one it is compared with in the division of the images alone."""
    return {change.place for change in trial.one_change_changes} == {"split_seed"}


def _repeats(trial: TrialResult) -> bool:
    """Whether a trial is another one's recipe on another split or on several devices."""
    return _other_split(trial) or (isinstance(trial.trial, Trial) and trial.trial.strategy != "single")


def _points(trial: TrialResult) -> Iterator[StudyPoint]:
    parameters = trial.costs.parameters if trial.costs else None
    if len(trial.stages) < 2:
        yield StudyPoint(trial.id, None, trial.status, trial.primary.datum, parameters)
        return
    for stage in trial.stages:
        yield StudyPoint(trial.id, stage.id, trial.status, stage.primary.test_accuracy.datum, parameters)


def pareto_fronts(trials: Sequence[TrialResult], timing: Sequence[TimingRow], images: int) -> tuple[ParetoFront, ...]:
    """Return accuracy against parameters, multiply-accumulates and seconds for one epoch of ``images`` images."""
    networks = [
        trial
        for trial in trials
        if trial.costs is not None and trial.primary.datum.value is not None and not _repeats(trial)
    ]
    seconds = {row.trial: datum for row in timing if (datum := _epoch_seconds(row, images)) is not None}
    parameters = {trial.id: trial.costs.parameters for trial in networks if trial.costs}
    macs = {trial.id: trial.costs.macs for trial in networks if trial.costs}
    return (
        _front("parameters", networks, parameters, "not_run"),
        _front("macs", networks, macs, "not_run"),
        _front("seconds", networks, seconds, "not_run" if timing else "no_timing_pass"),
    )


def _epoch_seconds(row: TimingRow, images: int) -> Datum | None:
    rate = row.images_per_second
    if rate is None or not rate.value:
        return None
    low, high = (None if edge is None else images / edge for edge in (rate.high, rate.low))
    identity = f"timing.{row.trial}.epoch_seconds"
    return Datum(identity, images / rate.value, "seconds", "seconds_of_an_epoch", rate.n, "blocks", low, high)


def _front(
    cost: Literal["parameters", "macs", "seconds"],
    trials: Sequence[TrialResult],
    costs: Mapping[str, Datum],
    missing: Literal["no_timing_pass", "not_run"],
) -> ParetoFront:
    chosen = sorted(
        (trial for trial in trials if trial.id in costs),
        key=lambda trial: (costs[trial.id].value or 0.0, -(trial.primary.datum.value or 0.0)),
    )
    best, points = -1.0, []
    for trial in chosen:  # cheapest first: on the front is whoever is more accurate than all cheaper ones
        accuracy = trial.primary.datum.value or 0.0
        points.append(ParetoPoint(trial.id, costs[trial.id], trial.primary.datum, on_front=accuracy > best))
        best = max(best, accuracy)
    return ParetoFront(cost, tuple(points), None if points else missing)


def ablation(trials: Mapping[str, TrialResult]) -> tuple[AblationRow, ...]:
    """Return each trial that is compared with another one, as written and by one change."""
    rows = []
    for result in trials.values():
        written, single = result.trial.as_written, result.trial.one_change
        if written is not None or single is not None:
            rows.append(
                AblationRow(
                    result.id,
                    _comparison(trials, written, result, result.as_written_changes),
                    _comparison(trials, single, result, result.one_change_changes),
                )
            )
    return tuple(rows)


def _comparison(
    trials: Mapping[str, TrialResult], other: str | None, result: TrialResult, changes: tuple[Change, ...]
) -> Comparison | None:
    if other is None or other not in trials:
        return None
    identity = f"{result.id}.against.{other}"
    return Comparison(other, paired_difference(identity, result.primary, trials[other].primary), changes)


def paired_difference(identity: str, subject: Measure, comparator: Measure) -> Datum:
    """Return the mean difference over the common seeds with its paired t interval; a run without a seed fits all."""
    other = {entry.seed: entry for entry in comparator.seeds}
    pairs = [
        (entry, partner) for entry in subject.seeds if (partner := other.get(entry.seed, other.get(None))) is not None
    ]
    if not pairs:
        reasons = [side.datum.reason for side in (subject, comparator) if side.datum.value is None]
        missing: Undefined = reasons[0] if reasons and reasons[0] is not None else "not_run"
        return Datum(identity, None, "points", "mean_difference", 0, reason=missing)
    runs = tuple(dict.fromkeys(entry.run for pair in pairs for entry in pair))
    if any(entry.value is None for pair in pairs for entry in pair):
        return Datum(identity, None, "points", "mean_difference", len(pairs), runs=runs, reason="not_a_number")
    values = np.array([(one.value or 0.0) - (two.value or 0.0) for one, two in pairs], float)
    bounds = t_interval(values)
    reason: Undefined | None = "one_seed" if len(values) < 2 else "no_spread" if all_equal(values) else None
    return Datum(
        identity, bounds.mean, "points", "mean_difference", len(values), "seeds", bounds.low, bounds.high, runs, reason
    )


def weights_rows(trials: Sequence[TrialResult]) -> tuple[WeightsRow, ...]:
    """Return last epoch and validation-selected weights of every stage side by side."""
    return tuple(
        WeightsRow(
            trial.id,
            stage.id,
            stage.last.test_accuracy.datum,
            stage.best.test_accuracy.datum,
            paired_difference(
                f"{trial.id}.{stage.id}.best_against_last", stage.best.test_accuracy, stage.last.test_accuracy
            ),
        )
        for trial in trials
        for stage in trial.stages
    )
