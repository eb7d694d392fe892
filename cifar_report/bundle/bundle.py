"""A results bundle: everything that was measured, read without running or believing anything in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, Self, TypeVar

import msgspec

from cifar_report.bundle.arrays import COMPACT_FILE, PREDICTIONS_FILE, Array, Predictions, load_arrays
from cifar_report.bundle.certificates import Certificate, certificate_files
from cifar_report.bundle.records import SCHEMA_VERSION, BundleRecord, Run, RunTiming, TimingPass, upgraded
from cifar_report.bundle.store import read_manifest, read_plain, sha256, write_file, write_folder
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import AnyTrial, Claim, Study

BUNDLES = Path("report") / "bundle"  # where bundles lie, below the folder that the command is called in
RECORD_FILE = "bundle.json"
RUN_FILE = "run.json"
TIMING_FILE = "timing/timing.json"
MOST_JSON_BYTES = 4 * 2**20  # of one record; the largest of the whole suite has 0.2 MB
_T = TypeVar("_T")


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle: its record and all its runs, in the order of the experiments, then by seed."""

    folder: Path
    record: BundleRecord
    runs: tuple[Run, ...]
    phase: Literal["all", "first", "confirmation"] = field(default="all", kw_only=True)  # whose seeds are looked at

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a bundle; raises UsageError when the folder is none, SuiteError when a file in it is damaged."""
        record = read_record(folder)
        found = (path.relative_to(folder / "runs").as_posix() for path in place(folder, "runs").glob("[!.]*/[!.]*"))
        runs = [read_run(folder, run_id, record.trials) for run_id in sorted(found)]
        return cls(folder, record, in_order(record, [run for run in runs if run is not None]))

    @cached_property
    def trials(self) -> dict[str, AnyTrial]:
        """Return every planned trial by id, as ``BundleRecord`` does."""
        return self.record.trials

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Return every claim, in the order of the experiments."""
        return tuple(claim for experiment in self.record.experiments for claim in experiment.claims)

    def seeds(self, trial_id: str) -> range:
        """Return the seeds that a trial was asked for so far, in this phase where a confirmation was added."""
        record, plan = self.record, self.record.plan
        first = plan.first if plan is not None and self.phase == "confirmation" else 0
        return range(first, record.seeds if self.phase == "first" else record.seeds_of(trial_id))

    def runs_of(self, trial_id: str) -> tuple[Run, ...]:
        """Return the finished runs of a trial, by seed; failed ones are left out."""
        return tuple(run for run in self.runs if run.done and run.trial.id == trial_id)

    def failed_of(self, trial_id: str) -> tuple[Run, ...]:
        """Return the failed runs of a trial, by seed."""
        return tuple(run for run in self.runs if not run.done and run.trial.id == trial_id)

    def is_compact(self, run: Run) -> bool:
        """Whether a run keeps ``compact.npz`` in place of all its probabilities."""
        whole, compact = (place(self.folder, f"runs/{run.id}/{name}") for name in (PREDICTIONS_FILE, COMPACT_FILE))
        return compact.exists() and not whole.exists()

    def predictions(self, run: Run) -> Predictions:
        """Read a finished run's predictions, one for each test image of the bundle's data."""
        compact, data = self.is_compact(run), self.record.dataset
        path = place(self.folder, f"runs/{run.id}/{COMPACT_FILE if compact else PREDICTIONS_FILE}")
        found, expected = Predictions.load(path, data.about, compact=compact), data.counts[2]
        if len(found.labels) != expected:
            raise SuiteError(f"{path} holds {len(found.labels)} answers, where the data have {expected} test images")
        return found

    def kernels(self, run: Run) -> Array | None:
        """Read the first layer's kernels, float32 [height, width, colours, filters]; None where there are none."""
        path = place(self.folder, f"runs/{run.id}/kernels.npz")
        if not path.exists():
            return None
        kernels, colours = load_arrays(path).get("kernels"), self.record.dataset.about.shape[2]
        if kernels is None or kernels.ndim != 4 or kernels.shape[2] != colours or 0 in kernels.shape:
            raise SuiteError(f"{path} holds no kernels of a first layer: [height, width, colours, filters]")
        return kernels

    def timing(self, run: Run) -> RunTiming | None:
        """Read the volatile side of a run; None where it was left out."""
        return _decode_if_there(self.folder, f"runs/{run.id}/timing.json", RunTiming)

    @cached_property
    def timing_pass(self) -> TimingPass | None:
        """Read the exclusive timing pass; None when it has not been run."""
        return read_timing_pass(self.folder)

    @cached_property
    def certificate(self) -> Certificate | None:
        """Read the latest record of runs that were trained again; None where there is none."""
        names = certificate_files(self.folder)
        return _decode_if_there(self.folder, names[-1], Certificate) if names else None


def in_order(record: BundleRecord, runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return runs in the order of the experiments, then by seed."""
    order = {trial: number for number, trial in enumerate(record.trials)}
    return tuple(sorted(runs, key=lambda run: (order.get(run.trial.id, len(order)), run.trial.id, run.seed or 0)))


def is_bundle(folder: Path) -> bool:
    """Whether the folder looks like a bundle."""
    return (folder / RECORD_FILE).is_file()


def find_bundle(named: Path | None, profile: str | None = None, study: Study | None = None) -> Path:
    """Return the named bundle, else the last written (of a profile or study) below ``report/bundle``.

    Raises UsageError where there is none.
    """
    if named is not None:
        record = read_record(named)
        if profile is not None and record.profile.name != profile:
            raise UsageError(f"{named} was made with the profile {record.profile.name!r}, not {profile!r}")
        return named
    records = BUNDLES.glob(f"{profile or '*'}-{f'{study.name}-' if study else ''}*/{RECORD_FILE}")
    written = sorted(records, key=lambda path: (path.stat().st_mtime_ns, path))
    if not written:
        which = (f" of the profile {profile!r}" if profile else "") + (f" of {study.name!r}" if study else "")
        raise UsageError(f"there is no bundle{which} below {BUNDLES}: run the experiments first, or name one")
    return written[-1].parent


def read_record(folder: Path) -> BundleRecord:
    """Read ``bundle.json``; raises UsageError when the folder is no bundle or was written by a newer version."""
    if not is_bundle(folder):
        raise UsageError(f"{folder} is no results bundle: it holds no {RECORD_FILE}")
    try:
        return decode(place(folder, RECORD_FILE), BundleRecord)
    except SuiteError as error:
        raise UsageError(f"{folder} is no results bundle: {error}") from error


def write_record(folder: Path, record: BundleRecord) -> None:
    """Write ``bundle.json`` in one step."""
    folder.mkdir(parents=True, exist_ok=True)
    write_file(folder / RECORD_FILE, encode(record))


def read_timing_pass(folder: Path) -> TimingPass | None:
    """Read the exclusive timing pass; None when it has not been run, SuiteError when its record is damaged."""
    return _decode_if_there(folder, TIMING_FILE, TimingPass)


def write_timing_pass(folder: Path, timing: TimingPass) -> None:
    """Write the exclusive timing pass, as far as it has come, in one step."""
    (folder / TIMING_FILE).parent.mkdir(parents=True, exist_ok=True)
    write_file(folder / TIMING_FILE, encode(timing))


def read_run(folder: Path, run_id: str, planned: Mapping[str, AnyTrial] | None = None) -> Run | None:
    """Read one run's record (None: not run); raises SuiteError when it is damaged or has not its trial's stages."""
    path = place(folder, f"runs/{run_id}/{RUN_FILE}")
    if not path.exists():
        return None
    run = decode(path, Run)
    if run.id != run_id:
        raise SuiteError(f"{path} says that it is {run.id}: the folder was renamed or the record changed")
    trial = (planned or {}).get(run.trial.id, run.trial)
    if type(trial) is not type(run.trial) or trial.stage_ids != run.trial.stage_ids:
        raise SuiteError(f"{path} was trained in other stages than the bundle plans: run it again")
    return run


def changed_records(folder: Path) -> set[str]:
    """Return the runs whose records are not those that a finished bundle lists: edited, or copied over them."""
    try:
        listed = read_manifest(folder)
    except SuiteError:  # the last pass did not come to its end, or the list is damaged
        return set()
    records = {name: folder / name for name in listed if name.endswith(f"/{RUN_FILE}")}
    changed = (name for name, path in records.items() if path.is_file() and sha256(path.read_bytes()) != listed[name])
    return {name.removeprefix("runs/").removesuffix(f"/{RUN_FILE}") for name in changed}


def write_run(folder: Path, run: Run, files: dict[str, bytes], volatile: dict[str, bytes]) -> Run:
    """Write a run's folder and return its record with the hashes of ``files``, those of ``volatile`` files left out."""
    run = msgspec.structs.replace(run, files={name: sha256(files[name]) for name in sorted(files)})
    write_folder(folder / "runs" / run.id, {**files, **volatile, RUN_FILE: encode(run)})
    return run


def encode(record: msgspec.Struct) -> bytes:
    """Return a record as indented JSON with sorted keys and a final newline."""
    return msgspec.json.format(msgspec.json.encode(record, order="sorted"), indent=1) + b"\n"


def check_readable(record: msgspec.Struct) -> None:
    """Raise ValueError or OverflowError, with the field and its bound, for a record that could not be read again."""
    content = encode(record)
    msgspec.json.decode(content, type=type(record))
    if len(content) > MOST_JSON_BYTES:
        raise ValueError(f"it has {len(content):,} bytes, where {MOST_JSON_BYTES:,} are read")


class _Versioned(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def decode(path: Path, kind: type[_T]) -> _T:
    """Read a record, strictly typed; raises SuiteError for any other file, UsageError for one of a newer version."""
    try:
        content = read_plain(path, MOST_JSON_BYTES)
        version = msgspec.json.decode(content, type=_Versioned).schema_version
        if version > SCHEMA_VERSION:
            raise UsageError(f"{path} has schema version {version}; this program reads {SCHEMA_VERSION}: update it")
        if version < SCHEMA_VERSION:
            content = msgspec.json.encode(upgraded(msgspec.json.decode(content)))
        return msgspec.json.decode(content, type=kind)
    except (OSError, ValueError, RecursionError, OverflowError) as error:  # msgspec's errors, text that is no UTF-8
        raise SuiteError(f"{path} cannot be read: {str(error)[-400:]}") from error  # its end says where


def _decode_if_there(folder: Path, name: str, kind: type[_T]) -> _T | None:
    path = place(folder, name)
    return decode(path, kind) if path.exists() else None


def place(folder: Path, name: str) -> Path:
    """Return the path of a file of a bundle, whose folder itself may be a link; raises SuiteError at any other."""
    path = folder / name
    for each in (path, *path.parents[: name.count("/")]):
        if each.is_symlink():
            raise SuiteError(f"{folder} is not read: {each} is a link, and a bundle holds its files itself")
    return path
