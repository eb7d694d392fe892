"""Setting a printed report: its parts are laid out beside each other, learn of each other, and are bound.

Nothing of WeasyPrint is imported before something is set. A process that only sets pages stays small this way: no
results, no statistics, no matplotlib.
"""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeAlias

from cifar_report.errors import SuiteError
from cifar_report.report.typesetting.drawing import Drawing
from cifar_report.report.typesetting.paper import Attached, Paper, PartSource, attached

if TYPE_CHECKING:
    from cifar_report.report.typesetting.binding import Leaves
    from cifar_report.report.typesetting.part import Extent, Part

PANGO_PACKAGES = "libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"

# Begins one of a setter's methods, by its name, and returns what waits for its result.
Begin: TypeAlias = Callable[..., Callable[[], Any]]


class Setter:
    """One who sets: keeps what is laid out until it is finished."""

    def __init__(self) -> None:
        self._parts: dict[int, Part] = {}
        self._front: Part | None = None
        self._has_set = False

    def clear(self) -> None:
        """Forget what is left of the report before, if there was one: its boxes hold each other."""
        self._parts.clear()
        self._front = None
        if self._has_set:
            gc.collect()
        self._has_set = True

    def lay_out(self, number: int, part: PartSource) -> Extent:
        """Lay out a part.

        Raises SuiteError naming the packages where the libraries for setting text are missing.
        """
        load_libraries()
        from cifar_report.report.typesetting.part import Part

        pictures = {address: Drawing(picture) for address, picture in part.pictures.items()}
        self._parts[number] = Part(part.source, pictures)
        return self._parts[number].extent

    def lay_out_front(self, source: str, parts: Sequence[Extent]) -> Extent:
        """Lay out what stands before the first of the parts; raises what ``lay_out`` does."""
        load_libraries()
        from cifar_report.report.typesetting.front import lay_out_front

        self._front = lay_out_front(source, parts)
        return self._front.extent

    def finish(self, number: int, before: int, places: Iterable[str]) -> Leaves:
        """Draw a part whose pages come after ``before`` others and link to ``places`` of the whole report."""
        from cifar_report.report.typesetting.binding import leaves_of

        part = self._parts.pop(number)
        part.number(before)
        part.link_to(places)
        return leaves_of(part, number)

    def bind(self, numbers: Attached, parts: Sequence[Extent], leaves: Sequence[Leaves]) -> bytes:
        """Draw the front, and return the PDF file of it, all parts and the numbers."""
        from cifar_report.report.typesetting.binding import bind

        front, self._front = self._front, None
        if front is None:
            raise RuntimeError("the front is laid out before it is bound")
        front.number(0)
        front.link_to(name for part in parts for name in part.places)
        return bind(front, numbers, parts, leaves)


def set_paper(paper: Paper, setters: Sequence[Begin], dismiss: Callable[[int], None] | None = None) -> bytes:
    """Return the PDF file, set by as many setters as there are; how many changes no byte of it.

    ``dismiss`` is told which of them will not be needed any more. Raises SuiteError naming the packages where the
    libraries for setting text are missing.
    """
    for wait in [setter("clear") for setter in setters]:
        wait()
    whose = shared_out([len(part.source) for part in paper.parts], len(setters))
    numbered = [(number, setters[one]) for number, one in enumerate(whose)]
    begun = {number: setter("lay_out", number, paper.parts[number]) for number, setter in numbered}
    numbers = attached(paper)
    parts: list[Extent] = [wait() for wait in begun.values()]
    front: Extent = setters[0]("lay_out_front", paper.front, parts)()
    before = list(accumulate((part.pages for part in parts), initial=front.pages))
    places = [*front.places, *(name for part in parts for name in part.places)]
    finished = [setter("finish", number, before[number], places) for number, setter in numbered]
    leaves: list[Leaves] = [wait() for wait in finished]
    if dismiss is not None:
        for one in range(1, len(setters)):
            dismiss(one)  # while the first one binds, which needs the most memory
    content: bytes = setters[0]("bind", numbers, parts, leaves)()
    return content


def alone(setter: Setter) -> Begin:
    """Return what lets a setter work in this process, when its result is waited for."""
    return lambda method, *arguments: partial(getattr(setter, method), *arguments)


def shared_out(sizes: Sequence[int], setters: int) -> list[int]:
    """Return who sets which part: the largest first, each by whoever has the least to do."""
    loads, whose = [0] * setters, [0] * len(sizes)
    for number in sorted(range(len(sizes)), key=lambda number: -sizes[number]):
        whose[number] = loads.index(min(loads))
        loads[whose[number]] += sizes[number]
    return whose


def load_libraries() -> None:
    """Import what sets text, some tenths of a second."""
    try:
        import weasyprint  # noqa: F401
    except (ImportError, OSError) as error:
        raise SuiteError(
            "the PDF was not written, because the libraries that set its text are missing; install them, for "
            f"example with: apt-get install {PANGO_PACKAGES} (then build the report again). {error}"
        ) from error


def prepare() -> None:
    """Make a process ready that will do nothing but set pages: import what that needs, read the typefaces.

    It looks for garbage between two reports alone: that takes a second, and nothing goes before the end of one.
    """
    gc.disable()
    with contextlib.suppress(SuiteError, OSError):  # which are raised again, and heard, when there is something
        load_libraries()
        from cifar_report.report.typesetting import front  # noqa: F401
        from cifar_report.report.typesetting.light import fonts, own_sheet

        fonts()
        own_sheet()
