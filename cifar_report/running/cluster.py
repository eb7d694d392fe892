"""Runs on other machines: many on a Dask cluster, or one network over several; and what a machine checks for a run."""

import logging
import math
import os
import shlex
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any
from uuid import uuid4

import msgspec
from filelock import FileLock, Timeout

from cifar_report.bundle import DatasetRecord, Run
from cifar_report.bundle.store import remove_leftovers
from cifar_report.data import PreparedData, find_fingerprint, locate
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import available_cores, processor_name
from cifar_report.running.plan import PlannedRun, key_parts
from cifar_report.running.runs import Answer, RunRequest, ask, carry_out, pack
from cifar_report.running.scheduler import KEPT, RefusedError, Tell, Workers
from cifar_report.running.workers import POLL_SECONDS, PinnedWorker, Report
from cifar_report.spec import BUILT_IN
from cifar_report.spec.trials import json_hash

CONNECTING_SECONDS = 20
SETTLING_SECONDS = 2.0  # within which whatever ends all processes of a machine has ended this one too
SILENCE_SECONDS = 20.0  # after which a replica, which gives a sign of life each second, counts as lost
MEETING_SECONDS = 120.0  # for all replicas to import TensorFlow and to reach one another, and at last to end
LAUNCH = "ssh -o BatchMode=yes -o ConnectTimeout=15 -o ServerAliveInterval=3 {host} cifar-report replica"


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
    user = getattr(os, "getuid", int)()  # Windows has no such number
    folder = Path(tempfile.gettempdir(), f"cifar-report-{user}")
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != user:
        raise PermissionError(f"{folder} belongs to another user: set TMPDIR to another place")
    (folder / name).mkdir(exist_ok=True)
    return folder / name


def carry_out_if_fit(asked: RunRequest, report: Report) -> Answer:
    """Check whether this machine gives a run the key that it must have, find its data by fingerprint, and train it.

    The first report, None, says that it fits.
    """
    try:
        own = key_parts(asked.planned, asked.profile, asked.dataset)
        here = own | ({"processor": processor_name()} if "processor" in asked.key_parts else {})
        names = sorted(name for name in here | asked.key_parts if here.get(name) != asked.key_parts.get(name))
        if names:
            differences = (f"{name} is {here.get(name)}, not {asked.key_parts.get(name)}" for name in names)
            return Answer(b"", {}, refused="; ".join(differences))
        dataset = _find(asked.dataset)
    except (UsageError, SuiteError) as error:
        return Answer(b"", {}, refused=str(error))
    report(None)
    answer = carry_out(msgspec.structs.replace(asked, data=dataset, key_parts=own), report)
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


class Replica:
    """A worker on another machine, from its first part in a run on; ``heard``: when it gave its last sign of life."""

    def __init__(self, worker: PinnedWorker, sent: tuple[RunRequest, bytes], threads: Executor) -> None:
        self.heard, self.fits, self._worker = time.monotonic(), False, worker
        self.call = threads.submit(worker.call, take_part, sent, self._hear)

    def _hear(self, said: object) -> None:
        self.heard, self.fits = time.monotonic(), self.fits or said is None

    def problem(self) -> str:
        """Return why the machine is of no use; nothing while there is hope."""
        silent = time.monotonic() - self.heard > SILENCE_SECONDS
        if not self.call.done():
            return "does not answer" if silent else ""
        if (error := self.call.exception()) is None:
            answer = self.call.result()  # for one that has failed the others may wait without an end
            return f"does not fit: {answer.refused}" if answer.refused else "has failed" * (silent and not answer.files)
        said = "" if self.fits else self._worker.log().decode(errors="replace").strip().rpartition("\n")[2]
        return f"ended {str(error).strip().rpartition(chr(10))[2]}{said and f': {said}'}"


@dataclass(frozen=True)
class Replicas:
    """The machines of ``addresses`` (host:port, where TensorFlow listens), of which the first is this one.

    CIFAR_REPORT_LAUNCH starts a worker on the machine {host}. Temporary files of this machine lie in ``folder``.
    """

    addresses: tuple[str, ...]
    folder: Path
    stopped: Event = field(default_factory=Event)

    @contextmanager
    def meet(self, request: RunRequest) -> Iterator[dict[str, Replica]]:
        """Begin a run on the other machines and yield them by address when all fit; raises SuiteError."""
        state = request.checkpoint.read_bytes() if request.checkpoint and request.checkpoint.is_file() else b""
        others, launch = dict[str, Replica](), os.environ.get("CIFAR_REPORT_LAUNCH", LAUNCH)
        with ThreadPoolExecutor(len(self.addresses)) as threads, ExitStack() as workers:
            for rank, address in enumerate(self.addresses[1:], start=1):
                command = shlex.split(launch.replace("{host}", address.rpartition(":")[0]))
                worker = workers.enter_context(closing(PinnedWorker((), self.folder, start=command)))
                # Processors of two kinds round differently, so that replicas would drift apart.
                facts = {"key_parts": request.key_parts | {"processor": processor_name()}, "data": None}
                sent = msgspec.structs.replace(request, addresses=self.addresses, rank=rank, **facts)
                others[address] = Replica(worker, (sent, state), threads)
            self._wait(others, lambda: all(each.fits for each in others.values()))
            yield others

    def train(self, request: RunRequest, report: Report) -> Answer:
        """Carry out a run on all machines, and record that it failed where their weights differ; raises SuiteError."""
        own, met = msgspec.structs.replace(request, addresses=self.addresses), Event()

        def heard(progress: Any) -> None:
            met.set()  # the first report: all processes have met
            report(progress)

        with (
            ThreadPoolExecutor(1) as thread,
            self.meet(request) as others,
            closing(PinnedWorker(tuple(available_cores()), self.folder)) as worker,
        ):
            call = thread.submit(ask, worker, carry_out, own, heard)
            self._wait(others, lambda: met.is_set() or call.done(), MEETING_SECONDS)
            self._wait(others, call.done)
            if call.result().died:
                return call.result()
            self._wait(others, lambda: all(each.call.done() for each in others.values()), MEETING_SECONDS)
        ends = [answer := call.result(), *(each.call.result() for each in others.values())]
        epochs = [[stage.hashes for stage in msgspec.json.decode(each.run, type=Run).stages] for each in ends]
        if any(each != epochs[0] for each in epochs):  # files of equal weights may differ by the version of zlib
            if request.checkpoint is not None:  # with it the next call would give all the first one's weights
                request.checkpoint.unlink(missing_ok=True)
            return replace(answer, run=pack(own, error="the replicas ended with different weights").run, files={})
        return answer

    def _wait(self, others: dict[str, Replica], until: Callable[[], bool], seconds: float = math.inf) -> None:
        """Wait until something is so; raises SuiteError where a machine is lost, too late, or as the suite ends."""
        deadline = time.monotonic() + seconds
        while not until() or any(each.problem() for each in others.values()):
            said = [f"replica {address} {why}" for address, each in others.items() if (why := each.problem())]
            if time.monotonic() > deadline:
                said.append(f"the processes of TensorFlow do not keep together at {', '.join(self.addresses)}")
            if said or self.stopped.is_set():
                why = f"{'; '.join(said) or 'stopped'}: see to it, or go on without --workers, on this machine"
                raise SuiteError(f"{why}; {KEPT}")
            time.sleep(POLL_SECONDS)


def take_part(sent: tuple[RunRequest, bytes], report: Report) -> Answer:
    """Carry out a machine's part of a run, if it fits; the report None says that it does, any other that it lives."""

    def beat() -> None:
        while True:
            report("alive")
            time.sleep(1)

    Thread(target=beat, daemon=True).start()
    request, checkpoint = sent
    place = _scratch("checkpoints") / f"{json_hash(request.key_parts)}-{request.rank}.msgpack"
    place.write_bytes(checkpoint)  # an empty one is none
    return carry_out_if_fit(msgspec.structs.replace(request, checkpoint=place), report)


@contextmanager
def with_replicas(local: Workers, replicas: Replicas, first: RunRequest | None) -> Iterator[Workers]:
    """Yield workers that train what is planned so on all machines, and the rest as ``local`` does.

    The ``first`` run of several machines, if any, is tried out before anything is trained. Raises SuiteError.
    """

    def submit(run: PlannedRun, request: RunRequest, tell: Tell) -> Future[Answer]:
        if run.machines == 1:
            return local.submit(run, request, tell)
        return thread.submit(replicas.train, request, partial(tell, f"{run.machines} machines"))

    with ThreadPoolExecutor(1) as thread:
        try:
            with replicas.meet(first) if first is not None else nullcontext():
                pass
            yield replace(local, submit=submit)
        finally:
            replicas.stopped.set()
