"""When Python looks for objects that only hold each other: that takes time in proportion to all that are there."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

RARELY = (100_000, 20, 100)  # new objects, and rounds of the young and of the middle-aged


@contextmanager
def not_collecting() -> Iterator[None]:
    """Do not look inside of this ``with``, where much is made and nothing in circles is given up."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def collect_rarely() -> None:
    """Let this process look once in a while: it takes a fifth of the time that it draws for."""
    gc.set_threshold(*RARELY)
