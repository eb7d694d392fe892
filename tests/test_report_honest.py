"""What the report says of the write-up's numbers, of its tests and of its own errors is no more than it knows."""

import re
import shutil
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from analysis_cases import bundle as pair_of
from analysis_cases import claim
from reports import Page, chapter, few_experiments, first_page, report_of, small_bundle
from scipy import stats
from suites import simulated

from cifar_report.analysis import analyse
from cifar_report.analysis.results import Results, Verdict
from cifar_report.bundle import Bundle
from cifar_report.registry import load_experiments
from cifar_report.report.figures import DrawnFigure
from cifar_report.report.figures.curves import caption as curves_caption
from cifar_report.report.figures.forest import draw_forest
from cifar_report.report.figures.points import draw_original
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import tables
from cifar_report.report.sections.claims import verdicts
from cifar_report.report.text.conclusions import ranking
from cifar_report.report.text.judgement import judgement
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer

ENGLISH, GREEK = Translation("en"), Translation("el")


@cache
def made(grade: str = "canonical", seeds: int = 5) -> Writer:
    """Return a writer of the reference model, the 32 filters and the classifiers, on some pixels."""
    bundle, results = simulated(few_experiments(), seeds=seeds, grade=grade)
    return Writer(bundle, results, ENGLISH, ())


@cache
def whole() -> Writer:
    """Return a writer of five seeds of every experiment on pixels that are not verified."""
    bundle, results = simulated(load_experiments(), seeds=5, grade="unverified")
    return Writer(bundle, results, ENGLISH, ())


def plain(sentences: object) -> str:
    """Return sentences without their links."""
    return " ".join(each.striptags() for each in sentences)


def dots(results: Results, translation: Translation = ENGLISH) -> DrawnFigure:
    """Return the figure that sets the original's accuracies beside ours."""
    figure = draw_original(results, translation)
    assert figure is not None
    return figure


def test_on_other_pixels_the_original_is_shown_and_not_held_against_ours() -> None:
    """Without canonical pixels no prediction interval is drawn, and caption and alternative text say why."""
    apart, canonical = dots(made("unverified").results), dots(made().results)
    assert "not compared with each other" in apart.caption
    assert "not verified" in apart.caption
    assert "prediction" not in apart.caption
    assert "not compared with it" in apart.alt
    assert all(row[4:] == (None, None) for row in apart.rows)
    assert "95% prediction interval" in canonical.caption
    assert all(low < high for *_, low, high in canonical.rows)
    assert "χωρίς αντιπαραβολή" in dots(made("unverified").results, GREEK).caption


def test_with_one_seed_no_interval_is_spoken_of() -> None:
    """One seed gives no interval, so the caption names none that could be seen."""
    caption = dots(made(seeds=1).results).caption
    assert "With one seed there is no interval" in caption
    assert "The line is" not in caption


@pytest.mark.parametrize(("grade", "told"), [("canonical", False), ("unverified", True)])
def test_captions_say_that_the_original_saw_other_pixels(grade: str, told: bool) -> None:
    """Curves, forests and tables that show the original's numbers say so where they may not be compared with ours."""
    writer = made(grade)
    baseline = writer.results.trial("baseline")
    assert ("not compared with ours" in curves_caption(baseline, ENGLISH)) is told
    table = tables.results(writer, "anywhere", "Title", [baseline])
    assert ("without being compared with ours" in table.caption) is told
    points, methods = (draw_forest(kind, writer.results, ENGLISH).caption for kind in ("points", "methods"))
    assert ("on its own pixels" in points) is told
    assert "not corrected for the number of claims" in points
    assert "over the test images" in methods


def notes(writer: Writer) -> str:
    """Return what stands above the table of all claims."""
    return chapter(writer, "verdicts").partition("Table ")[0]


def test_brackets_are_only_explained_where_they_are() -> None:
    """The note on brackets stands above a table that has some, and nowhere where nothing is compared with ours."""
    unverified = made("unverified")
    assert "bracket" not in notes(unverified)
    assert "not compared with ours" in notes(unverified)
    assert "not compared with ours" in chapter(unverified, "reading")
    canonical = made()
    assert "prediction interval" in chapter(canonical, "reading")
    for inside, words in ((False, "An original in brackets lies outside"), (True, "No original lies outside")):
        changed = tuple(
            replace(each, original_inside=inside) if each.original_inside is not None else each
            for each in canonical.results.verdicts
        )
        writer = Writer(canonical.bundle, replace(canonical.results, verdicts=changed), ENGLISH, ())
        assert words in notes(writer)
        cells = [row.cells[-1].content.striptags() for row in verdicts(writer).it["table"].rows]
        assert any(cell.startswith("(") for cell in cells) is not inside


def test_an_onset_s_row_holds_one_unit() -> None:
    """A share of seeds stands beside no epoch: the notes name the unit, and dashes say what is not comparable."""
    view = verdicts(whole()).it
    (row,) = (row for row in view["table"].rows if row.cells[0].content.striptags() == "C09b")
    estimate, margin, p, original = row.cells[4:]
    assert "%" in estimate.content.striptags()
    assert "of an onset shares of the seeds" in notes(whole())
    assert "one epoch to either side" in (margin.missing or "")
    assert "no share of seeds" in (original.missing or "")
    assert "verdict says why" in (p.missing or "")


def test_no_dash_calls_counted_what_was_never_run() -> None:
    """Only claims about counts have no test because they are counted."""
    for row, verdict in zip(verdicts(whole()).it["table"].rows, whole().results.verdicts, strict=True):
        p = row.cells[6]
        assert ("counted" in (p.missing or "")) is (verdict.claim.relation == "exact"), verdict.id


def test_the_ranking_says_how_many_pairs_it_corrects_for() -> None:
    """Pairs, those told apart, and what the first step of the correction asks of so few seeds stand in the text."""
    writer = made(seeds=3)
    test, rows = writer.results.ranking_test, writer.results.ranking
    assert test is not None
    count = len(rows) * (len(rows) - 1) // 2
    shared = sum(
        bool(set(one.groups) & set(other.groups)) for place, one in enumerate(rows) for other in rows[place + 1 :]
    )
    assert (test.pairs.value, test.apart.value) == (count, count - shared)
    assert (test.singly.value or 0) >= (test.apart.value or 0)
    assert test.needed.value == pytest.approx(stats.t.ppf(1 - 0.05 / 2 / count, 2) / 3**0.5)
    text = plain(ranking(writer))
    assert f"which makes {count} pairs; Holm's method corrects the tests" in text
    assert "With 3 seeds a mean difference must reach" in text
    assert "not that the trials are alike" in text


def test_a_ranking_of_one_seed_asks_for_no_difference() -> None:
    """With one seed there is no deviation that a difference could be measured by, and nothing is said of it."""
    text = plain(ranking(made(seeds=1)))
    assert "standard deviation of the differences" not in text


def said(verdict: Verdict, writer: Writer) -> str:
    """Return a claim's paragraph without its links."""
    return plain(verdict_paragraph(writer, verdict))


def test_mcnemar_is_named_with_its_subject() -> None:
    """McNemar's test decides where classifiers without seeds are compared; elsewhere it speaks of networks."""
    writer = whole()
    images = said(writer.results.verdict("C15"), writer)
    assert "This verdict is McNemar's" in images
    assert "of these two classifiers on these images" in images
    configuration = writer.results.verdict("C11a")
    assert configuration.networks is not None
    apart = sum((test.p.value or 0) < 0.05 for test in configuration.networks.tests)
    assert f"McNemar's exact test tells {apart} of 5 pairs apart, uncorrected" in said(configuration, writer)
    assert "says nothing of networks trained anew" in said(configuration, writer)
    for verdict in writer.results.verdicts:
        assert ("McNemar" in said(verdict, writer)) is (verdict.networks is not None or verdict.test == "mcnemar")


def test_a_sign_test_is_named() -> None:
    """Where runs never reached the level another test decides, and the text says which."""
    writer = whole()
    for verdict in writer.results.verdicts:
        assert ("the sign test over the seeds takes the place" in said(verdict, writer)) is (
            verdict.test == "sign_test"
        )
    censored = replace(writer.results.verdict("C11a"), test="sign_test")
    assert "the sign test over the seeds takes the place" in said(censored, writer)


def test_equal_differences_are_not_taken_for_certainty() -> None:
    """Where no spread was seen the margin alone decides, and the text says that more differences might show one."""
    writer, told = whole(), "there is no spread to test against"
    chosen = writer.results.verdict("C01a.15_epochs")
    assert told in said(replace(chosen, test="all_equal"), writer)
    assert told not in said(replace(chosen, test="paired_t"), writer)


def test_corrected_p_values_say_that_they_are() -> None:
    """A p-value of a family is called corrected in its sentence, one of a claim that stands alone is not."""
    writer, seen = whole(), set()
    for verdict in writer.results.verdicts:
        for text in re.findall(r"\(p [=<] [\d.]+(?:, corrected)?", said(verdict, writer)):
            seen.add(corrected := text.endswith("corrected"))
            assert corrected is (verdict.p_corrected is not None), verdict.id
    assert seen == {True, False}


def test_every_comparison_names_both_of_its_sides() -> None:
    """No sentence of a judgement says "that is more": it names the trial that it speaks of, and its pairs."""
    writer = whole()
    text = plain(judgement(writer, writer.results.trial("kernel_7x7"), ()))
    assert re.search(r"The mean of “Kernel 7×7” lies [\d.]+ points? (above|below) that of “Baseline” \(5 pairs", text)
    assert "not corrected for other comparisons" in text
    assert "On average that is" not in text


def test_undecided_sentences_name_what_they_speak_of() -> None:
    """A sentence about a direction names both sides, so that "the value" is nobody's guess."""
    writer = whole()
    for verdict in writer.results.verdicts:
        assert "whether the value is" not in said(verdict, writer)
        assert "that the value is" not in said(verdict, writer)


def test_a_missing_network_s_description_is_counted_and_no_more(tmp_path: Path) -> None:
    """Without runs an exact claim stays "not run", and the text says what the description gives."""
    exact = claim("exact", id="count", quantity="parameters", exact_relation="less", margin=None)
    stated = claim(
        "exact", id="stated", quantity="macs", exact_relation="equal", comparator=None, value=1.0, margin=None
    )
    pair_of(tmp_path, exact, stated)
    shutil.rmtree(tmp_path / "runs" / "second")
    bundle = Bundle.load(tmp_path)
    results = analyse(bundle)
    writer = Writer(bundle, results, ENGLISH, ())
    costs = results.trial("second").costs
    assert costs is not None
    texts = {name: said(results.verdict(name), writer) for name in ("count", "stated")}
    assert {results.verdict(name).outcome for name in texts} == {"not_run"}
    assert writer.numbers.integer(int(costs.parameters.value or 0)) in texts["count"]
    assert "the verdict waits for networks that were built and counted" in texts["count"]
    assert writer.numbers.integer(int(costs.macs.value or 0)) in texts["stated"]
    assert "reproduced" not in texts["count"] + texts["stated"]


def test_other_divisions_are_only_promised_where_they_are_shown() -> None:
    """The first page speaks of other divisions of the images if the reference model was trained on some."""
    words = "on other splits"
    assert words in first_page(whole())
    assert words not in first_page(made())


def test_the_fixed_accuracy_is_a_percentage() -> None:
    """A level of accuracy carries its per cent sign."""
    assert "is 55%." in chapter(made(), "reading")


def test_the_report_speaks_of_no_brackets_on_other_pixels() -> None:
    """Nothing in the whole report explains a mark that cannot be seen in it."""
    text = Page(report_of(small_bundle(seeds=3, grade="unverified"))).all("main")[0].text
    assert "original in brackets" not in text
