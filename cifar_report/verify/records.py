"""Whether a bundle's files are those of its manifest, and its records agree with its plan and one another."""

import hashlib
import math
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from cifar_report.bundle import Bundle, Run, StageResult, read_record, read_run, store
from cifar_report.bundle.arrays import COMPACT_FILE, MOST_BYTES, PREDICTIONS_FILE
from cifar_report.bundle.bundle import MOST_JSON_BYTES, RECORD_FILE, TIMING_FILE, decode, in_order
from cifar_report.bundle.certificates import CERTIFICATE_FILE, Certificate
from cifar_report.bundle.store import MANIFEST_FILE
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import Stage, Trial, json_hash, registry_hash, spec_hash

RUN_PARTS = "run.json|timing.json|log.txt|predictions.npz|compact.npz|weights.npz|kernels.npz"
KNOWN = re.compile(
    rf"{RECORD_FILE}|ro-crate-metadata\.json|runs/[a-z0-9_.]+/(once|seed-\d+)/({RUN_PARTS})|timing/timing\.json"
    rf"|{CERTIFICATE_FILE.pattern}|tables/[a-z0-9_]+\.csv|figures/[A-Za-z0-9_.-]+\.(svg|csv|png)"
)
"""Everything that a suite writes into a bundle, beside the manifest, and a description that bundles had before."""
AT_WORK = re.compile(r"\.lock(\.soft)?|\.checkpoints|\..+\.part")  # what a suite has at work and leaves when killed
COUNTED = ("macs", "parameters_total", "parameters_trainable")  # they follow from the trial's layers
_T = TypeVar("_T")


class Finding(NamedTuple):
    """One thing that is wrong: the file, as a path below the bundle, and what is wrong with it."""

    file: str
    problem: str

    def __str__(self) -> str:
        return f"{self.file}: {self.problem}"


@dataclass
class Report:
    """All that one pass over a bundle found, what could not be checked and why (no finding), and how much was checked.

    ``digests`` has the SHA-256 of every readable file, ``listed`` what the manifest says of it (None: there is none).
    """

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] | None = None
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def find(self, file: str, *problems: str) -> None:
        """Add findings about one file."""
        self.findings += [Finding(file, problem) for problem in problems]

    def names(self, file: str) -> bool:
        """Whether something is wrong with a file."""
        return any(finding.file == file for finding in self.findings)

    def read(self, name: str, read: Callable[[], _T]) -> _T | None:
        """Return what ``read`` returns; None, with a finding about the file ``name``, where it cannot be read."""
        try:
            return read()
        except (SuiteError, UsageError) as error:
            self.find(name, str(error).removeprefix(f"{self.folder / name} "))
            return None


def printable(text: str) -> str:
    """Return ``text`` with every character that a terminal might obey escaped."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def check_files(report: Report) -> None:
    """Read every file of a bundle once and compare it with the manifest; no link is followed."""
    for path in sorted(report.folder.rglob("*")):
        place = path.relative_to(report.folder)
        at_work = any(AT_WORK.fullmatch(part) for part in place.parts)
        if at_work or place.as_posix() == MANIFEST_FILE or (path.is_dir() and not path.is_symlink()):
            continue
        try:
            with store.open_plain(path) as stream:
                if os.fstat(stream.fileno()).st_size > MOST_BYTES:
                    raise ValueError(f"it is larger than {MOST_BYTES} bytes, which no file of a bundle is")
                report.digests[place.as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
        except (OSError, ValueError) as error:
            report.find(place.as_posix(), f"cannot be read: {error}")
        if not KNOWN.fullmatch(place.as_posix()):
            report.find(place.as_posix(), "no bundle holds such a file")
    report.counts["files"] += len(report.digests)
    report.listed = report.read(MANIFEST_FILE, lambda: store.read_manifest(report.folder))
    if report.listed is not None:
        _compare_with_manifest(report.listed, report)


def _compare_with_manifest(listed: dict[str, str], report: Report) -> None:
    """Find what is missing, added or changed; an interruption may leave a certificate unlisted, which is taken out."""
    for name in sorted(listed.keys() - report.digests.keys()):
        if not report.names(name):
            report.find(name, f"is missing, though {MANIFEST_FILE} lists it")
    for name, digest in list(report.digests.items()):
        if name not in listed and CERTIFICATE_FILE.fullmatch(name):
            unlisted = f"it is not in {MANIFEST_FILE}, as when recording it was interrupted"
            report.notes.append(f"{name} is left out: {unlisted}")
            del report.digests[name]
        elif name not in listed:
            report.find(name, f"is not in {MANIFEST_FILE}: it was added")
        elif listed[name] != digest:
            report.find(name, f"was changed: its SHA-256 is not the one in {MANIFEST_FILE}")


def sound_files(folder: Path, besides: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the SHA-256 of every file of a finished bundle by its path, the manifest left out.

    Raises UsageError for no bundle, and SuiteError where it is unfinished or a file is missing, added or changed whose
    path does not begin as one of ``besides``.
    """
    if read_record(folder).finished is None or not (folder / MANIFEST_FILE).exists():
        raise SuiteError(f"{folder} is unfinished: let its suite come to the end first (the same call goes on)")
    report = Report(folder)
    check_files(report)
    if found := [each for each in report.findings if not each.file.startswith(besides)]:
        more = f" (and {len(found) - 1} more: cifar-report verify names them)" if len(found) > 1 else ""
        raise SuiteError(f"{folder} is damaged: {printable(str(found[0]))}{more}")
    return report.digests


def read_bundle(report: Report) -> Bundle | None:
    """Return the bundle with every run whose record can be read; None without a readable ``bundle.json``."""
    folder = report.folder
    record = report.read(RECORD_FILE, lambda: read_record(folder))
    if record is None:
        report.notes.append("the runs were not checked: without bundle.json nothing says what they should be")
        return None
    runs = []
    for name in sorted(report.digests):
        if found := re.fullmatch(r"runs/([^/]+/[^/]+)/run\.json", name):
            runs.append(report.read(name, partial(read_run, folder, found[1], record.trials)))
        elif CERTIFICATE_FILE.fullmatch(name):
            report.read(name, partial(decode, folder / name, Certificate))
    bundle = Bundle(folder, record, in_order(record, [run for run in runs if run is not None]))
    if TIMING_FILE in report.digests:
        report.read(TIMING_FILE, lambda: bundle.timing_pass)
    return bundle


def check_records(bundle: Bundle, report: Report) -> None:
    """Check the bundle's own record, and each run's against it and its files; no result is recomputed here."""
    report.find(RECORD_FILE, *_record_problems(bundle))
    for run in bundle.runs:
        name, timing = f"runs/{run.id}/run.json", f"runs/{run.id}/timing.json"
        report.find(name, *plan_problems(run, bundle))
        for what, found, expected in _expected(run, bundle):
            if found != expected:
                report.find(name, f"{what} is {found!r:.100}, but the records give {expected!r:.100}")
        if isinstance(run.trial, Trial):
            for planned, stage in zip(run.trial.stages, run.stages, strict=False):
                report.find(name, *(f"stage {stage.id}: {problem}" for problem in _stage_problems(planned, stage)))
        _check_run_files(run, report)
        if timing in report.digests:
            report.read(timing, partial(bundle.timing, run))
    _check_streams(bundle, report)
    report.counts["runs"] += len(bundle.runs)
    planned_runs = (len(bundle.seeds(trial.id)) if trial.seeded else 1 for trial in bundle.trials.values())
    report.counts["planned runs"] = sum(planned_runs)
    report.counts["failed runs"] = sum(not run.done for run in bundle.runs)


def _record_problems(bundle: Bundle) -> Iterator[str]:
    record, plan = bundle.record, bundle.record.plan
    content = store.read_plain(bundle.folder / RECORD_FILE, MOST_JSON_BYTES)
    stored = msgspec.json.decode(content)  # with its version's names
    claims = [claim for experiment in stored["experiments"] for claim in experiment.get("claims", ())]
    if record.claims_hash != registry_hash(claims):
        yield "claims_hash is not the hash of the claims that it holds: a claim or its margin was edited"
    ends = plan.seeds if plan is not None else {}
    if any(end not in ends.get(trial, ()) for trial, end in record.asked.items()):
        yield "trials are asked for other seeds than a plan declares"
    if plan is not None and (plan.hash != plan.sealed_hash() or not plan.holds_for(bundle.claims)):
        yield "the plan of its seeds was edited, or was declared for other claims"


def _check_streams(bundle: Bundle, report: Report) -> None:
    """Find runs of one seed and engine whose random streams, or the orders of whose images, are not the same."""
    seen: dict[tuple[object, ...], dict[str, list[str]]] = {}
    for run in bundle.runs:
        engine, split = store.with_engine(run.key_parts).get(store.ENGINE), run.key_parts.get("split")
        drawn: dict[tuple[object, ...], str] = {
            (f"the random stream {name!r:.40}", run.seed, engine): known for name, known in run.streams.items()
        }
        for place, stage in enumerate(run.stages, 1):
            for epoch, hashes in enumerate(stage.hashes, 1):
                which = f"the order of the images in stage {place}, epoch {epoch}"
                drawn[which, run.seed, engine, split, getattr(run.trial, "data_order", "")] = hashes.order
        for key, found in drawn.items():
            seen.setdefault(key, {}).setdefault(found, []).append(run.id)
    for key, groups in seen.items():
        usual = max(groups.values(), key=len)
        for run_id in (run_id for runs in groups.values() if runs is not usual for run_id in runs):
            report.find(f"runs/{run_id}/run.json", f"{key[0]} is another than that of {usual[0]}")


def plan_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    """Yield in what a run is none that the bundle plans."""
    planned = bundle.trials.get(run.trial.id)
    if planned is None:
        yield f"{RECORD_FILE} plans no trial {run.trial.id}"
    elif bundle.record.profile.apply(planned).configuration() != run.trial.configuration():
        yield f"its trial is not the one that {RECORD_FILE} plans"
    if run.seed is not None and run.seed not in bundle.seeds(run.trial.id):
        yield f"seed {run.seed} is not among the {len(bundle.seeds(run.trial.id))} seeds of {RECORD_FILE}"


def _expected(run: Run, bundle: Bundle) -> Iterator[tuple[str, object, object]]:
    record, trial = bundle.record, run.trial
    yield "key", run.key, json_hash(run.key_parts)
    yield "spec_hash", run.spec_hash, spec_hash(trial, run.schema_version)
    parts = store.recorded_parts(trial, run.seed, record.profile, record.dataset, run.schema_version)
    yield from ((f"key part {name!r}", run.key_parts.get(name), part) for name, part in parts.items())
    if run.done and isinstance(trial, Trial):
        counted = ((name, getattr(trial, name)) for name in COUNTED)  # None: the built model alone tells
        yield from ((name, getattr(run, name), count) for name, count in counted if count is not None)


def _stage_problems(planned: Stage, stage: StageResult) -> Iterator[str]:
    stopped = stage.stopped_early and planned.early_stopping is not None and stage.epochs < planned.epochs
    if stage.epochs != planned.epochs and not stopped:
        yield f"{stage.epochs} epochs, where {planned.epochs} were to be trained"
    losses = [(loss, epoch) for epoch, loss in enumerate(stage.history.val_loss, 1) if loss is not None]
    best = min(losses)[1] if losses else stage.epochs
    if stage.best_epoch != best:
        yield f"best_epoch is {stage.best_epoch}, but the validation loss is least in epoch {best}"
    for name, evaluation, epoch in (("last", stage.last, stage.epochs), ("best", stage.best, best)):
        scores = evaluation.validation
        accuracy, loss = stage.history.val_accuracy[epoch - 1], stage.history.val_loss[epoch - 1]
        if not (_close(scores.accuracy, accuracy) and _close(scores.loss, loss)):
            yield f"the {name} weights' validation scores are not those of epoch {epoch} of its history"


def _close(one: float | None, other: float | None) -> bool:
    """Whether two evaluations of the same weights agree: the same computation, but not always in the same process."""
    return one == other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6))


def _check_run_files(run: Run, report: Report) -> None:
    """Compare a run's result files with the hashes in its record; weights may be left out, or compact."""
    record, compact = (f"runs/{run.id}/{name}" for name in ("run.json", COMPACT_FILE))
    if run.done and "predictions.npz" not in run.files:
        report.find(record, "lists no predictions.npz, so nothing shows that its scores are right")
    for name, digest in run.files.items():
        path = f"runs/{run.id}/{name}"
        if path in report.digests:
            if report.digests[path] != digest:
                report.find(path, f"its SHA-256 is not the one in {record}")
        elif name == "weights.npz" and path not in (report.listed or {}):
            report.counts["runs without weights"] += 1
        elif name == PREDICTIONS_FILE and compact in report.digests and path not in (report.listed or {}):
            report.counts["compact runs"] += 1
        elif not report.names(path):
            report.find(path, f"is missing, though {record} lists it")
