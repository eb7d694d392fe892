"""Whether the records of a bundle agree with its plan, its data and one another; nothing is recomputed here."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import msgspec

from cifar_report.bundle import Bundle, Run, StageResult
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.keys import key_of, recorded_parts
from cifar_report.data.release import TEST_COUNT, TRAIN_COUNT
from cifar_report.data.splits import VALIDATION_SHARE
from cifar_report.spec import Stage, Trial, registry_hash, spec_hash
from cifar_report.verify.files import Files
from cifar_report.verify.findings import Report
from cifar_report.verify.randomness import check_randomness

ALWAYS = {"predictions.npz"}  # files that a finished run has
SOMETIMES = {"weights.npz", "kernels.npz"}
VALIDATION_COUNT = round(TRAIN_COUNT * VALIDATION_SHARE)
WHOLE = (TRAIN_COUNT - VALIDATION_COUNT, VALIDATION_COUNT, TEST_COUNT)


def check_records(bundle: Bundle, files: Files, report: Report) -> None:
    """Check the bundle's own record, and each run's against it."""
    report.find(RECORD_FILE, *_record_problems(bundle))
    for run in bundle.runs:
        name = f"runs/{run.id}/run.json"
        for check in CHECKS:
            report.find(name, *check(run, bundle))
        _check_run_files(run, files, report)
    check_randomness(bundle, report)
    seeds = bundle.record.seeds
    report.counts["planned runs"] = sum(seeds if trial.seeded else 1 for trial in bundle.trials.values())
    report.counts["failed runs"] = sum(not run.done for run in bundle.runs)


def _record_problems(bundle: Bundle) -> Iterator[str]:
    record = bundle.record
    stored = msgspec.json.decode((bundle.folder / RECORD_FILE).read_bytes())  # with the names of its own version
    claims = [claim for experiment in stored["experiments"] for claim in experiment.get("claims", ())]
    if record.claims_hash != registry_hash(claims):
        yield "claims_hash is not the hash of the claims that it holds: a claim or its margin was edited"
    profile = record.profile
    expected = profile.counts or tuple(round(count * profile.fraction) for count in WHOLE)
    if record.dataset.counts != expected:
        yield f"counts of images are {record.dataset.counts}, but the profile {profile.name} uses {expected}"


def _key_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    if run.key != key_of(run.key_parts):
        yield "key is not the hash of key_parts"
    if run.spec_hash != spec_hash(run.trial, run.schema_version):
        yield "spec_hash is not the hash of the trial's configuration"
    record = bundle.record
    recorded = recorded_parts(run.trial, run.seed, record.profile, record.dataset, run.schema_version)
    for part, expected in recorded.items():
        if run.key_parts.get(part) != expected:
            yield f"key part {part!r} is {run.key_parts.get(part)!r:.100}, but the records give {expected!r}"


def _plan_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    planned = bundle.trials.get(run.trial.id)
    if planned is None:
        yield f"{RECORD_FILE} plans no trial {run.trial.id}"
    elif bundle.record.profile.apply(planned).configuration() != run.trial.configuration():
        yield f"its trial is not the one that {RECORD_FILE} plans"
    if run.seed is not None and run.seed >= bundle.record.seeds:
        yield f"seed {run.seed} is not among the {bundle.record.seeds} seeds of {RECORD_FILE}"


def _count_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    train, validation, _ = bundle.record.dataset.counts
    if not isinstance(run.trial, Trial):
        images = train if run.trial.training_images == "train" else train + validation
        if run.classical is not None and run.classical.training_images != images:
            yield f"training_images is {run.classical.training_images}, but its part of the data has {images}"
        expected: dict[str, int | None] = dict.fromkeys(("parameters_total", "parameters_trainable", "macs"))
    else:
        trial = run.trial
        expected = {"macs": trial.macs}
        if run.done:
            expected |= {
                "parameters_total": trial.parameters_total,
                "parameters_trainable": trial.parameters_trainable,
            }
    for name, count in expected.items():
        if getattr(run, name) != count:
            yield f"{name} is {getattr(run, name)}, but its layers have {count}"


def _stage_problems(run: Run, _: Bundle) -> Iterator[str]:
    if isinstance(run.trial, Trial):
        for planned, stage in zip(run.trial.stages, run.stages, strict=False):
            yield from (f"stage {stage.id}: {problem}" for problem in _one_stage(planned, stage))


def _one_stage(planned: Stage, stage: StageResult) -> Iterator[str]:
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


CHECKS: tuple[Callable[[Run, Bundle], Iterator[str]], ...] = (
    _key_problems,
    _plan_problems,
    _count_problems,
    _stage_problems,
)


def _check_run_files(run: Run, files: Files, report: Report) -> None:
    """Hold a run's result files to the hashes in its record; weights alone may be left out, and the manifest tells."""
    record, folder = f"runs/{run.id}/run.json", f"runs/{run.id}/"
    for name, digest in run.files.items():
        path = f"{folder}{name}"
        if name not in ALWAYS | SOMETIMES:
            report.find(record, f"lists a file {name!r:.100} that no run has")
        elif path not in files:
            left_out = name == "weights.npz" and files.listed is not None and path not in files.listed
            if left_out:
                report.counts["runs without weights"] += 1
            elif not any(finding.file == path for finding in report.findings):
                report.find(path, f"is missing, though {record} lists it")
        elif files.digests[path] != digest:
            report.find(path, f"its SHA-256 is not the one in {record}")
    for name in sorted(ALWAYS | SOMETIMES):
        if f"{folder}{name}" in files and name not in run.files:
            report.find(f"{folder}{name}", f"is not listed in {record}")
    if run.done:
        report.find(record, *(f"lists no {name}" for name in sorted(ALWAYS - run.files.keys())))
