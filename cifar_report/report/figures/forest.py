"""Verdicts: forest plots of the effects behind them, and how often the method itself errs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cifar_report.analysis.calibration import Calibration, CurvePoint
from cifar_report.analysis.results import Outcome, Results, Unit, Verdict
from cifar_report.report.figures import style
from cifar_report.report.figures.base import ERROR_RATES, SAY, Cell, DrawnFigure, seeds_text, trial_name
from cifar_report.report.figures.points import ORIGINAL
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.names import OUTCOMES

Kind = Literal["points", "methods", "epochs", "ratio", "relative"]
KINDS: Final[dict[Kind, Unit]] = {
    "points": "points",
    "methods": "points",  # networks against other methods: so much larger that it would hide the other differences
    "epochs": "epochs",
    "ratio": "ratio",
    "relative": "relative",
}
PER_CENT: Final = ("points", "relative")
AXES: Final[dict[Unit, str]] = {
    "points": mark("Difference (percentage points)"),
    "epochs": mark("Difference (epochs)"),
    "ratio": mark("Ratio"),
    "relative": mark("Relative difference (%)"),
}
LOOKS: Final[dict[Outcome, Look]] = {
    "reproduced": {"marker": "o", "mfc": style.BLUE, "mec": style.BLUE},
    "not_reproduced": {"marker": "X", "mfc": style.VERMILLION, "mec": style.VERMILLION},
    "inconclusive": {"marker": "s", "mfc": "white", "mec": style.BLACK},
    "not_testable": {"marker": "^", "mfc": "white", "mec": style.GREY},
    "not_run": {"marker": "v", "mfc": "white", "mec": style.GREY},
}
MARGIN_COLOUR: Final = "#d4d4d4"
IN_A_LINE: Final = 4  # entries of the legend
BEHIND: Final = ORIGINAL | {"ms": 6.0}  # large enough to be seen around the estimate's own marker
RELATIONS: Final[dict[str, str]] = {
    "greater": ">",
    "less": "<",
    "not_better": "\N{LESS-THAN OR EQUAL TO}",
    "equal": "\N{ALMOST EQUAL TO}",
    "ratio": "\N{ALMOST EQUAL TO}",
    "value": "\N{ALMOST EQUAL TO}",
}


@style.in_style()
def draw_forest(kind: Kind, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the effects of one kind, one row each; None where none was measured."""
    unit = KINDS[kind]
    verdicts = [verdict for verdict in results.verdicts if _kind(verdict) == kind]
    if not verdicts:
        return None
    names = [_comparison(verdict, results, translate) for verdict in verdicts]
    lines, codes = _legend(verdicts, translate), [verdict.claim.code for verdict in verdicts]
    plot = style.row_plot(names, 214, translate, codes=codes, legend_lines=-(-(len(lines) + 1) // IN_A_LINE))
    if unit == "ratio":
        plot.axes.set_xscale("log")
    plot.axes.axvline(1 if unit == "ratio" else 0, color=style.BLACK, linewidth=0.8)
    for place, verdict in zip(plot.places, verdicts, strict=True):
        _draw_row(plot.axes, place, verdict, 100.0 if unit in PER_CENT else 1.0)
    margin = Patch(color=MARGIN_COLOUR, linewidth=0, label=translate.gettext("Within the margin"))
    plot.finish(translate.gettext(AXES[unit]), lines, IN_A_LINE, [margin])
    if unit == "ratio":
        style.log_axis(plot.axes.xaxis, translate, most=9)
    return style.finished(
        plot.figure,
        f"forest.{kind}",
        "overview",
        alt=_alternative(unit, verdicts, translate),
        caption=_caption(verdicts, results, translate),
        columns=translate.columns("Claim | Comparison | Verdict | Effect | Low | High | Margin | Original | n"),
        rows=[_row(name, verdict, translate) for name, verdict in zip(names, verdicts, strict=True)],
    )


def _kind(verdict: Verdict) -> Kind | None:
    """Return in which figure a verdict has its row; None for one without a comparison or without an effect."""
    claim, estimate = verdict.claim, verdict.estimate
    if claim.comparator is None or claim.relation not in RELATIONS or estimate.value is None:
        return None
    if estimate.unit == "points" and claim.comparison == "between_methods":
        return "methods"
    return next((kind for kind in KINDS if kind == estimate.unit), None)


def _caption(verdicts: Sequence[Verdict], results: Results, translate: Translation) -> str:
    """Return over what the intervals are, and where the original's points come from if not from these pixels."""
    kinds = {verdict.n_of for verdict in verdicts}
    caption = translate.plain(SAY.forest[next((kind for kind in ("images", "blocks") if kind in kinds), "seeds")])
    known = any(verdict.original is not None and verdict.deviation == "other_pixels" for verdict in verdicts)
    return (
        f"{caption} {translate.gettext(SAY.forest_original_apart)}"
        if known and not results.scope.absolutes
        else caption
    )


def _comparison(verdict: Verdict, results: Results, translate: Translation) -> str:
    """Return a row's name: the comparison as the claim states it."""
    claim = verdict.claim
    sides = (side for side in (claim.subject, claim.comparator) if side is not None)
    names = [trial_name(results.trial(side.trial).trial, translate, side.stage) for side in sides]
    return f" {RELATIONS[claim.relation]} ".join(names)


def _draw_row(axes: Axes, place: float, verdict: Verdict, factor: float) -> None:
    low, high = _margin(verdict)
    if low is not None and high is not None:
        axes.fill_betweenx((place - 5, place + 5), factor * low, factor * high, color=MARGIN_COLOUR, linewidth=0)
    estimate, look, wide = verdict.estimate, LOOKS[verdict.outcome], verdict.wide
    if wide is not None and wide.low is not None and wide.high is not None:
        axes.plot((factor * wide.low, factor * wide.high), (place, place), color=look["mec"], lw=0.5)
    if estimate.low is not None and estimate.high is not None:
        axes.plot((factor * estimate.low, factor * estimate.high), (place, place), color=look["mec"], lw=1.3)
    if verdict.original is not None and verdict.original.value is not None:
        axes.plot(factor * verdict.original.value, place, **BEHIND, zorder=3)
    if estimate.value is not None:
        axes.plot(factor * estimate.value, place, **look, ms=4.4, zorder=4)


def _margin(verdict: Verdict) -> tuple[float | None, float | None]:
    """Return where a difference is smaller than the margin; ratios have theirs around the stated ratio."""
    if verdict.claim.relation == "ratio":
        stated = verdict.claim.value
        return (None, None) if stated is None else (stated / 1.25, stated * 1.25)
    margin = None if verdict.margin is None else verdict.margin.value
    if margin is None:
        return None, None
    return (1 / (1 + margin), 1 + margin) if verdict.estimate.unit == "ratio" else (-margin, margin)


def _legend(verdicts: Sequence[Verdict], translate: Translation) -> dict[str, Look]:
    present = {verdict.outcome for verdict in verdicts}
    lines = {
        translate.gettext(OUTCOMES[outcome]): {"color": look["mec"], "lw": 1.3, "ms": 5, **look}
        for outcome, look in LOOKS.items()
        if outcome in present
    }
    if any(verdict.original is not None for verdict in verdicts):
        lines[translate.gettext("The original's difference")] = BEHIND
    return lines


def _alternative(unit: Unit, verdicts: Sequence[Verdict], translate: Translation) -> str:
    counts, whole = Counter(verdict.outcome for verdict in verdicts), translate.numbers.integer
    found = [f"{translate.gettext(OUTCOMES[each])}: {whole(counts[each])}" for each in LOOKS if counts[each]]
    values = {"axis": translate.gettext(AXES[unit]), "count": whole(len(verdicts)), "verdicts": ", ".join(found)}
    return translate.plain_plural(SAY.forest_alt, len(verdicts), values)


def _row(name: str, verdict: Verdict, translate: Translation) -> tuple[Cell, ...]:
    margin = None if verdict.margin is None else verdict.margin.value
    original = None if verdict.original is None else verdict.original.value
    estimate, outcome = verdict.estimate, translate.gettext(OUTCOMES[verdict.outcome])
    return (verdict.id, name, outcome, estimate.value, estimate.low, estimate.high, margin, original, verdict.n)


Rated = Literal["reproduced", "not_reproduced", "inconclusive"]
RATES: Final[dict[Rated, Look]] = {
    "reproduced": {"color": style.BLUE, "marker": "o", "ms": 3.4, "lw": 1.3},
    "not_reproduced": {"color": style.VERMILLION, "marker": "s", "ms": 3.0, "ls": style.DASHED},
    "inconclusive": {"color": style.GREY, "marker": "^", "ms": 3.2, "ls": style.DOTTED},
}
EFFECT: Final = mark("True difference, in margins")


@style.in_style()
def draw_error_rates(calibration: Calibration, translate: Translation) -> DrawnFigure | None:
    """Draw how often a claim that stands alone gets which verdict, by the size of the true difference.

    One panel for each number of seeds; None when the calibration holds none.
    """
    counts = sorted({point.seeds for point in calibration.curves})
    if not counts:
        return None
    points = [[point for point in calibration.curves if point.seeds == count] for count in counts]
    outcomes = {name: translate.gettext(OUTCOMES[name]) for name in RATES}
    figure = style.sheet(176)
    row = style.panels(figure, len(counts), 18, 112, translate, left=40, gap=16)
    for axes, part in zip(row, points, strict=True):
        _draw_rates(axes, part, translate)
        axes.tick_params(axis="y", labelleft=axes is row[0])
    row[0].set_ylabel(translate.gettext("Share of draws (%)"))
    row[len(row) // 2].set_xlabel(translate.gettext(EFFECT))
    style.legend_below(figure, {outcomes[name]: look for name, look in RATES.items()}, 3)
    columns = (translate.gettext("Seeds"), translate.gettext(EFFECT), *outcomes.values())
    rows = [(point.seeds, point.effect, *(getattr(point, name) for name in RATES)) for point in calibration.curves]
    alt, caption = " ".join(_rates(part, translate) for part in points), translate.plain(SAY.error_rates)
    return style.finished(figure, "error_rates", ERROR_RATES, alt=alt, caption=caption, columns=columns, rows=rows)


def _draw_rates(axes: Axes, points: Sequence[CurvePoint], translate: Translation) -> None:
    effects = [point.effect for point in points]
    for name, look in RATES.items():
        axes.plot(effects, [100 * getattr(point, name) for point in points], clip_on=False, **look)
    axes.axvline(1, color=style.GREY, linewidth=0.6)
    axes.set(title=seeds_text(points[0].seeds, translate), ylim=(0, 100))
    axes.set_xticks(sorted({round(effect) for effect in effects}))
    axes.grid(True, axis="y")


def _rates(points: Sequence[CurvePoint], translate: Translation) -> str:
    least, most = (f"{translate.numbers.bare(points[at].reproduced, 'share')}%" for at in (0, -1))
    seeds = seeds_text(points[0].seeds, translate)
    return translate.plain(SAY.error_rates_alt, {"seeds": seeds, "least": least, "most": most})
