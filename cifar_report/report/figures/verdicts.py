"""Verdicts at a glance: their numbers as a bar, all of them by experiment and quantity, and what they depend on."""

from collections import Counter
from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from cifar_report.analysis.results import Outcome, Results, Verdict
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, SEPARATOR, Cell, DrawnFigure, comparison_name, data_gid
from cifar_report.report.figures.style import VERDICTS, Look
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.names import MARKS, OUTCOMES, QUANTITIES
from cifar_report.spec import STATEMENTS, Experiment, Quantity

HATCH: Final[Look] = {"facecolor": "none", "edgecolor": style.GREY, "linewidth": 0, "hatch": "////"}
BAR: Final = 15.0  # points


@style.in_style()
def draw_verdict_bar(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw how many tests have each verdict, the fragile ones hatched; None without claims."""
    found = Counter(verdict.outcome for verdict in results.tallied)
    if not found:
        return None
    unsure = Counter(verdict.outcome for verdict in results.tallied if verdict.fragile)
    counts = [(outcome, found[outcome], unsure[outcome]) for outcome in VERDICTS if found[outcome]]
    total, whole = found.total(), translate.numbers.integer
    hatched = [translate.gettext(MARKS["fragile"])] if unsure else []
    legend = {f"{translate.gettext(OUTCOMES[each])} ({whole(count)})": _glyph(each) for each, count, _ in counts}
    columns = style.legend_columns([*legend, *hatched], 6)
    lines = -(-(len(legend) + len(hatched)) // columns)
    figure, axes = style.canvas(BAR + 4 + lines * style.LEGEND_LINE, translate)
    left, unit = 0.0, style.WIDTH / total
    for outcome, count, fragile in counts:
        look: Look = {"fc": VERDICTS[outcome]["mec"], "alpha": 0.28, "lw": 0, "gid": data_gid(outcome=outcome)}
        axes.add_patch(Rectangle((left, 0), count * unit, BAR, **look))
        axes.add_patch(Rectangle((left, 0), fragile * unit, BAR, **HATCH))
        text, place = whole(count), left + (count + fragile) * unit / 2
        if style.text_width(text, style.SIZE) < (count - fragile) * unit:
            axes.text(place, BAR / 2, text, ha="center", va="center_baseline", fontsize=style.SIZE)
        if left:
            axes.plot((left, left), (0, BAR), color=style.WHITE, lw=1.2)
        left += count * unit
    style.legend_below(figure, legend, columns, [Patch(**HATCH, label=name) for name in hatched])
    numbers = {"reproduced": whole(found["reproduced"]), "contradicted": whole(found["not_reproduced"])}
    numbers |= {"open": whole(found["inconclusive"]), "fragile": whole(unsure.total()), "count": whole(total)}
    title = translate.plain_plural(SAY.bar_title, total, numbers)
    rows = [(translate.gettext(OUTCOMES[outcome]), count, fragile) for outcome, count, fragile in counts]
    heads, caption = translate.columns("Verdict | Tests | Fragile"), translate.plain(SAY.bar)
    return style.finished(figure, "verdict_bar", "verdict_bar", title=title, caption=caption, columns=heads, rows=rows)


def _glyph(outcome: Outcome) -> Look:
    return {"ls": "none", "ms": 5.0, "mew": 1.1} | VERDICTS[outcome]


GROUPS: Final[dict[str, tuple[Quantity, ...]]] = {
    mark("Accuracy and loss"): ("accuracy", "validation_accuracy", "loss"),
    mark("Convergence"): ("epochs_to_accuracy", "epoch_of_least_loss"),
    mark("Time"): ("seconds", "throughput", "fit_seconds", "predict_seconds"),
    mark("Counts"): ("parameters", "trainable_parameters", "macs", "dead_units", "unusual_runs"),
    mark("Overfitting"): ("gap",),
}
CELL: Final = 12.5  # points, a side
IN_A_LINE: Final = 3  # cells of one half
HALVES: Final = (mark("as written"), mark("one change"))
HALF_GAP, GROUP_GAP = 2.0, 8.0
HEAD: Final = 44.0
Rows = Sequence[tuple[Experiment, Sequence[Verdict]]]


class Half(NamedTuple):
    """One column of the matrix: the verdicts of one group of quantities as written (0) or by one change (1)."""

    group: str
    change: int
    left: float  # points
    width: float

    def of(self, verdicts: Sequence[Verdict]) -> list[Verdict]:
        """Return those verdicts that stand in this column."""
        return [verdict for verdict in verdicts if _cell(verdict) == (self.group, self.change)]


@style.in_style()
def draw_matrix(results: Results, experiments: Sequence[Experiment], translate: Translation) -> DrawnFigure | None:
    """Draw every verdict in the row of its experiment and the column of its quantity; None without claims."""
    verdicts = {verdict.id: verdict for verdict in results.verdicts}
    rows = [(each, [verdicts[claim.id] for claim in each.claims if claim.id in verdicts]) for each in experiments]
    rows = [(each, found) for each, found in rows if found]
    if not rows:
        return None
    halves = list(_halves(rows, translate))
    start = style.WIDTH - halves[-1].left - halves[-1].width
    names = [style.wrapped(translate.text(each.title), start - 20) for each, _ in rows]
    heights = [
        max(1 + 8.5 * (name.count("\n") + 1), *(CELL * -(-len(half.of(found)) // IN_A_LINE) for half in halves)) + 3
        for name, (_, found) in zip(names, rows, strict=True)
    ]
    bottom = HEAD + sum(heights)
    figure, axes = style.canvas(bottom + 24, translate)
    _draw_heads(axes, halves, start, bottom, translate)
    top = HEAD
    for place, (name, (experiment, found), height) in enumerate(zip(names, rows, heights, strict=True)):
        if place % 2 == 0:
            axes.add_patch(Rectangle((0, top), style.WIDTH, height, fc=style.BAND, lw=0, zorder=0))
        axes.text(12, top + height / 2, name, va="center", linespacing=1.05)
        axes.text(9, top + height / 2, experiment.number or "", va="center", ha="right")
        for half in halves:
            for number, verdict in enumerate(half.of(found)):
                line, column = divmod(number, IN_A_LINE)
                corner = (start + half.left + column * CELL, top + 1.5 + line * CELL)
                _draw_cell(axes, corner, verdict.outcome, verdict.id, fragile=bool(verdict.fragile))
        top += height
    _legend(figure, {verdict.outcome for _, found in rows for verdict in found}, translate)
    return style.finished(
        figure, "verdicts", "verdicts", title=_matrix_title(rows, translate), caption=translate.plain(SAY.matrix),
        alt=" ".join(_told(each.title, found, translate) for each, found in rows),
        columns=translate.columns("Experiment | Claim | Quantity | Verdict | Fragile"),
        rows=[_listed(each, verdict, translate) for each, found in rows for verdict in found],
    )  # fmt: skip


def _cell(verdict: Verdict) -> tuple[str, int]:
    """Return the group of quantities and the half, as written or by one change, in which a verdict stands."""
    quantity: Quantity = "gap" if verdict.claim.relation == "onset" else verdict.claim.quantity
    group = next(name for name, quantities in GROUPS.items() if quantity in quantities)
    return group, int(verdict.claim.comparison == "one_change")


def _halves(rows: Rows, translate: Translation) -> Iterator[Half]:
    """Yield every column that holds anything, wide enough for its heading."""
    left = 0.0
    for group in GROUPS:
        for change in (0, 1):
            most = max(len(Half(group, change, 0, 0).of(found)) for _, found in rows)
            if most:
                width = max(min(most, IN_A_LINE) * CELL, style.widest_word(translate.gettext(HALVES[change])) + 1)
                if group == list(GROUPS)[-1] and change == 0:
                    width = max(width, style.widest_word(translate.gettext(group)) - width)
                yield Half(group, change, left, width)
                left += width + (HALF_GAP if change == 0 else GROUP_GAP)


def _draw_heads(axes: Axes, halves: Sequence[Half], start: float, bottom: float, translate: Translation) -> None:
    for group in dict.fromkeys(half.group for half in halves):
        own = [half for half in halves if half.group == group]
        left, right = start + own[0].left, start + own[-1].left + own[-1].width
        title = style.wrapped(translate.gettext(group), right - left + 2)
        axes.text(left, 21, title, va="bottom", linespacing=1.05)
        axes.plot((left, right), (23, 23), color=style.GREY, lw=0.6)
        for half in own:
            text = style.wrapped(translate.gettext(HALVES[half.change]), half.width)
            axes.text(start + half.left, 25.5, text, va="top", color=style.GREY, linespacing=1.0)
        if len(own) > 1:
            middle = start + own[1].left - HALF_GAP / 2
            axes.plot((middle, middle), (25, bottom), color=style.PALE, lw=0.6)


def _draw_cell(axes: Axes, corner: tuple[float, float], outcome: Outcome, claim: str, *, fragile: bool) -> None:
    inner: Look = {"xy": (corner[0] + 0.6, corner[1] + 0.6), "width": CELL - 1.2, "height": CELL - 1.2}
    axes.add_patch(Rectangle(**inner, fc=VERDICTS[outcome]["mec"], alpha=0.16, lw=0, zorder=1))
    if fragile:
        axes.add_patch(Rectangle(**inner, **HATCH, zorder=2))
    middle = (corner[0] + CELL / 2, corner[1] + CELL / 2)
    axes.plot(*middle, **_glyph(outcome), gid=data_gid(claim=claim, outcome=outcome), zorder=3)


def _legend(figure: Figure, present: Container[Outcome], translate: Translation, *, hatched: bool = True) -> None:
    entries = {translate.gettext(OUTCOMES[each]): _glyph(each) for each in VERDICTS if each in present}
    patches = [Patch(**HATCH, label=translate.gettext(MARKS["fragile"]))] if hatched else []
    style.legend_below(figure, entries, 6, patches)


def _told(title: str, found: Sequence[Verdict], translate: Translation) -> str:
    counts, whole = Counter(verdict.outcome for verdict in found), translate.numbers.integer
    parts = [f"{translate.gettext(OUTCOMES[each])} {whole(counts[each])}" for each in VERDICTS if counts[each]]
    return f"{translate.text(title)}: {translate.numbers.enumeration(parts)}."


def _listed(experiment: Experiment, verdict: Verdict, translate: Translation) -> tuple[Cell, ...]:
    _ = translate.gettext
    fragile = _(MARKS["fragile"]) if verdict.fragile else ""
    quantity, outcome = _(QUANTITIES[verdict.claim.quantity]), _(OUTCOMES[verdict.outcome])
    return (translate.text(experiment.title), verdict.id, quantity, outcome, fragile)


def _matrix_title(rows: Rows, translate: Translation) -> str:
    said, whole = [], translate.numbers.integer
    for outcome, message in (("not_reproduced", SAY.matrix_contradicted), ("inconclusive", SAY.matrix_open)):
        stated = (verdict for _, found in rows for verdict in found if verdict.claim.code in STATEMENTS)
        groups = [_cell(verdict)[0] for verdict in stated if verdict.outcome == outcome]
        if groups:
            group, most = Counter(groups).most_common(1)[0]
            values = {"group": translate.gettext(group), "most": whole(most), "count": whole(len(groups))}
            said.append(translate.plain_plural(message, len(groups), values))
    return " ".join(said)


CHOICE, SEED = 37.0, 14.0  # points, of a column
MOST_SEEDS: Final = 6  # of which each has a column
NOW: Final = "now"
CHOICES: Final[dict[str, str]] = {
    NOW: mark("verdict"),
    "margin_halved": mark("half the margin"),
    "margin_doubled": mark("twice the margin"),
    "uncorrected": mark("not corrected"),
    "trimmed_mean": mark("trimmed mean"),
    "without_run": mark("without another seed"),
    "without_block": mark("without one block"),
    "missing_seed": mark("missing seeds at worst"),
}


@style.in_style()
def draw_dependence(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw which other choice would change which verdict, blank where none would; None where none does."""
    found = [(verdict, changed) for verdict in results.verdicts if len(changed := _choices(verdict)) > 1]
    if not found:
        return None
    places = _places({key for _, changed in found for key in changed}, translate)
    quantities = [translate.gettext(QUANTITIES[verdict.claim.quantity]) for verdict, _ in found]
    sides = [comparison_name(verdict, results, translate) for verdict, _ in found]
    names = list(map(SEPARATOR.join, zip(sides, quantities, strict=True)))
    texts = [style.wrapped(name, places[NOW] - CHOICE / 2 - 30) for name in names]
    if sum(text.count("\n") for text in texts) > 64 - len(texts):  # names keep to one line each
        texts = [style.shortened(name, places[NOW] - CHOICE / 2 - 30) for name in names]
    heights = [max(style.ROW_LINE * (text.count("\n") + 1) + 2, CELL) for text in texts]
    heads = {key: style.wrapped(translate.gettext(CHOICES[key]), CHOICE - 2) for key in places if key in CHOICES}
    top = 9.0 * max(head.count("\n") + 1 for head in heads.values()) + 4
    figure, axes = style.canvas(top + sum(heights) + 20, translate)
    look: Look = {"va": "bottom", "linespacing": 1.05}
    for key, middle in places.items():
        axes.text(middle, top - 2, heads.get(key, key.rpartition(" ")[2]), ha="center", **look)
    if seeds := [middle for key, middle in places.items() if key not in CHOICES]:
        text = style.wrapped(translate.gettext("without seed"), 60)
        axes.text(seeds[0] - SEED / 2 + 2, top - 12, text, ha="left", **look)
    for row, ((verdict, changed), text, height) in enumerate(zip(found, texts, heights, strict=True)):
        if row % 2 == 0:
            axes.add_patch(Rectangle((0, top), style.WIDTH, height, fc=style.BAND, lw=0, zorder=0))
        axes.text(0, top + height / 2, verdict.claim.code, va="center")
        axes.text(28, top + height / 2, text, va="center", linespacing=1.1)
        for key, outcome in changed.items():
            corner = (places[key] - CELL / 2, top + height / 2 - CELL / 2)
            _draw_cell(axes, corner, outcome, verdict.id, fragile=False)
        top += height
    _legend(figure, {outcome for _, changed in found for outcome in changed.values()}, translate, hatched=False)
    rows = [
        (verdict.id, name, *(translate.gettext(OUTCOMES[changed[key]]) if key in changed else None for key in places))
        for (verdict, changed), name in zip(found, names, strict=True)
    ]
    return style.finished(
        figure, "dependence", "dependence", title=_dependence_title(results, found, translate),
        caption=translate.plain(SAY.dependence), rows=rows,
        columns=(*translate.columns("Claim | Comparison"), *(_choice_name(key, translate) for key in places)),
    )  # fmt: skip


def _choices(verdict: Verdict) -> dict[str, Outcome]:
    """Return the verdict and what it is under each other choice that changes it; of two by one seed the first."""
    found: dict[str, Outcome] = {NOW: verdict.outcome}
    for each in verdict.sensitivity:
        if each.changes and each.kind != "sign_flip":
            key: str = each.kind
            if each.kind == "without_run" and verdict.n_of == "blocks":
                key = "without_block"
            elif each.kind == "without_run" and each.seed is not None and each.seed < MOST_SEEDS:
                key = f"seed {each.seed}"
            found.setdefault(key, each.outcome)
    return found


def _places(keys: Collection[str], translate: Translation) -> dict[str, float]:
    """Return the middle of each choice's column, in points; the columns of single seeds stand together."""
    seeds = sorted(key for key in keys if key not in CHOICES)
    widths = {
        key: max(CHOICE, style.widest_word(translate.gettext(CHOICES[key])) + 4) if key in CHOICES else SEED
        for key in keys
    }
    places, left = {}, style.WIDTH - sum(widths.values())
    for key in (*(each for each in CHOICES if each in keys), *seeds):
        places[key] = left + widths[key] / 2
        left += widths[key]
    return places


def _choice_name(key: str, translate: Translation) -> str:
    if key in CHOICES:
        return translate.gettext(CHOICES[key])
    return f"{translate.gettext('without seed')} {key.rpartition(' ')[2]}"


def _dependence_title(
    results: Results, found: Sequence[tuple[Verdict, Mapping[str, Outcome]]], translate: Translation
) -> str:
    counts = Counter(key for _, changed in found for key in changed if key != NOW)
    (key, most), whole = counts.most_common(1)[0], translate.numbers.integer
    values = {"count": whole(len(found)), "all": whole(len(results.verdicts)), "choice": _choice_name(key, translate)}
    return translate.plain_plural(SAY.dependence_title, len(found), values | {"most": whole(most)})
