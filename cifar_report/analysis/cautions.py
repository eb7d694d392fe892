"""Oddities in the data that a reader should know: each is found by a small check."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cifar_report.analysis.answers import AnswerTable
from cifar_report.analysis.curves import COLUMNS
from cifar_report.analysis.results import Caution, Curve, Determinism, TimingRow, TrialResult
from cifar_report.analysis.statistics import SAME
from cifar_report.analysis.values import finite, primary_weights
from cifar_report.bundle import Bundle, Run
from cifar_report.spec import Trial

LEAST_EPOCHS = 3  # below, equal values in a column are no oddity


def cautions(
    bundle: Bundle,
    trials: Sequence[TrialResult],
    answers: AnswerTable,
    timing: Sequence[TimingRow],
    facts: Determinism,
) -> tuple[Caution, ...]:
    """Return everything odd, trial by trial."""
    found: list[Caution] = []
    for trial in trials:
        found += _runs(bundle, trial)
        found += _curves(trial)
        for run in bundle.runs_of(trial.id):
            found += _scores(run)
            found += _predictions(run, answers)
            found += _counts(run)
    found += [Caution("contended_timing", row.trial) for row in timing if row.contended]
    found += [
        Caution("unplanned_run", run.trial.id, run.id) for run in bundle.runs if run.trial.id not in bundle.trials
    ]
    if facts.environments > 1 or len(facts.processors) > 1:
        found.append(Caution("different_environments", None))
    return tuple(found)


def _runs(bundle: Bundle, trial: TrialResult) -> Iterator[Caution]:
    for failed in trial.failed:
        yield Caution("failed_run", trial.id, failed.run)
    if trial.runs and set(trial.seeds_planned) - set(trial.seeds_run) - {failed.seed for failed in trial.failed}:
        yield Caution("missing_seeds", trial.id)
    planned = bundle.record.profile.apply(trial.trial).configuration()
    for run in bundle.runs_of(trial.id):
        if run.trial.configuration() != planned:
            yield Caution("other_recipe", trial.id, run.id)


def _curves(trial: TrialResult) -> Iterator[Caution]:
    for stage in trial.stages:
        for curve in stage.curves:
            for name in COLUMNS:
                yield from _column(trial.id, stage.id, curve, name)


def _column(trial: str, stage: str, curve: Curve, name: str) -> Iterator[Caution]:
    values = getattr(curve, name)
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        yield Caution("not_a_number", trial, curve.run, stage, detail=name)
    if len(known) >= LEAST_EPOCHS and np.ptp(known) <= SAME:
        yield Caution("constant_values", trial, curve.run, stage, detail=name)


def _scores(run: Run) -> Iterator[Caution]:
    for stage in run.stages:
        for weights in ("last", "best"):
            evaluation = stage.last if weights == "last" else stage.best
            for part in ("train", "validation", "test"):
                scores = getattr(evaluation, part)
                for name in ("accuracy", "loss"):
                    if finite(getattr(scores, name)) is None:
                        yield Caution("not_a_number", run.trial.id, run.id, stage.id, detail=f"{weights}.{part}_{name}")


def _predictions(run: Run, answers: AnswerTable) -> Iterator[Caution]:
    """Yield classes that were never answered, and stored scores that the stored predictions contradict."""
    stages: list[str | None] = [stage.id for stage in run.stages] or [None]
    for stage in stages:
        given = answers.get((run.id, stage))
        if given is None:
            continue
        for label in np.flatnonzero((given.matrix.sum(axis=0) == 0) & (given.matrix.sum(axis=1) > 0)):
            yield Caution("class_never_predicted", run.trial.id, run.id, stage, label=int(label))
        stored = _stored_accuracy(run, stage)
        if stored is not None and abs(stored - float(given.right.mean())) > 0.5 / len(given.labels):
            yield Caution("test_mismatch", run.trial.id, run.id, stage)


def _stored_accuracy(run: Run, stage: str | None) -> float | None:
    if run.classical is not None:
        return finite(run.classical.test_accuracy)
    if stage is None or not isinstance(run.trial, Trial):
        return None
    return finite(run.stage(stage).evaluation(primary_weights(run.trial, stage)).test.accuracy)


def _counts(run: Run) -> Iterator[Caution]:
    """Yield runs whose built model has another number of parameters than the spec says."""
    if isinstance(run.trial, Trial) and run.parameters_total is not None:
        expected = (run.trial.parameters_total, run.trial.parameters_trainable)
        if (run.parameters_total, run.parameters_trainable) != expected:
            yield Caution("parameter_mismatch", run.trial.id, run.id)
