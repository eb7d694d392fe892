"""A printed report that is written and still to be set: data, which another process can be given."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

from cifar_report.report.vector import Picture

NUMBERS_NAME = "results.json"


@dataclass(frozen=True)
class PartSource:
    """A part of the report before it is laid out: its HTML, and those of its pictures that we can draw ourselves."""

    source: str
    pictures: Mapping[str, Picture]


@dataclass(frozen=True)
class Paper:
    """A printed report before it is set: all that another process needs to set it.

    ``front`` is the HTML of what stands before the first chapter, ``parts`` the chapters; in ``front`` an attribute
    ``data-page`` with the name of a place is to become the number of its page. ``numbers`` is the JSON to be attached
    and ``description`` what to call that, ``created`` the date of everything in the file.
    """

    front: str
    parts: tuple[PartSource, ...]
    created: str
    numbers: bytes
    description: str


@dataclass(frozen=True)
class Attached:
    """A file as a PDF holds it: deflated, with the size (bytes) and the MD5 sum of what it was before."""

    deflated: bytes
    size: int
    checksum: str
    description: str
    created: str


def attached(paper: Paper) -> Attached:
    """Return the report's numbers as its PDF holds them: those of ten thousand runs are far smaller this way."""
    checksum = hashlib.md5(paper.numbers, usedforsecurity=False).hexdigest()
    return Attached(zlib.compress(paper.numbers, 9), len(paper.numbers), checksum, paper.description, paper.created)
