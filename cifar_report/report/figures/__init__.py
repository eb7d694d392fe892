"""All figures of a report, drawn from results: those that its experiments ask for, and those that it always has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import get_args

from cifar_report.analysis.results import Results
from cifar_report.bundle import Bundle
from cifar_report.data.dataset import CIFAR10, open_prepared
from cifar_report.data.searching import cache_folder
from cifar_report.report.figures.base import DrawnFigure, Images, showcase
from cifar_report.report.figures.costs import draw_costs, draw_scaling, draw_timing
from cifar_report.report.figures.curves import draw_curves
from cifar_report.report.figures.forest import KINDS, draw_error_rates, draw_forest
from cifar_report.report.figures.networks import draw_kernels, draw_layers
from cifar_report.report.figures.points import draw_methods, draw_original, draw_stages, draw_study
from cifar_report.report.figures.predictions import draw_classes, draw_confusion, draw_examples, draw_reliability
from cifar_report.report.i18n import Translation
from cifar_report.spec import Figure, Trial


def draw_all(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: Images | None = None
) -> tuple[DrawnFigure, ...]:
    """Draw everything that the results can show, in the order of the report.

    ``bundle`` is where the results came from: it holds the stored kernels and says which figures each experiment
    asks for (without it: every kind, and no kernels). ``images`` must be the dataset of the same fingerprint.
    """
    asked = {} if bundle is None else {each.id: each.figures for each in bundle.record.experiments}
    shown = showcase(results)
    found = [
        *_of_experiments(results, bundle, asked, translate),
        draw_original(results, translate),
        *(draw_forest(kind, results, translate) for kind in KINDS),
        draw_costs(results, translate),
        *(draw_confusion(each, translate) for each in shown),
        draw_classes(shown, translate),
        draw_reliability(shown, translate),
        draw_examples(results, images, translate),
        draw_timing(results, translate),
    ]
    return tuple(figure for figure in found if figure is not None)


def _of_experiments(
    results: Results, bundle: Bundle | None, asked: Mapping[str, tuple[Figure, ...]], translate: Translation
) -> Iterator[DrawnFigure | None]:
    pictured: set[object] = set()
    for result in results.trials:
        if isinstance(result.trial, Trial) and result.trial.layers not in pictured:
            pictured.add(result.trial.layers)
            yield draw_layers(result, translate)
            run = None if bundle is None else next(iter(bundle.runs_of(result.id)), None)
            if bundle is not None and run is not None and (kernels := bundle.kernels(run)) is not None:
                yield draw_kernels(result, run.id, kernels, translate)
        wanted = asked.get(result.experiment, get_args(Figure))
        if "curves" in wanted:
            yield draw_curves(result, translate)
        if "stages" in wanted:
            yield draw_stages(result, translate)
    for study in results.studies:
        wanted = asked.get(study.experiment, get_args(Figure))
        if "study" in wanted:
            yield draw_study(study, results, translate)
        if "methods" in wanted:
            yield draw_methods(study, results, translate)
        if "scaling" in wanted:
            yield draw_scaling(study.experiment, results, translate)


def find_images(fingerprint: str) -> Images | None:
    """Return the images of the dataset with this fingerprint, uint8 [60000, 32, 32, 3], or None.

    Only the cache of prepared datasets is looked at, where each lies under its fingerprint; nothing is downloaded
    or prepared for a report.
    """
    prepared = open_prepared(cache_folder() / "datasets" / fingerprint, CIFAR10)
    return None if prepared is None else prepared.images()
