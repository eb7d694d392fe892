import pytest

from cifar_report.rendering.vector import Drawing, UnknownShapeError, path_content

HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" width="40pt" height="20pt" viewBox="0 0 40 20">'
STYLE = (
    b'<defs><style type="text/css">*{stroke-linecap: butt}.a{fill:none;stroke:#ff0000;stroke-width:2}</style></defs>'
)


class Stream:
    """Takes down what is written to a page."""

    def __init__(self):
        self.stream = []

    def __enter__(self):
        self.stream.append(b"(")
        return self

    def __exit__(self, *_):
        self.stream.append(b")")

    def stacked(self):
        """Open a state of its own."""
        return self

    def transform(self, **matrix):
        """Take down a movement."""
        self.stream.append(repr(matrix).encode())

    def set_alpha(self, alpha, stroke=False):
        """Take down an opacity."""
        self.stream.append(f"{'CA' if stroke else 'ca'} {alpha}".encode())


def drawn(body):
    """Return what a figure writes to a page of its own size."""
    stream = Stream()
    Drawing(HEAD + STYLE + body + b"</svg>").draw(stream, 40, 20, None)
    return b"\n".join(stream.stream).decode().split("\n")


@pytest.mark.parametrize(
    ("path", "operators"),
    [
        ("M 1 2 L 3 4 Z", "1 2 m\n3 4 l\nh"),
        ("m1,2l2,2,1-1z", "1 2 m\n3 4 l\n4 3 l\nh"),
        ("M0 0C1 1 2 2 3 0", "0 0 m\n1 1 2 2 3 0 c"),
        ("M0 0Q3 3 6 0", "0 0 m\n2 2 4 2 6 0 c"),
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
    assert lines[-5:] == ["0 0 m", "1 1 l", "S", "Q", ")"]


def test_an_opacity_ends_with_what_it_belongs_to():
    """What comes after a faint line is not faint."""
    lines = drawn(b'<path class="a" style="stroke-opacity:.4" d="M0 0L1 1"/><path class="a" d="M2 2L3 3"/>')
    assert lines.index("CA 0.4") < lines.index("0 0 m") < lines.index(")") < lines.index("2 2 m")


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
        b'<image href="data:image/png;base64,AA=="/>',
        b"<text>words</text>",
        b'<path d="M0 0A1 1 0 0 1 2 2"/>',
        b'<path style="fill:url(#p)" d="M0 0"/>',
        b'<g transform="skewX(3)"><path d="M0 0"/></g>',
    ],
    ids=["image", "text", "arc", "pattern", "skew"],
)
def test_what_is_not_known_is_left_to_others(body):
    """A figure that holds anything else is refused as a whole, and never drawn in part."""
    with pytest.raises(UnknownShapeError):
        drawn(body)


def test_the_size_is_that_of_the_figure():
    """Width and height are given in pixels, as WeasyPrint asks."""
    width, height, ratio = Drawing(HEAD + b"</svg>").get_intrinsic_size(1, 16)
    assert (width, height, ratio) == pytest.approx((40 * 4 / 3, 20 * 4 / 3, 2))
