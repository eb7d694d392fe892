"""Compares two trainings of one run: the same bytes, or from which epoch on they differ, in what, and by how much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from cifar_report.bundle import Run, StageResult, Weights
from cifar_report.bundle.arrays import Array, load_arrays
from cifar_report.bundle.certificates import Deviation, FirstDifference, Level, What
from cifar_report.bundle.keys import current_parts

Quantity = Literal["loss", "accuracy", "weights", "probabilities"]

TOLERANCE = 0.005  # of losses and accuracies: half a percentage point, where the claims' margins begin at one
CAUSES: tuple[What, ...] = ("order", "weights", "history", "evaluation", "predictions")  # the cause before the effect
SETS: tuple[Weights, ...] = ("last", "best")


class Place(NamedTuple):
    """A stage and an epoch of it, both counted from 1; what belongs to no epoch lies at (0, 0)."""

    stage: int
    epoch: int


NOWHERE = Place(0, 0)


@dataclass
class RunDiff:
    """What two trainings of a run differ in, and how far their numbers lie apart, by place."""

    run: Run
    compared: list[str] = field(default_factory=list)
    differences: set[tuple[Place, What]] = field(default_factory=set)
    distances: list[tuple[Place, Quantity, float]] = field(default_factory=list)

    def note(self, place: Place, what: What, *, same: bool) -> None:
        """Keep whether two things are the same."""
        if not same:
            self.differences.add((place, what))

    def measure(self, place: Place, what: What, quantity: Quantity, one: float | None, other: float | None) -> None:
        """Keep whether two numbers are the same and how far apart; infinitely far where one of them alone is None."""
        self.note(place, what, same=one == other)
        distance = abs(one - other) if one is not None and other is not None else 0.0 if one is other else math.inf
        self.distances.append((place, quantity, distance))

    def largest(self, place: Place | None = None) -> Deviation:
        """Return the largest distances, of one place or of all."""
        found: dict[str, float] = {}
        for where, quantity, distance in self.distances:
            if place in (None, where):
                found[quantity] = max(found.get(quantity, 0.0), distance)
        return Deviation(**{quantity: value if math.isfinite(value) else None for quantity, value in found.items()})

    @property
    def level(self) -> Level:
        """Return how far they agree; "statistical" wherever rounding does not explain the difference."""
        if not self.differences:
            return "bitwise"
        within = all(
            value <= TOLERANCE if quantity in ("loss", "accuracy") else math.isfinite(value)
            for _, quantity, value in self.distances
        )
        return "numerical" if within and all(what != "order" for _, what in self.differences) else "statistical"

    @property
    def first(self) -> FirstDifference | None:
        """Return the first epoch that differs; None where no epoch does."""
        places = sorted(place for place, _ in self.differences if place != NOWHERE)
        if not places:
            return None
        what = tuple(each for each in CAUSES if (places[0], each) in self.differences)
        stage = self.run.stages[places[0].stage - 1].id
        return FirstDifference(stage=stage, epoch=places[0].epoch, what=what, deviation=self.largest(places[0]))


def compare_records(run: Run, again: Run) -> RunDiff:
    """Compare the records of two finished runs with the same stages."""
    diff = RunDiff(run)
    if run.classical is not None and again.classical is not None:
        diff.compared.append("accuracy")
        accuracies = run.classical.test_accuracy, again.classical.test_accuracy
        diff.measure(NOWHERE, "evaluation", "accuracy", *accuracies)
    if run.stages:
        diff.compared.append("history")
        if all(stage.hashes for stage in (*run.stages, *again.stages)):
            diff.compared.append("hashes of each epoch")
    for number, (one, other) in enumerate(zip(run.stages, again.stages, strict=True), 1):
        _compare_stages(number, one, other, diff)
    return diff


def _compare_stages(number: int, one: StageResult, other: StageResult, diff: RunDiff) -> None:
    for epoch, (first, second) in enumerate(zip(one.hashes, other.hashes, strict=False), 1):
        diff.note(Place(number, epoch), "order", same=first.order == second.order)
        diff.note(Place(number, epoch), "weights", same=first.weights == second.weights)
    for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
        quantity: Quantity = "loss" if name.endswith("loss") else "accuracy"
        curves = getattr(one.history, name), getattr(other.history, name)
        for epoch, values in enumerate(zip_longest(*curves, fillvalue=math.inf), 1):  # one may have stopped earlier
            diff.measure(Place(number, epoch), "history", quantity, *values)
    earliest = Place(number, min(one.best_epoch, other.best_epoch))
    diff.note(earliest, "evaluation", same=one.best_epoch == other.best_epoch)
    for weights in SETS:
        place, pair = _after(number, one, weights), (one.evaluation(weights), other.evaluation(weights))
        for part in ("train", "validation", "test"):
            scores = [getattr(each, part) for each in pair]
            diff.measure(place, "evaluation", "loss", *(each.loss for each in scores))
            diff.measure(place, "evaluation", "accuracy", *(each.accuracy for each in scores))


def _after(number: int, stage: StageResult, weights: str) -> Place:
    return Place(number, stage.epochs if weights == "last" else stage.best_epoch)


def compare_arrays(diff: RunDiff, folder: Path, again_folder: Path) -> None:
    """Add what differs in the arrays of the two runs' folders; raises SuiteError when one of them is damaged."""
    for name in ("weights", "kernels", "predictions"):
        paths = folder / f"{name}.npz", again_folder / f"{name}.npz"
        if not all(path.is_file() for path in paths):
            continue
        diff.compared.append(name)
        first, second = map(load_arrays, paths)
        what: What = "predictions" if name == "predictions" else "weights"
        quantity: Quantity = "probabilities" if name == "predictions" else "weights"
        for array in sorted(first.keys() | second.keys()):
            place, one, other = _place_of(diff.run, array), first.get(array), second.get(array)
            diff.note(place, what, same=_same_bytes(one, other))
            if array not in ("indices", "labels", "predicted"):
                diff.distances.append((place, quantity, _distance(one, other)))


def _place_of(run: Run, array: str) -> Place:
    """Return the epoch after which an array was taken, by its name ``<stage>.<last|best>…``."""
    for number, stage in enumerate(run.stages, 1):
        for weights in SETS:
            if f"{array}.".startswith(f"{stage.id}.{weights}."):
                return _after(number, stage, weights)
    return _after(len(run.stages), run.stages[-1], "last") if run.stages else NOWHERE


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


def key_values(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Return the values of each part of some runs' keys by name, as they are written today."""
    values: dict[str, set[str]] = {}
    for run in runs:
        for name, value in current_parts(run).items():
            values.setdefault(name, set()).add(value)
    return {name: sorted(found) for name, found in values.items()}
