"""Which files lie in a bundle, compared with its manifest, and the report of findings that all checks write to."""

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
from cifar_report.bundle.store import MANIFEST_FILE, open_plain, read_manifest
from cifar_report.errors import SuiteError

RUN_PARTS = "run.json|timing.json|log.txt|predictions.npz|compact.npz|weights.npz|kernels.npz"
CERTIFICATE_FILE = re.compile(f"{CERTIFICATES}/{CERTIFICATE_NAME.pattern}")
KNOWN = re.compile(
    rf"{RECORD_FILE}|ro-crate-metadata\.json|runs/[a-z0-9_.]+/(once|seed-\d+)/({RUN_PARTS})|timing/timing\.json"
    rf"|{CERTIFICATE_FILE.pattern}|tables/[a-z0-9_]+\.csv|figures/[A-Za-z0-9_.-]+\.(svg|csv|png)"
)
"""Everything that a suite writes into a bundle, beside the manifest, and a description that bundles had before."""
AT_WORK = re.compile(r"\.lock(\.soft)?|\.checkpoints|\..+\.part")  # what a suite has at work and leaves when killed


class Finding(NamedTuple):
    """One thing that is wrong: the file, as a path below the bundle, and what is wrong with it."""

    file: str
    problem: str

    def __str__(self) -> str:
        """Return the finding as one line."""
        return f"{self.file}: {self.problem}"


@dataclass
class Report:
    """All findings of one pass, what could not be checked and why (no finding), and how much was checked."""

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
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@dataclass
class Files:
    """The readable files of a bundle with their SHA-256, and what its manifest lists (None: it has none)."""

    folder: Path
    digests: dict[str, str]
    listed: dict[str, str] | None


def check_files(folder: Path, report: Report) -> Files:
    """Read every file of a bundle once and compare it with the manifest; no link is followed."""
    digests = {}
    for name in _names(folder):
        try:
            digests[name] = _digest(folder / name)
        except (OSError, ValueError) as error:
            report.find(name, f"cannot be read: {error}")
        if not KNOWN.fullmatch(name):
            report.find(name, "no bundle holds such a file")
    report.counts["files"] += len(digests)
    try:
        listed = read_manifest(folder)
    except SuiteError as error:
        report.find(MANIFEST_FILE, str(error).removeprefix(f"{folder / MANIFEST_FILE} "))
        return Files(folder, digests, None)
    _compare_with_manifest(digests, listed, report)
    return Files(folder, digests, listed)


def _compare_with_manifest(digests: dict[str, str], listed: dict[str, str], report: Report) -> None:
    """Find what is missing, added or changed; an interruption may leave a certificate unlisted, which is taken out."""
    for name in sorted(listed.keys() - digests.keys()):
        if not report.names(name):
            report.find(name, f"is missing, though {MANIFEST_FILE} lists it")
    for name in [name for name in digests if name not in listed and CERTIFICATE_FILE.fullmatch(name)]:
        report.notes.append(f"{name} is left out: it is not in {MANIFEST_FILE}, as when recording it was interrupted")
        del digests[name]
    for name, digest in digests.items():
        if name not in listed:
            report.find(name, f"is not in {MANIFEST_FILE}: it was added")
        elif listed[name] != digest:
            report.find(name, f"was changed: its SHA-256 is not the one in {MANIFEST_FILE}")


def _names(folder: Path) -> Iterator[str]:
    """Yield the path of everything but folders, the manifest, and what a suite at work has, in order."""
    for path in sorted(folder.rglob("*")):
        place = path.relative_to(folder)
        if place.as_posix() == MANIFEST_FILE or any(AT_WORK.fullmatch(part) for part in place.parts):
            continue
        if path.is_symlink() or not path.is_dir():
            yield place.as_posix()


def _digest(path: Path) -> str:
    with open_plain(path) as stream:
        if os.fstat(stream.fileno()).st_size > MOST_BYTES:
            raise ValueError(f"it is larger than {MOST_BYTES} bytes, which no file of a bundle is")
        return hashlib.file_digest(stream, "sha256").hexdigest()


def sound_files(folder: Path, besides: tuple[str, ...] = ()) -> dict[str, str]:
    """Return the SHA-256 of every file of a finished bundle by its path, the manifest left out.

    Files whose path begins as one of ``besides`` may be missing, added or changed.

    Raises UsageError where the folder is no bundle, SuiteError where it is unfinished, or names the first file that
    is missing, added, changed or no plain file, and how many more there are.
    """
    if read_record(folder).finished is None or not (folder / MANIFEST_FILE).exists():
        raise SuiteError(f"{folder} is unfinished: let its suite come to the end first (the same call goes on)")
    report = Report()
    files = check_files(folder, report)
    if found := [each for each in report.findings if not each.file.startswith(besides)]:
        rest = len(found) - 1
        more = f" (and {rest} more: cifar-report verify names them)" if rest else ""
        raise SuiteError(f"{folder} is damaged: {printable(str(found[0]))}{more}")
    return files.digests
