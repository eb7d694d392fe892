"""Find CIFAR-10: what was named, else what the machine has, else the network."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cifar_report.data import stand_in
from cifar_report.data.dataset import DESCRIPTION_NAME, RELEASE, PreparedData, Release, keep, open_prepared, writing
from cifar_report.data.reading import read, recognise, sha256_of
from cifar_report.errors import UsageError
from cifar_report.spec import CIFAR10, Dataset

FOLDER_VARIABLE = "CIFAR10_DIR"
SYNTHETIC = "synthetic"

Say = Callable[[str], None]


def cache_folder() -> Path:
    """Return the cache: ``CIFAR_REPORT_CACHE``, else a folder in XDG's cache, else in ``~/.cache``."""
    own, base = os.environ.get("CIFAR_REPORT_CACHE"), os.environ.get("XDG_CACHE_HOME")
    return Path(own).absolute() if own else Path(base or Path.home() / ".cache").absolute() / "cifar-report"


def locate(
    path: str | None,
    *,
    allow_stand_in: bool,
    warn: Say,
    notify: Say = lambda _: None,
    download: bool = True,
    release: Release = RELEASE,
) -> PreparedData:
    """Find CIFAR-10 in ``path`` (``synthetic``: the stand-in), else on the machine, else the network, and prepare it.

    The stand-in may replace what is not found (``allow_stand_in``), which ``warn`` is told; ``notify`` hears what takes
    long. Raises UsageError where what was named is not CIFAR-10, or nothing was found, SuiteError where the cache is
    not written.
    """
    if path is not None:
        return _named(path, release, notify)
    if variable := os.environ.get(FOLDER_VARIABLE):
        try:
            return _named(variable, release, notify)
        except UsageError as error:
            raise UsageError(f"{FOLDER_VARIABLE}: {error}") from error
    place = cache_folder() / "downloads" / release.archive_name  # of a download; a person may put the archive there
    reasons: list[str] = []
    found = find_prepared(CIFAR10, release) or _archived(place, release, notify, reasons)
    if found is None and download:
        found = _downloaded(place, release, notify, reasons)
    elif found is None:
        reasons.append("Nothing was downloaded: this command only looks")
    if found is not None:
        return found
    what_to_do = (
        f"{'; '.join(reasons)}. Fetch {release.address} ({release.size:,} bytes, SHA-256 {release.binary_sha256}) "
        f"and put it at {place}, or name a copy with --data or {FOLDER_VARIABLE}."
    )
    if not allow_stand_in:
        raise UsageError(f"CIFAR-10 was not found. {what_to_do}")
    warn(
        "NO CIFAR-10 DATA: the images are a synthetic stand-in, drawn by a program, and no result says "
        f"anything about CIFAR-10. {what_to_do}"
    )
    return _named(SYNTHETIC, release, notify)


def find_fingerprint(fingerprint: str, release: Release = RELEASE) -> PreparedData | None:
    """Return the data of a fingerprint from the cache, the stand-in drawn where it is not there; else None."""
    if fingerprint == stand_in.FINGERPRINT:
        return _synthetic(release, lambda _: None)
    return open_prepared(cache_folder() / "datasets" / fingerprint, release)


def _named(path: str, release: Release, notify: Say) -> PreparedData:
    if path == SYNTHETIC:
        return _synthetic(release, notify)
    if not path:
        raise UsageError("The data path is empty. Name a folder or an archive that holds CIFAR-10.")
    try:
        return _read(recognise(Path(path).expanduser().absolute(), release), release, notify)
    except OSError as error:
        raise UsageError(f"{path} cannot be read ({error.strerror}). Name another copy of CIFAR-10.") from error


def _synthetic(release: Release, notify: Say) -> PreparedData:
    prepared = open_prepared(cache_folder() / "datasets" / stand_in.FINGERPRINT, release)
    if prepared is not None:
        return replace(prepared, location=prepared.source)
    notify("Drawing the synthetic stand-in.")
    images = stand_in.draw(release)
    return keep(images, images.source, cache_folder(), release)


def find_prepared(about: Dataset, release: Release | None = None) -> PreparedData | None:
    """Use prepared data only if it is canonical: what nobody named must be the real thing."""
    for place in sorted(cache_folder().glob(f"datasets/*/{DESCRIPTION_NAME}")):
        dataset = open_prepared(place.parent, release)
        if dataset is not None and dataset.grade == "canonical" and dataset.about == about:
            return replace(dataset, source=f"cache ({dataset.source})")
    return None


def _archived(place: Path, release: Release, notify: Say, reasons: list[str]) -> PreparedData | None:
    """Use a published archive that was put into the cache, or that Keras keeps under a name of its version."""
    keras = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "datasets")
    for archive in (place, *sorted(keras.glob("cifar-10-batches-py*"))):
        if archive.is_file():
            if sha256_of(archive) in (release.binary_sha256, release.python_sha256):
                return _read(archive, release, notify, None if archive == place else "Keras cache")
            reasons.append(f"{archive} is not the published archive")
    return None


def _downloaded(place: Path, release: Release, notify: Say, reasons: list[str]) -> PreparedData | None:
    notify(f"Downloading {release.address} ({release.size / 1e6:,.0f} MB) to {place}.")
    if (problem := fetch(release.address, release.binary_sha256, place)) is not None:
        reasons.append(problem)
        return None
    return _read(place, release, notify, "download")


def fetch(address: str, digest: str, place: Path) -> str | None:
    """Download a file that has this SHA-256; return why it could not be, None where it is in its place now."""
    import pooch  # most calls need no network
    import requests

    pooch.get_logger().setLevel("WARNING")
    downloader = pooch.HTTPDownloader(timeout=15.0)  # seconds, for connecting and for each read
    with writing(cache_folder()):
        try:
            pooch.retrieve(address, f"sha256:{digest}", fname=place.name, path=place.parent, downloader=downloader)
        except (requests.RequestException, ValueError) as error:
            return f"The download failed: {error}"
    return None


def _read(place: Path, release: Release, notify: Say, source: str | None = None) -> PreparedData:
    notify(f"Reading {place}.")
    return keep(read(place, release, source), str(place), cache_folder(), release)
