"""Examples of right and wrong answers, chosen by a fixed rule: per class the surest right and the surest wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from cifar_report.analysis.answers import Answers, AnswerTable
from cifar_report.analysis.results import Datum, Example, StageSummary, TrialResult
from cifar_report.spec import CLASS_COUNT


def examples(trials: Sequence[TrialResult], answers: AnswerTable) -> tuple[Example, ...]:
    """Return the examples of one run, by class: the trial with the best mean validation accuracy, its first seed.

    Chosen on validation images, so that nothing is selected on the test set; ties go to the earlier trial.
    """
    candidates = [
        (trial, trial.stages[-1])
        for trial in trials
        if trial.stages and (found := answers.get((trial.runs[0], trial.stages[-1].id))) and found.top is not None
    ]
    if not candidates:
        return ()
    trial, stage = max(candidates, key=lambda pair: _validation(pair[1]))
    given = answers[trial.runs[0], stage.id]
    chosen = [_example(kind, label, given, trial, stage) for label in range(CLASS_COUNT) for kind in ("right", "wrong")]
    return tuple(example for example in chosen if example is not None)


def _validation(stage: StageSummary) -> float:
    value = stage.primary.validation_accuracy.datum.value
    return -1.0 if value is None else value


def _example(
    kind: Literal["right", "wrong"], label: int, given: Answers, trial: TrialResult, stage: StageSummary
) -> Example | None:
    chosen = np.flatnonzero((given.labels == label) & (given.right == (kind == "right")))
    if not len(chosen) or given.top is None:
        return None
    place = int(chosen[np.argmax(given.top[chosen])])
    run = trial.runs[0]
    identity = f"example.{kind}_{label}"
    return Example(
        kind=kind,
        image=int(given.indices[place]),
        label=label,
        predicted=int(given.predicted[place]),
        probability=Datum(identity, float(given.top[place]), "share", "run_probability", 1, "images", runs=(run,)),
        run=run,
        trial=trial.id,
        stage=stage.id,
    )
