import json
import re
import shutil
import sys
from functools import cache
from pathlib import Path

import pypdf
import pytest
from built import build, leave
from reports import small_bundle

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.cli import main
from cifar_report.errors import SuiteError, UsageError
from cifar_report.report import build as builder
from cifar_report.report.build import build_report, file_names
from cifar_report.report.document import NUMBERS_NAME
from cifar_report.report.i18n import Numbers, Translation


@pytest.fixture(scope="module")
def bundle(smoke):
    return Bundle.load(smoke.folder)


@pytest.fixture(scope="module")
def results(bundle):
    return analyse(bundle)


@pytest.fixture(scope="module")
def paper(built):
    return pypdf.PdfReader(built.folder / "report.pdf")


@pytest.fixture(scope="module")
def read_page(paper):
    """Return a function that gives the text of a page of the PDF, which takes long: not of all."""
    return cache(lambda number: paper.pages[number - 1].extract_text())


@cache
def small():
    return small_bundle("baseline", seeds=1)


def test_setting_the_report_gives_nothing_to_complain_about(built, paper):
    """WeasyPrint complains of nothing, nothing that trains is imported, and every link leads somewhere."""
    assert (built.complaints, built.unneeded) == ([], [])
    links = [each.get_object() for page in paper.pages for each in page.get("/Annots", [])]
    assert links
    outside = [link["/A"]["/URI"] for link in links if "/A" in link]
    assert all(address.startswith("https://doi.org/") for address in outside)
    assert {str(link["/Dest"]) for link in links if "/A" not in link} <= set(paper.named_destinations)


@pytest.mark.long
def test_the_same_bundle_gives_the_same_bytes(smoke, built, tmp_path):
    """Neither a Greek report beside it (but for the link) nor time zone, locale, hash seed or folder changes a byte."""
    both = build(smoke.folder, tmp_path, "--lang", "all").folder
    assert sorted(path.name for path in both.iterdir()) == sorted(file_names(["en", "el"]))
    for name in file_names(["en"]):
        linked = re.sub(rb'<a href="report\.el\.html"[^>]*>[^<]*</a>', b"", (both / name).read_bytes())
        assert linked == (built.folder / name).read_bytes(), name
    variables = {"TZ": "Asia/Kolkata", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "4711"}
    found = build(smoke.folder, tmp_path, "--check", "--lang", "all", **variables)
    assert found.out == "report: byte for byte what this bundle gives\n"


def test_the_pdf_has_title_tags_bookmarks_and_every_number(paper, bundle, results):
    """It has title, language, dates, bookmarks, tags, the standard of accessibility, and every number as JSON."""
    assert paper.metadata.title == "Image classification on CIFAR-10 with convolutional networks"
    assert paper.metadata["/CreationDate"].startswith(f"D:{re.sub('[-T:]', '', bundle.record.finished[:19])}")
    root = paper.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    assert b'pdfuaid:part="1"' in root["/Metadata"].get_data()
    assert any("Trials" in title for title in _all_titles(paper.outline))
    numbers = json.loads(paper.attachments[NUMBERS_NAME][0])
    assert numbers.keys() == results.data().keys()
    assert numbers["baseline.training.last.test_accuracy"]["value"] == results.trial("baseline").primary.datum.value


def _all_titles(outline):
    for entry in outline:
        if isinstance(entry, list):
            yield from _all_titles(entry)
        else:
            yield entry.title


def test_every_page_but_the_first_bears_the_date_and_its_number(paper, read_page, bundle):
    """Pages bear date and number, and the contents name the page that each section begins on."""
    date = Numbers(Translation("en")).date(bundle.record.finished)
    assert date in " ".join(read_page(1).split())
    for number in (2, 3, 10, len(paper.pages)):
        text = " ".join(read_page(number).split())
        assert date in text, number
        assert re.search(rf"(^| ){number}( |$)", text), number
    text = " ".join(read_page(2).replace("-\n", "").rpartition("Contents")[2].split())
    found = re.findall(r"(Protocol|Conclusions|All claims|References) (\d+)", text)
    assert len(found) == 4
    for title, number in found:
        assert title in read_page(int(number)), title


def test_a_check_names_the_file_that_differs(smoke, built, tmp_path, monkeypatch, capsys):
    """One byte that was changed is found, a missing file too, and nothing is repaired in secret."""

    def build_again(_bundle, output, languages, *, processes=1, **_):
        assert processes > 0
        return [Path(shutil.copy(built.folder / name, output)) for name in file_names(languages)]

    monkeypatch.setattr(builder, "build_report", build_again)  # the same bytes, as a test above finds them
    words = ("report", "--check", "--bundle", str(smoke.folder), "--output", str(tmp_path))
    page, paper = build_again(None, tmp_path, ["en"])
    page.write_bytes(page.read_bytes() + b" ")
    paper.unlink()
    assert main(words) == 1
    assert capsys.readouterr().err.splitlines() == [f"{path} is not what this bundle gives" for path in (page, paper)]
    assert page.read_bytes().endswith(b" ")
    assert not paper.exists()


def test_a_process_that_dies_is_named(tmp_path, monkeypatch):
    """The error says what happened and what to do."""
    monkeypatch.setattr(builder, "_write_both", leave)
    with pytest.raises(SuiteError, match="ended early"):
        build_report(small(), tmp_path, ["en", "el"], processes=2)


def test_a_package_that_is_found_missing_late_is_named(monkeypatch, tmp_path, capsys):
    """Statistics are imported after the command began; where they are missing a sentence says what to install."""

    def without_scipy(*_arguments, **_options):
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(builder, "build_report", without_scipy)
    assert main(["report", "--bundle", str(small().folder), "--output", str(tmp_path)]) == 1
    assert "scipy is not installed: pip install 'cifar-report[train,report,notebook]'" in capsys.readouterr().err


def test_without_the_libraries_for_text_the_html_is_there_and_the_error_helps(tmp_path, monkeypatch):
    """The HTML is written first; the error names the packages to install."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setattr(builder, "draw_all", lambda *_, **__: ())
    with pytest.raises(SuiteError, match=r"libpango-1\.0-0"):
        build_report(small(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_an_unknown_language_and_a_file_that_cannot_be_written_are_named(tmp_path, monkeypatch):
    """An unknown language leaves nothing on the disk, and a file that cannot be written is named."""
    with pytest.raises(UsageError, match="'xx'"):
        build_report(small(), tmp_path / "output", ["en", "xx"])
    assert not (tmp_path / "output").exists()
    monkeypatch.setattr(builder, "draw_all", lambda *_, **__: ())
    (tmp_path / "output").write_text("a file where a folder should be")
    with pytest.raises(SuiteError, match=r"report\.html cannot be written"):
        build_report(small(), tmp_path / "output")
