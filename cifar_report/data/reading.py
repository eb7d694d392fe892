"""Read and check every image of a source: a folder or an archive, of the binary or the Python version."""

from __future__ import annotations

import itertools
from pathlib import Path

from cifar_report.data.archive import archive_batches
from cifar_report.data.batches import BatchFormat, Material, assemble, binary_format, folder_batches
from cifar_report.data.dataset import Grade
from cifar_report.data.files import is_published
from cifar_report.data.python_batches import python_format
from cifar_report.data.release import Release
from cifar_report.errors import UsageError


def read_binary_folder(folder: Path, release: Release, source: str) -> Material:
    """Read an unpacked binary version, whose pixels nothing vouches for; raises UsageError."""
    batch_format = binary_format(release)
    batches = assemble(folder_batches(folder, batch_format), batch_format, release, folder)
    return Material(*batches, "unverified", source)


def read_python_folder(folder: Path, release: Release, source: str) -> Material:
    """Read an unpacked Python version, each batch with its published MD5; raises UsageError."""
    batch_format = python_format(release)
    batches = assemble(folder_batches(folder, batch_format), batch_format, release, folder)
    return Material(*batches, "canonical", source)


def read_archive(path: Path, release: Release, source: str | None) -> Material:
    """Read an archive of either version, named as what it turns out to be; raises UsageError."""
    formats: dict[str, tuple[BatchFormat, str]] = {}
    for batch_format, words in (
        (binary_format(release), "binary archive"),
        (python_format(release), "Python archive"),
    ):
        formats |= dict.fromkeys(batch_format.names, (batch_format, words))
    sizes = {name: (found.smallest, found.largest) for name, (found, _) in formats.items()}
    members = archive_batches(path, sizes)
    first = next(members, None)
    if first is None:
        raise UsageError(f"{path} holds no CIFAR-10 batch. Name another archive, or a folder.")
    batch_format, words = formats[first[0]]
    images, labels = assemble(itertools.chain([first], members), batch_format, release, path)
    # Batches of the Python version were each held against their published MD5 on the way.
    canonical = words == "Python archive" or is_published(path, release.archive)
    grade: Grade = "canonical" if canonical else "unverified"
    return Material(images, labels, grade, source or words)
