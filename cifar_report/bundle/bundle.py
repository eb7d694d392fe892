"""A results bundle: everything that was measured, read without running or believing anything in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np

from cifar_report.bundle.arrays import dump_arrays, load_arrays
from cifar_report.bundle.records import (
    SCHEMA_VERSION,
    BundleRecord,
    Run,
    RunTiming,
    TimingPass,
    Weights,
)
from cifar_report.bundle.store import sha256, write_file, write_folder
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import CLASS_COUNT, AnyTrial, Claim

RECORD_FILE = "bundle.json"
MOST_JSON_BYTES = 64 * 2**20
IMAGE_COUNT = 60_000

_T = TypeVar("_T")


@dataclass(frozen=True)
class Predictions:
    """What a run said about the test images.

    ``indices`` int32 [N]: places in the 60,000 images; ``labels`` uint8 [N]; ``probabilities`` maps (stage, weights)
    to float32 [N, 10] and is empty for classifiers without them; ``predicted`` uint8 [N] is theirs.
    """

    indices: np.ndarray[Any, Any]
    labels: np.ndarray[Any, Any]
    probabilities: dict[tuple[str, Weights], np.ndarray[Any, Any]] = field(default_factory=dict)
    predicted: np.ndarray[Any, Any] | None = None

    def dump(self) -> bytes:
        """Return the content of ``predictions.npz``."""
        arrays = {"indices": self.indices, "labels": self.labels}
        arrays |= {f"{stage}.{weights}": table for (stage, weights), table in self.probabilities.items()}
        return dump_arrays(arrays if self.predicted is None else arrays | {"predicted": self.predicted})

    @classmethod
    def load(cls, path: Path) -> Predictions:
        """Read ``predictions.npz``; raises SuiteError when its arrays do not fit together."""
        arrays = load_arrays(path)
        try:
            indices, labels = arrays.pop("indices"), arrays.pop("labels")
            predicted = arrays.pop("predicted", None)
            found = cls(indices, labels, {_table_key(name): table for name, table in arrays.items()}, predicted)
            found._check()
        except (KeyError, ValueError) as error:
            raise SuiteError(f"{path} is no table of predictions: {error}") from error
        return found

    def _check(self) -> None:
        """Raise ValueError when the arrays do not fit together."""
        for name, vector in (("indices", self.indices), ("labels", self.labels), ("predicted", self.predicted)):
            if vector is None:
                continue
            if vector.ndim != 1 or vector.dtype.kind not in "iu" or vector.shape != self.labels.shape:
                raise ValueError(f"{name} must hold one whole number for each image")
            most = IMAGE_COUNT if name == "indices" else CLASS_COUNT
            if vector.size and not (vector.min() >= 0 and vector.max() < most):
                raise ValueError(f"{name} must lie between 0 and {most - 1}")
        for stage, weights in self.probabilities:
            table = self.probabilities[stage, weights]
            if table.shape != (len(self.labels), CLASS_COUNT) or table.dtype.kind != "f":
                raise ValueError(f"{stage}.{weights} must hold {CLASS_COUNT} probabilities for each image")


def _table_key(name: str) -> tuple[str, Weights]:
    stage, _, weights = name.rpartition(".")
    kinds: dict[str, Weights] = {"last": "last", "best": "best"}
    if not stage or weights not in kinds:
        raise ValueError(f"unexpected array {name!r}")
    return stage, kinds[weights]


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: its record and all its runs, in the order of the experiments, then by seed."""

    folder: Path
    record: BundleRecord
    runs: tuple[Run, ...]

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read a bundle; raises UsageError when the folder is none, SuiteError when a file in it is damaged."""
        record = read_record(folder)
        order = {trial.id: place for place, trial in enumerate(planned_trials(record))}
        runs = [_load_run(path, folder) for path in _run_files(folder)]
        runs.sort(key=lambda run: (order.get(run.trial.id, len(order)), run.trial.id, run.seed or 0))
        return cls(folder, record, tuple(runs))

    @cached_property
    def trials(self) -> dict[str, AnyTrial]:
        """Return every planned trial by id, as the experiments define it (before the profile shortens it)."""
        return {trial.id: trial for trial in planned_trials(self.record)}

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Return every claim, in the order of the experiments."""
        return tuple(claim for experiment in self.record.experiments for claim in experiment.claims)

    @cached_property
    def _by_trial(self) -> dict[str, tuple[Run, ...]]:
        groups: dict[str, list[Run]] = {}
        for run in self.runs:
            groups.setdefault(run.trial.id, []).append(run)
        return {trial: tuple(runs) for trial, runs in groups.items()}

    def runs_of(self, trial_id: str) -> tuple[Run, ...]:
        """Return the finished runs of a trial, by seed; failed ones are left out."""
        return tuple(run for run in self._by_trial.get(trial_id, ()) if run.done)

    def failed_of(self, trial_id: str) -> tuple[Run, ...]:
        """Return the failed runs of a trial, by seed."""
        return tuple(run for run in self._by_trial.get(trial_id, ()) if not run.done)

    def predictions(self, run: Run) -> Predictions:
        """Read a finished run's predictions."""
        return Predictions.load(self.folder / "runs" / run.id / "predictions.npz")

    def kernels(self, run: Run) -> np.ndarray[Any, Any] | None:
        """Read the first layer's kernels, float32 [height, width, 3, filters]; None where there are none."""
        path = self.folder / "runs" / run.id / "kernels.npz"
        return load_arrays(path)["kernels"] if path.is_file() else None

    def timing(self, run: Run) -> RunTiming | None:
        """Read the volatile side of a run; None where it was left out."""
        path = self.folder / "runs" / run.id / "timing.json"
        return _decode(path, RunTiming) if path.is_file() else None

    @cached_property
    def timing_pass(self) -> TimingPass | None:
        """Read the exclusive timing pass; None when it has not been run."""
        path = self.folder / "timing" / "timing.json"
        return _decode(path, TimingPass) if path.is_file() else None


def planned_trials(record: BundleRecord) -> Sequence[AnyTrial]:
    """Return the trials of all experiments in order."""
    return [trial for experiment in record.experiments for trial in experiment.trials]


def has_runs(folder: Path) -> bool:
    """Whether the bundle holds any run, finished or failed."""
    return next(_run_files(folder), None) is not None


def is_bundle(folder: Path) -> bool:
    """Whether the folder looks like a bundle."""
    return (folder / RECORD_FILE).is_file()


def read_record(folder: Path) -> BundleRecord:
    """Read ``bundle.json``; raises UsageError when the folder is no bundle or was written by a newer version."""
    if not is_bundle(folder):
        raise UsageError(f"{folder} is no results bundle: it holds no {RECORD_FILE}")
    try:
        return _decode(folder / RECORD_FILE, BundleRecord)
    except SuiteError as error:
        raise UsageError(f"{folder} is no results bundle: {error}") from error


def write_record(folder: Path, record: BundleRecord) -> None:
    """Write ``bundle.json`` in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / RECORD_FILE, encode(record))


def read_run(folder: Path, run_id: str) -> Run | None:
    """Read one run's record; None when it has not been run, SuiteError when the record is damaged."""
    path = folder / "runs" / run_id / "run.json"
    return _load_run(path, folder) if path.is_file() else None


def write_run(folder: Path, run: Run, files: dict[str, bytes], volatile: dict[str, bytes]) -> Run:
    """Put a run's folder in place and return the record with the hashes of ``files``.

    ``volatile`` files (log, timing) stand beside them; their hashes are in the bundle's manifest only.
    """
    run = msgspec.structs.replace(run, files={name: sha256(files[name]) for name in sorted(files)})
    write_folder(folder / "runs" / run.id, {**files, **volatile, "run.json": encode(run)})
    return run


def encode(record: msgspec.Struct) -> bytes:
    """Return a record as indented JSON with sorted keys and a final newline."""
    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=1) + b"\n"


def _run_files(folder: Path) -> Iterator[Path]:
    yield from sorted(folder.glob("runs/[a-z0-9]*/[a-z0-9]*/run.json"))


def _load_run(path: Path, folder: Path) -> Run:
    run = _decode(path, Run)
    if folder / "runs" / run.id != path.parent:
        raise SuiteError(f"{path} says that it is {run.id}: the folder was renamed or the record changed")
    return run


def _decode(path: Path, kind: type[_T]) -> _T:
    try:
        if path.stat().st_size > MOST_JSON_BYTES:
            raise SuiteError(f"{path} is larger than {MOST_JSON_BYTES} bytes: this is no record of this project")
        content = path.read_bytes()
        version = msgspec.json.decode(content, type=_Versioned).schema_version
        if version > SCHEMA_VERSION:
            raise UsageError(
                f"{path} has schema version {version}; this program reads up to {SCHEMA_VERSION}: update it"
            )
        return msgspec.json.decode(content, type=kind)
    except (OSError, ValueError, RecursionError) as error:  # msgspec's errors and text that is no UTF-8
        raise SuiteError(f"{path} cannot be read: {error}") from error


class _Versioned(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION
