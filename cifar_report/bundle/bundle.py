"""A results bundle: everything that was measured, read without running or believing anything in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.bundle.certificates import Certificate, certificate_files, check_certificate
from cifar_report.bundle.checking import (
    MOST_ANSWERS,
    MOST_RUNS,
    check_record,
    check_run,
    check_timing,
    check_timing_pass,
)
from cifar_report.bundle.decoding import Budget, decode, decode_if_there, place
from cifar_report.bundle.predictions import Predictions, load_kernels
from cifar_report.bundle.reading import folders_in, inside
from cifar_report.bundle.records import (
    BundleRecord,
    Run,
    RunTiming,
    TimingPass,
)
from cifar_report.bundle.store import make_folder, sha256, write_file, write_folder
from cifar_report.collecting import not_collecting
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import AnyTrial, Claim

RECORD_FILE = "bundle.json"
RUN_FILE = "run.json"
TIMING_FILE = "timing/timing.json"
_FOLDER = re.compile("[a-z0-9][a-z0-9_.-]*")


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: its record and all its runs, in the order of the experiments, then by seed."""

    folder: Path
    record: BundleRecord
    runs: tuple[Run, ...]

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Read a bundle; raises UsageError when the folder is none, SuiteError when a file in it is damaged."""
        record, budget = read_record(folder), Budget()
        planned = {trial.id: trial for trial in planned_trials(record)}
        order = {trial_id: number for number, trial_id in enumerate(planned)}
        found = (_read_run(folder, run_id, planned, budget) for run_id in _run_ids(folder))
        with not_collecting():  # no record holds a circle, and each look would take longer with every run
            runs = [
                run for _, run in zip(range(MOST_RUNS + 1), (run for run in found if run is not None), strict=False)
            ]
        if len(runs) > MOST_RUNS:
            raise SuiteError(f"{folder} holds more than {MOST_RUNS} runs")
        if len(runs) * record.dataset.counts[2] > MOST_ANSWERS:
            raise SuiteError(f"{folder} holds more than {MOST_ANSWERS} answers to test images")
        runs = _with_shared_trials(runs)
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
        """Read a finished run's predictions, one for each test image of the bundle's data."""
        path = place(self.folder, f"runs/{run.id}/predictions.npz")
        found, expected = Predictions.load(path), self.record.dataset.counts[2]
        if len(found.labels) != expected:
            raise SuiteError(f"{path} holds {len(found.labels)} answers, where the data have {expected} test images")
        return found

    def kernels(self, run: Run) -> np.ndarray[Any, Any] | None:
        """Read the first layer's kernels, float32 [height, width, 3, filters]; None where there are none."""
        path = place(self.folder, f"runs/{run.id}/kernels.npz")
        return load_kernels(path) if path.exists() else None

    def timing(self, run: Run) -> RunTiming | None:
        """Read the volatile side of a run; None where it was left out."""
        return decode_if_there(self.folder, f"runs/{run.id}/timing.json", RunTiming, check_timing)

    @cached_property
    def timing_pass(self) -> TimingPass | None:
        """Read the exclusive timing pass; None when it has not been run."""
        return read_timing_pass(self.folder)

    @cached_property
    def certificate(self) -> Certificate | None:
        """Read the latest record of runs that were trained again; None where there is none."""
        names = certificate_files(self.folder)
        return decode_if_there(self.folder, names[-1], Certificate, check_certificate) if names else None


def planned_trials(record: BundleRecord) -> Sequence[AnyTrial]:
    """Return the trials of all experiments in order."""
    return [trial for experiment in record.experiments for trial in experiment.trials]


def has_runs(folder: Path) -> bool:
    """Whether the bundle holds any run, finished or failed."""
    return any((folder / "runs" / run_id / RUN_FILE).exists() for run_id in _run_ids(folder))


def is_bundle(folder: Path) -> bool:
    """Whether the folder looks like a bundle."""
    return (folder / RECORD_FILE).is_file()


def read_record(folder: Path) -> BundleRecord:
    """Read ``bundle.json``; raises UsageError when the folder is no bundle or was written by a newer version."""
    if not is_bundle(folder):
        raise UsageError(f"{folder} is no results bundle: it holds no {RECORD_FILE}")
    try:
        return decode(place(folder, RECORD_FILE), BundleRecord, check_record)
    except SuiteError as error:
        raise UsageError(f"{folder} is no results bundle: {error}") from error


def write_record(folder: Path, record: BundleRecord) -> None:
    """Write ``bundle.json`` in one step."""
    make_folder(folder)
    write_file(folder / RECORD_FILE, encode(record))


def read_timing_pass(folder: Path) -> TimingPass | None:
    """Read the exclusive timing pass; None when it has not been run, SuiteError when its record is damaged."""
    return decode_if_there(folder, TIMING_FILE, TimingPass, check_timing_pass)


def write_timing_pass(folder: Path, timing: TimingPass) -> None:
    """Write the exclusive timing pass, as far as it has come, in one step."""
    path = place(folder, TIMING_FILE)  # nothing is written through a link
    make_folder(path.parent)
    write_file(path, encode(timing))


def read_run(folder: Path, run_id: str) -> Run | None:
    """Read one run's record; None when it has not been run, SuiteError when the record is damaged."""
    return _read_run(folder, run_id, {}, Budget())


def write_run(folder: Path, run: Run, files: dict[str, bytes], volatile: dict[str, bytes]) -> Run:
    """Put a run's folder in place and return the record with the hashes of ``files``.

    ``volatile`` files (log, timing) stand beside them; their hashes are in the bundle's manifest only.
    """
    run = msgspec.structs.replace(run, files={name: sha256(files[name]) for name in sorted(files)})
    place(folder, f"runs/{run.trial.id}")  # nothing is written through a link
    write_folder(folder / "runs" / run.id, {**files, **volatile, RUN_FILE: encode(run)})
    return run


def encode(record: msgspec.Struct) -> bytes:
    """Return a record as indented JSON with sorted keys and a final newline."""
    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=1) + b"\n"


def _run_ids(folder: Path) -> Iterator[str]:
    """Yield the names of the folders in which runs lie; raises SuiteError where one of them is a link."""
    try:
        for trial in folders_in(inside(folder, "runs")):
            if _FOLDER.fullmatch(trial.name):
                yield from (f"{trial.name}/{run.name}" for run in folders_in(trial) if _FOLDER.fullmatch(run.name))
    except (OSError, ValueError) as error:
        raise SuiteError(f"{folder / 'runs'} cannot be read: {error}") from error


def _with_shared_trials(runs: Iterable[Run]) -> list[Run]:
    """Let the seeds of a trial hold one copy of it: with thousands of runs the copies are most of their memory."""
    known: dict[AnyTrial, AnyTrial] = {}
    return [msgspec.structs.replace(run, trial=known.setdefault(run.trial, run.trial)) for run in runs]


def _read_run(folder: Path, run_id: str, planned: Mapping[str, AnyTrial], budget: Budget) -> Run | None:
    path = place(folder, f"runs/{run_id}/{RUN_FILE}")
    if not path.exists():
        return None
    run = decode(path, Run, lambda run: check_run(run, planned.get(run.trial.id)), budget)
    if run.id != run_id:
        raise SuiteError(f"{path} says that it is {run.id}: the folder was renamed or the record changed")
    return run
