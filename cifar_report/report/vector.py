"""Turn this report's own pictures into bytes of a PDF page: the few shapes they consist of, much faster than any SVG.

WeasyPrint reads every SVG in the world and needs most of a report's time for some eighty of ours. It looks for a
picture in its cache first, so what is put there is drawn by us; what this module does not know is left to WeasyPrint.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, radians, sin
from xml.etree import ElementTree

from cifar_report.report.outlines import bounds, path_content
from cifar_report.report.pixels import UnknownShapeError, inline_image

SVG = "{http://www.w3.org/2000/svg}"
KNOWN = {"svg", "g", "path", "use", "defs", "style", "clipPath", "rect", "image", "pattern", "symbol"}
UNSEEN = {"defs", "style", "clipPath", "pattern", "symbol"}  # drawn only where something refers to them
COLOURS = {"black": "#000000"}
INITIAL = {"fill": "#000000", "stroke": "none", "stroke-width": "1"}
CAPS = {"butt": 0, "round": 1, "square": 2}
JOINS = {"miter": 0, "round": 1, "bevel": 2}
RULE = re.compile(r"([^{}]+)\{([^}]*)\}")
TRANSFORM = re.compile(r"(\w+)\(([^)]*)\)")
REFERENCE = re.compile(r"url\(#([^)]+)\)")

Style = Mapping[str, str]


@dataclass(frozen=True)
class Picture:
    """A picture as a PDF holds it: points, y downward, ``content`` deflated.

    ``opacities`` are the graphics states that the content calls by name: (name, ``CA`` or ``ca``, opacity).
    """

    width: float
    height: float
    content: bytes
    opacities: tuple[tuple[str, str, float], ...]


def to_picture(svg: bytes) -> Picture:
    """Return a picture as a PDF draws it.

    Raises UnknownShapeError when the SVG holds anything but plain shapes, and ElementTree's ParseError when it is none.
    """
    return _Painter(svg).picture()


class _Painter:
    def __init__(self, svg: bytes) -> None:
        self._root = ElementTree.fromstring(svg)  # noqa: S314 - drawn by this project a moment ago
        elements = list(self._root.iter())
        names = {str(element.tag).removeprefix(SVG) for element in elements}
        if not names <= KNOWN:
            raise UnknownShapeError(f"no plain shapes: {', '.join(sorted(names - KNOWN))}")
        self._by_id = {element.attrib["id"]: element for element in elements if "id" in element.attrib}
        self._classes = _style_sheet(self._root)
        self._operations: list[bytes] = []
        self._opacities: dict[str, tuple[str, float]] = {}

    def picture(self) -> Picture:
        """Return everything that is drawn."""
        left, top, width, height = _view_box(self._root)
        self._emit(b"" if left == top == 0 else f"1 0 0 1 {_text(-left)} {_text(-top)} cm".encode())
        for child in self._root:
            self._add(child, INITIAL)
        states = tuple((name, kind, value) for name, (kind, value) in self._opacities.items())
        return Picture(width, height, zlib.compress(b"\n".join(self._operations), 6), states)

    def _add(self, element: ElementTree.Element, inherited: Style) -> None:
        name = str(element.tag).removeprefix(SVG)
        if name in UNSEEN:
            return
        style = self._style_of(element, inherited)
        self._emit(b"q", _matrices(element), self._clip(element))
        if name == "g":
            self._add_all(element, style)
        elif name == "use":
            self._use(element, style)
        elif name == "image":
            self._emit(inline_image(element.attrib))
        else:
            self._paint(path_content(element.attrib.get("d", "")) if name == "path" else _rectangle(element), style)
        self._emit(b"Q")

    def _add_all(self, parent: ElementTree.Element, style: Style) -> None:
        for child in parent:
            self._add(child, style)

    def _use(self, element: ElementTree.Element, style: Style) -> None:
        target = self._by_id[element.attrib["href"].removeprefix("#")]
        if target.tag != f"{SVG}symbol":
            self._add(target, style)
            return
        left, top, width, height = _view_box(target)
        if width == 0 or height == 0:  # a space between words
            return
        across, down = float(element.attrib["width"]) / width, float(element.attrib["height"]) / height
        place = f"{_text(across)} 0 0 {_text(down)} {_text(-left * across)} {_text(-top * down)} cm"
        self._emit(place.encode())
        self._add_all(target, style)

    def _style_of(self, element: ElementTree.Element, inherited: Style) -> dict[str, str]:
        style = {**inherited, **self._classes.get("*", {})}
        for name in element.attrib.get("class", "").split():
            style |= self._classes.get(f".{name}", {})
        style |= {name: value for name in ("fill", "stroke") if (value := element.attrib.get(name)) is not None}
        return style | _declarations(element.attrib.get("style", ""))

    def _clip(self, element: ElementTree.Element) -> bytes:
        found = REFERENCE.fullmatch(element.attrib.get("clip-path", ""))
        return b"" if found is None else b"".join(_rectangle(part) for part in self._by_id[found[1]]) + b" W n"

    def _paint(self, shape: bytes, style: Style) -> None:
        if (found := REFERENCE.fullmatch(style["fill"])) is not None:
            self._hatch(shape, self._by_id[found[1]])
            style = {**style, "fill": "none"}
        stroke, fill = style["stroke"] != "none", style["fill"] != "none"
        settings = [self._opacity(style, "stroke", "CA"), self._opacity(style, "fill", "ca")]
        settings.append(_colour(style["fill"], "rg") if fill else b"")
        if stroke:
            cap, join = CAPS[style.get("stroke-linecap", "butt")], JOINS[style.get("stroke-linejoin", "miter")]
            dashes = style.get("stroke-dasharray", "none").replace(",", " ").replace("none", "")
            settings += [_colour(style["stroke"], "RG"), f"{style['stroke-width']} w {cap} J {join} j 4 M".encode()]
            settings.append(f"[{dashes}] {style.get('stroke-dashoffset', '0')} d".encode())
        painted = {(True, True): b"B", (True, False): b"S", (False, True): b"f", (False, False): b"n"}[stroke, fill]
        self._emit(*settings, shape, painted)

    def _opacity(self, style: Style, name: str, kind: str) -> bytes:
        value = style.get(f"{name}-opacity")
        if value is None:
            return b""
        state = f"{kind}{float(value)}"  # it ends with the shape's own "Q"
        self._opacities[state] = (kind, float(value))
        return f"/{state} gs".encode()

    def _hatch(self, shape: bytes, pattern: ElementTree.Element) -> None:
        """Repeat a pattern's tile behind a window in the shape of what it fills."""
        if pattern.attrib.get("patternUnits") != "userSpaceOnUse" or "patternTransform" in pattern.attrib:
            raise UnknownShapeError("no plain pattern")
        across, down = float(pattern.attrib["width"]), float(pattern.attrib["height"])
        left, top, right, bottom = bounds(shape)
        self._emit(b"q", shape, b"W n")
        for row in range(int(top // down), int(bottom // down) + 1):
            for column in range(int(left // across), int(right // across) + 1):
                self._emit(b"q", f"1 0 0 1 {_text(column * across)} {_text(row * down)} cm".encode())
                self._add_all(pattern, INITIAL)
                self._emit(b"Q")
        self._emit(b"Q")

    def _emit(self, *parts: bytes) -> None:
        self._operations += [part for part in parts if part]


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _style_sheet(root: ElementTree.Element) -> dict[str, dict[str, str]]:
    rules: dict[str, dict[str, str]] = {}
    for sheet in root.iter(f"{SVG}style"):
        for selector, body in RULE.findall(sheet.text or ""):
            rules.setdefault(selector.strip(), {}).update(_declarations(body))
    return rules


def _view_box(element: ElementTree.Element) -> tuple[float, float, float, float]:
    left, top, width, height = (float(part) for part in element.attrib["viewBox"].split())
    return left, top, width, height


def _matrices(element: ElementTree.Element) -> bytes:
    parts = [_matrix(name, [float(part) for part in re.split(r"[\s,]+", inner.strip())]) for name, inner in
             TRANSFORM.findall(element.attrib.get("transform", ""))]  # fmt: skip
    if str(element.tag).endswith("use"):
        parts.append(f"1 0 0 1 {element.attrib.get('x', '0')} {element.attrib.get('y', '0')} cm")
    return "\n".join(parts).encode()


def _matrix(name: str, values: list[float]) -> str:
    if name == "translate":
        return f"1 0 0 1 {_text(values[0])} {_text(values[1] if len(values) > 1 else 0)} cm"
    if name == "scale":
        return f"{_text(values[0])} 0 0 {_text(values[-1])} 0 0 cm"
    if name == "rotate" and len(values) == 1:
        turn = radians(values[0])
        return f"{_text(cos(turn))} {_text(sin(turn))} {_text(-sin(turn))} {_text(cos(turn))} 0 0 cm"
    if name == "matrix":
        return " ".join(_text(value) for value in values) + " cm"
    raise UnknownShapeError(f"no plain movement: {name}")


def _rectangle(element: ElementTree.Element) -> bytes:
    return " ".join(element.attrib.get(name, "0") for name in ("x", "y", "width", "height")).encode() + b" re"


def _colour(value: str, operator: str) -> bytes:
    value = COLOURS.get(value, value)
    if not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise UnknownShapeError(f"no plain colour: {value}")
    parts = (int(value[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return f"{' '.join(_text(part) for part in parts)} {operator}".encode()


def _text(value: float) -> str:
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
