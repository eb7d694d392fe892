"""CIFAR-10: what was named, else what the machine has, else the network; and how its files are read."""

from __future__ import annotations

import hashlib
import math
import os
import pickle
import tarfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from cifar_report.data import stand_in
from cifar_report.data.dataset import (
    ARCHIVE,
    Array,
    Grade,
    Images,
    PreparedData,
    cache_folder,
    find_prepared,
    keep,
    open_prepared,
    writing,
)
from cifar_report.errors import UsageError
from cifar_report.spec import CIFAR10

FOLDER_VARIABLE = "CIFAR10_DIR"
SYNTHETIC = "synthetic"
PYTHON_ARCHIVE = "cifar-10-python.tar.gz"
BINARY_NAMES = (*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin")
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

Say = Callable[[str], None]


def locate(
    path: str | None, *, allow_stand_in: bool, warn: Say, notify: Say = lambda _: None, download: bool = True
) -> PreparedData:
    """Find CIFAR-10 in ``path`` (``synthetic``: the stand-in), else on the machine, else the network, and prepare it.

    The stand-in may replace what is not found (``allow_stand_in``), which ``warn`` is told; ``notify`` hears what takes
    long. Raises UsageError where what was named is not CIFAR-10, or nothing was found, SuiteError where the cache is
    not written.
    """
    if path is not None:
        return _named(path, notify)
    if variable := os.environ.get(FOLDER_VARIABLE):
        try:
            return _named(variable, notify)
        except UsageError as error:
            raise UsageError(f"{FOLDER_VARIABLE}: {error}") from error
    place = cache_folder() / "downloads" / ARCHIVE  # of a download; a person may put the archive there
    reasons: list[str] = []
    found = find_prepared(CIFAR10) or _archived(place, notify, reasons)
    if found is None and download:
        found = _downloaded(place, notify, reasons)
    elif found is None:
        reasons.append("Nothing was downloaded: this command only looks")
    if found is not None:
        return found
    what_to_do = (
        f"{'; '.join(reasons)}. Fetch {CIFAR10.address}{ARCHIVE} (170 MB, SHA-256 {CIFAR10.hashes[ARCHIVE]}) and "
        f"put it at {place}, or name a copy with --data or {FOLDER_VARIABLE}."
    )
    if not allow_stand_in:
        raise UsageError(f"CIFAR-10 was not found. {what_to_do}")
    warn(
        "NO CIFAR-10 DATA: the images are a synthetic stand-in, drawn by a program, and no result says "
        f"anything about CIFAR-10. {what_to_do}"
    )
    return _named(SYNTHETIC, notify)


def find_fingerprint(fingerprint: str) -> PreparedData | None:
    """Return the data of a fingerprint from the cache, the stand-in drawn where it is not there; else None."""
    return _synthetic(lambda _: None) if fingerprint == stand_in.FINGERPRINT else open_prepared(fingerprint)


def _named(path: str, notify: Say) -> PreparedData:
    if path == SYNTHETIC:
        return _synthetic(notify)
    if not path:
        raise UsageError("The data path is empty. Name a folder or an archive that holds CIFAR-10.")
    try:
        return _kept(recognise(Path(path).expanduser().absolute()), notify)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Name another copy of CIFAR-10.") from error


def _synthetic(notify: Say) -> PreparedData:
    if (prepared := open_prepared(stand_in.FINGERPRINT)) is not None:
        return replace(prepared, location=prepared.source)
    notify("Drawing the synthetic stand-in.")
    images = stand_in.draw(CIFAR10)
    return keep(images, images.source)


def _archived(place: Path, notify: Say, reasons: list[str]) -> PreparedData | None:
    """Use a published archive that was put into the cache, or that Keras keeps under a name of its version."""
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "datasets")
    for archive in (place, *sorted(keras.glob("cifar-10-batches-py*"))):
        if archive.is_file():
            if sha256_of(archive) in CIFAR10.hashes.values():
                return _kept(archive, notify, None if archive == place else "Keras cache")
            reasons.append(f"{archive} is not the published archive")
    return None


def _downloaded(place: Path, notify: Say, reasons: list[str]) -> PreparedData | None:
    address = f"{CIFAR10.address}{ARCHIVE}"
    notify(f"Downloading {address} (170 MB) to {place}.")
    if (problem := fetch(address, CIFAR10.hashes[ARCHIVE], place)) is not None:
        reasons.append(problem)
        return None
    return _kept(place, notify, "download")


def fetch(address: str, digest: str, place: Path) -> str | None:
    """Download a file that has this SHA-256; return why it could not be, None where it is in its place now."""
    import pooch  # most calls need no network
    import requests

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=15.0)  # seconds, for connecting and for each read
    with writing():
        try:
            pooch.retrieve(address, f"sha256:{digest}", fname=place.name, path=place.parent, downloader=downloader)
        except (requests.RequestException, ValueError) as error:
            return f"The download failed: {error}"
    return None


def _kept(place: Path, notify: Say, source: str | None = None) -> PreparedData:
    notify(f"Reading {place}.")
    return keep(read(place, source), str(place))


def recognise(path: Path) -> Path:
    """Return the folder of batches or the archive that a path names, which may be the folder around either.

    Raises UsageError where there is nothing like CIFAR-10, OSError where nothing can be seen.
    """
    if not path.exists():
        raise UsageError(f"{path} does not exist. Name a folder or an archive that holds CIFAR-10.")
    for place in (path, path / BINARY_FOLDER, path / ARCHIVE):
        if place.is_file() or any((place / name).exists() for name in BINARY_NAMES):
            return place
    raise UsageError(
        f"{path} holds no CIFAR-10: expected {BINARY_NAMES[0]} and its five companions, a folder {BINARY_FOLDER}, or "
        f"{ARCHIVE} (of the Python version name the published archive itself). Name another path."
    )


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def batch_bytes() -> int:
    """Return the size of each of the six files."""
    return sum(CIFAR10.counts) // len(BINARY_NAMES) * RECORD_BYTES


def read(path: Path, source: str | None = None) -> Images:
    """Read and check every image of a folder of batches or of an archive; raises UsageError, OSError.

    The images are canonical where the archive has a published hash. ``source`` says in words what it is.
    """
    if path.is_file():
        return _read_archive(path, source)
    most = batch_bytes() + 1  # one byte more shows that a file is too long
    files = [path / name for name in BINARY_NAMES if (path / name).is_file()]
    batches = {file.name: np.fromfile(file, np.uint8, most) for file in files}
    return _assemble(batches, path, "unverified", source or "binary folder")


def _read_archive(path: Path, source: str | None) -> Images:
    digest = sha256_of(path)
    pickled = digest == CIFAR10.hashes[PYTHON_ARCHIVE]
    most = -1 if pickled else batch_bytes() + 1
    batches = {}
    try:
        with tarfile.open(path, mode="r:gz") as archive:
            for member in archive:  # in one pass: to go back would unpack all again
                name = PurePosixPath(member.name).name + (".bin" if pickled else "")
                if name in BINARY_NAMES and member.isreg() and (stream := archive.extractfile(member)) is not None:
                    content = stream.read(most)
                    batches[name] = np.frombuffer(content, np.uint8)
                    if pickled:
                        batch = pickle.loads(content, encoding="bytes")  # noqa: S301 - it has the published SHA-256
                        batches[name] = np.column_stack([np.uint8(batch[b"labels"]), batch[b"data"]]).ravel()
    except (EOFError, OSError, zlib.error, tarfile.TarError) as error:
        raise UsageError(
            _diagnosis(path) or f"{path} is no whole gzip-compressed tar archive ({error}). {AGAIN}"
        ) from error
    grade: Grade = "canonical" if pickled or digest == CIFAR10.hashes[ARCHIVE] else "unverified"
    return _assemble(batches, path, grade, source or ("Python archive" if pickled else "binary archive"))


def _diagnosis(path: Path) -> str | None:
    """Return what else a file is that was named as the archive, and what to name instead; None for a damaged one."""
    unpack = f"unpack it and name the folder {BINARY_FOLDER} in it, or name {ARCHIVE}"
    with path.open("rb") as file:
        start = file.read(6)
    if path.name.removesuffix(".bin") + ".bin" in BINARY_NAMES or path.name == "batches.meta":
        return f"{path} is one of the dataset's files: name the folder that holds all of them"
    kind = next((kind for magic, kind in KINDS.items() if start.startswith(magic)), None)
    if kind is None and not start.startswith(b"\x1f\x8b") and tarfile.is_tarfile(path):
        kind = "a tar archive without gzip"
    return f"{path} is {kind}: {unpack}" if kind else None


def _assemble(batches: Mapping[str, Array], path: Path, grade: Grade, source: str) -> Images:
    if missing := [name for name in BINARY_NAMES if name not in batches]:
        raise UsageError(f"{path} lacks {', '.join(missing)} of CIFAR-10's binary version. {AGAIN}")
    expected, count, colours = batch_bytes(), sum(CIFAR10.counts), CIFAR10.shape[-1]
    images, labels = np.empty((count, *CIFAR10.shape), dtype=np.uint8), np.empty(count, dtype=np.uint8)
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
    return Images(images, labels, grade, source, CIFAR10)
