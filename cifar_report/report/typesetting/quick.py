"""WeasyPrint without repetition: what it works out again for each box, each line and each tag is worked out once.

A printed report has some ten thousand cells with a few dozen looks, and many say the same. The functions here stand in
for WeasyPrint's own while a report is set, and give what those give: a report has the same bytes with them and
without. They know the inside of one version; another one is left alone and takes longer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from importlib.metadata import version
from typing import Any

from cifar_report.collecting import not_collecting

KNOWN_VERSIONS = {"weasyprint": "70.0", "pydyf": "0.13.0"}
LONGEST_REPEATED = 120  # characters: longer texts are paragraphs, which nobody writes twice
BORDERS = tuple(f"border_{side}_width" for side in ("top", "right", "bottom", "left"))
RADII = tuple(f"border_{corner}_radius" for corner in ("top_left", "top_right", "bottom_right", "bottom_left"))
LENGTHS = (
    *(f"{kind}_{side}" for kind in ("margin", "padding") for side in ("left", "right", "top", "bottom")),
    *("width", "min_width", "max_width", "height", "min_height", "max_height"),
)


@contextmanager
def quick_setting() -> Iterator[None]:
    """Set pages quickly inside of this ``with``; nothing of it is left behind it."""
    with ExitStack() as everything:
        everything.enter_context(not_collecting())  # a fifth of the time; all boxes live to the end
        if {name: version(name) for name in KNOWN_VERSIONS} == KNOWN_VERSIONS:
            for place, name, replacement in _replacements():
                everything.callback(setattr, place, name, getattr(place, name))
                setattr(place, name, replacement)
        yield


def _replacements() -> list[tuple[Any, str, Any]]:
    import pydyf
    from weasyprint.css import StyleFor
    from weasyprint.draw import text as drawn_text
    from weasyprint.layout import background, block, inline, percent, table
    from weasyprint.text import line_break

    from cifar_report.report.typesetting.quick_file import QuickPDF
    from cifar_report.report.typesetting.quick_styles import styles_shared

    lengths = _lengths_once(percent)
    return [
        (pydyf, "PDF", QuickPDF),
        (StyleFor, "set_computed_styles", styles_shared(StyleFor.set_computed_styles)),
        (inline, "split_first_line", _lines_once(inline.split_first_line)),
        (drawn_text, "draw_first_line", _drawn_once(drawn_text.draw_first_line)),
        (line_break.Layout, "reactivate", _reactivated_if_needed(line_break.Layout.reactivate)),
        (line_break, "get_font_description", _of_style(line_break.get_font_description)),
        (line_break, "_font_style_cache_key", _font_key_once(line_break._font_style_cache_key)),
        *((place, "resolve_percentages", lengths) for place in (block, inline, table)),
        (background, "layout_box_backgrounds", _backgrounds_if_any(background)),
    ]


def _of_style(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function of a style's typeface that keeps its result in the style; a copied style has none yet."""
    name = f"_{function.__name__}"

    @wraps(function)
    def once(style: Any) -> Any:
        kept = style.__dict__
        if name not in kept:
            kept[name] = function(style)
        return kept[name]

    return once


def _font_key_once(function: Callable[..., str]) -> Callable[..., str]:
    plain, with_size = _of_style(function), _of_style(_with_size(function))

    def key(style: Any, include_size: bool = False) -> str:
        return with_size(style) if include_size else plain(style)  # type: ignore[no-any-return]

    return key


def _with_size(function: Callable[..., str]) -> Callable[[Any], str]:
    def key_with_size(style: Any) -> str:
        return function(style, include_size=True)

    return key_with_size


# Lines of text


def _lines_once(split: Callable[..., tuple[Any, ...]]) -> Callable[..., tuple[Any, ...]]:
    """Set a short text once for each style and width: the same words stand in many cells of a column."""
    lines: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = {}

    @wraps(split)
    def first_line(text: str, style: Any, context: Any, *room: Any, **options: Any) -> tuple[Any, ...]:
        if len(text) > LONGEST_REPEATED:
            return split(text, style, context, *room, **options)
        key = (text, id(style), room, *options.items())
        if key not in lines:
            lines[key] = style, split(text, style, context, *room, **options)  # a style that is kept keeps its id
        return lines[key][1]

    return first_line


def _drawn_once(draw: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    """Keep what draws a line with the line: the same line elsewhere on a page is drawn by the same operator."""

    @wraps(draw)
    def first_line(stream: Any, box: Any, overflow: str, ellipsis: str, matrix: Any) -> list[Any]:
        line = box.pango_layout
        if overflow != "clip" or ellipsis != "none":
            return draw(stream, box, overflow, ellipsis, matrix)
        if (ready := line.__dict__.get("_drawn")) is not None:
            stream.set_text_matrix(*matrix.values)
            stream.set_font_size(*ready[0])
            stream.stream.append(ready[1])
            return []
        before = len(stream.stream)
        pictures = draw(stream, box, overflow, ellipsis, matrix)
        if not pictures and _is_one_piece(stream.stream[before + 1 :]):
            line._drawn = stream._current_font, stream.stream[-1]
        return pictures

    return first_line


def _is_one_piece(operators: list[bytes]) -> bool:
    """Say whether a line is one run of glyphs, with or without the choice of its font in front."""
    *choice, shown = operators or [b""]
    return shown.endswith(b"] TJ") and (not choice or (len(choice) == 1 and choice[0].endswith(b" Tf")))


def _reactivated_if_needed(reactivate: Callable[..., None]) -> Callable[..., None]:
    """Shape a line again only where it has to be drawn for the first time."""

    @wraps(reactivate)
    def if_needed(line: Any, style: Any) -> None:
        if "_drawn" in line.__dict__:
            line.layout = line.language = line.style = None  # which WeasyPrint is about to delete
        else:
            reactivate(line, style)

    return if_needed


# Boxes


def _lengths_once(percent: Any) -> Callable[[Any, Any], None]:
    """Resolve the lengths of a style without percentages once, for cells, lines and parts of lines."""
    from weasyprint.formatting_structure import boxes

    simple = (boxes.TableCellBox, boxes.TableRowBox, boxes.LineBox, boxes.InlineBox)
    resolve: Callable[[Any, Any], None] = percent.resolve_percentages

    @wraps(resolve)
    def lengths(box: Any, containing_block: Any) -> None:
        kept = box.style.__dict__
        if "_lengths" not in kept:
            kept["_lengths"] = _fixed_lengths(box.style) if isinstance(box, simple) else None
        fixed = kept["_lengths"]
        if fixed is None or not isinstance(box, simple):
            resolve(box, containing_block)
            return
        attributes = box.__dict__
        attributes.update(fixed[0])
        for name, width in fixed[1]:
            if not (fixed[2] and name in attributes):  # cells that share a border have decided on it together
                attributes[name] = width

    return lengths


def _fixed_lengths(style: Any) -> tuple[dict[str, Any], tuple[tuple[str, Any], ...], bool] | None:
    """Return a style's lengths by name, its borders, and whether cells share those; None where anything is relative."""
    if style["box_sizing"] != "content-box":
        return None
    lengths = {}
    for name in LENGTHS:
        value = style[name]
        if value != "auto" and getattr(value, "unit", None) != "px":
            return None
        lengths[name] = value if value == "auto" else value.value
        if value == "auto" and name in ("min_width", "min_height"):
            lengths[name] = 0
    return lengths, tuple((name, style[name]) for name in BORDERS), style["border_collapse"] == "collapse"


def _backgrounds_if_any(background: Any) -> Callable[..., None]:
    """Look for pictures, shadows and round corners once in a style: hardly a box has any."""
    lay_out: Callable[..., None] = background.layout_box_backgrounds

    @wraps(lay_out)
    def backgrounds(page: Any, box: Any, get_image: Any, layout_children: bool = True, style: Any = None) -> None:
        if style is not None or box is page or not _has_nothing_behind(box.style):
            lay_out(page, box, get_image, layout_children, style)
            return
        for corner in RADII:
            setattr(box, corner, (0, 0))
        box.background = None
        if layout_children:
            for child in box.all_children():
                backgrounds(page, child, get_image)

    return backgrounds


def _has_nothing_behind(style: Any) -> bool:
    kept: dict[str, Any] = style.__dict__
    if "_plain" not in kept:
        colour = style["background_color"]
        kept["_plain"] = (
            (style["color"] if colour == "currentcolor" else colour).alpha == 0
            and style["visibility"] != "hidden"
            and all(kind == "none" for kind, _ in style["background_image"])
            and style["border_image_source"][0] == style["mask_border_source"][0] == "none"
            and not style["box_shadow"]
            and all((0, "px") in style[name] for name in RADII)
        )
    return bool(kept["_plain"])
