"""The bundle's description for other programs: a Process Run Crate 0.5 on RO-Crate 1.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cifar_report.bundle.manifest import bundle_files
from cifar_report.bundle.records import BundleRecord
from cifar_report.bundle.store import write_file

CRATE_FILE = "ro-crate-metadata.json"
PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE = "https://spdx.org/licenses/MIT"
SOFTWARE = "#cifar-report"
MEDIA_TYPES = {
    ".json": "application/json",
    ".npz": "application/zip",
    ".csv": "text/csv",
    ".svg": "image/svg+xml",
    ".txt": "text/plain",
}

Entity = dict[str, Any]


def write_crate(folder: Path, record: BundleRecord) -> None:
    """Write ``ro-crate-metadata.json``: which program made which files from which data, and when."""
    paths = [path.relative_to(folder).as_posix() for path in bundle_files(folder) if path.name != CRATE_FILE]
    write_file(folder / CRATE_FILE, crate_content(paths, record))


def crate_content(paths: list[str], record: BundleRecord) -> bytes:
    """Return the description of a bundle that holds the files ``paths``; the same bytes for the same arguments."""
    graph = [_descriptor(), _root(record, paths), _profile(), _licence(), _software(record), _data(record)]
    graph += [_action(record, paths), *(_file(path) for path in paths)]
    document = {"@context": "https://w3id.org/ro/crate/1.1/context", "@graph": graph}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _reference(identifier: str) -> Entity:
    return {"@id": identifier}


def _descriptor() -> Entity:
    return {
        "@id": CRATE_FILE,
        "@type": "CreativeWork",
        "about": _reference("./"),
        "conformsTo": _reference("https://w3id.org/ro/crate/1.1"),
    }


def _root(record: BundleRecord, paths: list[str]) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"CIFAR-10 trials, profile {record.profile.name}",
        "description": f"Results of the fixed-seed suite with {record.seeds} seeds on data of the grade "
        f"{record.dataset.grade} (fingerprint {record.dataset.fingerprint}).",
        "datePublished": record.finished or record.created,
        "license": _reference(LICENCE),
        "conformsTo": _reference(PROFILE),
        "hasPart": [_reference(path) for path in paths],
        "mentions": [_reference("#suite")],
    }


def _profile() -> Entity:
    return {"@id": PROFILE, "@type": "CreativeWork", "name": "Process Run Crate", "version": "0.5"}


def _licence() -> Entity:
    return {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"}


def _software(record: BundleRecord) -> Entity:
    return {
        "@id": SOFTWARE,
        "@type": "SoftwareApplication",
        "name": "cifar-report",
        "version": record.environment.project_version,
        "softwareRequirements": [f"{name} {version}" for name, version in sorted(record.environment.packages.items())],
    }


def _data(record: BundleRecord) -> Entity:
    return {
        "@id": f"#dataset-{record.dataset.fingerprint}",
        "@type": "CreativeWork",
        "name": f"CIFAR-10 ({record.dataset.grade}; {record.dataset.source})",
        "identifier": record.dataset.fingerprint,
    }


def _action(record: BundleRecord, paths: list[str]) -> Entity:
    return {
        "@id": "#suite",
        "@type": "CreateAction",
        "name": "Training and evaluation of the suite",
        "description": "Every planned trial under every seed, each in a process of one thread.",
        "instrument": _reference(SOFTWARE),
        "object": [_reference(f"#dataset-{record.dataset.fingerprint}")],
        "result": [_reference(path) for path in paths],
        "startTime": record.created,
        **({"endTime": record.finished} if record.finished else {}),
    }


def _file(path: str) -> Entity:
    return {
        "@id": path,
        "@type": "File",
        "name": path,
        "encodingFormat": MEDIA_TYPES.get(Path(path).suffix, "application/octet-stream"),
    }
