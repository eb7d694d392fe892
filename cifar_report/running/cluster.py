"""Runs on many machines: as many in flight as there are threads, through any executor; this process alone writes."""

import logging
import queue
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Any

import msgspec
from rich.console import Console

from cifar_report.bundle import Run, RunTiming
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.plan import PlannedRun, shard_of
from cifar_report.running.remote import Answer, RefusedError, train_remotely
from cifar_report.running.runs import RunWriter
from cifar_report.running.scheduler import Display
from cifar_report.running.workers import POLL_SECONDS

CONNECTING_SECONDS = 20
REREAD_SECONDS = 1.0  # after which the number of threads is read anew
KEPT = "every finished run is kept, and the same call goes on from here"


@dataclass(frozen=True)
class Cluster:
    """An executor on other machines, and what the suite asks of whatever stands behind it.

    ``threads``: how many calls it carries out at once now. ``dismiss`` takes the third argument of a RefusedError.
    """

    name: str
    executor: Executor
    threads: Callable[[], int]
    machine_lost: tuple[type[BaseException], ...] = ()  # what a call raises that lost several machines
    dismiss: Callable[[str], object] | None = None
    function: Callable[[bytes], Answer] = train_remotely


def train_on_cluster(cluster: Cluster, writer: RunWriter, runs: list[PlannedRun], console: Console) -> None:
    """Train runs on a cluster and write each as soon as it is there.

    Raises SuiteError where the cluster is lost or fits no run; what is finished stays.
    """
    with Display(console, runs) as display:
        _Coordinator(cluster, writer, runs, display).run()


class _Coordinator:
    """One pass over the planned runs, the longest first over all seeds."""

    def __init__(self, cluster: Cluster, writer: RunWriter, runs: list[PlannedRun], display: Display) -> None:
        self._cluster, self._writer, self._display = cluster, writer, display
        self._waiting = deque(shard_of(runs, 1, 1))  # all of them
        self._flying: dict[Future[Answer], PlannedRun] = {}
        self._inbox: queue.SimpleQueue[Future[Answer]] = queue.SimpleQueue()
        self._threads, self._read = 0, -REREAD_SECONDS
        self._hosts: set[str] = set()  # that have sent a result
        self._lost = self._told = False
        self._given_up: list[str] = []
        self._refused, self._refusals = "", Counter[str]()

    def run(self) -> None:
        """Carry out all runs; on any exception, Ctrl-C included, what is in flight is given back."""
        try:
            while self._waiting or self._flying or self._lost:
                self._hand_out()
                try:
                    self._receive(self._inbox.get(timeout=POLL_SECONDS))
                except queue.Empty:
                    if self._lost:
                        raise SuiteError(f"the scheduler {self._cluster.name} was lost; {KEPT}") from None
        finally:
            for future in self._flying:
                future.cancel()
        if self._given_up:
            names = ", ".join(self._given_up[:3]) + ", …" * (len(self._given_up) > 3)
            raise SuiteError(
                f"{len(self._given_up)} runs have no result, because machine after machine was lost with them ({names})"
                f"; {KEPT}"
            )

    def _hand_out(self) -> None:
        """Have as many runs in flight as there are threads, read anew: a worker that dies takes no others with it."""
        if self._lost:
            return
        if monotonic() - self._read >= REREAD_SECONDS:
            self._threads, self._read = self._count(), monotonic()
        if not self._threads and self._refused and not self._flying:
            raise SuiteError(f"no worker is left: {self._refused}; {KEPT}")
        while self._waiting and len(self._flying) < self._threads:
            run = self._waiting.popleft()
            future = self._cluster.executor.submit(self._cluster.function, self._writer.remote_request(run))
            self._flying[future] = run
            future.add_done_callback(self._inbox.put)
        if not self._threads and not self._told:
            self._display.note(f"{self._cluster.name} has no workers yet: runs begin as they come")
            self._told = True
        at_work = f"runs at work: {len(self._flying)}, threads: {self._threads}, machines so far: {len(self._hosts)}"
        self._display.at_work(at_work if self._threads else f"waiting for workers of {self._cluster.name}")

    def _count(self) -> int:
        try:
            return self._cluster.threads()
        except (OSError, RuntimeError) as error:  # RuntimeError: Dask has given up
            raise SuiteError(f"the scheduler {self._cluster.name} does not answer ({error}); {KEPT}") from error

    def _receive(self, future: Future[Answer]) -> None:
        run = self._flying.pop(future)
        if future.cancelled():
            self._lost = True
            return
        error = future.exception()
        if isinstance(error, RefusedError):
            self._refuse(run, *error.args)
        elif isinstance(error, self._cluster.machine_lost):
            self._given_up.append(run.id)
            self._display.note(f"{run.id}: given up: {error}")
        elif error is not None:
            why = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
            need = "scheduler and workers need the same cifar-report as this machine"
            raise SuiteError(f"{run.id} cannot begin ({why}): {need}; {KEPT}") from error
        else:
            self._finish(run, future.result())

    def _refuse(self, run: PlannedRun, host: str, why: str, worker: str = "") -> None:
        self._refused = f"the worker on {host} does not fit: {why}"
        self._refusals[worker] += 1
        if self._cluster.dismiss is None or self._refusals[worker] > self._threads:  # it is still there
            raise SuiteError(f"{self._refused}; {KEPT}")
        if self._refusals[worker] == 1:
            self._display.note(f"{self._refused}; it is dismissed")
        self._cluster.dismiss(worker)
        self._waiting.appendleft(run)
        self._read = -REREAD_SECONDS

    def _finish(self, planned: PlannedRun, answer: Answer) -> None:
        try:
            run = msgspec.json.decode(answer["run"], type=Run)
            timing = msgspec.json.decode(answer["timing"], type=RunTiming) if "timing" in answer else None
        except msgspec.MsgspecError as error:
            raise SuiteError(f"{answer['host']} sends a record of {planned.id} that cannot be read: {error}") from error
        self._hosts.add(answer["host"])
        said = self._writer.keep(planned, run, answer["files"], timing, answer["log"])
        self._display.finished("", planned, f"{said}, on {answer['host']}")


@contextmanager
def dask_cluster(place: str) -> Iterator[Cluster]:
    """Connect to Dask: ``place`` is a scheduler's address, its file, or ``local[:N]`` for N workers of this machine.

    Raises UsageError where it is none of these, or nothing answers.
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
            options = {
                "threads_per_worker": 1,
                "memory_limit": 0,
                "host": "127.0.0.1",
                "silence_logs": logging.CRITICAL,
            }
            page = "127.0.0.1:0"  # a free port, for this machine alone
            local = LocalCluster(n_workers=int(count) if count else None, dashboard_address=page, **options)
            client = Client(local, **settings)
        elif Path(place).is_file():
            client = Client(scheduler_file=place, **settings)
        else:
            client = Client(place, **settings)
    except (OSError, ValueError) as error:
        raise UsageError(f"--dask {place}: no scheduler answers ({error})") from error
    try:
        yield Cluster(
            name=client.scheduler.address,
            executor=client.get_executor(pure=False),
            threads=lambda: sum(client.nthreads().values()),
            machine_lost=(KilledWorker,),
            dismiss=lambda worker: client.retire_workers([worker], close_workers=True),
            function=_train_in_dask,
        )
    finally:
        client.close(timeout=2)
        if local is not None:
            local.close(timeout=5)


def _train_in_dask(request: bytes) -> Answer:
    """Carry out a run in a Dask worker; a refusal says in which."""
    from distributed import get_worker

    try:
        return train_remotely(request)
    except RefusedError as error:
        raise RefusedError(*error.args, get_worker().address) from None
