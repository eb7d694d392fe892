"""Read CIFAR-10 from the folder or the archive of its binary version, or from the published Python archive."""

from __future__ import annotations

import hashlib
import pickle
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath

import numpy as np

from cifar_report.data.dataset import Grade, Images
from cifar_report.data.release import BINARY_NAMES, CLASS_NAMES, IMAGE_SHAPE, PYTHON_NAMES, RECORD_BYTES, Release
from cifar_report.errors import UsageError

BINARY_FOLDER = "cifar-10-batches-bin"
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


def read(path: Path, release: Release, source: str | None = None) -> Images:
    """Read and check every image of a folder of batches or of an archive; raises UsageError, OSError.

    The images are canonical where the archive has a published hash. ``source`` says in words what it is.
    """
    if path.is_file():
        return _read_archive(path, release, source)
    contents = {}
    for batch in (path / name for name in BINARY_NAMES):
        if not batch.is_file():
            raise UsageError(f"{batch} is missing. {AGAIN}")
        _check_size(batch.stat().st_size, batch, release)
        contents[batch.name] = batch.read_bytes()
    return _assemble(contents, path, release, "unverified", source or "binary folder")


def _read_archive(path: Path, release: Release, source: str | None) -> Images:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        pickled = digest == release.python_sha256
        try:
            with tarfile.open(fileobj=file, mode="r:gz") as archive:
                contents = _members(archive, PYTHON_NAMES if pickled else BINARY_NAMES, path, release)
        except (EOFError, OSError, zlib.error, tarfile.TarError) as error:
            raise UsageError(f"{path} is no whole gzip-compressed tar archive ({error}). {AGAIN}") from error
    if pickled:
        contents = {f"{name}.bin": _records(content) for name, content in contents.items()}
    canonical = pickled or digest == release.binary_sha256
    words = source or ("Python archive" if pickled else "binary archive")
    return _assemble(contents, path, release, "canonical" if canonical else "unverified", words)


def _members(archive: tarfile.TarFile, names: Sequence[str], path: Path, release: Release) -> dict[str, bytes]:
    """Return the named files, whatever folder they stand in, in one pass: to go back would unpack all again."""
    contents = {}
    for member in archive:
        name = PurePosixPath(member.name).name
        if name in names and member.isreg() and (stream := archive.extractfile(member)) is not None:
            if name in BINARY_NAMES:
                _check_size(member.size, path / name, release)
            contents[name] = stream.read()
    return contents


def _records(content: bytes) -> bytes:
    """Return a batch of the published Python archive as the binary version has it."""
    batch = pickle.loads(content, encoding="bytes")  # noqa: S301 - the archive has the published SHA-256
    return np.column_stack([np.array(batch[b"labels"], dtype=np.uint8), batch[b"data"]]).tobytes()


def _check_size(size: int, where: Path, release: Release) -> None:
    expected = release.records_per_file * RECORD_BYTES
    if size != expected:
        fault = "truncated" if size < expected else "oversized"
        raise UsageError(f"{where} is {fault}: it holds {size:,} bytes, a batch of CIFAR-10 {expected:,}. {AGAIN}")


def _assemble(contents: Mapping[str, bytes], path: Path, release: Release, grade: Grade, source: str) -> Images:
    if missing := [name for name in BINARY_NAMES if name not in contents]:
        raise UsageError(f"{path} lacks {', '.join(missing)} of CIFAR-10's binary version. {AGAIN}")
    images = np.empty((release.count, *IMAGE_SHAPE), dtype=np.uint8)
    labels = np.empty(release.count, dtype=np.uint8)
    for number, name in enumerate(BINARY_NAMES):
        records = np.frombuffer(contents[name], dtype=np.uint8).reshape(-1, RECORD_BYTES)
        bad = np.flatnonzero(records[:, 0] >= len(CLASS_NAMES))
        if bad.size:
            label = f"label {records[bad[0], 0]} in record {bad[0]:,}"
            raise UsageError(f"{path / name} has {label}, expected 0 to 9: it is no batch of CIFAR-10. {AGAIN}")
        part = slice(number * len(records), (number + 1) * len(records))
        images[part] = records[:, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
        labels[part] = records[:, 0]
    return Images(images, labels, grade, source)
