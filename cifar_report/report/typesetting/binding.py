"""The parts of a printed report bound into one PDF file.

WeasyPrint writes each part as a file of its own would be: pages, the tree of what they mean, places to link to. The
first part is the file that comes out, with its metadata and attachments; the pages of the others are put behind its
pages, and their objects get numbers behind its objects.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pydyf
from weasyprint.pdf.anchors import add_outlines

from cifar_report.report.typesetting.metadata import attachment, fill, promise_accessibility
from cifar_report.report.typesetting.paper import Attached
from cifar_report.report.typesetting.part import Bookmarks, Extent, Part
from cifar_report.report.typesetting.quick_file import Ready, make_ready

# Inside of strings nothing is meant: pydyf writes each bracket in them behind a backslash.
MEANT = re.compile(rb"\((?:[^\\()]|\\.)*\)|/StructParent(?P<all>s?) (?P<key>\d+)|\b(?P<number>\d+) 0 R\b", re.DOTALL)
STREAM = b"\nstream\n"
FONT_NAMES = {"BaseFont", "FontName"}  # six letters that name the set of glyphs, a plus sign and the font


@dataclass(frozen=True)
class Leaves:
    """What a part puts into the file: all that its pages need, its references still to be renumbered.

    ``pages`` are numbers of objects, ``elements`` references to those at the top of the structure tree; ``parents``
    says by a key which elements hold what is on a page, or a link; ``places`` where each place to link to lies. Of
    ``page_tree`` and ``document`` a file has one: these are the part's numbers for them.
    """

    objects: tuple[Ready, ...]
    pages: tuple[int, ...]
    elements: tuple[bytes, ...]
    parents: tuple[tuple[int, bytes], ...]
    places: tuple[tuple[str, bytes], ...]
    page_tree: int
    document: int


def leaves_of(part: Part, number: int) -> Leaves:
    """Draw a part and return what it puts into the file; ``number`` is no other part's."""
    taken: list[Leaves] = []

    def take(_document: Any, pdf: Any) -> None:
        taken.append(_take_apart(pdf, part.extent.places, number))
        del pdf.objects[3:]  # what was taken need not be written: the root and the list of pages are left

    part.write(take)
    return taken[0]


def bind(front: Part, numbers: Attached, parts: Sequence[Extent], leaves: Sequence[Leaves]) -> bytes:
    """Return the file of a front, whose metadata it has, of the parts behind it, and of the numbers."""

    def put_together(_document: Any, pdf: Any) -> None:
        fill(pdf, numbers)
        for each in leaves:
            _put_behind(pdf, each)
        add_outlines(pdf, list(_bookmarks([front.extent, *parts])))

    promise_accessibility(front.document)
    return front.write(put_together, attachments=[attachment(numbers)])


def _take_apart(pdf: Any, own: Mapping[str, int], number: int) -> Leaves:
    """Return what part ``number`` puts into another file."""
    _name_apart([each for each in pdf.objects if isinstance(each, dict)], number)
    structure = _at(pdf, pdf.catalog["StructTreeRoot"])
    parents, document = _at(pdf, structure["ParentTree"]), _at(pdf, structure["K"][0])
    metadata = _at(pdf, pdf.catalog["Metadata"])
    once = {each.number for each in (pdf.objects[0], pdf.pages, pdf.catalog, structure, parents, document, metadata)}
    make_ready(pdf.objects)
    return Leaves(
        objects=tuple(each for each in pdf.objects if each.number not in once),
        pages=tuple(pdf.pages["Kids"][::3]),
        elements=tuple(document["K"]),
        parents=tuple((key, _data(value)) for key, value in _pairs(parents["Nums"])),
        places=tuple((name, place) for name, place in _places(pdf) if name in own),
        page_tree=pdf.pages.number,
        document=document.number,
    )


def _name_apart(objects: Iterable[Any], number: int) -> None:
    """Give a name of the part's own to what has to be named apart in a file: cells that head others, and fonts.

    WeasyPrint tells sets of glyphs apart by the font alone, and each part has a set of its own.
    """
    for each in objects:
        if "ID" in each:
            each["ID"].string = f"{number}-{each['ID'].string}"  # the cells below it hold this very string
        for key in FONT_NAMES & each.keys():
            letter = (each[key][1] - ord("A") + number + 1) % 26 + ord("A")
            each[key] = b"/%c%b" % (letter, each[key][2:])


def _put_behind(pdf: Any, leaves: Leaves) -> None:
    """Put a part behind what the file holds; its objects become the file's own."""
    structure = _at(pdf, pdf.catalog["StructTreeRoot"])
    parents, document = _at(pdf, structure["ParentTree"]), _at(pdf, structure["K"][0])
    numbers = {leaves.page_tree: pdf.pages.number, leaves.document: document.number}
    for each in leaves.objects:
        before = each.number
        pdf.add_object(each)
        numbers[before] = each.number
    keys = max(parents["Nums"][::2]) + 1
    for each in leaves.objects:
        each.data = _renumbered(each.data, numbers, keys)
    pdf.pages["Kids"] += [part for page in leaves.pages for part in (numbers[page], 0, "R")]
    pdf.pages["Count"] += len(leaves.pages)
    document["K"] += [_renumbered(reference, numbers, keys) for reference in leaves.elements]
    for key, parent in leaves.parents:
        parents["Nums"] += [key + keys, _renumbered(parent, numbers, keys)]
    every = dict(_places(pdf)) | {name: _renumbered(place, numbers, keys) for name, place in leaves.places}
    names = pdf.catalog.setdefault("Names", pydyf.Dictionary())
    flat = [item for name, place in sorted(every.items()) for item in (pydyf.String(name), place)]
    names["Dests"] = pydyf.Dictionary({"Names": pydyf.Array(flat)})


def _bookmarks(parts: Sequence[Extent]) -> Iterator[Any]:
    """Yield the bookmarks of all parts, at the pages that they have in the whole."""
    before = 0
    for part in parts:
        yield from _shifted(part.bookmarks, before)
        before += part.pages


def _shifted(tree: Bookmarks, before: int) -> Bookmarks:
    return [
        (label, (number + before, x, y), _shifted(below, before), state) for label, (number, x, y), below, state in tree
    ]


def _renumbered(data: bytes, numbers: Mapping[int, int], keys: int) -> bytes:
    def meant(found: re.Match[bytes]) -> bytes:
        if (number := found["number"]) is not None:
            return b"%d 0 R" % numbers[int(number)]
        if (key := found["key"]) is not None:
            return b"/StructParent%b %d" % (found["all"], int(key) + keys)
        return found[0]

    head, mark, stream = data.partition(STREAM)
    return MEANT.sub(meant, head) + mark + stream


def _at(pdf: Any, reference: bytes) -> Any:
    """Return the object that a reference means."""
    return pdf.objects[int(reference.split()[0])]


def _pairs(flat: Sequence[Any]) -> Iterator[tuple[Any, Any]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _data(value: Any) -> bytes:
    return value.data if isinstance(value, pydyf.Object) else value  # type: ignore[no-any-return]


def _places(pdf: Any) -> Iterator[tuple[str, bytes]]:
    """Yield the places that one can link to, by name."""
    flat = pdf.catalog.get("Names", {}).get("Dests", {"Names": ()})["Names"]
    return ((name.string, _data(place)) for name, place in _pairs(flat))
