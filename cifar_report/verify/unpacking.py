"""Reads an archive of a bundle, whoever made it: every name and size is checked before a single byte is written.

Only what ``export_bundle`` writes is taken: a header that is not exactly the one of its name and size is refused, and
with it links, devices, folders, sparse files and every extension of the format.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cifar_report.bundle import read_record
from cifar_report.bundle.arrays import MOST_BYTES
from cifar_report.bundle.manifest import MANIFEST_FILE, MOST_MANIFEST_BYTES, parse_manifest
from cifar_report.bundle.reading import open_plain
from cifar_report.errors import SuiteError, UsageError
from cifar_report.verify.archive import BLOCK, ROOT, archive_order, copy, end_of_archive, filling, header
from cifar_report.verify.archive import name_problem as problem_of

MOST_ARCHIVE_BYTES = 16 * 2**30  # the whole suite with ten seeds and all weights has about 2
MOST_FILES = 200_000

_MAGIC = b"ustar\x0000"
_SIZE = re.compile(rb"[0-7]{11}\0")
_KINDS = {b"1": "a link", b"2": "a link", b"3": "a device", b"4": "a device", b"5": "a folder", b"6": "a pipe"}


class Member(NamedTuple):
    """One file of an archive: its name in the bundle, its size, and where its content begins, bytes."""

    name: str
    size: int
    offset: int


@dataclass(frozen=True)
class Contents:
    """What an archive holds: its files in their order, and the SHA-256 of each but the manifest."""

    members: tuple[Member, ...]
    digests: dict[str, str]


def import_bundle(file: Path, folder: Path) -> int:
    """Unpack an archive as a new bundle and return the number of its files.

    The folder must not exist or be empty. The files are written beside it and get its name when all of them are what
    the manifest says. Raises UsageError where file or folder cannot be meant, SuiteError for whatever is wrong with
    the archive, in one sentence; nothing is left behind then.
    """
    _refuse_target(folder)
    if not file.exists():
        raise UsageError(f"{file} does not exist: name an archive that 'cifar-report bundle export' wrote")
    try:
        with open_plain(file.resolve()) as stream:
            contents = _read_contents(stream)
            _unpack(stream, contents, folder)
    except ValueError as error:
        raise SuiteError(f"{file} is not taken: {error}") from error
    return len(contents.members)


def _refuse_target(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder} is there already and no empty folder: name a new one")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"{folder.absolute().parent} is no folder, so {folder.name} cannot be made there")


def _read_contents(stream: BinaryIO) -> Contents:
    """Return what an archive holds without writing anything; raises ValueError for what no export has written."""
    members = _read_members(stream)
    _check_collisions([member.name for member in members])
    if not members or members[0].name != MANIFEST_FILE:
        raise ValueError(f"its first file is not {MANIFEST_FILE}")
    if members[0].size > MOST_MANIFEST_BYTES:
        raise ValueError(f"its {MANIFEST_FILE} is larger than {MOST_MANIFEST_BYTES} bytes")
    stream.seek(members[0].offset)
    try:
        digests = parse_manifest(stream.read(members[0].size))
    except ValueError as error:
        raise ValueError(f"its {MANIFEST_FILE} is none: {error}") from error
    names = [member.name for member in members]
    for name in sorted(digests.keys() ^ set(names[1:])):
        what = "is missing" if name in digests else f"is not in its {MANIFEST_FILE}"
        raise ValueError(f"{_shown(name)} {what}")
    if names != archive_order(digests):
        raise ValueError("its files are not in the order in which a bundle is exported")
    return Contents(tuple(members), digests)


def _read_members(stream: BinaryIO) -> list[Member]:
    length = os.fstat(stream.fileno()).st_size
    if length > MOST_ARCHIVE_BYTES:
        raise ValueError(f"it has {length} bytes, where at most {MOST_ARCHIVE_BYTES} are read")
    members: list[Member] = []
    while (block := stream.read(BLOCK)) != bytes(BLOCK):
        if len(members) == MOST_FILES:
            raise ValueError(f"it holds more than {MOST_FILES} files")
        name, size = _read_header(block)
        offset = stream.tell()
        if offset + size + filling(size) > length:
            raise ValueError(f"{name} declares {size} bytes, but only {length - offset} follow")
        stream.seek(offset + size)
        if stream.read(filling(size)).strip(b"\0"):
            raise ValueError(f"something is hidden behind {name}")
        members.append(Member(name, size, offset))
    end = end_of_archive(stream.tell() - BLOCK)
    if block + stream.read(len(end)) != end:
        raise ValueError("it does not end as an archive does")
    return members


def _read_header(block: bytes) -> tuple[str, int]:
    """Return the name and the size that a header declares; raises ValueError unless it is the one of just those."""
    if len(block) < BLOCK or block[257:265] != _MAGIC:
        raise ValueError(
            "it is cut short, or no archive that 'cifar-report bundle export' wrote (unpack a compressed one first)"
        )
    stored = block[345:500].rstrip(b"\0") + b"/" * bool(block[345]) + block[:100].rstrip(b"\0")
    name = stored.decode("ascii", "backslashreplace")
    if block[156:157] != b"0":
        what = _KINDS.get(block[156:157], "an extension of the format")
        raise ValueError(f"{_shown(name)} is {what}, and a bundle consists of plain files")
    inside = name.removeprefix(ROOT)
    if inside == name:
        raise ValueError(f"{_shown(name)} does not lie in the folder {ROOT}")
    if problem := problem_of(inside):
        raise ValueError(f"{_shown(name)} {problem}")
    if not _SIZE.fullmatch(block[124:136]):
        raise ValueError(f"{_shown(name)} declares no size")
    size = int(block[124:135], 8)
    if size > MOST_BYTES:
        raise ValueError(f"{_shown(name)} declares {size} bytes, where a file has at most {MOST_BYTES}")
    if header(inside, size) != block:
        raise ValueError(f"{_shown(name)} has another date, owner, mode or checksum than an exported file")
    return inside, size


def _check_collisions(names: list[str]) -> None:
    """Raise ValueError where two names would meet on a system that does not tell upper from lower case."""
    seen: dict[str, tuple[str, str]] = {}
    for name in names:
        parts = name.split("/")
        for depth in range(1, len(parts)):
            folder = "/".join(parts[:depth])
            if seen.setdefault(folder.casefold(), (folder, "folder")) != (folder, "folder"):
                raise ValueError(f"{_shown(folder)} is a folder and a file, or spelled in two ways")
        if name.casefold() in seen:
            raise ValueError(f"{_shown(name)} is there twice, or beside a name that differs in case alone")
        seen[name.casefold()] = (name, "file")


def _unpack(stream: BinaryIO, contents: Contents, folder: Path) -> None:
    """Write the files beside the folder, hold them to the manifest, and give them its name as a whole."""
    beside = folder.absolute().with_name(f".{folder.absolute().name}.{secrets.token_hex(4)}.part")
    try:
        for member in contents.members:
            _write(stream, member, beside / member.name, contents.digests.get(member.name))
        _check_record(beside)
        if folder.exists():
            folder.rmdir()  # it is empty, and not every system renames over a folder
        beside.rename(folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise


def _write(stream: BinaryIO, member: Member, path: Path, digest: str | None) -> None:
    stream.seek(member.offset)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as target:
        copied, found = copy(stream, target, member.size)
        target.flush()
        os.fsync(target.fileno())
    if copied != member.size or digest not in (None, found):
        raise ValueError(f"{member.name} was changed: its SHA-256 is not the one in {MANIFEST_FILE}")


def _check_record(beside: Path) -> None:
    try:
        record = read_record(beside)
    except (SuiteError, UsageError) as error:
        raise ValueError(str(error).replace(str(beside), "what it holds")) from error
    if record.finished is None:
        raise ValueError("the bundle in it is unfinished")


def _shown(name: str) -> str:
    """Return a stranger's name in a form that a terminal prints and does not obey."""
    return ascii(name[:200])
