"""What the best network takes for what: shares, the change from the reference model, and images."""

import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cifar_report.analysis.results import Example, Results
from cifar_report.analysis.results.trials import PredictionMetrics
from cifar_report.report.figures import style
from cifar_report.report.figures.base import MOST_CLASSES, SAY, DrawnFigure, Images, reference, trial_name
from cifar_report.report.i18n import Translation

Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]


@style.in_style()
def draw_confusion(results: Results, translate: Translation) -> DrawnFigure | None:
    """Draw the confusions of the network that the examples are of, and the change from the reference model."""
    if not results.examples or len(translate.classes) > MOST_CLASSES:
        return None
    result = results.trial(results.examples[0].trial)
    stage, first = result.stage(results.examples[0].stage), reference(results)
    if stage is None or stage.test is None:
        return None
    order = _order(translate)
    shares = _percent(stage.test, order)
    before = first.stages[-1].test if first is not None and first.id != result.id else None
    change = None if before is None else shares - _percent(before, order)
    names, _ = translate.classes, translate.gettext
    left = max(style.text_width(name) for name in names) + 18
    side = (style.WIDTH - left - 12) / 2
    figure = style.sheet(side + 74)
    axes = style.panel(figure, left, 16, side, side, translate)
    _draw_matrix(axes, shares, _("Share of the class (%)"), translate)
    axes.set_ylabel(_("True class"))
    if change is not None and first is not None:
        beside = style.panel(figure, left + side + 12, 16, side, side, translate)
        title = translate.plain(SAY.change_from, {"trial": trial_name(first.trial, translate)})
        _draw_matrix(beside, change, title, translate, change=True)
        beside.tick_params(labelleft=False)
    trial = trial_name(result.trial, translate, stage.id)
    rows = [
        (names[label], names[other], stage.test.confusion[label][other], shares[place, column] / 100,
         None if change is None else change[place, column] / 100)
        for place, label in enumerate(order)
        for column, other in enumerate(order)
    ]  # fmt: skip
    return style.finished(
        figure, "confusion", "confusion", title=_mistakes(trial, stage.test, translate),
        caption=translate.plain(SAY.confusion, {"trial": trial}), rows=rows,
        columns=translate.columns("True class | Predicted class | Images | Share of the class | Change"),
    )  # fmt: skip


def _order(translate: Translation) -> list[int]:
    return [label for group in translate.dataset.groups for label in group] or list(range(len(translate.classes)))


def _percent(metrics: PredictionMetrics, order: list[int]) -> Matrix:
    return 100 * np.array(metrics.confusion_shares, float)[np.ix_(order, order)]


def _draw_matrix(axes: Axes, values: Matrix, title: str, translate: Translation, *, change: bool = False) -> None:
    for (row, column), value in np.ndenumerate(values):
        strength, colour = (
            min(abs(value) / (12.5 if change else 25.0), 1.0),
            style.VERMILLION,
        )  # per cent, darkest
        if row == column:
            strength, colour = 0.25, style.GREY
        elif change and value < 0:
            colour = style.BLUE
        axes.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc=colour, alpha=0.75 * strength, lw=0))
        if abs(value) >= 1.0:  # per cent; smaller shares are blank
            text = f"{value:+.0f}".replace("-", "\N{MINUS SIGN}") if change else f"{value:.0f}"
            axes.text(column, row, text, ha="center", va="center_baseline")
    start, count = -0.5, len(values)
    for group in translate.dataset.groups:
        axes.add_patch(Rectangle((start, start), len(group), len(group), fill=False, ec=style.BLACK, lw=0.9))
        start += len(group)
    names = [translate.classes[label] for label in _order(translate)]
    axes.set_xticks(range(count), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(count), names)
    axes.set(xlim=(-0.5, count - 0.5), ylim=(count - 0.5, -0.5))
    axes.set_title(title, pad=4, fontsize=style.SIZE)
    axes.set_xlabel(translate.gettext("Predicted class"))
    axes.tick_params(length=0, pad=2)
    axes.spines[["left", "bottom"]].set_visible(False)


def _mistakes(trial: str, metrics: PredictionMetrics, translate: Translation) -> str:
    names, numbers = translate.classes, translate.numbers
    values = [
        {"label": names[pair.label], "predicted": names[pair.predicted], "share": numbers.number(pair.share)}
        for pair in metrics.most_confused[:3]
    ]
    pairs = numbers.enumeration([translate.plain(SAY.confused, each) for each in values])
    message = SAY.confusion_title if values else SAY.confusion_faultless
    return translate.plain(message, {"trial": trial, "pairs": pairs})


PHOTOGRAPH: Final = 128 / 3  # points
A_ROW: Final = 10  # right answers; there are two rows at most
STEP: Final = style.WIDTH / A_ROW
BLOCK: Final = 66.0  # points, of a confusion: its name, its images and their probabilities
GAP: Final = 14.0  # points between two blocks


@style.in_style()
def draw_examples(results: Results, images: Images | None, translate: Translation) -> DrawnFigure | None:
    """Draw the surest right answers and the commonest mistakes; without the images empty frames name them."""
    if not results.examples:
        return None
    png = None
    if images is not None:
        buffer = io.BytesIO()
        figure = _draw_examples(results.examples, images, translate)
        # Three pixels a point, so that each pixel of a photograph becomes exactly 4 by 4.
        figure.savefig(buffer, format="png", dpi=216, metadata={"Software": None})
        png = buffer.getvalue()
    first, _ = results.examples[0], translate.gettext
    trial = trial_name(results.trial(first.trial).trial, translate, first.stage)
    caption = translate.plain(SAY.frames if png is None else SAY.photographs, {"trial": trial, "run": first.run})
    columns = translate.columns("Answer | Place in the dataset | True class | Predicted class | Probability")
    names, answers = translate.classes, (_("wrong"), _("right"))
    rows = [
        (answers[each.kind == "right"], each.image, names[each.label], names[each.predicted], each.probability.value)
        for each in results.examples
    ]
    alt = _confusions(results.examples, translate)
    figure = _draw_examples(results.examples, None, translate)
    return style.finished(figure, "examples", "examples", alt=alt, caption=caption, columns=columns, rows=rows, png=png)


def _draw_examples(examples: Sequence[Example], images: Images | None, translate: Translation) -> Figure:
    names, numbers = translate.classes, translate.numbers
    pairs = list(dict.fromkeys((each.label, each.predicted) for each in examples if each.kind == "confused"))
    more = 66 * (len(names) > A_ROW)
    figure, axes = style.canvas(72 + more + BLOCK * -(-len(pairs) // 2), translate)

    def draw_image(place: int, left: float, top: float, side: float) -> None:
        if images is None:
            axes.add_patch(Rectangle((left, top), side, side, fc=style.BAND, ec=style.GREY, lw=0.5))
            axes.text(left + side / 2, top + side / 2, str(place), ha="center", va="center")
        else:
            picture = style.panel(figure, left, top, side, side, translate)
            image = np.broadcast_to(images[place], (*images.shape[1:3], 3))  # one colour is grey
            picture.imshow(image, interpolation="nearest", aspect="auto")
            picture.set_axis_off()

    axes.text(0, 5, translate.gettext("Surest right answers"), va="center_baseline")
    for each in (each for each in examples if each.kind == "right" and each.label < 2 * A_ROW):
        across, down = each.label % A_ROW * STEP, 11 + 66 * (each.label // A_ROW)
        draw_image(each.image, across, down, PHOTOGRAPH)
        axes.text(across, down + 49, names[each.label], va="center_baseline")
    width, small = (style.WIDTH - GAP) / 2, PHOTOGRAPH * 3 / 4
    for place, pair in enumerate(pairs):
        left, top = place % 2 * (width + GAP), 80 + more + place // 2 * BLOCK
        title = f"{names[pair[0]]} \N{RIGHTWARDS ARROW} {names[pair[1]]}"
        axes.text(left, top, title, va="center_baseline")
        shown = [each for each in examples if each.kind == "confused" and (each.label, each.predicted) == pair]
        for number, each in enumerate(shown):
            across = left + number * width / 6
            draw_image(each.image, across, top + 7, small)
            text = f"{numbers.bare(each.probability.value or 0.0, 'share')}%"
            axes.text(across, top + small + 14, text, va="center_baseline")
    return figure


def _confusions(examples: Sequence[Example], translate: Translation) -> str:
    names = translate.classes
    pairs = dict.fromkeys((each.label, each.predicted) for each in examples if each.kind == "confused")
    shown = [translate.plain(SAY.mistaken, {"label": names[one], "predicted": names[other]}) for one, other in pairs]
    message = SAY.examples_alt if shown else SAY.examples_faultless_alt
    return translate.plain(message, {"mistakes": translate.numbers.enumeration(shown)})
