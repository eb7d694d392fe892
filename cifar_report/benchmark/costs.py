"""What surrounds the training steps of a run, read from the timings of real runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import fmean, median

import msgspec

from cifar_report.bundle import Bundle, RunTiming
from cifar_report.errors import UsageError

MOST_GAP = 30.0  # seconds between two runs of a worker; more is a pause of the suite


class FixedCosts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Seconds that a run takes beyond its steps, validations and evaluations."""

    run: float  # building, tracing, reading the data, handing over
    epoch: float  # checkpoint and hashes
    gap: float  # until the worker has its next run: the bundle is written meanwhile
    runs: int  # how many were looked at
    peak_memory: float  # resident bytes, the largest worker that had trained networks alone
    peak_memory_any: float  # the largest worker, whatever it had done


def fixed_costs(bundle: Bundle) -> FixedCosts:
    """Return what the networks' runs of a bundle show; raises UsageError when it holds too few of them.

    The first run of each worker is left out where others are left: it waits for TensorFlow's import, which a suite
    pays once a worker and the bench measures on its own.
    """
    every = [(timing, bool(run.stages)) for run in bundle.runs if run.done and (timing := bundle.timing(run))]
    found = [timing for timing, network in every if network]
    if not found:
        raise UsageError(f"{bundle.folder} holds no timing of a finished network: run the suite first")
    later = _without_first(found)
    rests = [(_epochs(timing), _rest(timing)) for timing in later or found]
    run, epoch = _line(rests)
    networks, everything = _peaks(every)
    return FixedCosts(
        run=run,
        epoch=epoch,
        gap=fmean(gaps) if (gaps := list(_gaps(found))) else 0.0,
        runs=len(rests),
        peak_memory=networks,
        peak_memory_any=everything,
    )


def _peaks(every: Iterable[tuple[RunTiming, bool]]) -> tuple[float, float]:
    """Return the largest peak of networks, and of all runs; a worker's record never falls, whatever comes next.

    So a network counts where no classifier went before it in its process. Nothing counts after a pause, in which
    the worker may have done what the bundle does not hold, until a lower record shows a new process.
    """
    networks, everything = [0], [0]
    kinds = {id(timing): network for timing, network in every}
    for lane in _lanes(timing for timing, _ in every):
        known, spoilt, before = True, False, lane[0]
        for timing in lane:
            peak = timing.peak_memory_bytes or 0
            if len(timing.cores) > 1 or peak < (before.peak_memory_bytes or 0):  # parallel runs share no process
                known, spoilt = True, False
            elif timing is not before and _gap(before, timing) > MOST_GAP:
                known = False
            if known:
                everything.append(peak)
            if known and not spoilt and kinds[id(timing)]:
                networks.append(peak)
            spoilt, before = spoilt or not kinds[id(timing)], timing
    return float(max(networks)), float(max(everything))


def _without_first(timings: Sequence[RunTiming]) -> list[RunTiming]:
    return [later for lane in _lanes(timings) for later in lane[1:]]


def _lanes(timings: Iterable[RunTiming]) -> list[list[RunTiming]]:
    """Return the runs of each worker in the order in which they ran."""
    lanes: dict[tuple[int, ...], list[RunTiming]] = {}
    for timing in sorted(timings, key=lambda timing: timing.started):
        lanes.setdefault(timing.cores, []).append(timing)
    return list(lanes.values())


def _gaps(timings: Sequence[RunTiming]) -> Iterable[float]:
    for lane in _lanes(timings):
        for before, after in pairwise(lane):
            if 0 <= (gap := _gap(before, after)) <= MOST_GAP:
                yield gap


def _gap(before: RunTiming, after: RunTiming) -> float:
    """Return the seconds from one run's end to another's beginning."""
    return (datetime.fromisoformat(after.started) - datetime.fromisoformat(before.finished)).total_seconds()


def _epochs(timing: RunTiming) -> int:
    return sum(len(seconds) for seconds in timing.epoch_seconds.values())


def _rest(timing: RunTiming) -> float:
    """Return the seconds of a run beyond its steps, validations and evaluations; tracing counts to the rest.

    Tracing is what the first epoch of a stage took longer than the median of the others.
    """
    tables = [*timing.epoch_seconds.values(), *timing.validation_seconds.values()]
    spent = sum(sum(seconds) for seconds in tables) + (timing.evaluation_seconds or 0.0)
    traced = sum(max(0.0, seconds[0] - median(seconds[1:])) for seconds in tables if len(seconds) > 1)
    return timing.total_seconds - spent + traced


def _line(points: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """Return (seconds a run, seconds an epoch) by least squares, neither below zero."""
    import numpy as np
    from scipy.optimize import nnls

    epochs, rests = zip(*points, strict=True)
    if len(set(epochs)) == 1:  # nothing tells the two apart: all of it counts to the run, as a share of its length
        return median(rests), 0.0
    matrix = np.column_stack([np.ones(len(epochs)), np.asarray(epochs, np.float64)])
    solution, _ = nnls(matrix, np.asarray(rests, np.float64))
    return float(solution[0]), float(solution[1])
