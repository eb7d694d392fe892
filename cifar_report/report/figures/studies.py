"""Studies: accuracy against the one thing that was varied, and from stage to stage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from cifar_report.analysis.results import Results, Study, TrialResult
from cifar_report.report.figures import words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.points import Point, by_name, by_number
from cifar_report.report.figures.showcase import showcase
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers
from cifar_report.spec import AnyTrial, ClassicalTrial, Trial

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
    trials = [results.trial(trial_id) for trial_id in dict.fromkeys(point.trial for point in study.points)]
    trials = [result for result in trials if result.primary.datum.value is not None]
    if len(trials) < 2:
        return None
    varied = varied_number([result.trial for result in trials])
    numbers = Numbers(translate)
    if varied is None:
        points = [Point(words.trial_name(result.trial, translate), result.primary) for result in trials]
        return by_name(f"study.{study.experiment}", study.experiment, translate.gettext("Trials"), points, translate)
    field, values = varied
    points = [
        Point(numbers.plain(value) if field != "split_seed" else f"{value:.0f}", result.primary)
        for value, result in sorted(zip(values, trials, strict=True), key=lambda pair: pair[0])
    ]
    label = translate.gettext(FIELDS[field])
    return by_number(f"study.{study.experiment}", study.experiment, label, points, translate)


def draw_stages(result: TrialResult, translate: Translation) -> DrawnFigure | None:
    """Draw a trial's test accuracy from stage to stage; None with fewer than two finished stages."""
    points = [
        Point(words.stage_name(result.trial, stage.id, translate), stage.primary.test_accuracy)
        for stage in result.stages
        if stage.primary.test_accuracy.datum.value is not None
    ]
    if len(points) < 2:
        return None
    label = words.trial_name(result.trial, translate)
    return by_number(f"stages.{result.id}", result.experiment, label, points, translate)


def draw_methods(study: Study, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw a study's trials by name beside the networks that the report looks at closely; None without any of both."""
    ids = (*(each.result.id for each in showcase(results)), *(point.trial for point in study.points))
    trials = [results.trial(trial_id) for trial_id in dict.fromkeys(ids)]
    trials = [result for result in trials if result.primary.datum.value is not None]
    if len(trials) < 2:
        return None
    trials.sort(key=lambda result: -(result.primary.datum.value or 0.0))
    points = [Point(words.trial_name(result.trial, translate), result.primary) for result in trials]
    return by_name(f"methods.{study.experiment}", study.experiment, translate.gettext("Methods"), points, translate)


def varied_number(trials: Sequence[AnyTrial]) -> tuple[str, list[float]] | None:
    """Return the one number in which all the trials' recipes differ, and its value in each; None where there is none.

    Counts of layers, strategies and anything that is no number have no place on an axis.
    """
    if any(isinstance(trial, ClassicalTrial) for trial in trials):
        return None
    flat = [_leaves(trial) for trial in trials if isinstance(trial, Trial)]
    if len({tuple(leaves) for leaves in flat}) != 1:
        return None
    differing = [place for place in flat[0] if len({leaves[place] for leaves in flat}) > 1]
    field = differing[0][-1] if len(differing) == 1 else None
    values = [leaves[differing[0]] for leaves in flat] if field else []
    if not isinstance(field, str) or field not in FIELDS or not all(isinstance(value, int | float) for value in values):
        return None
    return field, [float(value) for value in values]


def _leaves(trial: Trial) -> dict[tuple[str | int, ...], Any]:
    leaves: dict[tuple[str | int, ...], Any] = {}

    def collect(place: tuple[str | int, ...], value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                collect((*place, key), inner)
        elif isinstance(value, list | tuple):
            for number, inner in enumerate(value):
                collect((*place, number), inner)
        else:
            leaves[place] = value

    collect((), msgspec.to_builtins(trial.configuration()))
    return leaves
