"""Findings and the first two pages: sentences that join claims, which follow the data and nothing else."""

import re
from dataclasses import replace
from functools import cache

import pytest
from reports import few_experiments, page_of, small_writer
from suites import simulated, whole

from cifar_report.analysis.results import Datum
from cifar_report.errors import UsageError
from cifar_report.report.build import read_cover
from cifar_report.report.i18n import Translation
from cifar_report.report.sections.claims import conclude
from cifar_report.report.sections.front import title
from cifar_report.report.text.conclusions import abstract, one_run
from cifar_report.report.text.findings import (
    SAY,
    direction_words,
    findings,
    lead,
    main_comparisons,
    shown_effect,
    topic_name,
)
from cifar_report.report.text.trials import judgement
from cifar_report.report.writer import Cover, Writer

TWO = ("baseline", "filters", "second_conv_32")


def writer_of(*ids: str, **settings: object) -> Writer:
    return small_writer(*ids, **{"seeds": 5, "seed_noise": 0.002, "image_noise": 0.005, **settings})


@cache
def apart(first: float, second: float, noise: float = 0.002) -> Writer:
    accuracies = dict.fromkeys(("baseline", "filters_32", "baseline_30_epochs", "filters_32_30_epochs"), first)
    return writer_of(*TWO, accuracies={**accuracies, "second_conv_32": second}, seed_noise=noise)


def group(writer: Writer, name: str) -> str:
    return " ".join(each.striptags() for each in dict(conclude(writer).it["groups"])[SAY.groups[name]])


def test_swapped_data_swap_the_conclusions() -> None:
    """Where two trials' accuracies change places, the topic changes its direction and its group."""
    for first, second, direction, said, other in (
        (0.5, 0.6, "rises", "reproduced", "not_reproduced"),
        (0.6, 0.5, "falls", "not_reproduced", "reproduced"),
    ):
        writer = apart(first, second)
        assert f"Depth: the accuracy {direction}" in group(writer, said)
        assert "Depth" not in group(writer, other)
        four = abstract(writer, findings(writer))[-1].striptags()
        begins = "As the original" if said == "reproduced" else "[Nn]ot as "
        assert re.search(rf"{begins}.*Depth \(the accuracy {direction}\)", four)


def test_without_an_effect_the_conclusions_say_so() -> None:
    """Equal accuracies with little noise rule a gain out; with much noise the topic is open, and no group claims it."""
    equal, noisy = apart(0.6, 0.6), apart(0.6, 0.6, 0.05)
    assert "Depth: a gain of 2 points or more is ruled out" in group(equal, "not_reproduced")
    assert "rises" not in group(equal, "reproduced")
    assert "Depth" not in group(noisy, "reproduced") + group(noisy, "not_reproduced")
    assert re.search(r"open for these topics: .*Depth", group(noisy, "inconclusive"))


def test_what_was_not_measured_before_counts_apart_and_intervals_are_those_of_the_tests() -> None:
    """What the original did not measure counts apart, and the interval shown is that of the test, with its level."""
    writer = Writer(*whole(), Translation("en"), ())
    found = [each for each in writer.results.tallied if each.outcome == "reproduced"]
    measured = sum(each.measured_before for each in found)
    assert 0 < measured < len(found)
    sentence = abstract(writer, ())[2].striptags()
    assert f"{measured} reproduced, {len(found) - measured} supported" in sentence
    topics = {each.verdict.measured_before: set() for each in findings(writer)}
    for each in findings(writer):
        topics[each.verdict.measured_before].add(str(topic_name(writer, each)))
    for name in topics[False] - topics[True]:
        assert f"{name} (" not in abstract(writer, findings(writer))[3].striptags()
    levels = set()
    for each in findings(writer):
        shown, estimate = shown_effect(writer, each).striptags(), each.verdict.estimate
        assert ("90% [" in shown) is (estimate.coverage == pytest.approx(0.9)), shown
        assert writer.numbers.interval(each.effect).replace("\N{NO-BREAK SPACE}", " ") in shown.replace(
            "\N{NO-BREAK SPACE}", " "
        ) or (estimate.low is None)
        levels.add(estimate.coverage)
    assert len(levels) == 2
    for verdict in writer.results.verdicts:
        claim = verdict.claim
        if verdict.reason == "margin_ruled_out" and claim.quantity == "accuracy" and len(claim.subject.trial) > 1:
            trial = writer.results.trial(claim.subject.trial)
            said = judgement(writer, trial, ())[0].striptags()
            decides = claim.comparator and claim.comparator.trial in (trial.trial.one_change, trial.trial.as_written)
            assert not decides or "is ruled out" not in said or "90% [" in said, said


def test_each_change_has_its_row_by_the_first_claim_in_which_it_alone_changes() -> None:
    """No result chooses a row's claim; where more changes that is counted, and what the original compared stands by."""
    writer = Writer(*whole(), Translation("en"), ())
    pairs = main_comparisons(findings(writer))
    shown = {each.experiment.id for each, _ in pairs}
    assert {each.id for each in writer.experiments("trials") if each.number} <= shown
    for each, own in pairs:
        order, topic = [claim.id for claim in each.experiment.claims], (each.experiment, each.topic)
        rivals = [other for other in findings(writer) if (other.experiment, other.topic) == topic]
        single = [order.index(other.verdict.id) for other in rivals if other.changes in (1, None) and other.before]
        assert not single or order.index(each.verdict.id) == min(single)
        assert own is None or own.changes > 1 == each.changes
    effects = [row.cells[1].content.striptags() for row in title(writer)["findings"].rows]
    assert len(effects) == len(pairs)
    assert sum("with 16 changes" in effect for effect in effects) == 1
    beside = sum(own is not None for _, own in pairs)
    assert sum("as the original compared it" in effect for effect in effects) == beside


def test_one_table_holds_every_trial_that_ran() -> None:
    """Every trial stands in one table, best first, with its time."""
    writer = Writer(*whole(), Translation("en"), ())
    rows = [[cell.content.striptags() for cell in row.cells] for row in title(writer)["trials"].rows]
    ran = [trial for trial in writer.results.trials if trial.primary.datum.value is not None]
    assert [row[0] for row in rows] == [writer.trial_title(each.trial) for each in writer.results.ranking]
    assert len(rows) == len(ran)
    assert next(row for row in rows if row[0] == "Baseline")[5] == "1.00"
    ratio = writer.results.verdict("C05b.as_written").estimate
    assert next(row for row in rows if row[0] == "Second convolution, 32 filters")[5] == writer.numbers.number(ratio)


def test_single_seeds_that_point_the_other_way_are_counted() -> None:
    """For each comparison about which single seeds disagree it is told how many would have told the opposite."""
    noisy, calm = apart(0.6, 0.6, 0.05), apart(0.5, 0.7)
    text = " ".join(each.striptags() for each in one_run(noisy))
    verdict = next(each for each in noisy.results.verdicts if each.claim.id == "C05a.as_written")
    signs = [(each.subject - each.comparator) * verdict.estimate.value < 0 for each in verdict.differences]
    assert sum(signs) > 0
    assert re.search(rf"{sum(signs)} of 5: .*Second convolution, 32 filters v. Baseline", text)
    assert "Second convolution, 32 filters v. Baseline" not in " ".join(each.striptags() for each in one_run(calm))


def test_a_finding_on_dead_units_speaks_of_dead_units() -> None:
    """A claim on the share of dead units is a finding of its own kind, and unusual runs are no parameters."""
    writer = writer_of("baseline", "filters", "dead_units")
    measured = {"outcome": "reproduced", "reason": "beyond_margin", "test": "welch"}
    estimate = Datum("share", -0.2, "points", "mean_difference", 5, low=-0.3, high=-0.1)
    verdicts = [
        replace(each, **measured, estimate=estimate) if each.claim.quantity == "dead_units" else each
        for each in writer.results.verdicts
    ]
    told = Writer(writer.bundle, replace(writer.results, verdicts=tuple(verdicts)), writer.translation, ())
    found = [each for each in findings(told) if each.verdict.claim.quantity == "dead_units"]
    assert {(each.kind, direction_words(told, each)) for each in found} == {("dead_units", "fewer of them")}
    text = group(told, "reproduced")
    assert "Dead hidden units: fewer of them, −20.0 points" in text
    counted = re.findall(r"(\d+) of (\d+) statements? about parameters", text)
    assert all(int(count) < sum(each.claim.relation == "exact" for each in verdicts) for _, count in counted)


def test_a_topic_points_from_the_comparator_to_the_trial() -> None:
    """Of “16 filters are better than 32” the finding is what 32 filters bring, so its sign is the other one."""
    writer = apart(0.5, 0.6)
    for each in findings(writer):
        claim, estimate = each.verdict.claim, each.verdict.estimate
        turned = claim.subject.trial.startswith("baseline") and each.kind == "accuracy"
        assert each.effect.value == pytest.approx(-estimate.value if turned else estimate.value)
        if turned:
            assert each.before == claim.subject
            assert each.after == claim.comparator


def test_findings_are_sorted_by_decidedness_and_by_size() -> None:
    """What is decided and not fragile comes first, and a topic shows the comparison that its trial names."""
    writer = Writer(*whole(), Translation("en"), ())
    found = findings(writer)
    assert [each.rank for each in found] == sorted((each.rank for each in found), reverse=True)
    shown = lead(found)
    topics = [topic_name(writer, each) for each in shown]
    assert len(topics) == len(set(topics))
    assert {"Depth", "Width", "Augmentation", "Time", "Dropout", "Padding"} <= set(topics)
    dropout = next(each for each in shown if each.topic == "Dropout")
    assert dropout.before.trial in ("filters_32", "baseline")
    other = next(each for each in found if each.verdict.id == "C10a.as_written.batch_norm")
    assert topic_name(writer, other).striptags() == "Dropout 0.5 v. Batch normalization"
    assert other not in shown
    assert all(each.effect.value >= 1 for each in found if each.effect.unit == "ratio" and not each.verdict.stated)
    assert all("%(" not in direction_words(writer, each) for each in found)


def test_the_best_mean_names_its_stage() -> None:
    """Where an earlier stage has the highest mean, the abstract names it and says what the last one has."""
    bundle, results = simulated(few_experiments("baseline", "model_2"), seeds=3)
    writer = Writer(bundle, results, Translation("en"), ())
    means = {stage.id: stage.primary.test_accuracy.datum.value for stage in results.trial("model_2").stages}
    best = max(means, key=means.get)
    sentence = abstract(writer, ())[1].striptags()
    assert str(writer.trial_name("model_2", best).striptags()) in sentence
    assert ("its last stage" in sentence) is (best != "augmented")


def states(writer: Writer) -> dict[str, str]:
    rows = title(writer)["assignment"].rows
    return {row.cells[0].content.striptags(): row.cells[2].content.striptags() for row in rows}


def test_the_assignment_map_follows_what_has_finished() -> None:
    """A demand is done when all its trials are, part when some can be compared, missing else."""
    ids = ("baseline", "filters", "dense_64", "hidden_neurons", "batch_size", "classical")
    hidden, batch = (
        "Time and success for different numbers of hidden neurons",
        "Time and success for different training",
    )
    timed = {"seeds": 1, "timing": True}
    assert set(states(writer_of(*ids, **timed)).values()) == {"done"}
    some = states(writer_of(*ids, **timed, trials=("baseline", "filters_32", "dense_64", "nearest_centroid")))
    assert some[hidden] == "part: 2 trials are not finished"
    assert next(state for demand, state in some.items() if demand.startswith(batch)) == "missing"
    assert "part: 5 trials are" in next(state for demand, state in some.items() if demand.startswith("Comparison"))
    none = states(writer_of(*ids, trials=()))
    assert set(none.values()) == {"done", "missing"}  # the algorithm and the code need no trial
    other = set(states(writer_of(*ids, **timed, grade="unverified")).values())
    assert other == {"done", "done, on other data"}
    assert states(writer_of(*ids, seeds=1))[hidden].startswith("part")


def test_the_abstract_has_four_sentences_whatever_came_out() -> None:
    """What was done, the best network, the claims and the clearest findings, also where there is nothing."""
    for settings in ({"seeds": 5, "timing": True}, {"seeds": 1}, {"trials": ()}):
        writer = writer_of(*TWO, **settings)
        text = " ".join(each.striptags() for each in abstract(writer, findings(writer)))
        assert len(re.findall(r"[.!?](?=\s|$)", text)) == 4, text


def test_author_and_course_stand_on_the_first_page_and_come_from_a_file_or_an_option(tmp_path) -> None:
    """By default there is none; the file beside the bundle names them, an option goes first, and text stays text."""
    folder = tmp_path / "mine"
    folder.mkdir()
    assert read_cover(folder) == Cover()
    (tmp_path / "mine.toml").write_text('[report]\nauthor = "A <b>"\ncourse = "C"\n', encoding="utf-8")
    assert read_cover(folder) == Cover("A <b>", "C")
    assert read_cover(folder, author="Me") == Cover("Me", "C")
    for cover in (Cover(), Cover("A <b>", "C")):
        writer = writer_of("baseline", seeds=2)
        writer.cover = cover
        page = page_of(writer)
        authors = [each.text for each in page.all("span", "author")]
        assert authors == ([cover.author] if cover.author else [])


@pytest.mark.parametrize("text", ["[report]\nauthor = 3\n", "[report]\nname = 'x'\n", "report = 3\n", "[report"])
def test_a_file_that_names_no_author_is_refused_by_name(tmp_path, text) -> None:
    """Another key, another type and a broken file are told with the file's name."""
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        read_cover(tmp_path / "mine")
