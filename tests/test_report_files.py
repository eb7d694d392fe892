import json
import re
import shutil
import sys
from pathlib import Path

import pypdf
import pytest
from built import build, bundle
from elsewhere import leave

from cifar_report.analysis import analyse
from cifar_report.cli import main
from cifar_report.errors import SuiteError, UsageError
from cifar_report.report import build as builder
from cifar_report.report.build import build_report, file_names
from cifar_report.report.document import NUMBERS_NAME


@pytest.fixture(scope="module")
def paper_pages(built):
    """Return the text of each page of the PDF."""
    return [page.extract_text() for page in pypdf.PdfReader(built.folder / "report.pdf").pages]


def test_a_report_never_starts_tensorflow(built):
    """Building a report imports neither TensorFlow nor Keras."""
    assert built.heavy == []


def test_the_same_bundle_gives_the_same_bytes(built, tmp_path):
    """Time zone, locale, hash seed, working directory and the number of processes leave no trace in a file."""
    variables = {"TZ": "Asia/Kolkata", "LC_ALL": "C", "LANG": "C", "PYTHONHASHSEED": "4711"}
    again = build(tmp_path / "again", tmp_path, "el", **variables).folder
    for name in file_names(["el"]):
        assert (built.folder / name).read_bytes() == (again / name).read_bytes(), name


def test_the_pdf_holds_the_numbers_of_the_report(built):
    """Every number is attached to the PDF as JSON, as what it is."""
    reader = pypdf.PdfReader(built.folder / "report.pdf")
    numbers = json.loads(reader.attachments[NUMBERS_NAME][0])
    results = analyse(bundle())
    assert numbers.keys() == results.data().keys()
    assert numbers["baseline.training.last.test_accuracy"]["value"] == results.trial("baseline").primary.datum.value


def test_the_pdf_has_what_a_reader_and_an_archive_need(built):
    """Title, language, dates of the bundle, bookmarks, tags, and the standard of accessibility in the metadata."""
    reader = pypdf.PdfReader(built.folder / "report.pdf")
    assert reader.metadata.title == "Image classification on CIFAR-10 with convolutional networks"
    assert reader.metadata["/CreationDate"].startswith("D:20260101010000")
    root = reader.trailer["/Root"]
    assert root["/Lang"] == "en"
    assert root["/MarkInfo"]["/Marked"]
    metadata = root["/Metadata"].get_data()
    assert b'pdfuaid:part="1"' in metadata
    titles = [entry.title for entry in reader.outline if not isinstance(entry, list)]
    assert any("Trials" in title for title in _all_titles(reader.outline)), titles


def _all_titles(outline):
    for entry in outline:
        if isinstance(entry, list):
            yield from _all_titles(entry)
        else:
            yield entry.title


def test_the_contents_of_the_pdf_name_the_right_pages(paper_pages):
    """A page number in the contents is the number of the page that the section begins on."""
    assert "Contents" in paper_pages[1]
    line = next(text for text in paper_pages[1].splitlines() if "Appendix" in text)
    page = int(line.rstrip().rsplit(".", 1)[-1].strip() or line.split()[-1])
    assert "Every run" in paper_pages[page - 1]


def test_every_page_but_the_first_bears_the_date_and_its_chapter(paper_pages):
    """Running heads and page numbers stand on each page but the first."""
    pages = [" ".join(text.split()) for text in paper_pages]
    assert "January 1, 2026" in pages[0]
    for number, text in enumerate(pages[1:], start=2):
        assert "January 1, 2026" in text, number
        assert re.search(rf"(^| ){number}( |$)", text), number


def test_every_link_of_the_pdf_leads_somewhere(built):
    """Each link inside the PDF has its named place, and no link leaves it."""
    reader = pypdf.PdfReader(built.folder / "report.pdf")
    links = [each.get_object() for page in reader.pages for each in page.get("/Annots", [])]
    assert links
    assert all("/A" not in link for link in links)
    assert {str(link["/Dest"]) for link in links} <= set(reader.named_destinations)


def test_setting_the_report_gives_nothing_to_complain_about(built):
    """WeasyPrint understands every rule and finds every picture."""
    assert built.complaints == []


def test_a_check_names_the_file_that_differs(built, tmp_path, monkeypatch, capsys):
    """One byte that was changed is found, a missing file too, and nothing is repaired in secret."""

    def build_again(_bundle, output, languages, *, processes=1):
        assert processes > 0
        return [Path(shutil.copy(built.folder / name, output)) for name in file_names(languages)]

    monkeypatch.setattr(builder, "build_report", build_again)  # the same bytes, as a test above finds them
    words = ("report", "--check", "--bundle", str(bundle().folder), "--output", str(tmp_path), "--lang", "el")
    page, paper = build_again(bundle(), tmp_path, ["el"])
    assert main(words) == 0
    assert capsys.readouterr().out == f"{tmp_path}: byte for byte what this bundle gives\n"
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
        build_report(bundle(), tmp_path, ["en", "el"], processes=2)


def test_a_package_that_is_found_missing_late_is_named(monkeypatch, tmp_path, capsys):
    """Statistics are imported after the command began; where they are missing a sentence says what to install."""

    def without_scipy(*_arguments, **_options):
        raise ModuleNotFoundError("No module named 'scipy'", name="scipy")

    monkeypatch.setattr(builder, "build_report", without_scipy)
    assert main(["report", "--bundle", str(bundle().folder), "--output", str(tmp_path)]) == 1
    assert "scipy is not installed: pip install -e '.[train,report]'" in capsys.readouterr().err


def test_without_the_libraries_for_text_the_html_is_there_and_the_error_helps(tmp_path, monkeypatch):
    """The HTML is written first; the error names the packages to install."""
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    monkeypatch.setattr(builder, "draw_all", lambda *_, **__: ())
    with pytest.raises(SuiteError, match=r"libpango-1\.0-0"):
        build_report(bundle(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_an_unknown_language_is_refused_before_anything_is_written(tmp_path):
    """Nothing is on disk after a language that is not there."""
    with pytest.raises(UsageError, match="'xx'"):
        build_report(bundle(), tmp_path / "output", ["en", "xx"])
    assert not (tmp_path / "output").exists()


def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """The error says which file could not be written."""
    monkeypatch.setattr(builder, "draw_all", lambda *_, **__: ())
    (tmp_path / "output").write_text("a file where a folder should be")
    with pytest.raises(SuiteError, match=r"report\.html cannot be written"):
        build_report(bundle(), tmp_path / "output")


def test_the_text_of_both_files_agrees(paper_pages):
    """What the first page of the HTML says stands in the PDF too, number by number."""
    text = "".join(paper_pages)
    for trial in analyse(bundle()).trials:
        value = trial.primary.datum.value
        if value is not None:
            assert f"{value * 100:.2f}%" in text
