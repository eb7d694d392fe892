"""Plays the full suite's order of runs with measured seconds: how long it takes, and how long cores stand idle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from cifar_report.running.plan import next_run


class Planned(NamedTuple):
    """One run: its seconds, what the suite expects it to cost, and whether it needs the machine for itself."""

    seconds: float
    cost: float
    mirrored: bool = False


class Schedule(NamedTuple):
    """What came of it."""

    seconds: float  # from the first start to the last end
    idle: float  # share of all workers' seconds, 0 … 1


class _Busy(NamedTuple):
    end: float
    start: float
    run: Planned

    def remaining(self, now: float) -> float:
        """Return what is left of the run's expected cost."""
        return self.run.cost * (self.end - now) / self.run.seconds if self.run.seconds else 0.0


def play(runs: Sequence[Planned], workers: int) -> Schedule:
    """Hand out runs as the suite does (``running.plan.next_run``); a mirrored run keeps every core busy.

    Raises ValueError without workers.
    """
    if workers < 1:
        raise ValueError("a suite needs at least one worker")
    waiting, working, now, spent = list(runs), list[_Busy](), 0.0, 0.0
    while waiting or working:
        place = None
        if len(working) < workers and not any(busy.run.mirrored for busy in working):
            place = next_run(waiting, [busy.remaining(now) for busy in working])
        if place is None:
            ended = min(working)
            working.remove(ended)
            now = ended.end
        else:
            run = waiting.pop(place)
            working.append(_Busy(now + run.seconds, now, run))
            spent += run.seconds * (workers if run.mirrored else 1)
    return Schedule(now, 1 - spent / (now * workers) if now else 0.0)
