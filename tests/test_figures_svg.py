"""Small SVGs: what the compaction leaves out must not be seen."""

import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suites import parse

from cifar_report.report.figures import style
from cifar_report.report.figures.svg import compact, to_svg

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
    sizes = {"m": 2, "l": 2, "h": 1, "v": 1, "q": 4, "t": 2, "c": 6, "s": 4}
    here = start = control = (0.0, 0.0)
    for command, arguments in re.findall(r"([mlhvqtcsz])([^mlhvqtcsz]*)", data):
        if command == "z":
            here = start
            yield "Z", []
            continue
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", arguments)]
        for first in range(0, len(numbers), sizes[command]):
            part = numbers[first : first + sizes[command]]
            part = {"h": [*part, 0.0], "v": [0.0, *part]}.get(command, part)
            points = [(here[0] + part[place], here[1] + part[place + 1]) for place in range(0, len(part), 2)]
            if command in "ts":
                points = [(2 * here[0] - control[0], 2 * here[1] - control[1]), *points]
            here, control = points[-1], points[-2] if len(points) > 1 else points[-1]
            start = here if command == "m" else start
            read = {"h": "L", "v": "L", "t": "Q", "s": "C"}.get(command, command.upper())
            yield ("L" if command == "m" and first else read), points


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


GLYPH = (
    "M 0 640 L 1600 640 L 1600 3200 Q 1600 4800 2800 5600 Q 4000 6400 4800 5600 Q 5600 4800 5600 3200 "
    "Q 5600 1800 4000 640 C 3600 0 2400 -800 1600 -800 C 800 -800 0 0 0 640 z"
)


def test_letters_lose_no_more_than_a_step_of_their_grid():
    """Every point of a letter lies within a two-hundredth of the size of the type, however short its outline is."""
    body = f'<defs><path id="a" d="{GLYPH}" transform="scale(0.015625)"/></defs><use href="#a" xlink:href="#a"/>'
    content = drawing(body).replace(b"<svg ", b'<svg xmlns:xlink="http://www.w3.org/1999/xlink" ')
    root = parse(compact(content))
    path = root.find(f"{SVG}defs/{SVG}path")
    unit = 1 / (float(path.attrib["transform"].removeprefix("scale(").rstrip(")")) * 64)
    assert unit == pytest.approx(1 / 32)
    found = [(command, points) for command, points in absolute(path.attrib["d"])]
    expected = [(part[0].upper(), part[1:].split()) for part in re.findall(r"[MLQCz][^MLQCz]*", GLYPH)]
    assert [command for command, _ in found] == [command for command, _ in expected]
    for (_, points), (_, numbers) in zip(found, expected, strict=True):
        flat = [number for point_ in points for number in point_]
        assert flat == pytest.approx([float(number) / 32 for number in numbers], abs=1.5)
    assert {"h", "v", "t", "s"} <= set(path.attrib["d"])


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


@pytest.mark.parametrize(
    ("path", "look", "kept"),
    [
        ("M 5 5 L 9 9", "fill: none; stroke: #000000; stroke-width: 1", False),
        ("M 5 5 L 9 9.5", "fill: none; stroke: #000000; stroke-width: 1", True),
        ("M 1 1 L 11 11", "fill: #000000", False),
        ("M 1 1 L 11 11.5", "fill: #000000", True),
    ],
)
def test_a_window_stays_where_a_shape_reaches_its_edge(path, look, kept):
    """Only what lies inside its window with the whole width of its line may do without."""
    window = '<defs><clipPath id="w"><rect x="1" y="1" width="10" height="10"/></clipPath></defs>'
    root = parse(compact(drawing(f'<path d="{path}" clip-path="url(#w)" style="{look}"/>{window}')))
    assert ("clip-path" in root.find(f"{SVG}path").attrib) is kept


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
