"""Writing that either happened or did not: beside, flushed to the disk, then renamed."""

from __future__ import annotations

import ctypes
import hashlib
import os
import re
import secrets
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_SWAP = 2  # RENAME_EXCHANGE of Linux, RENAME_SWAP of macOS
_WORKING_FOLDER = -100  # AT_FDCWD of Linux: paths are meant as they stand
_MOVED_ASIDE = re.compile(r"\.([A-Za-z0-9].*)\.[0-9a-f]{8}\.old\.part")


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Put ``content`` under ``path``: whoever looks sees the old file or the new one, never a part."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        _write_flushed(beside, content)
        beside.replace(path)
    except BaseException:
        beside.unlink(missing_ok=True)
        raise
    _flush_folder(path.parent)


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Put a folder of ``files`` in place as a whole; one of that name that was there before is replaced."""
    make_folder(folder.parent)
    beside = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.part")
    try:
        beside.mkdir()
        for name, content in files.items():
            _write_flushed(beside / name, content)
        _flush_folder(beside)
        _put_in_place(beside, folder)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    _flush_folder(folder.parent)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it, each one's entry flushed to the disk; nothing happens where it is there."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _flush_folder(folder.parent)


def move_aside(path: Path) -> Path:
    """Take a file's name away until another file has it, or ``put_back`` gives it back, and return its hidden name."""
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.old.part")
    path.rename(aside)
    _flush_folder(path.parent)
    return aside


def put_back(aside: Path, path: Path) -> None:
    """Give a file that was moved aside its name again."""
    aside.rename(path)
    _flush_folder(path.parent)


def remove_leftovers(folder: Path) -> None:
    """Remove below ``folder`` what killed writers left behind; only the holder of the bundle may do so.

    A folder that was moved aside and not yet replaced goes back to its place.
    """
    for path in sorted(folder.rglob(".*.part")):
        if not os.path.lexists(path):  # it lay in a folder that has just gone
            continue
        aside = _MOVED_ASIDE.fullmatch(path.name)
        if aside is not None and not os.path.lexists(path.with_name(aside[1])):
            path.rename(path.with_name(aside[1]))
        else:
            remove(path)


def remove(path: Path) -> None:
    """Remove whatever has this name: a folder with all in it, a file, or a link, but not what the link points to."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _put_in_place(beside: Path, folder: Path) -> None:
    """Give a finished folder its name; systems that cannot swap two folders in one step move the old one aside."""
    if not os.path.lexists(folder):
        beside.rename(folder)
    elif _swap(beside, folder):
        _flush_folder(folder.parent)  # the old one goes only when the new one surely has its name
        remove(beside)
    else:
        old = folder.with_name(f".{folder.name}.{secrets.token_hex(4)}.old.part")
        folder.rename(old)
        try:
            beside.rename(folder)
        except BaseException:
            old.rename(folder)
            raise
        _flush_folder(folder.parent)
        remove(old)


def _swap(first: Path, second: Path) -> bool:
    """Exchange two names in one step, so that neither is ever missing; False where the system cannot."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None)
    one, other = os.fsencode(first), os.fsencode(second)
    if sys.platform == "darwin" and hasattr(library, "renamex_np"):
        return bool(library.renamex_np(one, other, _SWAP) == 0)
    if hasattr(library, "renameat2"):
        return bool(library.renameat2(_WORKING_FOLDER, one, _WORKING_FOLDER, other, _SWAP) == 0)
    return False


def _write_flushed(path: Path, content: bytes) -> None:
    with path.open("xb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Flush a folder's entries; systems that cannot open folders (Windows) do without."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
