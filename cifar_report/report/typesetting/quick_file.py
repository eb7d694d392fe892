"""pydyf's PDF file with the list of its pages and the bytes of each object made once; see ``quick``."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
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


def make_ready(objects: list[Any]) -> None:
    """Put the bytes of each object in its place; what is deflated is deflated beside all other work.

    Object by object, so that what each was made of is free before the next one's bytes are there.
    """
    with ThreadPoolExecutor() as threads:
        waiting = {
            place: threads.submit(Ready, each) for place, each in enumerate(objects) if getattr(each, "compress", False)
        }
        for place, each in enumerate(objects):
            if not isinstance(each, Ready):
                objects[place] = waiting.pop(place).result() if place in waiting else Ready(each)


class Once(pydyf.Stream):  # type: ignore[misc]
    """A stream that is deflated once, however often it is asked for."""

    @cached_property
    def data(self) -> bytes:
        """Return its bytes."""
        return super().data  # type: ignore[no-any-return]


class QuickPDF(pydyf.PDF):  # type: ignore[misc]
    """A PDF file."""

    objects: list[Any]
    _references: tuple[bytes, ...] = ()
    _is_written = False

    @property
    def page_references(self) -> tuple[bytes, ...]:
        """Return the references to all pages, which every tag asks for."""
        if 3 * len(self._references) != len(self.pages["Kids"]):
            self._references = super().page_references
        return self._references

    def add_object(self, object_: Any) -> None:
        """Add an object; what is added while the file is written is a stream of all others."""
        if self._is_written and isinstance(object_, pydyf.Stream):
            object_.__class__ = Once
        super().add_object(object_)

    def write(self, output: Any, *arguments: Any, **options: Any) -> None:
        """Write the file; its identifier is a hash of all objects, which would else be deflated twice."""
        make_ready(self.objects)
        self._is_written = True
        super().write(output, *arguments, **options)
