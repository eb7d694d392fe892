"""Pixels inside a picture of a PDF: small ones, written into the page's own stream."""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping

ADDRESS = "data:image/png;base64,"


class UnknownShapeError(ValueError):
    """The picture holds something that only WeasyPrint can draw."""


def inline_image(attributes: Mapping[str, str]) -> bytes:
    """Return an SVG's ``image`` as an inline image of a PDF, in the place and size that its attributes say.

    Raises UnknownShapeError for anything but an opaque PNG as a data address.
    """
    from PIL import Image, UnidentifiedImageError

    address = attributes.get("href", "")
    if not address.startswith(ADDRESS):
        raise UnknownShapeError(f"no picture inside the document: {address[:40]}")
    try:
        picture = Image.open(io.BytesIO(base64.b64decode(address.removeprefix(ADDRESS)))).convert("RGBA")
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise UnknownShapeError(f"no picture that can be read: {error}") from error
    if picture.getchannel("A").getextrema() != (255, 255):
        raise UnknownShapeError("a picture that is not opaque")
    left, top, width, height = (float(attributes.get(name, "0")) for name in ("x", "y", "width", "height"))
    pixels = zlib.compress(picture.convert("RGB").tobytes(), 9).hex()  # in hexadecimals nothing can look like its end
    place = f"{width:g} 0 0 {-height:g} {left:g} {top + height:g} cm"
    head = f"BI /W {picture.width} /H {picture.height} /CS /RGB /BPC 8 /F [/AHx /Fl] ID {pixels}> EI"
    return f"{place}\n{head}".encode()
