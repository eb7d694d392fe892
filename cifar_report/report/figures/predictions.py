"""What predictions say: F1 by class, confusion matrices, the surest of them, and how far to rely on probabilities."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from cifar_report.analysis.results import Example, ReliabilityBin, Results
from cifar_report.report.figures import style
from cifar_report.report.figures.base import SAY, Cell, DrawnFigure, Images, Shown, class_names, trial_name
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Translation

LOOKS: Final[tuple[Look, Look]] = (
    {"marker": "o", "color": style.BLUE, "ms": 4.2},
    {"marker": "s", "color": style.VERMILLION, "ms": 4.2, "mfc": "white"},
)


@style.in_style()
def draw_classes(shown: Sequence[Shown], translate: Translation) -> DrawnFigure | None:
    """Draw the F1 of each class for the one or two shown networks; None when there is none."""
    if not shown:
        return None
    names, titles = class_names(translate), [each.title(translate) for each in shown]
    plot = style.row_plot(names, 70, translate)
    for each, look, offset in zip(shown, LOOKS, (-2.2, 2.2) if len(shown) > 1 else (0.0,), strict=False):
        for middle, scores in zip(plot.places, each.metrics.classes, strict=True):
            place = middle + offset  # points
            if scores.f1.low is not None and scores.f1.high is not None:
                plot.axes.plot((scores.f1.low, scores.f1.high), (place, place), color=look["color"], lw=0.9)
            if scores.f1.value is not None:
                plot.axes.plot(scores.f1.value, place, **look, ls="none")
    lines = {title: look | {"lw": 0.9} for look, title in zip(LOOKS, titles, strict=False)}
    plot.finish(translate.gettext("F1 (mean over the seeds)"), lines, 3)
    columns = (translate.gettext("Class"), *titles)
    rows = [(name, *(each.metrics.classes[label].f1.value for each in shown)) for label, name in enumerate(names)]
    alt, caption = " ".join(_extremes(each, translate) for each in shown), translate.plain(SAY.classes)
    return style.finished(plot.figure, "classes", "confusion", alt=alt, caption=caption, columns=columns, rows=rows)


def _extremes(each: Shown, translate: Translation) -> str:
    """Return one sentence on the easiest and the hardest class."""
    names, number = class_names(translate), translate.numbers.number
    known = [scores for scores in each.metrics.classes if scores.f1.value is not None]
    easiest = max(known, key=lambda scores: scores.f1.value or 0.0)
    hardest = min(known, key=lambda scores: scores.f1.value or 0.0)
    values = {"easiest": names[easiest.label], "high": number(easiest.f1)}
    values |= {"hardest": names[hardest.label], "low": number(hardest.f1)}
    return translate.plain(SAY.classes_alt, {"trial": each.title(translate), **values})


SHADES: Final = LinearSegmentedColormap.from_list("shades", ("#ffffff", style.SKY, style.BLUE, "#00304d"))
DARK: Final = 0.65  # share of the darkest shade from which on the numbers are white
PIXELS: Final = 32  # of the picture for one cell, a side: enough that smoothing viewers keep the edges


@style.in_style()
def draw_confusion(shown: Shown, translate: Translation) -> DrawnFigure:
    """Draw a network's confusion matrix twice: counts summed over the seeds, and shares of each class."""
    _, names, confusion = translate.gettext, class_names(translate), shown.metrics.confusion
    figure = style.sheet(252)
    left = max(style.text_width(name, style.SMALL) for name in names) + 20  # with place for an axis's title
    side = (style.WIDTH - 2 * left - 4) / 2
    counts = style.panel(figure, left, 22, side, side, translate)
    counts.set_ylabel(_("True class"))
    counts.set_title(_("Images, all seeds together"), pad=8)
    _draw_matrix(counts, confusion, [[str(count) for count in row] for row in confusion], names)
    shares = style.panel(figure, 2 * left + side, 22, side, side, translate)
    shares.set_title(_("Share of the class (%)"), pad=8)
    percent = [[f"{100 * share:.0f}" for share in row] for row in shown.metrics.confusion_shares]
    _draw_matrix(shares, shown.metrics.confusion_shares, percent, names)
    for axes in (counts, shares):
        axes.set_xlabel(_("Predicted class"))
    caption = translate.plain(SAY.confusion, {"trial": shown.title(translate)})
    columns = (_("True class"), *names)
    rows: list[tuple[Cell, ...]] = [(name, *row) for name, row in zip(names, confusion, strict=True)]
    alt, figure_id = _mistakes(shown, translate), f"confusion.{shown.result.id}"
    return style.finished(figure, figure_id, "confusion", alt=alt, caption=caption, columns=columns, rows=rows)


def _draw_matrix(
    axes: Axes, values: Sequence[Sequence[float]], texts: Sequence[Sequence[str]], names: Sequence[str]
) -> None:
    shades = np.asarray(values, float)
    shades = np.sqrt(shades / (shades.max() or 1.0))  # the root keeps rare mistakes visible beside the diagonal
    picture = SHADES(shades, bytes=True)[:, :, :3].repeat(PIXELS, axis=0).repeat(PIXELS, axis=1)
    axes.imshow(picture, extent=(-0.5, 9.5, 9.5, -0.5), interpolation="none", aspect="auto")
    size = 6.4 if max(len(text) for row in texts for text in row) < 5 else 5.6
    for (row, column), shade in np.ndenumerate(shades):
        look: Look = {"ha": "center", "va": "center_baseline", "color": "white" if shade > DARK else style.BLACK}
        axes.text(column, row, texts[row][column], fontsize=size, **look)
    axes.set_xticks(range(10), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(10), names)
    axes.tick_params(length=0, pad=2)
    axes.spines[["top", "right"]].set_visible(True)


def _mistakes(shown: Shown, translate: Translation) -> str:
    """Return one sentence on the most frequent mistakes."""
    names, numbers = class_names(translate), translate.numbers
    values = [
        {"label": names[pair.label], "predicted": names[pair.predicted], "share": numbers.number(pair.share)}
        for pair in shown.metrics.most_confused[:3]
    ]
    pairs = numbers.enumeration([translate.plain(SAY.confused, each) for each in values])
    message = SAY.confusion_alt if values else SAY.confusion_faultless_alt
    return translate.plain(message, {"trial": shown.title(translate), "pairs": pairs})


DOTS_PER_INCH: Final = 216  # three pixels a point, so that each pixel of a photograph becomes exactly 4 by 4
PHOTOGRAPH: Final = 128 / 3  # points
ACROSS, DOWN = 45.4, 84.0  # from one to the next, points


@style.in_style()
def draw_examples(results: Results, images: Images | None, translate: Translation) -> DrawnFigure | None:
    """Draw the surest answers; without the images empty frames name them. None without examples."""
    if not results.examples:
        return None
    png = None
    if images is not None:
        buffer = io.BytesIO()
        figure = _draw_examples(results.examples, images, translate)
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        png = buffer.getvalue()
    first, _ = results.examples[0], translate.gettext
    trial = trial_name(results.trial(first.trial).trial, translate, first.stage)
    caption = translate.plain(SAY.frames if png is None else SAY.photographs, {"trial": trial, "run": first.run})
    columns = translate.columns("Answer | Place in the dataset | True class | Predicted class | Probability")
    names, answers = class_names(translate), {"right": _("right"), "wrong": _("wrong")}
    rows = [
        (answers[each.kind], each.image, names[each.label], names[each.predicted], each.probability.value)
        for each in results.examples
    ]
    alt = _surest_mistakes(results.examples, translate)
    figure = _draw_examples(results.examples, None, translate)
    return style.finished(figure, "examples", "examples", alt=alt, caption=caption, columns=columns, rows=rows, png=png)


def _draw_examples(examples: Sequence[Example], images: Images | None, translate: Translation) -> Figure:
    figure, axes = style.canvas(2 * DOWN + 14, translate)
    titles = {"right": translate.gettext("Surest right answers"), "wrong": translate.gettext("Surest wrong answers")}
    for line, (kind, title) in enumerate(titles.items()):
        top = line * (DOWN + 7)
        axes.text(0, top + 5, title, va="center_baseline", fontsize=style.SMALL)
        for example in examples:
            if example.kind == kind:
                _draw_example(figure, axes, example, (example.label * ACROSS, top + 11), images, translate)
    return figure


def _draw_example(
    figure: Figure,
    axes: Axes,
    example: Example,
    corner: tuple[float, float],
    images: Images | None,
    translate: Translation,
) -> None:
    left, top = corner
    if images is not None:
        picture = style.panel(figure, left, top, PHOTOGRAPH, PHOTOGRAPH, translate)
        picture.imshow(images[example.image], interpolation="nearest", aspect="auto")
        picture.set_axis_off()
    else:
        axes.add_patch(Rectangle(corner, PHOTOGRAPH, PHOTOGRAPH, fc="#f2f2f2", ec="#9a9a9a", lw=0.5))
        middle = (left + PHOTOGRAPH / 2, top + PHOTOGRAPH / 2)
        axes.text(*middle, str(example.image), ha="center", va="center", fontsize=6)
    names = class_names(translate)
    answer = [f"\N{RIGHTWARDS ARROW} {names[example.predicted]}"] if example.kind == "wrong" else []
    for number, text in enumerate((names[example.label], *answer, translate.numbers.number(example.probability))):
        size = min(6.0, 6.0 * PHOTOGRAPH / style.text_width(text, 6.0))
        axes.text(left, top + PHOTOGRAPH + 5.5 + number * 7.6, text, va="center_baseline", fontsize=size)


def _surest_mistakes(examples: Sequence[Example], translate: Translation) -> str:
    names, numbers = class_names(translate), translate.numbers
    wrong = [each for each in examples if each.kind == "wrong"]
    values = [
        {"label": names[each.label], "predicted": names[each.predicted]}
        | {"probability": numbers.number(each.probability)}
        for each in wrong
    ]
    mistakes = numbers.enumeration([translate.plain(SAY.mistaken, each) for each in values])
    return translate.plain(SAY.examples_alt if wrong else SAY.examples_faultless_alt, {"mistakes": mistakes})


SIDE: Final = 150.0  # of a reliability diagram, points
STEP: Final = SIDE + 62.0
ANSWERS: Final[Look] = {"color": style.BLUE, "marker": "o", "ms": 3.4, "lw": 1.1}
DIAGONAL: Final[Look] = {"color": style.BLACK, "ls": style.DASHED, "lw": 0.8}
BAR: Final[Look] = {"facecolor": style.PALE, "edgecolor": "#b5b5b5", "linewidth": 0.4}


@style.in_style()
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
    columns = translate.columns("Training | From | To | Images | Mean probability | Share of right answers")
    rows = [
        (each.title(translate), part.low, part.high, part.count, part.confidence, part.accuracy)
        for each in shown
        for part in each.metrics.reliability
    ]
    alt, caption = " ".join(_calibration_error(each, translate) for each in shown), translate.plain(SAY.reliability)
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
    error, trial = each.metrics.calibration_error, each.title(translate)
    if error is None:
        return translate.plain(SAY.reliability_unknown_alt, {"trial": trial})
    return translate.plain(SAY.reliability_alt, {"trial": trial, "error": translate.numbers.number(error.datum)})
