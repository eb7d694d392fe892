"""A run on another machine: what that checks for itself, and the training in a child process of its own."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import msgspec
from filelock import FileLock, Timeout

from cifar_report.bundle import DatasetRecord, encode
from cifar_report.bundle.store import remove_leftovers
from cifar_report.data import PreparedData, find_fingerprint, locate
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun, key_parts
from cifar_report.running.runs import RemoteRun, RunRequest, RunResult, result_files, run_record, train_run
from cifar_report.running.scheduler import WORKER_DIED
from cifar_report.running.workers import PinnedWorker, Report, WorkerDiedError, WorkerError
from cifar_report.spec import BUILT_IN
from cifar_report.spec.trials import json_hash

SETTLING_SECONDS = 2.0  # within which whatever ends all processes of a machine has ended this one too
Answer = dict[str, Any]
"""Of a run: ``run`` and ``timing`` as JSON, its ``files`` and ``log``, and the ``host`` that trained it."""


class RefusedError(Exception):
    """A machine does not fit: its arguments are its name, why, and what an executor needs to dismiss it."""


def train_remotely(request: bytes) -> Answer:
    """Carry out a run, sent as JSON of ``RemoteRun``, in a child of this process, pinned to one core of the machine.

    A child that dies is tried once more, from its checkpoint. Whatever the run raises is part of its record. Raises
    RefusedError where the machine does not fit.
    """
    host = socket.gethostname()
    try:
        asked = msgspec.json.decode(request, type=RemoteRun)
        with _place(asked.planned) as (cores, folder), _checkpoint(asked) as checkpoint:
            answer = _call(cores, folder, request, checkpoint)
            if isinstance(answer.get("error"), WorkerDiedError):
                answer = _call(cores, folder, request, checkpoint)
    except (msgspec.MsgspecError, OSError) as error:
        raise RefusedError(host, f"it cannot carry out the runs of this suite: {error}") from None
    if "refused" in answer:
        raise RefusedError(host, answer["refused"])
    if (ending := answer.pop("error", None)) is not None:
        if isinstance(ending, WorkerDiedError):
            time.sleep(SETTLING_SECONDS)
            ending = WORKER_DIED.format(ending)
        answer |= _packed(asked, RunResult(error=str(ending)))
    return {"host": host, **answer}


def _call(cores: tuple[int, ...], folder: Path, request: bytes, checkpoint: Path) -> Answer:
    """Return what a child answers, or the ``error`` that it ended with, and what it printed."""
    with closing(PinnedWorker(cores, folder)) as worker:
        try:
            answer: Answer = worker.call(carry_out, (request, checkpoint))
        except WorkerError as error:
            answer = {"error": error}
        return {**answer, "log": worker.log()}


@contextmanager
def _place(run: PlannedRun) -> Iterator[tuple[tuple[int, ...], Path]]:
    """Hold a core of this machine that no other run of this user holds, and a folder for temporary files.

    All cores, where none is free or a run has replicas. The system drops the lock with the process.
    """
    for core in () if run.mirrored else available_cores():
        folder = _scratch(f"core-{core}")
        with suppress(Timeout), FileLock(folder / ".lock", timeout=0):
            remove_leftovers(folder)
            yield (core,), folder
            return
    yield tuple(available_cores()), _scratch("shared")


def _scratch(name: str) -> Path:
    """Return a folder for temporary files and checkpoints on this machine, for this user alone."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    folder = Path(tempfile.gettempdir(), f"cifar-report-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid") and folder.stat().st_uid != user:
        raise PermissionError(f"{folder} belongs to another user: set TMPDIR to another place")
    (folder / name).mkdir(exist_ok=True)
    return folder / name


def carry_out(sent: tuple[bytes, Path], report: Report) -> Answer:
    """Check whether this machine gives a run the key that it must have, find its data by fingerprint, and train it."""
    request, checkpoint = sent
    asked = msgspec.json.decode(request, type=RemoteRun)
    try:
        own = key_parts(asked.planned, asked.profile, asked.dataset)
        names = sorted(name for name in own | asked.key_parts if own.get(name) != asked.key_parts.get(name))
        if names:
            differences = (f"{name} is {own.get(name)}, not {asked.key_parts.get(name)}" for name in names)
            return {"refused": "; ".join(differences)}
        dataset = _find(asked.dataset)
    except (UsageError, SuiteError) as error:
        return {"refused": str(error)}
    result = train_run(RunRequest(asked.trial, asked.seed, dataset, asked.profile, json_hash(own), checkpoint), report)
    if result.error is None:
        checkpoint.unlink(missing_ok=True)
    return _packed(asked, result)


def _find(record: DatasetRecord) -> PreparedData:
    """Return the data of a record, prepared here before, or else CIFAR-10 as the command finds it."""
    dataset = find_fingerprint(record.fingerprint)
    if dataset is None and record.about == BUILT_IN["CIFAR10"]:
        dataset = locate(None, allow_stand_in=False, warn=lambda _: None)
    if dataset is None or dataset.fingerprint != record.fingerprint:
        found = "there are none" if dataset is None else f"those in {dataset.location} have {dataset.fingerprint[:8]}"
        raise UsageError(
            f"it lacks the data {record.about.name} of fingerprint {record.fingerprint[:8]} ({found}): prepare them "
            "there with 'cifar-report data'"
        )
    return dataset


@contextmanager
def _checkpoint(run: RemoteRun) -> Iterator[Path]:
    """Yield where a run keeps its state between epochs: in one place on a machine, for one process at a time.

    Of a run that goes on here for a coordinator that was killed, a second one begins anew beside it.
    """
    file = _scratch("checkpoints") / f"{json_hash(run.key_parts)}.msgpack"
    with suppress(Timeout), FileLock(file.with_suffix(".lock"), timeout=0):
        yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder, file.name)


def _packed(asked: RemoteRun, result: RunResult) -> Answer:
    """Return a result as its record and files, compressed here: the coordinator only writes them."""
    run = run_record(asked.planned, asked.key_parts, result)
    timing = {} if result.timing is None else {"timing": encode(result.timing)}
    return {"run": encode(run), "files": result_files(result), **timing}
