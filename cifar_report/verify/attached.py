"""Compares the numbers attached to a report's PDF with those that its bundle gives; the file is not trusted."""

from __future__ import annotations

import math
import re
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cifar_report.bundle.store import read_plain
from cifar_report.errors import SuiteError
from cifar_report.verify.findings import Report

MOST_PDF_BYTES = 64 * 2**20
MOST_UNPACKED_BYTES = 16 * 2**20  # of one stream; the numbers of the whole suite have about 3 MB
MOST_GROUPS = 8  # of objects that are packed together
ROUNDING = 1e-9  # relative; another release of a library may round the last digits of a number in another way

# The report's PDFs are written in one way: each stream is an object of its own, with its dictionary in front.
STREAM = re.compile(
    rb"(?<![0-9])(?P<number>[0-9]{1,9}) 0 obj\s*<<(?P<fields>(?:(?!endobj)[^\x00]){0,2000}?)>>\s*stream\r?\n"
)
EMBEDDED = re.compile(rb"/Type\s*/EmbeddedFile\b")
OBJECTS = re.compile(rb"/Type\s*/ObjStm\b")
ATTACHED = re.compile(rb"/EF\s*<<\s*/U?F\s+([0-9]{1,9})\s+0\s+R")
LENGTH = re.compile(rb"/Length\s+([0-9]{1,9})\b")

Numbers = dict[str, dict[str, Any]]


def attached_numbers(path: Path) -> Numbers:
    """Return the numbers attached to a PDF by id, each with its fields.

    Raises SuiteError where the file is no report of this project.
    """
    try:
        content = read_plain(path, MOST_PDF_BYTES)
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path} cannot be read: {error}") from error
    try:
        return msgspec.json.decode(_attachment(content), type=Numbers)
    except (ValueError, RecursionError, zlib.error) as error:
        raise SuiteError(f"{path} is no report of this project with its numbers attached: {error}") from error


def compare_numbers(attached: Numbers, expected: Numbers, name: str, report: Report) -> None:
    """Add a finding for each number that a PDF says otherwise than the bundle; ``name`` is the PDF's."""
    report.find(name, *(f"{each}: is not attached, but the bundle gives it" for each in expected.keys() - attached))
    report.find(name, *(f"{each}: the bundle gives no such number" for each in attached.keys() - expected))
    for number in attached.keys() & expected.keys():
        report.find(name, *(f"{number}: {problem}" for problem in _other_fields(attached[number], expected[number])))
    report.counts["attached numbers"] += len(attached)
    report.findings.sort()


def _other_fields(attached: dict[str, Any], expected: dict[str, Any]) -> Iterator[str]:
    for field in sorted(attached.keys() | expected.keys()):
        given, right = attached.get(field), expected.get(field)
        if not _same(given, right):
            yield f"{field} is {given!r:.100} in the PDF, but the bundle gives {right!r:.100}"


def _same(one: Any, other: Any) -> bool:
    numbers = {type(one), type(other)} <= {int, float}  # True and False are none
    if numbers and one != other:
        try:
            return math.isclose(one, other, rel_tol=ROUNDING, abs_tol=ROUNDING * ROUNDING)
        except OverflowError:  # a whole number that is larger than any float
            return False
    return bool(one == other) and (numbers or type(one) is type(other))


def _attachment(content: bytes) -> bytes:
    """Return the one file that a PDF carries; raises ValueError unless it is there once and beyond doubt."""
    if not content.startswith(b"%PDF-"):
        raise ValueError("it is no PDF")
    if content.count(b"startxref") != 1:
        raise ValueError("it was cut off, or changed after it was written")
    streams = list(STREAM.finditer(content))
    files = [found for found in streams if EMBEDDED.search(found["fields"])]
    if len(files) != 1:
        raise ValueError(f"it holds {len(files)} attached files, where there must be one")
    number = files[0]["number"]
    groups = [found for found in streams if OBJECTS.search(found["fields"])]
    if len(groups) > MOST_GROUPS:
        raise ValueError("it holds too many groups of objects")
    named = ATTACHED.findall(content)
    for group in groups:
        named += ATTACHED.findall(_unpacked(content, group))
    if named != [number] or len(re.findall(rb"(?<![0-9])%s 0 obj\b" % number, content)) != 1:
        raise ValueError("what it names as attached is not the file that it holds")
    return _unpacked(content, files[0])


def _unpacked(content: bytes, found: re.Match[bytes]) -> bytes:
    length = LENGTH.search(found["fields"])
    if length is None:
        raise ValueError("a stream does not say how long it is")
    end = found.end() + int(length[1])
    if not re.match(rb"\r?\n?endstream", content[end : end + len("\r\nendstream")]):
        raise ValueError("a stream is not as long as it says")
    packed = content[found.end() : end]
    if b"/FlateDecode" not in found["fields"]:
        return packed
    unpacking = zlib.decompressobj()
    plain = unpacking.decompress(packed, MOST_UNPACKED_BYTES)
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError(f"a stream is cut off, or unpacks to more than {MOST_UNPACKED_BYTES} bytes")
    return plain
