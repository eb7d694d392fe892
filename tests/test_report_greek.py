import re
import shutil
import subprocess

import pytest

from cifar_report.registry import load_experiments
from cifar_report.report import catalog
from cifar_report.report.i18n import Translation, catalogue_path, read_catalogue

GREEK = re.compile(r"[\u0370-\u03ff\u1f00-\u1fff]")
MIXED = re.compile(r"[a-zA-Z][\u0370-\u03ff\u1f00-\u1fff]|[\u0370-\u03ff\u1f00-\u1fff][a-zA-Z]")
SAME_IN_BOTH = {"Adam", "F-score", "MaxPooling2D, %(size)s × %(size)s", "Python", "ReLU", "%(number)s s", "n", "p"}
WITHOUT_WORDS = SAME_IN_BOTH | {";", "%(how)s; n = %(count)s"}
TOO_MUCH = ("αποδεικνύ", "αποδείχ", "δεν υπάρχει διαφορά", "δεν υπάρχουν διαφορές")


def texts(value):
    """Return the forms of a message: one, or its singular and its plural."""
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


def pairs():
    """Yield each source form with its Greek one."""
    for message in read_catalogue("el"):
        if message.id:
            yield from zip(texts(message.id), texts(message.string), strict=True)


def figures(text):
    """Return the numbers of a text, whichever marks separate their digits."""
    bare = re.sub(r"%\(\w+\)s", "", text)
    return sorted(int(digits) for digits in re.findall(r"\d+", re.sub(r"(?<=\d)[.,](?=\d)", "", bare)))


def test_every_message_has_a_greek_translation_with_its_placeholders():
    """The Greek catalogue must hold every message, none of them fuzzy or stale, each with its placeholders."""
    assert catalog.complaints("el", catalog.extract()) == []


def test_updating_the_catalogue_changes_nothing():
    """The stored file must be byte for byte what an update writes, or its order and flags would drift."""
    assert catalog.render(catalog.updated("el", catalog.extract())) == catalogue_path("el").read_bytes()


@pytest.mark.skipif(shutil.which("msgfmt") is None, reason="GNU gettext is not installed")
def test_gettext_accepts_the_catalogue(tmp_path):
    """Msgfmt must accept the catalogue with all its checks, and refuse it once a placeholder is gone."""
    command = ("msgfmt", "--check", "--check-accelerators", "-o", str(tmp_path / "report.mo"))
    subprocess.run((*command, str(catalogue_path("el"))), check=True, capture_output=True)
    broken = tmp_path / "broken.po"
    whole = catalogue_path("el").read_text(encoding="utf-8")
    broken.write_text(whole.replace("Πίνακας %(number)s.", "Πίνακας %(numbers)s."), encoding="utf-8")
    assert subprocess.run((*command, str(broken)), check=False, capture_output=True).returncode != 0


def test_what_has_words_is_greek():
    """A translation must have Greek letters, unless it is one of the few names and symbols that stay as they are."""
    left = {
        source
        for source, greek in pairs()
        if re.sub(r"%\(\w+\)s", "", greek).strip(" %«»()") and not GREEK.search(re.sub(r"%\(\w+\)s", "", greek))
    }
    assert left == WITHOUT_WORDS
    assert {source for source, greek in pairs() if source == greek} == SAME_IN_BOTH | {"%(what)s %(where)s"}


def test_numbers_of_a_sentence_survive_its_translation():
    """A translation must state exactly the figures of its source, whichever way they are written."""
    assert {source: greek for source, greek in pairs() if figures(source) != figures(greek)} == {}


@pytest.mark.parametrize("phrase", TOO_MUCH)
def test_greek_never_says_more_than_the_data(phrase):
    """No Greek sentence may call something proven, or call a difference absent that was only not seen."""
    assert [greek for _, greek in pairs() if phrase in greek.lower()] == []


def test_greek_is_written_with_greek_signs():
    """Greek must be free of Latin letters inside words, of English marks, and of a semicolon after a statement."""
    written = [greek for _, greek in pairs()]
    assert len(written) > 500
    plain = [re.sub(r"%\(\w+\)s", "", text) for text in written]
    assert [text for text in plain if MIXED.search(text)] == []
    assert [text for text in plain if re.search(r"[?\"]|\.\.\.|(?<!\w)'|'(?!\w)", text)] == []


def test_only_questions_of_experiments_end_in_the_greek_question_mark():
    """No Greek sentence may hold the mark of an English semicolon, which asks in Greek."""
    questions = {experiment.question for experiment in load_experiments()}
    assert {source for source, greek in pairs() if ";" in greek} == questions


def test_plural_forms_follow_greek():
    """One must take the singular, zero and many the plural."""
    forms = ("%(count)s seed", "%(count)s seeds")
    translation = Translation("el")
    assert [str(translation.plural(*forms, count, {"count": count})) for count in (0, 1, 2)] == [
        "0 σπόροι",
        "1 σπόρος",
        "2 σπόροι",
    ]
