"""From a matplotlib figure to a small SVG: the same bytes for the same numbers, nothing that points outside."""

from __future__ import annotations

import io
import re
from collections import Counter
from xml.etree import ElementTree

import matplotlib
from matplotlib.figure import Figure

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_GLYPH_SCALE = "scale(0.015625)"  # matplotlib's: 6,400 units to the size of the type
_COARSER = 8  # 800 units are a hundredth of a point in the largest words, and a digit less in each number
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")
_SHIFT = re.compile(r"translate\((-?[\d.]+) 0\)")
_NOTHING = dict.fromkeys(("Creator", "Date", "Format", "Type"))


def to_svg(figure: Figure, figure_id: str) -> bytes:
    """Return the figure as SVG; call it inside ``drawing()``. ``figure_id`` salts the names that matplotlib makes."""
    buffer = io.BytesIO()
    with matplotlib.rc_context({"svg.hashsalt": figure_id}):
        figure.savefig(buffer, format="svg", metadata=_NOTHING)
    return compact(buffer.getvalue())


def to_png(figure: Figure, *, dots_per_inch: int = 200) -> bytes:
    """Return the figure as PNG without dates or program names in it; call it inside ``drawing()``."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dots_per_inch, metadata={"Software": None})
    return buffer.getvalue()


def compact(content: bytes) -> bytes:
    """Return matplotlib's SVG without comments, document type, unused names and digits that nobody sees."""
    root = ElementTree.fromstring(content)  # noqa: S314 - written by matplotlib a moment ago
    names = _short_names(root)
    for element in root.iter():
        _shorten(element, names)
    _share_styles(root)
    _unwrap_groups(root)
    ElementTree.register_namespace("", _SVG[1:-1])
    return bytes(ElementTree.tostring(root, encoding="utf-8")).replace(b" />", b"/>") + b"\n"


def _short_names(root: ElementTree.Element) -> dict[str, str]:
    """Name what is referred to ``a``, ``b``, … in the order of first definition; all other ids go."""
    text = " ".join(value for element in root.iter() for value in element.attrib.values() if "#" in value)
    used = set(re.findall(r"#([\w.-]+)", text))
    defined = [element.attrib["id"] for element in root.iter() if element.attrib.get("id") in used]
    return {name: _letters(place) for place, name in enumerate(dict.fromkeys(defined))}


def _letters(place: int) -> str:
    """Return a, b, …, z, aa, ab and so on for 0, 1 and so on."""
    rest, letter = divmod(place, 26)
    return (_letters(rest - 1) if rest else "") + chr(ord("a") + letter)


def _shorten(element: ElementTree.Element, names: dict[str, str]) -> None:
    element.text = element.text.strip() if element.text and element.text.strip() else None
    element.tail = None
    attributes, old = element.attrib, dict(element.attrib)
    attributes.clear()
    for key, value in old.items():
        if key == "id":
            attributes |= {"id": names[value]} if value in names else {}
        elif key == _HREF:
            attributes["href"] = f"#{names[value[1:]]}" if value.startswith("#") else value
        elif key == "d":
            attributes["d"] = _path(value, _digits(old), _COARSER if _is_glyph(old) else 1)
        elif value == _GLYPH_SCALE:
            attributes[key] = f"scale({_format(_COARSER / 64, 6)})"
        elif key == "style":
            attributes["style"] = _rename(_round(re.sub(r"\s*([:;])\s*", r"\1", value), 3), names)
        elif key == "clip-path":
            attributes[key] = _rename(value, names)
        elif match := _SHIFT.fullmatch(value):  # of a glyph within its word; x says the same in fewer bytes
            attributes["x"] = _format(float(match[1]), 0)
        else:
            attributes[key] = _round(value, 4 if value.startswith("scale") else 2)


def _digits(attributes: dict[str, str]) -> int:
    """Return how many decimals a path needs: glyphs are drawn far too large, data lines bear 0.05 points."""
    if _is_glyph(attributes):
        return 0
    return 1 if "clip-path" in attributes else 2


def _is_glyph(attributes: dict[str, str]) -> bool:
    return attributes.get("transform") == _GLYPH_SCALE


def _rename(value: str, names: dict[str, str]) -> str:
    return re.sub(r"url\(#([\w.-]+)\)", lambda match: f"url(#{names[match[1]]})", value)


def _path(data: str, digits: int, divisor: int = 1) -> str:
    """Return path data, divided, with relative coordinates; each is rounded before subtracting: nothing adds up."""
    text, before = "", ""
    here, start = (0.0, 0.0), (0.0, 0.0)
    for command, arguments in _COMMAND.findall(data):
        if command == "z":
            text, before, here = f"{text}z", "z", start
            continue
        numbers = [round(float(number) / divisor, digits) for number in arguments.split()]
        steps = " ".join(_format(number - here[place % 2], digits) for place, number in enumerate(numbers))
        # A letter that repeats may be left out, except that points after the first one of "m" would be lines.
        letter = " " if command == before != "M" else command.lower()
        text, before, here = f"{text}{letter}{steps}", command, (numbers[-2], numbers[-1])
        start = here if command == "M" else start
    return text.replace(" -", "-")


def _round(text: str, digits: int) -> str:
    return _NUMBER.sub(lambda match: _format(float(match[0]), digits), text)


def _format(number: float, digits: int) -> str:
    text = f"{number:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _share_styles(root: ElementTree.Element) -> None:
    """Write each look that occurs more than once as a class of the picture's own style sheet."""
    counts = Counter(element.attrib["style"] for element in root.iter() if "style" in element.attrib)
    repeated = [look for look, count in counts.items() if count > 1]
    classes = {look: _letters(place) for place, look in enumerate(repeated)}
    for element in root.iter():
        if (look := element.attrib.get("style")) in classes:
            del element.attrib["style"]
            element.attrib["class"] = classes[str(look)]
    sheet = root.find(f"{_SVG}defs/{_SVG}style")
    if sheet is not None:
        sheet.text = (sheet.text or "") + "".join(f".{name}{{{look}}}" for look, name in classes.items())


def _unwrap_groups(parent: ElementTree.Element) -> None:
    """Put the children of groups without attributes in the place of the group."""
    for child in parent:
        _unwrap_groups(child)
    children = list(parent)
    if any(child.tag == f"{_SVG}g" and not child.attrib for child in children):
        for child in children:
            parent.remove(child)
        for child in children:
            parent.extend(list(child) if child.tag == f"{_SVG}g" and not child.attrib else [child])
