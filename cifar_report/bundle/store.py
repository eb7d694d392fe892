"""Single files of a bundle: atomic writing, and reading of plain files inside its folder up to a size."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Mapping
from io import BufferedReader
from pathlib import Path


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: flushed to the disk under a temporary name, then renamed."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace the files of a folder; the last of ``files`` is its commit: removed first, written last.

    Whoever finds that file finds all others. After an interruption it is missing.
    """
    if folder.is_symlink():
        folder.unlink()  # what it points to is not part of the bundle
    folder.mkdir(parents=True, exist_ok=True)
    (folder / list(files)[-1]).unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name not in files or path.is_symlink() or not path.is_file():
            remove(path)
    for name, content in files.items():
        write_file(folder / name, content)


def remove_leftovers(folder: Path) -> None:
    """Remove below ``folder`` what interrupted writers left; only the holder of the bundle's lock may do so."""
    for path in sorted(folder.rglob(".*.part")):
        remove(path)


def remove(path: Path) -> None:
    """Remove a folder with its content, a file, or a link without its target; nothing happens where there is none."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def open_plain(path: Path) -> BufferedReader:
    """Open a regular file for reading; raises OSError, and ValueError for a link, a pipe, a device or a folder."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("it is a link, a folder or a device, where a plain file must be")
    return path.open("rb")


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Read a regular file whole; raises OSError, and ValueError where it is none or larger than ``most_bytes``."""
    with open_plain(path) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes} bytes: this project writes no such file")
    return content


def inside(root: Path, name: str) -> Path:
    """Return the path of ``name`` (parts joined by ``/``) below ``root``; raises ValueError where a link leads there.

    The root itself may be a link. What does not exist is no error.
    """
    path = root
    for part in name.split("/"):
        if part in ("", ".", "..") or "\\" in part or "\0" in part:
            raise ValueError(f"{name!r} is no name of a file in a bundle")
        path = path / part
        if path.is_symlink():
            raise ValueError(f"{path} is a link: a bundle holds its files itself")
    return path
