"""What is said about a trial: the answer to its question first, and no more than its data decide."""

from dataclasses import replace

import pytest
from reports import Page, report_of, small_bundle, small_writer
from suites import reference, whole

from cifar_report.analysis.results import Comparison
from cifar_report.report.i18n import Translation
from cifar_report.report.text.trials import figure_labels, finding, judgement
from cifar_report.report.writer import Writer

PAIR = ("baseline", "filters", "second_conv_32")
CALM = {"seeds": 5, "seed_noise": 0.002, "image_noise": 0.02, "counts": (800, 200, 2000)}


def writer_of(accuracies: dict[str, float], **settings: object) -> Writer:
    return small_writer(*PAIR, **{"trials": tuple(accuracies), "accuracies": accuracies, **CALM, **settings})


def judged(writer: Writer, trial: str) -> list[str]:
    return [str(each.striptags()) for each in judgement(writer, writer.results.trial(trial), ())]


@pytest.mark.parametrize(
    ("second", "settings", "answer"),
    [
        (0.7, {}, "More accurate: Second convolution, 32 filters has a test accuracy of 7"),
        (0.5, {}, "Less accurate: Second convolution, 32 filters has a test accuracy of 5"),
        (0.61, {"seed_noise": 0.06}, "Open: Second convolution, 32 filters has"),
        (0.7, {"seeds": 1}, "Open: Second convolution, 32 filters has a test accuracy"),
    ],
)
def test_a_judgement_begins_with_the_answer_and_follows_the_data(second, settings, answer):
    """Better, worse or open comes first, with both accuracies, and changes with the data alone."""
    writer = writer_of({"baseline": 0.6, "filters_32": 0.6, "second_conv_32": second}, **settings)
    said = judged(writer, "second_conv_32")
    assert said[0].startswith(answer)
    assert "32 filters" in said[0]


@pytest.mark.parametrize(
    ("reason", "found"),
    [("beyond_margin", "worse"), ("opposite", "better"), ("margin_ruled_out", "not_worse"), ("undecided", "open")],
)
def test_a_claim_about_the_same_two_trials_decides_before_the_interval(reason, found):
    """The claim says that 16 filters do better, so what it decides is turned round for the trial with 32."""
    writer = writer_of({"baseline": 0.6, "filters_32": 0.6})
    verdicts = tuple(replace(each, reason=reason, direction_only=False) for each in writer.results.verdicts)
    told = Writer(writer.bundle, replace(writer.results, verdicts=verdicts), writer.translation, ())
    row = next(row for row in told.results.ablation if row.trial == "filters_32")
    assert finding(told, "filters_32", row.one_change) == found


def test_without_a_claim_the_interval_decides():
    """An interval that holds zero leaves the question open, one beside it names the side."""
    writer = writer_of({"baseline": 0.6, "filters_32": 0.6})
    bare = Writer(writer.bundle, replace(writer.results, verdicts=()), writer.translation, ())
    comparison = next(row for row in bare.results.ablation if row.trial == "filters_32").one_change
    for low, high, found in ((-0.01, 0.02, "open"), (0.01, 0.02, "better"), (-0.02, -0.01, "worse")):
        told = Comparison(comparison.comparator, replace(comparison.difference, low=low, high=high), ())
        assert finding(bare, "filters_32", told) == found


def test_the_original_s_comparison_is_told_where_it_ends_otherwise():
    """Against the baseline, which differs in two settings, the answer may be another one; then the text says so."""
    for baseline, words in ((0.75, True), (0.55, False)):
        writer = writer_of({"baseline": baseline, "filters_32": 0.6, "second_conv_32": 0.7})
        text = " ".join(judged(writer, "second_conv_32"))
        assert ("From Baseline, with which the original compared it (2 changes)" in text) is words


def test_what_did_not_run_is_one_line_and_missing_seeds_are_named():
    """A trial without runs has no page of its own, and a missing seed stands in the judgement."""
    page = Page(report_of(small_bundle(trials=("baseline", "filters_32"), failed=(("baseline", 1),), seeds=3)))
    text = " ".join(page.all("main")[0].text.split())
    assert "Not run: 32 filters, 30 epochs." in text
    assert "Run baseline/seed-1 failed" in text


@pytest.mark.parametrize(("grade", "words"), [("canonical", "prediction interval ["), ("unverified", "original 59.6%")])
def test_the_original_s_number_is_compared_on_canonical_pixels_alone(grade, words):
    """Beside ours stands the original's accuracy, with our prediction interval only where the two may be compared."""
    writer = small_writer("baseline", grade=grade, **CALM)
    labels = [str(each.striptags()) for each in figure_labels(writer, writer.results.trial("baseline"))]
    assert any(words in label for label in labels)
    assert any("prediction interval" in label for label in labels) is (grade == "canonical")
    assert any(label == "parameters: 116,010 (as in the original)" for label in labels)


def test_several_devices_are_told_with_speed_parts_of_a_step_equality_and_hardware():
    """Where the parts of a step were timed they are told, else that they were not; logical devices show no cards."""
    said = judged(Writer(*whole(), Translation("en"), ()), "baseline_parallel")
    assert any(each.startswith("On 2 devices its throughput is ") for each in said)
    assert any("pass 60.0%, adding the gradients 10.0%, and updating the weights 20.0%" in each for each in said)
    recorded = judged(Writer(*reference(), Translation("en"), ()), "baseline_parallel")
    assert "Where a step's time goes was not recorded." in recorded
    assert any("share its cores and its memory" in each for each in recorded)
