"""Recipes as Python text, rendered from the records of a bundle: what stood in the experiment's file."""

from __future__ import annotations

from typing import Any

import msgspec
from markupsafe import Markup
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from cifar_report.spec import AnyTrial
from cifar_report.spec.layers import Layer

WIDTH = 84
INDENT = "    "
UNSHOWN = {"title", "as_written", "one_change", "published"}


def recipe_text(trial: AnyTrial) -> str:
    """Return a trial's recipe as Python text, defaults left out, without its names and prose."""
    return _render(trial, "", UNSHOWN)


def highlighted(text: str) -> Markup:
    """Return Python text as HTML with classes for its tokens; everything in it is escaped."""
    return Markup(highlight(text, PythonLexer(), HtmlFormatter(nowrap=True)))  # noqa: S704 - escaped by Pygments


def _render(value: Any, indent: str, unshown: set[str] = frozenset()) -> str:  # type: ignore[assignment]
    if isinstance(value, msgspec.Struct):
        return _call(value, indent, unshown)
    if isinstance(value, tuple):
        parts = [_render(part, indent + INDENT) for part in value]
        line = f"({', '.join(parts)}{',' * (len(parts) == 1)})"
        if len(indent) + len(line) <= WIDTH and "\n" not in line and len(parts) < 3:
            return line
        return "(\n" + "".join(f"{indent}{INDENT}{part},\n" for part in parts) + f"{indent})"
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _call(value: msgspec.Struct, indent: str, unshown: set[str]) -> str:
    positional = isinstance(value, Layer)
    parts = []
    for field in msgspec.structs.fields(value):
        inner = getattr(value, field.name)
        if field.name in unshown or (not field.required and inner == field.default):
            positional = positional and field.name not in unshown
            if not field.required and inner == field.default:
                positional = False
            continue
        text = _render(inner, indent + INDENT)
        parts.append(text if positional else f"{field.name}={text}")
    name = type(value).__name__
    line = f"{name}({', '.join(parts)})"
    if len(indent) + len(line) <= WIDTH and "\n" not in line:
        return line
    return f"{name}(\n" + "".join(f"{indent}{INDENT}{part},\n" for part in parts) + f"{indent})"
