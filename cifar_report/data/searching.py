"""Search the places that may hold CIFAR-10, one after another, and prepare what is found."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cifar_report.data.cache_records import FileState, KnownSource, read_record, write_record, writing
from cifar_report.data.dataset import Dataset
from cifar_report.data.files import is_published
from cifar_report.data.locating import FOLDER_VARIABLE, SYNTHETIC, Places
from cifar_report.data.origins import (
    PYTHON_FOLDER,
    Origin,
    archive_origin,
    python_folder_origin,
    recognise,
    stand_in_origin,
)
from cifar_report.data.release import Release
from cifar_report.data.store import Store
from cifar_report.errors import UsageError


@dataclass(frozen=True)
class Search:
    """One search: where to look, what is published, whom to tell."""

    places: Places
    release: Release
    warn: Callable[[str], None]
    notify: Callable[[str], None]
    download: bool = True  # whether the network may be asked

    @property
    def _store(self) -> Store:
        return Store(self.places.cache, self.release)

    @property
    def archive_place(self) -> Path:
        """Where a downloaded archive lies, and where a person may put one."""
        return self.places.cache / "downloads" / self.release.archive.name

    def find(self, path: str | None, *, allow_stand_in: bool) -> Dataset:
        """Find and prepare the dataset as ``locate`` describes it; raises UsageError, SuiteError."""
        if path is not None:
            return self._named(path)
        if self.places.named is not None:
            try:
                return self._named(self.places.named)
            except UsageError as error:
                raise UsageError(f"{FOLDER_VARIABLE}: {error}") from error
        reasons: list[str] = []
        for attempt in (self._prepared, self._placed_archive, self._keras, self._downloaded):
            if (dataset := attempt(reasons)) is not None:
                return dataset
        if not allow_stand_in:
            raise UsageError(f"CIFAR-10 was not found. {self._what_to_do(reasons)}")
        self.warn(
            "NO CIFAR-10 DATA: the images are a synthetic stand-in, drawn by a program, and no result says "
            f"anything about CIFAR-10. {self._what_to_do(reasons)}"
        )
        return self._synthetic()

    def _what_to_do(self, reasons: list[str]) -> str:
        archive = self.release.archive
        return (
            f"{'; '.join(reasons)}. Fetch {archive.address} ({archive.size:,} bytes, SHA-256 {archive.sha256}) "
            f"and put it at {self.archive_place}, or name a copy with --data or {FOLDER_VARIABLE}."
        )

    def _named(self, path: str) -> Dataset:
        if path == SYNTHETIC:
            return self._synthetic()
        if not path:
            raise UsageError("The data path is empty. Name a folder or an archive that holds CIFAR-10.")
        return self._obtain(recognise(_absolute(path), self.release))

    def _synthetic(self) -> Dataset:
        return self._obtain(stand_in_origin(self.release))

    def _prepared(self, _: list[str]) -> Dataset | None:
        """Use prepared data only if it is canonical: what nobody named must be the real thing."""
        stored = self._store.canonical()
        if stored is None:
            return None
        return self._store.dataset(stored, f"cache ({stored.source})", str(self._store.folder(stored)))

    def _placed_archive(self, reasons: list[str]) -> Dataset | None:
        if not _present(self.archive_place):
            return None
        if not is_published(self.archive_place, self.release.archive):
            reasons.append(f"{self.archive_place} is not the published archive")
            return None
        return self._obtain(archive_origin(self.archive_place, self.release))

    def _keras(self, reasons: list[str]) -> Dataset | None:
        for folder in self._keras_folders():
            origin = python_folder_origin(folder, self.release, "Keras cache")
            if all(map(_present, origin.files)):
                try:
                    return self._obtain(origin)
                except UsageError as error:
                    reasons.append(str(error).rstrip("."))
        return None

    def _keras_folders(self) -> Iterator[Path]:
        # Keras 3 extracts into a folder beside the archive, older versions into the datasets folder itself.
        for parent in (f"{PYTHON_FOLDER}-target", PYTHON_FOLDER, ""):
            yield self.places.keras / parent / PYTHON_FOLDER

    def _downloaded(self, reasons: list[str]) -> Dataset | None:
        from cifar_report.data.download import DownloadFailed, fetch  # most calls need no network

        archive = self.release.archive
        if not self.download:
            reasons.append("Nothing was downloaded: this command only looks")
            return None
        self.notify(f"Downloading {archive.address} ({archive.size / 1e6:,.0f} MB) to {self.archive_place}.")
        try:
            with writing(self.places.cache):
                path = fetch(archive, self.archive_place.parent)
        except DownloadFailed as error:
            reasons.append(f"The download failed: {error}")
            return None
        return self._obtain(archive_origin(path, self.release, "download"))

    def _obtain(self, origin: Origin) -> Dataset:
        """Prepare what a source holds, or find it prepared if the source has not changed since."""
        place = self.places.cache / "sources" / f"{hashlib.sha256(origin.location.encode()).hexdigest()}.json"
        files = _states(origin.files)
        if (known := self._unchanged(place, origin, files)) is not None:
            return known
        self.notify(f"Reading the {origin.source} and preparing its images.")
        material = origin.read()
        stored = self._store.keep(material)
        if files is not None:
            self._remember(
                place,
                KnownSource(
                    location=origin.location,
                    files=files,
                    fingerprint=stored.fingerprint,
                    grade=material.grade,
                    source=material.source,
                ),
            )
        return self._store.dataset(stored, material.source, origin.location)

    def _unchanged(self, place: Path, origin: Origin, files: tuple[FileState, ...] | None) -> Dataset | None:
        known = read_record(place, KnownSource)
        if known is None or files is None or (known.location, known.files) != (origin.location, files):
            return None
        stored = self._store.find(known.fingerprint)
        if stored is None:
            return None
        stored = self._store.raise_grade(stored, known.grade, known.source)
        return self._store.dataset(stored, known.source, origin.location)

    def _remember(self, place: Path, known: KnownSource) -> None:
        with writing(self.places.cache):
            place.parent.mkdir(parents=True, exist_ok=True)
            write_record(place, known)


def _states(files: tuple[Path, ...]) -> tuple[FileState, ...] | None:
    """Look at a source's files; None if one cannot be seen, which reading it will explain."""
    try:
        return tuple(FileState.of(file) for file in files)
    except OSError:
        return None


def _present(path: Path) -> bool:
    """Tell whether a file can be seen; one behind a locked folder counts as not there."""
    try:
        return path.exists()
    except OSError:
        return False


def _absolute(path: str) -> Path:
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError:  # "~name" of a user who does not exist: then it is a file's name
        return Path(path).absolute()
