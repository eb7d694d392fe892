"""How far one can rely on it: reliability diagrams of networks, error rates of the method itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cifar_report.analysis.calibration import Calibration, CurvePoint
from cifar_report.analysis.results import ReliabilityBin
from cifar_report.report.figures import style
from cifar_report.report.figures.base import ERROR_RATES, DrawnFigure, Shown, seeds_text
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Numbers, Translation, mark
from cifar_report.report.names import OUTCOMES

SIDE: Final = 150.0  # of a reliability diagram, points
STEP: Final = SIDE + 62.0
ANSWERS: Final[Look] = {"color": style.BLUE, "marker": "o", "ms": 3.4, "lw": 1.1}
DIAGONAL: Final[Look] = {"color": style.BLACK, "ls": style.DASHED, "lw": 0.8}
BAR: Final[Look] = {"facecolor": style.PALE, "edgecolor": "#b5b5b5", "linewidth": 0.4}


@style.in_style
def draw_reliability(shown: Sequence[Shown], translate: Translation) -> DrawnFigure | None:
    """Draw the bins of the one or two shown networks side by side; None when there is none with probabilities."""
    shown = [each for each in shown if each.metrics.reliability]
    if not shown:
        return None
    _ = translate.gettext
    figure = style.sheet(216)
    left = (style.WIDTH - len(shown) * STEP + STEP - SIDE) / 2
    for place, each in enumerate(shown):
        axes = style.panel(figure, left + place * STEP, 18, SIDE, SIDE, translate)
        _draw_bins(axes, each.metrics.reliability, translate)
        axes.set_title(each.title(translate))
        if place == 0:
            axes.set_ylabel(_("Right answers (%)"))
    lines = {_("Right answers"): ANSWERS, _("As sure as right"): DIAGONAL}
    style.legend_below(figure, lines, 3, [Patch(**BAR, label=_("Share of images"))])
    caption = translate.plain(
        "Reliability on the test images: the share of right answers against the probability that the network gave them,"
        " in 15 bins; on the diagonal it is as sure as it should be. Grey bars are the share of images in a bin."
    )
    columns = (
        *(_("Training"), _("From"), _("To"), _("Images")),
        *(_("Mean probability"), _("Share of right answers")),
    )
    rows = [
        (each.title(translate), part.low, part.high, part.count, part.confidence, part.accuracy)
        for each in shown
        for part in each.metrics.reliability
    ]
    alt = " ".join(_calibration_error(each, translate) for each in shown)
    return style.finished(figure, "reliability", "calibration", alt=alt, caption=caption, columns=columns, rows=rows)


def _draw_bins(axes: Axes, bins: Sequence[ReliabilityBin], translate: Translation) -> None:
    total = sum(part.count for part in bins) or 1
    for part in bins:
        if part.count:
            height, width = 100 * part.count / total, 100 * (part.high - part.low)
            axes.bar(100 * part.low, height, width, align="edge", **BAR)
    axes.plot((0, 100), (0, 100), **DIAGONAL)
    filled = [(e.confidence, e.accuracy) for e in bins if e.confidence is not None and e.accuracy is not None]
    axes.plot([100 * confidence for confidence, _ in filled], [100 * accuracy for _, accuracy in filled], **ANSWERS)
    axes.set(xlim=(0, 100), ylim=(0, 100), xlabel=translate.gettext("Probability of the answer (%)"))
    axes.grid(True)


def _calibration_error(each: Shown, translate: Translation) -> str:
    error = each.metrics.calibration_error
    if error is None:
        return translate.plain("%(trial)s: the calibration error is not known.", {"trial": each.title(translate)})
    return translate.plain(
        "%(trial)s: right predictions and stated probabilities differ by %(error)s on average (calibration error).",
        {"trial": each.title(translate), "error": Numbers(translate).number(error.datum)},
    )


Rated = Literal["reproduced", "not_reproduced", "inconclusive"]
LINES: Final[dict[Rated, Look]] = {
    "reproduced": {"color": style.BLUE, "marker": "o", "ms": 3.4, "lw": 1.3},
    "not_reproduced": {"color": style.VERMILLION, "marker": "s", "ms": 3.0, "ls": style.DASHED},
    "inconclusive": {"color": style.GREY, "marker": "^", "ms": 3.2, "ls": style.DOTTED},
}
EFFECT: Final = mark("True difference, in margins")


@style.in_style
def draw_error_rates(calibration: Calibration, translate: Translation) -> DrawnFigure | None:
    """Draw how often a claim that stands alone gets which verdict, by the size of the true difference.

    One panel for each number of seeds; None when the calibration holds none.
    """
    counts = sorted({point.seeds for point in calibration.curves})
    if not counts:
        return None
    points = [[point for point in calibration.curves if point.seeds == count] for count in counts]
    outcomes = {name: translate.gettext(OUTCOMES[name]) for name in LINES}
    figure = style.sheet(176)
    row = style.panels(figure, len(counts), 18, 112, translate, left=40, gap=16)
    for axes, part in zip(row, points, strict=True):
        _draw_rates(axes, part, translate)
        axes.tick_params(axis="y", labelleft=axes is row[0])
    row[0].set_ylabel(translate.gettext("Share of draws (%)"))
    row[len(row) // 2].set_xlabel(translate.gettext(EFFECT))
    style.legend_below(figure, {outcomes[name]: look for name, look in LINES.items()}, 3)
    caption = translate.plain(
        "How often a claim that a value is higher by the margin gets which verdict, by the size of the true difference;"
        " simulated, one claim that stands alone. The vertical line marks a true difference of the margin."
    )
    columns = (translate.gettext("Seeds"), translate.gettext(EFFECT), *outcomes.values())
    rows = [(point.seeds, point.effect, *(getattr(point, name) for name in LINES)) for point in calibration.curves]
    alt = " ".join(_rates(part, translate) for part in points)
    return style.finished(figure, "error_rates", ERROR_RATES, alt=alt, caption=caption, columns=columns, rows=rows)


def _draw_rates(axes: Axes, points: Sequence[CurvePoint], translate: Translation) -> None:
    effects = [point.effect for point in points]
    for name, look in LINES.items():
        axes.plot(effects, [100 * getattr(point, name) for point in points], clip_on=False, **look)
    axes.axvline(1, color=style.GREY, linewidth=0.6)
    axes.set(title=seeds_text(points[0].seeds, translate), ylim=(0, 100))
    axes.set_xticks(sorted({round(effect) for effect in effects}))
    axes.grid(True, axis="y")


def _rates(points: Sequence[CurvePoint], translate: Translation) -> str:
    least, most = (f"{Numbers(translate).bare(points[at].reproduced, 'share')}%" for at in (0, -1))
    return translate.plain(
        "%(seeds)s: “reproduced” in %(least)s of the draws where the configurations are equally good and in %(most)s at"
        " the largest true difference.",
        {"seeds": seeds_text(points[0].seeds, translate), "least": least, "most": most},
    )
