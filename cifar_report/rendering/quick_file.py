"""pydyf's PDF file with the list of its pages and the bytes of each object made once; see ``quick``."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pydyf


class Ready(pydyf.Object):  # type: ignore[misc]
    """An object whose bytes are there."""

    data = b""

    def __init__(self, finished: Any) -> None:
        super().__init__()
        self.number, self.generation, self.free = finished.number, finished.generation, finished.free
        self._compressible = finished.compressible
        self.data = finished.data if finished.free != "f" else b""

    @property
    def compressible(self) -> bool:
        """Say what the object said."""
        return bool(self._compressible)


class QuickPDF(pydyf.PDF):  # type: ignore[misc]
    """A PDF file."""

    objects: list[Any]
    _references: tuple[bytes, ...] = ()

    @property
    def page_references(self) -> tuple[bytes, ...]:
        """Return the references to all pages, which every tag asks for."""
        if 3 * len(self._references) != len(self.pages["Kids"]):
            self._references = super().page_references
        return self._references

    def _ready(self) -> Iterator[Ready]:
        """Yield the objects with their bytes; what is deflated is deflated beside all other work."""
        deflated = {each.number: each for each in self.objects if getattr(each, "compress", False)}
        with ThreadPoolExecutor() as threads:
            waiting = {number: threads.submit(Ready, each) for number, each in deflated.items()}
            for each in self.objects:
                yield waiting[each.number].result() if each.number in waiting else Ready(each)

    def write(self, output: Any, *arguments: Any, **options: Any) -> None:
        """Write the file; its identifier is a hash of all objects, which would else be deflated twice."""
        self.objects = list(self._ready())
        super().write(output, *arguments, **options)
