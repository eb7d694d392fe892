"""Find CIFAR-10: what was named, else what the machine has, else the network."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from cifar_report.data import stand_in
from cifar_report.data.dataset import DESCRIPTION_NAME, Dataset, keep, open_prepared, writing
from cifar_report.data.reading import read, recognise
from cifar_report.data.release import CIFAR10, Release
from cifar_report.errors import UsageError

FOLDER_VARIABLE = "CIFAR10_DIR"
CACHE_VARIABLE = "CIFAR_REPORT_CACHE"
SYNTHETIC = "synthetic"
TIMEOUT = 15.0  # seconds, for connecting and for each read


def cache_folder() -> Path:
    """Return the cache: ``CIFAR_REPORT_CACHE``, else a folder in XDG's cache, else in ``~/.cache``."""
    own, base = os.environ.get(CACHE_VARIABLE), os.environ.get("XDG_CACHE_HOME")
    return Path(own).absolute() if own else Path(base or Path.home() / ".cache").absolute() / "cifar-report"


def locate(
    path: str | None,
    *,
    allow_stand_in: bool,
    warn: Callable[[str], None],
    notify: Callable[[str], None] = lambda _: None,
    download: bool = True,
) -> Dataset:
    """Find, verify and prepare the dataset.

    Raises UsageError where what was named is not CIFAR-10, or nothing was found and no stand-in allowed, and
    SuiteError where the cache cannot be written.

    - ``path`` is a folder or an archive; ``synthetic`` for the stand-in; None to look in ``CIFAR10_DIR``,
      the cache and Keras's cache, then to download.
    - ``allow_stand_in`` is whether the stand-in may replace data that cannot be found or downloaded.
    - ``warn`` is called with a sentence when the stand-in does replace it.
    - ``notify`` is called with a sentence before something that takes long.
    - ``download`` is whether the archive may be fetched when nothing else is found.
    """
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "datasets"
    search = Search(os.environ.get(FOLDER_VARIABLE), cache_folder(), keras, CIFAR10, warn, notify, download)
    return search.find(path, allow_stand_in=allow_stand_in)


@dataclass(frozen=True)
class Search:
    """One search: the folder that the environment names, where to look, what is published, whom to tell."""

    named: str | None
    cache: Path
    keras: Path
    release: Release
    warn: Callable[[str], None]
    notify: Callable[[str], None]
    download: bool = True  # whether the network may be asked

    @property
    def archive_place(self) -> Path:
        """Where a downloaded archive lies, and where a person may put one."""
        return self.cache / "downloads" / self.release.archive_name

    def find(self, path: str | None, *, allow_stand_in: bool) -> Dataset:
        """Find and prepare the dataset as ``locate`` describes it; raises UsageError, SuiteError."""
        if path is not None:
            return self._named(path)
        if self.named:
            try:
                return self._named(self.named)
            except UsageError as error:
                raise UsageError(f"{FOLDER_VARIABLE}: {error}") from error
        reasons: list[str] = []
        for attempt in (self._prepared, self._placed_archive, self._keras, self._downloaded):
            if (dataset := attempt(reasons)) is not None:
                return dataset
        what_to_do = (
            f"{'; '.join(reasons)}. Fetch {self.release.address} ({self.release.size:,} bytes, SHA-256 "
            f"{self.release.binary_sha256}) and put it at {self.archive_place}, or name a copy with --data or "
            f"{FOLDER_VARIABLE}."
        )
        if not allow_stand_in:
            raise UsageError(f"CIFAR-10 was not found. {what_to_do}")
        self.warn(
            "NO CIFAR-10 DATA: the images are a synthetic stand-in, drawn by a program, and no result says "
            f"anything about CIFAR-10. {what_to_do}"
        )
        return self._synthetic()

    def _named(self, path: str) -> Dataset:
        if path == SYNTHETIC:
            return self._synthetic()
        if not path:
            raise UsageError("The data path is empty. Name a folder or an archive that holds CIFAR-10.")
        try:
            return self._read(recognise(Path(path).expanduser().absolute(), self.release))
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}). Name another copy of CIFAR-10.") from error

    def _synthetic(self) -> Dataset:
        prepared = open_prepared(self.cache / "datasets" / stand_in.FINGERPRINT, self.release)
        if prepared is not None:
            return replace(prepared, location=prepared.source)
        self.notify("Drawing the synthetic stand-in.")
        images = stand_in.draw(self.release)
        return keep(images, images.source, self.cache, self.release)

    def _prepared(self, _: list[str]) -> Dataset | None:
        """Use prepared data only if it is canonical: what nobody named must be the real thing."""
        for place in sorted(self.cache.glob(f"datasets/*/{DESCRIPTION_NAME}")):
            dataset = open_prepared(place.parent, self.release)
            if dataset is not None and dataset.grade == "canonical":
                return replace(dataset, source=f"cache ({dataset.source})")
        return None

    def _placed_archive(self, reasons: list[str]) -> Dataset | None:
        if not self.archive_place.is_file():
            return None
        if _sha256(self.archive_place) != self.release.binary_sha256:
            reasons.append(f"{self.archive_place} is not the published archive")
            return None
        return self._read(self.archive_place)

    def _keras(self, _: list[str]) -> Dataset | None:
        """Use the archive that Keras keeps, under a name of its version, if it is the published one."""
        for path in sorted(self.keras.glob("cifar-10-batches-py*")):
            if path.is_file() and _sha256(path) == self.release.python_sha256:
                return self._read(path, "Keras cache")
        return None

    def _downloaded(self, reasons: list[str]) -> Dataset | None:
        if not self.download:
            reasons.append("Nothing was downloaded: this command only looks")
            return None
        import pooch  # most calls need no network
        import requests

        pooch.get_logger().setLevel("WARNING")
        self.notify(f"Downloading {self.release.address} ({self.release.size / 1e6:,.0f} MB) to {self.archive_place}.")
        with writing(self.cache):
            try:
                pooch.retrieve(
                    self.release.address,
                    known_hash=f"sha256:{self.release.binary_sha256}",
                    fname=self.archive_place.name,
                    path=self.archive_place.parent,
                    downloader=pooch.HTTPDownloader(timeout=TIMEOUT),
                )
            except (requests.RequestException, ValueError) as error:
                reasons.append(f"The download failed: {error}")
                return None
        return self._read(self.archive_place, "download")

    def _read(self, place: Path, source: str | None = None) -> Dataset:
        self.notify(f"Reading {place}.")
        return keep(read(place, self.release, source), str(place), self.cache, self.release)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
