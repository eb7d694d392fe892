"""All trials by accuracy, and which of them the seeds cannot tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from cifar_report.analysis.hypothesis_tests import PairedT
from cifar_report.analysis.results import Datum, Formula, Measure, RankingTest, RankRow, TrialResult
from cifar_report.analysis.statistics import holm
from cifar_report.analysis.values import LEVEL, Array

MOST_TRIALS = 100  # the pairs grow with the square; beyond, the ranking shows no groups


def ranked(trials: Sequence[TrialResult]) -> tuple[tuple[RankRow, ...], RankingTest | None]:
    """Return all trials that have a primary accuracy, best first, with the letters of their groups.

    Beside it what the tests could tell apart; no test beyond MOST_TRIALS and below two trials.
    """
    order = [trial for trial in trials if trial.primary.datum.value is not None]
    order.sort(key=lambda trial: -(trial.primary.datum.value or 0.0))
    places = range(len(order)) if len(order) <= MOST_TRIALS else range(0)
    pairs = list(combinations(places, 2))
    p_values = np.array([pair_p_value(order[one].primary, order[other].primary) for one, other in pairs])
    apart = holm(p_values, len(pairs)) < LEVEL
    sets = compact_letters(len(places), {pair for pair, differs in zip(pairs, apart, strict=True) if differs})
    rows = []
    for place, trial in enumerate(order):
        letters = tuple(_letter(number) for number, members in enumerate(sets) if place in members)
        rows.append(RankRow(place + 1, trial.id, trial.primary.datum, letters))
    return tuple(rows), _test(order, p_values, apart) if pairs else None


def _test(order: Sequence[TrialResult], p_values: Array, apart: Array) -> RankingTest:
    def count(name: str, value: int) -> Datum:
        return Datum(f"ranking.{name}", value, "count", "count_of_pairs", len(p_values), "pairs")

    return RankingTest(
        pairs=count("pairs", len(p_values)),
        apart=count("apart", int(np.sum(apart))),
        singly=count("singly", int(np.sum(p_values < LEVEL))),
        needed=_needed(order, len(p_values)),
    )


def _needed(order: Sequence[TrialResult], pairs: int) -> Datum:
    """Return the mean difference that passes Holm's first step, t / √n with the level shared among all pairs."""
    counts = Counter(len(trial.primary.values) for trial in order if trial.trial.seeded)
    seeds = max(counts, key=lambda number: (counts[number], number), default=0)
    formula: Formula = "least_standardized_difference"
    if seeds < 2:
        return Datum("ranking.needed", None, "ratio", formula, seeds, reason="one_seed")
    needed = float(stats.t.ppf(1 - LEVEL / (2 * pairs), seeds - 1) / np.sqrt(seeds))
    return Datum("ranking.needed", needed, "ratio", formula, seeds)


def pair_p_value(first: Measure, second: Measure) -> float:
    """Return the two-sided paired t p-value over the common seeds; 1 where fewer than two speak.

    A classifier without seeds stands for every seed. Two of them are compared by Fisher's test over the images.
    """
    one, other = ({each.seed: each.value for each in side.seeds if each.value is not None} for side in (first, second))
    if None in one and None in other:
        return _images_p_value(first, second)
    seeds = (one.keys() | other.keys()) - {None}
    pairs = [(one.get(seed, one.get(None)), other.get(seed, other.get(None))) for seed in sorted(seeds, key=str)]
    values = np.array([a - b for a, b in pairs if a is not None and b is not None], float)
    if len(values) < 2:
        return 1.0
    test = PairedT(values)
    return min(1.0, 2 * min(test.p_value(0.0, 1), test.p_value(0.0, -1)))


def _images_p_value(first: Measure, second: Measure) -> float:
    """Return the p-value of Fisher's test on correct and wrong predictions (unpaired, so a little conservative)."""
    if first.datum.n_of != "images" or second.datum.n_of != "images":
        return 1.0
    counts = [((each.datum.value or 0.0), (each.datum.n or 0)) for each in (first, second)]
    table = [[round(share * count), count - round(share * count)] for share, count in counts]
    return float(stats.fisher_exact(table).pvalue)


def compact_letters(count: int, apart: set[tuple[int, int]]) -> list[frozenset[int]]:
    """Return the least sets in which no pair of ``apart`` meets and every other pair does, by first member.

    Source: Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons" (insert and
    absorb).
    """
    sets = [frozenset(range(count))] if count else []
    for one, other in sorted(apart):
        split = [members for members in sets if {one, other} <= members]
        kept = [members for members in sets if not {one, other} <= members]
        for candidate in [each for members in split for each in (members - {one}, members - {other})]:
            if candidate and not any(candidate <= members for members in kept):
                kept = [members for members in kept if not members < candidate] + [candidate]
        sets = kept
    return sorted(sets, key=sorted)


def _letter(place: int) -> str:
    """Count in letters: a … z, aa, ab and so on."""
    letter = chr(ord("a") + place % 26)
    return letter if place < 26 else _letter(place // 26 - 1) + letter
