from functools import cache

import pytest
from suites import simulated

from cifar_report.analysis.results import Study
from cifar_report.registry import load_experiments
from cifar_report.report.i18n import Translation
from cifar_report.report.text.conclusions import STUDIES, front, study_sentence
from cifar_report.report.writer import Writer

BATCH = ("batch_16", "baseline", "batch_64", "batch_128")
SPLITS = ("baseline", "split_43", "split_44", "split_45")


def writer_of(accuracies: dict[str, float], **settings: object) -> Writer:
    chosen = {"seeds": 5, "seed_noise": 0.002, "image_noise": 0.02, "counts": (800, 200, 2000), **settings}
    bundle, results = simulated(trials=tuple(accuracies), accuracies=accuracies, **chosen)
    return Writer(bundle, results, Translation("en"), ())


def said(writer: Writer, study: str = "batch_size") -> str:
    experiment = next(each for each in writer.experiments(*STUDIES) if each.id == study)
    return str(study_sentence(writer, experiment).striptags())


def study(writer: Writer, name: str) -> Study:
    return next(each for each in writer.results.studies if each.experiment == name)


@cache
def clear() -> Writer:
    """Return a writer where one batch size is far better than the others, and one split than the others."""
    return writer_of({"baseline": 0.6, "batch_16": 0.7, "batch_64": 0.6, "batch_128": 0.5,
                      "split_43": 0.6, "split_44": 0.6, "split_45": 0.5})  # fmt: skip


def test_a_study_names_the_trial_that_stands_apart_and_follows_the_data() -> None:
    """A study names the trial that stands apart, follows the data, and tells from which it does not differ."""
    sentence = said(clear())
    assert sentence.startswith("Batch size: Batch size 16 has the highest mean test accuracy, ")
    assert sentence.endswith("and differs significantly from every other trial of the study.")
    swapped = writer_of(dict(zip(BATCH, (0.6, 0.6, 0.7, 0.5), strict=True)))
    assert said(swapped).startswith("Batch size: Batch size 64 has the highest mean test accuracy, ")
    partly = writer_of(dict(zip(BATCH, (0.7, 0.7, 0.5, 0.5), strict=True)))
    ranking = study(partly, "batch_size").ranking
    assert [row.tied for row in ranking] == [True, True, False, False]
    apart, tied = said(partly).split("significantly from ")[1].split(", but not from ")
    assert {"Batch size 64", "Batch size 128"} == set(apart.split(" and "))
    assert tied.rstrip(".") in ("Batch size 16", "Baseline")


@pytest.mark.parametrize(
    ("accuracies", "settings"), [((0.6,) * 4, {"seed_noise": 0.05, "seeds": 3}), ((0.9, 0.6, 0.6, 0.3), {"seeds": 1})]
)
def test_a_study_without_a_significant_difference_says_no_more(accuracies, settings) -> None:
    """Much noise, or one seed however far apart the numbers are, gives a range of means and no winner."""
    sentence = said(writer_of(dict(zip(BATCH, accuracies, strict=True)), **settings))
    assert "no significant difference in accuracy among 4 trials, with means from" in sentence
    assert "highest" not in sentence


def test_no_split_is_called_the_best() -> None:
    """Every study has a sentence of its own, and of splits, which are no setting to choose, none is the best."""
    assert study(clear(), "splits").only_splits
    assert not study(clear(), "batch_size").only_splits
    sentence = said(clear(), "splits")
    assert sentence.startswith("Other splits: the mean accuracies on 4 splits lie from")
    assert "some differ significantly" in sentence
    alike = writer_of(dict.fromkeys(SPLITS, 0.6), seed_noise=0.05)
    assert "without a significant difference" in said(alike, "splits")
    studies = {each.id for each in clear().experiments(*STUDIES)}
    assert {"hidden_neurons", "batch_size", "learning_rate", "dropout_rate", "splits"} <= studies
    assert len({said(clear(), each) for each in studies}) == len(studies)


@pytest.mark.parametrize(("trials", "words"), [((), "not run"), (("batch_16",), "only Batch size 16 has finished")])
def test_a_study_without_partners_says_what_is_missing(trials: tuple[str, ...], words: str) -> None:
    """Without runs nothing is said, and of one trial only that it is alone."""
    assert words in said(writer_of(dict.fromkeys(trials, 0.6)))


def test_fronts_compare_means_and_leave_repetitions_out() -> None:
    """No other split and no parallel run stands on a front; without runs nothing is said of means."""
    accuracies = {"baseline": 0.6, "split_43": 0.9, "baseline_parallel": 0.9, "filters_32": 0.7, "stride_2": 0.5}
    writer = writer_of(accuracies)
    for costs in writer.results.pareto[:2]:
        assert {point.trial for point in costs.points} == {"baseline", "filters_32", "stride_2"}
    text = " ".join(each.striptags() for each in front(writer))
    assert "fewer parameters has a higher mean accuracy than these: Stride 2; Baseline; 32 filters" in text
    bundle, results = simulated(load_experiments(), trials=())
    assert not list(front(Writer(bundle, results, Translation("en"), ())))
