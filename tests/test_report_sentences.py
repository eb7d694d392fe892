"""What the report's sentences and notes say of claims, trials and the write-up's numbers: no more than is known."""

import re
from dataclasses import replace
from functools import cache

import msgspec
import pytest
from reports import Page, chapter, few_experiments, report_of, small_bundle, small_writer
from suites import simulated
from suites import whole as every_experiment

from cifar_report.analysis.results import Sensitivity, Verdict
from cifar_report.analysis.sensitivity import fragile
from cifar_report.bundle import Bundle, write_record
from cifar_report.report.figures import draw_effects, draw_ladder
from cifar_report.report.i18n import Translation
from cifar_report.report.names import seeds_needed
from cifar_report.report.sections import tables
from cifar_report.report.sections.claims import verdicts
from cifar_report.report.text.conclusions import one_run
from cifar_report.report.text.trials import judgement
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer

ENGLISH = Translation("en")


@cache
def whole() -> Writer:
    return Writer(*every_experiment(), ENGLISH, ())


@cache
def made(grade: str = "canonical", seeds: int = 5) -> Writer:
    """Return a writer of the reference model, the 32 filters and the classifiers, on some pixels."""
    return small_writer(seeds=seeds, grade=grade)


def plain(sentences) -> str:
    return " ".join(each.striptags() for each in sentences)


def said(verdict: Verdict, writer: Writer | None = None) -> str:
    return plain(verdict_paragraph(writer or whole(), verdict))


def every_verdict():
    return [(verdict, said(verdict)) for verdict in whole().results.verdicts]


def judged(trial: str, writer: Writer | None = None) -> str:
    writer = writer or whole()
    return plain(judgement(writer, writer.results.trial(trial), ()))


@pytest.mark.parametrize(
    ("verdict", "words"),
    [
        ("C03a", "their ratio of 0.22"),
        ("C03a", "a quarter within a factor of 1.25"),
        ("C16.fit_and_prediction_1_neighbor", "Prediction time of 1 nearest neighbour / Fitting time of 1 nearest"),
        ("C13a.accuracy", "lies inside our 95% prediction interval"),
        ("C15", "Decided by McNemar's exact test"),
    ],
)
def test_a_sentence_names_what_it_speaks_of(verdict, words):
    """Near a quarter, two quantities, an absolute value and McNemar's test are each called what they are."""
    assert words in said(whole().results.verdict(verdict))


def test_each_paragraph_fits_its_claim_and_its_test():
    """Seeds, margins, tests and corrections are spoken of where the verdict has them, and nowhere else."""
    corrected = set()
    for verdict, text in every_verdict():
        relation = verdict.claim.relation
        assert "on the claimed side in" not in text or relation in ("greater", "less")
        assert ("Seeds a side" in text) is (verdict.seeds_needed is not None)
        assert ("is what is missing;" in text or "is what is missing." in text) is (verdict.reason == "undecided")
        assert ("fragile" in text) is bool(verdict.fragile)
        assert ("McNemar" in text) is (verdict.test == "mcnemar")
        assert ("Whole epochs are decided" in text) is (verdict.test in ("permutation", "sign_flips"))
        assert ("inconclusive" in text) is (verdict.outcome == "inconclusive")
        assert not re.search(r"exactly|= <|  | ;|\(\)", text), text
        for statement in re.findall(r"\(p\s[=<]\s*[\d.]+(?:, corrected)?", text):
            corrected.add(statement.endswith("corrected"))
            assert statement.endswith("corrected") is (verdict.p_corrected is not None)
    assert corrected == {True, False}


def test_what_is_ruled_out_is_called_by_its_side_and_its_margin():
    """A gain of accuracy that is ruled out is an advantage, one of epochs an increase, and the margin is named."""
    ruled = [each for each, _ in every_verdict() if each.reason in ("margin_ruled_out", "improvement_ruled_out")]
    assert ruled
    for verdict in ruled:
        accuracy = verdict.claim.quantity in ("accuracy", "validation_accuracy", "throughput")
        kinds = "advantage|loss" if accuracy else "increase|decrease"
        margin = whole().numbers.quantity(verdict.margin).replace("\N{NO-BREAK SPACE}", " ")
        assert re.search(rf"an? ({kinds}) of {margin} or more is ruled out", said(verdict)), verdict.id


def test_seeds_that_would_decide_are_a_range_or_more_than_60():
    """Seeds needed are told as a range, as at least so many, or as more than 60."""
    chosen = next(verdict for verdict, _ in every_verdict() if verdict.seeds_needed is not None)
    needed = chosen.seeds_needed
    for least, most, words in (
        (8, 20, "8–20"),
        (8, 8, "8"),
        (8, None, "≥\N{NO-BREAK SPACE}8"),
        (None, None, "more than 60"),
    ):
        told = replace(chosen, seeds_needed=replace(needed, value=least, low=least, high=most))
        assert seeds_needed(told, whole().numbers) == words
        assert f": {words}.".replace("\N{NO-BREAK SPACE}", " ") in said(told)


def test_no_detectable_difference_lies_below_the_observed_one_without_a_word():
    """A difference that could have been found and is smaller than the observed one is explained."""
    chosen = next(verdict for verdict, _ in every_verdict() if verdict.detectable and verdict.estimate.unit == "points")
    for share, words in ((0.5, True), (2.0, False)):
        size = abs(chosen.estimate.value) * share
        text = said(replace(chosen, detectable=replace(chosen.detectable, value=size)))
        assert ("less than the observed one" in text) is words


@pytest.mark.parametrize(
    ("claim_id", "test", "words"),
    [
        ("C11a", "permutation", "an exact permutation test of the means"),
        ("C11a", "sign_flips", "exact sign flips of the differences"),
        ("C01a.15_epochs", "all_equal", "There is no spread to test against"),
    ],
)
def test_another_test_is_named(claim_id, test, words):
    """Where epochs are whole or no spread was seen, the text says what decides instead of the t test."""
    verdict = whole().results.verdict(claim_id)
    assert words in said(replace(verdict, test=test))
    assert words not in said(replace(verdict, test="paired_t"))


def test_a_fragile_verdict_names_what_would_change_it():
    """Margins, single runs, missing seeds and the trimmed mean make a verdict fragile; sign flips do not."""
    verdict = whole().results.verdict("C01a.15_epochs")
    flips = Sensitivity("sign_flip", "reproduced", 0.5, changes=True)
    assert "fragile" not in said(replace(verdict, sensitivity=(flips,), fragile=fragile((flips,))))
    choices = (Sensitivity("margin_halved", "reproduced", 0.5, changes=True),
               Sensitivity("without_run", "reproduced", 0.5, 3, "filters_32", changes=True), flips)  # fmt: skip
    told = replace(verdict, sensitivity=choices, fragile=fragile(choices))
    assert "it would change with half the margin and without seed 3 of 32 filters." in said(told)
    assert "fragile" in whole().verdict_badge(told)
    assert {change.kind for change in whole().results.changes_of_mind}.isdisjoint({"sign_flip"})


def test_epochs_images_and_small_ratios_are_called_what_they_are():
    """An onset's epoch has no unit, images are named where they decide, small ratios are told as their inverse."""
    text = said(whole().results.verdict("C09b"))
    assert "epoch 4" in text
    assert "epoch 4 epochs" not in text
    data = whole().results.data()
    assert data["claim.C15.estimate"].formula == "difference_over_images"
    assert data["claim.C14.nearest_centroid.estimate"].formula == "difference_from_fixed"
    assert data["nearest_neighbor_3.against.nearest_neighbor_1"].formula == "difference_over_images"
    verdict = whole().results.verdict("C16.centroid_and_1_neighbor")
    estimate = replace(verdict.estimate, value=1 / 150, low=1 / 246, high=1 / 92)
    text = said(replace(verdict, estimate=estimate))
    assert "1 nearest neighbour has 150 times that of Nearest class centroid" in text
    assert "[92.0, 246]" in text


def test_unusual_runs_and_missing_seeds_are_named_in_the_claims_that_they_concern():
    """A run far from its trial's median and a planned seed without a run stand in the claim, the trial and the row."""
    verdict, results = whole().results.verdict("C05a.one_change"), whole().results
    run = next(each for each in results.trial("filters_32").primary.seeds if each.seed == 1)
    trials = tuple(
        replace(each, unusual=(run._replace(value=0.49),)) if each.id == "filters_32" else each
        for each in results.trials
    )
    writer = Writer(whole().bundle, replace(results, trials=trials), ENGLISH, ())
    told = said(replace(verdict, missing=(("second_conv_32", (3, 4)),)), writer)
    assert "have no finished run: 3 and 4." in told
    assert "seed 1 with 49.0" in judged("filters_32", writer)
    assert "seeds missing" in writer.verdict_badge(replace(verdict, missing=(("second_conv_32", (3,)),), fragile=False))
    assert "supported" in writer.verdict_badge(replace(verdict, outcome="reproduced", fragile=False))


def test_claims_that_were_changed_are_warned_of():
    """When the record says that claims changed after training, nothing says that they were fixed, captions neither."""
    bundle = small_bundle(seeds=5, timing=True)
    fixed = ("have not changed since",)
    html = report_of(bundle)
    assert all(words in html for words in fixed)
    assert "changed after runs had been trained" not in html
    write_record(bundle.folder, msgspec.structs.replace(bundle.record, claims_changed=True))
    html = report_of(Bundle.load(bundle.folder))
    page = Page(html)
    assert "were changed after runs of this bundle" in page.all("div", "warning")[0].text
    assert not any(words in html for words in fixed)
    captions = [each for each in page.all("caption") if "changed after runs had been trained" in each.text]
    assert len(captions) == 2  # verdicts and registry


@pytest.mark.parametrize(("grade", "canonical"), [("canonical", True), ("unverified", False)])
def test_the_original_is_compared_on_canonical_pixels_alone(grade, canonical):
    """Protocol, captions and tables set the original's numbers beside ours, and compare where they may."""
    writer = made(grade)
    baseline = writer.results.trial("baseline")
    table = tables.results(writer, "anywhere", "Title", [baseline])
    assert ("without being compared with ours" in table.caption) is not canonical
    for figure in (draw_ladder(writer.results, ENGLISH), draw_effects("points", writer.results, ENGLISH)):
        assert ("for orientation" in figure.caption) is not canonical
    told = chapter(writer, "protocol")
    assert ("not compared with ours" in told) is not canonical
    assert ("prediction interval" in told) is canonical


def test_with_one_seed_no_interval_is_spoken_of():
    """One seed gives no interval, so figures name none, and no spread that a difference could be measured by."""
    assert "interval" not in draw_ladder(made(seeds=1).results, ENGLISH).inline
    assert "no spread" in plain(one_run(made(seeds=1)))


@pytest.mark.parametrize(
    ("inside", "words"), [(False, "An original in brackets lies outside"), (True, "No original lies outside")]
)
def test_brackets_are_only_explained_where_they_are(inside, words):
    """The note on brackets stands above a table that has some."""
    results = made().results
    changed = tuple(
        replace(each, original_inside=inside) if each.original_inside is not None else each for each in results.verdicts
    )
    writer = Writer(made().bundle, replace(results, verdicts=changed), ENGLISH, ())
    assert words in chapter(writer, "verdicts")
    cells = [row.cells[-1].content.striptags() for row in verdicts(writer).it["table"].rows]
    assert any(cell.startswith("(") for cell in cells) is not inside


def test_rows_of_claims_hold_one_unit_and_say_why_there_is_no_test():
    """A share of seeds stands beside no epoch, and only claims about counts have no test because they are counted."""
    chosen = few_experiments("baseline", "filters", "stride", "batch_norm", "classical")
    writer = Writer(*simulated(chosen, timing=True, grade="unverified"), ENGLISH, ())
    rows = {row.cells[1].content.striptags(): row.cells for row in verdicts(writer).it["table"].rows}
    estimate, margin, p, original = (rows["C09b"][place] for place in (4, 5, 6, 9))
    assert "%" in estimate.content.striptags()
    assert "one epoch to either side" in margin.missing
    assert p.missing is None or "verdict says why" in p.missing
    assert "no share of seeds" in original.missing
    for verdict in writer.results.verdicts:
        assert ("counted" in (rows[verdict.id][6].missing or "")) is (verdict.claim.relation == "exact"), verdict.id
