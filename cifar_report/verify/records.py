"""Whether the records of a bundle can be read and agree with its plan, its data and one another."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from cifar_report.bundle import Bundle, BundleRecord, Run, StageResult, planned_trials, read_record, read_run
from cifar_report.bundle.bundle import MOST_JSON_BYTES, RECORD_FILE, TIMING_FILE, decode, in_order
from cifar_report.bundle.certificates import CERTIFICATES, Certificate
from cifar_report.bundle.keys import ENGINE, ENGINE_VERSION, key_of, recorded_parts, with_engine
from cifar_report.bundle.store import read_plain
from cifar_report.data.dataset import TEST_COUNT, TRAIN_COUNT, VALIDATION_SHARE
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.keys import streams_of
from cifar_report.spec import Stage, Trial, registry_hash, spec_hash
from cifar_report.verify.files import Files, Report

RUN_RECORD = re.compile(r"runs/([^/]+/[^/]+)/run\.json")
ALWAYS = {"predictions.npz"}  # files that a finished run has
SOMETIMES = {"weights.npz", "kernels.npz"}
VALIDATION_COUNT = round(TRAIN_COUNT * VALIDATION_SHARE)
WHOLE = (TRAIN_COUNT - VALIDATION_COUNT, VALIDATION_COUNT, TEST_COUNT)

_T = TypeVar("_T")


def readable(name: str, read: Callable[[], _T], folder: Path, report: Report) -> _T | None:
    """Return what ``read`` returns; None, with a finding about the file ``name``, where it cannot be read."""
    try:
        return read()
    except (SuiteError, UsageError) as error:
        report.find(name, str(error).removeprefix(f"{folder / name} "))
        return None


def read_bundle(files: Files, report: Report) -> Bundle | None:
    """Return the bundle with every run whose record can be read; None without a readable ``bundle.json``."""
    folder = files.folder
    if RECORD_FILE not in files:
        if not report.names(RECORD_FILE):
            report.find(RECORD_FILE, "is missing")
        record = None
    else:
        record = readable(RECORD_FILE, lambda: read_record(folder), folder, report)
    if record is None:
        report.notes.append("the runs were not checked: without bundle.json nothing says what they should be")
        return None
    planned = {trial.id: trial for trial in planned_trials(record)}
    runs = []
    for name in sorted(files.digests):
        if found := RUN_RECORD.fullmatch(name):
            runs.append(readable(name, partial(read_run, folder, found[1], planned), folder, report))
        elif name.startswith(f"{CERTIFICATES}/"):
            readable(name, partial(decode, folder / name, Certificate), folder, report)
    bundle = Bundle(folder, record, in_order(record, [run for run in runs if run is not None]))
    if TIMING_FILE in files:
        readable(TIMING_FILE, lambda: bundle.timing_pass, folder, report)
    return bundle


def check_records(bundle: Bundle, files: Files, report: Report) -> None:
    """Check the bundle's own record, and each run's against it; nothing is recomputed here."""
    record = bundle.record
    report.find(RECORD_FILE, *_record_problems(record, read_plain(files.folder / RECORD_FILE, MOST_JSON_BYTES)))
    for run in bundle.runs:
        name, timing = f"runs/{run.id}/run.json", f"runs/{run.id}/timing.json"
        report.find(name, *_plan_problems(run, bundle))
        for what, found, expected in _expected(run, bundle):
            if found != expected:
                report.find(name, f"{what} is {found!r:.100}, but the records give {expected!r:.100}")
        if isinstance(run.trial, Trial):
            for planned, stage in zip(run.trial.stages, run.stages, strict=False):
                report.find(name, *(f"stage {stage.id}: {problem}" for problem in _stage_problems(planned, stage)))
        _check_run_files(run, files, report)
        if timing in files:
            readable(timing, partial(bundle.timing, run), files.folder, report)
    _check_orders(bundle, report)
    report.counts["runs"] += len(bundle.runs)
    report.counts["planned runs"] = sum(record.seeds if trial.seeded else 1 for trial in bundle.trials.values())
    report.counts["failed runs"] = sum(not run.done for run in bundle.runs)


def _record_problems(record: BundleRecord, content: bytes) -> Iterator[str]:
    stored = msgspec.json.decode(content)  # with the names of its own version
    claims = [claim for experiment in stored["experiments"] for claim in experiment.get("claims", ())]
    if record.claims_hash != registry_hash(claims):
        yield "claims_hash is not the hash of the claims that it holds: a claim or its margin was edited"
    profile = record.profile
    expected = profile.counts or tuple(round(count * profile.fraction) for count in WHOLE)
    if record.dataset.counts != expected:
        yield f"counts of images are {record.dataset.counts}, but the profile {profile.name} uses {expected}"


def _expected(run: Run, bundle: Bundle) -> Iterator[tuple[str, object, object]]:
    """Yield what of a run's record follows from other records: its name, what it is, and what they give."""
    record, trial = bundle.record, run.trial
    yield "key", run.key, key_of(run.key_parts)
    yield "spec_hash", run.spec_hash, spec_hash(trial, run.schema_version)
    parts = recorded_parts(trial, run.seed, record.profile, record.dataset, run.schema_version)
    yield from ((f"key part {name!r}", run.key_parts.get(name), part) for name, part in parts.items())
    streams: dict[str, str] = {}
    if isinstance(trial, Trial):
        yield "macs", run.macs, trial.macs
        if run.done:
            yield "parameters_total", run.parameters_total, trial.parameters_total
            yield "parameters_trainable", run.parameters_trainable, trial.parameters_trainable
            streams = run.streams
            if run.seed is not None and with_engine(run.key_parts).get(ENGINE) == ENGINE_VERSION:
                streams = streams_of(run.seed)
                for stage in run.stages:
                    yield f"the number of hashes of stage {stage.id}", len(stage.hashes), stage.epochs
    elif run.classical is not None:
        train, validation, _ = record.dataset.counts
        images = train if trial.training_images == "train" else train + validation
        yield "training_images", run.classical.training_images, images
    for name in sorted(streams.keys() | run.streams.keys()):
        yield f"stream {name!r:.40}", run.streams.get(name), streams.get(name)


def _plan_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    planned = bundle.trials.get(run.trial.id)
    if planned is None:
        yield f"{RECORD_FILE} plans no trial {run.trial.id}"
    elif bundle.record.profile.apply(planned).configuration() != run.trial.configuration():
        yield f"its trial is not the one that {RECORD_FILE} plans"
    if run.seed is not None and run.seed >= bundle.record.seeds:
        yield f"seed {run.seed} is not among the {bundle.record.seeds} seeds of {RECORD_FILE}"


def _stage_problems(planned: Stage, stage: StageResult) -> Iterator[str]:
    if stage.epochs > planned.epochs or (stage.epochs < planned.epochs and not stage.stopped_early):
        yield f"{stage.epochs} epochs, where {planned.epochs} were to be trained"
    if stage.stopped_early and planned.early_stopping is None:
        yield "it says that it was stopped early, which its trial does not ask for"
    losses = [(loss, epoch) for epoch, loss in enumerate(stage.history.val_loss, 1) if loss is not None]
    best = min(losses)[1] if losses else stage.epochs
    if stage.best_epoch != best:
        yield f"best_epoch is {stage.best_epoch}, but the validation loss is least in epoch {best}"
    for name, evaluation, epoch in (("last", stage.last, stage.epochs), ("best", stage.best, best)):
        scores = evaluation.validation
        accuracy, loss = stage.history.val_accuracy[epoch - 1], stage.history.val_loss[epoch - 1]
        if not (_close(scores.accuracy, accuracy) and _close(scores.loss, loss)):
            yield f"the {name} weights' validation scores are not those of epoch {epoch} of its history"
    if stage.best_epoch == stage.epochs and stage.last != stage.best:
        yield "the best weights are the last ones, but their scores differ"


def _close(one: float | None, other: float | None) -> bool:
    """Whether two evaluations of the same weights agree: the same computation, but not always in the same process."""
    return one == other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6))


def _check_orders(bundle: Bundle, report: Report) -> None:
    """Find runs of one seed, split and engine that did not see the images in the same order."""
    seen: dict[tuple[int, int, int | None, str | None, str | None], dict[str, list[str]]] = {}
    for run in bundle.runs:
        engine, split = with_engine(run.key_parts).get(ENGINE), run.key_parts.get("split")
        for place, stage in enumerate(run.stages, 1):
            for epoch, hashes in enumerate(stage.hashes, 1):
                alike = seen.setdefault((place, epoch, run.seed, engine, split), {})
                alike.setdefault(hashes.order, []).append(run.id)
    for (place, epoch, *_), groups in seen.items():
        usual = max(groups.values(), key=len)
        for run_id in (run_id for runs in groups.values() if runs is not usual for run_id in runs):
            problem = f"stage {place}, epoch {epoch}: its hash of the data order is another than that of {usual[0]}"
            report.find(f"runs/{run_id}/run.json", problem)


def _check_run_files(run: Run, files: Files, report: Report) -> None:
    """Compare a run's result files with the hashes in its record; weights alone may be left out."""
    record, folder = f"runs/{run.id}/run.json", f"runs/{run.id}/"
    for name, digest in run.files.items():
        path = f"{folder}{name}"
        if name not in ALWAYS | SOMETIMES:
            report.find(record, f"lists a file {name!r:.100} that no run has")
        elif path not in files:
            if name == "weights.npz" and files.listed is not None and path not in files.listed:
                report.counts["runs without weights"] += 1
            elif not report.names(path):
                report.find(path, f"is missing, though {record} lists it")
        elif files.digests[path] != digest:
            report.find(path, f"its SHA-256 is not the one in {record}")
    for name in sorted(ALWAYS | SOMETIMES):
        if f"{folder}{name}" in files and name not in run.files:
            report.find(f"{folder}{name}", f"is not listed in {record}")
    if run.done:
        report.find(record, *(f"lists no {name}" for name in sorted(ALWAYS - run.files.keys())))
