"""A run's key, and the parts of it that follow from what the bundle itself records."""

from __future__ import annotations

import hashlib

import msgspec

from cifar_report.bundle.records import SCHEMA_VERSION, DatasetRecord, Run
from cifar_report.spec import AnyTrial, Profile, spec_hash

ENGINE = "engine"
ENGINE_VERSION = "1"
"""Version of everything that computes a run's result: ``cifar_report/training`` and ``cifar_report.data.split``.

Raise it with every change after which the weights, histories, scores or predictions of a run may differ in a single
bit; the test that trains one tiny run of each kind against recorded hashes (``tests/test_golden.py``) fails when it
must rise. Runs of another version are outdated and run again; comments, names and structure are no reason to.
"""
SOURCE_HASHES = {
    "34903fe42270ab2fed91415db0e85e2e55828e683e827268aa4e2b91f3d4437a": "1",  # networks
    "cb92f4df2530ad1f3376acf564b748a8792bcacd7732d89bf9fa8ed23669d7d5": "1",  # scikit-learn's classifiers
}
"""Engine versions of runs from before they were numbered, which hold a hash over the source that trained them."""


def key_of(parts: dict[str, str]) -> str:
    """Return the SHA-256 of the key's parts in canonical JSON."""
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


def recorded_parts(
    trial: AnyTrial, seed: int | None, profile: Profile, dataset: DatasetRecord, version: int = SCHEMA_VERSION
) -> dict[str, str]:
    """Return the parts that say which run it is, as a record of that schema version holds them.

    The others say with which engine, versions and devices it ran.
    """
    return {
        "spec": spec_hash(trial, version),
        "dataset": dataset.fingerprint,
        "split": f"{trial.split_seed}, {profile.fraction:g} of the images, counts {profile.counts or 'as they are'}",
        "seed": "none" if seed is None else str(seed),
    }


def current_parts(run: Run) -> dict[str, str]:
    """Return a stored run's key parts as they are written today: the hash of its trial, its engine's version."""
    parts = with_engine(run.key_parts)
    return parts | {"spec": spec_hash(run.trial)} if "spec" in parts else parts


def with_engine(parts: dict[str, str]) -> dict[str, str]:
    """Return key parts with the engine's version in place of a hash, or several, over its source.

    A hash that is none of ``SOURCE_HASHES`` stands for itself: it equals no version.
    """
    if "training code" not in parts:
        return dict(parts)
    versions = {SOURCE_HASHES.get(code, code) for code in parts["training code"].split(", ")}
    others = {name: value for name, value in parts.items() if name != "training code"}
    return {**others, ENGINE: ", ".join(sorted(versions))}
