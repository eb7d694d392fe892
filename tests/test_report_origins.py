"""Where the numbers of a report come from, on the screen and on paper."""

import re

import pytest
from reports import Page, few_experiments, report_of, small_bundle
from suites import shared

from cifar_report.spec import PROFILES

FEW = ("baseline", "filters", "batch_size", "learning_rate")


def report(medium, language="en", grade="canonical"):
    """Return a report of four experiments in one medium."""
    return report_of(shared(few_experiments(*FEW), seeds=3, grade=grade), medium=medium, language=language)


@pytest.mark.parametrize("grade", ["canonical", "unverified"])
@pytest.mark.parametrize("language", ["en", "el"])
def test_every_linked_number_leads_to_a_row_of_its_own(language, grade):
    """On the screen each number's link has exactly one target, and each target is linked to."""
    source = report("screen", language, grade)
    targets = re.findall(r'<tr id="(d-[^"]+)"', source)
    assert len(targets) == len(set(targets)) > 50
    assert set(re.findall(r'href="#(d-[^"]+)"', source)) == set(targets)


def test_a_number_s_row_names_the_runs_behind_it_once():
    """Both sides of a comparison stand in the row of its estimate, with their first and last seed."""
    rows = Page(report("screen")).all("tr")
    row = next(each for each in rows if each.attributes.get("id") == "d-claim.C01a.15_epochs.estimate")
    assert row.inside[-1].text == "baseline/seed-0…2, filters_32/seed-0…2"


def test_paper_leaves_full_tables_to_the_screen_and_the_attached_numbers():
    """The print has no table of all numbers nor of layers, and of each training's epochs no more than four."""
    screen, paper = Page(report("screen")), Page(report("print"))
    assert not [each for each in paper.all("a") if each.attributes["href"].startswith("#d-")]
    for words in ("Every number with its origin", "layer by layer"):
        assert words in screen.all("main")[0].text
        assert words not in paper.all("main")[0].text
    epochs = [
        [row.inside[0].text for row in block.inside if row.tag == "tr"][1:] for block in paper.all("div", "epochs")
    ]
    assert epochs[:2] == [["1", "5", "10", "15"], ["1", "10", "20", "30"]]
    numbers = [re.findall(r"^Table (\d+)\.", each.text) for each in screen.all("caption")]
    told = [number for found in numbers for number in found]
    assert [each.text.split(".")[0] for each in paper.all("caption")] == [f"Table {number}" for number in told[:-1]]


def test_a_training_of_few_epochs_is_shown_whole():
    """Where there are no more epochs than rows, paper shows all of them and says so."""
    source = report_of(small_bundle("baseline", seeds=2, profile=PROFILES["smoke"]), medium="print")
    assert "epoch by epoch" in source
    assert "some of its epochs" not in source
