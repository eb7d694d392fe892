"""All trials by accuracy, and which of them the seeds cannot tell from the first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import stats

from cifar_report.analysis.hypothesis_tests import TTest
from cifar_report.analysis.results import Measure, RankRow, TrialResult
from cifar_report.analysis.values import LEVEL


def ranked(trials: Sequence[TrialResult]) -> tuple[RankRow, ...]:
    """Return all trials that have a primary accuracy, best first, each tied with the first one or not."""
    order = [trial for trial in trials if trial.primary.datum.value is not None]
    order.sort(key=lambda trial: -(trial.primary.datum.value or 0.0))
    tied = ties([trial.primary for trial in order])
    return tuple(
        RankRow(place, trial.id, trial.primary.datum, row)
        for place, (trial, row) in enumerate(zip(order, tied, strict=True), start=1)
    )


def ties(order: Sequence[Measure]) -> list[bool | None]:
    """Return of measures, the best first, whether each is tied with the first; None where too few runs speak.

    The first is chosen by the data that it is tested on, so that each of its tests stands for one of every two
    trials: from the least p-value on, p is multiplied by the pairs among the first and the trials that are left.
    """
    p_values = [_p_value(order[0], other) for other in order[1:]]
    known = sorted((p, place) for place, p in enumerate(p_values, start=1) if p is not None)
    found: list[bool | None] = [None if p is None else True for p in (1.0, *p_values)][: len(order)]
    for left, (p, place) in zip(range(len(known), 0, -1), known, strict=True):
        if p * left * (left + 1) / 2 >= LEVEL:
            break
        found[place] = False
    return found


def _p_value(first: Measure, second: Measure) -> float | None:
    """Return Welch's two-sided p-value; None where fewer than two runs speak.

    A classifier without seeds is a fixed value; two of them are compared by Fisher's test over the images.
    """
    once = [None in {each.seed for each in side.seeds} for side in (first, second)]
    if all(once):
        return _images_p_value(first, second)
    samples = [np.array(side.values) for side, single in zip((first, second), once, strict=True) if not single]
    if min(map(len, samples)) < 2:
        return None
    fixed = next((side.values[0] for side, single in zip((first, second), once, strict=True) if single), 0.0)
    test = TTest(samples[0] - fixed, samples[1] if len(samples) > 1 else None)
    return min(1.0, 2 * min(test.p_value(0.0, 1), test.p_value(0.0, -1)))


def _images_p_value(first: Measure, second: Measure) -> float | None:
    """Return the p-value of Fisher's test on correct and wrong predictions (unpaired, so a little conservative)."""
    if first.datum.n_of != "images" or second.datum.n_of != "images":
        return None
    counts = [((each.datum.value or 0.0), (each.datum.n or 0)) for each in (first, second)]
    table = [[round(share * count), count - round(share * count)] for share, count in counts]
    return float(stats.fisher_exact(table).pvalue)
