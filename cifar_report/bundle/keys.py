"""A run's key, and the parts of it that follow from what the bundle itself records."""

from __future__ import annotations

import hashlib

import msgspec

from cifar_report.bundle.records import DatasetRecord
from cifar_report.spec import AnyTrial, Profile, spec_hash


def key_of(parts: dict[str, str]) -> str:
    """Return the SHA-256 of the key's parts in canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def recorded_parts(trial: AnyTrial, seed: int | None, profile: Profile, dataset: DatasetRecord) -> dict[str, str]:
    """Return the parts that say which run it is; the others say with which code, versions and devices it ran."""
    return {
        "spec": spec_hash(trial),
        "dataset": dataset.fingerprint,
        "split": f"{trial.split_seed}, {profile.fraction:g} of the images, counts {profile.counts or 'as they are'}",
        "seed": "none" if seed is None else str(seed),
    }
