"""Which figures a report gets: those that its experiments ask for, and those that it always has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from cifar_report.analysis.results import Results, TrialResult
from cifar_report.bundle import Bundle
from cifar_report.rendering.figures.classes import draw_classes
from cifar_report.rendering.figures.confusion import draw_confusion
from cifar_report.rendering.figures.costs import draw_costs
from cifar_report.rendering.figures.curves import draw_curves
from cifar_report.rendering.figures.dots import draw_dots
from cifar_report.rendering.figures.drawn import DrawnFigure, ImageSource
from cifar_report.rendering.figures.forest import draw_forests
from cifar_report.rendering.figures.kernels import draw_kernels
from cifar_report.rendering.figures.layers import draw_layers
from cifar_report.rendering.figures.reliability import draw_reliability
from cifar_report.rendering.figures.scaling import draw_scaling
from cifar_report.rendering.figures.sheet import draw_sheet
from cifar_report.rendering.figures.showcase import showcase
from cifar_report.rendering.figures.studies import draw_methods, draw_stages, draw_study
from cifar_report.rendering.figures.timing import draw_timing
from cifar_report.rendering.i18n import Translation
from cifar_report.spec import Figure, Trial


def draw_all(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: ImageSource | None = None
) -> tuple[DrawnFigure, ...]:
    """Draw everything that the results can show, in the order of the report; nothing for what did not run.

    ``bundle`` is where the results came from: it holds the stored kernels and says which figures each experiment
    asks for (without it: every kind, and no kernels). ``images`` must be the dataset of the same fingerprint.
    """
    figures = (*_of_experiments(results, translate, bundle), *_of_all(results, translate, images))
    return tuple(figure for figure in figures if figure is not None)


def _of_experiments(results: Results, translate: Translation, bundle: Bundle | None) -> Iterator[DrawnFigure | None]:
    asked = {} if bundle is None else {each.id: each.figures for each in bundle.record.experiments}
    pictured: set[object] = set()
    for result in results.trials:
        wanted = asked.get(result.experiment, get_args(Figure))
        if isinstance(result.trial, Trial) and result.trial.layers not in pictured:
            pictured.add(result.trial.layers)
            yield draw_layers(result, translate)
            if bundle is not None:
                yield draw_kernels(result, bundle, translate)
        yield from _of_trial(result, wanted, translate)
    for study in results.studies:
        wanted = asked.get(study.experiment, get_args(Figure))
        if "study" in wanted:
            yield draw_study(study, results, translate)
        if "methods" in wanted:
            yield draw_methods(study, results, translate)
        if "scaling" in wanted:
            yield draw_scaling(study.experiment, results, translate)


def _of_trial(result: TrialResult, wanted: tuple[Figure, ...], translate: Translation) -> Iterator[DrawnFigure | None]:
    if "curves" in wanted:
        yield draw_curves(result, translate)
    if "stages" in wanted:
        yield draw_stages(result, translate)


def _of_all(results: Results, translate: Translation, images: ImageSource | None) -> Iterator[DrawnFigure | None]:
    shown = showcase(results)
    yield draw_dots(results, translate)
    yield from draw_forests(results, translate)
    yield draw_costs(results, translate)
    for each in shown:
        yield draw_confusion(each.result, each.metrics, each.stage.id, translate)
    yield draw_classes(shown, translate)
    yield draw_reliability(shown, translate)
    yield draw_sheet(results, translate, images)
    yield draw_timing(results, translate)
