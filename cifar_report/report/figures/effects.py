"""The effects behind the claims."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import Patch

from cifar_report.analysis.decisions import RATIO_SLACK
from cifar_report.analysis.results import Results, Unit, Verdict
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, comparison_name, data_gid
from cifar_report.report.figures.ladder import ORIGINAL
from cifar_report.report.figures.style import VERDICTS, Look, RowPlot
from cifar_report.report.i18n import DASH, Translation, mark
from cifar_report.report.names import OUTCOMES, QUANTITIES, seeds_needed

FACTORS: Final[dict[Unit, float]] = {"points": 100.0, "relative": 100.0, "epochs": 1.0, "ratio": 1.0}
LABELS: Final[dict[Unit, str]] = {
    "points": mark("Difference (percentage points)"),
    "relative": mark("Relative difference (%)"),
    "epochs": mark("Difference (epochs)"),
    "ratio": mark("Ratio"),
}
WIDEST: Final[dict[Unit, tuple[float, float]]] = {
    "points": (-15.0, 15.0),
    "relative": (-100.0, 100.0),
    "epochs": (-15.0, 15.0),
    "ratio": (0.25, 5.0),
}
"""What an axis shows at most; an effect that lies beyond stands there as text."""
SEED: Final[Look] = {"marker": "o", "ms": 2.2, "mew": 0, "ls": "none", "alpha": 0.6}
RATIOS: Final = (0.25, 0.5, 1, 2, 5)  # with ticks
NAMES: Final = 170.0  # points, left of the axes
BETWEEN: Final = 8.0  # points, from one column of texts beside them to the next
GAP: Final = 2.8
Bounds = tuple[float | None, float | None]
USUAL: Final = 0.95  # coverage of an interval beside which a narrower one is drawn
ARROWS: Final = ("\N{LEFTWARDS ARROW}", "\N{RIGHTWARDS ARROW}")


class Row(NamedTuple):
    """One row of the figure: a verdict, or the heading of those below."""

    name: str
    verdict: Verdict | None = None


def _rows(unit: Unit, results: Results, translate: Translation) -> Iterator[Row]:
    found = [
        verdict
        for verdict in results.verdicts
        if verdict.estimate.unit == unit
        and verdict.estimate.value is not None
        and verdict.claim.comparator is not None
        and verdict.claim.relation != "exact"
    ]
    for quantity, title in QUANTITIES.items():
        own = [verdict for verdict in found if verdict.claim.quantity == quantity]
        if own:
            yield Row(translate.gettext(title))
        for verdict in sorted(own, key=lambda verdict: -(verdict.estimate.value or 0.0)):
            yield Row(comparison_name(verdict, results, translate), verdict)


@style.in_style()
def draw_effects(unit: Unit, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the effects of one unit, grouped by quantity and sorted; None where there is none."""
    rows = [*_rows(unit, results, translate)]
    if not rows:
        return None
    codes = [row.verdict.claim.code if row.verdict else "" for row in rows]
    verdicts = [row.verdict for row in rows if row.verdict]
    needed = any(verdict.seeds_needed for verdict in verdicts)
    heads = translate.columns("Effect [interval] | Verdict | Seeds needed")[: 3 if needed else 2]
    texts = [heads, *(_texts(verdict, translate)[: len(heads)] for verdict in verdicts)]
    widths = [max(style.text_width(text) for text in column) for column in zip(*texts, strict=True)]
    right = 1 + sum(widths) + BETWEEN * len(widths)
    names, label = [row.name for row in rows], translate.gettext(LABELS[unit])
    plot = style.row_plot(names, NAMES, label, translate, codes=codes, right=right, top=14, gap=GAP)
    axes, bounds = plot.axes, _bounds(unit, verdicts)
    if unit == "ratio":
        axes.set_xscale("log")
    axes.set_xlim(*bounds)
    axes.axvline(1 if unit == "ratio" else 0, color=style.BLACK, lw=0.7)
    for heading, place, row in zip(axes.get_yticklabels(), plot.places, rows, strict=True):
        if row.verdict is None:
            heading.set(color=style.BLUE)
        else:
            _draw_row(plot.axes, place, row.verdict, bounds, translate)
            _write(plot, place, _texts(row.verdict, translate), widths)
    _write(plot, -7, heads, widths, color=style.GREY)
    legend: dict[str, Look] = {
        translate.plain("90%% and 95%% interval"): {"color": style.BLACK, "lw": 2.4},
        translate.gettext("One seed"): SEED | {"color": style.BLACK, "ms": 3},
    }
    if any(verdict.original for verdict in verdicts):
        legend[translate.gettext("The original's difference")] = ORIGINAL
    margin = Patch(**style.MARGIN, label=translate.gettext("Within the margin"))
    style.legend_below(plot.figure, legend, 4, [margin])
    if unit == "ratio":
        axes.set_xticks(RATIOS, [translate.numbers.plain(ratio) for ratio in RATIOS], minor=False)
        axes.set_xticks([], minor=True)
    columns = translate.columns("Claim | Comparison | Quantity | Verdict | Effect | Low | High | Margin | Original | n")
    return style.finished(
        plot.figure, f"effects.{unit}", "effects", alt=_alternative(unit, verdicts, translate),
        title=_title(unit, rows, translate), caption=_caption(verdicts, results, translate), columns=columns,
        rows=[_cells(row.name, row.verdict, translate) for row in rows if row.verdict],
    )  # fmt: skip


def _bounds(unit: Unit, verdicts: Sequence[Verdict]) -> tuple[float, float]:
    """Return what the axis shows: all intervals and seeds, but not more than its unit's widest."""
    low, high = WIDEST[unit]
    if unit == "ratio":
        return low, high
    ends = [factor for verdict in verdicts for factor in (*_interval(verdict), verdict.estimate.value)]
    values = [FACTORS[unit] * end for end in ends if end is not None]
    values = [value for value in values if low <= value <= high] or [1.0]
    reach = max(1.08 * max(map(abs, values)), 1.0)
    return max(low, min(-0.3 * reach, 1.08 * min(values))), min(high, max(0.3 * reach, 1.08 * max(values)))


def _caption(verdicts: Sequence[Verdict], results: Results, translate: Translation) -> str:
    known = any(verdict.original is not None and verdict.deviation == "other_pixels" for verdict in verdicts)
    more = [translate.gettext(SAY.original_apart)] if known and not results.scope.absolutes else []
    if any(each.difference is not None for verdict in verdicts for each in verdict.differences):
        more.insert(0, translate.gettext(SAY.effects_seeds))
    return " ".join([translate.plain(SAY.effects), *more])


def _interval(verdict: Verdict) -> Bounds:
    whole = verdict.wide or verdict.estimate
    return whole.low, whole.high


def _narrow(verdict: Verdict) -> Bounds:
    """Return the 90 % interval: a one-sided 95 % bound is one end of it, and by t it reaches as far to both sides."""
    estimate, bound = verdict.estimate, verdict.bound
    if estimate.coverage < USUAL:
        return estimate.low, estimate.high
    if verdict.test not in ("welch", "paired_t") or bound is None or bound.value is None or not estimate.value:
        return None, None
    other = estimate.value**2 / bound.value if estimate.unit == "ratio" else 2 * estimate.value - bound.value
    return min(bound.value, other), max(bound.value, other)


def _draw_row(axes: Axes, place: float, verdict: Verdict, bounds: tuple[float, float], translate: Translation) -> None:
    estimate, factor, colour = verdict.estimate, FACTORS[verdict.estimate.unit], VERDICTS[verdict.outcome]["mec"]
    low, high = _margin(verdict)
    if low is not None and high is not None:
        axes.fill_betweenx((place - 5, place + 5), factor * low, factor * high, **style.MARGIN)
    for (start, end), width in ((_interval(verdict), 0.8), (_narrow(verdict), 2.4)):
        if start is not None and end is not None:
            axes.plot((factor * start, factor * end), (place, place), color=colour, lw=width, alpha=0.8)
    for seed in verdict.differences:
        if seed.difference is not None and bounds[0] <= factor * seed.difference <= bounds[1]:
            gid = data_gid(seed=seed.seed, trial=verdict.claim.subject.trial)
            axes.plot(factor * seed.difference, place + 3.2, **SEED, color=colour, gid=gid)
    if verdict.original is not None and verdict.original.value is not None:
        axes.plot(factor * verdict.original.value, place, **ORIGINAL, zorder=3)
    value, gid = factor * (estimate.value or 0.0), data_gid(claim=verdict.id)
    if bounds[0] <= value <= bounds[1]:
        axes.plot(value, place, **VERDICTS[verdict.outcome], ls="none", ms=4.4, zorder=4, gid=gid)
    else:
        above, shown = value > bounds[1], translate.numbers.number(estimate)
        text = f"{shown} {ARROWS[1]}" if above else f"{ARROWS[0]} {shown}"
        axes.text(bounds[above], place, text, gid=gid, ha="right" if above else "left", va="center_baseline")


def _write(plot: RowPlot, place: float, texts: Sequence[str], widths: Sequence[float], **look: Any) -> None:
    """Write the columns beside the axes; the third one holds numbers."""
    left = style.WIDTH - 1 - sum(widths) - BETWEEN * (len(widths) - 1)
    for number, (text, width) in enumerate(zip(texts, widths, strict=False)):
        plot.write(place, left + width * (number == 2), text, ha="right" if number == 2 else "left", **look)
        left += width + BETWEEN


def _texts(verdict: Verdict, translate: Translation) -> tuple[str, str, str]:
    whole, numbers = verdict.wide or verdict.estimate, translate.numbers
    interval = "" if whole.low is None and whole.high is None else f" {numbers.interval(whole)}"
    seeds = seeds_needed(verdict, numbers) or DASH
    return f"{numbers.number(verdict.estimate)}{interval}", translate.gettext(OUTCOMES[verdict.outcome]), seeds


def _margin(verdict: Verdict) -> Bounds:
    """Return where a difference is smaller than the margin; ratios have theirs around the stated ratio."""
    if verdict.claim.relation == "ratio":
        stated = verdict.claim.value
        return (None, None) if stated is None else (stated / RATIO_SLACK, stated * RATIO_SLACK)
    margin = None if verdict.margin is None else verdict.margin.value
    if margin is None:
        return None, None
    return (1 / (1 + margin), 1 + margin) if verdict.estimate.unit == "ratio" else (-margin, margin)


def _title(unit: Unit, rows: Sequence[Row], translate: Translation) -> str:
    shown = [(row.name, row.verdict) for row in rows if row.verdict]
    own = [(name, each.estimate) for name, each in shown if each.claim.quantity == shown[0][1].claim.quantity]
    (first, most), (last, least) = own[0], own[-1]
    values = {"quantity": rows[0].name if rows[0].verdict is None else translate.gettext(LABELS[unit])}
    values |= {"first": first, "most": translate.numbers.quantity(most)}
    values |= {"last": last, "least": translate.numbers.quantity(least)}
    return translate.plain(SAY.effects_title if len(own) > 1 else SAY.effects_one, values)


def _alternative(unit: Unit, verdicts: Sequence[Verdict], translate: Translation) -> str:
    counts, whole = Counter(verdict.outcome for verdict in verdicts), translate.numbers.integer
    found = [f"{translate.gettext(OUTCOMES[each])}: {whole(counts[each])}" for each in VERDICTS if counts[each]]
    values = {"axis": translate.gettext(LABELS[unit]), "count": whole(len(verdicts)), "verdicts": ", ".join(found)}
    return translate.plain_plural(SAY.effects_alt, len(verdicts), values)


def _cells(name: str, verdict: Verdict, translate: Translation) -> tuple[Cell, ...]:
    margin = None if verdict.margin is None else verdict.margin.value
    original = None if verdict.original is None else verdict.original.value
    words = (translate.gettext(QUANTITIES[verdict.claim.quantity]), translate.gettext(OUTCOMES[verdict.outcome]))
    effect = (verdict.estimate.value, verdict.estimate.low, verdict.estimate.high)
    return (verdict.id, name, *words, *effect, margin, original, verdict.n)
