"""A picture of ours in the shape of WeasyPrint's own, drawn as one object of the PDF."""

from __future__ import annotations

from typing import Any

from cifar_report.report.vector import Picture

PIXELS_PER_POINT = 4 / 3


class Drawing:
    """What WeasyPrint asks of a picture: its size, and to draw itself."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture

    def get_intrinsic_size(self, _resolution: float, _font_size: float) -> tuple[float, float, float]:
        """Return width and height in pixels and their ratio."""
        width, height = self._picture.width, self._picture.height
        return width * PIXELS_PER_POINT, height * PIXELS_PER_POINT, width / height

    def draw(self, stream: Any, width: float, height: float, _style: Any) -> None:
        """Put the picture on a page, ``width`` by ``height`` pixels from the origin."""
        import pydyf

        picture = self._picture
        with stream.stacked():
            stream.transform(a=width / picture.width, d=height / picture.height)
            form = stream.add_group(0, 0, picture.width, picture.height)
            form.stream.append(picture.content)
            form.compress = False  # it was, where there was time for it
            form.extra["Filter"] = "/FlateDecode"
            del form.extra["Group"]  # nothing shines through the picture as a whole
            states = form.extra["Resources"]["ExtGState"]
            states |= {name: pydyf.Dictionary({kind: value}) for name, kind, value in picture.opacities}
            stream.draw_x_object(form.id)
