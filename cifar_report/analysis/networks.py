"""These networks, as against the recipe: trained networks of one seed on the same test images."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from scipy import stats

from cifar_report.analysis.answers import Answers, AnswerTable, same_images
from cifar_report.analysis.evidence import RESAMPLES, Images
from cifar_report.analysis.results import Datum, Networks, NetworkTest
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import Bounds, mcnemar_p
from cifar_report.analysis.values import LEVEL
from cifar_report.bundle import Bundle, Run
from cifar_report.spec import Claim, Side

Array = np.ndarray[Any, Any]

MOST_REMEMBERED = 10_000  # counts of a pair of networks whose bootstrap is kept


def networks_of(claim: Claim, sample: Sample, bundle: Bundle, answers: AnswerTable) -> Networks | None:
    """Return McNemar's tests and bootstraps for a comparison of test accuracies; None without predictions."""
    if claim.quantity != "accuracy" or claim.comparator is None:
        return None
    pairs = []
    sides = (claim.subject, claim.comparator)
    runs: list[dict[int | None, Run]] = [{run.seed: run for run in bundle.runs_of(side.trial)} for side in sides]
    for seed in sample.keys:
        first, second = (_answers(answers, *pair, seed) for pair in zip(sides, runs, strict=True))
        if first is None or second is None or not same_images(first, second):
            return None
        pairs.append((first.right, second.right))
    tests = tuple(
        _test(f"claim.{claim.id}.network_{'once' if seed is None else seed}", seed, *pair)
        for seed, pair in zip(sample.keys, pairs, strict=True)
    )
    by_image = np.mean([one.astype(float) - other for one, other in pairs], axis=0)
    differences = np.array([np.mean(one) - np.mean(other) for one, other in pairs])
    apart = sum((test.p.value or 0.0) < LEVEL for test in tests)
    return Networks(
        tests,
        Datum(f"claim.{claim.id}.networks_apart", apart, "count", "mcnemar", len(tests), runs=sample.runs),
        _pooled(f"claim.{claim.id}.networks", by_image, sample.runs),
        _beyond(f"claim.{claim.id}.beyond_images", by_image, differences, sample.runs),
    )


def _answers(answers: AnswerTable, side: Side, runs: dict[int | None, Run], seed: int | None) -> Answers | None:
    run: Run | None = runs.get(seed, runs.get(None))
    if run is None:
        return None
    stage = None if run.classical is not None else run.stage(side.stage).id
    return answers.get((run.id, stage))


def _test(prefix: str, seed: int | None, one: Array, other: Array) -> NetworkTest:
    images = Images(int(np.sum(one & ~other)), int(np.sum(other & ~one)), len(one))
    bounds, p = _tested(images.only_subject, images.only_comparator, images.total)
    count = images.total

    def images_of(name: str, value: int) -> Datum:
        return Datum(f"{prefix}.{name}", value, "count", "count_of_images", count, "images")

    return NetworkTest(
        seed,
        images_of("only_subject", images.only_subject),
        images_of("only_comparator", images.only_comparator),
        Datum(
            f"{prefix}.difference", bounds.mean, "points", "difference_over_images", count, "images",
            bounds.low, bounds.high,
        ),
        Datum(f"{prefix}.p", p, "probability", "mcnemar", count, "images"),
    )  # fmt: skip


@lru_cache(MOST_REMEMBERED)
def _tested(only_subject: int, only_comparator: int, total: int) -> tuple[Bounds, float]:
    """Return the bootstrap's interval and McNemar's p-value; with many seeds the same counts come again and again."""
    return Images(only_subject, only_comparator, total).interval(), mcnemar_p(only_subject, only_comparator)


def _pooled(identity: str, by_image: Array, runs: tuple[str, ...]) -> Datum:
    """Bootstrap the images: few different values occur, so drawing images is drawing from these values."""
    values, counts = np.unique(np.round(by_image, 9), return_counts=True)
    drawn = np.random.default_rng(0).multinomial(len(by_image), counts / len(by_image), RESAMPLES)
    low, high = np.quantile(drawn @ values / len(by_image), [LEVEL / 2, 1 - LEVEL / 2])
    mean = float(np.mean(by_image))
    count = len(by_image)
    return Datum(
        identity, mean, "points", "mean_difference_over_images", count, "images", float(low), float(high), runs
    )


def _beyond(identity: str, by_image: Array, differences: Array, runs: tuple[str, ...]) -> Datum:
    """Widen the interval over seeds by the spread between images: SE² = s²/n + Var over images / N."""
    count, mean = len(differences), float(np.mean(differences))
    if count < 2:
        return Datum(identity, mean, "points", "difference_beyond_images", count, runs=runs, reason="one_seed")
    error = np.sqrt(np.var(differences, ddof=1) / count + np.var(by_image, ddof=1) / len(by_image))
    half = float(stats.t.ppf(1 - LEVEL / 2, count - 1) * error)
    return Datum(identity, mean, "points", "difference_beyond_images", count, "seeds", mean - half, mean + half, runs)
