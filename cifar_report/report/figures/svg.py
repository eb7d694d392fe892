"""A drawn figure as SVG inside an HTML page: text stays text, and colours follow the page's theme."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode
from xml.etree import ElementTree

Element = ElementTree.Element
DATA: Final = "data:"  # what a mark's gid begins with
HREF: Final = "{http://www.w3.org/1999/xlink}href"
REFERENCE: Final = re.compile(r"url\(#([^)]+)\)")
COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
LONG: Final = re.compile(r"-?\d+\.\d{3,}")
FAMILY: Final = re.compile(r" ?font-family: [^;]*;?")
GEOMETRY: Final = ("d", "x", "y", "transform", "width", "height")


def data_gid(**values: object) -> str:
    """Return a gid for a matplotlib artist that becomes ``data-…`` attributes of what it draws."""
    return DATA + urlencode({name: "" if value is None else value for name, value in values.items()})


def to_inline(svg: bytes, anchor: str, title: str, alt: str, colours: Mapping[str, str], family: str) -> str:
    """Return matplotlib's SVG as an element of an HTML page.

    Ids begin with ``anchor``; ``colours`` maps those of the drawing to the page's variables, each of which falls back
    on the drawing's own; ``family`` names the faces of its text.
    """
    root = ElementTree.fromstring(svg)  # noqa: S314 - drawn a moment ago
    for each in [*root]:
        if _name(each) == "metadata" or (_name(each) == "defs" and len(each) == 1 and _name(each[0]) == "style"):
            root.remove(each)  # the latter would hold for the whole page
    _number_ids(root, anchor)
    classes: dict[str, str] = {}
    for each in root.iter():
        each.tag = _name(each)
        for name in GEOMETRY:
            if name in each.attrib:
                each.attrib[name] = LONG.sub(_short, " ".join(each.attrib[name].split()))
        style = FAMILY.sub("", each.attrib.pop("style", "")).strip()
        if style == "fill: none":  # an empty background
            each.tag, each.attrib = "g", {}
        elif style:
            each.attrib["class"] = classes.setdefault(style, f"f{len(classes)}")
    _unwrap(root)
    box = root.attrib["viewBox"]
    root.attrib = {"id": anchor, "class": "drawn", "viewBox": box, "role": "img", "aria-label": alt}
    heading, sheet = Element("title"), Element("style")
    heading.text, sheet.text = title, "".join(_rules(anchor, classes, colours, family))
    root[:0] = [heading, sheet]
    root.tail = None
    return ElementTree.tostring(root, encoding="unicode")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _short(number: re.Match[str]) -> str:
    return f"{round(float(number[0]), 2) + 0.0:g}"


def _number_ids(root: Element, anchor: str) -> None:
    """Give what is referred to a short id of this figure, turn marks' gids into data, and drop all other ids."""
    used = {found for each in root.iter() for value in each.attrib.values() for found in REFERENCE.findall(value)}
    used |= {each.attrib[HREF][1:] for each in root.iter() if each.attrib.get(HREF, "").startswith("#")}
    named = [each for each in root.iter() if each.attrib.get("id") in used]
    ids = {each.attrib["id"]: f"{anchor}--{place}" for place, each in enumerate(named)}
    for each in root.iter():
        old = each.attrib.pop("id", "")
        if old in ids:
            each.attrib["id"] = ids[old]
        elif old.startswith(DATA):
            values = parse_qsl(old.removeprefix(DATA), keep_blank_values=True)
            each.attrib |= {f"data-{name}": value for name, value in values if value}
        if HREF in each.attrib:
            address = each.attrib.pop(HREF)
            each.attrib["href"] = f"#{ids[address[1:]]}" if address.startswith("#") else address
        for name, value in each.attrib.items():
            each.attrib[name] = REFERENCE.sub(lambda found: f"url(#{ids[found[1]]})", value)


def _unwrap(element: Element) -> None:
    """Put the content of groups that say nothing in their place, and drop what would draw nothing."""
    kept: list[Element] = []
    for each in element:
        _unwrap(each)
        each.tail = None
        if each.tag == "g" and not each.attrib:
            kept.extend(each)
        elif each.tag not in ("g", "defs") or len(each):
            kept.append(each)
    element[:] = kept
    if element.tag != "text" and not (element.text or "").strip():
        element.text = None


def _rules(anchor: str, classes: Mapping[str, str], colours: Mapping[str, str], family: str) -> Iterator[str]:
    def themed(colour: re.Match[str]) -> str:
        variable = colours.get(colour[0])
        return colour[0] if variable is None else f"var({variable},{colour[0]})"

    yield f"#{anchor}{{fill:var({colours['#000000']},#000);font-family:{family};stroke-linejoin:round}}"
    for style, name in classes.items():
        yield f"#{anchor} .{name}{{{COLOUR.sub(themed, style).replace(': ', ':').replace('; ', ';')}}}"
