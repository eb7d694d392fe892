"""What the predictions say by class: F1, confusion matrices, and the most confident right and wrong predictions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cifar_report.analysis.results import Example, Results
from cifar_report.report.figures import style
from cifar_report.report.figures.base import Cell, DrawnFigure, Photographs, Shown, class_names, trial_name
from cifar_report.report.figures.points import row_plot
from cifar_report.report.figures.style import Look
from cifar_report.report.i18n import Numbers, Translation, mark

LOOKS: Final[tuple[Look, Look]] = (
    {"marker": "o", "color": style.BLUE, "ms": 4.2},
    {"marker": "s", "color": style.VERMILLION, "ms": 4.2, "mfc": "white"},
)


@style.in_style
def draw_classes(shown: Sequence[Shown], translate: Translation) -> DrawnFigure | None:
    """Draw the F1 of each class for the one or two shown networks; None when there is none."""
    if not shown:
        return None
    names, titles = class_names(translate), [each.title(translate) for each in shown]
    plot = row_plot(names, 70, translate)
    for each, look, offset in zip(shown, LOOKS, (-2.2, 2.2) if len(shown) > 1 else (0.0,), strict=False):
        for middle, scores in zip(plot.places, each.metrics.classes, strict=True):
            place = middle + offset  # points
            if scores.f1.low is not None and scores.f1.high is not None:
                plot.axes.plot((scores.f1.low, scores.f1.high), (place, place), color=look["color"], lw=0.9)
            if scores.f1.value is not None:
                plot.axes.plot(scores.f1.value, place, **look, ls="none")
    lines = {title: look | {"lw": 0.9} for look, title in zip(LOOKS, titles, strict=False)}
    plot.finish(translate.gettext("F1 (mean over the seeds)"), lines, 3)
    caption = translate.plain(
        "F1 by class on the test images, with 95%% intervals over the seeds: the harmonic mean of precision and recall."
    )
    columns = (translate.gettext("Class"), *titles)
    rows = [(name, *(each.metrics.classes[label].f1.value for each in shown)) for label, name in enumerate(names)]
    alt = " ".join(_extremes(each, translate) for each in shown)
    return style.finished(plot.figure, "classes", "confusion", alt=alt, caption=caption, columns=columns, rows=rows)


def _extremes(each: Shown, translate: Translation) -> str:
    """Return one sentence on the easiest and the hardest class."""
    names, numbers = class_names(translate), Numbers(translate)
    known = [scores for scores in each.metrics.classes if scores.f1.value is not None]
    easiest = max(known, key=lambda scores: scores.f1.value or 0.0)
    hardest = min(known, key=lambda scores: scores.f1.value or 0.0)
    high, low = numbers.number(easiest.f1), numbers.number(hardest.f1)
    return translate.plain(
        "%(trial)s: F1 is highest for %(easiest)s (%(high)s) and lowest for %(hardest)s (%(low)s).",
        {"trial": each.title(translate), "easiest": names[easiest.label], "high": high}
        | {"hardest": names[hardest.label], "low": low},
    )


SHADES: Final = LinearSegmentedColormap.from_list("shades", ("#ffffff", style.SKY, style.BLUE, "#00304d"))
DARK: Final = 0.65  # share of the darkest shade from which on the numbers are white
PIXELS: Final = 32  # of the picture for one cell, a side: enough that smoothing viewers keep the edges


@style.in_style
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
    caption = translate.plain(
        "Confusion matrix of %(trial)s on the test images: rows are true classes, columns the predictions.",
        {"trial": shown.title(translate)},
    )
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
    names, numbers = class_names(translate), Numbers(translate)
    pairs = [
        translate.plain(
            "%(label)s predicted as %(predicted)s (%(share)s)",
            {"label": names[pair.label], "predicted": names[pair.predicted], "share": numbers.number(pair.share)},
        )
        for pair in shown.metrics.most_confused[:3]
    ]
    values = {"trial": shown.title(translate), "pairs": numbers.enumeration(pairs)}
    if not pairs:
        return translate.plain("Confusion matrix of %(trial)s without a single mistake.", values)
    return translate.plain("Confusion matrix of %(trial)s; the most frequent mistakes are: %(pairs)s.", values)


DOTS_PER_INCH: Final = 216  # three pixels a point, so that each pixel of a photograph becomes exactly 4 by 4
PHOTOGRAPH: Final = 128 / 3  # points
ACROSS, DOWN = 45.4, 84.0  # from one to the next, points


@style.in_style
def draw_examples(results: Results, photographs: Photographs | None, translate: Translation) -> DrawnFigure | None:
    """Draw the surest answers; without photographs empty frames name their images. None without examples."""
    if not results.examples:
        return None
    png = None
    if photographs is not None:
        buffer = io.BytesIO()
        figure = _draw_examples(results.examples, photographs, translate)
        figure.savefig(buffer, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
        png = buffer.getvalue()
    first, _ = results.examples[0], translate.gettext
    trial = trial_name(results.trial(first.trial).trial, translate, first.stage)
    caption = translate.plain(FRAMES if png is None else PHOTOGRAPHS, {"trial": trial, "run": first.run})
    columns = (
        *(_("Answer"), _("Place in the dataset"), _("True class")),
        *(_("Predicted class"), _("Probability")),
    )
    names, answers = class_names(translate), {"right": _("right"), "wrong": _("wrong")}
    rows = [
        (answers[each.kind], each.image, names[each.label], names[each.predicted], each.probability.value)
        for each in results.examples
    ]
    alt = _surest_mistakes(results.examples, translate)
    figure = _draw_examples(results.examples, {}, translate)
    return style.finished(figure, "examples", "examples", alt=alt, caption=caption, columns=columns, rows=rows, png=png)


def _draw_examples(examples: Sequence[Example], photographs: Photographs, translate: Translation) -> Figure:
    figure, axes = style.canvas(2 * DOWN + 14, translate)
    titles = {"right": translate.gettext("Surest right answers"), "wrong": translate.gettext("Surest wrong answers")}
    for line, (kind, title) in enumerate(titles.items()):
        top = line * (DOWN + 7)
        axes.text(0, top + 5, title, va="center_baseline", fontsize=style.SMALL)
        for example in examples:
            if example.kind == kind:
                _draw_example(figure, axes, example, (example.label * ACROSS, top + 11), photographs, translate)
    return figure


def _draw_example(
    figure: Figure,
    axes: Axes,
    example: Example,
    corner: tuple[float, float],
    photographs: Photographs,
    translate: Translation,
) -> None:
    left, top = corner
    if example.image in photographs:
        picture = style.panel(figure, left, top, PHOTOGRAPH, PHOTOGRAPH, translate)
        picture.imshow(photographs[example.image], interpolation="nearest", aspect="auto")
        picture.set_axis_off()
    else:
        axes.add_patch(Rectangle(corner, PHOTOGRAPH, PHOTOGRAPH, fc="#f2f2f2", ec="#9a9a9a", lw=0.5))
        middle = (left + PHOTOGRAPH / 2, top + PHOTOGRAPH / 2)
        axes.text(*middle, str(example.image), ha="center", va="center", fontsize=6)
    names = class_names(translate)
    answer = [f"\N{RIGHTWARDS ARROW} {names[example.predicted]}"] if example.kind == "wrong" else []
    for number, text in enumerate((names[example.label], *answer, Numbers(translate).number(example.probability))):
        size = min(6.0, 6.0 * PHOTOGRAPH / style.text_width(text, 6.0))
        axes.text(left, top + PHOTOGRAPH + 5.5 + number * 7.6, text, va="center_baseline", fontsize=size)


PHOTOGRAPHS: Final = mark(
    "%(trial)s (run %(run)s): in each class the right and the wrong prediction of which the network was most confident,"
    " with the probability it gave."
)
FRAMES: Final = mark(
    "%(trial)s (run %(run)s): in each class the right and the wrong prediction of which the network was most confident."
    " The pictures are not part of the results; numbers are their places in the dataset, and where it is present the"
    " report shows them."
)


def _surest_mistakes(examples: Sequence[Example], translate: Translation) -> str:
    names, numbers = class_names(translate), Numbers(translate)
    taken = mark("%(label)s taken for %(predicted)s (%(probability)s)")
    wrong = [
        translate.plain(taken, {"label": names[each.label], "predicted": names[each.predicted], "probability": sure})
        for each in examples
        if each.kind == "wrong" and (sure := numbers.number(each.probability))
    ]
    if not wrong:
        return translate.gettext("The most confident right prediction of each class; there is no wrong one.")
    return translate.plain(
        "The most confident right prediction of each class, and the most confident mistakes: %(mistakes)s.",
        {"mistakes": numbers.enumeration(wrong)},
    )
