"""Which figures a report gets: those that its experiments ask for, and those that it always has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args

import numpy as np

from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle
from cifar_report.data.dataset import CIFAR10, open_prepared
from cifar_report.data.searching import cache_folder
from cifar_report.report.figures.base import DrawnFigure, Images, showcase
from cifar_report.report.figures.classes import draw_classes, draw_confusion, draw_examples
from cifar_report.report.figures.costs import draw_costs, draw_scaling, draw_timing
from cifar_report.report.figures.curves import draw_curves
from cifar_report.report.figures.forest import KINDS, draw_forest
from cifar_report.report.figures.networks import draw_kernels, draw_layers
from cifar_report.report.figures.points import draw_original
from cifar_report.report.figures.reliability import draw_reliability
from cifar_report.report.figures.studies import draw_methods, draw_stages, draw_study
from cifar_report.report.i18n import Translation
from cifar_report.spec import Figure, Trial

Call = tuple[Callable[..., DrawnFigure | None], tuple[Any, ...]]
"""A function and its arguments, which another process may be sent."""


def draw_all(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: Images | None = None
) -> tuple[DrawnFigure, ...]:
    """Draw everything that the results can show, in the order of the report.

    ``bundle`` is where the results came from: it holds the stored kernels and says which figures each experiment
    asks for (without it: every kind, and no kernels). ``images`` must be the dataset of the same fingerprint.
    """
    calls = figure_calls(results, translate, bundle=bundle, images=images)
    return tuple(figure for draw, arguments in calls if (figure := draw(*arguments)) is not None)


def figure_calls(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: Images | None = None
) -> list[Call]:
    """Return what ``draw_all`` calls, in its order; a call returns None where there is nothing to draw."""
    asked = {} if bundle is None else {each.id: each.figures for each in bundle.record.experiments}
    shown = showcase(results)
    places = () if images is None else sorted({each.image for each in results.examples if each.image < len(images)})
    photographs = None if images is None else {place: np.array(images[place]) for place in places}
    return [
        *_of_experiments(results, bundle, asked, translate),
        (draw_original, (results, translate)),
        *((draw_forest, (kind, results, translate)) for kind in KINDS),
        (draw_costs, (results, translate)),
        *((draw_confusion, (each, translate)) for each in shown),
        (draw_classes, (shown, translate)),
        (draw_reliability, (shown, translate)),
        (draw_examples, (results, photographs, translate)),
        (draw_timing, (results, translate)),
    ]


def _of_experiments(
    results: Results, bundle: Bundle | None, asked: Mapping[str, tuple[Figure, ...]], translate: Translation
) -> Iterator[Call]:
    pictured: set[object] = set()
    for result in results.trials:
        if isinstance(result.trial, Trial) and result.trial.layers not in pictured:
            pictured.add(result.trial.layers)
            yield draw_layers, (result, translate)
            run = None if bundle is None else next(iter(bundle.runs_of(result.id)), None)
            if bundle is not None and run is not None and (kernels := bundle.kernels(run)) is not None:
                yield draw_kernels, (result, run.id, kernels, translate)
        wanted = asked.get(result.experiment, get_args(Figure))
        if "curves" in wanted:
            yield draw_curves, (result, translate)
        if "stages" in wanted:
            yield draw_stages, (result, translate)
    for study in results.studies:
        wanted = asked.get(study.experiment, get_args(Figure))
        if "study" in wanted:
            yield draw_study, (study, results, translate)
        if "methods" in wanted:
            yield draw_methods, (study, results, translate)
        if "scaling" in wanted:
            yield draw_scaling, (study.experiment, results, translate)


def find_images(fingerprint: str) -> Images | None:
    """Return the images of the dataset with this fingerprint, uint8 [60000, 32, 32, 3], or None.

    Only the cache of prepared datasets is looked at, where each lies under its fingerprint; nothing is downloaded
    or prepared for a report.
    """
    prepared = open_prepared(cache_folder() / "datasets" / fingerprint, CIFAR10)
    return None if prepared is None else prepared.images()
