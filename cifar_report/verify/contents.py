"""Reads what a bundle records, file by file, so that one damaged file does not hide what is wrong with the others."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from cifar_report.bundle import Bundle, BundleRecord, Run, RunTiming, planned_trials, read_record, read_run
from cifar_report.bundle.bundle import MOST_RUNS, RECORD_FILE, decode, in_order
from cifar_report.bundle.certificates import CERTIFICATES, Certificate
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.files import Files
from cifar_report.verify.findings import Report

RUN_RECORD = re.compile(r"runs/([^/]+/[^/]+)/run\.json")

_T = TypeVar("_T")


def read_bundle(files: Files, report: Report) -> Bundle | None:
    """Return the bundle with every run whose record can be read; None without a readable ``bundle.json``.

    Runs are in the order of the plan, then by seed, as ``Bundle.load`` has them.
    """
    record = _record(files, report)
    if record is None:
        report.note("the runs were not checked: without bundle.json nothing says what they should be")
        return None
    bundle = Bundle(files.folder, record, _runs(files, record, report))
    report.counts["runs"] += len(bundle.runs)
    _read_certificates(files, report)
    if "timing/timing.json" in files:
        readable("timing/timing.json", lambda: bundle.timing_pass, files.folder, report)
    for run in bundle.runs:
        if (name := f"runs/{run.id}/timing.json") in files:
            timing = readable(name, partial(bundle.timing, run), files.folder, report)
            report.find(name, *(_seconds_problems(run, timing) if timing is not None else ()))
    return bundle


def _seconds_problems(run: Run, timing: RunTiming) -> Iterator[str]:
    """Yield each table of seconds that does not hold one number for each epoch of its run, resumed or not."""
    epochs = {stage.id: stage.epochs for stage in run.stages}
    seconds = {stage: len(values) for stage, values in timing.epoch_seconds.items()}
    if seconds != epochs:
        yield f"holds the seconds of the epochs {seconds}, but {run.id} trained {epochs}"
    for stage, values in timing.validation_seconds.items():
        if len(values) != epochs.get(stage):
            yield f"holds {len(values)} validations of stage {stage:.40}, but {run.id} trained {epochs}"


def readable(name: str, read: Callable[[], _T], folder: Path, report: Report) -> _T | None:
    """Return what ``read`` returns; None, with a finding about the file ``name``, where it cannot be read."""
    try:
        return read()
    except (SuiteError, UsageError) as error:
        report.find(name, str(error).removeprefix(f"{folder / name} "))
        return None


def _record(files: Files, report: Report) -> BundleRecord | None:
    if RECORD_FILE not in files:
        if not any(finding.file == RECORD_FILE for finding in report.findings):
            report.find(RECORD_FILE, "is missing")
        return None
    return readable(RECORD_FILE, lambda: read_record(files.folder), files.folder, report)


def _runs(files: Files, record: BundleRecord, report: Report) -> tuple[Run, ...]:
    planned = {trial.id: trial for trial in planned_trials(record)}
    runs: list[Run] = []
    for name in sorted(files.digests):
        found = RUN_RECORD.fullmatch(name)
        if found is not None and len(runs) < MOST_RUNS:
            read = partial(read_run, files.folder, found[1], planned)
            runs += [run for run in (readable(name, read, files.folder, report),) if run is not None]
    return in_order(record, runs)


def _read_certificates(files: Files, report: Report) -> None:
    for name in sorted(files.digests):
        if name.startswith(f"{CERTIFICATES}/"):
            read = partial(decode, files.folder / name, Certificate)
            readable(name, read, files.folder, report)
            report.counts["certificates"] += 1
