"""These networks, as against the recipe: trained networks of one seed on the same test images."""

from __future__ import annotations

import numpy as np
from scipy import stats

from cifar_report.analysis.hypothesis_tests import RESAMPLES, McNemar
from cifar_report.analysis.predictions import PredictionTable, StagePredictions, same_images
from cifar_report.analysis.results import Datum, Networks
from cifar_report.analysis.results.verdicts import NetworkTest
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.values import LEVEL, Array
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim, Side


def networks_of(claim: Claim, sample: Sample, bundle: Bundle, predictions: PredictionTable) -> Networks | None:
    """Return McNemar's tests and bootstraps for a comparison of test accuracies; None without predictions."""
    if claim.quantity != "accuracy" or claim.comparator is None:
        return None
    first, second = (_by_seed(side, bundle, predictions) for side in (claim.subject, claim.comparator))
    right: list[tuple[Array, Array]] = []
    for seed in sample.keys:
        one, other = (found.get(seed, found.get(None)) for found in (first, second))
        if one is None or other is None or not same_images(one, other):
            return None
        right.append((one.right, other.right))
    tests = tuple(_test(claim, seed, *pair) for seed, pair in zip(sample.keys, right, strict=True))
    by_image = np.mean([one.astype(float) - other for one, other in right], axis=0)
    differences = np.array([np.mean(one) - np.mean(other) for one, other in right])
    apart = sum((test.p.value or 0.0) < LEVEL for test in tests)
    return Networks(
        tests,
        Datum(f"claim.{claim.id}.networks_apart", apart, "count", "mcnemar", len(tests), runs=sample.runs),
        _pooled(f"claim.{claim.id}.networks", by_image, sample.runs),
        _beyond(f"claim.{claim.id}.beyond_images", by_image, differences, sample.runs),
    )


def _by_seed(side: Side, bundle: Bundle, predictions: PredictionTable) -> dict[int | None, StagePredictions | None]:
    return {
        run.seed: predictions.get((run.id, None if run.classical is not None else run.stage(side.stage).id))
        for run in bundle.runs_of(side.trial)
    }


def _test(claim: Claim, seed: int | None, one: Array, other: Array) -> NetworkTest:
    prefix = f"claim.{claim.id}.network_{'once' if seed is None else seed}"
    test, count = McNemar.of(one, other), len(one)
    mean, low, high = test.interval()
    return NetworkTest(
        seed,
        Datum(f"{prefix}.only_subject", test.only_subject, "count", "count_of_images", count, "images"),
        Datum(f"{prefix}.only_comparator", test.only_comparator, "count", "count_of_images", count, "images"),
        Datum(f"{prefix}.difference", mean, "points", "difference_over_images", count, "images", low, high),
        Datum(f"{prefix}.p", test.two_sided_p_value(), "probability", "mcnemar", count, "images"),
    )


def _pooled(identity: str, by_image: Array, runs: tuple[str, ...]) -> Datum:
    """Bootstrap the images: few different values occur, so drawing images is drawing from these values."""
    count, mean = len(by_image), float(np.mean(by_image))
    values, counts = np.unique(np.round(by_image, 9), return_counts=True)
    drawn = np.random.default_rng(0).multinomial(count, counts / count, RESAMPLES)
    low, high = np.quantile(drawn @ values / count, [LEVEL / 2, 1 - LEVEL / 2])
    bounds = float(low), float(high)
    return Datum(identity, mean, "points", "mean_difference_over_images", count, "images", *bounds, runs)


def _beyond(identity: str, by_image: Array, differences: Array, runs: tuple[str, ...]) -> Datum:
    """Widen the interval over seeds by the spread between images: SE² = s²/n + Var over images / N."""
    count, mean = len(differences), float(np.mean(differences))
    if count < 2:
        return Datum(identity, mean, "points", "difference_beyond_images", count, runs=runs, reason="one_seed")
    error = np.sqrt(np.var(differences, ddof=1) / count + np.var(by_image, ddof=1) / len(by_image))
    half = float(stats.t.ppf(1 - LEVEL / 2, count - 1) * error)
    return Datum(identity, mean, "points", "difference_beyond_images", count, "seeds", mean - half, mean + half, runs)
