"""Content as an address that holds it, for a file that asks for nothing outside."""

from __future__ import annotations

import base64
import re
from urllib.parse import quote

from markupsafe import Markup

PATH = re.compile(r'(\bd=")([^"]*)"')
COMMAND = re.compile(r"\s*([A-Za-z])\s*")
TRANSFORM = re.compile(r'\btransform="[^"]*"')


def data_address(content: bytes, kind: str) -> str:
    """Return ``content`` as a ``data:`` address of the media type ``kind``."""
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"


def svg_address(content: bytes) -> Markup:
    """Return an SVG as a readable data address, which takes less room than one in base 64.

    Paths and movements are written with commas, because an address may hold those and must not hold spaces. The
    address is markup: whatever would end an attribute is written in per cent signs.
    """
    text = PATH.sub(_with_commas, TRANSFORM.sub(_close_together, content.decode().strip())).replace('"', "'")
    return Markup("data:image/svg+xml," + quote(text, safe="/:;,=?@!$'()*+~-._[]"))  # noqa: S704 - quoted


def _with_commas(path: re.Match[str]) -> str:
    return path[1] + COMMAND.sub(r"\1", path[2]).replace(" ", ",") + '"'


def _close_together(movements: re.Match[str]) -> str:
    return movements[0].replace(") ", ")").replace(" ", ",")
