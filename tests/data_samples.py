"""Make small datasets in CIFAR-10's layouts, so that the readers can be tested in milliseconds."""

import gzip
import hashlib
import io
import pickle
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from cifar_report.data.dataset import Dataset
from cifar_report.data.locating import Places
from cifar_report.data.release import PublishedFile, Release
from cifar_report.data.searching import Search

RECORDS = 20  # in each of the six files
CLOSED_ADDRESS = "http://127.0.0.1:9/cifar-10-binary.tar.gz"  # the discard port: refused at once


def sample_arrays(seed: int = 0, records: int = RECORDS) -> tuple[np.ndarray, np.ndarray]:
    """Draw random images uint8 [6 * records, 32, 32, 3] and labels uint8 [6 * records]."""
    generator = np.random.default_rng(seed)
    images = generator.integers(0, 256, (6 * records, 32, 32, 3), dtype=np.uint8)
    return images, generator.integers(0, 10, 6 * records, dtype=np.uint8)


def planes(images: np.ndarray) -> np.ndarray:
    """Make rows of 3,072 bytes, colour plane by colour plane, as the published files hold them."""
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(len(images), 3072)


def encode_records(images: np.ndarray, labels: np.ndarray) -> bytes:
    """Write records of the binary version: a label byte and 3,072 pixel bytes each."""
    return np.concatenate([labels[:, None], planes(images)], axis=1).tobytes()


def binary_files(seed: int = 0, records: int = RECORDS) -> dict[str, bytes]:
    """Make the six files of a small binary version, by name."""
    images, labels = sample_arrays(seed, records)
    names = [*(f"data_batch_{number}.bin" for number in range(1, 6)), "test_batch.bin"]
    parts = [slice(start, start + records) for start in range(0, 6 * records, records)]
    return {name: encode_records(images[part], labels[part]) for name, part in zip(names, parts, strict=True)}


class _Python2Pickler(pickle._Pickler):  # type: ignore[name-defined,misc]
    """Pickles as Python 2 did when CIFAR-10 was published: texts and bytes are the same byte strings."""

    dispatch: ClassVar[dict[type, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def save_bytes(self, value: bytes) -> None:
        self.write(pickle.BINSTRING + len(value).to_bytes(4, "little") + value)

    def save_text(self, value: str) -> None:
        self.save_bytes(value.encode())

    dispatch[bytes] = save_bytes
    dispatch[str] = save_text


def pickled(batch: Any) -> bytes:
    """Pickle a batch as Python 2 did."""
    stream = io.BytesIO()
    _Python2Pickler(stream, protocol=2).dump(batch)
    return stream.getvalue().replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


def python_files(seed: int = 0) -> dict[str, bytes]:
    """Make the six files of a small Python version, by name, with the same images as the binary one."""
    images, labels = sample_arrays(seed)
    files = {}
    for position, name in enumerate([*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]):
        part = slice(position * RECORDS, (position + 1) * RECORDS)
        names = [f"image_{number}.png" for number in range(RECORDS)]
        batch = {"batch_label": name, "labels": labels[part].tolist(), "data": planes(images[part])}
        files[name] = pickled(batch | {"filenames": names})
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Write files into a new folder."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


def archive_bytes(files: dict[str, bytes], folder: str = "cifar-10-batches-bin") -> bytes:
    """Make a ``.tar.gz`` that holds files in a folder, as the published one does."""
    members = []
    for name, content in {**files, "readme.html": b"<p>CIFAR-10</p>"}.items():
        member = tarfile.TarInfo(f"{folder}/{name}")
        member.size = len(content)
        members.append((member, content))
    return archive_of(*members)


def archive_of(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """Make a ``.tar.gz`` of any members; the same ones give the same bytes whenever it is made."""
    stream = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=stream, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, content in members:
            archive.addfile(member, io.BytesIO(content))
    return stream.getvalue()


def release_of(archive: bytes, address: str = CLOSED_ADDRESS, seed: int = 0) -> Release:
    """Make a release that declares these archive bytes, and the sample's batches and labels, as the published ones."""
    return Release(
        archive=PublishedFile("cifar-10-binary.tar.gz", address, len(archive), hashlib.sha256(archive).hexdigest()),
        python_md5={
            name: hashlib.md5(content, usedforsecurity=False).hexdigest()
            for name, content in python_files(seed).items()
        },
        labels_sha256=hashlib.sha256(sample_arrays(seed)[1].tobytes()).hexdigest(),
        records_per_file=RECORDS,
    )


def other_release(release: Release) -> Release:
    """Make a release of the same sizes that was published with other hashes."""
    archive = replace(release.archive, sha256="0" * 64)
    return replace(release, archive=archive, python_md5=dict.fromkeys(release.python_md5, "0" * 32))


def search_in(folder: Path, release: Release, named: str | None = None) -> tuple[Search, list[str], list[str]]:
    """Make a search with all its places inside one folder; returns it, its warnings and its notices."""
    warnings: list[str] = []
    notices: list[str] = []
    places = Places(named=named, cache=folder / "cache", keras=folder / "keras" / "datasets")
    return Search(places, release, warnings.append, notices.append), warnings, notices


def find(folder: Path, release: Release, path: Path | str | None) -> Dataset:
    """Find a dataset with all places inside one folder; no stand-in allowed."""
    return search_in(folder, release)[0].find(None if path is None else str(path), allow_stand_in=False)


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """List size and time of change of every file below a folder, to see that nothing was written."""
    paths = sorted(path for path in folder.rglob("*") if not path.is_dir())
    return {str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for path in paths} | {
        str(path): (0, 0) for path in folder.rglob("*") if path.is_dir()
    }
