"""The figures of a simulated suite: complete, safe, readable, and saying what the results say."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text as DrawnText
from matplotlib.transforms import Bbox
from msgspec.structs import replace
from PIL import Image
from reports import few_experiments
from suites import FEW, few, few_figures, parse, simulated

from cifar_report.report.figures import draw_all, style
from cifar_report.report.figures.sheet import draw_sheet
from cifar_report.report.i18n import SOURCE_LANGUAGE, Translation, available_languages
from cifar_report.report.images import pictures_of
from cifar_report.report.numbers import Numbers
from cifar_report.spec import PROFILES

ENGLISH = Translation("en")
HOSTILE = "$\\frac{1}{2}$ <script>alert('x')</script> & =1+1"
KILOBYTE = 1000
OF_FEW = ("baseline", "filters", "batch_size", "model_2", "parallel", "classical")
"""The experiments that the trials of ``FEW`` belong to."""


@pytest.fixture(scope="module")
def drawn():
    """Return the figures of a few trials by id."""
    figures = few_figures()
    assert len({figure.id for figure in figures}) == len(figures)
    return {figure.id: figure for figure in figures}


def test_every_kind_of_figure_is_drawn(drawn):
    """Whatever the experiments ask for must be there as soon as its trials have run."""
    expected = {f"curves.{trial}" for trial in FEW if not trial.startswith("nearest")}
    expected |= {f"{kind}.{trial}" for kind in ("layers", "kernels") for trial in ("baseline", "filters_32", "model_2")}
    expected |= {"stages.model_2", "study.batch_size", "methods.classical", "scaling.parallel"}
    expected |= {"original_against_ours", "forest.points", "forest.epochs", "forest.ratio", "forest.methods", "costs"}
    expected |= {"confusion.baseline", "confusion.model_2", "classes", "reliability", "examples", "timing"}
    assert expected <= set(drawn)


def test_what_did_not_run_is_not_drawn(drawn):
    """No curve, no kernel and no study may appear for trials without a finished run."""
    ran = {name for name in drawn if name.startswith(("curves.", "kernels."))}
    assert {name.partition(".")[2] for name in ran} <= set(FEW)
    assert "study.learning_rate" not in drawn
    assert "study.splits" not in drawn


def test_an_empty_bundle_draws_its_networks_alone():
    """Without a single finished run only what the specs say can be drawn, and nothing fails."""
    bundle, results = simulated(trials=(), seeds=2)
    assert {figure.id.partition(".")[0] for figure in draw_all(results, ENGLISH, bundle=bundle)} == {"layers"}


@pytest.mark.parametrize("seeds", [1, 2])
def test_reduced_profiles_are_drawn(seeds):
    """One epoch, one seed, failed runs and missing predictions must still give figures."""
    failed = (("dropout", 0),)
    settings = {"profile": PROFILES["smoke"], "seeds": seeds, "trials": (*FEW, "dropout"), "failed": failed}
    experiments = few_experiments(*OF_FEW, "dropout")
    bundle, results = simulated(experiments, predictions=False, grade="stand-in", **settings)
    names = {figure.id for figure in draw_all(results, ENGLISH, bundle=bundle)}
    assert {"curves.baseline", "curves.model_2", "study.batch_size"} <= names
    assert ("curves.dropout" in names) == (seeds > 1)
    assert not {name for name in names if name.startswith(("confusion", "classes", "reliability", "examples"))}


def test_names_are_ids_and_file_names(drawn):
    """A figure's id must be unique and fit an HTML id and a file name on every system."""
    assert len({name.lower() for name in drawn}) == len(drawn)
    assert all(re.fullmatch(r"[a-z][a-z0-9_.]*[a-z0-9]", name) for name in drawn)


def test_words_and_data_are_whole(drawn):
    """Every figure must carry a sentence to read aloud, a caption, and data as wide as its headings."""
    for figure in drawn.values():
        assert figure.alt.strip().endswith("."), figure.id
        assert figure.caption.strip().endswith("."), figure.id
        assert "%(" not in figure.alt + figure.caption + "".join(figure.columns), figure.id
        assert figure.rows, figure.id
        assert {len(row) for row in figure.rows} == {len(figure.columns)}, figure.id


def test_pictures_are_as_large_as_they_say(drawn):
    """The stated size must be the SVG's own, and fit the text width of the page."""
    for figure in drawn.values():
        root = parse(figure.svg)
        assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(figure.width_points, abs=0.02)
        assert float(root.attrib["height"].removesuffix("pt")) == pytest.approx(figure.height_points, abs=0.02)
        assert figure.width_points <= 454
        assert figure.height_points <= 690, figure.id


def test_alternative_texts_state_the_findings(drawn):
    """What a picture says aloud must be the number of the results, not the kind of picture."""
    _, results = few()
    numbers = Numbers(ENGLISH)
    accuracy = numbers.number(results.trial("baseline").primary.datum)
    assert f"test accuracy {accuracy}" in drawn["curves.baseline"].alt
    epochs = [v for v in results.verdicts if v.estimate.unit == "epochs" and v.estimate.value is not None]
    for outcome, words in (("reproduced", "reproduced"), ("inconclusive", "inconclusive")):
        count = sum(verdict.outcome == outcome for verdict in epochs)
        assert (f" {words}: {count}" in drawn["forest.epochs"].alt) == (count > 0)
    assert f"{len(epochs)} comparison" in drawn["forest.epochs"].alt
    metrics = results.trial("model_2").stage().test
    assert numbers.number(metrics.most_confused[0].share) in drawn["confusion.model_2"].alt
    assert "116,010 parameters" in drawn["layers.baseline"].alt


def test_curves_hold_every_epoch_and_the_original(drawn):
    """The data of the curves must be the means of the results, with the original's values beside them."""
    _, results = few()
    stage = results.trial("baseline").stage()
    rows = drawn["curves.baseline"].rows
    assert [row[1] for row in rows] == [row.epoch for row in stage.epochs_table]
    assert rows[4][4] == stage.epochs_table[4].val_accuracy.value
    assert rows[4][8] == stage.original_curve.val_accuracy[4]


def test_photographs_stay_out_of_the_svg(drawn):
    """Photographs must appear in the pixels only: the SVG goes into bundles, which may be passed on."""
    _, results = few()
    images = np.random.default_rng(0).integers(0, 256, (60_000, 32, 32, 3), np.uint8)
    sheet = draw_sheet(results, ENGLISH, pictures_of(results.examples, images))
    assert sheet.svg == drawn["examples"].svg
    assert b"<image" not in sheet.svg
    assert sheet.png.startswith(b"\x89PNG")
    assert {figure.png for figure in drawn.values()} == {None}
    assert "where it is present" in drawn["examples"].caption
    assert "where it is present" not in sheet.caption


def test_photographs_are_those_of_the_examples():
    """Each picture of the contact sheet must show the pixels of the image that its example names."""
    _, results = few()
    images = np.zeros((60_000, 32, 32, 3), np.uint8)
    colours = [(10 * place + 5, 200 - 3 * place, 77) for place in range(len(results.examples))]
    for example, colour in zip(results.examples, colours, strict=True):
        images[example.image] = colour
    sheet = draw_sheet(results, ENGLISH, pictures_of(results.examples, images))
    picture = Image.open(BytesIO(sheet.png)).convert("RGB")
    found = {colour for _, colour in picture.getcolors(2**20)}
    assert set(colours) <= found


def test_titles_are_only_text():
    """A title full of markup and formulas must be drawn as it stands, and bring nothing else into the picture."""
    experiments = [
        replace(each, trials=tuple(replace(trial, title=HOSTILE) for trial in each.trials))
        for each in few_experiments(*OF_FEW)
    ]
    bundle, results = simulated(experiments, trials=FEW, seeds=2, timing=True)
    for figure in draw_all(results, ENGLISH, bundle=bundle):
        content = figure.svg.decode()
        assert "script" not in content, figure.id
        assert "<!" not in content, figure.id
        references = re.findall(r'href="([^"]{1,30})', content)
        assert all(each.startswith(("#", "data:image/png;base64,")) for each in references), figure.id
        assert content.count("http") == 1, figure.id  # the name of the format itself


def _watch(words):
    """Return a method that draws a text and notes in ``words`` its figure and its box, in points."""
    plain = DrawnText.draw

    def draw(self, renderer):
        if self.get_visible() and self.get_text().strip():
            if not words or words[-1][0] is not self.get_figure(root=True):
                words.append((self.get_figure(root=True), {}))
            words[-1][1][self] = self.get_window_extent(renderer)
        return plain(self, renderer)

    return draw


@cache
def suite():
    """Return the bundle of all experiments, and its results."""
    return simulated(timing=True)


@pytest.mark.parametrize(
    "language",
    [
        pytest.param(each, marks=pytest.mark.long)
        if each == SOURCE_LANGUAGE
        else each  # its words are the shorter ones
        for each in available_languages()
    ],
)
def test_the_full_suite_is_small_and_readable(language, monkeypatch):
    """All figures must stay small (a curve 45 kB, all 2 MB), cut no word off and put none over another."""
    words: list[tuple[Figure, dict[DrawnText, Bbox]]] = []
    monkeypatch.setattr(DrawnText, "draw", _watch(words))
    bundle, results = suite()
    sizes = {figure.id: len(figure.svg) for figure in draw_all(results, Translation(language), bundle=bundle)}
    assert len(sizes) > 80
    assert max(size for name, size in sizes.items() if name.startswith("curves.")) < 45 * KILOBYTE
    assert sum(sizes.values()) < 2000 * KILOBYTE
    assert len(words) > 60
    for figure, boxes in words:
        _assert_inside(figure, boxes)
        _assert_apart({text: box for text, box in boxes.items() if text.get_rotation() % 180 == 0})


def _assert_inside(figure, boxes):
    width, height = figure.get_size_inches() * style.POINTS_PER_INCH
    for text, box in boxes.items():
        assert min(box.x0, box.y0) >= -1, text
        assert box.x1 <= width + 1, text
        assert box.y1 <= height + 1, text


def _assert_apart(boxes):
    """Boxes may touch by a point, as lines of a text do."""
    level = [(text, box.padded(-1)) for text, box in boxes.items()]
    for place, (text, box) in enumerate(level):
        clashes = [other.get_text() for other, its in level[:place] if box.overlaps(its)]
        assert not clashes, (text.get_text(), clashes)


def test_figures_know_nothing_of_the_place(drawn):
    """No path of the machine may stand in a figure."""
    here = str(Path.cwd()).encode()
    assert not any(here in figure.svg for figure in drawn.values())
