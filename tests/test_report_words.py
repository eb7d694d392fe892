"""The words of code, templates and catalogues: complete, translated, and never more than the data say."""

import re
from typing import get_args

import pytest
from jinja2 import Environment, nodes
from suites import written

from cifar_report.analysis import results
from cifar_report.errors import UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.report import catalog, i18n, names
from cifar_report.report.document import TEMPLATES
from cifar_report.report.i18n import Translation, catalogue_path, read_catalogue
from cifar_report.report.text.verdicts import SAY
from cifar_report.report.writer import TABLES
from cifar_report.spec import Family, Quantity, Relation

# What a sentence may say in figures: the data's own facts and the method's own levels, all of them fixed.
ALLOWED = [
    "CIFAR-10", "60,000", "50,000", "10,000", "40,000", "6,000", "32 × 32", "in 10 classes", "November 2024", "SHA-256",
    "F1", "Conv2D", "MaxPooling2D", "15 bins", "s·sqrt(1 + 1/n)",  # names, and the method's fixed choices
    "90%", "95%", "80%", "20%", ".05", "1.25", "1.125", "1.5", "1/n", "0 to 1", "60 seeds", "than 60", "side of 1",
    "4 points and 4 robust", "divided by 255", "p = 0.5", "at 5%",
]  # fmt: skip
NEARNESS = {"equivalent", "outside_margin"}
DECIDED_BY: dict[str, set[str]] = {
    "direction": {"beyond_margin", "margin_ruled_out", "opposite"},  # greater and less
    **dict.fromkeys(("equal", "ratio", "value"), NEARNESS),
    "not_better": {"improvement_ruled_out", "improvement_found"},
    "onset": {"onset_shown", "onset_ruled_out"},
    "exact": {"holds", "does_not_hold"},
}
TOO_MUCH = r"\bno difference\b|\bprov(e|es|ed|en|ing)\b|\bno effect\b|\bare the same\b"
TOO_MUCH_IN_GREEK = "αποδεικνύ|αποδείχ|δεν υπάρχει διαφορά|δεν υπάρχουν διαφορές"
GREEK = r"[\u0370-\u03ff\u1f00-\u1fff]"
SAME_IN_BOTH = {
    *("Adam", "F-score", "MaxPooling2D, %(size)s × %(size)s", "Python", "ReLU", "n", "p"),
    *("%(number)s s", "%(how)s; n = %(count)s"),
}


@pytest.fixture(scope="module")
def source():
    return catalog.extract()


def forms(text):
    return (text,) if isinstance(text, str) else tuple(text)


def pairs():
    for message in read_catalogue("el"):
        if message.id:
            yield from zip(forms(message.id), forms(message.string), strict=True)


def bare(text):
    return re.sub(r"%\(\w+\)s", "", text)


def figures(text):
    """Return the numbers of a text, whichever marks separate their digits."""
    return sorted(int(digits) for digits in re.findall(r"\d+", re.sub(r"(?<=\d)[.,](?=\d)", "", bare(text))))


def test_no_sentence_holds_a_figure_of_a_result(source):
    """A digit in a sentence is a fixed fact of the data or of the method, or it is a placeholder."""
    for message in source:
        for text in forms(message.id) if not message.context else ():
            rest = bare(text).replace("%%", "%")
            for allowed in ALLOWED:
                rest = rest.replace(allowed, "")
            assert not re.search(r"\d", rest), text


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.name)
def test_templates_say_nothing_untranslated_and_compute_nothing(path):
    """A template says nothing that is not translated, knows no trial and does no arithmetic."""
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"\{% trans.*?endtrans %\}|\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", text, flags=re.DOTALL)
    assert not re.search(r"\w", re.sub(r"<[^<>]*>|&#?\w+;", " ", text))
    text = path.read_text(encoding="utf-8")
    operators = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg)
    environment = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - parsed, never rendered
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    assert [node.lineno for node in environment.parse(text).find_all(operators)] == []
    assert [trial for trial in trials_of(load_experiments()) if re.search(rf"\b{trial}\b", text) and "_" in trial] == []


def test_no_text_says_more_than_a_verdict_can(source):
    """No sentence turns a lack of evidence into evidence, nor a verdict into a proof, in either language."""
    texts = [text for message in source for text in forms(message.id)]
    assert len(texts) > 1000
    assert [text for text in texts if re.search(TOO_MUCH, text.lower())] == []
    assert [greek for _, greek in pairs() if re.search(TOO_MUCH_IN_GREEK, greek.lower())] == []


def test_every_verdict_of_every_relation_has_its_sentence():
    """Whatever a claim says and however it ends, one whole sentence is there for it."""
    assert {name: set(texts) for name, texts in SAY.decided.items()} == DECIDED_BY
    assert set(get_args(Relation)) - {"greater", "less"} <= set(SAY.decided)
    told = set().union(*DECIDED_BY.values()) | set(SAY.inconclusive) | set(SAY.untested)
    assert set(get_args(results.Reason)) == told


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (results.Outcome, names.OUTCOMES),
        (results.Outcome, names.OUTCOME_MEANINGS),
        (results.trials.Undefined, names.UNDEFINED),
        (results.trials.Formula, names.FORMULAS),
        (Quantity, names.QUANTITIES),
        (Relation, names.RELATIONS),
        (Family, names.FAMILIES),
    ],
)
def test_every_code_has_a_name(kind, table):
    """No code of the analysis reaches a reader untranslated."""
    assert set(get_args(kind)) == set(table)


@pytest.mark.parametrize("path", sorted(i18n.MESSAGES.glob("*.toml")), ids=lambda path: path.stem)
def test_every_message_is_used(path):
    """No message is left over where the code that used it is gone."""
    code = " ".join(each.read_text(encoding="utf-8") for each in i18n.MESSAGES.parent.rglob("*.py"))
    assert [name for name in vars(i18n.load_messages(path.stem)) if not re.search(rf"\.{name}\b", code)] == []


def test_every_table_is_shown():
    """No table is described that no section shows."""
    code = " ".join(each.read_text(encoding="utf-8") for each in i18n.MESSAGES.parent.rglob("*.py"))
    assert [name for name in TABLES if f'"{name}"' not in code] == []


def test_the_greek_catalogue_is_complete_and_as_an_update_writes_it(source):
    """The Greek catalogue is complete, as an update writes it, Greek but for names, with its source's figures."""
    assert catalog.complaints("el", source) == []
    assert catalog.render(catalog.updated("el", source)) == catalogue_path("el").read_bytes()
    worded = {source: bare(greek) for source, greek in pairs() if re.search(r"[^\W\d_]", bare(greek))}
    assert {source for source, greek in worded.items() if not re.search(GREEK, greek)} == SAME_IN_BOTH
    assert {source: greek for source, greek in pairs() if figures(source) != figures(greek)} == {}
    plain = [bare(greek) for _, greek in pairs()]
    assert [text for text in plain if re.search(f"[a-zA-Z]{GREEK}|{GREEK}[a-zA-Z]", text)] == []
    assert [text for text in plain if re.search(r"[?\"]|\.\.\.|(?<!\w)'|'(?!\w)", text)] == []
    questions = {experiment.question for experiment in written()}
    assert {source for source, greek in pairs() if ";" in greek} == questions


def test_plural_forms_follow_greek_and_other_languages_are_refused():
    """One takes the singular, zero and many the plural; a language without a catalogue is refused by name."""
    translation = Translation("el")
    told = [translation.plural(("%(count)s seed", "%(count)s seeds"), each, {"count": each}) for each in (0, 1, 2)]
    assert told == ["0 σπόροι", "1 σπόρος", "2 σπόροι"]
    with pytest.raises(UsageError, match=r"'fr'.*en"):
        Translation("fr")
