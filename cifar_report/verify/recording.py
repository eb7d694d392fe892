"""Puts a certificate into the finished bundle that it speaks of: wholly or not at all, however that ends."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from cifar_report.bundle import encode, make_folder, write_file
from cifar_report.bundle.certificates import CERTIFICATES, Certificate, certificate_files
from cifar_report.bundle.manifest import (
    MANIFEST_FILE,
    MOST_MANIFEST_BYTES,
    parse_manifest,
    read_manifest,
    update_manifest,
)
from cifar_report.bundle.reading import read_plain
from cifar_report.bundle.store import move_aside, put_back, remove
from cifar_report.errors import SuiteError

ASIDE = f".{MANIFEST_FILE}.*.old.part"


def record_certificate(folder: Path, certificate: Certificate) -> Path:
    """Put a certificate into a finished bundle, renew the manifest for it, and return its path.

    The manifest is aside meanwhile, so that a bundle whose files do not fit to it yet counts as unfinished. What fails
    is undone; what was killed in between is undone by ``take_back``. The other files keep the hashes that they had.
    """
    listed = read_manifest(folder)
    path = folder / CERTIFICATES / certificate.file_name
    make_folder(path.parent)
    move_aside(folder / MANIFEST_FILE)
    try:
        write_file(path, encode(certificate))
        update_manifest(folder, listed, (path,))
    except BaseException:
        with suppress(OSError):  # a disk that is full may refuse this as well: the next call has another try
            take_back(folder)
        raise
    take_back(folder)
    return path


def was_stopped(folder: Path) -> bool:
    """Whether somebody was stopped while a certificate was put into the bundle."""
    return any(folder.glob(ASIDE))


def take_back(folder: Path) -> None:
    """Undo a certificate that was put into the bundle in part; only the holder of the bundle may do so.

    One that is there as a whole stays. Raises SuiteError where the manifest that was put aside cannot be read.
    """
    for aside in sorted(folder.glob(ASIDE)):
        if (folder / MANIFEST_FILE).exists():
            remove(aside)
            continue
        try:
            listed = parse_manifest(read_plain(aside, MOST_MANIFEST_BYTES))
        except ValueError as error:
            raise SuiteError(f"{aside} cannot be put back: {error}") from error
        for name in certificate_files(folder):
            if name not in listed:
                remove(folder / name)
        put_back(aside, folder / MANIFEST_FILE)
