from dataclasses import replace
from functools import cache

import msgspec
import pytest
from reports import Page, few_experiments, report_of, small_bundle
from suites import simulated

from cifar_report.analysis.results import Datum, Sensitivity, Verdict
from cifar_report.bundle import Bundle, write_record
from cifar_report.registry import load_experiments
from cifar_report.report.i18n import Translation
from cifar_report.report.numbers import Numbers
from cifar_report.report.sections.experiments import experiment_view
from cifar_report.report.text.judgement import judgement
from cifar_report.report.text.summary import clearness, summary
from cifar_report.report.text.verdicts import verdict_paragraph
from cifar_report.report.writer import Writer


@cache
def whole():
    """Return a writer of five seeds of every experiment, with a timing pass."""
    bundle, results = simulated(load_experiments(), seeds=5, timing=True)
    return Writer(bundle, results, Translation("en"), ())


def said(verdict: Verdict) -> str:
    """Return a claim's paragraph without its links."""
    return " ".join(sentence.striptags() for sentence in verdict_paragraph(whole(), verdict))


def every_verdict():
    """Return all verdicts with their paragraphs."""
    return [(verdict, said(verdict)) for verdict in whole().results.verdicts]


def test_a_p_value_is_smaller_or_equal_and_never_both():
    """A very small p-value is only said to be smaller."""
    numbers = Numbers(Translation("en"))
    assert numbers.p_statement(0.0004) == "p < 0.001"
    assert numbers.p_statement(0.012) == "p = 0.012"
    texts = [text for _, text in every_verdict()]
    assert any("(p < 0.001, corrected)" in text for text in texts)
    assert not [text for text in texts if "= <" in text]


def test_what_is_near_a_quarter_is_not_called_exact():
    """The sentence about a quarter names the ratio and how near it has to be."""
    text = said(whole().results.verdict("C03a"))
    assert "ratio of the two counts is 0.22" in text
    assert "within a factor of 1.25 of a quarter" in text
    assert not [each for _, each in every_verdict() if "exactly" in each]


def test_two_quantities_are_both_named():
    """Where fitting is compared with prediction, no trial is said to be a tenth of itself."""
    text = said(whole().results.verdict("C16.fit_and_prediction_1_neighbor"))
    assert text.startswith("Fitting time / Prediction time: the former, of “1 nearest neighbour”, is on average")


def test_an_absolute_value_has_no_sign_and_differences_of_shares_are_points():
    """The original's accuracy is no difference, and what could be found of it is said in points."""
    verdict = whole().results.verdict("C13a.accuracy")
    assert "The original's 79.51% lies" in said(verdict)
    assert verdict.detectable.unit == "points"


def test_seeds_are_counted_by_what_the_claim_says():
    """Only a direction has a claimed side; nearness has a margin; "not better" has neither."""
    for verdict, text in every_verdict():
        relation = verdict.claim.relation
        assert "on the claimed side in" not in text or relation in ("greater", "less")
        assert "margin is kept in" not in text or relation in ("equal", "value")
    for words in ("on the claimed side in", "margin is kept in"):
        assert any(words in text for _, text in every_verdict()), words


def test_seeds_are_only_called_lacking_where_more_would_help():
    """A number of seeds is named for directions alone, and only where it is larger than what there is."""
    for verdict, text in every_verdict():
        if "seeds would distinguish a difference" in text:
            assert verdict.claim.relation in ("greater", "less", "not_better")
            assert verdict.seeds_needed.value > verdict.n
    chosen = next(verdict for verdict, text in every_verdict() if "seeds would distinguish a difference" in text)
    enough = replace(chosen, seeds_needed=replace(chosen.seeds_needed, value=chosen.n))
    assert "seeds would distinguish a difference" not in said(enough)


def test_other_tests_make_no_verdict_unstable():
    """A test that five seeds cannot pass is no choice on which a verdict depends; a margin is."""
    verdict = whole().results.verdict("C01a.15_epochs")
    flips = Sensitivity("sign_flip", "reproduced", 0.5, changes=True)
    assert "depends on a choice" not in said(replace(verdict, sensitivity=(flips,)))
    choices = (Sensitivity("margin_halved", "reproduced", 0.5, changes=True),
               Sensitivity("without_seed", "reproduced", 0.5, 3, changes=True), flips)  # fmt: skip
    assert "it would change with half the margin and without seed 3." in said(replace(verdict, sensitivity=choices))
    assert {change.kind for change in whole().results.changes_of_mind}.isdisjoint({"welch", "sign_flip"})


def test_the_clearest_finding_is_far_from_its_margin():
    """A stable verdict comes before every other one, and among them the one that is farthest away."""
    verdict = whole().results.verdict("C01a.15_epochs.validation")

    def contradicted(low: float, high: float, *, stable: bool = True) -> Verdict:
        estimate: Datum = replace(verdict.estimate, value=(low + high) / 2, low=low, high=high)
        return replace(verdict, outcome="not_reproduced", reason="margin_ruled_out", estimate=estimate, stable=stable)

    far, near = contradicted(-0.05, -0.03), contradicted(-0.02, 0.005)
    assert clearness(far) == (True, pytest.approx(4.0))
    assert clearness(near) == (True, pytest.approx(0.5))
    assert clearness(contradicted(-0.05, -0.03, stable=False)) < clearness(near) < clearness(far)
    found = replace(far, reason="beyond_margin", estimate=replace(verdict.estimate, low=0.02, high=0.04))
    assert clearness(found) == (True, pytest.approx(2.0))


def test_a_single_answer_on_images_is_no_mean():
    """The interval of a classifier without seeds is over images, and that is what is said."""
    texts = {trial.id: judgement(whole(), trial, ()) for trial in whole().results.trials}
    assert "of this share of the test images" in " ".join(texts["nearest_centroid"])
    assert "of this mean" in " ".join(texts["baseline"])


def test_a_median_is_not_called_a_mean():
    """Where a run never reached the level, the median stands in for the mean, and the sentence says so."""
    verdict = whole().results.verdict("C01b.epochs_to_accuracy")
    for value in (-10.0, 0.0, 10.0):
        estimate = replace(verdict.estimate, value=value, low=None, high=None)
        median = said(replace(verdict, estimate=replace(estimate, formula="median_difference")))
        mean = said(replace(verdict, estimate=replace(estimate, formula="mean_difference")))
        assert " median " in median
        assert " mean " not in median.split("The ")[0]
        assert " mean " in mean
        assert "median" not in mean


def test_every_claim_is_named_in_a_judgement_of_its_section():
    """Claims about another section's trial (16 filters against 32, the network against neighbours) are counted too."""
    for experiment in load_experiments():
        told = " ".join(" ".join(each) for each in experiment_view(whole(), experiment, "3")["judgements"])
        for claim in experiment.claims:
            assert told.count(f'href="#claim-{claim.id}"') == 1, claim.id


def test_a_difference_that_may_be_zero_is_left_open():
    """An interval that holds zero is followed by the sentence that nothing is decided, any other one is not."""
    rows = {row.trial: row.one_change or row.as_written for row in whole().results.ablation}
    seen = set()
    for trial in whole().results.trials:
        row = next((each for each in whole().results.ablation if each.trial == trial.id), None)
        if row is None or (row.as_written is not None and row.one_change is not None):
            continue
        difference = rows[trial.id].difference
        if difference.value and difference.low is not None:
            holds = difference.low <= 0 <= difference.high
            seen.add(holds)
            assert ("cannot tell which of the two" in " ".join(judgement(whole(), trial, ()))) == holds
    assert seen == {True, False}


def test_only_the_write_ups_comparisons_are_called_its_own():
    """A trial that the write-up does not have is compared by this suite alone."""
    for trial in whole().results.trials:
        if "which is the write-up's" in " ".join(judgement(whole(), trial, ())):
            assert trial.trial.published is not None


def test_claims_that_were_changed_are_warned_of():
    """When the record says that claims changed after training, nothing says that they were fixed, captions neither."""
    bundle = small_bundle(seeds=5, timing=True)
    fixed = report_of(bundle)
    assert "have not changed since" in fixed
    assert "written down before its first run was trained" in fixed
    assert not captions(fixed, "changed after runs had been trained")
    write_record(bundle.folder, msgspec.structs.replace(bundle.record, claims_changed=True))
    changed = report_of(Bundle.load(bundle.folder))
    assert "were changed after runs of this bundle" in Page(changed).all("div", "warning")[0].text
    assert "have not changed since" not in changed
    assert "written down before its first run was trained" not in changed
    assert len(captions(changed, "changed after runs had been trained")) == 3  # margins, verdicts, registry


def captions(source: str, words: str) -> list[str]:
    """Return the captions of tables that hold some words."""
    return [each.text for each in Page(source).all("caption") if words in each.text]


@pytest.mark.parametrize(("grade", "beside"), [("canonical", True), ("unverified", False)])
def test_the_first_page_sets_the_original_beside_canonical_pixels_only(grade, beside):
    """The write-up's accuracy stands on the first page where the judgements hold it against ours, and only there."""
    bundle, results = simulated(few_experiments("baseline"), seeds=3, grade=grade)
    words = " ".join(sentence.striptags() for sentence in summary(Writer(bundle, results, Translation("en"), ())))
    assert "The reference model" in words
    assert ("where the write-up reported" in words) is beside


def test_a_confounded_comparison_is_only_named_where_it_is_told():
    """Where the write-up's partner did not run, nothing is said of how many things its comparison changes."""
    pair = ("filters_32", "second_conv_32")
    for trials, words in ((pair, False), ((*pair, "baseline"), True)):
        bundle, results = simulated(few_experiments("baseline", "filters", "second_conv_32"), trials=trials)
        text = " ".join(judgement(Writer(bundle, results, Translation("en"), ()), results.trial(pair[1]), ()))
        assert "that of “32 filters”" in text
        assert ("changes 2 things at once" in text) is words
        assert ("that of “Baseline”" in text) is words


def test_no_judgement_leaves_open_what_a_claim_has_found():
    """An interval that holds zero is not called undecided where the one-sided test of a claim found a direction."""
    writer = whole()
    open_ended = "cannot tell which of the two"
    chosen = next(
        trial.id
        for trial in writer.results.trials
        if trial.trial.one_change == trial.trial.as_written
        and open_ended in " ".join(judgement(writer, trial, ()))
        and claims_between(trial.id, trial.trial.one_change)
    )
    found = {verdict.id for verdict in claims_between(chosen, writer.results.trial(chosen).trial.one_change)}
    decided = tuple(
        replace(verdict, outcome="reproduced", reason="beyond_margin") if verdict.id in found else verdict
        for verdict in writer.results.verdicts
    )
    results = replace(writer.results, verdicts=decided)
    other = Writer(writer.bundle, results, Translation("en"), ())
    assert open_ended not in " ".join(judgement(other, results.trial(chosen), ()))


def claims_between(one: str, other: str) -> list[Verdict]:
    """Return the verdicts on claims that hold the test accuracies of two trials against each other."""
    return [
        verdict
        for verdict in whole().results.verdicts
        if verdict.claim.quantity == "accuracy"
        and verdict.claim.comparator is not None
        and {verdict.claim.subject.trial, verdict.claim.comparator.trial} == {one, other}
    ]
