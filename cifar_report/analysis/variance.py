"""Where the spread of a trial's accuracy comes from: the seed, or which test images were drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cifar_report.analysis.answers import AnswerTable
from cifar_report.analysis.results import Datum, TrialResult, VarianceRow


def variance_rows(trials: Sequence[TrialResult], answers: AnswerTable) -> tuple[VarianceRow, ...]:
    """Return a row for every trial with at least two seeds that have predictions."""
    return tuple(row for trial in trials if (row := _row(trial, answers)) is not None)


def _row(trial: TrialResult, answers: AnswerTable) -> VarianceRow | None:
    """Split the variance of one run: s² between seeds, and Var over images / N of the seeds' mean answers."""
    if not trial.stages or len(trial.runs) < 2:
        return None
    given = [answers.get((run, trial.stages[-1].id)) for run in trial.runs]
    right = [each.right for each in given if each is not None]
    if len(right) < len(trial.runs) or len({len(each) for each in right}) != 1 or len(right[0]) < 2:
        return None
    table = np.array(right, float)
    seeds = float(np.var(table.mean(axis=1), ddof=1))
    images = float(np.var(table.mean(axis=0), ddof=1) / table.shape[1])
    total = seeds + images
    count, runs = len(right), trial.runs

    def spread(name: str, variance: float) -> Datum:
        identity = f"{trial.id}.variance.{name}"
        return Datum(identity, float(np.sqrt(variance)), "points", "standard_deviation", count, runs=runs)

    return VarianceRow(
        trial.id,
        observed=spread("seeds", seeds),
        sampling=spread("images", images),
        seed_share=Datum(
            f"{trial.id}.variance.seed_share",
            seeds / total if total else None,
            "share",
            "variance_share",
            count,
            runs=runs,
            reason=None if total else "no_spread",
        ),
    )
