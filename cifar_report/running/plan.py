"""What is asked of the suite, checked before anything is written: which runs, in which order, and which are finished.

A run is finished when its record has the key that the run would have today: everything that could change its result.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path

import msgspec

from cifar_report.bundle import BundleRecord, DatasetRecord, is_bundle, read_record, read_run
from cifar_report.bundle.bundle import BUNDLES, RECORD_FILE, changed_records, check_readable
from cifar_report.bundle.store import ENGINE, ENGINE_VERSION, MANIFEST_FILE, current_parts, recorded_parts
from cifar_report.data import PreparedData, locate, part_sizes
from cifar_report.errors import SuiteError, UsageError
from cifar_report.published import load_original
from cifar_report.registry import claims_of, load_experiments, load_source, load_study, select, trials_of
from cifar_report.running import environment
from cifar_report.running.declaring import SeedsAsked, agree_on_seeds, choose_timed, claims_changed
from cifar_report.spec import PROFILES, AnyTrial, ClassicalTrial, Profile, Trial, registry_hash
from cifar_report.spec.experiments import SeedPlan

LOCK_FILE, SOFT_LOCK_FILE = ".lock", ".lock.soft"
# One training step of an image takes about this many operations beyond its multiply-accumulates; the estimate
# orders runs and feeds the progress bar, it is never shown as a result.
FIXED_COST_PER_IMAGE = 1.5e6
CLASSICAL_COST = 2.5e7  # a training image
MOST_RUNS = 7_000  # of a bundle: its report takes just under 2 GB of memory, and minutes (docs/cluster.md)
MACHINES = "machines (MultiWorkerMirroredStrategy)"  # in the key of runs that went over several
UNKNOWN_MACS = 10**7  # an image, of a network of which Keras alone can count them


@dataclass(frozen=True)
class PlannedRun:
    """A trial as the profile trains it, under one seed (None: it has no randomness)."""

    trial: AnyTrial
    seed: int | None
    cost: float  # estimated, in arbitrary units
    card: bool = False  # whether it has a graphics card for itself
    machines: int = 1  # over which it goes

    @property
    def id(self) -> str:
        """Return the run's name, as in the bundle."""
        return f"{self.trial.id}/{'once' if self.seed is None else f'seed-{self.seed}'}"

    @property
    def mirrored(self) -> bool:
        """Whether it needs several devices in one process."""
        return isinstance(self.trial, Trial) and self.trial.strategy == "mirrored"


@dataclass(frozen=True)
class RunState:
    """A planned run, its key's parts today, and the reason to run it (None: it is finished)."""

    planned: PlannedRun
    key_parts: dict[str, str]
    reason: str | None


@dataclass(frozen=True)
class Prepared:
    """A request that can be carried out: data found, bundle fitting, runs planned."""

    profile: Profile
    seeds: int
    dataset: PreparedData
    dataset_record: DatasetRecord
    folder: Path
    runs: list[PlannedRun]
    timed: tuple[AnyTrial, ...] = ()  # which of the trials are timed, alone on the machine; none without a pass
    plan: SeedPlan | None = None  # that the bundle declares
    ends: Mapping[str, int] = field(default_factory=dict)  # of the seeds of trials that have more than ``seeds``
    cards: int = 0  # graphics cards for the single runs of networks, one on each
    workers: tuple[str, ...] = ()  # addresses of the machines that a mirrored run goes over; none: this one alone


def prepare(
    profile_name: str,
    *,
    seeds: SeedsAsked,
    only: Sequence[str],
    data: str | None,
    bundle: Path | None,
    warn: Callable[[str], None],
    notify: Callable[[str], None] = lambda _: None,
    download: bool = True,
    timing: bool | None = None,
    hours: float | None = None,
    devices: str | None = None,
    workers: tuple[str, ...] = (),
) -> Prepared:
    """Check a request and return what to run; raises UsageError, and changes no bundle, for what cannot be done.

    The arguments are those of ``data.locate``, ``agree_on_seeds``, ``cards_asked`` and ``choose_timed``.
    """
    cards = environment.cards_asked(devices)
    profile = find_profile(profile_name)
    experiments = load_experiments()
    trials = select(trials_of(experiments), only)
    timed = choose_timed(profile, trials, claims_of(experiments), timing)
    if workers:  # the pass measures this machine alone
        timed = tuple(trial for trial in timed if getattr(trial, "strategy", "") != "mirrored")
    if bundle is not None:  # before the data are looked for, which may take long
        _refuse_other_bundle(bundle, profile)
    source, study, may = load_source(), load_study(), profile.stand_in_allowed
    dataset = locate(data, source=source, allow_stand_in=may, warn=warn, notify=notify, download=download)
    parts = [profile.name, *([study.name] if study is not None else []), dataset.fingerprint[:8]]
    folder = bundle or BUNDLES / "-".join(parts)
    _refuse_other_bundle(folder, profile, dataset)
    record = describe_dataset(dataset, profile)
    check_batches(trials.values(), record.counts[0], len(workers))
    agreed = agree_on_seeds(folder, profile, experiments, seeds, hours)
    runs = plan_runs(trials.values(), profile, agreed.each, record.counts[0], agreed.ends, cards, len(workers))
    if len(runs) > MOST_RUNS:
        raise UsageError(
            f"{len(runs):,} runs: a bundle holds at most {MOST_RUNS:,}, since a report of more would take over 2 GB of "
            "memory; ask for fewer seeds or trials (--seeds, --only), or divide them among bundles"
        )
    found = profile, agreed.each, dataset, record, folder, runs, timed
    prepared = Prepared(*found, agreed.plan, agreed.ends, cards, workers)
    try:
        check_readable(plan_record(prepared))
    except (ValueError, OverflowError) as error:
        raise UsageError(f"the record of these experiments could not be read again: {error}") from error
    return prepared


def check_batches(trials: Iterable[AnyTrial], images: int, machines: int = 0) -> None:
    """Raise UsageError for a mirrored trial of which a batch leaves a device without images: convolutions fail."""
    devices = max(1, machines) * environment.graphics_cards() or machines or 2
    for trial in trials:
        if isinstance(trial, Trial) and trial.strategy == "mirrored":
            for size in (trial.batch_size, images % trial.batch_size or trial.batch_size):
                if -(-size // devices) * (devices - 1) >= size:
                    batches = f"{images:,} training images in batches of {trial.batch_size}"
                    lacking = f"a batch of {size}, too few for {devices} devices: choose another batch_size"
                    raise UsageError(f"trial {trial.id}: {batches} leave {lacking}")


def with_ends(prepared: Prepared, ends: Mapping[str, int]) -> Prepared:
    """Return the request with more seeds of some trials: those of the next look."""
    trials = trials_of(load_experiments())
    chosen = [trials[name] for name in dict.fromkeys(run.trial.id for run in prepared.runs)]
    images, ends = prepared.dataset_record.counts[0], {**prepared.ends, **ends}
    runs = plan_runs(chosen, prepared.profile, prepared.seeds, images, ends, prepared.cards, len(prepared.workers))
    return replace(prepared, runs=runs, ends=ends)


def plan_record(prepared: Prepared) -> BundleRecord:
    """Return what the bundle is to record of a request, before anything is trained; what it holds already stays."""
    folder, experiments = prepared.folder, load_experiments()
    record = BundleRecord(
        profile=prepared.profile,
        seeds=prepared.seeds,
        plan=prepared.plan,
        asked=dict(prepared.ends),
        dataset=prepared.dataset_record,
        experiments=experiments,
        original=load_original(),
        study=load_study(),
        claims_hash=registry_hash(claims_of(experiments)),
        environment=environment.record_environment(),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    if not is_bundle(folder):
        return record
    old = read_record(folder)
    return msgspec.structs.replace(
        record,
        created=old.created,
        seeds=max(old.seeds, record.seeds),
        asked=old.asked | record.asked,
        finished=old.finished,  # whoever has judged it once, has
        claims_changed=old.claims_changed or claims_changed(folder, old, experiments),
    )


def find_profile(name: str) -> Profile:
    """Return a profile by name; raises UsageError for an unknown one."""
    if name not in PROFILES:
        raise UsageError(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def describe_dataset(dataset: PreparedData, profile: Profile) -> DatasetRecord:
    """Return what the bundle records of the data."""
    return DatasetRecord(
        fingerprint=dataset.fingerprint,
        grade=dataset.grade,
        canonical_labels=dataset.canonical_labels,
        source=dataset.source,
        counts=part_sizes(dataset.about, profile.fraction, profile.counts),
        about=dataset.about,
    )


def plan_runs(
    trials: Iterable[AnyTrial],
    profile: Profile,
    seeds: int,
    training_images: int,
    ends: Mapping[str, int] | None = None,
    cards: int = 0,
    machines: int = 0,
) -> list[PlannedRun]:
    """Return all runs seed by seed, the longest first; some trials' seeds have other ``ends`` than ``seeds``.

    Mirrored runs need the machine for themselves: those of the first seed close it, those of the others close the
    suite, because cores stand idle whenever all workers have to end together.
    """
    runs = []
    for trial in map(profile.apply, trials):
        price = cost(trial, training_images)
        if trial.seeded:
            last = (ends or {}).get(trial.id, seeds)
            found = (PlannedRun(trial, seed, price, card=cards > 0) for seed in range(last))
            runs += [replace(run, machines=machines) if machines and run.mirrored else run for run in found]
        else:
            runs.append(PlannedRun(trial, None, price))

    def place(run: PlannedRun) -> tuple[bool, int, bool, float, str]:
        seed = run.seed or 0
        return run.mirrored and seed > 0, seed, run.mirrored, -run.cost, run.id

    return sorted(runs, key=place)


def shard_of(runs: Iterable[PlannedRun], number: int, count: int) -> list[PlannedRun]:
    """Return share ``number`` (1 … ``count``) of runs: the longest one left goes to the share with the least so far."""
    loads, chosen = [0.0] * count, []
    for run in sorted(runs, key=lambda run: (-run.cost, run.id)):
        share = loads.index(min(loads))
        loads[share] += run.cost
        if share == number - 1:
            chosen.append(run)
    return longest_first(chosen)


def longest_first(runs: Iterable[PlannedRun]) -> list[PlannedRun]:
    """Return runs over all seeds by their estimated cost, mirrored ones at the end; equal requests order equally."""
    return sorted(runs, key=lambda run: (run.mirrored, -run.cost, run.id))


def cost(trial: AnyTrial, training_images: int) -> float:
    """Estimate how long a run takes, in arbitrary units that are comparable between runs of one suite."""
    if isinstance(trial, ClassicalTrial):
        return CLASSICAL_COST * training_images
    epochs = sum(stage.epochs for stage in trial.stages)
    return epochs * training_images * ((trial.macs or UNKNOWN_MACS) + FIXED_COST_PER_IMAGE)


def _refuse_other_bundle(folder: Path, profile: Profile, dataset: PreparedData | None = None) -> None:
    """Raise UsageError for a folder that cannot become this bundle, or holds one of another profile or dataset."""
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if nearest.exists() and not nearest.is_dir():
        raise UsageError(f"{nearest} is a file, so {folder} cannot be the folder of a bundle")
    if not is_bundle(folder):
        # What a suite leaves that was killed before it had written its plan.
        begun = {LOCK_FILE, SOFT_LOCK_FILE, *(path.name for path in folder.glob(f".{RECORD_FILE}.*.part"))}
        if folder.is_dir() and not all(path.name in begun for path in folder.iterdir()):
            raise UsageError(f"{folder} is no results bundle and not empty: name a new folder or a bundle")
        return
    record = read_record(folder)
    if not record.profile.trains_like(profile):
        raise UsageError(
            f"{folder} was made with the profile {record.profile.name!r}, not {profile.name!r}"
            + (" as it is defined now" if record.profile.name == profile.name else "")
            + ": profiles never mix in one bundle; name another folder"
        )
    if dataset is not None and record.dataset.fingerprint != dataset.fingerprint:
        raise UsageError(
            f"{folder} was made from other data (fingerprint {record.dataset.fingerprint[:8]}, not "
            f"{dataset.fingerprint[:8]}): datasets never mix in one bundle; name another folder"
        )


def key_parts(run: PlannedRun, profile: Profile, dataset: DatasetRecord) -> dict[str, str]:
    """Return what goes into the run's key, by name; raises UsageError when a training library is not installed."""
    return {
        **recorded_parts(run.trial, run.seed, profile, dataset),
        "devices": _devices(run),
        "variables": f"TF_ENABLE_ONEDNN_OPTS={environment.WORKER_VARIABLES['TF_ENABLE_ONEDNN_OPTS']}",
        ENGINE: ENGINE_VERSION,
        **library_versions(networks=isinstance(run.trial, Trial)),
    }


def changed_parts(old: dict[str, str], new: dict[str, str]) -> list[str]:
    """Say what differs between two keys, one phrase a part."""
    names = sorted(old.keys() | new.keys())
    return [f"{name} changed" for name in names if old.get(name) != new.get(name)]


@cache
def library_versions(*, networks: bool) -> dict[str, str]:
    """Return the versions of the libraries that compute results; raises UsageError when one is not installed."""
    libraries = (*(("tensorflow", "keras") if networks else ()), "numpy", "scikit-learn")
    try:
        return {f"version of {name}": metadata.version(name) for name in libraries}
    except metadata.PackageNotFoundError as error:
        raise UsageError(
            f"{error.name} is not installed, so nothing can be trained: pip install 'cifar-report[train,report]'"
        ) from error


def plan_is_current(folder: Path) -> bool:
    """Whether a bundle records the experiments and the original's numbers as they are now: claims, texts and all."""
    record = read_record(folder)
    today = load_experiments(), load_original(), load_study()
    return (record.experiments, record.original, record.study) == today


def states_of(prepared: Prepared) -> list[RunState]:
    """Return the state of every planned run, in the order in which they run."""
    states, changed = [], changed_records(prepared.folder)
    for planned in prepared.runs:
        parts, reason = key_parts(planned, prepared.profile, prepared.dataset_record), "not run yet"
        try:
            if (run := read_run(prepared.folder, planned.id)) is not None:
                old = current_parts(run)
                # What several machines trained stays when the suite goes on without them.
                stays = planned.machines == 1 and MACHINES in old.get("devices", "")
                asked = parts | ({"devices": old["devices"]} if stays else {})
                reason = ", ".join(changed_parts(old, asked)) or ("" if run.done else "failed last time")
                reason = reason or (f"its record is not the one in {MANIFEST_FILE}" if run.id in changed else "")
        except SuiteError as error:
            reason = f"its record is damaged ({error})"
        states.append(RunState(planned, parts, reason or None))
    return states


def _devices(run: PlannedRun) -> str:
    if not run.mirrored:
        return environment.describe_cards("1 graphics card") if run.card else "1 replica, 1 thread"
    if run.machines > 1:
        own = environment.describe_cards() if environment.graphics_cards() else "1 processor thread"
        return f"{run.machines} {MACHINES}, {own} each"
    return environment.describe_cards() if environment.graphics_cards() else "2 logical processors, 1 thread each"
