"""The figures of a simulated suite: complete, safe, readable, and saying what the results say."""

import re
from io import BytesIO
from types import SimpleNamespace

import numpy as np
import pytest
from babel import Locale
from matplotlib.text import Text as DrawnText
from msgspec.structs import replace
from PIL import Image
from reports import few_experiments
from suites import few, few_figures, parse, simulated, whole

from cifar_report.report.figures import draw_all, style
from cifar_report.report.figures.errors import draw_examples
from cifar_report.report.figures.ladder import draw_ladder
from cifar_report.report.figures.pairs import draw_pairs, draw_studies
from cifar_report.report.i18n import Numbers, Translation
from cifar_report.spec import LANGUAGES

ENGLISH = Translation("en")
HOSTILE = "$\\frac{1}{2}$ -- <script>alert(1)</script> --> & =1+1"
KILOBYTE = 1000


@pytest.fixture(scope="module")
def drawn():
    figures = few_figures()
    assert len({figure.id.lower() for figure in figures}) == len(figures)  # they are file names, on every system
    return {figure.id: figure for figure in figures}


def test_every_kind_of_figure_is_drawn(drawn):
    """Each kind of figure is there as soon as its trials have run; without any run the verdicts alone are."""
    expected = {f"{kind}.{name}" for kind in ("curves", "pairs") for name in ("filters", "model_2", "parallel")}
    expected |= {"ladder", "verdict_bar", "verdicts", "dependence", "curves", "curves.baseline", "curves.batch_size"}
    expected |= {"effects.points", "effects.epochs", "effects.ratio", "studies", "methods.classical"}
    expected |= {"confusion", "examples"}
    assert expected <= set(drawn)
    assert not {name for name in drawn if name.endswith(("learning_rate", "kernel", "kernel_7x7"))}
    studies = {row[0] for row in drawn["studies"].rows}
    assert ("Batch size" in studies, "Learning rate" in studies) == (True, False)
    assert all(re.fullmatch(r"[a-z][a-z0-9_.]*[a-z0-9]", name) for name in drawn)
    bundle, results = simulated(trials=(), seeds=2)
    drawn = {figure.id for figure in draw_all(results, ENGLISH, bundle=bundle)}
    assert drawn == {"verdict_bar", "verdicts"}


def test_two_runs_far_apart_neither_stretch_the_axis_nor_gain_anything():
    """An interval ends where accuracies do, and a difference whose interval holds zero is no gain and no loss."""
    settings = {"trials": ("baseline", "filters_32"), "predictions": False, "seed_noise": 0.15}
    bundle, results = simulated(few_experiments("baseline", "filters"), seeds=2, **settings)
    assert results.trial("filters_32").primary.datum.high > 1
    ladder, pairs = draw_ladder(results, ENGLISH), draw_pairs(bundle.record.experiments[1], results, ENGLISH)
    for figure in (ladder, pairs):
        numbers = re.findall(r"<!-- (−?\d+) -->", figure.svg.decode())
        assert numbers
        assert not [each for each in numbers if each.startswith("−") or int(each) > 110]
    assert "largest" not in ladder.title
    apart = {"seed_noise": 0.001, "accuracies": {"baseline": 0.5, "filters_32": 0.7}}
    _, results = simulated(few_experiments("baseline", "filters"), seeds=2, **settings | apart)
    assert "largest" in draw_ladder(results, ENGLISH).title


def test_figures_are_whole_and_fit_the_page(drawn):
    """Every figure must carry a finding to read aloud, a caption, data as wide as its headings, and its own size."""
    for figure in drawn.values():
        assert figure.alt.strip().endswith("."), figure.id
        assert figure.caption.strip().endswith("."), figure.id
        assert "%(" not in figure.alt + figure.caption + "".join(figure.columns), figure.id
        assert {len(row) for row in figure.rows} == {len(figure.columns)}, figure.id
        size = [float(parse(figure.svg).attrib[side].removesuffix("pt")) for side in ("width", "height")]
        assert size == pytest.approx([figure.width_points, figure.height_points], abs=0.02)
        assert size[0] <= 477
        assert size[1] <= 690, figure.id


def test_alternative_texts_state_the_findings(drawn):
    """What a picture says aloud are the results' numbers, and the data of curves hold every epoch."""
    _, results = few()
    numbers = Numbers(ENGLISH)
    accuracy = numbers.number(results.trial("baseline").primary.datum)
    assert f"test accuracy {accuracy}" in drawn["curves.baseline"].alt
    epochs = [v for v in results.verdicts if v.estimate.unit == "epochs" and v.estimate.value is not None]
    for outcome in ("reproduced", "inconclusive"):
        count = sum(verdict.outcome == outcome for verdict in epochs)
        assert (f" {outcome}: {count}" in drawn["effects.epochs"].alt) == (count > 0)
    assert f"{len(epochs)} comparison" in drawn["effects.epochs"].alt
    metrics = results.trial("model_2").stage().test
    assert numbers.number(metrics.most_confused[0].share) in drawn["confusion"].alt
    stage = results.trial("baseline").stage()
    rows = drawn["curves.baseline"].rows
    assert [row[1] for row in rows] == [row.epoch for row in stage.epochs_table]
    assert rows[4][4] == stage.epochs_table[4].val_accuracy.value


def test_swapped_data_swap_what_a_study_s_picture_says():
    """When two trials' accuracies change places, so do the best and the worst one in the alternative text."""

    def alt(**accuracies):
        chosen = few_experiments("baseline", "batch_size")
        _, results = simulated(chosen, trials=(*accuracies,), seeds=2, accuracies=accuracies, seed_noise=0.002)
        return draw_studies(results, chosen, ENGLISH).alt

    assert re.search(r"highest for 64 .*lowest for 32 ", alt(baseline=0.5, batch_64=0.7))
    assert re.search(r"highest for 32 .*lowest for 64 ", alt(baseline=0.7, batch_64=0.5))


def test_photographs_are_those_of_the_examples_and_stay_out_of_the_svg(drawn):
    """Each picture must show the pixels that its example names, and none may be in what goes into bundles."""
    _, results = few()
    images = np.zeros((60_000, 32, 32, 3), np.uint8)
    shown = [each for each in results.examples if each.kind != "wrong"]  # beside the commonest mistakes
    colours = [(6 * place + 5, 200 - 3 * place, 77) for place in range(len(shown))]
    for example, colour in zip(shown, colours, strict=True):
        images[example.image] = colour
    sheet = draw_examples(results, images, ENGLISH)
    picture = Image.open(BytesIO(sheet.png)).convert("RGB")
    assert set(colours) <= {colour for _, colour in picture.getcolors(2**20)}
    assert sheet.svg == drawn["examples"].svg
    assert b"<image" not in sheet.svg
    assert {figure.png for figure in drawn.values()} == {None}
    assert "where it is present" in drawn["examples"].caption
    assert "where it is present" not in sheet.caption


def test_titles_are_only_text():
    """A title full of markup and formulas must be drawn as it stands, and bring nothing else into the picture."""
    experiments = [
        replace(each, trials=tuple(replace(trial, title=HOSTILE) for trial in each.trials))
        for each in few_experiments("baseline", "batch_size", "classical")
    ]
    trials = ("baseline", "batch_64", "nearest_neighbor_1", "nearest_centroid")
    bundle, results = simulated(experiments, trials=trials, seeds=2, timing=True)
    for figure in draw_all(results, ENGLISH, bundle=bundle):
        root = parse(figure.svg)  # fails where a title breaks out of a comment
        assert not [element for element in root.iter() if element.tag.endswith(("script", "}a"))], figure.id
        references = re.findall(r'href="([^"]{1,30})', figure.svg.decode())
        assert all(each.startswith(("#", "data:image/png;base64,")) for each in references), figure.id


def _watch(words):
    """Return a method that draws a text and notes in ``words`` its figure and its box, in points."""
    plain = DrawnText.draw

    def draw(self, renderer):
        if self.get_visible() and self.get_text().strip():
            words.setdefault(self.get_figure(root=True), {})[self] = self.get_window_extent(renderer)
        return plain(self, renderer)

    return draw


def two():
    """Return two seeds of two trials, which have most kinds of figures."""
    return simulated(few_experiments("baseline", "filters"), trials=("baseline", "filters_32"), seeds=2, timing=True)


@pytest.mark.parametrize(
    ("suite", "language", "least"),
    [
        (two, "el", 5),  # Greek words are the longer ones
        *(pytest.param(whole, each, 40, marks=pytest.mark.long) for each in LANGUAGES),
    ],
    ids=["two", *LANGUAGES],
)
def test_figures_are_small_and_readable(suite, language, least, monkeypatch):
    """All figures must stay of moderate size, cut no word off and put none over another."""
    words = {}
    monkeypatch.setattr(DrawnText, "draw", _watch(words))
    bundle, results = suite()
    sizes = {figure.id: len(figure.svg) for figure in draw_all(results, Translation(language), bundle=bundle)}
    assert len(sizes) > least
    assert max(sizes.values()) < 400 * KILOBYTE
    assert sum(sizes.values()) < 6000 * KILOBYTE
    assert len(words) > least * 3 / 4
    for figure, boxes in words.items():
        width, height = figure.get_size_inches() * style.POINTS_PER_INCH
        for text, box in boxes.items():
            assert min(box.x0, box.y0) >= -1, text
            assert (box.x1 <= width + 1, box.y1 <= height + 1) == (True, True), text
        _assert_apart({text: box for text, box in boxes.items() if text.get_rotation() % 180 == 0})


def _assert_apart(boxes):
    """Boxes may touch by a point, as lines of a text do."""
    level = [(text, box.padded(-1)) for text, box in boxes.items()]
    for place, (text, box) in enumerate(level):
        clashes = [other.get_text() for other, its in level[:place] if box.overlaps(its)]
        assert not clashes, (text.get_text(), clashes)


@pytest.mark.parametrize(("locale", "expected"), [("el", ["−0,5", "0,0", "0,5"]), ("en", ["−0.5", "0.0", "0.5"])])
def test_axes_use_the_decimal_sign_of_the_language(locale, expected):
    """Numbers on an axis must have the language's decimal sign, equal digits and a true minus sign."""

    @style.in_style()
    def ticks():
        axes = style.panel(style.sheet(80), 30, 5, 200, 50, SimpleNamespace(locale=Locale(locale)))
        axes.set_xlim(-0.5, 0.5)
        return axes.xaxis.get_major_formatter().format_ticks([-0.5, 0.0, 0.5])

    assert ticks() == expected


def test_words_are_drawn_in_the_report_s_own_letters():
    """Latin and Greek letters and signs must come from the report's face, a letter that it lacks from the next one."""

    @style.in_style()
    def faces(text):
        figure = style.sheet(40)
        figure.text(0, 0, text)
        svg = style.finished(figure, "some", "", alt="", caption="", columns=(), rows=()).svg
        return set(re.findall(r'href="#(\w+)-', svg.decode()))

    assert faces("Ab fi – άβΰ ≤ ≈ → ½ 10⁷") == {"ReportFigures"}
    assert faces("aЖ") == {"ReportFigures", "DejaVuSans"}
