"""F1 by class: which classes are easy, which are hard, and for which network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from matplotlib.lines import Line2D

from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.rows import finish, row_plot
from cifar_report.report.figures.showcase import Shown
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

LOOKS: Final[tuple[dict[str, Any], ...]] = (
    {"marker": "o", "color": style.BLUE},
    {"marker": "s", "color": style.VERMILLION, "markerfacecolor": "white"},
    {"marker": "^", "color": style.GREEN},
)
OFFSETS: Final = {1: (0.0,), 2: (-2.2, 2.2), 3: (-3.6, 0.0, 3.6)}
"""Where in its row each of so many networks stands, in points below the middle."""


def draw_classes(shown: Sequence[Shown], translate: Translation) -> DrawnFigure | None:
    """Draw the F1 of each class for the shown networks; None when there is none."""
    if not shown:
        return None
    names = words.class_names(translate)
    titles = [each.title(translate) for each in shown]
    with style.drawing():
        plot = row_plot(names, names_width=70)
        for each, look, offset in zip(shown, LOOKS, OFFSETS[len(shown)], strict=False):
            for place, scores in zip(plot.places, each.metrics.classes, strict=True):
                if scores.f1.value is None:
                    continue
                if scores.f1.low is not None and scores.f1.high is not None:
                    bounds = (scores.f1.low, scores.f1.high)
                    plot.axes.plot(bounds, (place + offset,) * 2, color=look["color"], linewidth=0.9)
                plot.axes.plot(scores.f1.value, place + offset, **look, markersize=4.2, linestyle="none")
        finish(plot, translate.gettext("F1 (mean over the seeds)"), translate)
        handles = [
            Line2D([], [], **look, markersize=4.2, linewidth=0.9, label=title)
            for look, title in zip(LOOKS, titles, strict=False)
        ]
        style.legend_below(plot.figure, handles, columns=3)
        svg = to_svg(plot.figure, "classes")
    return DrawnFigure(
        id="classes",
        svg=svg,
        width_points=style.WIDTH,
        height_points=plot.height,
        alt=" ".join(_finding(each, translate) for each in shown),
        caption=translate.plain(
            mark(
                "F1 by class on the test images, with 95%% intervals over the seeds: the harmonic mean of precision and"
                " recall."
            )
        ),
        columns=(translate.gettext("Class"), *titles),
        rows=tuple(
            (name, *(each.metrics.classes[label].f1.value for each in shown)) for label, name in enumerate(names)
        ),
        group="confusion",
    )


def _finding(each: Shown, translate: Translation) -> str:
    names, numbers = words.class_names(translate), Numbers(translate)
    known = [scores for scores in each.metrics.classes if scores.f1.value is not None]
    easiest = max(known, key=lambda scores: scores.f1.value or 0.0)
    hardest = min(known, key=lambda scores: scores.f1.value or 0.0)
    return translate.plain(
        mark("%(trial)s: F1 is highest for %(easiest)s (%(high)s) and lowest for %(hardest)s (%(low)s)."),
        {
            "trial": each.title(translate),
            "easiest": names[easiest.label],
            "high": numbers.number(easiest.f1),
            "hardest": names[hardest.label],
            "low": numbers.number(hardest.f1),
        },
    )
