"""Keep prepared datasets in the cache: written beside and renamed into place, checked before use."""

from __future__ import annotations

import contextlib
import hashlib
import math
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from cifar_report.data.cache_records import FileState, StoredDataset, read_record, write_record, writing
from cifar_report.data.dataset import IMAGES_NAME, LABELS_NAME, Dataset, Grade
from cifar_report.data.files import CHUNK_BYTES
from cifar_report.data.release import IMAGE_SHAPE, Release
from cifar_report.errors import SuiteError

if TYPE_CHECKING:
    from cifar_report.data.batches import Material

DESCRIPTION_NAME = "dataset.json"
LEFTOVER_SECONDS = 24 * 3600  # older unfinished folders belong to processes that were killed
GRADE_ORDER: tuple[Grade, ...] = ("unverified", "stand-in", "canonical")


@dataclass(frozen=True)
class Store:
    """The prepared datasets of one cache folder."""

    cache: Path
    release: Release

    @property
    def _datasets(self) -> Path:
        return self.cache / "datasets"

    def dataset(self, stored: StoredDataset, source: str, location: str) -> Dataset:
        """Describe a stored dataset, found through some source, for those who use it."""
        return Dataset(
            folder=self.folder(stored),
            fingerprint=stored.fingerprint,
            grade=stored.grade,
            canonical_labels=stored.canonical_labels,
            source=source,
            location=location,
        )

    def folder(self, stored: StoredDataset) -> Path:
        """Name the folder of a stored dataset."""
        return self._datasets / stored.fingerprint

    def find(self, fingerprint: str) -> StoredDataset | None:
        """Open the dataset with a fingerprint; None if it is missing or damaged."""
        return self._check(self._datasets / fingerprint)

    def canonical(self) -> StoredDataset | None:
        """Open a dataset that came from files whose published hashes match; None if there is none."""
        with contextlib.suppress(OSError):
            for folder in sorted(self._datasets.iterdir()):
                described = read_record(folder / DESCRIPTION_NAME, StoredDataset)
                if described and described.grade == "canonical" and (stored := self._check(folder)):
                    return stored
        return None

    def keep(self, material: Material) -> StoredDataset:
        """Store a dataset unless it is there, and return what is stored.

        Raises SuiteError where the cache cannot be written.
        """
        fingerprint = material.fingerprint()
        with writing(self.cache):
            stored = self.find(fingerprint) or self._install(material, fingerprint)
        return self.raise_grade(stored, material.grade, material.source)

    def raise_grade(self, stored: StoredDataset, grade: Grade, source: str) -> StoredDataset:
        """Record what is now known of the same bytes (a grade never falls); raises SuiteError."""
        if GRADE_ORDER.index(grade) <= GRADE_ORDER.index(stored.grade):
            return stored
        better = msgspec.structs.replace(stored, grade=grade, source=source)
        with writing(self.cache):
            write_record(self.folder(stored) / DESCRIPTION_NAME, better)
        return better

    def _check(self, folder: Path) -> StoredDataset | None:
        """Trust a prepared dataset only if its description, its files and their bytes belong together."""
        stored = read_record(folder / DESCRIPTION_NAME, StoredDataset)
        if stored is None or stored.fingerprint != folder.name:
            return None
        try:
            if not all(self._well_formed(folder / name) for name in (IMAGES_NAME, LABELS_NAME)):
                return None
            files = _file_states(folder)
            if files == stored.files:
                return stored
            # Touched since it was hashed (copied, restored or damaged): only the bytes themselves can tell.
            if self._fingerprint_on_disk(folder) != stored.fingerprint:
                return None
        except OSError:
            return None
        fresh = msgspec.structs.replace(stored, files=files)
        with contextlib.suppress(OSError):  # a read-only cache works too: it costs the hash each time
            write_record(folder / DESCRIPTION_NAME, fresh)
        return fresh

    def _shapes(self) -> dict[str, tuple[int, ...]]:
        return {IMAGES_NAME: (self.release.count, *IMAGE_SHAPE), LABELS_NAME: (self.release.count,)}

    def _well_formed(self, path: Path) -> bool:
        """Compare a file's size and header with those of the array that must be in it; raises OSError."""
        shape = self._shapes()[path.name]
        header = _array_header(shape)
        with path.open("rb") as file:
            begins_well = file.read(len(header)) == header
        return begins_well and path.stat().st_size == len(header) + math.prod(shape)

    def _fingerprint_on_disk(self, folder: Path) -> str:
        digest = hashlib.sha256()
        for name, shape in self._shapes().items():
            with (folder / name).open("rb") as file:
                file.seek(len(_array_header(shape)))
                while chunk := file.read(CHUNK_BYTES):
                    digest.update(chunk)
        return digest.hexdigest()

    def _install(self, material: Material, fingerprint: str) -> StoredDataset:
        self._datasets.mkdir(parents=True, exist_ok=True)
        self._remove_leftovers()
        beside = Path(tempfile.mkdtemp(prefix=".partial-", dir=self._datasets))
        try:
            stored = _write_dataset(beside, material, fingerprint, self.release)
            return self._put_into_place(beside, self._datasets / fingerprint, stored)
        finally:
            shutil.rmtree(beside, ignore_errors=True)

    def _put_into_place(self, beside: Path, place: Path, stored: StoredDataset) -> StoredDataset:
        """Rename a finished folder to its place, or its files into the damaged folder that stands there."""
        if os.path.lexists(place) and not place.is_dir():
            with contextlib.suppress(OSError):  # another process may have been faster
                place.unlink()
        try:
            beside.rename(place)
        except OSError:
            if faster := self._check(place):
                return faster
            if not place.is_dir():
                raise
        else:
            return stored
        # File by file, so that processes that repair at once never take away what another has just checked: they
        # all bring the same bytes.
        for name in (IMAGES_NAME, LABELS_NAME, DESCRIPTION_NAME):
            (beside / name).replace(place / name)
        if repaired := self._check(place):
            return repaired
        raise SuiteError(f"{place} cannot be repaired. Delete it and try again.")

    def _remove_leftovers(self) -> None:
        for leftover in self._datasets.glob(".partial-*"):
            with contextlib.suppress(OSError):
                if time.time() - leftover.stat().st_mtime > LEFTOVER_SECONDS:
                    shutil.rmtree(leftover, ignore_errors=True)


def _write_dataset(folder: Path, material: Material, fingerprint: str, release: Release) -> StoredDataset:
    for name, array in ((IMAGES_NAME, material.images), (LABELS_NAME, material.labels)):
        with (folder / name).open("wb") as file:
            file.write(_array_header(array.shape))
            file.write(array.data)
            file.flush()
            os.fsync(file.fileno())  # a rename must never outlive the bytes that it names
    labels_hash = hashlib.sha256(material.labels.data).hexdigest()
    stored = StoredDataset(
        fingerprint=fingerprint,
        grade=material.grade,
        canonical_labels=labels_hash == release.labels_sha256,
        source=material.source,
        files=_file_states(folder),
    )
    write_record(folder / DESCRIPTION_NAME, stored)
    return stored


def _array_header(shape: tuple[int, ...]) -> bytes:
    """Give the bytes that stand before the values of a uint8 array in a ``.npy`` file of version 1.0.

    Written out here, because NumPy takes longer to import than all else takes when nothing has changed.
    Source: the documentation of ``numpy.lib.format``.
    """
    magic = b"\x93NUMPY\x01\x00"
    described = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode()
    unpadded = len(magic) + 2 + len(described) + 1
    text = described + b" " * (-unpadded % 64) + b"\n"
    return magic + len(text).to_bytes(2, "little") + text


def _file_states(folder: Path) -> tuple[FileState, ...]:
    return tuple(FileState.of(folder / name, name) for name in (IMAGES_NAME, LABELS_NAME))
