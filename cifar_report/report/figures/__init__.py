"""All figures of a report, drawn from results: those that its experiments ask for, and those that it always has."""

from collections.abc import Iterator
from typing import Final

from cifar_report.analysis.results import Results, Unit
from cifar_report.bundle import Bundle
from cifar_report.data.dataset import open_prepared
from cifar_report.report.figures.base import DrawnFigure, Images
from cifar_report.report.figures.curves import draw_curves, draw_overview
from cifar_report.report.figures.effects import draw_effects
from cifar_report.report.figures.errors import draw_confusion, draw_examples
from cifar_report.report.figures.inside import draw_dead_units, draw_kernels
from cifar_report.report.figures.ladder import draw_ladder, draw_methods
from cifar_report.report.figures.pairs import draw_pairs, draw_studies
from cifar_report.report.figures.verdicts import draw_dependence, draw_matrix, draw_verdict_bar
from cifar_report.report.i18n import Translation
from cifar_report.spec import Experiment

UNITS: Final[tuple[Unit, ...]] = ("points", "relative", "epochs", "ratio")
LEFT: Final = "studies' curves"  # the group of figures that no section asks for: the appendix shows them


def draw_all(
    results: Results, translate: Translation, *, bundle: Bundle, images: Images | None = None
) -> tuple[DrawnFigure, ...]:
    """Draw everything that the results of ``bundle`` can show, in the order of the report.

    ``images`` must be the dataset of the bundle's fingerprint.
    """
    experiments = bundle.record.experiments
    found = [
        draw_ladder(results, translate),
        draw_verdict_bar(results, translate),
        None if translate.own else draw_matrix(results, experiments, translate),
        *(draw_effects(unit, results, translate) for unit in UNITS),
        draw_dependence(results, translate),
        draw_overview(results, translate),
        *(figure for each in experiments for figure in _of_experiment(each, results, bundle, translate)),
        draw_studies(results, experiments, translate),
        draw_confusion(results, translate),
        draw_examples(results, images, translate),
        draw_dead_units(results, translate),
    ]
    return tuple(figure for figure in found if figure is not None)


def _of_experiment(
    experiment: Experiment, results: Results, bundle: Bundle, translate: Translation
) -> Iterator[DrawnFigure | None]:
    own = [result for result in results.trials if result.experiment == experiment.id]
    if "curves" in experiment.figures:
        group = LEFT if "study" in experiment.figures else experiment.id
        yield draw_curves(experiment.id, own, results, translate, group)
        if "study" not in experiment.figures:
            yield draw_pairs(experiment, results, translate)
    for result in own:
        run = next(iter(bundle.runs_of(result.id)), None)
        if run is not None and (kernels := bundle.kernels(run)) is not None:
            yield draw_kernels(result, run.id, kernels, translate)
    if "methods" in experiment.figures:
        yield draw_methods(experiment, results, translate)


def find_images(fingerprint: str) -> Images | None:
    """Return the images of the dataset with this fingerprint, uint8 [images, rows, columns, colours], or None.

    Only the cache of prepared datasets is looked at, where each lies under its fingerprint; nothing is downloaded
    or prepared for a report.
    """
    prepared = open_prepared(fingerprint)
    return None if prepared is None else prepared.images()
