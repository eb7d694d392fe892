"""Text and numbers in figures: measured, broken and written as the language does."""

import io
import re
from itertools import pairwise
from types import SimpleNamespace

import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from cifar_report.report.figures import axis, style
from cifar_report.report.figures.svg import to_svg

GREEK = SimpleNamespace(locale=Locale("el"), gettext=lambda message: message)
ENGLISH = SimpleNamespace(locale=Locale("en"), gettext=lambda message: message)


@pytest.mark.parametrize(
    ("translate", "expected"), [(GREEK, ["−0,5", "0,0", "0,5"]), (ENGLISH, ["−0.5", "0.0", "0.5"])]
)
def test_axes_use_the_decimal_sign_of_the_language(translate, expected):
    """Numbers on an axis must have the language's decimal sign, equal digits and a true minus sign."""
    assert axis.LocalNumbers(translate).format_ticks([-0.5, 0.0, 0.5]) == expected


def test_user_settings_do_not_reach_figures():
    """What a user set for matplotlib must change neither a figure nor, by drawing one, what the user set."""
    import matplotlib

    def draw():
        with style.drawing():
            figure = style.sheet(80)
            style.panel(figure, 30, 5, 200, 50).plot((0, 1), (0, 1))
            return to_svg(figure, "same")

    plain = draw()
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "axes.grid": True, "svg.fonttype": "none"}):
        assert draw() == plain
        assert matplotlib.rcParams["lines.linewidth"] == 9


def test_dollars_are_no_formulas():
    """A title with dollar signs must be drawn letter by letter, never read as a formula."""

    def width(text):
        with style.drawing():
            figure = style.sheet(40)
            return figure.text(0, 0, text).get_window_extent(FigureCanvasAgg(figure).get_renderer()).width

    assert width(r"$\frac{1}{2}$") > 3 * width("12")
    assert width(r"$\undefined{$") > 0


@given(st.text(st.sampled_from("abcdefgh αβγδεζ"), max_size=80), st.floats(20, 200))
def test_wrapping_keeps_words_and_width(text, width):
    """Wrapped lines must hold the same words in order, and only a single word may be wider than asked."""
    lines = style.wrapped(text, width).split("\n")
    assert " ".join(lines).split() == text.split()
    assert all(style.text_width(line) <= width or len(line.split()) == 1 for line in lines if line.strip())


@given(st.text(st.sampled_from("abcdefgh αβγδεζ"), max_size=80), st.floats(20, 200))
def test_wrapped_lines_are_few_and_none_is_needlessly_long(text, width):
    """No line may be added to the fewest, and no narrower column may hold the words in as many lines."""
    fewest = style._filled(text, width, style.SIZE)
    lines = style.wrapped(text, width).split("\n")
    assert len(lines) == len(fewest)
    widest = max(map(style.text_width, lines))
    narrower = style._filled(text, widest - 0.6, style.SIZE)
    assert len(narrower) > len(lines) or max(map(style.text_width, narrower)) >= widest or len(lines) == 1


def test_words_are_drawn_in_the_report_s_own_letters():
    """Latin and Greek letters and signs must come from the report's face, a letter that it lacks from the next one."""

    def faces(text):
        content = io.BytesIO()
        with style.drawing():
            figure = style.sheet(40)
            figure.text(0, 0, text)
            figure.savefig(content, format="svg")
        return set(re.findall(r'href="#(\w+)-', content.getvalue().decode()))

    assert faces("Ab fi – άβΰ ≤ ≈ → ½ 10⁷") == {"ReportFigures"}
    assert faces("aЖ") == {"ReportFigures", "DejaVuSans"}


def test_text_width_is_what_matplotlib_sets():
    """The measured width must be that of the drawn text, or names would leave their column."""
    text = "Second convolution, 64 filters · Εκπαίδευση"
    with style.drawing():
        figure = style.sheet(40)
        drawn = Text(0, 0, text, fontsize=style.SIZE, figure=figure)
        extent = drawn.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    assert style.text_width(text) == pytest.approx(extent.width * 72 / figure.dpi, rel=0.03)


@pytest.mark.parametrize("epochs", [1, 2, 3, 6, 13, 15, 30, 50, 300])
def test_epoch_ticks_are_whole_and_few(epochs):
    """An epoch axis must begin with 1, stay within the epochs and keep its numbers apart."""
    with style.drawing():
        figure = style.sheet(100)
        axes = style.panel(figure, 20, 5, 150, 60)
        axis.epoch_axis(axes, epochs, ENGLISH)
        labels = [label for label in axes.get_xticklabels() if label.get_text()]
        renderer = FigureCanvasAgg(figure).get_renderer()
        boxes = [label.get_window_extent(renderer) for label in labels]
    assert labels[0].get_text() == "1"
    assert all(1 <= int(label.get_text()) <= epochs for label in labels)
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes))
