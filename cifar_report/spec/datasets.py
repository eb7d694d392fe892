"""Data sets as records: what their images are, how many there are, and whose; the images are no part of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

# Control characters have no place in XML; marks of direction make a text read as another one.
SHOWN = (
    r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]*\Z"
)
Word = Annotated[str, Meta(max_length=200, pattern=SHOWN)]  # a name, hash or title of a stored record
ImageCount = Annotated[int, Meta(ge=0, le=10_000_000)]
Side = Annotated[int, Meta(ge=1, le=1_024)]
Shape = tuple[Side, Side, Annotated[int, Meta(ge=1, le=3)]]  # rows, columns, colours (red, green, blue; or one)


class Dataset(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a bundle says of the data: ``counts`` are images for training (with validation) and for testing.

    ``hashes`` are SHA-256 by the names of the published files, which lie at ``address``.
    """

    name: Word
    classes: Annotated[tuple[Word, ...], Meta(min_length=2, max_length=256)]
    shape: Shape
    counts: tuple[ImageCount, ImageCount]
    licence: Word = ""
    address: Word = ""
    hashes: dict[Word, Word] = {}
    groups: tuple[tuple[int, ...], ...] = ()  # of classes, in which a matrix shows them

    def __hash__(self) -> int:
        """Hash what equal records share; hashes are a dictionary."""
        return hash((self.name, self.classes, self.shape, self.counts))


BUILT_IN = msgspec.toml.decode(
    Path(__file__).with_name("datasets.toml").read_text(encoding="utf-8"), type=dict[str, Dataset]
)
CIFAR10 = BUILT_IN["CIFAR10"]
