"""Walks the steps of everything that the store writes, lets each fail in every way, and looks what is there then."""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_report.bundle import TimingPass, make_folder, remove_leftovers, write_file, write_folder, write_timing_pass
from cifar_report.bundle.manifest import MANIFEST_FILE, write_manifest
from cifar_report.faults.injecting import ENTRIES_LOST, POWER_OFF, WAYS, Injector, Way, injected
from cifar_report.faults.outcome import Outcome
from cifar_report.running.lock import LOCK_FILE, hold

State = dict[str, bytes]  # content by path; hidden files are nobody's state
REFUSED, CRASHED = 3, 4  # exit statuses: an OSError reached the caller, anything else did
MOST_STEPS = 500
OLD_RUN = {"run.json": b"old record", "weights.npz": b"old weights"}
NEW_RUN = {"run.json": b"new record", "predictions.npz": b"new predictions", "log.txt": b"new log"}
RUN = "runs/trial/seed-0"
NO_TIMES = TimingPass(warmup_steps=1, measurements=())


@dataclass(frozen=True)
class Operation:
    """Something that the suite does with a bundle, and the files that are there before it."""

    name: str
    before: Mapping[str, bytes]
    act: Callable[[Path], None]


def _files(folder: str, files: Mapping[str, bytes]) -> State:
    return {f"{folder}/{name}": content for name, content in files.items()}


def _write_new_bundle(folder: Path) -> None:
    with hold(folder / "bundles" / "bundle"):
        write_file(folder / "bundles" / "bundle" / "bundle.json", b"new")


def write_first_checkpoint(folder: Path) -> None:
    """Write a checkpoint as a worker does, into the folder that its coordinator has made."""
    make_folder(folder / "checkpoints")
    checkpoint_to(folder / "checkpoints" / "c.npz")


def checkpoint_to(path: Path) -> None:
    """Write a small checkpoint."""
    from cifar_report.training.checkpoint import Checkpoint, Patience, Position  # NumPy alone: no TensorFlow comes

    patience = Patience(checkpoint_best=None)
    position = Position(
        key="key",
        stage=0,
        logs=(),
        hashes=(),
        stop_training=False,
        patience=patience,
        finished=(),
        epoch_seconds={},
        validation_seconds={},
        evaluation_seconds=0.0,
    )
    Checkpoint(position, {}).write(path)


RECORD = {"bundle.json": b"old"}
OPERATIONS = (
    Operation("a new bundle", {}, _write_new_bundle),
    Operation("a new record", {}, lambda folder: write_file(folder / "bundle.json", b"new")),
    Operation("a record", RECORD, lambda folder: write_file(folder / "bundle.json", b"new")),
    Operation("a checkpoint", {"c.npz": b"old" * 99_999}, lambda folder: write_file(folder / "c.npz", b"new" * 99_999)),
    Operation("the first checkpoint", RECORD, write_first_checkpoint),
    Operation("the first timing pass", RECORD, lambda folder: write_timing_pass(folder, NO_TIMES)),
    Operation("a new run", RECORD, lambda folder: write_folder(folder / RUN, NEW_RUN)),
    Operation("a run", {**RECORD, **_files(RUN, OLD_RUN)}, lambda folder: write_folder(folder / RUN, NEW_RUN)),
    Operation("the manifest", {**RECORD, MANIFEST_FILE: b"old"}, write_manifest),
    Operation("leftovers", {**RECORD, **_files(RUN, OLD_RUN)}, remove_leftovers),
)
LEFT = (*_files("runs/trial/.seed-0.0123abcd.part", NEW_RUN), ".bundle.json.0123abcd.part")


def walk_store() -> Iterator[Outcome]:
    """Yield one outcome for each operation of the store: all its steps, failing in all ways."""
    for operation in OPERATIONS:
        yield walk(operation)


def walk(operation: Operation) -> Outcome:
    """Let each step of an operation fail in each way; a loss is any state but the old one and the new one."""
    what = f"writing {operation.name}" if operation.name != "leftovers" else "removing leftovers"
    outcome = Outcome(
        f"{what}: each step in turn: power cut (before, amid, after, unflushed names lost), disk full, "
        "input/output error",
        "the old state or the new one is read, never a third; the next pass leaves the new one and no leftovers",
    )
    for loss in tries(operation):
        outcome.count(loss)
    return outcome


def tries(operation: Operation) -> Iterator[str | None]:
    """Let one step after the other fail, in one way after the other; yield what was lost each time, or None."""
    states = dict(operation.before), _after(operation)
    for way in WAYS:
        for step in range(MOST_STEPS):
            with tempfile.TemporaryDirectory() as place:
                folder = Path(place)
                _prepare(folder, operation)
                status = _try_in_a_process(operation, folder, step, way)
                if status == os.EX_OK:
                    if way == ENTRIES_LOST and state(folder) != states[1]:
                        yield f"{operation.name}: it had come to its end, but was not on the disk"
                    break
                yield _loss(operation, folder, states, status, f"{operation.name}, {way}, step {step}")
        else:
            yield f"{operation.name}, {way}: no end after {MOST_STEPS} steps"


def _after(operation: Operation) -> State:
    with tempfile.TemporaryDirectory() as place:
        _prepare(Path(place), operation)
        _act(operation, Path(place))
        return state(Path(place))


def _act(operation: Operation, folder: Path) -> None:
    """Carry out an operation without any fault."""
    with injected(Injector(None, WAYS[0])):
        operation.act(folder)


def _prepare(folder: Path, operation: Operation) -> None:
    left = dict.fromkeys(LEFT, b"half") if operation.name == "leftovers" else {}
    for name, content in {**operation.before, **left}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def _try_in_a_process(operation: Operation, folder: Path, step: int, way: Way) -> int:
    """Carry out an operation in a process that ends where its power is cut; return its exit status.

    It is EX_OK where the operation came to its end before that step.
    """
    with warnings.catch_warnings():  # libraries have threads of their own, of which the child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(_try(operation, folder, step, way))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _try(operation: Operation, folder: Path, step: int, way: Way) -> int:
    injector = Injector(step, way)
    try:
        with injected(injector):
            operation.act(folder)
    except OSError:
        return REFUSED
    except BaseException:  # noqa: BLE001 - whatever it is, it is the finding
        return CRASHED
    if len(injector.steps) > step:
        return REFUSED
    injector.lose()  # whatever comes after the end, too, must not take the new state away
    return os.EX_OK


def _loss(operation: Operation, folder: Path, states: tuple[State, State], status: int, where: str) -> str | None:
    if status not in (POWER_OFF, REFUSED):
        return f"{where}: ended with status {status}, neither a power cut nor an error of the system"
    if state(folder) not in states:
        return f"{where}: a reader finds {sorted(state(folder))}, neither the old state nor the new one"
    remove_leftovers(folder)
    if state(folder) not in states:
        return f"{where}: tidying up left {sorted(state(folder))}, neither the old state nor the new one"
    if left := [path.name for path in folder.rglob(".*") if path.name != LOCK_FILE]:
        return f"{where}: {left} stayed behind"
    _act(operation, folder)
    return None if state(folder) == states[1] else f"{where}: the next pass did not reach the new state"


def state(folder: Path) -> State:
    """Return what a reader finds below a folder: the content of each file that is not hidden."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not any(part.startswith(".") for part in name.parts):
            found[name.as_posix()] = path.read_bytes()
    return found
