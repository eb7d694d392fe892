"""``verify --pdf``: the numbers attached to a report are those of its bundle, and an edited one is named."""

import json
import logging
from dataclasses import replace

import pypdf
import pytest
from verified import made

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.cli import main
from cifar_report.errors import SuiteError
from cifar_report.report import build as writing
from cifar_report.report.build import to_json
from cifar_report.report.document import NUMBERS_NAME
from cifar_report.verify import integrity as pdf
from cifar_report.verify.integrity import attached_numbers, number_differences, verify_bundle, verify_pdf

ACCURACY = "baseline.training.last.test_accuracy"


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Return the PDF report of the bundle that verifies: its first page, with every number attached."""
    output, assemble = tmp_path_factory.mktemp("report"), writing.assemble

    def shorten(writer, *, pictures):
        return replace(assemble(writer, pictures=pictures), contents=(), sections=())

    with pytest.MonkeyPatch.context() as patch:  # what is attached comes neither from figures nor from sections
        patch.setattr(writing, "draw_all", lambda *_, **__: ())
        patch.setattr(writing, "assemble", shorten)
        return writing.build_report(Bundle.load(made()), output)[1]


@pytest.fixture(scope="module")
def numbers():
    return json.loads(to_json(analyse(Bundle.load(made()))))


def page(path, *contents: bytes):
    """Write a PDF of one page with some files attached, by the same program as the report."""
    logging.getLogger("weasyprint").disabled = True
    import weasyprint

    files = [weasyprint.Attachment(string=content, name=NUMBERS_NAME) for content in contents]
    weasyprint.HTML(string="<p>A page.</p>").write_pdf(path, attachments=files)
    return path


def test_the_numbers_of_a_report_are_those_of_its_bundle(report, capsys, numbers):
    """A report agrees with its bundle in every number but for the last digits."""
    assert main(["verify", "--pdf", str(report), str(made())]) == 0
    assert "numbers attached to the PDF (not its words and figures): nothing is wrong" in capsys.readouterr().out
    value = numbers[ACCURACY]["value"] * (1 + 1e-14)
    assert not list(number_differences({**numbers, ACCURACY: {**numbers[ACCURACY], "value": value}}, numbers))


def test_an_edited_number_in_a_pdf_is_named(tmp_path, numbers, capsys):
    """One number that was edited, one taken away and one added are each named, and the exit status is 1."""
    edited = json.loads(json.dumps(numbers))
    edited[ACCURACY]["value"] = 0.9
    edited["invented"] = edited.pop("baseline.training.last.test_loss")
    path = page(tmp_path / "edited.pdf", json.dumps(edited).encode())
    assert main(["verify", "--pdf", str(path), str(made())]) == 1
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("edited.pdf: ")]
    assert len(lines) == 3
    value = numbers[ACCURACY]["value"]
    assert f"edited.pdf: {ACCURACY}: value is 0.9 in the PDF, but the bundle gives {value!r}" in lines
    assert any("invented: the bundle gives no such number" in line for line in lines)
    assert any("test_loss: is not attached" in line for line in lines)


@pytest.mark.parametrize(
    ("field", "value"), [("low", 0.1), ("n", 7), ("runs", []), ("unit", "points"), ("value", None), ("value", 10**400)]
)
def test_every_field_counts(numbers, field, value):
    """Intervals, counts, runs and kinds are compared, whatever stands in their place."""
    found = list(number_differences({**numbers, ACCURACY: {**numbers[ACCURACY], field: value}}, numbers))
    assert [each.split(" ")[1] for each in found] == [field]


@pytest.mark.parametrize(
    ("problem", "contents"),
    [
        ("holds 0 files", ()),
        ("holds 2 files", (b"{}", b"{} ")),
        ("Expected `object`", (b"[1]",)),
        ("malformed", (b"no json",)),
    ],
)
def test_a_pdf_without_our_numbers_is_a_clean_error(tmp_path, problem, contents):
    """A PDF without an attachment, with two or with another one gives one sentence."""
    with pytest.raises(SuiteError, match=problem):
        attached_numbers(page(tmp_path / "case.pdf", *contents))


def test_a_damaged_pdf_is_an_error_or_a_difference(tmp_path, report, numbers):
    """Cut off, no PDF at all, or with a turned bit in the attached numbers: never a traceback, never unnoticed."""
    whole = report.read_bytes()
    start = whole.index(b"stream\n", whole.index(b"/Type /EmbeddedFile"))
    damaged = [b"", b"PK\x03\x04", b"%PDF-1.7\n", whole[: len(whole) // 2]]
    for place in range(start + 10, start + 4000, 199):
        damaged.append(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
    for content in damaged:
        (tmp_path / "damaged.pdf").write_bytes(content)
        try:
            found = attached_numbers(tmp_path / "damaged.pdf")
        except SuiteError:
            continue
        assert list(number_differences(found, numbers))


def test_large_pdfs_and_attachments_are_refused_by_their_size(tmp_path, monkeypatch):
    """An attachment that unpacks beyond the reader's bound, and a file beyond ours, are errors."""
    path = page(tmp_path / "bomb.pdf", bytes(pypdf.filters.ZLIB_MAX_OUTPUT_LENGTH + 1))
    assert path.stat().st_size < 2**20
    with pytest.raises(SuiteError, match="no report of this project"):
        attached_numbers(path)
    monkeypatch.setattr(pdf, "MOST_PDF_BYTES", 100)
    with pytest.raises(SuiteError, match="larger than 100 bytes"):
        attached_numbers(path)


def test_a_pdf_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_bundle(tmp_path, capsys):
    """A malformed PDF is one finding among the bundle's; one that does not exist is bad usage."""
    path = tmp_path / "bad.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    checked = verify_bundle(made())
    verify_pdf(path, made(), checked)
    assert [finding.file for finding in checked.findings] == ["bad.pdf"]
    assert "was not compared" in checked.findings[0].problem
    assert main(["verify", "--pdf", str(tmp_path / "nowhere.pdf"), str(made())]) == 2
    assert "there is no such file" in capsys.readouterr().err
