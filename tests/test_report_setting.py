"""Pages that are set quickly are the pages that WeasyPrint sets."""

import contextlib
import errno
import gc
import os
import re
import subprocess
import sys
from functools import cache

import pytest
from command import environment
from reports import small_bundle
from weasyprint import HTML

from cifar_report.analysis import analyse
from cifar_report.report.i18n import Translation
from cifar_report.report.pdf import to_paper
from cifar_report.report.sections import assemble
from cifar_report.report.typesetting import light, part, quick
from cifar_report.report.typesetting.paper import Paper
from cifar_report.report.typesetting.setter import Setter, alone, prepare, set_paper
from cifar_report.report.writer import Writer

CREATED = "2026-01-01T01:00:00+00:00"


@cache
def written(language: str) -> Paper:
    """Return a printed report of two experiments that is still to be set."""
    bundle = small_bundle("baseline", "classical", seeds=2)
    translation = Translation(language)
    view = assemble(Writer(bundle, analyse(bundle), translation, (), "print"), pictures=False)
    return to_paper(view, translation, CREATED, b"{}")


def set_alone(paper: Paper) -> bytes:
    """Return the PDF of a report that one sets in this process."""
    return set_paper(paper, [alone(Setter())])


def sources(paper: Paper) -> list[str]:
    """Return the HTML of the front and of each part."""
    return [paper.front, *(each.source for each in paper.parts)]


@pytest.mark.parametrize("language", [pytest.param("en", marks=pytest.mark.long), "el"])
def test_the_short_cuts_change_no_byte(language, monkeypatch):
    """Without any of them WeasyPrint makes the same file."""
    quickly = set_alone(written(language))
    monkeypatch.setattr(part, "quick_setting", contextlib.nullcontext)
    monkeypatch.setattr(light, "well_formed", lambda _source: None)
    assert set_alone(written(language)) == quickly


def inside():
    """Return the parts of WeasyPrint that are replaced, as they are now."""
    return [getattr(place, name) for place, name, _ in quick._replacements()]


def test_nothing_of_the_short_cuts_is_left_behind():
    """WeasyPrint and the collector are as they were, even after an error."""
    before = inside()

    def fail():
        with quick.quick_setting():
            assert not gc.isenabled()
            assert all(one is not other for one, other in zip(inside(), before, strict=True))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert inside() == before
    assert gc.isenabled()


def test_a_version_that_nobody_looked_at_is_left_alone(monkeypatch):
    """The short cuts know the inside of one version."""
    before = inside()
    monkeypatch.setitem(quick.KNOWN_VERSIONS, "weasyprint", "1.0")
    with quick.quick_setting():
        assert inside() == before


def test_the_installed_version_is_the_one_that_was_looked_at():
    """A newer WeasyPrint has to be looked at: until then a report takes a third longer."""
    before = inside()
    with quick.quick_setting():
        assert inside() != before


def test_our_pages_are_well_formed():
    """The templates leave nothing open, so that the quick parser reads them; other text is left to WeasyPrint's."""
    for language in ("en", "el"):
        roots = [light.well_formed(source) for source in sources(written(language))]
        assert {root.tag for root in roots} == {"html"}
        assert sum(len(list(root.iter("td"))) for root in roots) > 100
    assert light.well_formed("<!DOCTYPE html><p>left open") is None
    document = light.LightHTML("<!DOCTYPE html><p>left open")
    assert document.etree_element.find("body/p").text == "left open"


def test_no_place_stands_in_two_parts():
    """A name leads to one place of the whole report, in whichever part."""
    names = [name for source in sources(written("en")) for name in re.findall(r'\bid="([^"]+)"', source)]
    assert len(names) == len(set(names)) > 50


def test_both_parsers_read_the_same():
    """Elements, attributes and words are those that a browser would read."""
    for source in sources(written("el")):
        ours = light.well_formed(source)
        theirs = HTML(string=source, url_fetcher=light.fetcher()).etree_element
        for one, other in zip(ours.iter(), theirs.iter(), strict=True):
            assert (one.tag, one.attrib) == (other.tag, other.attrib)
            assert (one.text or "").strip() == (other.text or "").strip()
            assert (one.tail or "").strip() == (other.tail or "").strip()


def test_what_sets_pages_does_without_results():
    """The process that needs the most memory holds nothing but WeasyPrint."""
    code = "import sys, cifar_report.report.typesetting.setter as setter; setter.prepare(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, timeout=300, check=True
    )
    loaded = set(done.stdout.split())
    assert "weasyprint" in loaded
    assert not loaded & {"numpy", "scipy", "matplotlib", "babel", "jinja2", "msgspec", "cifar_report.analysis"}


def test_a_full_disk_for_typefaces_is_named_when_something_is_set(monkeypatch):
    """A process that gets ready for nothing dies of nothing; one that sets says what was wrong."""

    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(light, "fonts", full)
    monkeypatch.setattr(part, "fonts", full)
    try:
        prepare()
    finally:
        gc.enable()
    with pytest.raises(OSError, match="No space left on device"):
        set_alone(written("en"))


def test_on_paper_places_for_a_break_are_characters():
    """WeasyPrint breaks an id in the middle of a word where the place for a break is an element of its own."""
    source = "".join(sources(written("en")))
    assert "<wbr>" not in source
    assert "C14.\u200bnearest_\u200bcentroid" in source
