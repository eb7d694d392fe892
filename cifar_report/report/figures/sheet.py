"""The contact sheet: per class the surest right and the surest wrong answer, with pictures where there are any."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from cifar_report.analysis.results import Example, Results
from cifar_report.report.figures import style, words
from cifar_report.report.figures.drawn import DrawnFigure, Pictures
from cifar_report.report.figures.svg import to_png, to_svg
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.numbers import Numbers

DOTS_PER_INCH: Final = 216  # three pixels a point, so that each pixel of a photograph becomes exactly 4 by 4
PICTURE: Final = 128 / 3  # points
STEP: Final = (45.4, 84.0)
LINE: Final = 7.6
TINY: Final = 6.0
HEIGHT: Final = 2 * STEP[1] + 14
KINDS: Final = ("right", "wrong")


def draw_sheet(results: Results, translate: Translation, images: Pictures | None) -> DrawnFigure | None:
    """Draw the examples; without ``images`` empty frames name index, truth and answer. None without examples."""
    examples = results.examples
    if not examples:
        return None
    with style.drawing():
        svg = to_svg(_draw(examples, translate, None), "examples")
        png = None if images is None else to_png(_draw(examples, translate, images), dots_per_inch=DOTS_PER_INCH)
    return DrawnFigure(
        id="examples",
        svg=svg,
        width_points=style.WIDTH,
        height_points=HEIGHT,
        alt=_alternative(examples, translate),
        caption=_caption(examples[0], results, translate, with_pictures=images is not None),
        columns=tuple(map(translate.gettext, COLUMNS)),
        rows=tuple(_row(example, translate) for example in examples),
        group="examples",
        png=png,
    )


def _draw(examples: Sequence[Example], translate: Translation, images: Pictures | None) -> Figure:
    figure = style.sheet(HEIGHT)
    axes = style.panel(figure, 0, 0, style.WIDTH, HEIGHT)
    axes.set(xlim=(0, style.WIDTH), ylim=(HEIGHT, 0), autoscale_on=False)
    axes.set_axis_off()
    titles = (translate.gettext("Surest right answers"), translate.gettext("Surest wrong answers"))
    for line, (kind, title) in enumerate(zip(KINDS, titles, strict=True)):
        top = line * (STEP[1] + 7)
        axes.text(0, top + 5, title, va="center_baseline", fontsize=style.SMALL)
        for example in examples:
            if example.kind == kind:
                _draw_example(figure, axes, example, (example.label * STEP[0], top + 11), translate, images)
    return figure


def _draw_example(
    figure: Figure,
    axes: Axes,
    example: Example,
    corner: tuple[float, float],
    translate: Translation,
    images: Pictures | None,
) -> None:
    left, top = corner
    if images is None or example.image not in images:
        axes.add_patch(Rectangle(corner, PICTURE, PICTURE, facecolor="#f2f2f2", edgecolor="#9a9a9a", linewidth=0.5))
        axes.text(left + PICTURE / 2, top + PICTURE / 2, str(example.image), ha="center", va="center", fontsize=6)
    else:
        picture = style.panel(figure, left, top, PICTURE, PICTURE)
        picture.imshow(images[example.image], interpolation="nearest", aspect="auto")
        picture.set_axis_off()
    for number, text in enumerate(_legend(example, translate)):
        down = top + PICTURE + 5.5 + number * LINE
        axes.text(left, down, text, va="center_baseline", fontsize=_fitting(text))


def _legend(example: Example, translate: Translation) -> tuple[str, ...]:
    """Return the lines under a picture: its class, the answer where it was another, and how sure it was."""
    names = words.class_names(translate)
    probability = Numbers(translate).number(example.probability)
    truth = names[example.label]
    if example.kind == "right":
        return truth, probability
    return truth, f"\N{RIGHTWARDS ARROW} {names[example.predicted]}", probability


def _fitting(text: str) -> float:
    return min(TINY, TINY * PICTURE / max(style.text_width(text, TINY), 1.0))


def _caption(example: Example, results: Results, translate: Translation, *, with_pictures: bool) -> str:
    values = {
        "trial": words.trial_name(results.trial(example.trial).trial, translate, example.stage),
        "run": example.run,
    }
    pictures = mark(
        "%(trial)s (run %(run)s): in each class the right and the wrong answer that the network was surest of, with"
        " the probability it gave."
    )
    frames = mark(
        "%(trial)s (run %(run)s): in each class the right and the wrong answer that the network was surest of. The"
        " pictures are not part of the results; numbers are their places in the dataset, and where it is present the"
        " report shows them."
    )
    return translate.plain(pictures if with_pictures else frames, values)


def _alternative(examples: Sequence[Example], translate: Translation) -> str:
    names, numbers = words.class_names(translate), Numbers(translate)
    wrong = [
        translate.plain(
            mark("%(label)s taken for %(predicted)s (%(probability)s)"),
            {
                "label": names[example.label],
                "predicted": names[example.predicted],
                "probability": numbers.number(example.probability),
            },
        )
        for example in examples
        if example.kind == "wrong"
    ]
    if not wrong:
        return translate.gettext("The surest right answer of each class; there is no wrong one.")
    return translate.plain(
        mark("The surest right answer of each class, and the surest mistakes: %(mistakes)s."),
        {"mistakes": numbers.enumeration(wrong)},
    )


COLUMNS: Final = (
    mark("Answer"),
    mark("Place in the dataset"),
    mark("True class"),
    mark("Predicted class"),
    mark("Probability"),
)


def _row(example: Example, translate: Translation) -> tuple[str | float | int | None, ...]:
    names = words.class_names(translate)
    answer = translate.gettext("right") if example.kind == "right" else translate.gettext("wrong")
    return (answer, example.image, names[example.label], names[example.predicted], example.probability.value)
