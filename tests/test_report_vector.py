import base64
import io
import zlib

import pytest
from PIL import Image

from cifar_report.report.outlines import path_content
from cifar_report.report.pixels import UnknownShapeError
from cifar_report.report.typesetting.drawing import Drawing
from cifar_report.report.vector import to_picture

HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="20pt" viewBox="0 0 40 20">'
STYLE = (
    b'<defs><style type="text/css">*{stroke-linecap: butt}.a{fill:none;stroke:#ff0000;stroke-width:2}</style></defs>'
)


def drawn(body):
    """Return what a figure writes to a page."""
    return zlib.decompress(to_picture(HEAD + STYLE + body + b"</svg>").content).decode().split("\n")


def png(mode, colour):
    """Return one pixel as a data address."""
    stream = io.BytesIO()
    Image.new(mode, (1, 1), colour).save(stream, "png")
    return "data:image/png;base64, " + base64.b64encode(stream.getvalue()).decode()


@pytest.mark.parametrize(
    ("path", "operators"),
    [
        ("M 1 2 L 3 4 Z", "1 2 m\n3 4 l\nh"),
        ("m1,2l2,2,1-1z", "1 2 m\n3 4 l\n4 3 l\nh"),
        ("M0 0C1 1 2 2 3 0", "0 0 m\n1 1 2 2 3 0 c"),
        ("M0 0Q3 3 6 0", "0 0 m\n2 2 4 2 6 0 c"),
        ("m1 1h2v3H0V-1", "1 1 m\n3 1 l\n3 4 l\n0 4 l\n0 -1 l"),
        ("M0 0q3 3 6 0t6 0T18 0", "0 0 m\n2 2 4 2 6 0 c\n8 -2 10 -2 12 0 c\n14 2 16 2 18 0 c"),
        ("M0 0c1 1 2 2 3 0s2-2 3 0S8 1 9 0", "0 0 m\n1 1 2 2 3 0 c\n4 -2 5 -2 6 0 c\n7 2 8 1 9 0 c"),
        ("M0 0q3 3 6 0s2-2 3 0", "0 0 m\n2 2 4 2 6 0 c\n6 0 8 -2 9 0 c"),
        ("M0 0t6 0", "0 0 m\n0 0 2 0 6 0 c"),
        ("m1 1l1 0zm5 5l1 0", "1 1 m\n2 1 l\nh\n6 6 m\n7 6 l"),
        ("M-.5.25L1e-3 2", "-0.5 0.25 m\n0 2 l"),
        ("", ""),
    ],
)
def test_a_path_becomes_the_same_outline(path, operators):
    """Relative steps, repeated commands and quadratic curves come out as absolute lines and cubic curves."""
    assert path_content(path).decode() == operators


def test_a_path_is_painted_as_its_classes_say():
    """Colour, width and dashes of the style sheet stand before the outline, and what is not filled is not."""
    lines = drawn(b'<path class="a" d="M0 0L1 1" style="stroke-dasharray:3,1"/>')
    assert "1 0 0 RG" in lines
    assert "2 w 0 J 0 j 4 M" in lines
    assert "[3 1] 0 d" in lines
    assert lines[-4:] == ["0 0 m", "1 1 l", "S", "Q"]


def test_an_opacity_ends_with_what_it_belongs_to():
    """What comes after a faint line is not faint, and the file says what the name of the state means."""
    body = b'<path class="a" style="stroke-opacity:.4" d="M0 0L1 1"/><path class="a" d="M2 2L3 3"/>'
    lines = drawn(body)
    assert lines.index("/CA0.4 gs") < lines.index("0 0 m") < lines.index("Q") < lines.index("2 2 m")
    assert to_picture(HEAD + STYLE + body + b"</svg>").opacities == (("CA0.4", "CA", 0.4),)


def test_a_pattern_fills_its_shape_alone():
    """The tile is repeated over the whole shape, behind a window in the form of it."""
    pattern = (
        b'<pattern id="h" patternUnits="userSpaceOnUse" width="10" height="10"><rect width="10" height="10" '
        b'fill="#ffffff"/><path d="M0 0L10 10" style="stroke:#000000"/></pattern>'
    )
    lines = drawn(pattern + b'<path d="M5 5L25 5L25 8L5 8z" style="fill:url(#h);stroke:#ff0000"/>')
    tiles = [line for line in lines if line.endswith(" 0 cm") and line.startswith("1 0 0 1")]
    assert tiles == ["1 0 0 1 0 0 cm", "1 0 0 1 10 0 cm", "1 0 0 1 20 0 cm"]
    assert lines.index("W n") < lines.index(tiles[0]) < lines.index("1 0 0 RG")
    assert lines.count("q") == lines.count("Q")


def test_a_symbol_is_scaled_into_its_place():
    """A glyph of a formula is as large as the place where it is used says."""
    body = b'<symbol id="s" viewBox="0 -5 10 20"><path d="M0 0L1 1"/></symbol>'
    lines = drawn(body + b'<use href="#s" x="3" y="4" width="20" height="40" fill="black"/>')
    assert lines.index("1 0 0 1 3 4 cm") < lines.index("2 0 0 2 0 10 cm") < lines.index("0 0 m")


def test_pixels_stand_in_the_stream():
    """An opaque picture is drawn upright in its place, pixel by pixel."""
    lines = drawn(f'<image href="{png("RGB", (1, 2, 3))}" x="1" y="2" width="30" height="10"/>'.encode())
    assert "30 0 0 -10 1 12 cm" in lines
    image = next(line for line in lines if line.startswith("BI /W 1 /H 1 "))
    assert zlib.decompress(bytes.fromhex(image.split(" ID ")[1].removesuffix("> EI"))) == b"\1\2\3"


def test_a_shape_that_is_used_again_takes_its_place_and_its_looks():
    """A repeated shape is moved, and inherits what it does not say itself."""
    body = b'<defs><path id="p" d="M0 0L1 1"/></defs><use href="#p" x="5" y="6" class="a"/>'
    lines = drawn(body)
    assert lines.index("1 0 0 1 5 6 cm") < lines.index("0 0 m")
    assert "1 0 0 RG" in lines


def test_a_clip_path_is_set_before_what_it_clips():
    """Nothing is drawn outside the window of its axes."""
    body = b'<clipPath id="c"><rect x="1" y="2" width="3" height="4"/></clipPath>'
    lines = drawn(body + b'<g clip-path="url(#c)"><path class="a" d="M0 0L9 9"/></g>')
    assert lines.index("1 2 3 4 re W n") < lines.index("0 0 m")


@pytest.mark.parametrize(
    "body",
    [
        b'<image href="data:image/png;base64,AA==" width="1" height="1"/>',
        f'<image href="{png("RGBA", (1, 2, 3, 99))}" width="1" height="1"/>'.encode(),
        b'<image href="https://example.org/x.png" width="1" height="1"/>',
        b"<text>words</text>",
        b'<path d="M0 0A1 1 0 0 1 2 2"/>',
        b'<pattern id="p" width="1" height="1"/><path style="fill:url(#p)" d="M0 0"/>',
        b'<g transform="skewX(3)"><path d="M0 0"/></g>',
    ],
    ids=["broken", "translucent", "elsewhere", "text", "arc", "pattern", "skew"],
)
def test_what_is_not_known_is_left_to_others(body):
    """A figure that holds anything else is refused as a whole, and never drawn in part."""
    with pytest.raises(UnknownShapeError):
        drawn(body)


def test_the_size_is_that_of_the_figure():
    """Width and height are given in pixels, as WeasyPrint asks."""
    width, height, ratio = Drawing(to_picture(HEAD + b"</svg>")).get_intrinsic_size(1, 16)
    assert (width, height, ratio) == pytest.approx((40 * 4 / 3, 20 * 4 / 3, 2))
