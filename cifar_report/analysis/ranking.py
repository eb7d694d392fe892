"""All trials by accuracy, and which of them the seeds cannot tell apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from scipy import stats

from cifar_report.analysis.evidence import Paired
from cifar_report.analysis.results import Datum, Formula, Measure, RankingTest, RankRow, TrialResult
from cifar_report.analysis.statistics import holm
from cifar_report.analysis.values import LEVEL

MOST_TRIALS = 100  # the pairs grow with the square; beyond, the ranking shows no groups


def ranking(trials: Sequence[TrialResult]) -> tuple[RankRow, ...]:
    """Return all trials that have a primary accuracy, best first, with the letters of their groups."""
    return ranked(trials)[0]


def ranked(trials: Sequence[TrialResult]) -> tuple[tuple[RankRow, ...], RankingTest | None]:
    """Return the ranking and what its tests could tell apart; no test beyond MOST_TRIALS and below two trials."""
    order = [trial for trial in trials if trial.primary.datum.value is not None]
    order.sort(key=lambda trial: -(trial.primary.datum.value or 0.0))
    tested = len(order) <= MOST_TRIALS
    pairs = _pairs(order) if tested else {}
    corrected = holm(pairs, len(pairs))
    groups = _groups(len(order), corrected) if tested else [() for _ in order]
    rows = tuple(
        RankRow(place, trial.id, trial.primary.datum, group)
        for place, (trial, group) in enumerate(zip(order, groups, strict=True), start=1)
    )
    return rows, _test(order, pairs, corrected) if pairs else None


def _pairs(order: Sequence[TrialResult]) -> dict[str, float]:
    """Return the uncorrected p-value of each pair of places."""
    return {
        f"{one} {other}": pair_p_value(order[one].primary, order[other].primary)
        for one, other in combinations(range(len(order)), 2)
    }


def _groups(count: int, corrected: Mapping[str, float]) -> list[tuple[str, ...]]:
    """Give every trial its letters: two trials share one exactly when no test tells them apart."""
    apart = {(int(a), int(b)) for name, p in corrected.items() if p < LEVEL for a, b in [name.split()]}
    sets = compact_letters(count, apart)
    return [tuple(_letter(place) for place, members in enumerate(sets) if trial in members) for trial in range(count)]


def _test(order: Sequence[TrialResult], pairs: Mapping[str, float], corrected: Mapping[str, float]) -> RankingTest:
    def count(name: str, value: int) -> Datum:
        return Datum(f"ranking.{name}", value, "count", "count_of_pairs", len(pairs), "pairs")

    return RankingTest(
        pairs=count("pairs", len(pairs)),
        apart=count("apart", sum(p < LEVEL for p in corrected.values())),
        singly=count("singly", sum(p < LEVEL for p in pairs.values())),
        needed=_needed(order, len(pairs)),
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

    A classifier without seeds stands for every seed. Two of them are compared through their binomial intervals.
    """
    one = {entry.seed: entry.value for entry in first.seeds if entry.value is not None}
    other = {entry.seed: entry.value for entry in second.seeds if entry.value is not None}
    if None in one and None in other:
        return _images_p_value(first, second)
    seeds = (one.keys() | other.keys()) - {None}
    pairs = [(one.get(seed, one.get(None)), other.get(seed, other.get(None))) for seed in sorted(seeds, key=str)]
    values = np.array([a - b for a, b in pairs if a is not None and b is not None], float)
    if len(values) < 2:
        return 1.0
    evidence = Paired(values)
    return min(1.0, 2 * min(evidence.p_above(0.0), evidence.p_below(0.0)))


def _images_p_value(first: Measure, second: Measure) -> float:
    """Return the p-value of Fisher's test on right and wrong answers (unpaired, so a little conservative)."""
    if first.datum.n_of != "images" or second.datum.n_of != "images":
        return 1.0
    table = [
        [right := round((each.datum.value or 0.0) * (each.datum.n or 0)), (each.datum.n or 0) - right]
        for each in (first, second)
    ]
    return float(stats.fisher_exact(table).pvalue)


def compact_letters(count: int, apart: set[tuple[int, int]]) -> list[frozenset[int]]:
    """Return the least sets in which no pair of ``apart`` meets and every other pair does, by first member.

    Source: Piepho 2004, "An algorithm for a letter-based representation of all-pairwise comparisons" (insert and
    absorb).
    """
    sets = [frozenset(range(count))] if count else []
    for one, other in sorted(apart):
        split = [members for members in sets if one in members and other in members]
        kept = [members for members in sets if not (one in members and other in members)]
        for candidate in [each for members in split for each in (members - {one}, members - {other})]:
            if candidate and not any(candidate <= members for members in kept):
                kept = [members for members in kept if not members < candidate] + [candidate]
        sets = kept
    return sorted(sets, key=sorted)


def _letter(place: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return (
        alphabet[place]
        if place < len(alphabet)
        else _letter(place // len(alphabet) - 1) + alphabet[place % len(alphabet)]
    )
