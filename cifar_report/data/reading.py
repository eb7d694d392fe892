"""Read CIFAR-10 from the folder or the archive of its binary version, or from the published Python archive."""

from __future__ import annotations

import hashlib
import math
import pickle
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from cifar_report.data.dataset import BINARY_NAMES, Array, Grade, Images, Release
from cifar_report.errors import UsageError
from cifar_report.spec import CIFAR10

BINARY_FOLDER = "cifar-10-batches-bin"
RECORD_BYTES = 1 + math.prod(CIFAR10.shape)  # the binary version: one label byte, then the pixels colour by colour
KINDS = {  # of other files, by how they begin
    b"PK\x03\x04": "a zip archive",
    b"BZh": "an archive packed by bzip2",
    b"\xfd7zXZ": "an archive packed by xz",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a rar archive",
    b"\x89HDF": "an HDF5 file",
    b"\x93NUMPY": "a NumPy array",
}
AGAIN = "Fetch the dataset again, or name another copy of CIFAR-10."


def recognise(path: Path, release: Release) -> Path:
    """Return the folder of batches or the archive that a path names, which may be the folder around either.

    Raises UsageError where there is nothing like CIFAR-10, OSError where nothing can be seen.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist. Name a folder or an archive that holds CIFAR-10.")
    for place in (path, path / BINARY_FOLDER, path / release.archive_name):
        if place.is_file() or any((place / name).exists() for name in BINARY_NAMES):
            return place
    raise UsageError(
        f"{path} holds no CIFAR-10: expected {BINARY_NAMES[0]} and its five companions, a folder {BINARY_FOLDER}, or "
        f"{release.archive_name} (of the Python version name the published archive itself). Name another path."
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path, release: Release, source: str | None = None) -> Images:
    """Read and check every image of a folder of batches or of an archive; raises UsageError, OSError.

    The images are canonical where the archive has a published hash. ``source`` says in words what it is.
    """
    if path.is_file():
        return _read_archive(path, release, source)
    most = release.records_per_file * RECORD_BYTES + 1  # one byte more shows that a file is too long
    files = [path / name for name in BINARY_NAMES if (path / name).is_file()]
    batches = {file.name: np.fromfile(file, np.uint8, most) for file in files}
    return _assemble(batches, path, release, "unverified", source or "binary folder")


def _read_archive(path: Path, release: Release, source: str | None) -> Images:
    digest = sha256_of(path)
    pickled = digest == release.python_sha256
    most = -1 if pickled else release.records_per_file * RECORD_BYTES + 1
    batches = {}
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            for member in archive:  # in one pass: to go back would unpack all again
                name = PurePosixPath(member.name).name + (".bin" if pickled else "")
                if name in BINARY_NAMES and member.isreg() and (stream := archive.extractfile(member)) is not None:
                    content = stream.read(most)
                    batches[name] = _unpickle(content) if pickled else np.frombuffer(content, np.uint8)
    except (EOFError, OSError, zlib.error, tarfile.TarError) as error:
        raise UsageError(
            _diagnosis(path, release) or f"{path} is no whole gzip-compressed tar archive ({error}). {AGAIN}"
        ) from error
    grade: Grade = "canonical" if pickled or digest == release.binary_sha256 else "unverified"
    return _assemble(batches, path, release, grade, source or ("Python archive" if pickled else "binary archive"))


def _diagnosis(path: Path, release: Release) -> str | None:
    """Return what else a file is that was named as the archive, and what to name instead; None for a damaged one."""
    unpack = f"unpack it and name the folder {BINARY_FOLDER} in it, or name {release.archive_name}"
    with path.open("rb") as file:
        start = file.read(6)
    if path.name.removesuffix(".bin") + ".bin" in BINARY_NAMES or path.name == "batches.meta":
        return f"{path} is one of the dataset's files: name the folder that holds all of them"
    kind = next((kind for magic, kind in KINDS.items() if start.startswith(magic)), None)
    if kind is None and not start.startswith(b"\x1f\x8b") and tarfile.is_tarfile(path):
        kind = "a tar archive without gzip"
    return f"{path} is {kind}: {unpack}" if kind else None


def _unpickle(content: bytes) -> Array:
    batch = pickle.loads(content, encoding="bytes")  # noqa: S301 - the archive has the published SHA-256
    return np.column_stack([np.array(batch[b"labels"], dtype=np.uint8), batch[b"data"]]).ravel()


def _assemble(batches: Mapping[str, Array], path: Path, release: Release, grade: Grade, source: str) -> Images:
    if missing := [name for name in BINARY_NAMES if name not in batches]:
        raise UsageError(f"{path} lacks {', '.join(missing)} of CIFAR-10's binary version. {AGAIN}")
    expected = release.records_per_file * RECORD_BYTES
    images = np.empty((release.count, *CIFAR10.shape), dtype=np.uint8)
    labels, colours = np.empty(release.count, dtype=np.uint8), CIFAR10.shape[-1]
    for number, name in enumerate(BINARY_NAMES):
        batch = batches[name]
        if batch.size != expected:
            fault = "truncated" if batch.size < expected else "oversized"
            raise UsageError(f"{path / name} is {fault}: a batch of CIFAR-10 holds {expected:,} bytes. {AGAIN}")
        records = batch.reshape(-1, RECORD_BYTES)
        if (bad := np.flatnonzero(records[:, 0] >= len(CIFAR10.classes))).size:
            label = f"label {records[bad[0], 0]} in record {bad[0]:,}"
            raise UsageError(f"{path / name} has {label}, expected 0 to 9: it is no batch of CIFAR-10. {AGAIN}")
        part = slice(number * len(records), (number + 1) * len(records))
        images[part] = records[:, 1:].reshape(-1, colours, *CIFAR10.shape[:2]).transpose(0, 2, 3, 1)
        labels[part] = records[:, 0]
    return Images(images, labels, grade, source)
