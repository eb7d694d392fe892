"""The validators of others: what is read from their answers, what is said of those that cannot run, and that they work.

The real programs are called where they are installed; the session `validate` calls all of them.
"""

import json
import os
import stat
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from command import environment
from reports import Page, small_bundle

from cifar_report.analysis import analyse
from cifar_report.errors import UsageError
from cifar_report.report.environment import render
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import assemble
from cifar_report.report.writer import Writer
from cifar_report.validation import __main__ as validate
from cifar_report.validation import browser, documents, markup, samples, tools
from cifar_report.validation import subjects as building
from cifar_report.validation.bundles import check_schema
from cifar_report.validation.comparison import compare_numbers, numbers_in
from cifar_report.validation.outcomes import MissingTool, Outcome, failing
from cifar_report.validation.sections import html_sections, pdf_sections, without_running_head
from cifar_report.validation.subjects import REFERENCE, simulate, subjects
from cifar_report.validation.validators import VALIDATORS, Subject, Validator, judge

PAGE = """<html><head><title>9</title><style>p {{ width: 7em }}</style></head><body>
<h1>Report</h1><p class="date">January 1, 2026</p>
<h2 id="trials"><span class="number">3</span> Trials</h2>
<p>Accuracy rose by {first} points, to <a href="#d-1">61.67</a>%<sup>a</sup> of 10,000 images.</p>
<details><summary>Data</summary><p>1234567</p></details>
<div class="table-block epochs screen-only"><table><tr><td>0.5555</td></tr></table></div>
<p>Key <code>baseline.accuracy.last</code>, hash <code>3f2a9c…</code>.</p>
<h3>3.2 A larger kernel of a network with a name that needs a second line</h3>
<p>Loss 1.1024, {second} parameters.</p>
<h2 id="appendix-data">Every number</h2><table><tr><td>7.5</td></tr><tr><td>8.25</td></tr></table>
</body></html>"""
PRINTED = """Report
January 1, 2026
Contents
3 Trials ................ 2
1\f3 Trials
Accuracy rose by +1.25 points, to 61.67%a of 10,000 im-
ages. Key baseline.accuracy.
last, hash 3f2a9c...
3 Trials January 1, 2026
2\f3.2 A larger kernel of a network with a name that
needs a second line
Loss 1.1024, 116,010 parameters.
3 Trials January 1, 2026
3\fEvery number
8.25
Every number January 1, 2026
4\f"""


def page(first="+1.25", second="116,010"):
    """Return a small page with two numbers as given."""
    return PAGE.format(first=first, second=second)


def test_the_same_numbers_in_both_give_no_finding():
    """Hyphens, ligatures, footnote letters, broken codes and running heads are no differences."""
    findings, held = compare_numbers(page(), PRINTED)
    assert findings == []
    assert held >= 8


@pytest.mark.parametrize(
    ("source", "printed", "found"),
    [
        (page(first="+1.26"), PRINTED, "“3 Trials”: the PDF lacks +1.26"),
        (page(first="−1.25"), PRINTED, "“3 Trials”: the PDF lacks −1.25"),
        (page(second="116,011"), PRINTED, "the PDF lacks 116,011"),
        (page(), PRINTED.replace("Loss 1.1024", "Loss 1.102"), "the PDF lacks 1.1024"),
        (page(second="1.1024"), PRINTED, "the PDF lacks 1.1024 (1 times)"),
        (page(), PRINTED.replace("accuracy.\nlast", "accuracy.\nbest"), "the code 'baseline.accuracy.last'"),
        (page(), PRINTED.replace("needs a second line", "on one line"), "the PDF has no heading “3.2 A larger"),
        (page(), PRINTED.replace("8.25", "8.26"), "“Every number”: the HTML lacks 8.26"),
        ("<p>nothing</p>", PRINTED, "the HTML has no headings"),
    ],
)
def test_a_wrong_number_is_found(source, printed, found):
    """A number, sign, code or heading of one that the other lacks is named with its section."""
    findings, _ = compare_numbers(source, printed)
    assert len(findings) == 1
    assert found in findings[0]


def test_a_number_of_another_section_does_not_count():
    """What stands in the next section of the PDF is not taken for this one's."""
    moved = PRINTED.replace("Loss 1.1024, 116,010 parameters.", "Loss").replace("8.25", "8.25 1.1024 116,010")
    findings, _ = compare_numbers(page(), moved)
    assert any("3.2" in each and "1.1024" in each for each in findings)


def test_numbers_are_read_as_they_are_written():
    """Greek and English numbers, versions, signs and ranges come out whole; a hyphen is no sign."""
    found = numbers_in("−0,62 έως +1.234,5 · 3.12.0 · 5–7 · CIFAR-10 · 61.67%a · 10−3")
    assert list(found) == ["−0,62", "+1.234,5", "3.12.0", "5", "7", "10", "61.67", "3"]


def test_sections_end_where_the_next_heading_begins():
    """A heading is found as whole lines, after the one before; one that is missing has no section."""
    sections = pdf_sections("One\nTwo ... 3\nOne two\nOne\nfirst\nTwo\nsecond", ["One", "Two", "Three"], "")
    assert sections == {0: "\nTwo ... 3\nOne two\nOne\nfirst\n", 1: "\nsecond"}
    assert without_running_head("text\n3 Trials January 1, 2026\n17\n", "January 1, 2026") == "text"
    assert without_running_head("text 5\n17\n", "January 1, 2026") == "text 5"


def test_tables_have_the_same_numbers_on_the_screen_and_on_paper():
    """What the screen alone shows has no number, so "Table 7" is the same table in both files."""
    bundle, translation = small_bundle("baseline", "batch_size", seeds=2), Translation("en")
    results, captions = analyse(bundle), {}
    for medium in ("screen", "print"):
        view = assemble(Writer(bundle, results, translation, (), medium), pictures=False)
        tables = Page(render(view, translation, medium, bundle.record.created)).all("caption")
        captions[medium] = [each.text for each in tables if each.text.startswith("Table ")]
        unnumbered = [
            each.text for each in tables if "epoch by epoch" in each.text and not each.text.startswith("Table ")
        ]
        assert bool(unnumbered) == (medium == "screen")
    assert captions["screen"] == captions["print"]


def test_what_a_reader_does_not_see_is_left_out():
    """Styles, closed data, the screen's own tables and hidden elements hold nothing that the PDF must have."""
    sections, date = html_sections(page().replace("<p>Loss", "<p hidden>4321</p><p>Loss"))
    text = " ".join(each.text for each in sections)
    assert date == "January 1, 2026"
    assert [word for word in ("1234567", "0.5555", "4321", "7em") if word in text] == []
    assert [each.title for each in sections][1] == "3 Trials"


def test_errors_of_the_markup_checker_are_read():
    """Errors are named with their lines, remarks are none, and an answer that is none is said to be none."""
    answer = {"messages": [{"type": "error", "lastLine": 3, "message": "Stray tag"}, {"type": "info", "message": "x"}]}
    assert markup.markup_errors(json.dumps(answer)) == ["line 3: Stray tag"]
    assert markup.markup_errors('{"version":"26.9.27","messages":[]}') == []
    with pytest.raises(MissingTool, match="Unable to access jarfile"):
        markup.markup_errors("Error: Unable to access jarfile vnu.jar")


def test_judgements_of_verapdf_are_read():
    """A pass is no finding, each broken rule is one, and silence is not taken for a pass."""
    assert documents.broken_rules("PASS 1375387 assertions\n") == []
    assert documents.broken_rules("PASS /tmp/report.pdf ua1\n") == []
    failed = "FAIL /tmp/report.pdf 3a\n  FAIL 6.1.2-1, 1 times: The file header\n"
    assert documents.broken_rules(failed)[-1] == "FAIL 6.1.2-1, 1 times: The file header"
    with pytest.raises(MissingTool, match="NoClassDefFoundError"):
        documents.broken_rules("", "Exception in thread main NoClassDefFoundError")


def test_violations_of_axe_are_read():
    """Each rule that is broken is one finding with an element; a page without anything to judge is one too."""
    node = {"html": "<img src='x'>"}
    broken = {"id": "image-alt", "impact": "critical", "help": "Images must have alternative text", "nodes": [node]}
    assert browser.violations({"violations": [], "passes": [1]}) == []
    (finding,) = browser.violations({"violations": [broken], "passes": []})
    assert "image-alt" in finding
    assert "<img" in finding
    assert browser.violations({"violations": [], "passes": []}) == ["axe-core found nothing to look at"]


def outcomes(*results):
    """Return an outcome for each result, of validators called one, two and three."""
    return [
        Outcome(name, "file", result, note="why")
        for name, result in zip(("one", "two", "three"), results, strict=False)
    ]


def test_a_skipped_validator_fails_only_where_it_should_be_there():
    """Left out is fine at home, an error in CI unless it may be; an objection always counts, and silence too."""
    some = outcomes("passed", "skipped")
    assert failing(some, {}, strict=False) == []
    assert failing(some, {}, strict=True) == ["two did not run: why"]
    assert failing(some, {"two": "no such program here"}, strict=True) == []
    assert failing(outcomes("passed", "failed"), {"two": "reason"}, strict=False) == ["two objects to file"]
    assert failing(outcomes("skipped"), {"one": "reason"}, strict=True) == ["no validator ran"]


def validator(sample, on_file=lambda _: []):
    """Return a validator that answers as told."""
    return Validator("it", lambda subject: (subject.bundle,), on_file, sample, ("broken",))


def test_a_validator_is_believed_only_after_it_objected_to_a_broken_file(tmp_path):
    """One that passes its broken sample fails itself, and judges nothing."""
    subject = Subject("smoke", tmp_path, ())
    results = [each.result for each in judge(validator(lambda _: ["broken"]), (subject,))]
    assert results == ["passed", "passed"]
    (blind,) = judge(validator(lambda _: ["something else"]), (subject,))
    assert blind.result == "failed"
    assert "does not object to broken" in blind.findings[0]


def test_a_validator_that_gives_up_on_a_file_has_not_passed_it(tmp_path):
    """Missing before the sample is "skipped" with the reason; an answer that is none on a real file is a finding."""

    def give_up(_):
        raise MissingTool("it did not answer")

    subject = Subject("smoke", tmp_path, ())
    (skipped,) = judge(validator(give_up), (subject,))
    assert (skipped.result, skipped.note) == ("skipped", "it did not answer")
    _, failed = judge(validator(lambda _: ["broken"], give_up), (subject,))
    assert (failed.result, failed.findings) == ("failed", ("it did not answer",))


def test_reasons_for_leaving_out_must_be_given():
    """An unknown validator or an empty reason is refused; so is a choice of none."""
    assert validate.reasons(["qpdf=not packaged here"]) == {"qpdf": "not packaged here"}
    for words in ("qpdf", "qpdf= ", "qqpdf=reason"):
        with pytest.raises(UsageError, match="give NAME=REASON"):
            validate.reasons([words])
    assert [each.name for each in validate.select(["verapdf"])] == ["veraPDF, PDF/UA-1", "veraPDF, PDF/A-3a"]
    with pytest.raises(UsageError, match="names no validator"):
        validate.select(["nothing of this"])


def test_programs_that_are_not_there_are_named_with_what_to_install(monkeypatch, tmp_path):
    """Without a program on PATH the reason says which one, and how it is got."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CIFAR_REPORT_CACHE", str(tmp_path / "cache"))
    with pytest.raises(MissingTool, match="qpdf is not installed"):
        documents.check_structure(tmp_path / "x.pdf")
    with pytest.raises(MissingTool, match="npm is not installed"):
        tools.npm_packages()
    with pytest.raises(MissingTool, match="javac is not installed"):
        documents.check_archive(tmp_path / "x.pdf")


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the program")
def test_the_program_verapdf_is_used_where_there_is_one(monkeypatch, tmp_path):
    """An installed verapdf is asked for the profile, and its answer counts."""
    program = tmp_path / "verapdf"
    program.write_text('#!/bin/sh\necho "FAIL $6 $5"\necho "  FAIL 7.1-3, asked with $*"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert documents.check_accessibility(tmp_path / "x.pdf")[-1].endswith(f"-v -f ua1 {tmp_path / 'x.pdf'}")


def test_what_comes_from_npm_is_pinned_by_hash():
    """Both packages have one version in both files, a SHA-512, and no address."""
    wanted = json.loads((tools.NPM / "package.json").read_text())["dependencies"]
    text = (tools.NPM / "package-lock.json").read_text()
    packages = json.loads(text)["packages"]
    assert packages.pop("")["dependencies"] == wanted
    assert {name.removeprefix("node_modules/"): each["version"] for name, each in packages.items()} == wanted
    assert all(each["integrity"].startswith("sha512-") for each in packages.values())
    assert "resolved" not in text
    assert "://" not in text


def test_a_simulated_bundle_follows_its_schema_and_a_broken_one_does_not(tmp_path):
    """Every record is read strictly: a field that no schema knows is found, wherever it is."""
    folder = simulate(tmp_path / "smoke")
    assert check_schema(folder) == []
    record = next(folder.glob("runs/*/*/timing.json"))
    record.write_text(json.dumps({**json.loads(record.read_text()), "unheard_of": 1}))
    assert "unheard_of" in check_schema(folder)[0]


def test_a_call_with_bad_options_changes_nothing(tmp_path):
    """Bad usage ends with status 2 and one sentence."""
    command = [sys.executable, "-m", "cifar_report.validation", "--bundle", str(tmp_path)]
    done = subprocess.run(command, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr == f"validate: {tmp_path} is no results bundle\n"


@pytest.mark.parametrize("name", ["qpdf", "numbers", "schema"])
def test_the_light_validators_object_to_their_broken_samples(name, tmp_path):
    """What is installed objects to a broken file; the session `validate` holds all of them to this."""
    (one,) = (each for each in VALIDATORS if name in each.name)
    try:
        found = one.broken(tmp_path)
    except MissingTool as reason:
        pytest.skip(str(reason))
    assert all(any(words in each for each in found) for words in one.expected), found


def test_the_sample_of_a_sound_pdf_is_sound(tmp_path):
    """The PDF that stands for a document without tags is whole, so that validators object to what they should."""
    try:
        assert documents.check_structure(samples.write_pdf(tmp_path / "plain.pdf", samples.PRINTED)) == []
        assert "61.76%" in documents.read_text(tmp_path / "plain.pdf")
    except MissingTool as reason:
        pytest.skip(str(reason))


def test_the_reference_comes_with_other_bundles_and_once(monkeypatch):
    """It is built beside whatever is named, and a single time where it is named itself."""
    monkeypatch.setattr(building, "build", lambda folder, _output: folder)
    monkeypatch.chdir(REFERENCE.parent)
    other = small_bundle("baseline").folder
    for named, built in (([other], [other, REFERENCE]), ([Path("reference")], [Path("reference")])):
        with subjects(named) as (chosen, note):
            assert list(chosen) == built
            assert note == ""


def test_validators_that_work_side_by_side_install_once(monkeypatch, tmp_path):
    """A second installation would delete what the first validator has just begun to read."""
    installed = []

    def npm_ci(place):
        time.sleep(0.2)
        installed.append(place)
        place.mkdir()

    monkeypatch.setattr(tools, "cache", lambda: tmp_path)
    monkeypatch.setattr(tools, "_npm_ci", npm_ci)
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: tools.npm_packages(), range(2)))
    assert len(installed) == 1
    assert found == [installed[0] / "node_modules"] * 2
