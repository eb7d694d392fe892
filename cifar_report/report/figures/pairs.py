"""One experiment's networks beside those that they are compared with, seed by seed; and the studies."""

from collections.abc import Sequence
from itertools import combinations, pairwise
from typing import Final, NamedTuple

from matplotlib.axes import Axes

from cifar_report.analysis.results import Measure, Results, TrialResult
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, DrawnFigure, data_gid, percent_interval, stage_name, trial_name
from cifar_report.report.figures.ladder import INTERVAL, ORIGINAL, OURS, compared, mean_label
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation
from cifar_report.spec import Experiment, Trial, differences, same_network
from cifar_report.spec.claims import MARGINS

DOT: Final[Look] = {"marker": "o", "ms": 3.4, "mfc": "none", "mec": style.BLUE, "mew": 0.9, "ls": "none"}
LINK: Final[Look] = {"color": style.BLUE, "lw": 0.7, "alpha": 0.55}
LINE: Final = 9.5  # points, of a comparison above the axes
HEIGHT: Final = 134.0  # points, of the axes


class Column(NamedTuple):
    """One training with its values by seed; ``own``: of the experiment's own networks."""

    name: str
    result: TrialResult
    measure: Measure
    own: bool


@style.in_style()
def draw_pairs(experiment: Experiment, results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the accuracies by seed of an experiment's networks and of their comparators; None with fewer than two."""
    known = {result.id: result for result in results.trials}
    own = [known[trial.id] for trial in experiment.trials if trial.id in known]
    others = [name for each in own for name in (each.trial.as_written, each.trial.one_change) if name in known]
    others = [name for name in dict.fromkeys(others) if name not in {each.id for each in own}]
    beside = _columns([known[name] for name in others if name], translate, own=False)
    columns = [*beside, *_columns(own, translate, own=True)][:6]  # as many as fit
    if len(columns) < 2 or not any(column.own for column in columns):
        return None
    said, legend = _comparisons(columns, results, translate), _legend(columns, translate)
    total = style.HALF if len(columns) < 5 else style.WIDTH
    texts = [line for text in said for line in style.wrapped(text, total - 4).split("\n")]
    width = (total - 38) / len(columns)
    names = [style.wrapped(column.name.replace("\N{NO-BREAK SPACE}", " "), width - 4) for column in columns]
    across = style.legend_columns([*legend], 3, total)
    below = 9 * max(name.count("\n") + 1 for name in names) + 9 - len(legend) // -across * style.LEGEND_LINE
    top = len(texts) * LINE + 8
    figure = style.sheet(top + HEIGHT + below, total)
    axes = style.panel(figure, 33, top, total - 37, HEIGHT, translate)
    for number, text in enumerate(texts):
        place = 1 - (LINE * number + 5) / (top + HEIGHT + below)
        figure.text(0, place, text, va="center_baseline")
    _draw(axes, columns, translate)
    axes.set_xticks(range(len(columns)), names)
    style.legend_below(figure, legend, across)
    titles = translate.columns("Training | Seed | Test accuracy")
    rows = [(column.name, each.seed, each.value) for column in columns for each in column.measure.seeds]
    caption = translate.plain(SAY.pairs)
    alt = " ".join(f"{text}." for text in said) or caption
    return style.finished(
        figure, f"pairs.{experiment.id}", experiment.id, alt=alt, caption=caption, columns=titles, rows=rows
    )


def _paired(columns: Sequence[Column]) -> bool:
    """Whether one seed gives two neighbours the same beginning, so that its two values belong together."""
    return any(same_network(one.result.trial, other.result.trial) for one, other in pairwise(columns))


def _legend(columns: Sequence[Column], translate: Translation) -> dict[str, Look]:
    legend: dict[str, Look] = {mean_label([column.measure for column in columns], translate): OURS | INTERVAL}
    if _paired(columns):
        legend[translate.gettext("Seed, paired")] = DOT | {"ls": "-"} | LINK
    else:
        legend[translate.gettext("Seed")] = DOT
    return legend | ({translate.gettext("Original"): ORIGINAL} if any(e.measure.original for e in columns) else {})


def _columns(found: Sequence[TrialResult], translate: Translation, *, own: bool) -> list[Column]:
    """Return a column for every training of the experiment's own networks, and for the last one of others."""
    columns = []
    for result in found:
        for stage in result.stages if own else result.stages[-1:]:
            many = len(result.stages) > 1
            name = stage_name(result.trial, stage.id, translate) if many else trial_name(result.trial, translate)
            columns.append(Column(name, result, stage.primary.test_accuracy, own))
    return [column for column in columns if column.measure.values]


def _draw(axes: Axes, columns: Sequence[Column], translate: Translation) -> None:
    first, margin = columns[0].measure.datum.value, MARGINS["accuracy"]
    if first is not None:
        axes.axhspan(100 * (first - margin), 100 * (first + margin), **style.MARGIN)
    for place, (one, other) in enumerate(pairwise(columns)):
        if _paired((one, other)):
            ends = {each.seed: each.value for each in other.measure.seeds}
            for each in one.measure.seeds:
                if each.value is not None and (end := ends.get(each.seed)) is not None:
                    gid = data_gid(seed=each.seed)
                    axes.plot((place, place + 1), (100 * each.value, 100 * end), **LINK, gid=gid)
    for place, column in enumerate(columns):
        _draw_column(axes, place, column, translate)
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.margins(y=0.12)
    axes.grid(True, axis="y")
    axes.tick_params(axis="x", length=0)
    axes.set_ylabel(translate.gettext("Test accuracy (%)"))


def _draw_column(axes: Axes, place: int, column: Column, translate: Translation) -> None:
    datum, original = column.measure.datum, column.measure.original
    if (ends := percent_interval(datum)) is not None:
        axes.plot((place + 0.16, place + 0.16), ends, **INTERVAL)
    if datum.value is not None:
        axes.plot(place + 0.16, 100 * datum.value, **OURS)
    if original is not None and original.value is not None:
        axes.plot(place - 0.2, 100 * original.value, **ORIGINAL)
    strange = {each.seed for each in column.result.unusual} if column.measure is column.result.primary else set()
    for each in column.measure.seeds:
        if each.value is not None:
            axes.plot(place, 100 * each.value, **DOT, gid=data_gid(trial=column.result.id, seed=each.seed))
        if each.value is not None and each.seed in strange:
            text = translate.plain(
                SAY.unusual, {"seed": each.seed, "value": translate.numbers.bare(each.value, "share")}
            )
            look: Look = {"ha": "center", "va": "top", "color": style.VERMILLION, "textcoords": "offset points"}
            axes.annotate(text, (place, 100 * each.value), (0, -4), **look)


def _comparisons(columns: Sequence[Column], results: Results, translate: Translation) -> list[str]:
    own, shown = {each.result.id for each in columns if each.own}, {each.result.id for each in columns}
    found = [
        translate.plain(SAY.compared, compared(row.trial, each, results, translate))
        for row in results.ablation
        for each in (row.as_written, row.one_change)
        if each is not None and row.trial in own and each.comparator in shown and each.difference.value is not None
    ]
    return list(dict.fromkeys(found))


Points = list[tuple[str, TrialResult]]
"""The trials of a study by what they are called in it."""
A_ROW: Final = 3
LEVEL, ASLANT = 56.0, 100.0  # points below a panel
PANEL_HEIGHT: Final = 92.0


@style.in_style()
def draw_studies(results: Results, experiments: Sequence[Experiment], translate: Translation) -> DrawnFigure | None:
    """Draw every study of which three trials finished, if any did, else two, as a panel, on one scale of accuracy."""
    shown = [each for each in experiments if "study" in each.figures]
    finished = [(translate.text(each.title), _finished(each, results)) for each in shown]
    least = max(2, min(3, max((len(trials) for _, trials in finished), default=0)))
    found = [(title, *_points(trials, translate)) for title, trials in finished if len(trials) >= least]
    if not found:
        return None
    width, whole = (style.WIDTH - 30 - 2 * 14) / A_ROW, style.WIDTH if len(found) > 1 else style.HALF
    rooms = [_below(points, width) for _, _, points in found]
    heights = [PANEL_HEIGHT + max(rooms[start : start + A_ROW]) for start in range(0, len(found), A_ROW)]
    figure = style.sheet(sum(heights) + 14, whole)
    panels, rows, said = [], [], []
    for number, (title, label, points) in enumerate(found):
        left, top = 28 + number % A_ROW * (width + 14), sum(heights[: number // A_ROW]) + 14
        axes = style.panel(figure, left, top, width, PANEL_HEIGHT, translate)
        panels.append(axes)
        axes.set_title(style.shortened(title, width, style.SIZE), pad=3)
        _draw_study(axes, points, width, joined=bool(label) and len(points) > 2)
        axes.set_xlabel(style.shortened(label, width))
        if number % A_ROW == 0:
            axes.set_ylabel(translate.gettext("Test accuracy (%)"))
        rows += [
            (title, name, each.primary.datum.value, each.primary.datum.low, each.primary.datum.high)
            for name, each in points
        ]
        said.append(_best_and_worst(title, points, translate))
    low, high = min(axes.get_ylim()[0] for axes in panels), max(axes.get_ylim()[1] for axes in panels)
    for place, axes in enumerate(panels):
        axes.set_ylim(low, high)
        axes.tick_params(labelleft=place % A_ROW == 0)
    measures = [each.primary for _, _, points in found for _, each in points]
    legend = {mean_label(measures, translate): OURS | INTERVAL, translate.gettext("One seed"): DOT}
    style.legend_below(figure, legend, style.legend_columns([*legend], 2, whole))
    columns = translate.columns("Study | Value | Test accuracy | Low | High")
    alt, caption = " ".join(said), translate.plain(SAY.studies)
    return style.finished(figure, "studies", "studies", alt=alt, caption=caption, columns=columns, rows=rows)


def _finished(experiment: Experiment, results: Results) -> list[TrialResult]:
    trials = map(results.trial, dict.fromkeys(experiment.shown))
    return [result for result in trials if result.primary.datum.value is not None]


def _points(trials: Sequence[TrialResult], translate: Translation) -> tuple[str, Points]:
    """Return what the trials differ in, and each by its value; "" and their names where that is no number."""
    varied = _varied_number(trials)
    if varied is None:
        return "", [(trial_name(each.trial, translate), each) for each in trials]
    field, values = varied
    ordered = sorted(zip(values, trials, strict=True), key=lambda pair: pair[0])
    shown = [f"{value:.0f}" if field == "split_seed" else translate.numbers.plain(value) for value, _ in ordered]
    return translate.gettext(SAY.fields[field]), list(zip(shown, (each for _, each in ordered), strict=True))


def _below(points: Points, width: float) -> float:
    """Return the room below a panel, in points: more where names do not fit side by side and stand aslant."""
    names, share = [name for name, _ in points], 0.92 * width / len(points)
    lines = max(style.wrapped(name, share).count("\n") for name in names)
    return ASLANT if lines > 2 or style.widest_word(*names) > share else LEVEL


def _draw_study(axes: Axes, points: Points, width: float, *, joined: bool) -> None:
    for place, (_, result) in enumerate(points):
        datum = result.primary.datum
        if (ends := percent_interval(datum)) is not None:
            axes.plot((place, place), ends, **INTERVAL)
        for each in result.primary.seeds:
            if each.value is not None:
                axes.plot(place - 0.14, 100 * each.value, **DOT, gid=data_gid(trial=result.id, seed=each.seed))
        axes.plot(place, 100 * (datum.value or 0.0), **OURS)
    if joined:
        axes.plot(range(len(points)), [100 * (each.primary.datum.value or 0.0) for _, each in points], **LINK, zorder=1)
    turned: Look = {}
    names = [style.wrapped(name, 0.92 * width / len(points)) for name, _ in points]
    if _below(points, width) == ASLANT:
        names = [style.shortened(name, ASLANT - 16) for name, _ in points]
        turned = {"rotation": 60, "ha": "right", "rotation_mode": "anchor"}
    axes.set_xticks(range(len(points)), names, **turned)
    axes.set_xlim(-0.5, len(points) - 0.5)
    axes.grid(True, axis="y")


def _best_and_worst(title: str, points: Points, translate: Translation) -> str:
    ordered = sorted(points, key=lambda point: point[1].primary.datum.value or 0.0)
    high, low = (translate.numbers.number(ordered[at][1].primary.datum) for at in (-1, 0))
    values = {"label": title, "best": ordered[-1][0], "high": high, "worst": ordered[0][0], "low": low}
    return translate.plain(SAY.points_alt, values)


def _varied_number(trials: Sequence[TrialResult]) -> tuple[str, list[float]] | None:
    """Return the one number in which the trials differ, and its value in each; None where an axis can hold none."""
    if not all(isinstance(result.trial, Trial) for result in trials):
        return None
    changes = [differences(one.trial, other.trial) for one, other in combinations(trials, 2)]
    places = {change.place for found in changes for change in found}
    if len(places) != 1 or any(len(found) != 1 for found in changes):
        return None
    field = places.pop().rpartition(", ")[2]
    if field not in SAY.fields:
        return None
    first = changes[0][0].before
    return field, [float(value) for value in (first, *(found[0].after for found in changes[: len(trials) - 1]))]
