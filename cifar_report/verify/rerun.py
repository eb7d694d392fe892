"""Trains some runs of a bundle again, each in a fresh process of its own, without touching the bundle's runs."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console

from cifar_report.bundle import Bundle, Run, read_run, remove_leftovers
from cifar_report.bundle.certificates import Certificate
from cifar_report.data import Dataset
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import record_environment
from cifar_report.running.keys import key_parts
from cifar_report.running.plan import PlannedRun, Prepared, cost, describe_dataset
from cifar_report.running.runs import RunWriter
from cifar_report.running.scheduler import train_runs
from cifar_report.running.suite import hold
from cifar_report.spec import ClassicalTrial
from cifar_report.verify.certify import certify, record_certificate
from cifar_report.verify.files import sound_files

KINDS = ("one stage", "several stages or augmentation", "several devices", "classical")
"""What runs differ in as far as repeating them goes; those that have more to repeat come first."""


def kind_of(run: Run) -> str:
    """Return which of ``KINDS`` a run is."""
    trial = run.trial
    if isinstance(trial, ClassicalTrial):
        return "classical"
    if trial.strategy == "mirrored":
        return "several devices"
    plain = len(trial.stages) == 1 and trial.stages[0].augmentation is None
    return "one stage" if plain else "several stages or augmentation"


def choose_runs(bundle: Bundle, count: int, only: Sequence[str] = ()) -> list[Run]:
    """Return the finished runs to train again: the cheapest of each kind, then the cheapest of the rest.

    The same bundle gives the same choice. ``only`` names trials or runs. Raises UsageError where nothing is left.
    """
    known = bundle.trials.keys() | {run.id for run in bundle.runs}
    for name in only:
        if name not in known:
            raise UsageError(f"{bundle.folder} has no trial and no run {name!r}")
    runs = [run for run in bundle.runs if run.done and (not only or {run.id, run.trial.id} & set(only))]
    if not runs:
        raise UsageError(f"{bundle.folder} holds no finished run {'of those' if only else 'yet'}")
    images = bundle.record.dataset.counts[0]
    runs.sort(key=lambda run: (cost(run.trial, images), run.trial.id, run.seed or 0))
    cheapest = [next((run for run in runs if kind_of(run) == kind), None) for kind in KINDS]
    first = [run for run in cheapest if run is not None]
    return [*first, *(run for run in runs if run not in first)][:count]


def refuse_other_data(bundle: Bundle, dataset: Dataset) -> None:
    """Raise UsageError unless the images are those that the bundle was made from."""
    made_from = bundle.record.dataset
    if dataset.fingerprint != made_from.fingerprint:
        raise UsageError(
            f"{bundle.folder} was made from other data (fingerprint {made_from.fingerprint[:8]}, {made_from.grade}) "
            f"than those found here ({dataset.fingerprint[:8]}, {dataset.source}): name its own data with --data"
        )


def rerun(bundle: Bundle, runs: Sequence[Run], dataset: Dataset, jobs: int | None, console: Console) -> Certificate:
    """Train ``runs`` again, set them beside the bundle's, and record in the bundle how far they agree.

    The bundle is held meanwhile, so that no suite changes it. Raises UsageError for other data, and SuiteError when
    the bundle is unfinished or damaged, when another suite holds it, or when a run cannot be trained again.
    """
    refuse_other_data(bundle, dataset)
    sound_files(bundle.folder)
    with hold(bundle.folder):
        remove_leftovers(bundle.folder)
        # Hidden in the bundle: whoever holds it next removes what a kill left.
        suffix = f".{secrets.token_hex(4)}.part"
        with TemporaryDirectory(prefix=".rerun.", suffix=suffix, dir=bundle.folder) as folder:
            again = _train(bundle, runs, dataset, jobs, console, Path(folder))
            certificate = certify(bundle, again, record_environment())
        record_certificate(bundle.folder, certificate)
    return certificate


def _train(
    bundle: Bundle, runs: Sequence[Run], dataset: Dataset, jobs: int | None, console: Console, folder: Path
) -> Bundle:
    """Train the runs as the bundle's record plans them, into a folder of their own."""
    record = bundle.record
    images = record.dataset.counts[0]
    planned = [PlannedRun(run.trial, run.seed, cost(run.trial, images)) for run in runs]
    planned.sort(key=lambda each: (each.mirrored, -each.cost, each.id))
    described = describe_dataset(dataset, record.profile)
    prepared = Prepared(record.profile, record.seeds, dataset, described, folder, planned)
    writer = RunWriter(prepared, {each.id: key_parts(each, record.profile, described) for each in planned})
    train_runs(writer, planned, jobs, console, fresh=True)  # nothing of one run may reach the next
    found = [_finished(folder, run) for run in runs]
    return Bundle(folder, record, tuple(found))


def _finished(folder: Path, run: Run) -> Run:
    again = read_run(folder, run.id)
    if again is None or not again.done:
        error = again.error if again is not None and again.error else "it left no result"
        raise SuiteError(f"{run.id} could not be trained again: {error.strip().splitlines()[-1]}")
    return again
