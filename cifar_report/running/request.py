"""What is asked of the suite, checked as a whole before anything is written or trained."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cifar_report.bundle import BundleRecord, DatasetRecord, is_bundle, read_record
from cifar_report.bundle.bundle import BUNDLES, RECORD_FILE
from cifar_report.data import Dataset, locate
from cifar_report.errors import UsageError
from cifar_report.registry import claims_of, load_experiments, select, trials_of
from cifar_report.running.lock import LOCK_FILE
from cifar_report.running.plan import PlannedRun, plan_runs
from cifar_report.running.timed import choose_timed
from cifar_report.spec import PROFILES, AnyTrial, Profile

# What a suite leaves that was killed before it had written its plan.
BEGUN = re.compile(rf"{re.escape(LOCK_FILE)}|\.{re.escape(RECORD_FILE)}\.[0-9a-f]{{8}}\.part")
TRAIN_IMAGES, VALIDATION_IMAGES, TEST_IMAGES = 40_000, 10_000, 10_000


@dataclass(frozen=True)
class Prepared:
    """A request that can be carried out: data found, bundle fitting, runs planned."""

    profile: Profile
    seeds: int
    dataset: Dataset
    dataset_record: DatasetRecord
    folder: Path
    runs: list[PlannedRun]
    timed: tuple[AnyTrial, ...] = ()  # which of the trials are timed, alone on the machine; none without a pass


def find_profile(name: str) -> Profile:
    """Return a profile by name; raises UsageError for an unknown one."""
    if name not in PROFILES:
        raise UsageError(f"there is no profile {name!r}; there are {', '.join(PROFILES)}")
    return PROFILES[name]


def prepare(
    profile_name: str,
    *,
    seeds: int | None,
    only: Sequence[str],
    data: str | None,
    bundle: Path | None,
    warn: Callable[[str], None],
    notify: Callable[[str], None] = lambda _: None,
    download: bool = True,
    timing: bool | None = None,
) -> Prepared:
    """Check a request and return what to run; raises UsageError, and changes no bundle, for what cannot be done.

    ``warn``, ``notify`` and ``download`` are those of ``cifar_report.data.locate``; ``timing`` says whether the trials
    are timed (None: as the profile has it).
    """
    profile = find_profile(profile_name)
    if seeds is not None and seeds < 1:
        raise UsageError(f"--seeds {seeds}: at least one seed is needed")
    experiments = load_experiments()
    trials = select(trials_of(experiments), only)
    timed = choose_timed(profile, trials, claims_of(experiments), timing)
    if bundle is not None:
        _refuse_other_folder(bundle)
        if is_bundle(bundle):
            _refuse_other_profile(bundle, read_record(bundle), profile)
    dataset = locate(data, allow_stand_in=profile.stand_in_allowed, warn=warn, notify=notify, download=download)
    record = describe_dataset(dataset, profile)
    folder = bundle or BUNDLES / f"{profile.name}-{dataset.fingerprint[:8]}"
    _refuse_other_folder(folder)
    if is_bundle(folder):
        _refuse_other_profile(folder, read_record(folder), profile)
        _refuse_other_data(folder, read_record(folder), record)
    seeds = seeds or profile.seeds
    runs = plan_runs(trials.values(), profile, seeds, record.counts[0])
    return Prepared(profile, seeds, dataset, record, folder, runs, timed)


def describe_dataset(dataset: Dataset, profile: Profile) -> DatasetRecord:
    """Return what the bundle records of the data."""
    whole = (TRAIN_IMAGES, VALIDATION_IMAGES, TEST_IMAGES)
    counts = profile.counts or tuple(round(count * profile.fraction) for count in whole)
    return DatasetRecord(
        fingerprint=dataset.fingerprint,
        grade=dataset.grade,
        canonical_labels=dataset.canonical_labels,
        source=dataset.source,
        counts=(counts[0], counts[1], counts[2]),
    )


def _refuse_other_folder(folder: Path) -> None:
    nearest = next((place for place in (folder, *folder.parents) if place.exists()), folder)
    if nearest.exists() and not nearest.is_dir():
        raise UsageError(f"{nearest} is a file, so {folder} cannot be the folder of a bundle")
    if folder.is_dir() and not is_bundle(folder) and not all(BEGUN.fullmatch(path.name) for path in folder.iterdir()):
        raise UsageError(f"{folder} is no results bundle and not empty: name a new folder or a bundle")


def _refuse_other_profile(folder: Path, record: BundleRecord, profile: Profile) -> None:
    if not record.profile.trains_like(profile):
        raise UsageError(
            f"{folder} was made with the profile {record.profile.name!r}, not {profile.name!r}"
            + (" as it is defined now" if record.profile.name == profile.name else "")
            + ": profiles never mix in one bundle; name another folder"
        )


def _refuse_other_data(folder: Path, record: BundleRecord, dataset: DatasetRecord) -> None:
    if record.dataset.fingerprint != dataset.fingerprint:
        raise UsageError(
            f"{folder} was made from other data (fingerprint {record.dataset.fingerprint[:8]}, not "
            f"{dataset.fingerprint[:8]}): datasets never mix in one bundle; name another folder"
        )
