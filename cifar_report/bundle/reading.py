"""Opens what lies in a bundle, whoever made it: plain files inside its folder, and never more than a bound."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

MOST_FOLDERS = 20_000  # entries of one folder of a bundle; the whole suite with a hundred seeds has 100

_NOT_PLAIN = "it is a link, a folder or a device, where a plain file must be"
# A link is not followed and a named pipe not waited for, also where one appears between the look and the opening.
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_plain(path: Path) -> BinaryIO:
    """Open a regular file for reading; raises OSError, and ValueError for a link, a pipe, a device or a folder."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError(_NOT_PLAIN)
    stream = os.fdopen(os.open(path, _FLAGS), "rb")
    try:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ValueError(_NOT_PLAIN)
    except BaseException:
        stream.close()
        raise
    return stream


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Read a regular file whole; raises OSError, and ValueError where it is none or holds more than a bound."""
    with open_plain(path) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes} bytes: this project writes no such file")
    return content


def inside(root: Path, name: str) -> Path:
    """Return the path of ``name`` (parts joined by ``/``) below ``root``; raises ValueError where a link leads there.

    The root itself may be a link: whoever names it means it. What does not exist is no error.
    """
    path = root
    for part in name.split("/"):
        if part in ("", ".", "..") or "\\" in part or "\0" in part:
            raise ValueError(f"{name!r} is no name of a file in a bundle")
        path = path / part
        if path.is_symlink():
            raise ValueError(f"{path} is a link: a bundle holds its files itself")
    return path


def folders_in(folder: Path) -> Iterator[Path]:
    """Yield the folders in a folder, sorted by name, hidden ones left out; raises ValueError for a link.

    A folder that does not exist has none.
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry for _, entry in zip(range(MOST_FOLDERS + 1), entries, strict=False)]
    except (FileNotFoundError, NotADirectoryError):
        return
    if len(found) > MOST_FOLDERS:
        raise ValueError(f"{folder} holds more than {MOST_FOLDERS} files")
    for entry in sorted(found, key=lambda each: each.name):
        if entry.name.startswith("."):
            continue
        if entry.is_symlink():
            raise ValueError(f"{entry.path} is a link: a bundle holds its files itself")
        if entry.is_dir(follow_symlinks=False):
            yield Path(entry.path)
