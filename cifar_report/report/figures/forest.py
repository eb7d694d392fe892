"""Forest plots: every effect of one unit with its interval, its margin, its verdict and the original's point."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from cifar_report.analysis.results import Outcome, Results, Unit, Verdict
from cifar_report.report.figures import axis, style, words
from cifar_report.report.figures.drawn import Cell, DrawnFigure
from cifar_report.report.figures.rows import ORIGINAL, finish, row_plot
from cifar_report.report.figures.svg import to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.names import OUTCOMES
from cifar_report.report.numbers import Numbers
from cifar_report.spec import Side

UNITS: Final[tuple[Unit, ...]] = ("points", "epochs", "ratio", "relative")
FACTORS: Final[dict[Unit, float]] = {"points": 100.0, "relative": 100.0, "epochs": 1.0, "ratio": 1.0}
AXES: Final[dict[Unit, str]] = {
    "points": mark("Difference (percentage points)"),
    "epochs": mark("Difference (epochs)"),
    "ratio": mark("Ratio"),
    "relative": mark("Relative difference (%)"),
}
MARKERS: Final[dict[Outcome, tuple[str, str, str]]] = {  # marker, face, edge
    "reproduced": ("o", style.BLUE, style.BLUE),
    "not_reproduced": ("X", style.VERMILLION, style.VERMILLION),
    "inconclusive": ("s", "white", style.BLACK),
    "not_testable": ("^", "white", style.GREY),
    "not_run": ("v", "white", style.GREY),
}
IN_A_LINE: Final = 4  # entries of the legend
BEHIND: Final = {"markersize": 6.0}  # large enough to be seen around the estimate's own marker
RELATIONS: Final[dict[str, str]] = {
    "greater": ">",
    "less": "<",
    "not_better": "\N{LESS-THAN OR EQUAL TO}",
    "equal": "\N{ALMOST EQUAL TO}",
    "ratio": "\N{ALMOST EQUAL TO}",
    "value": "\N{ALMOST EQUAL TO}",
}


def draw_forests(results: Results, translate: Translation) -> list[DrawnFigure]:
    """Draw one forest plot for each unit in which effects were measured, and one of networks against other methods.

    Those differences are so much larger that on one axis with the others nothing else could be read.
    """
    effects = [verdict for verdict in results.verdicts if _has_effect(verdict)]
    drawn = []
    for unit in UNITS:
        between = (False, True) if unit == "points" else (None,)
        for methods in between:
            verdicts = [
                verdict
                for verdict in effects
                if verdict.estimate.unit == unit and methods in (None, verdict.claim.comparison == "between_methods")
            ]
            if verdicts:
                figure_id = "forest.methods" if methods else f"forest.{unit}"
                drawn.append(_draw(figure_id, unit, verdicts, results, translate))
    return drawn


def _has_effect(verdict: Verdict) -> bool:
    compared = verdict.claim.comparator is not None and verdict.claim.relation in RELATIONS
    return compared and verdict.estimate.value is not None


def _draw(
    figure_id: str, unit: Unit, verdicts: Sequence[Verdict], results: Results, translate: Translation
) -> DrawnFigure:
    with style.drawing():
        handles = _legend(verdicts, translate)
        plot = row_plot(
            [label(verdict, results, translate) for verdict in verdicts],
            codes=[verdict.claim.code for verdict in verdicts],
            legend_lines=-(-len(handles) // IN_A_LINE),
            names_width=214,
        )
        if unit == "ratio":
            plot.axes.set_xscale("log")
        plot.axes.axvline(1 if unit == "ratio" else 0, color=style.BLACK, linewidth=0.8)
        for place, verdict in zip(plot.places, verdicts, strict=True):
            _draw_row(plot.axes, place, verdict, FACTORS[unit])
        if unit == "ratio":
            axis.ratio_ticks(plot.axes.xaxis)
        finish(plot, translate.gettext(AXES[unit]), translate)
        style.legend_below(plot.figure, handles, columns=IN_A_LINE)
        svg = to_svg(plot.figure, figure_id)
    return DrawnFigure(
        id=figure_id,
        svg=svg,
        width_points=style.WIDTH,
        height_points=plot.height,
        alt=_alternative(unit, verdicts, translate),
        caption=_caption(verdicts, results, translate),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(verdict, results, translate) for verdict in verdicts),
        group="overview",
    )


CAPTIONS: Final[dict[str, str]] = {
    "seeds": mark(
        "Effects behind the claims: each row is the first trial against the second, with its 95%% interval over the"
        " seeds, not corrected for the number of claims. The grey band is the margin within which a difference does not"
        " count."
    ),
    "blocks": mark(
        "Effects behind the claims: each row is the first trial against the second, with its 95%% interval over the"
        " blocks of the timing pass, not corrected for the number of claims. The grey band is the margin within which a"
        " difference does not count."
    ),
    "images": mark(
        "Effects behind the claims: each row is the first trial against the second, with its 95%% interval, not"
        " corrected for the number of claims: over the seeds, and over the test images for two classifiers without"
        " seeds. The grey band is the margin within which a difference does not count."
    ),
}
ORIGINAL_APART: Final = mark(
    "The original's differences were measured on its own pixels; these here are not verified to be the same."
)


def _caption(verdicts: Sequence[Verdict], results: Results, translate: Translation) -> str:
    """Return over what the intervals are, and where the original's points come from if not from these pixels."""
    kinds = {verdict.n_of for verdict in verdicts}
    chosen = "images" if "images" in kinds else "blocks" if "blocks" in kinds else "seeds"
    caption = translate.plain(CAPTIONS[chosen])
    known = any(verdict.original is not None and verdict.deviation == "other_pixels" for verdict in verdicts)
    return f"{caption} {translate.gettext(ORIGINAL_APART)}" if known and not results.scope.absolutes else caption


def label(verdict: Verdict, results: Results, translate: Translation) -> str:
    """Return a row's name: the comparison as the claim states it."""
    claim = verdict.claim
    subject = side_name(claim.subject, results, translate)
    if claim.comparator is None:
        return subject
    return f"{subject} {RELATIONS[claim.relation]} {side_name(claim.comparator, results, translate)}"


def side_name(side: Side, results: Results, translate: Translation) -> str:
    """Return the title of one side of a comparison, with the stage that it names."""
    try:
        return words.trial_name(results.trial(side.trial).trial, translate, side.stage)
    except KeyError:
        return side.trial


def _draw_row(axes: Axes, place: float, verdict: Verdict, factor: float) -> None:
    low, high = _margin(verdict)
    if low is not None and high is not None:
        axes.fill_betweenx((place - 5, place + 5), factor * low, factor * high, color="#d4d4d4", linewidth=0)
    estimate = verdict.estimate
    marker, face, edge = MARKERS[verdict.outcome]
    if estimate.low is not None and estimate.high is not None:
        axes.plot((factor * estimate.low, factor * estimate.high), (place, place), color=edge, linewidth=1.3)
    if verdict.original is not None and verdict.original.value is not None:
        axes.plot(factor * verdict.original.value, place, **(ORIGINAL | BEHIND), zorder=3)
    if estimate.value is not None:
        look: dict[str, Any] = {"marker": marker, "markerfacecolor": face, "markeredgecolor": edge}
        axes.plot(factor * estimate.value, place, **look, markersize=4.4, zorder=4)


def _margin(verdict: Verdict) -> tuple[float | None, float | None]:
    """Return where a difference is smaller than the margin; ratios have theirs around the stated ratio."""
    margin = None if verdict.margin is None else verdict.margin.value
    if verdict.claim.relation == "ratio":
        stated = verdict.claim.value
        return (None, None) if stated is None else (stated / 1.25, stated * 1.25)
    if margin is None:
        return None, None
    return (1 / (1 + margin), 1 + margin) if verdict.estimate.unit == "ratio" else (-margin, margin)


def _legend(verdicts: Sequence[Verdict], translate: Translation) -> list[Artist]:
    handles: list[Artist] = []
    for outcome, (marker, face, edge) in MARKERS.items():
        if any(verdict.outcome == outcome for verdict in verdicts):
            text = translate.gettext(OUTCOMES[outcome])
            look: dict[str, Any] = {"marker": marker, "markerfacecolor": face, "markeredgecolor": edge}
            handles.append(Line2D([], [], color=edge, linewidth=1.3, markersize=5, label=text, **look))
    handles.append(Patch(color="#d4d4d4", linewidth=0, label=translate.gettext("Within the margin")))
    if any(verdict.original is not None for verdict in verdicts):
        handles.append(Line2D([], [], **(ORIGINAL | BEHIND), label=translate.gettext("The original's difference")))
    return handles


def _alternative(unit: Unit, verdicts: Sequence[Verdict], translate: Translation) -> str:
    numbers = Numbers(translate)
    counts = Counter(verdict.outcome for verdict in verdicts)
    parts = [
        f"{translate.gettext(OUTCOMES[outcome])}: {numbers.integer(counts[outcome])}"
        for outcome in MARKERS
        if counts[outcome]
    ]
    sentence = translate.ngettext(
        "%(axis)s of %(count)s comparison, with intervals. %(verdicts)s.",
        "%(axis)s of %(count)s comparisons, with intervals. %(verdicts)s.",
        len(verdicts),
    )
    values = {"axis": translate.gettext(AXES[unit]), "count": numbers.integer(len(verdicts))}
    return sentence % {**values, "verdicts": ", ".join(parts)}


COLUMNS: Final = (
    mark("Claim"),
    mark("Comparison"),
    mark("Verdict"),
    mark("Effect"),
    mark("Low"),
    mark("High"),
    mark("Margin"),
    mark("Original"),
    mark("n"),
)


def _row(verdict: Verdict, results: Results, translate: Translation) -> tuple[Cell, ...]:
    estimate = verdict.estimate
    return (
        verdict.id,
        label(verdict, results, translate),
        translate.gettext(OUTCOMES[verdict.outcome]),
        estimate.value,
        estimate.low,
        estimate.high,
        None if verdict.margin is None else verdict.margin.value,
        None if verdict.original is None else verdict.original.value,
        verdict.n,
    )
