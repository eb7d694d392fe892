"""A suite in shares, for machines that share nothing: each trains one, and ``cifar-report bundle merge`` joins them."""

import heapq
from collections.abc import Iterable

from cifar_report.running.plan import PlannedRun


def longest_first(runs: Iterable[PlannedRun]) -> list[PlannedRun]:
    """Return runs over all seeds by their estimated cost, mirrored ones at the end; equal requests order equally."""
    return sorted(runs, key=lambda run: (run.mirrored, -run.cost, run.id))


def shard_of(runs: Iterable[PlannedRun], number: int, count: int) -> list[PlannedRun]:
    """Return share ``number`` (1 … ``count``): the longest run left goes to the share that has the least so far."""
    loads = [(0.0, share) for share in range(1, count + 1)]
    chosen = []
    for run in sorted(runs, key=lambda run: (-run.cost, run.id)):
        load, share = heapq.heappop(loads)
        heapq.heappush(loads, (load + run.cost, share))
        if share == number:
            chosen.append(run)
    return longest_first(chosen)
