"""What stands before the first chapter: laid out last, because its contents name the pages of everything else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cifar_report.report.typesetting.part import Extent, Part

MOST_ROUNDS = 5  # two are enough, unless numbers with a digit more or less move a line to another page, and back
PAGE_OF = re.compile(r'data-page="([^"]*)"')


def lay_out_front(source: str, parts: Sequence[Extent], pages: int = 3) -> Part:
    """Lay out the front of a report: ``parts`` come behind it, and behind ``pages`` pages if that guess is right.

    An attribute ``data-page`` with the name of a place becomes the number of its page, or empty where there is no
    such place.
    """
    for _ in range(MOST_ROUNDS - 1):
        front = Part(_with_numbers(source, page_numbers(pages, parts)), {})
        if front.extent.pages == pages:
            return front
        pages = front.extent.pages
    return Part(_with_numbers(source, page_numbers(pages, parts)), {})


def page_numbers(front: int, parts: Sequence[Extent]) -> dict[str, int]:
    """Return the page of each place in the parts that follow ``front`` pages; the first page of all has number 1.

    No two parts have a place of the same name.
    """
    numbers: dict[str, int] = {}
    before = front
    for part in parts:
        numbers |= {name: before + place + 1 for name, place in part.places.items()}
        before += part.pages
    return numbers


def _with_numbers(source: str, numbers: Mapping[str, int]) -> str:
    return PAGE_OF.sub(lambda found: f'data-page="{numbers.get(found[1], "")}"', source)
