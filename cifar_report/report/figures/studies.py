"""Studies: accuracy against the one thing that was varied, from stage to stage, and beside other methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cifar_report.analysis.results import Results, Study, TrialResult
from cifar_report.report.figures.base import DrawnFigure, showcase, stage_name, trial_name
from cifar_report.report.figures.points import Point, by_name, by_number
from cifar_report.report.i18n import Numbers, Translation, mark
from cifar_report.spec import Trial

FIELDS: Final = {
    "batch_size": mark("Batch size (images)"),
    "learning_rate": mark("Learning rate"),
    "split_seed": mark("Seed of the split"),
    "units": mark("Neurons in the hidden layer"),
    "filters": mark("Filters"),
    "kernel_size": mark("Side of the kernel (pixels)"),
    "pool_size": mark("Side of the pooling window (pixels)"),
    "strides": mark("Stride"),
    "rate": mark("Dropout rate"),
    "epochs": mark("Epochs"),
}


def draw_study(study: Study, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a study against the number that its trials differ in, or by name; None with fewer than two points."""
    trials = _finished([point.trial for point in study.points], results)
    if len(trials) < 2:
        return None
    figure_id, group = f"study.{study.experiment}", study.experiment
    varied = _varied_number(trials)
    if varied is None:
        points = [Point(trial_name(result.trial, translate), result.primary) for result in trials]
        return by_name(figure_id, group, translate.gettext("Trials"), points, translate)
    field, values = varied
    numbers = Numbers(translate)
    points = [
        Point(numbers.plain(value) if field != "split_seed" else f"{value:.0f}", result.primary)
        for value, result in sorted(zip(values, trials, strict=True), key=lambda pair: pair[0])
    ]
    return by_number(figure_id, group, translate.gettext(FIELDS[field]), points, translate)


def draw_stages(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw a trial's test accuracy from stage to stage; None with fewer than two finished stages."""
    points = [
        Point(stage_name(result.trial, stage.id, translate), stage.primary.test_accuracy)
        for stage in result.stages
        if stage.primary.test_accuracy.datum.value is not None
    ]
    if len(points) < 2:
        return None
    label = trial_name(result.trial, translate)
    return by_number(f"stages.{result.id}", result.experiment, label, points, translate)


def draw_methods(study: Study, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a study's trials by name beside the networks that the report looks at closely; None with fewer than two."""
    ids = [*(each.result.id for each in showcase(results)), *(point.trial for point in study.points)]
    trials = sorted(_finished(ids, results), key=lambda result: -(result.primary.datum.value or 0.0))
    if len(trials) < 2:
        return None
    points = [Point(trial_name(result.trial, translate), result.primary) for result in trials]
    return by_name(f"methods.{study.experiment}", study.experiment, translate.gettext("Methods"), points, translate)


def _finished(ids: Sequence[str], results: Results) -> list[TrialResult]:
    """Return the trials that have an accuracy, each once."""
    trials = [results.trial(trial_id) for trial_id in dict.fromkeys(ids)]
    return [result for result in trials if result.primary.datum.value is not None]


def _varied_number(trials: Sequence[TrialResult]) -> tuple[str, list[float]] | None:
    """Return the one number in which all the configurations differ, and its value in each; None where there is none.

    Counts of layers, strategies and anything that is no number have no place on an axis.
    """
    flat = [
        _leaves(msgspec.to_builtins(each.trial.configuration())) for each in trials if isinstance(each.trial, Trial)
    ]
    if len(flat) < len(trials) or len({tuple(leaves) for leaves in flat}) != 1:
        return None
    differing = [place for place in flat[0] if len({leaves[place] for leaves in flat}) > 1]
    if len(differing) != 1 or differing[0][-1] not in FIELDS:
        return None
    values = [leaves[differing[0]] for leaves in flat]
    if not all(isinstance(value, int | float) for value in values):
        return None
    return differing[0][-1], [float(value) for value in values]


def _leaves(value: Any, *place: str) -> dict[tuple[str, ...], Any]:
    """Return every single value of nested dictionaries and lists by its path."""
    if not isinstance(value, dict | list | tuple):
        return {place: value}
    inside = value.items() if isinstance(value, dict) else enumerate(value)
    return {path: leaf for key, inner in inside for path, leaf in _leaves(inner, *place, str(key)).items()}
