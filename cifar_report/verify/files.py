"""Which files lie in a bundle, compared with its manifest, and the report of findings that all checks write to."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from cifar_report.bundle import read_record
from cifar_report.bundle.arrays import MOST_BYTES
from cifar_report.bundle.bundle import RECORD_FILE
from cifar_report.bundle.certificates import CERTIFICATE_NAME, CERTIFICATES
from cifar_report.bundle.manifest import CRATE_FILE, MANIFEST_FILE, read_manifest
from cifar_report.bundle.store import open_plain
from cifar_report.errors import SuiteError

RUN_PARTS = "run.json|timing.json|log.txt|predictions.npz|weights.npz|kernels.npz"
KNOWN = re.compile(
    rf"{RECORD_FILE}|{CRATE_FILE}|runs/[a-z0-9_.]+/(once|seed-\d+)/({RUN_PARTS})|timing/timing\.json"
    rf"|{CERTIFICATES}/{CERTIFICATE_NAME.pattern}|tables/[a-z0-9_]+\.csv|figures/[A-Za-z0-9_.-]+\.(svg|csv|png)"
)
"""Everything that a suite writes into a bundle, beside the manifest."""
LOCK, CHECKPOINTS = ".lock", ".checkpoints"
LEFT_BEHIND = re.compile(r"\..+\.[0-9a-f]{8}(\.old)?\.part")  # what an interrupted writer leaves


class Finding(NamedTuple):
    """One thing that is wrong: the file, as a path below the bundle, and what is wrong with it."""

    file: str
    problem: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.file}: {self.problem}"


@dataclass
class Report:
    """All findings of one pass, what could not be checked and why, and how much was checked.

    ``notes`` are no findings: something was left out on purpose, or cannot be judged on this machine.
    """

    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def find(self, file: str, *problems: str) -> None:
        """Add findings about one file."""
        self.findings += [Finding(file, problem) for problem in problems]

    def names(self, file: str) -> bool:
        """Whether something is wrong with a file."""
        return any(finding.file == file for finding in self.findings)


def printable(text: str) -> str:
    """Return ``text`` with every character that a terminal might obey escaped."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "backslashreplace").decode("ascii")
        for each in text
    )


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
    """Read every file of a bundle once and compare it with the manifest; no link is followed."""
    files = Files(folder)
    for name in _plain_files(folder, report):
        try:
            files.digests[name] = _digest(folder / name)
        except (OSError, ValueError) as error:
            report.find(name, f"cannot be read: {error}")
        if not KNOWN.fullmatch(name):
            report.find(name, "no bundle holds such a file")
    report.counts["files"] += len(files.digests)
    try:
        files.listed = read_manifest(folder)
    except SuiteError as error:
        problem = "is missing: the bundle is unfinished, so nothing shows which files belong to it"
        if (folder / MANIFEST_FILE).exists():
            problem = str(error).removeprefix(f"{folder / MANIFEST_FILE} ")
        report.find(MANIFEST_FILE, problem)
    else:
        _compare(files.digests, files.listed, report)
    return files


def _plain_files(folder: Path, report: Report) -> Iterator[str]:
    """Yield the names of all plain files in order, the manifest left out; report whatever else lies there."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        name = place.as_posix()
        if any(part.startswith(".") for part in place.parent.parts):
            continue  # its folder was judged
        if path.is_symlink():
            report.find(name, "is a link: a bundle holds its files itself")
        elif path.name.startswith("."):
            _judge_hidden(path, name, report)
        elif path.is_file() and name != MANIFEST_FILE:
            yield name
        elif not (path.is_dir() or path.is_file()):
            report.find(name, "is a device, a pipe or a socket, where a plain file must be")


def _judge_hidden(path: Path, name: str, report: Report) -> None:
    """Tell what a suite leaves while it works from other hidden files; none of it belongs to the bundle."""
    if name == CHECKPOINTS and path.is_dir():
        report.notes.append(f"{name} holds checkpoints of runs that are not finished; they are not part of the bundle")
    elif LEFT_BEHIND.fullmatch(path.name):
        report.notes.append(f"{name} belongs to a suite at work or was left behind by one; the next one removes it")
    elif name != LOCK:
        report.find(name, "is hidden, and no file of this project")


def _digest(path: Path) -> str:
    with open_plain(path) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes, which no file of a bundle is")
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _compare(digests: dict[str, str], listed: dict[str, str], report: Report) -> None:
    owners = {digest: name for name, digest in listed.items()}
    for name in sorted(listed.keys() - digests.keys()):
        if not report.names(name):
            report.find(name, f"is missing, though {MANIFEST_FILE} lists it")
    for name, digest in digests.items():
        if name not in listed:
            report.find(name, f"is not in {MANIFEST_FILE}: it was added")
        elif listed[name] != digest:
            what = f"holds what belongs into {owners[digest]}" if digest in owners else "was changed"
            report.find(name, f"{what}: its SHA-256 is not the one in {MANIFEST_FILE}")


def sound_files(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file of a finished bundle by its path, the manifest left out.

    Raises UsageError where the folder is no bundle, SuiteError where it is unfinished, or names the first file that
    is missing, added, changed or no plain file, and how many more there are.
    """
    if read_record(folder).finished is None or not (folder / MANIFEST_FILE).exists():
        raise SuiteError(f"{folder} is unfinished: let its suite come to the end first (the same call goes on)")
    report = Report()
    files = check_files(folder, report)
    if report.findings:
        rest = len(report.findings) - 1
        more = f" (and {rest} more: cifar-report verify names them)" if rest else ""
        raise SuiteError(f"{folder} is damaged: {printable(str(report.findings[0]))}{more}")
    return files.digests
