"""All figures of a report, drawn from final results with one style."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cifar_report.report.figures.drawn import DrawnFigure, ImageSource

if TYPE_CHECKING:
    from cifar_report.analysis.results import Results
    from cifar_report.bundle import Bundle
    from cifar_report.report.i18n import Translation

__all__ = ["DrawnFigure", "ImageSource", "draw_all"]


def draw_all(
    results: Results, translate: Translation, *, bundle: Bundle | None = None, images: ImageSource | None = None
) -> tuple[DrawnFigure, ...]:
    """Draw everything that the results can show, in this process, in the order of the report.

    ``bundle`` is where the results came from: it holds the stored kernels and says which figures each experiment
    asks for (without it: every kind, and no kernels). ``images`` must be the dataset of the same fingerprint.
    """
    # Who has all figures drawn elsewhere, or finds them in the cache, does without matplotlib.
    from cifar_report.report.figures.gallery import jobs

    return tuple(figure for job in jobs(results, translate, bundle=bundle, images=images) for figure in job.run())
