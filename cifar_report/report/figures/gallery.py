"""Which figures a report gets: those that its experiments ask for, and those that it always has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, get_args

from cifar_report.analysis.results import Results, TrialResult
from cifar_report.bundle import Bundle
from cifar_report.report.figures.drawn import ImageSource
from cifar_report.report.figures.job import Job
from cifar_report.report.figures.showcase import showcase
from cifar_report.report.figures.thinning import without_runs
from cifar_report.report.i18n import Translation
from cifar_report.report.images import pictures_of
from cifar_report.spec import Figure, Trial


def jobs(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: ImageSource | None = None
) -> Iterator[Job]:
    """Yield what is to be drawn, in the order of the report; the arguments are those of ``draw_all``."""
    asked = {} if bundle is None else {each.id: each.figures for each in bundle.record.experiments}
    lean = without_runs(results)
    yield from _of_experiments(results, lean, bundle, asked, translate)
    yield from _of_all(results, lean, translate, images)


Asked = Mapping[str, tuple[Figure, ...]]


def _of_experiments(
    results: Results, lean: Results, bundle: Bundle | None, asked: Asked, translate: Translation
) -> Iterator[Job]:
    pictured: set[object] = set()
    for result in results.trials:
        if isinstance(result.trial, Trial) and result.trial.layers not in pictured:
            pictured.add(result.trial.layers)
            yield Job("layers.draw_layers", (result, translate))
            yield from _of_kernels(result, bundle, translate)
        wanted = asked.get(result.experiment, get_args(Figure))
        yield from (Job(draw, (result, translate)) for kind, draw in OF_A_TRIAL if kind in wanted)
    for study in results.studies:
        wanted = asked.get(study.experiment, get_args(Figure))
        yield from (Job(draw, (study, lean, translate)) for kind, draw in OF_A_STUDY if kind in wanted)
        if "scaling" in wanted:
            yield Job("scaling.draw_scaling", (study.experiment, lean, translate))


OF_A_TRIAL: Final = (("curves", "curves.draw_curves"), ("stages", "studies.draw_stages"))
OF_A_STUDY: Final = (("study", "studies.draw_study"), ("methods", "studies.draw_methods"))


def _of_kernels(result: TrialResult, bundle: Bundle | None, translate: Translation) -> Iterator[Job]:
    run = None if bundle is None else next(iter(bundle.runs_of(result.id)), None)
    if bundle is not None and run is not None and (kernels := bundle.kernels(run)) is not None:
        yield Job("kernels.draw_kernels", (result, run.id, kernels, translate))


def _of_all(results: Results, lean: Results, translate: Translation, images: ImageSource | None) -> Iterator[Job]:
    shown = showcase(results)
    yield Job("dots.draw_dots", (lean, translate))
    yield Job("forest.draw_forests", (lean, translate))
    yield Job("costs.draw_costs", (lean, translate))
    for each in shown:
        yield Job("confusion.draw_confusion", (each.result, each.metrics, each.stage.id, translate))
    yield Job("classes.draw_classes", (shown, translate))
    yield Job("reliability.draw_reliability", (shown, translate))
    # Of 60,000 images a worker gets the few that it draws.
    pictures = None if images is None else pictures_of(results.examples, images)
    yield Job("sheet.draw_sheet", (lean, translate, pictures))
    yield Job("timing.draw_timing", (lean, translate))
