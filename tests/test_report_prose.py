"""The prose of the printed report: short, free of stock sentences, and in plain words."""

import re
from collections import Counter
from functools import cache

import pytest
from command import ROOT
from suites import reference

from cifar_report.report.document import render
from cifar_report.report.i18n import Translation
from cifar_report.report.sections import assemble
from cifar_report.report.writer import Writer

WORDS = 10_000  # outside tables
TIMES = 5  # that one sentence may be read, numbers and names masked
WITHOUT = (
    *("table", "figcaption", "caption", "style", "script", "nav", "pre", "dt", "title"),
    r'dl class="labels"',  # chips
    r'span class="badge[^"]*"',
    r'p class="trial-number"',  # a label
)
PLAIN = re.compile(r"nought|held against|\btold apart|\btells? (?!it)[^.]{0,40}\bapart\b|\brecipes?\b", re.IGNORECASE)
SOURCES = (
    "cifar_report/report/**/*.py",
    "cifar_report/report/messages/*.toml",
    "cifar_report/report/tables.toml",
    "templates/**/*",
    "docs/*.md",
    "README.md",
)


@cache
def prose() -> str:
    """Return the printed report of the recorded bundle without tables, chips and captions; names are masked."""
    bundle, results = reference()
    translation = Translation("en")
    view = assemble(Writer(bundle, results, translation, (), "print"), pictures=True)
    source = render(view, translation, "print", bundle.record.created)
    for opening in WITHOUT:
        tag = opening.split()[0]
        source = re.sub(
            rf"<{opening}[ >].*?</{tag}>" if tag == opening else rf"<{opening}>.*?</{tag}>",
            " ",
            source,
            flags=re.DOTALL,
        )
    source = re.sub(r'<span class="trial">.*?</span>( \([^)]*\))?|<a class="claim".*?</a>', "NAME", source)
    source = re.sub(r"</(p|li|dd|h\d|div)>", " ¶ ", source)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", "", source).replace("&nbsp;", " ").replace("\N{NO-BREAK SPACE}", " "))


@pytest.mark.long
def test_the_report_is_short() -> None:
    """Outside its tables the printed report is short, and no sentence stands in it more than a few times."""
    words = [word for word in prose().split() if re.search(r"\w", word)]
    assert 2_000 < len(words) <= WORDS
    masked = re.sub(r"[−+]?\d[\d.,]*%?", "#", prose())
    sentences = [each.strip() for part in masked.split("¶") for each in re.split(r"(?<=[.!?:]) (?=[A-Z<])", part)]
    counts = Counter(each for each in sentences if len(each.split()) > 3)
    assert {sentence: count for sentence, count in counts.items() if count > TIMES} == {}


def test_words_are_plain() -> None:
    """None of the words that the field does not use stands in the report, its messages, its code or the documents."""
    files = [path for pattern in SOURCES for path in ROOT.glob(pattern) if path.is_file()]
    assert len(files) > 40
    found = {f"{path.name}: {match[0]}" for path in files for match in PLAIN.finditer(path.read_text("utf-8"))}
    assert found == set()
