import json
import logging
import zlib
from dataclasses import replace

import pypdf
import pytest
from verified import draw_once, made

from cifar_report.analysis import analyse
from cifar_report.bundle import Bundle
from cifar_report.cli import main
from cifar_report.errors import SuiteError
from cifar_report.report import build as writing
from cifar_report.report.pdf import NUMBERS_NAME, to_json
from cifar_report.verify import attached
from cifar_report.verify.attached import attached_numbers, compare_numbers
from cifar_report.verify.findings import Report
from cifar_report.verify.integrity import verify_bundle, verify_pdf

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
    """Return every number of the bundle, as JSON has them."""
    return json.loads(to_json(analyse(Bundle.load(made()))))


def page(path, *contents: bytes, name: str = NUMBERS_NAME):
    """Write a PDF of one page with some files attached, by the same program as the report."""
    logging.getLogger("weasyprint").disabled = True
    import weasyprint

    files = [weasyprint.Attachment(string=content, name=name) for content in contents]
    weasyprint.HTML(string="<p>A page.</p>").write_pdf(path, attachments=files)
    return path


def test_the_numbers_of_a_report_are_those_of_its_bundle(report, capsys, monkeypatch):
    """A report that was just made agrees with its bundle in every number, and the summary counts them."""
    draw_once(monkeypatch)
    assert main(["verify", "--pdf", str(report), str(made())]) == 0
    assert "numbers attached to the PDF (not its words and figures): nothing is wrong" in capsys.readouterr().out


def test_what_is_read_from_a_report_is_what_a_pdf_reader_sees(report):
    """The attached numbers are found as another program finds them."""
    seen = json.loads(pypdf.PdfReader(report).attachments[NUMBERS_NAME][0])
    assert attached_numbers(report) == seen


def test_an_edited_number_in_a_pdf_is_named(tmp_path, numbers, capsys, monkeypatch):
    """One number that was edited, one taken away and one added are each named, and the exit status is 1."""
    draw_once(monkeypatch)
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


def test_every_other_field_counts_and_rounding_does_not(numbers):
    """Intervals, counts, runs and kinds are compared; the last digits of a number are not."""
    for field, value in (
        ("low", 0.1),
        ("n", 7),
        ("runs", []),
        ("unit", "points"),
        ("value", None),
        ("value", 10**400),
        ("n", True),
    ):
        found = Report()
        compare_numbers({**numbers, ACCURACY: {**numbers[ACCURACY], field: value}}, numbers, "x", found)
        assert [finding.problem.split(" ")[1] for finding in found.findings] == [field]
    found = Report()
    value = numbers[ACCURACY]["value"] * (1 + 1e-14)
    compare_numbers({**numbers, ACCURACY: {**numbers[ACCURACY], "value": value}}, numbers, "x", found)
    assert found.findings == []


def rewrite(source, target, **changes):
    """Copy a PDF with some of its bytes replaced."""
    content = source.read_bytes()
    for before, after in changes.values():
        assert before in content
        content = content.replace(before, after, 1)
    target.write_bytes(content)
    return target


def test_a_pdf_that_is_none_of_ours_is_a_clean_error(tmp_path, report, numbers):
    """Cut off, appended to, without attachment, with two, with something else attached: one sentence, no traceback."""
    whole, data = report.read_bytes(), json.dumps(numbers).encode()
    cases = {
        "is no PDF": b"PK\x03\x04",
        "it was cut off": whole[: len(whole) // 2],
        "changed after it was written": whole + whole[-40:],
        "holds 0 attached files": page(tmp_path / "none.pdf").read_bytes(),
        "holds 2 attached files": page(tmp_path / "two.pdf", data, data + b" ").read_bytes(),
        "Expected `object`": page(tmp_path / "list.pdf", b"[1]").read_bytes(),
        "malformed": page(tmp_path / "text.pdf", b"no json").read_bytes(),
        "not as long as it says": whole.replace(b"/EmbeddedFile", b"/EmbeddedFile/Length 7", 1),
        "not the file that it holds": whole + b"\n1 0 obj\n<</Type /Filespec /EF <</F 1 0 R>>>>\nendobj\n",
    }
    for problem, content in cases.items():
        path = tmp_path / "case.pdf"
        path.write_bytes(content)
        with pytest.raises(SuiteError, match=problem):
            attached_numbers(path)


def test_a_flipped_bit_in_the_attached_numbers_is_found(tmp_path, report, numbers):
    """Damage inside the attached stream is an error or a difference, wherever it strikes."""
    content = report.read_bytes()
    start = content.index(b"stream\n", content.index(b"/Type /EmbeddedFile"))
    for place in range(start + 10, start + 4000, 199):
        changed = bytearray(content)
        changed[place] ^= 4
        (tmp_path / "flipped.pdf").write_bytes(changed)
        found = Report()
        try:
            compare_numbers(attached_numbers(tmp_path / "flipped.pdf"), numbers, "x", found)
        except SuiteError:
            continue
        assert found.findings, place


def test_a_bomb_is_not_unpacked(tmp_path, monkeypatch):
    """A stream that unpacks to more than the bound is refused before it is held, and so is a file that is too large."""
    packed = zlib.compress(bytes(attached.MOST_UNPACKED_BYTES + 1), 9)
    head = b"%%PDF-1.7\n7 0 obj\n<</Type /EmbeddedFile/Filter /FlateDecode/Length %d>>\nstream\n" % len(packed)
    tail = b"\nendstream\nendobj\n8 0 obj\n<</Type /Filespec/EF <</F 7 0 R>>>>\nendobj\nstartxref\n9\n%%EOF\n"
    bomb = tmp_path / "bomb.pdf"
    bomb.write_bytes(head + packed + tail)
    with pytest.raises(SuiteError, match="unpacks to more than"):
        attached_numbers(bomb)
    monkeypatch.setattr(attached, "MOST_PDF_BYTES", 100)
    with pytest.raises(SuiteError, match="larger than 100 bytes"):
        attached_numbers(bomb)


def test_a_pdf_that_cannot_be_read_does_not_hide_what_is_wrong_with_the_bundle(tmp_path, capsys, monkeypatch):
    """A malformed PDF is one finding among the bundle's; one that does not exist is bad usage."""
    draw_once(monkeypatch)
    path = tmp_path / "bad.pdf"
    path.write_bytes(b"%PDF-1.7\n")
    checked = verify_bundle(made())
    verify_pdf(path, made(), checked)
    assert [finding.file for finding in checked.findings] == ["bad.pdf"]
    assert "was not compared" in checked.findings[0].problem
    assert main(["verify", "--pdf", str(tmp_path / "nowhere.pdf"), str(made())]) == 2
    assert "there is no such file" in capsys.readouterr().err
