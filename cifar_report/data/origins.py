"""Recognise what a path holds: CIFAR-10's binary or Python version, as a folder or as an archive.

Reading comes later, if at all, and brings NumPy with it: what the cache knows is found without it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cifar_report.data.release import Release
from cifar_report.errors import UsageError

if TYPE_CHECKING:
    from cifar_report.data.batches import Material

BINARY_FOLDER = "cifar-10-batches-bin"
PYTHON_FOLDER = "cifar-10-batches-py"


@dataclass(frozen=True)
class Origin:
    """A place that data can be read from.

    Calling ``read`` reads and checks everything and raises UsageError.
    """

    source: str  # what kind of place it is, in words without a path
    location: str
    files: tuple[Path, ...]  # while these stay as they are, so does what they hold
    read: Callable[[], Material]


def recognise(path: Path, release: Release) -> Origin:
    """Find CIFAR-10 at a path that a person named.

    Raises UsageError where the path does not exist or holds nothing like CIFAR-10.

    - ``path`` is a folder with the batches, a folder that holds that folder or the archive, or an archive.
    - ``release`` is what is published about the dataset.
    """
    try:
        if path.is_dir():
            return _recognise_folder(path, release)
        if path.exists():
            return archive_origin(path, release)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Name another copy of CIFAR-10.") from error
    raise UsageError(f"{path} does not exist. Name a folder or an archive that holds CIFAR-10.")


def _recognise_folder(path: Path, release: Release) -> Origin:
    for folder in (path, path / BINARY_FOLDER):
        # A folder of that name is meant even if all is missing: the error then names the missing file.
        meant = folder.is_dir() and folder.name == BINARY_FOLDER
        if meant or any((folder / name).exists() for name in release.binary_names):
            return binary_folder_origin(folder, release)
    for folder in (path, path / PYTHON_FOLDER):
        if any((folder / name).exists() for name in release.python_names):
            return python_folder_origin(folder, release)
    if (path / release.archive.name).exists():
        return archive_origin(path / release.archive.name, release)
    raise UsageError(
        f"{path} holds no CIFAR-10: expected {release.binary_names[0]} and its five companions, "
        f"a folder {BINARY_FOLDER} or {PYTHON_FOLDER}, or {release.archive.name}. Name another folder."
    )


def binary_folder_origin(folder: Path, release: Release) -> Origin:
    """Describe an unpacked binary version; its pixels are known only if the cache knows their fingerprint."""
    source = "binary folder"

    def read() -> Material:
        from cifar_report.data.reading import read_binary_folder

        return read_binary_folder(folder, release, source)

    return Origin(source, str(folder), tuple(folder / name for name in release.binary_names), read)


def python_folder_origin(folder: Path, release: Release, source: str = "Python batches") -> Origin:
    """Describe an unpacked Python version, as Keras leaves it; reading it demands the published MD5s."""

    def read() -> Material:
        from cifar_report.data.reading import read_python_folder

        return read_python_folder(folder, release, source)

    return Origin(source, str(folder), tuple(folder / name for name in release.python_names), read)


def archive_origin(path: Path, release: Release, source: str | None = None) -> Origin:
    """Describe an archive of either version; which one it is shows when it is read."""

    def read() -> Material:
        from cifar_report.data.reading import read_archive

        return read_archive(path, release, source)

    return Origin(source or "archive", str(path), (path,), read)


def stand_in_origin(release: Release) -> Origin:
    """Describe the stand-in; its file is the program that draws it, so that a changed one draws anew."""
    source = "synthetic stand-in"

    def read() -> Material:
        from cifar_report.data.stand_in import draw

        return draw(release, source)

    return Origin(source, source, (Path(__file__).with_name("stand_in.py"),), read)
