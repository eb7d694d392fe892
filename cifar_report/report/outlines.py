"""Outlines of an SVG's paths as operators of a PDF page; see ``vector``."""

from __future__ import annotations

import re
from functools import lru_cache

from cifar_report.report.pixels import UnknownShapeError

TOKEN = re.compile(r"[a-zA-Z]|-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
COUNTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "T": 2, "C": 6, "S": 4}  # numbers of a path's commands


@lru_cache(maxsize=4096)
def path_content(data: str) -> bytes:
    """Return the outline of an SVG path as operators of PDF, which has neither relative nor quadratic ones."""
    tokens = TOKEN.findall(data)
    operators: list[str] = []
    x = y = start_x = start_y = 0.0
    place, command = 0, ""
    control: tuple[str, list[float]] = ("", [])  # the last command, and its last point before its end
    while place < len(tokens):
        if tokens[place].isalpha():
            command, place = tokens[place], place + 1
        relative, kind = command.islower(), command.upper()
        if kind == "Z":
            operators.append("h")
            x, y, control = start_x, start_y, ("", [])
            continue
        count = COUNTS.get(kind)
        if count is None:
            raise UnknownShapeError(f"no plain path: {command}")
        numbers = [float(token) for token in tokens[place : place + count]]
        place += count
        if relative:
            numbers = [number + (y if odd % 2 or kind == "V" else x) for odd, number in enumerate(numbers)]
        kind, numbers = _in_full(kind, numbers, (x, y), control)
        control = kind, numbers[-4:-2]
        operators.append(_segment(kind, x, y, numbers))
        x, y = numbers[-2:]
        if kind == "M":
            start_x, start_y = x, y
            command = "l" if relative else "L"
    return "\n".join(operators).encode()


def _in_full(
    kind: str, numbers: list[float], here: tuple[float, float], before: tuple[str, list[float]]
) -> tuple[str, list[float]]:
    """Return a segment with all its points: level and upright lines name one number, smooth curves no first point."""
    if kind in "HV":
        return "L", [numbers[0], here[1]] if kind == "H" else [here[0], numbers[0]]
    if kind in "TS":
        curve = {"T": "Q", "S": "C"}[kind]
        smooth = [2 * now - then for now, then in zip(here, before[1], strict=True)] if before[0] == curve else here
        return curve, [*smooth, *numbers]
    return kind, numbers


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


def bounds(shape: bytes) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom of an outline, of its control points where it is curved."""
    numbers = [float(part) for part in shape.split() if not part.isalpha()]
    if not numbers or b"re" in shape:
        raise UnknownShapeError("no plain outline to fill with a pattern")
    across, down = numbers[::2], numbers[1::2]
    return min(across), min(down), max(across), max(down)
