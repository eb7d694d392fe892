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
_IN_ITS_WORD = "scale(1)"  # instead of that, where the word has it
_COARSER = 32  # 200 units are a twenty-fifth of a point in words of eight, and a digit less in each number
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_ANY_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e-?\d+)?")
_COMMAND = re.compile(r"([MLQCz])([^MLQCz]*)")
_SMOOTH = {"M": "", "L": "", "Q": "qt", "C": "cs"}  # curves that a smooth one may follow, which is the last
_SHIFT = re.compile(r"translate\((-?[\d.]+) 0\)")
_SIZE = re.compile(r"(.*scale\()(-?[\d.]+) (-?[\d.]+)\)")
_PLACE = re.compile(r"translate\((-?[\d.]+) (-?[\d.]+)\)")
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
    _drop_idle_clips(root)
    names = _short_names(root)
    _scale_words(root)
    for element in root.iter():
        _shorten(element, names)
    _share_styles(root)
    _unwrap_groups(root)
    ElementTree.register_namespace("", _SVG[1:-1])
    return bytes(ElementTree.tostring(root, encoding="utf-8")).replace(b" />", b"/>") + b"\n"


def _drop_idle_clips(root: ElementTree.Element) -> None:
    """Leave no window around a shape that lies inside it with all of its outline, as most do."""
    windows = {
        f"url(#{clip.attrib['id']})": [float(clip[0].attrib[name]) for name in ("x", "y", "width", "height")]
        for clip in root.iter(f"{_SVG}clipPath")
        if clip[0].tag == f"{_SVG}rect"
    }
    for path in root.iter(f"{_SVG}path"):
        window = windows.get(path.attrib.get("clip-path", ""))
        if window is None or "transform" in path.attrib:
            continue
        numbers = [float(number) for number in _ANY_NUMBER.findall(path.attrib["d"])]
        edge = _edge(path.attrib.get("style", ""))
        left, top, width, height = window
        across, down = numbers[::2], numbers[1::2]
        if left + edge <= min(across) <= max(across) <= left + width - edge and (
            top + edge <= min(down) <= max(down) <= top + height - edge
        ):
            path.attrib["clip-path"] = ""  # it still is drawn as finely as what has one


def _edge(look: str) -> float:
    """Return how far a line may reach beyond its points: a sharp corner twice its width."""
    if not re.search(r"\bstroke:\s*(?!none)", look):
        return 0.0
    width = re.search(r"stroke-width:\s*([\d.]+)", look)
    return 2 * (float(width[1]) if width else 1.0)


def _short_names(root: ElementTree.Element) -> dict[str, str]:
    """Name what is referred to ``a``, ``b``, … in the order of first definition; all other ids go."""
    text = " ".join(value for element in root.iter() for value in element.attrib.values() if "#" in value)
    used = set(re.findall(r"#([\w.-]+)", text))
    defined = [element.attrib["id"] for element in root.iter() if element.attrib.get("id") in used]
    return {name: _letters(place) for place, name in enumerate(dict.fromkeys(defined))}


def _scale_words(root: ElementTree.Element) -> None:
    """Scale each word once and not each of its letters, if the picture has nothing else in its words."""
    letters = {element.attrib["id"]: element for element in root.iter() if _is_glyph(element.attrib)}
    calls = [element for element in root.iter(f"{_SVG}use") if element.attrib[_HREF][1:] in letters]
    of_words = set(map(id, calls))
    words = [parent for parent in root.iter() if any(id(child) in of_words for child in parent)]
    inside = [child for word in words for child in word if child.tag != f"{_SVG}defs"]
    sizes = [_SIZE.fullmatch(word.attrib.get("transform", "")) for word in words]
    if len(inside) != len(calls) or not all(sizes):
        return
    for letter in letters.values():
        letter.attrib["transform"] = _IN_ITS_WORD
    for call in calls:
        if place := call.attrib.get("transform"):
            call.attrib["transform"] = _PLACE.sub(_in_letter_units, place)
    for word, size in zip(words, sizes, strict=True):
        if size is not None:
            across, down = (float(scale) * _COARSER / 64 for scale in size.groups()[1:])
            word.attrib["transform"] = f"{size[1]}{across:.6f} {down:.6f})"


def _in_letter_units(place: re.Match[str]) -> str:
    return "translate({} {})".format(*(_format(float(number) * 64 / _COARSER, 2) for number in place.groups()))


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
        elif value == _IN_ITS_WORD:
            continue
        elif value == _GLYPH_SCALE:
            attributes[key] = f"scale({_format(_COARSER / 64, 6)})"
        elif key == "style":
            attributes["style"] = _rename(_round(re.sub(r"\s*([:;])\s*", r"\1", value), 3), names)
        elif key == "clip-path":
            attributes |= {key: _rename(value, names)} if value else {}
        elif match := _SHIFT.fullmatch(value):  # of a glyph within its word; x says the same in fewer bytes
            attributes["x"] = _format(float(match[1]), 0)
        else:
            place, scale, factors = value.partition("scale")
            attributes[key] = _round(place, 2) + scale + _round(factors, 5)


def _digits(attributes: dict[str, str]) -> int:
    """Return how many decimals a path needs: glyphs are drawn far too large, data lines bear 0.05 points."""
    if _is_glyph(attributes):
        return 0
    return 1 if "clip-path" in attributes else 2


def _is_glyph(attributes: dict[str, str]) -> bool:
    return attributes.get("transform") in (_GLYPH_SCALE, _IN_ITS_WORD)


def _rename(value: str, names: dict[str, str]) -> str:
    return re.sub(r"url\(#([\w.-]+)\)", lambda match: f"url(#{names[match[1]]})", value)


def _path(data: str, digits: int, divisor: int = 1) -> str:
    """Return path data, divided, with relative coordinates; each is rounded before subtracting: nothing adds up."""
    text, before = "", ""
    here, start, control = (0.0, 0.0), (0.0, 0.0), None
    for command, arguments in _COMMAND.findall(data):
        if command == "z":
            text, before, here, control = f"{text}z", "z", start, None
            continue
        numbers = [round(float(number) / divisor, digits) for number in arguments.split()]
        smooth = _reflected(here, control) if digits == 0 and before in _SMOOTH[command] else None
        if smooth is not None and max(abs(smooth[0] - numbers[0]), abs(smooth[1] - numbers[1])) <= 1:
            letter, written = _SMOOTH[command][-1], numbers[2:]
            control = smooth if letter == "t" else (numbers[2], numbers[3])
        else:
            letter, written = command.lower(), numbers
            control = (numbers[-4], numbers[-3]) if command in "QC" else None
        steps = [number - here[place % 2] for place, number in enumerate(written)]
        if command == "L" and 0 in steps:
            letter, steps = ("h", steps[:1]) if steps[1] == 0 else ("v", steps[1:])
        # A letter that repeats may be left out, except that points after the first one of "m" would be lines.
        text += " " if letter == before != "m" else letter
        text, before = text + " ".join(_format(step, digits) for step in steps), letter
        here = (numbers[-2], numbers[-1])
        start = here if command == "M" else start
    return text.replace(" -", "-")


def _reflected(here: tuple[float, float], control: tuple[float, float] | None) -> tuple[float, float] | None:
    """Return the control point that a smooth curve goes on with: many in the outlines of letters say nothing else."""
    return None if control is None else (2 * here[0] - control[0], 2 * here[1] - control[1])


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
