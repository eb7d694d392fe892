"""Draw this report's own figures into a PDF: the few shapes that they consist of, many times faster than any SVG.

WeasyPrint reads every SVG in the world and needs most of a report's time for some eighty of ours. It looks for a
picture in its cache first, so what is put there is drawn by us; what this module does not know is left to WeasyPrint.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import cos, radians, sin
from typing import Any
from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
PIXELS_PER_POINT = 4 / 3
KNOWN = {"svg", "g", "path", "use", "defs", "style", "clipPath", "rect"}
INITIAL = {"fill": "#000000", "stroke": "none", "stroke-width": "1"}
CAPS = {"butt": 0, "round": 1, "square": 2}
JOINS = {"miter": 0, "round": 1, "bevel": 2}
TOKEN = re.compile(r"[a-zA-Z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
RULE = re.compile(r"([^{}]+)\{([^}]*)\}")
TRANSFORM = re.compile(r"(\w+)\(([^)]*)\)")
REFERENCE = re.compile(r"url\(#([^)]+)\)")

Style = Mapping[str, str]


class UnknownShapeError(ValueError):
    """The picture holds something that only WeasyPrint can draw."""


@dataclass(frozen=True)
class Operation:
    """Bytes of a PDF page, and the opacity of what they stroke and fill, where they have one."""

    content: bytes
    stroke_opacity: float | None = None
    fill_opacity: float | None = None

    def write(self, stream: Any) -> None:
        """Write the operation; the page keeps account of opacity itself, so it opens and closes that state."""
        if self.stroke_opacity is None and self.fill_opacity is None:
            stream.stream.append(self.content)
            return
        with stream.stacked():
            if self.stroke_opacity is not None:
                stream.set_alpha(self.stroke_opacity, stroke=True)
            if self.fill_opacity is not None:
                stream.set_alpha(self.fill_opacity)
            stream.stream.append(self.content)


class Drawing:
    """A figure in the shape of WeasyPrint's own pictures.

    Raises UnknownShapeError when the SVG holds anything but plain paths, and ElementTree's ParseError when it is none.
    """

    def __init__(self, svg: bytes) -> None:
        self._root = ElementTree.fromstring(svg)  # noqa: S314 - drawn by this project a moment ago
        elements = list(self._root.iter())
        names = {str(element.tag).removeprefix(SVG) for element in elements}
        if not names <= KNOWN:
            raise UnknownShapeError(f"no plain paths: {', '.join(sorted(names - KNOWN))}")
        self._by_id = {element.attrib["id"]: element for element in elements if "id" in element.attrib}
        self._classes = _style_sheet(self._root)
        _, _, width, height = (float(part) for part in self._root.attrib["viewBox"].split())
        self.size = width, height
        self._operations: list[Operation] = []
        for child in self._root:
            self._add(child, INITIAL)

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[float, float, float]:
        """Return width and height in pixels and their ratio, as WeasyPrint asks for them."""
        width, height = self.size
        return width * PIXELS_PER_POINT, height * PIXELS_PER_POINT, width / height

    def draw(self, stream: Any, width: float, height: float, _style: Any) -> None:
        """Write the figure into a page's stream, ``width`` by ``height`` pixels from the origin."""
        with stream.stacked():
            stream.transform(a=width / self.size[0], d=height / self.size[1])
            for operation in self._operations:
                operation.write(stream)

    def _add(self, element: ElementTree.Element, inherited: Style) -> None:
        name = str(element.tag).removeprefix(SVG)
        if name in ("defs", "style", "clipPath"):
            return
        style = self._style_of(element, inherited)
        self._emit(b"q", _matrices(element), self._clip(element))
        if name in ("g", "use"):
            children = list(element) if name == "g" else [self._by_id[element.attrib["href"].removeprefix("#")]]
            for child in children:
                self._add(child, style)
        else:
            shape = path_content(element.attrib.get("d", "")) if name == "path" else _rectangle(element)
            self._paint(shape, style)
        self._emit(b"Q")

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
        stroke, fill = style["stroke"] != "none", style["fill"] != "none"
        settings = [_colour(style["fill"], "rg")] if fill else []
        if stroke:
            cap, join = CAPS[style.get("stroke-linecap", "butt")], JOINS[style.get("stroke-linejoin", "miter")]
            dashes = style.get("stroke-dasharray", "none").replace(",", " ").replace("none", "")
            settings += [_colour(style["stroke"], "RG"), f"{style['stroke-width']} w {cap} J {join} j 4 M".encode()]
            settings.append(f"[{dashes}] {style.get('stroke-dashoffset', '0')} d".encode())
        painted = {(True, True): b"B", (True, False): b"S", (False, True): b"f", (False, False): b"n"}[stroke, fill]
        content = b"\n".join((*settings, shape, painted))
        self._operations.append(Operation(content, _opacity(style, "stroke"), _opacity(style, "fill")))

    def _emit(self, *parts: bytes) -> None:
        self._operations.append(Operation(b"\n".join(part for part in parts if part)))


def _opacity(style: Style, name: str) -> float | None:
    value = style.get(f"{name}-opacity")
    return None if value is None else float(value)


def _declarations(text: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in text.split(";") if ":" in part)
    return {name.strip(): value.strip() for name, value in pairs}


def _style_sheet(root: ElementTree.Element) -> dict[str, dict[str, str]]:
    rules: dict[str, dict[str, str]] = {}
    for sheet in root.iter(f"{SVG}style"):
        for selector, body in RULE.findall(sheet.text or ""):
            rules.setdefault(selector.strip(), {}).update(_declarations(body))
    return rules


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
    if not re.fullmatch("#[0-9a-fA-F]{6}", value):
        raise UnknownShapeError(f"no plain colour: {value}")
    parts = (int(value[place : place + 2], 16) / 255 for place in (1, 3, 5))
    return f"{' '.join(_text(part) for part in parts)} {operator}".encode()


def _text(value: float) -> str:
    return f"{value:.5f}".rstrip("0").rstrip(".")


@lru_cache(maxsize=4096)
def path_content(data: str) -> bytes:
    """Return the outline of an SVG path as operators of PDF, which has neither relative nor quadratic ones."""
    tokens = TOKEN.findall(data)
    operators: list[str] = []
    x = y = start_x = start_y = 0.0
    place, command = 0, ""
    while place < len(tokens):
        if tokens[place].isalpha():
            command, place = tokens[place], place + 1
        relative, kind = command.islower(), command.upper()
        if kind == "Z":
            operators.append("h")
            x, y = start_x, start_y
            continue
        count = {"M": 2, "L": 2, "Q": 4, "C": 6}.get(kind)
        if count is None:
            raise UnknownShapeError(f"no plain path: {command}")
        numbers = [float(token) for token in tokens[place : place + count]]
        place += count
        if relative:
            numbers = [number + (y if odd % 2 else x) for odd, number in enumerate(numbers)]
        operators.append(_segment(kind, x, y, numbers))
        x, y = numbers[-2:]
        if kind == "M":
            start_x, start_y = x, y
            command = "l" if relative else "L"
    return "\n".join(operators).encode()


def _segment(kind: str, x: float, y: float, numbers: list[float]) -> str:
    if kind == "Q":
        middle_x, middle_y, end_x, end_y = numbers
        numbers = [
            x + (middle_x - x) * 2 / 3, y + (middle_y - y) * 2 / 3,
            end_x + (middle_x - end_x) * 2 / 3, end_y + (middle_y - end_y) * 2 / 3,
            end_x, end_y,
        ]  # fmt: skip
    operator = {"M": "m", "L": "l", "Q": "c", "C": "c"}[kind]
    return " ".join(f"{number:.2f}".rstrip("0").rstrip(".") for number in numbers) + f" {operator}"
