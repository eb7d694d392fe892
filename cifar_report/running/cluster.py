"""Runs on a Dask cluster: how it is reached, and what a machine checks and does for a run."""

import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
from filelock import FileLock, Timeout

from cifar_report.bundle import DatasetRecord
from cifar_report.bundle.store import remove_leftovers
from cifar_report.data import PreparedData, find_fingerprint, locate
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import available_cores
from cifar_report.running.plan import PlannedRun, key_parts
from cifar_report.running.runs import Answer, RunRequest, ask, carry_out
from cifar_report.running.scheduler import RefusedError, Tell, Workers
from cifar_report.running.workers import PinnedWorker, Report
from cifar_report.spec import BUILT_IN
from cifar_report.spec.trials import json_hash

CONNECTING_SECONDS = 20
SETTLING_SECONDS = 2.0  # within which whatever ends all processes of a machine has ended this one too


@contextmanager
def dask_cluster(place: str, function: Callable[[bytes], Answer] | None = None) -> Iterator[Workers]:
    """Connect to Dask: ``place`` is a scheduler's address, its file, or ``local[:N]`` for N workers of this machine.

    ``function`` stands for the training in tests. Raises UsageError where the place is none of these, or nothing
    answers.
    """
    try:
        from distributed import Client, KilledWorker, LocalCluster
    except ModuleNotFoundError as error:
        raise UsageError(f"--dask: {error.name} is not installed: pip install 'cifar-report[cluster]'") from error
    for logger in ("distributed", "distributed.client"):  # what they say of lost workers is said here
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    name, _, count = place.partition(":")
    settings: dict[str, Any] = {"timeout": CONNECTING_SECONDS, "set_as_default": False}
    local = None
    try:
        if name == "local":
            here = {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}  # a free port, for this machine alone
            alone = {"threads_per_worker": 1, "memory_limit": 0, "silence_logs": logging.CRITICAL}
            local = LocalCluster(n_workers=int(count) if count else None, **here, **alone)
            client = Client(local, **settings)
        elif Path(place).is_file():
            client = Client(scheduler_file=place, **settings)
        else:
            client = Client(place, **settings)
    except (OSError, ValueError) as error:
        raise UsageError(f"--dask {place}: no scheduler answers ({error})") from error
    try:
        yield Workers(
            name=client.scheduler.address,
            submit=_submitting(client, function),
            threads=lambda: sum(client.nthreads().values()),
            machine_lost=(KilledWorker,),
            dismiss=lambda worker: client.retire_workers([worker], close_workers=True),
        )
    finally:
        client.close(timeout=2)
        if local is not None:
            local.close(timeout=5)


def _submitting(client: Any, function: Callable[[bytes], Answer] | None) -> Callable[..., Future[Answer]]:
    """Return what begins a run on a cluster, and hears from it by a topic of this call alone."""
    from cifar_report.training import Progress

    executor, topic, told = client.get_executor(pure=False), f"cifar-report-{uuid4().hex}", dict[str, Tell]()
    function = function or partial(_train_in_dask, topic)

    def submit(run: PlannedRun, request: RunRequest, tell: Tell) -> Future[Answer]:
        told[run.id] = tell
        future: Future[Answer] = executor.submit(function, request.to_json())
        return future

    def hear(event: tuple[float, tuple[str, str, list[Any] | None]]) -> None:
        run, place, progress = event[1]
        told[run](place, None if progress is None else Progress(*progress))

    client.subscribe_topic(topic, hear)
    return submit


def _train_in_dask(topic: str, request: bytes) -> Answer:
    """Carry out a run, sent as JSON, in a child of this Dask worker, pinned to one core of the machine.

    Its place and its epochs are told by ``topic``. Raises RefusedError where the machine does not fit.
    """
    from distributed import get_worker

    worker, host = get_worker(), socket.gethostname()
    try:
        asked = msgspec.json.decode(request, type=RunRequest)
        run = asked.planned
        # One place on a machine: a second process for the same run, of a coordinator that was killed, writes the same.
        checkpoint = _scratch("checkpoints") / f"{json_hash(asked.key_parts)}.msgpack"
        with _place(run) as (cores, folder), closing(PinnedWorker(cores, folder)) as child:
            place = f"{host}, core {cores[0]}" if len(cores) == 1 else host
            worker.log_event(topic, (run.id, place, None))
            asked = msgspec.structs.replace(asked, checkpoint=checkpoint)
            answer = ask(child, carry_out_if_fit, asked, lambda told: worker.log_event(topic, (run.id, place, told)))
    except (msgspec.MsgspecError, OSError) as error:
        why = f"it cannot carry out the runs of this suite: {error}"
        raise RefusedError(host, why, worker.address) from None
    if answer.refused:
        raise RefusedError(host, answer.refused, worker.address)
    if answer.died:
        time.sleep(SETTLING_SECONDS)
    return answer


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


def carry_out_if_fit(asked: RunRequest, report: Report) -> Answer:
    """Check whether this machine gives a run the key that it must have, find its data by fingerprint, and train it."""
    try:
        own = key_parts(asked.planned, asked.profile, asked.dataset)
        names = sorted(name for name in own | asked.key_parts if own.get(name) != asked.key_parts.get(name))
        if names:
            differences = (f"{name} is {own.get(name)}, not {asked.key_parts.get(name)}" for name in names)
            return Answer(b"", {}, refused="; ".join(differences))
        dataset = _find(asked.dataset)
    except (UsageError, SuiteError) as error:
        return Answer(b"", {}, refused=str(error))
    answer = carry_out(msgspec.structs.replace(asked, data=dataset), report)
    if answer.files and asked.checkpoint is not None:  # it has not failed
        asked.checkpoint.unlink(missing_ok=True)
    return answer


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
