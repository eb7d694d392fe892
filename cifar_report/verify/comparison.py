"""Sets two trainings of one run side by side: whether they are the same bytes, else from where on and by how much."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from cifar_report.bundle import History, Predictions, Run, StageResult, Weights
from cifar_report.bundle.arrays import load_arrays
from cifar_report.bundle.certificates import Deviation, FirstDifference, Level, Rerun

Array = np.ndarray[Any, Any]
What = Literal["order", "weights", "history", "evaluation", "predictions"]
Quantity = Literal["loss", "accuracy", "weights", "probabilities"]

TOLERANCE = 0.005  # of losses and accuracies: half a percentage point, where the claims' margins begin at one
CAUSES: tuple[What, ...] = ("order", "weights", "history", "evaluation", "predictions")  # the cause before the effect
CURVES: tuple[Quantity, ...] = ("loss", "accuracy", "loss", "accuracy")  # of a history: training, then validation
SETS: tuple[Weights, ...] = ("last", "best")


class Place(NamedTuple):
    """A stage and an epoch of it, both counted from 1; what belongs to no epoch lies at (0, 0)."""

    stage: int
    epoch: int


NOWHERE = Place(0, 0)


@dataclass
class Findings:
    """What the comparison of two trainings has found so far."""

    compared: list[str] = field(default_factory=list)
    differences: set[tuple[Place, What]] = field(default_factory=set)
    distances: list[tuple[Place, Quantity, float]] = field(default_factory=list)

    def note(self, place: Place, what: What, *, same: bool) -> None:
        """Keep whether two things are the same."""
        if not same:
            self.differences.add((place, what))

    def measure(self, place: Place, quantity: Quantity, one: float | None, other: float | None) -> None:
        """Keep how far two numbers lie apart; infinitely far where one of them alone is a number."""
        if one is None or other is None:
            self.distances.append((place, quantity, 0.0 if one is other else math.inf))
        else:
            self.distances.append((place, quantity, abs(one - other)))

    def largest(self, place: Place | None = None) -> Deviation:
        """Return the largest distances, of one place or of all."""
        found: dict[str, float] = {}
        for where, quantity, distance in self.distances:
            if place in (None, where):
                found[quantity] = max(found.get(quantity, 0.0), distance)
        return Deviation(**{quantity: value if math.isfinite(value) else None for quantity, value in found.items()})

    def within(self, tolerance: float) -> bool:
        """Whether the data came in the same order and no loss or accuracy lies further apart than a tolerance."""
        if any(what == "order" for _, what in self.differences):
            return False
        return all(
            value <= (tolerance if quantity in ("loss", "accuracy") else sys.float_info.max)
            for _, quantity, value in self.distances
        )


def compare(run: Run, folder: Path, again: Run, again_folder: Path) -> Rerun:
    """Return how far the second training of a run agrees with the first; ``folder`` holds each one's arrays.

    The level is "statistical" wherever rounding does not explain the difference: what that does to the verdicts is
    for the caller to see. Raises SuiteError when a file of arrays is damaged.
    """
    findings = Findings()
    _compare_records(run, again, findings)
    for name in ("weights", "kernels", "predictions"):
        one, other = folder / f"{name}.npz", again_folder / f"{name}.npz"
        if one.is_file() and other.is_file():
            findings.compared.append(name)
            _compare_files(name, run, one, other, findings)
    return Rerun(
        run=run.id,
        key=run.key,
        level=_level(findings),
        compared=tuple(findings.compared),
        first=_first(run, findings),
        largest=findings.largest(),
    )


def _level(findings: Findings) -> Level:
    if not findings.differences:
        return "bitwise"
    return "numerical" if findings.within(TOLERANCE) else "statistical"


def _first(run: Run, findings: Findings) -> FirstDifference | None:
    places = sorted(place for place, _ in findings.differences if place != NOWHERE)
    if not places:
        return None
    first = places[0]
    what = tuple(each for each in CAUSES if (first, each) in findings.differences)
    return FirstDifference(
        stage=run.stages[first.stage - 1].id, epoch=first.epoch, what=what, deviation=findings.largest(first)
    )


def _compare_records(run: Run, again: Run, findings: Findings) -> None:
    if run.classical is not None and again.classical is not None:
        findings.compared.append("accuracy")
        findings.note(NOWHERE, "evaluation", same=run.classical == again.classical)
        findings.measure(NOWHERE, "accuracy", run.classical.test_accuracy, again.classical.test_accuracy)
    if run.stages:
        findings.compared.append("history")
    if all(stage.hashes for stage in (*run.stages, *again.stages)) and run.stages:
        findings.compared.append("hashes of each epoch")
    for number, (one, other) in enumerate(zip(run.stages, again.stages, strict=True), 1):
        _compare_histories(number, one.history, other.history, findings)
        _compare_hashes(number, one, other, findings)
        _compare_evaluations(number, one, other, findings)


def _compare_histories(stage: int, one: History, other: History, findings: Findings) -> None:
    for epoch, pair in enumerate(zip_longest(_rows(one), _rows(other)), 1):
        place = Place(stage, epoch)
        findings.note(place, "history", same=pair[0] == pair[1])
        if None in pair:  # one of the two stopped earlier: no tolerance covers that
            findings.measure(place, "loss", None, 0.0)
            continue
        for quantity, first, second in zip(CURVES, *pair, strict=True):
            findings.measure(place, quantity, first, second)


def _rows(history: History) -> Iterator[tuple[float | None, ...]]:
    yield from zip(history.loss, history.accuracy, history.val_loss, history.val_accuracy, strict=True)


def _compare_hashes(stage: int, one: StageResult, other: StageResult, findings: Findings) -> None:
    for epoch, (first, second) in enumerate(zip(one.hashes, other.hashes, strict=False), 1):
        findings.note(Place(stage, epoch), "order", same=first.order == second.order)
        findings.note(Place(stage, epoch), "weights", same=first.weights == second.weights)


def _compare_evaluations(stage: int, one: StageResult, other: StageResult, findings: Findings) -> None:
    earliest = Place(stage, min(one.best_epoch, other.best_epoch))
    findings.note(earliest, "evaluation", same=one.best_epoch == other.best_epoch)
    findings.note(Place(stage, one.epochs), "history", same=one.stopped_early == other.stopped_early)
    for weights in SETS:
        place = _place_of(stage, one, weights)
        first, second = one.evaluation(weights), other.evaluation(weights)
        findings.note(place, "evaluation", same=first == second)
        for part in ("train", "validation", "test"):
            pair = getattr(first, part), getattr(second, part)
            findings.measure(place, "loss", pair[0].loss, pair[1].loss)
            findings.measure(place, "accuracy", pair[0].accuracy, pair[1].accuracy)


def _place_of(number: int, stage: StageResult, weights: str) -> Place:
    return Place(number, stage.epochs if weights == "last" else stage.best_epoch)


def _compare_files(name: str, run: Run, one: Path, other: Path, findings: Findings) -> None:
    first, second = load_arrays(one), load_arrays(other)
    for array in sorted(first.keys() | second.keys()):
        place = _place_of_array(run, array)
        pair = first.get(array), second.get(array)
        findings.note(place, "predictions" if name == "predictions" else "weights", same=_same_bytes(*pair))
        if array not in ("indices", "labels", "predicted"):
            quantity: Quantity = "probabilities" if name == "predictions" else "weights"
            findings.measure(place, quantity, 0.0, _distance(*pair))
    if name == "predictions":
        _compare_answers(run, Predictions.load(one), Predictions.load(other), findings)


def _place_of_array(run: Run, array: str) -> Place:
    """Return the epoch after which an array was taken, by its name ``<stage>.<last|best>…``."""
    for number, stage in enumerate(run.stages, 1):
        for weights in SETS:
            if f"{array}.".startswith(f"{stage.id}.{weights}."):
                return _place_of(number, stage, weights)
    return _place_of(len(run.stages), run.stages[-1], "last") if run.stages else NOWHERE


def _same_bytes(one: Array | None, other: Array | None) -> bool:
    if one is None or other is None:
        return False
    return (one.dtype, one.shape) == (other.dtype, other.shape) and one.tobytes() == other.tobytes()


def _distance(one: Array | None, other: Array | None) -> float:
    """Return the largest difference of two arrays; infinite where they differ in shape or in what is a number."""
    if one is None or other is None or one.shape != other.shape:
        return math.inf
    both = np.isfinite(one) & np.isfinite(other)
    if not np.array_equal(one[~both], other[~both], equal_nan=True):
        return math.inf
    return float(np.max(np.abs(one[both].astype(float) - other[both].astype(float)), initial=0.0))


def _compare_answers(run: Run, one: Predictions, other: Predictions, findings: Findings) -> None:
    """Measure the accuracy that the predictions themselves show: a record may say something else."""
    for key in one.probabilities.keys() & other.probabilities.keys():
        place = _place_of_array(run, ".".join(key))
        findings.measure(place, "accuracy", *(_share(each.probabilities[key].argmax(1), each) for each in (one, other)))
    if one.predicted is not None and other.predicted is not None:
        findings.measure(NOWHERE, "accuracy", _share(one.predicted, one), _share(other.predicted, other))


def _share(predicted: Array, predictions: Predictions) -> float:
    return int(np.count_nonzero(predicted == predictions.labels)) / max(1, len(predictions.labels))
