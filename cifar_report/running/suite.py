"""The suite: check what is asked, find what is missing, run it, keep each result as soon as it is there."""

import contextlib
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import msgspec
from filelock import FileLock, SoftFileLock, Timeout
from rich.console import Console

from cifar_report.bundle import METHOD_VERSION, is_bundle, read_record, remove_leftovers, write_record
from cifar_report.bundle.bundle import RECORD_FILE, RUN_FILE, changed_records
from cifar_report.bundle.store import MANIFEST_FILE, bundle_files, read_manifest, write_manifest
from cifar_report.errors import SuiteError
from cifar_report.running.cluster import Replicas, dask_cluster, with_replicas
from cifar_report.running.plan import LOCK_FILE, SOFT_LOCK_FILE, Prepared, plan_is_current, plan_record, states_of
from cifar_report.running.runs import RunWriter, check_networks, now
from cifar_report.running.scheduler import local_workers, train_runs
from cifar_report.running.timing import run_timing_pass, timing_state

NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP}  # what network file systems and shared folders answer


@dataclass(frozen=True)
class SuiteResult:
    """What one call of the suite did."""

    bundle: Path
    ran: int
    failed: int
    already_done: int
    timed: bool = False  # whether something was left for the timing pass
    timing_failed: int = 0  # measurements


def run_suite(
    prepared: Prepared,
    jobs: int | None,
    console: Console,
    finish: Callable[[Path], None],
    dask: str | None = None,
    *,
    table: bool = True,
) -> SuiteResult:
    """Run what is missing in a bundle, on a ``dask_cluster`` where one is named, and return what was done.

    ``finish`` derives its tables and figures; ``table`` is that of ``train_runs``. Raises SuiteError when another suite
    holds the bundle or the disk refuses a write; finished runs stay.
    """
    folder, states, timing = prepared.folder, states_of(prepared), timing_state(prepared)
    nothing_missing = all(state.reason is None for state in states) and (timing is None or timing.reason is None)
    if nothing_missing and _is_complete(prepared):
        _leave_complete(folder)
        return SuiteResult(folder, 0, 0, len(states))
    check_networks([state.planned.trial for state in states if state.reason is not None])
    try:
        with hold(folder):
            remove_leftovers(folder)
            states = states_of(prepared)  # another suite may have finished some while this one waited to begin
            _discard_changed_records(prepared)
            (folder / MANIFEST_FILE).unlink(missing_ok=True)  # it is written anew at the end of the pass
            write_record(folder, plan_record(prepared))
            writer = RunWriter(prepared, {state.planned.id: state.key_parts for state in states})
            missing = [state.planned for state in states if state.reason is not None]
            local = partial(local_workers, folder, jobs, len(missing), cards=prepared.cards)
            together = next((writer.request(run) for run in missing if run.machines > 1), None)
            with (
                dask_cluster(dask) if dask is not None and missing else local() as own,
                with_replicas(own, Replicas(prepared.workers, folder), together) as workers,
            ):
                train_runs(workers, writer, missing, console, table=table)
            writer.drop_checkpoints(state.planned for state in states if state.reason is None)
            timed, failed = False, 0
            timing = timing_state(prepared)
            if timing is not None and timing.reason is not None:
                say = partial(console.print, markup=False, highlight=False, emoji=False, soft_wrap=True)
                timed, failed = True, run_timing_pass(prepared, timing, say)
            record = msgspec.structs.replace(read_record(folder), finished=now(), method_version=METHOD_VERSION)
            write_record(folder, record)
            finish(folder)
            write_manifest(folder)
    except OSError as error:
        place, what = error.filename or folder, error.strerror or error
        raise SuiteError(f"{place}: {what}; every finished run is kept") from error
    return SuiteResult(folder, len(missing), len(writer.failures), len(states) - len(missing), timed, failed)


@contextlib.contextmanager
def hold(folder: Path) -> Iterator[None]:
    """Hold the bundle's lock; raises SuiteError naming the holder when another suite has it.

    The operating system drops it with the process. Where a file system has no locks, a file's existence takes its
    place, with one line of warning.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / LOCK_FILE
    lock: FileLock | SoftFileLock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        try:
            lock.acquire()
            path.write_text(f"{os.getpid()}\n", encoding="utf-8")
        except OSError as error:
            if isinstance(error, Timeout) or error.errno not in NO_LOCKS:
                raise
            path = folder / SOFT_LOCK_FILE
            lock = SoftFileLock(path, timeout=0)
            lock.acquire()
            _tell_of_missing_locks(path)
    except Timeout:
        holder = re.match("[0-9]+", path.read_text(encoding="utf-8", errors="replace")[:40])
        soft = f" (or remove {path} where none is left)" if path.name == SOFT_LOCK_FILE else ""
        who = f"another suite (process {holder[0] if holder else 'unknown'}) is working on {folder}"
        raise SuiteError(f"{who}: wait for it or stop it{soft}") from None
    try:
        yield
    finally:
        lock.release()


@cache
def _tell_of_missing_locks(path: Path) -> None:
    words = f"the file system has no locks: {path} keeps other suites away instead, as long as it is there"
    print(words, file=sys.stderr)


def _is_complete(prepared: Prepared) -> bool:
    """Whether a pass over at least these seeds, with today's claims and texts, came to its end and is whole."""
    folder = prepared.folder
    if not is_bundle(folder):
        return False
    try:
        listed = read_manifest(folder)
    except SuiteError:  # the last pass did not come to its end, or the list is damaged
        return False
    if {path.relative_to(folder).as_posix() for path in bundle_files(folder)} != listed.keys():
        return False
    record = read_record(folder)
    asked = record.plan == prepared.plan and all(record.seeds_of(trial) >= end for trial, end in prepared.ends.items())
    return asked and record.seeds >= prepared.seeds and plan_is_current(folder)


def _leave_complete(folder: Path) -> None:
    """Tidy up a bundle that lacks nothing, and let the report take it as the one that was asked for last."""
    with contextlib.suppress(OSError):  # a bundle that may only be read
        (folder / RECORD_FILE).touch()
        if any(folder.rglob(".*.part")):
            with contextlib.suppress(SuiteError), hold(folder):  # a suite at work holds it: what is there is its own
                remove_leftovers(folder)


def _discard_changed_records(prepared: Prepared) -> None:
    """Remove edited records, which are trained anew; raises SuiteError for those of runs that are not asked for."""
    changed = changed_records(prepared.folder)
    if others := sorted(changed - {run.id for run in prepared.runs}):
        raise SuiteError(
            f"{prepared.folder}: the records of {', '.join(others)} are not those in {MANIFEST_FILE}: restore them, or "
            "ask for these trials, too, and they are trained again"
        )
    for name in changed:
        (prepared.folder / "runs" / name / RUN_FILE).unlink()
