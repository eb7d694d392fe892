"""Small SVGs: what the compaction leaves out must not be seen."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suites import parse

from cifar_report.rendering.figures import style
from cifar_report.rendering.figures.svg import compact, to_svg

SVG = "{http://www.w3.org/2000/svg}"
coordinate = st.integers(-100_000, 100_000).map(lambda number: number / 100)
point = st.tuples(coordinate, coordinate)
segment = st.one_of(
    st.tuples(st.sampled_from("ML"), st.tuples(point)),
    st.tuples(st.just("Q"), st.tuples(point, point)),
    st.tuples(st.just("C"), st.tuples(point, point, point)),
    st.just(("z", ())),
)


def absolute(data):
    """Return the points of relative path data as (command, points), the way a viewer reads it."""
    sizes = {"m": 2, "l": 2, "q": 4, "c": 6}
    here = start = (0.0, 0.0)
    for command, arguments in re.findall(r"([mlqcz])([^mlqcz]*)", data):
        if command == "z":
            here = start
            yield "Z", []
            continue
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", arguments)]
        for first in range(0, len(numbers), sizes[command]):
            part = numbers[first : first + sizes[command]]
            points = [(here[0] + part[place], here[1] + part[place + 1]) for place in range(0, len(part), 2)]
            here = points[-1]
            start = here if command == "m" else start
            yield ("L" if command == "m" and first else command.upper()), points


def drawing(body):
    """Return an SVG as matplotlib begins it."""
    return f'<svg xmlns="http://www.w3.org/2000/svg"><defs><style>*{{}}</style></defs>{body}</svg>'.encode()


@given(point, st.lists(segment, max_size=20))
def test_relative_paths_stay_where_they_were(start, segments):
    """Every point of a path must lie within half a hundredth of a point of where matplotlib put it."""
    segments = [("M", (start,)), *segments]
    data = " ".join(
        f"{command} {' '.join(f'{x} {y}' for x, y in points)}" if points else command for command, points in segments
    )
    root = parse(compact(drawing(f'<path d="{data}"/>')))
    found = list(absolute(root.find(f"{SVG}path").attrib["d"]))
    assert [command for command, _ in found] == [command.upper() for command, _ in segments]
    for (_, points), (_, expected) in zip(found, segments, strict=True):
        for one, other in zip(points, expected, strict=True):
            assert one == pytest.approx(other, abs=0.0051)


def test_references_are_kept_together():
    """Clip paths, markers and hatches must still be found under the names they are called by."""
    with style.drawing():
        figure = style.sheet(100)
        axes = style.panel(figure, 20, 5, 300, 70)
        axes.plot((0, 1, 2), (1, 3, 2), marker="o")
        axes.bar((0, 1), (1, 2), hatch="//")
        root = parse(to_svg(figure, "some"))
    defined = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    text = ElementTree.tostring(root, encoding="unicode")
    used = set(re.findall(r'href="#(\w+)"|url\(#(\w+)\)', text))
    assert {first or second for first, second in used} == defined
    assert "<pattern" in text
    assert "clip-path" in text


def test_repeated_looks_become_classes():
    """A look that occurs twice must be written once, and still apply to both shapes."""
    body = '<path d="M 0 0" style="fill: red"/><path d="M 1 1" style="fill: red"/><path d="M 2 2" style="fill: blue"/>'
    root = parse(compact(drawing(body)))
    first, second, third = root.findall(f"{SVG}path")
    assert first.attrib["class"] == second.attrib["class"]
    assert f".{first.attrib['class']}{{fill:red}}" in root.find(f"{SVG}defs/{SVG}style").text
    assert third.attrib["style"] == "fill:blue"


def test_nothing_points_outside():
    """A figure must hold no document type, no comment and no address besides the names of its own format."""
    with style.drawing():
        figure = style.sheet(60)
        figure.text(0.1, 0.5, "-- > <script>alert(1)</script> https://example.org")
        content = to_svg(figure, "some").decode()
    assert "<!" not in content
    assert "script" not in content
    assert set(re.findall(r"https?://[^\"'\s<]*", content)) == {"http://www.w3.org/2000/svg"}
