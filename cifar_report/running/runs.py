"""One run: the request to a worker, its training there, and what it leaves in the bundle.

Request and answer are picklable: whoever has the data may carry out a run.
"""

import contextlib
import json
import os
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import msgspec
import psutil

from cifar_report.bundle import DatasetRecord, Run, RunTiming, encode, write_run
from cifar_report.bundle.arrays import Array, dump_arrays
from cifar_report.data import PreparedData, Split, split
from cifar_report.errors import SuiteError, UsageError
from cifar_report.running.environment import available_cores, processor_name, shown
from cifar_report.running.plan import PlannedRun, Prepared
from cifar_report.running.workers import PinnedWorker, Report, WorkerDiedError, WorkerError, call_alone
from cifar_report.spec import AnyTrial, ClassicalTrial, Profile, Trial, json_hash, spec_hash

if TYPE_CHECKING:
    from cifar_report.training import Outcome

MOST_ERROR = 20_000  # characters
WORKER_DIED = "The worker process died twice, the second time {}; the run has no result."
CHECKPOINTS = ".checkpoints"  # hidden: no part of the bundle's manifest


class RunRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One run for a worker; as JSON for another machine, which has data and a place for the checkpoint of its own."""

    trial: AnyTrial  # with the profile's epochs
    seed: int | None
    profile: Profile
    dataset: DatasetRecord
    key_parts: dict[str, str]  # that it must have where it is trained
    card: bool = False  # whether it has a graphics card for itself
    data: PreparedData | None = None  # on this machine
    checkpoint: Path | None = None  # where a network keeps its state between epochs
    addresses: tuple[str, ...] = ()  # of a run on several machines, where TensorFlow listens
    rank: int = 0  # of this one of them

    @property
    def planned(self) -> PlannedRun:
        """Return the run as the plan has it."""
        return PlannedRun(self.trial, self.seed, cost=0.0, machines=max(1, len(self.addresses)))

    def to_json(self) -> bytes:
        """Return what another machine needs."""
        return msgspec.json.encode(msgspec.structs.replace(self, data=None, checkpoint=None))


@dataclass(frozen=True)
class Answer:
    """What a worker sends of a run: its record and timing as JSON, its files (of a failed run none), and its log."""

    run: bytes
    files: dict[str, bytes]
    timing: bytes | None = None
    memory_bytes: int = 0  # that the worker holds at the end
    log: bytes = b""
    host: str = ""
    died: bool = False  # whether its worker did, so that the run may be tried once more
    refused: str = ""  # why the machine does not carry it out


def carry_out(request: RunRequest, report: Report = lambda _: None) -> Answer:
    """Train a run in a worker; its record holds what it raises. ``report`` gets a ``Progress`` after each epoch."""
    started, clock = now(), time.perf_counter()
    outcome, error = None, None
    try:
        outcome = _train(request, report)
    except Exception:  # noqa: BLE001 - a failed run is recorded with its traceback
        error = traceback.format_exc()
    timing = RunTiming(
        started=started,
        finished=now(),
        host=socket.gethostname(),
        replicas=request.addresses,
        cores=tuple(available_cores()) if hasattr(os, "sched_getaffinity") else (),
        total_seconds=time.perf_counter() - clock,
        peak_memory_bytes=peak_memory(),
        **(vars(outcome.seconds) if outcome is not None else {}),
    )
    return pack(request, outcome, error, timing)


def pack(
    request: RunRequest,
    outcome: "Outcome | None" = None,
    error: str | None = None,
    timing: RunTiming | None = None,
) -> Answer:
    """Return a run's record and files, compressed here: whoever asked only writes them.

    ``error``: the traceback or sentence that says what stopped it; ``timing``: None where its worker died.
    """
    trial = request.trial
    names = ("stages", "classical", "streams", "parameters_total", "parameters_trainable")
    found: dict[str, Any] = {name: getattr(outcome, name) for name in names} if outcome is not None else {}
    run = Run(
        trial=trial,
        seed=request.seed,
        status="failed" if outcome is None else "done",
        key=json_hash(request.key_parts),
        key_parts=request.key_parts,
        spec_hash=spec_hash(trial),
        processor=processor_name(),
        macs=(trial.macs or (outcome.macs if outcome else None)) if isinstance(trial, Trial) else None,
        error=None if error is None else shown(error, MOST_ERROR),
        **found,
    )
    files = {} if outcome is None else {"predictions.npz": outcome.predictions.dump()}
    if outcome is not None and outcome.weights:
        files["weights.npz"] = dump_arrays(outcome.weights)
    if outcome is not None and outcome.kernels is not None:
        files["kernels.npz"] = dump_arrays({"kernels": outcome.kernels})
    memory = psutil.Process().memory_info().rss
    return Answer(encode(run), files, encode(timing) if timing is not None else None, memory)


def ask(
    worker: PinnedWorker, function: Callable[[RunRequest, Report], Answer], request: RunRequest, report: Report
) -> Answer:
    """Return a worker's answer with its log; where it dies or raises instead, a record that says so."""
    died = False
    try:
        answer: Answer = worker.call(function, request, report)
    except WorkerError as error:
        died = isinstance(error, WorkerDiedError)
        answer = pack(request, error=WORKER_DIED.format(error) if died else str(error))
    return replace(answer, log=worker.log(), host=socket.gethostname(), died=died)


def _train(request: RunRequest, report: Report) -> "Outcome":
    trial = request.trial
    if request.data is None or request.checkpoint is None:
        raise ValueError("the request was sent to another machine, and lacks what that adds to it")
    images, labels, parts = open_data(request.data, trial, request.profile)
    if isinstance(trial, ClassicalTrial):
        from cifar_report.training.classical import fit_classifier

        return fit_classifier(trial, images, labels, parts, report)
    from cifar_report.training.engine import configure
    from cifar_report.training.network import Resumption, train_network

    if request.addresses:
        task = {"type": "worker", "index": request.rank}
        os.environ["TF_CONFIG"] = json.dumps({"cluster": {"worker": request.addresses}, "task": task})
    configure(mirrored=trial.strategy == "mirrored", card=request.card)
    resumption = Resumption(request.checkpoint, json_hash(request.key_parts))
    return train_network(trial, request.seed or 0, images, labels, parts, resumption=resumption, watch=report)


def open_data(dataset: PreparedData, trial: AnyTrial, profile: Profile) -> tuple[Array, Array, Split]:
    """Return the images uint8 [images, rows, columns, colours], the labels, and which of them the trial sees."""
    labels = dataset.labels()
    parts = split(labels, dataset.about, split_seed=trial.split_seed, fraction=profile.fraction, counts=profile.counts)
    return _images(dataset), labels, parts


@cache
def _images(dataset: PreparedData) -> Array:
    """Map the images once in a process: each further map would count against its memory again."""
    return dataset.images("c")


def peak_memory() -> int:
    """Return the most memory that this process has held, bytes; what it holds now counts, the record lags behind."""
    now = psutil.Process().memory_info()
    try:
        import resource
    except ImportError:  # Windows
        return int(now.peak_wset)
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux kibibytes
    return max(int(now.rss), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def check_networks(trials: Iterable[AnyTrial]) -> None:
    """Have a worker build the networks that name what Keras alone knows; raises UsageError where it cannot."""
    asked = {trial.id: trial for trial in trials if isinstance(trial, Trial) and trial.needs_keras}
    if not asked:
        return
    with TemporaryDirectory() as folder:
        try:
            problem = call_alone(_check_networks, list(asked.values()), tuple(available_cores()[-1:]), Path(folder))
        except WorkerError as error:
            problem = str(error)
    if problem:
        raise UsageError(problem)


def _check_networks(trials: list[Trial], _: Report) -> str:
    from cifar_report.training.network import check_trials

    return check_trials(trials)


class RunWriter:
    """The only writer of a bundle's runs; ``failures`` lists the ids of those that failed."""

    def __init__(self, prepared: Prepared, key_parts: dict[str, dict[str, str]]) -> None:
        self.folder = prepared.folder
        self._prepared = prepared
        self._key_parts = key_parts
        self.failures: list[str] = []

    def request(self, planned: PlannedRun) -> RunRequest:
        """Return everything that a worker needs to carry out a run."""
        return RunRequest(
            trial=planned.trial,
            seed=planned.seed,
            profile=self._prepared.profile,
            dataset=self._prepared.dataset_record,
            key_parts=self._key_parts[planned.id],
            card=planned.card,
            data=self._prepared.dataset,
            checkpoint=self._checkpoint(planned),
        )

    def keep(self, planned: PlannedRun, answer: Answer) -> str:
        """Write a run into the bundle, drop its checkpoint unless it failed, and return in words what became of it.

        Raises SuiteError where the record cannot be read or is that of another run.
        """
        try:
            run = msgspec.json.decode(answer.run, type=Run)
            timing = msgspec.json.decode(answer.timing, type=RunTiming) if answer.timing is not None else None
        except msgspec.MsgspecError as error:
            raise SuiteError(f"{answer.host} sends a record of {planned.id} that cannot be read: {error}") from error
        if (run.id, run.key_parts) != (planned.id, self._key_parts[planned.id]):
            raise SuiteError(f"{planned.id}: what came is another run, {run.id}")
        volatile = {"log.txt": answer.log} | ({"timing.json": encode(timing)} if timing else {})
        write_run(self.folder, run, answer.files, volatile)
        if run.error is not None:
            self.failures.append(planned.id)
            return f"failed: {run.error.strip().splitlines()[-1]}"
        self._checkpoint(planned).unlink(missing_ok=True)
        accuracy = run.classical.test_accuracy if run.classical is not None else run.stage().last.test.accuracy
        return f"test accuracy {accuracy:.4f} in {timing.total_seconds if timing else 0:.0f} s"

    def drop_checkpoints(self, finished: Iterable[PlannedRun]) -> None:
        """Remove what was left of finished runs, which a suite killed between a run and its tidying up leaves."""
        for planned in finished:
            self._checkpoint(planned).unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # others are still needed, or there is none
            (self.folder / CHECKPOINTS).rmdir()

    def _checkpoint(self, planned: PlannedRun) -> Path:
        return self.folder.resolve() / CHECKPOINTS / f"{planned.id.replace('/', '.')}.msgpack"


def now() -> str:
    """Return the time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")
