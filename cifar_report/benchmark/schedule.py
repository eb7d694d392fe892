"""Plays the full suite's order of runs with measured seconds: how long it takes, and how long cores stand idle."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import NamedTuple


class Planned(NamedTuple):
    """One run: its seconds, and whether it needs the machine for itself."""

    seconds: float
    mirrored: bool = False


class Schedule(NamedTuple):
    """What came of it."""

    seconds: float  # from the first start to the last end
    idle: float  # share of all workers' seconds, 0 … 1


def play(runs: Sequence[Planned], workers: int) -> Schedule:
    """Hand out runs in order as the suite does: to whoever is idle; a mirrored one waits until all are.

    A mirrored run keeps every core busy. Raises ValueError without workers.
    """
    if workers < 1:
        raise ValueError("a suite needs at least one worker")
    free = [0.0] * workers  # when each worker ends what it has
    busy = 0.0
    for run in runs:
        if run.mirrored:
            end = max(free) + run.seconds
            free = [end] * workers
            busy += run.seconds * workers
        else:
            heapq.heapify(free)
            heapq.heapreplace(free, free[0] + run.seconds)
            busy += run.seconds
    total = max(free)
    return Schedule(total, 1 - busy / (total * workers) if total else 0.0)
