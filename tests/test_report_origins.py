import re
from functools import cache

import pytest
from reports import Page, few_experiments
from suites import simulated

from cifar_report.report.html import render
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import assemble
from cifar_report.report.sections.origins import group_of
from cifar_report.report.writer import Writer, letter


@cache
def report(medium, language="en", grade="canonical"):
    """Return a report of four experiments in one medium, and the writer that wrote it."""
    found, results = simulated(
        few_experiments("baseline", "filters", "batch_size", "learning_rate"), seeds=3, grade=grade
    )
    translation = Translation(language)
    writer = Writer(found, results, translation, (), medium)
    source = render(assemble(writer, pictures=False), translation, medium, found.record.created)
    return source.replace("<wbr>", ""), writer


@pytest.mark.parametrize("grade", ["canonical", "unverified"])
@pytest.mark.parametrize("language", ["en", "el"])
@pytest.mark.parametrize("medium", ["screen", "print"])
def test_every_linked_number_leads_to_a_place_of_its_own(medium, language, grade):
    """On the screen and on paper each number's link has exactly one target, and each target is linked to."""
    source, writer = report(medium, language, grade)
    targets = re.findall(r'\bid="(d-[^"]+)"', source)
    assert len(targets) == len(set(targets)) == len(writer.linked) > 50
    assert set(re.findall(r'href="#(d-[^"]+)"', source)) == set(targets)


@pytest.mark.parametrize(("language", "separator"), [("en", ";"), ("el", "·")])  # ";" is a Greek question mark
def test_on_paper_each_number_stands_with_name_value_interval_and_how_it_was_found(language, separator):
    """A row names what its numbers belong to; together with a number's own name that is the id in the attached file."""
    source, writer = report("print", language)
    heading = writer.word("Numbers of")
    table = next(each for each in Page(source).all("table") if heading in each.text)
    letters = dict(re.findall(r"<b>([a-z]+)</b> ([^<]+?)[.;·] ?(?=<b>|</p>)", source))
    rows = re.findall(r'<th scope="row"><code>([^<]+)</code></th><td>(.*?)</td><td>(.*?)</td>', source)
    found = {}
    for group, numbers, _ in rows:
        for one in re.sub(r"\(([a-z]+)\)" + f"{separator} ", r"(\1)\n", numbers).splitlines():
            name, value, interval, sign = re.fullmatch(
                r'(\S+) <b id="d-[^"]+">([^<]+)</b>(.*) \(([a-z]+)\)', one
            ).groups()
            found[f"{group}.{name}"] = value, interval.strip(), letters[sign]
    assert found.keys() == writer.linked.keys()
    for name, datum in writer.linked.items():
        value, interval, how = found[name]
        assert value == writer.numbers.quantity(datum).replace("<", "&lt;")
        assert interval == ("" if datum.low is None else writer.numbers.interval(datum))
        assert how.endswith(f"n = {datum.n}") or datum.n is None
    assert {"learning_rate_0.0003", "learning_rate_0.003"} <= {group for group, _, _ in rows}, "a point is no end"
    assert len(table.text.splitlines()) < len(writer.linked), "no row a number"


def test_the_runs_behind_a_group_are_named_once():
    """Both sides of a comparison stand beside its numbers, with their first and last seed."""
    source, _ = report("print")
    row = re.search(r"<code>claim\.C01a\.15_epochs</code></th>.*?</tr>", source)
    assert row is not None
    assert row[0].endswith("<td>baseline/seed-0…2, filters_32/seed-0…2</td></tr>")


def test_numbers_are_grouped_by_comparison_trial_or_what_their_id_begins_with():
    """A claim has several comparisons, a trial one row; an id without parts stands for itself."""
    trials = ("baseline", "dropout", "dropout_0.2", "dropout_0.25")
    for name, group in (
        ("claim.C08b.epochs.one_change.estimate", "claim.C08b.epochs.one_change"),
        ("timing.dropout_0.25.epoch_seconds", "timing.dropout_0.25"),
        ("baseline.training.last.test_accuracy", "baseline"),
        ("dropout_0.25.training.last.test_accuracy", "dropout_0.25"),
        ("dropout.against.dropout_0.25", "dropout"),
        ("ranking.pairs", "ranking"),
        ("spread", "spread"),
    ):
        assert group_of(name, trials) == group


def test_there_is_a_letter_for_every_note():
    """After z come aa and ab: no two notes share a letter."""
    letters = [letter(place) for place in range(800)]
    assert letters[:2] + letters[25:29] + [letters[51], letters[52], letters[702]] == [
        *("a", "b", "z", "aa", "ab", "ac"),
        *("az", "ba", "aaa"),
    ]
    assert len(set(letters)) == 800
