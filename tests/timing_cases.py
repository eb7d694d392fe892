"""What the tests of the timing pass share: small trials, a request for a bundle, readings without a measurement."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec.structs import replace

from cifar_report.bundle import DatasetRecord
from cifar_report.data import Dataset
from cifar_report.running.measuring import MeasurementError
from cifar_report.running.request import Prepared
from cifar_report.running.stopwatch import Reading, Request
from cifar_report.spec import PROFILES, AnyTrial, ClassicalTrial, NearestCentroid, TimingPlan

RECORD = DatasetRecord(
    fingerprint="a" * 64, grade="unverified", canonical_labels=True, source="folder", counts=(320, 100, 200)
)
CENTROID = ClassicalTrial(id="centroid", title="c", method=NearestCentroid())
PLAN = TimingPlan(blocks=3, portions=2, portion_steps=5)
CALM = Reading(
    steps=10,
    portions=(0.1, 0.2),
    peak_memory_bytes=1000,
    load=0.5,
    processor_share=0.99,
    other_work=0.01,
    stolen_seconds=0.0,
    steal=0.0,
    throttled=False,
)
CLASSICAL = replace(CALM, steps=0, portions=(), fit_seconds=0.1, predict_seconds=0.3)


def request_for(folder: Path, *trials: AnyTrial, plan: TimingPlan = PLAN) -> Prepared:
    """Return a request that times these trials."""
    data = Dataset(folder, RECORD.fingerprint, RECORD.grade, RECORD.canonical_labels, RECORD.source, "nowhere")
    return Prepared(replace(PROFILES["smoke"], timing=plan), 1, data, RECORD, folder / "bundle", [], trials)


class Readings:
    """Stands where the processes are: answers each request, and remembers which trial was asked for."""

    def __init__(self, answer: Callable[[Request, int], Reading | MeasurementError] | None = None) -> None:
        self.asked: list[str] = []
        self.groups: list[tuple[str, ...]] = []
        self._answer = answer or (lambda request, _: calm(request))

    def __call__(self, requests: Sequence[Request]) -> list[Reading | MeasurementError]:
        """Answer a group; ``answer`` gets the request and how often its trial was asked for before."""
        self.groups.append(tuple(request.trial.id for request in requests))
        found = []
        for request in requests:
            found.append(self._answer(request, self.asked.count(request.trial.id)))
            self.asked.append(request.trial.id)
        return found


def calm(request: Request) -> Reading:
    """Return an undisturbed reading."""
    return CLASSICAL if isinstance(request.trial, ClassicalTrial) else CALM
