import re
from html.parser import HTMLParser
from typing import get_args

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from cifar_report.analysis import results
from cifar_report.errors import UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.report import catalog, i18n, names
from cifar_report.report.html import TEMPLATES
from cifar_report.report.i18n import Translation
from cifar_report.report.text.verdicts import SAY
from cifar_report.spec import Family, Quantity, Relation

# What a sentence may say in figures: the data's own facts and the method's own levels, all of them fixed.
ALLOWED = [
    "CIFAR-10", "60,000", "50,000", "10,000", "40,000", "6,000", "32 × 32", "in 10 classes", "November 2024", "SHA-256",
    "F1", "Conv2D", "MaxPooling2D", "15 bins", "s·sqrt(1 + 1/n)",  # names, and the method's fixed choices
    "95%", "80%", ".05", "1.25", "1/n", "0 to 1",
]  # fmt: skip
DECIDED_BY: dict[str, set[str]] = {
    "greater": {"beyond_margin", "margin_ruled_out", "opposite", "undecided"},
    "less": {"beyond_margin", "margin_ruled_out", "opposite", "undecided"},
    "not_better": {"improvement_ruled_out", "improvement_found", "undecided"},
    "equal": {"equivalent", "outside_margin", "undecided"},
    "ratio": {"equivalent", "outside_margin", "undecided"},
    "value": {"equivalent", "outside_margin", "undecided"},
    "onset": {"onset_shown", "onset_ruled_out", "too_few_seeds", "undecided"},
    "exact": {"holds", "does_not_hold"},
}


@pytest.fixture(scope="module")
def source():
    """Return every message of code and templates."""
    return catalog.extract()


def sentences(source):
    """Yield every message but those of experiments, plural forms one by one."""
    for message in source:
        if message.id and not message.context:
            yield from message.id if isinstance(message.id, (list, tuple)) else (message.id,)


def figures_in(text):
    """Return the figures of a text that are neither placeholders nor allowed."""
    text = re.sub(r"%\(\w+\)s", "", text).replace("%%", "%")
    for allowed in ALLOWED:
        text = text.replace(allowed, "")
    return re.findall(r"\d+", text)


class TemplateText(HTMLParser):
    """Collects what a reader sees of a template: text and the attributes that are read out."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_data(self, data):
        """Keep text."""
        self.seen.append(data)

    def handle_starttag(self, _, attrs):
        """Keep what is read out of a tag."""
        self.seen += [value for name, value in attrs if name in ("alt", "title", "aria-label") and value]


def test_no_sentence_of_the_catalogue_holds_a_figure_of_a_result(source):
    """A digit in a sentence is a fixed fact of the data or of the method, or it is a placeholder."""
    assert {text: figures_in(text) for text in sentences(source) if figures_in(text)} == {}


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.name)
def test_no_template_holds_a_figure_of_a_result(path):
    """A digit in a template's text is a fixed fact of the data or of the method."""
    parser = TemplateText()
    parser.feed(re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}", " ", path.read_text(encoding="utf-8"), flags=re.DOTALL))
    assert figures_in(" ".join(parser.seen)) == []


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: path.name)
def test_no_template_names_a_trial_or_calculates(path):
    """Templates show what they are given: they know no trial, and they do no arithmetic."""
    text = path.read_text(encoding="utf-8")
    operators = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow, nodes.Neg)
    environment = Environment(extensions=["jinja2.ext.i18n"])  # noqa: S701 - parsed, never rendered
    environment.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    tree = environment.parse(text)
    assert [node.lineno for node in tree.find_all(operators)] == []
    assert [trial for trial in trials_of(load_experiments()) if re.search(rf"\b{trial}\b", text) and "_" in trial] == []


TOO_MUCH = ["no difference", "prov(e|es|ed|en|ing)", "no effect", "are the same"]


def saying(phrase, texts):
    """Return the texts that hold a phrase as whole words."""
    return [text for text in texts if re.search(rf"\b{phrase}\b", text.lower())]


def texts_of_experiments():
    """Yield the English texts that the experiments bring to the report."""
    for experiment in load_experiments():
        yield from (experiment.question, experiment.change, experiment.explanation)
        for claim in experiment.claims:
            yield from (claim.statement, claim.said)


@pytest.mark.parametrize("phrase", TOO_MUCH)
def test_no_sentence_says_more_than_a_verdict_can(source, phrase):
    """The catalogue never turns a lack of evidence into evidence, nor a verdict into a proof."""
    assert saying(phrase, sentences(source)) == []


@pytest.mark.parametrize("phrase", TOO_MUCH)
def test_no_text_of_an_experiment_says_more_than_a_verdict_can(phrase):
    """What an experiment says of itself and of its claims stays within what data can show."""
    texts = list(texts_of_experiments())
    assert len(texts) > 200
    assert saying(phrase, texts) == []


@pytest.mark.parametrize(
    ("phrase", "sentence"),
    [
        ("no difference", "There is no difference between them."),
        ("prov(e|es|ed|en|ing)", "This proves the claim."),
        ("no effect", "It has no effect."),
        ("are the same", "Both are the same."),
    ],
)
def test_a_sentence_that_says_too_much_is_found(phrase, sentence):
    """The search finds what it looks for, as whole words and nowhere else."""
    assert saying(phrase, [sentence, "It improves."]) == [sentence]


@pytest.mark.parametrize("relation", get_args(Relation))
def test_every_verdict_of_every_relation_has_its_sentence(relation):
    """Whatever a claim says and however it ends, one whole sentence is there for it."""
    assert set(SAY.decided[relation]) == DECIDED_BY[relation]
    decided = set().union(*DECIDED_BY.values())
    for reason in get_args(results.Reason):
        assert reason in SAY.decided[relation] or reason in SAY.undecided or reason in decided
    assert set(get_args(results.Reason)) <= decided | set(SAY.undecided)


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (results.Outcome, names.OUTCOMES),
        (results.Outcome, names.OUTCOME_MEANINGS),
        (results.Undefined, names.UNDEFINED),
        (results.Formula, names.FORMULAS),
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
    """No message is left over where the sentence that used it is gone."""
    code = " ".join(each.read_text(encoding="utf-8") for each in i18n.MESSAGES.parent.rglob("*.py"))
    assert [name for name in vars(i18n.load_messages(path.stem)) if not re.search(rf"\.{name}\b", code)] == []


def test_extracting_twice_gives_the_same_bytes(source):
    """A catalogue changes only when words change."""
    assert catalog.render(source) == catalog.render(catalog.extract())


@pytest.fixture
def greek(tmp_path, monkeypatch, source):
    """Write a complete catalogue in which every message has a mark before it."""
    monkeypatch.setattr(i18n, "LOCALE_FOLDER", tmp_path)
    monkeypatch.setattr(catalog, "LOCALE_FOLDER", tmp_path)
    path = i18n.catalogue_path("el")
    path.parent.mkdir(parents=True)
    fresh = catalog.updated("el", source)
    for message in fresh:
        if message.id and not isinstance(message.id, str):
            message.string = tuple(f"μ {text}" for text in message.id)
        elif message.id:
            message.string = f"μ {message.id}"
    path.write_bytes(catalog.render(fresh))
    i18n._load.cache_clear()
    yield path
    i18n._load.cache_clear()


@pytest.mark.usefixtures("greek")
def test_a_complete_catalogue_has_nothing_to_complain_about(source):
    """A catalogue with every message passes, and its language is offered."""
    assert catalog.complaints("el", source) == []
    assert i18n.available_languages() == ("en", "el")


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (lambda text: text.replace('msgstr "μ airplane"', 'msgstr ""'), "not translated"),
        (lambda text: text.replace('msgid "airplane"', '#, fuzzy\nmsgid "airplane"'), "fuzzy"),
        (lambda text: text.replace('msgid "airplane"', 'msgid "aeroplane"'), "missing"),
        (lambda text: text.replace("μ “%(name)s”", "μ “%(nome)s”"), "other placeholders"),
    ],
    ids=["empty", "fuzzy", "missing", "placeholder"],
)
def test_a_faulty_catalogue_is_complained_about(greek, source, broken, complaint):
    """A message that is empty, fuzzy, gone or has another placeholder is found."""
    text = greek.read_text(encoding="utf-8")
    assert broken(text) != text
    greek.write_text(broken(text), encoding="utf-8")
    assert any(complaint in line for line in catalog.complaints("el", source))


@pytest.mark.usefixtures("greek")
def test_words_and_plural_forms_come_from_the_catalogue():
    """A translation answers in its own language, in the form that the number asks for."""
    translation = Translation("el")
    assert translation.gettext("airplane") == "μ airplane"
    assert translation.ngettext("%(number)s epoch", "%(number)s epochs", 1) == "μ %(number)s epoch"
    assert translation.ngettext("%(number)s epoch", "%(number)s epochs", 2) == "μ %(number)s epochs"


def test_the_written_catalogue_can_be_read_by_others(greek):
    """What is written is a catalogue by Babel's strict reading."""
    with greek.open("rb") as stream:
        assert len(read_po(stream, abort_invalid=True)) > 300


def test_a_language_without_a_catalogue_is_refused_by_name():
    """The error says what was asked for and what there is."""
    with pytest.raises(UsageError, match=r"'fr'.*en"):
        Translation("fr")


def test_a_placeholder_never_lets_markup_through():
    """Whatever is filled into a sentence is escaped unless the writer made it."""
    sentence = Translation("en").sentence("“%(name)s”", {"name": "<script>alert(1)</script>"})
    assert "<script>" not in sentence
    assert "&lt;script&gt;" in sentence
