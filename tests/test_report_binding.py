"""Parts of a report that are set apart come out as one file, in which nothing tells that it was in parts."""

import hashlib
import io
import re
import weakref
from dataclasses import replace
from functools import cache

import pypdf
import pytest

from cifar_report.report.typesetting import binding, front
from cifar_report.report.typesetting.paper import Paper, PartSource
from cifar_report.report.typesetting.setter import Setter, alone, set_paper, shared_out

CREATED = "2026-01-01T01:00:00+00:00"
RULES = """
html { font-family: "Serif Latin"; } th { font-weight: 400; } h2, h3 { font-weight: 400; }
@page { size: 120mm 90mm; margin: 12mm; @bottom-center { content: "page " counter(page); } }
@page title { @bottom-center { content: none; } }
.title { page: title; } .contents, section { break-before: page; }
h2 { bookmark-level: 1; } h3 { bookmark-level: 2; break-before: page; }
.contents a::after { content: " stands on " attr(data-page); }
"""
CHAPTERS = (("one", 3), ("two", 3), ("three", 4))  # and how many sections of a page each has


def page_of(body: str) -> str:
    """Return a document of the test's own."""
    head = f'<meta charset="utf-8"><title>A report</title><style>{RULES}</style>'
    return f'<!DOCTYPE html><html lang="en"><head>{head}</head><body>{body}</body></html>'


def chapter(name: str, sections: int) -> str:
    """Return a chapter with sections, each with a table and a link to each chapter."""
    links = "".join(f'<p><a href="#{other}">to {other}</a></p>' for other, _ in CHAPTERS)
    table = "<table><tr><th>Trial (see 3 0 R)</th></tr><tr><td>baseline</td></tr></table>"
    inner = "".join(f'<h3 id="{name}-{place}">Section {name}-{place}</h3>{table}{links}' for place in range(sections))
    return page_of(f'<section><h2 id="{name}">Chapter {name}</h2>{inner}</section>')


@cache
def paper() -> Paper:
    """Return a report of a title page, contents and three parts."""
    entries = "".join(f'<p><a href="#{name}" data-page="{name}">{name}</a></p>' for name, _ in CHAPTERS)
    first = page_of(f'<div class="title"><h2>A report</h2></div><div class="contents">{entries}</div>')
    parts = tuple(PartSource(chapter(*each), {}) for each in CHAPTERS)
    return Paper(first, parts, CREATED, b'{"accuracy": 0.7}', "Numbers")


def set_by(setters: int) -> bytes:
    """Return the file that some setters make of it."""
    return set_paper(paper(), [alone(Setter()) for _ in range(setters)])


@pytest.fixture(scope="module")
def reader():
    """Return the file that one setter makes, read."""
    return pypdf.PdfReader(io.BytesIO(set_by(1)))


def texts(reader):
    """Return the text of each page."""
    return [page.extract_text() for page in reader.pages]


def test_how_many_set_changes_no_byte():
    """One, two or four setters make the same file, and so does one who has set another report before."""
    assert set_by(1) == set_by(2) == set_by(4)
    setter = Setter()
    broken = replace(paper(), parts=(*paper().parts, PartSource("<p>A page.</p>", None)))
    with pytest.raises(AttributeError):
        set_paper(broken, [alone(setter)])
    assert set_paper(paper(), [alone(setter)]) == set_by(1)


def test_a_setter_forgets_the_report_before():
    """What was laid out for one report, finished or not, is gone when the next one begins."""
    setter = Setter()
    setter.clear()
    setter.lay_out(7, paper().parts[0])
    left = weakref.ref(setter._parts[7].document)
    set_paper(paper(), [alone(setter)])
    assert left() is None
    assert not setter._parts


def test_fonts_of_parts_are_named_apart(reader):
    """Each part has its own set of glyphs, so that no name of one stands for two."""
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    names = [each["/FontName"] for each in objects if isinstance(each, dict) and "/FontName" in each]
    assert len(names) == len(set(names)) == 1 + len(CHAPTERS)
    assert {name.partition("+")[2] for name in names} == {"Serif-Latin"}
    assert all(re.fullmatch(r"/[A-Z]{6}\+Serif-Latin", name) for name in names)


def test_pages_are_numbered_through(reader):
    """Every page but the title's bears its number in the whole, and none stands twice."""
    pages = texts(reader)
    assert len(pages) == 2 + sum(1 + sections for _, sections in CHAPTERS)
    assert "page" not in pages[0]
    for number, text in enumerate(pages[1:], start=2):
        assert text.split().count("page") == 1
        assert f"page {number}" in text, text


def test_the_contents_name_the_pages_of_other_parts(reader):
    """Each entry's number is the page that the chapter begins on."""
    pages = texts(reader)
    for name, _ in CHAPTERS:
        number = next(at for at, text in enumerate(pages, start=1) if f"Chapter {name}" in text)
        assert f"{name} stands on {number}" in " ".join(pages[1].split())


def test_links_lead_from_part_to_part(reader):
    """No link is lost, and each leads to the page of its chapter."""
    links = [(str(each.get_object()["/Dest"]), page) for page in reader.pages for each in page.get("/Annots", [])]
    # In the contents the number behind a name is a link of its own.
    assert len(links) == len(CHAPTERS) * (2 + sum(sections for _, sections in CHAPTERS))
    pages, places = texts(reader), reader.named_destinations
    for name, _ in links:
        assert f"Chapter {name}" in pages[reader.get_destination_page_number(places[name])]
    names = reader.trailer["/Root"]["/Names"]["/Dests"]["/Names"][::2]
    assert [str(name) for name in names] == sorted({str(name) for name in names})


def test_bookmarks_are_those_of_all_parts(reader):
    """They stand in the order of the pages, sections below their chapters, and lead to their pages."""
    pages, found = texts(reader), []

    def walk(entries, depth):
        for entry in entries:
            if isinstance(entry, list):
                walk(entry, depth + 1)
            else:
                found.append((depth, entry.title))
                assert entry.title in pages[reader.get_destination_page_number(entry)]

    walk(reader.outline, 0)
    expected = [(0, "A report")]
    for name, sections in CHAPTERS:
        expected += [(0, f"Chapter {name}"), *((1, f"Section {name}-{place}") for place in range(sections))]
    assert found == expected
    objects = [reader.get_object(number) for number in range(1, reader.trailer["/Size"])]
    assert sum(isinstance(each, dict) and "/Title" in each and "/Dest" in each for each in objects) == len(found)


def elements(reader):
    """Yield every element of the structure tree."""
    waiting = [reader.trailer["/Root"]["/StructTreeRoot"]["/K"][0].get_object()]
    while waiting:
        element = waiting.pop()
        yield element
        kids = element.get("/K", [])
        for kid in kids if isinstance(kids, list) else [kids]:
            below = kid.get_object()
            if isinstance(below, dict) and below.get("/S"):
                assert below["/P"] == element
                waiting.append(below)


def test_every_page_knows_the_elements_on_it(reader):
    """A key stands for one page or one link alone, and leads to elements of that page or of that link."""
    flat = reader.trailer["/Root"]["/StructTreeRoot"]["/ParentTree"]["/Nums"]
    keys = [int(key) for key in flat[::2]]
    assert keys == list(range(len(keys)))
    parents = dict(zip(keys, flat[1::2], strict=True))
    reached = {element.indirect_reference.idnum for element in elements(reader)}
    for page in reader.pages:
        on_page = parents.pop(page["/StructParents"]).get_object()
        assert on_page
        assert {each.get_object()["/Pg"].indirect_reference for each in on_page} == {page.indirect_reference}
        # WeasyPrint keeps what stands in a margin, here the number of the page, out of the tree.
        assert len({each.idnum for each in on_page} - reached) == (page.page_number > 0)
        for each in page.get("/Annots", []):
            assert parents.pop(each.get_object()["/StructParent"]).get_object()["/S"] == "/Link"
    assert not parents


def test_head_cells_have_names_of_their_own(reader):
    """A name stands for one cell in the whole file, and every cell names one that heads it."""
    heads = [element for element in elements(reader) if element["/S"] == "/TH"]
    names = [str(element["/ID"]) for element in heads]
    assert len(set(names)) == len(names) == sum(sections for _, sections in CHAPTERS)
    cells = [element for element in elements(reader) if element["/S"] == "/TD"]
    assert {str(name) for cell in cells for name in cell["/A"]["/Headers"]} == set(names)


def test_the_numbers_are_attached_with_their_size_and_sum(reader):
    """What comes out is what went in, and the file says how long it is and what its MD5 sum is."""
    (content,) = reader.attachments["results.json"]
    assert content == paper().numbers
    file = reader.trailer["/Root"]["/AF"][0]["/EF"]["/F"]
    assert file["/Params"]["/Size"] == len(content)
    assert file["/Params"]["/CheckSum"].original_bytes == hashlib.md5(content, usedforsecurity=False).digest()


def test_words_that_look_like_references_are_left_alone():
    """Numbers in strings and in streams mean nothing; those outside are a file's own."""
    written = b"<</P 3 0 R/T (see \\(3 0 R\\) and 4 0 R)/StructParents 2/K [0 7 4 0 R]>>\nstream\n3 0 R\nendstream"
    expected = b"<</P 30 0 R/T (see \\(3 0 R\\) and 4 0 R)/StructParents 12/K [0 7 40 0 R]>>\nstream\n3 0 R\nendstream"
    assert binding._renumbered(written, {3: 30, 4: 40}, 10) == expected


def test_a_wrong_guess_of_the_front_changes_nothing():
    """However many pages are expected of the front, the contents name the right ones."""
    setter = Setter()
    parts = [setter.lay_out(number, part) for number, part in enumerate(paper().parts)]
    laid_out = [front.lay_out_front(paper().front, parts, pages=guess) for guess in (1, 2, 40)]
    assert {each.extent.pages for each in laid_out} == {2}
    words = [[box.text for box in each.document.pages[1]._page_box.descendants() if hasattr(box, "text")]
             for each in laid_out]  # fmt: skip
    assert words[0] == words[1] == words[2]
    assert any(" stands on 3" in word for word in words[0])


def test_a_front_that_grows_with_its_numbers_comes_to_an_end(monkeypatch):
    """Numbers that push each other to another page and back are set as they are after some rounds."""
    rounds = []

    class Growing:
        def __init__(self, _source, _pictures):
            rounds.append(self)
            self.extent = front.Extent(len(rounds), {}, [])

    monkeypatch.setattr(front, "Part", Growing)
    assert front.lay_out_front("", [], pages=0) is rounds[-1]
    assert len(rounds) == front.MOST_ROUNDS


def test_the_largest_parts_are_shared_out_first():
    """Two setters have as much to do as each other, as far as the parts allow."""
    assert shared_out([191, 366, 252], 2) == [1, 0, 1]
    assert shared_out([5, 5, 5], 1) == [0, 0, 0]
    assert shared_out([], 2) == []
