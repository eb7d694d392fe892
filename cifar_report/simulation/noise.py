"""How much accuracies vary without any difference between recipes: assumed, or measured on a bundle's own runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from cifar_report.analysis.answers import read_answers
from cifar_report.analysis.calibration_records import Noise
from cifar_report.bundle import Bundle
from cifar_report.errors import UsageError
from cifar_report.spec import Trial

Array = np.ndarray[Any, Any]

ASSUMED = Noise(seed=0.006, image=0.004)


class Spread(NamedTuple):
    """The variance of one recipe's accuracy over its runs, and how much of it single images explain."""

    total: float
    images: float
    freedom: int  # runs - 1


def measured_noise(bundle: Bundle) -> Noise:
    """Return the noise of a bundle's networks, over the trials that have at least two finished runs.

    The spread between seeds is the median over the trials, each divided by the median that chance alone gives a
    variance of so few values: so one recipe with a run that collapsed does not speak for all.

    Raises UsageError when no trial has two runs with predictions.
    """
    tables = list(_tables(bundle))
    if not tables:
        raise UsageError(
            f"{bundle.folder} holds no trial with two finished runs and their predictions, so no noise can be "
            "measured there. Name a bundle with at least two seeds."
        )
    spreads = [spread_of(table) for table in tables]
    freedom = sum(each.freedom for each in spreads)
    total = float(np.median([each.total * each.freedom / stats.chi2.median(each.freedom) for each in spreads]))
    images = sum(each.images * each.freedom for each in spreads) / freedom
    return Noise(
        seed=float(np.sqrt(max(total - images, 0.0))),
        image=float(np.sqrt(images)),
        source="measured",
        profile=bundle.record.profile.name,
        dataset=bundle.record.dataset.fingerprint,
        trials=len(tables),
        runs=sum(len(table) for table in tables),
    )


def spread_of(right: Array) -> Spread:
    """Split the variance of the accuracy over runs; ``right`` is bool [runs >= 2, images].

    On an image that a run gets right with probability p the answer varies by p(1 - p); over N images that adds
    mean p(1 - p) / N to the variance of the accuracy, estimated without bias by the factor n / (n - 1).
    """
    runs, images = right.shape
    shares = right.mean(axis=0)
    single = float(np.mean(shares * (1 - shares))) * runs / (runs - 1)
    return Spread(float(np.var(right.mean(axis=1), ddof=1)), single / images, runs - 1)


def _tables(bundle: Bundle) -> Iterator[Array]:
    """Yield bool [runs, images] for each trial with at least two runs: where its last stage is right."""
    answers = read_answers(bundle)
    for trial in bundle.trials.values():
        if not isinstance(trial, Trial):
            continue
        given = [answers.get((run.id, trial.stages[-1].id)) for run in bundle.runs_of(trial.id)]
        right = [each.right for each in given if each is not None]
        if len(right) > 1 and len({len(each) for each in right}) == 1:
            yield np.array(right)
