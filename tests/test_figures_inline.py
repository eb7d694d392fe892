"""Figures inside the page: of its theme, with text as text, and with marks that say which run or claim they are."""

import dataclasses
import re
from functools import cache
from typing import get_args

import pytest
from command import ROOT
from msgspec.structs import replace
from reports import Page, few_experiments, few_report
from suites import few, few_figures, parse, simulate

from cifar_report.analysis import analyse
from cifar_report.report.figures import draw_dead_units, style
from cifar_report.report.figures.verdicts import GROUPS
from cifar_report.report.i18n import Translation
from cifar_report.spec import Quantity


def test_a_figure_in_the_page_is_named_and_keeps_to_itself():
    """A figure is named and keeps to itself, its words stay text, and its colours follow the page."""
    for figure in few_figures():
        root = parse(figure.inline.encode())
        anchor = root.attrib["id"]
        assert (root.attrib["role"], root.attrib["aria-label"]) == ("img", figure.alt)
        assert root.find("title").text in (figure.title, figure.caption)
        ids = [each.attrib["id"] for each in root.iter() if "id" in each.attrib]
        assert len(ids) == len(set(ids))
        assert all(each == anchor or each.startswith(f"{anchor}--") for each in ids)  # "a.2" is no part of "a"
        assert all(rule.startswith(f"#{anchor}") for rule in re.findall(r"[^{}]+(?={)", root.find("style").text))
        links = re.findall(r"url\(#([^)]+)\)|href=\"#([^\"]+)", figure.inline)
        assert {one or other for one, other in links} <= set(ids)
        assert not re.search(r"https?://(?!www\.w3\.org)", figure.inline)
    css = (ROOT / "templates" / "screen.css").read_text(encoding="utf-8")
    for figure in few_figures():
        root = parse(figure.inline.encode())
        assert any((each.text or "").strip() for each in root.iter("text"))
        for variable, colour in re.findall(r"var\((--[a-z-]+),(#[0-9a-f]{3,6})\)", root.find("style").text):
            assert f"{variable}:" in css
            assert colour in ("#000", *style.COLOURS)
        bare = re.sub(r"var\([^)]*\)", "", root.find("style").text)
        assert not re.findall(r"#[0-9a-f]{6}(?=[;}])", bare)


def test_marks_name_their_runs_and_claims():
    """Each seed of the ladder and each verdict of the matrix is marked once, with what it belongs to."""
    _, results = few()
    inline = {figure.id: figure.inline for figure in few_figures()}

    def marked(name, *attributes):
        found = parse(inline[name].encode()).iter()
        return sorted(tuple(each.attrib[a] for a in attributes) for each in found if attributes[0] in each.attrib)

    shown = [trial for trial in results.trials if trial.section in ("trials", "model_2")]
    seeds = [(str(each.seed), trial.id) for trial in shown for stage in trial.stages
             for each in stage.primary.test_accuracy.seeds]  # fmt: skip
    assert marked("ladder", "data-seed", "data-trial") == sorted(seeds)
    assert {each for group in GROUPS.values() for each in group} == set(get_args(Quantity))
    verdicts = [(verdict.id, verdict.outcome) for verdict in results.verdicts]
    assert marked("verdicts", "data-claim", "data-outcome") == sorted(verdicts)


def test_the_print_keeps_pictures_with_words_and_the_screen_has_the_figures_face():
    """In print an inline drawing with a label would break PDF/UA; on the screen its text needs the figures' letters."""
    screen, paper = Page(few_report("screen")), Page(few_report("print"))
    assert len(screen.all("svg", "drawn")) == len(few_figures())
    assert not paper.all("svg")
    assert not [each for each in paper.all("img") if not each.attributes.get("alt")]
    rules = "".join(each.text for each in screen.all("style"))
    assert '@font-face{font-family:"Report Figures"' in rules


@cache
def recorded(direction: int):
    """Return results whose runs have the more dead units, the more (or the less) accurate they are."""
    bundle = simulate(few_experiments("baseline"), seeds=5, seed_noise=0.03)

    def evaluated(each):
        return replace(each, dead_units=0.5 + direction * (each.test.accuracy - 0.5))

    runs = [
        replace(run, stages=tuple(replace(s, last=evaluated(s.last), best=evaluated(s.best)) for s in run.stages))
        for run in bundle.runs
    ]
    return analyse(dataclasses.replace(bundle, runs=tuple(runs)))


@pytest.mark.parametrize(("direction", "words"), [(-1, "are less accurate"), (1, "are more accurate")])
def test_why_runs_differ_follows_the_data(direction, words):
    """Dead units are drawn where they were recorded, and the title says which way accuracy goes with them."""
    figure = draw_dead_units(recorded(direction), Translation("en"))
    assert words in figure.title
    assert len(figure.rows) == 10
    assert draw_dead_units(few()[1], Translation("en")) is None
