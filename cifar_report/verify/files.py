"""Which files lie in a bundle, held to its manifest: nothing missing, added, swapped, linked or hidden."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cifar_report.bundle.arrays import MOST_BYTES
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.certificates import CERTIFICATE_NAME, CERTIFICATES
from cifar_report.bundle.manifest import CRATE_FILE, MANIFEST_FILE, MOST_MANIFEST_BYTES, parse_manifest
from cifar_report.bundle.store import open_plain, read_plain
from cifar_report.verify.findings import Report

MOST_ENTRIES = 200_000  # files and folders; the whole suite with a hundred seeds has about 40,000
CHUNK = 2**20  # bytes
MOST_DEPTH = 8  # folders in each other
RUN_PARTS = "run.json|timing.json|log.txt|predictions.npz|weights.npz|kernels.npz"
KNOWN = re.compile(
    rf"{RECORD_FILE}|{CRATE_FILE}|runs/[a-z0-9_.]+/(once|seed-\d+)/({RUN_PARTS})|timing/timing\.json"
    rf"|{CERTIFICATES}/{CERTIFICATE_NAME.pattern}|tables/[a-z0-9_]+\.csv|figures/[A-Za-z0-9_.-]+\.(svg|csv|png)"
)
"""Everything that a suite writes into a bundle, beside the manifest."""

LOCK = ".lock"
CHECKPOINTS = ".checkpoints"
LEFT_BEHIND = re.compile(r"\..+\.[0-9a-f]{8}(\.old)?\.part")  # what a writer has at work and a killed one leaves behind


@dataclass
class Files:
    """The plain files of a bundle with their SHA-256, and what its manifest lists (None: it has none)."""

    folder: Path
    digests: dict[str, str] = field(default_factory=dict)
    listed: dict[str, str] | None = None

    def __contains__(self, name: object) -> bool:
        """Whether a plain file of this name is there and not too large to be read."""
        return name in self.digests


def check_files(folder: Path, report: Report) -> Files:
    """Read every file of a bundle once and hold it to the manifest; no link is followed."""
    files = Files(folder)
    for name in _plain_files(folder, report):
        digest = _digest(folder / name, name, report)
        if digest is not None:
            files.digests[name] = digest
    files.listed = _read_manifest(folder, report)
    if files.listed is not None:
        _hold_to_manifest(files, files.listed, report)
    for name in files.digests:
        if not KNOWN.fullmatch(name):
            report.find(name, "no bundle holds such a file")
    report.counts["files"] += len(files.digests)
    return files


def _plain_files(folder: Path, report: Report) -> Iterator[str]:
    """Yield the names of all plain files in order, the manifest left out; name whatever else lies there."""
    waiting, seen = [""], 0
    while waiting:
        inside = waiting.pop()
        for name, entry in _entries(folder, inside, report):
            seen += 1
            if seen > MOST_ENTRIES:
                report.find(inside or ".", f"more than {MOST_ENTRIES} files: the rest was not looked at")
                return
            if entry.is_symlink():
                report.find(name, "is a link: a bundle holds its files itself")
            elif entry.name.startswith("."):
                _judge_hidden(name, entry, report)
            elif entry.is_dir(follow_symlinks=False):
                waiting.append(f"{name}/")
            elif not entry.is_file(follow_symlinks=False):
                report.find(name, "is a device, a pipe or a socket, where a plain file must be")
            elif name != MANIFEST_FILE:
                yield name


def _entries(folder: Path, inside: str, report: Report) -> list[tuple[str, os.DirEntry[str]]]:
    if inside.count("/") > MOST_DEPTH:
        report.find(inside, f"more than {MOST_DEPTH} folders in each other: the inner ones were not looked at")
        return []
    try:
        with os.scandir(folder / inside) as entries:
            found = [entry for _, entry in zip(range(MOST_ENTRIES + 1), entries, strict=False)]
    except OSError as error:
        report.find(inside or ".", f"cannot be read: {error.strerror or error}")
        return []
    return [(f"{inside}{entry.name}", entry) for entry in sorted(found, key=lambda each: each.name)]


def _judge_hidden(name: str, entry: os.DirEntry[str], report: Report) -> None:
    """Tell what a suite leaves while it works from what somebody else has hidden; none of it belongs to the bundle."""
    plain = entry.is_file(follow_symlinks=False)
    if name == LOCK and plain:
        return
    if name == CHECKPOINTS and not plain:
        if any(Path(entry.path).iterdir()):
            report.note(f"{name} holds checkpoints of runs that are not finished; they are not part of the bundle")
    elif LEFT_BEHIND.fullmatch(entry.name):
        report.note(f"{name} belongs to a suite at work or was left behind by a killed one; the next one removes it")
    else:
        report.find(name, "is hidden, and no file of this project")


def _digest(path: Path, name: str, report: Report) -> str | None:
    try:
        with open_plain(path) as stream:
            if os.fstat(stream.fileno()).st_size > MOST_BYTES:
                report.find(name, f"is larger than {MOST_BYTES} bytes, which no file of a bundle is")
                return None
            total = hashlib.sha256()
            while chunk := stream.read(CHUNK):
                total.update(chunk)
            return total.hexdigest()
    except (OSError, ValueError) as error:
        report.find(name, f"cannot be read: {error}")
        return None


def _read_manifest(folder: Path, report: Report) -> dict[str, str] | None:
    path = folder / MANIFEST_FILE
    if path.is_symlink():
        return None  # named already
    if not path.exists():
        report.find(MANIFEST_FILE, "is missing: the bundle is unfinished, so nothing shows which files belong to it")
        return None
    try:
        content = read_plain(path, MOST_MANIFEST_BYTES)
    except (OSError, ValueError) as error:
        report.find(MANIFEST_FILE, f"cannot be read: {error}")
        return None
    listed: dict[str, str] = {}
    for number, line in enumerate(content.splitlines(keepends=True), 1):
        try:
            entry = parse_manifest(line)
        except ValueError:
            entry = {}
        if len(entry) != 1 or entry.keys() & listed.keys():
            report.find(MANIFEST_FILE, f"line {number} is {'there twice' if entry else 'no SHA-256 with a path'}")
        listed |= entry
    return listed


def _hold_to_manifest(files: Files, listed: dict[str, str], report: Report) -> None:
    owners = {digest: name for name, digest in listed.items()}
    named = {finding.file for finding in report.findings}
    for name in sorted(listed.keys() - files.digests.keys() - named):
        report.find(name, f"is missing, though {MANIFEST_FILE} lists it")
    for name, digest in files.digests.items():
        if name not in listed:
            report.find(name, f"is not in {MANIFEST_FILE}: it was added")
        elif listed[name] != digest:
            owner = owners.get(digest)
            what = f"holds what belongs into {owner}" if owner else "was changed"
            report.find(name, f"{what}: its SHA-256 is not the one in {MANIFEST_FILE}")
