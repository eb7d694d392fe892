"""Puts a certificate into the finished bundle that it speaks of."""

from __future__ import annotations

from pathlib import Path

from cifar_report.bundle import encode, write_file
from cifar_report.bundle.certificates import CERTIFICATES, Certificate, certificate_files
from cifar_report.bundle.manifest import read_manifest, update_manifest


def record_certificate(folder: Path, certificate: Certificate) -> Path:
    """Put a certificate into a finished bundle, list it in the manifest, and return its path.

    The other files keep the hashes that they had. After an interruption the manifest does not list it: ``rollback``.
    """
    listed = read_manifest(folder)
    path = folder / CERTIFICATES / certificate.file_name
    path.parent.mkdir(exist_ok=True)
    write_file(path, encode(certificate))
    update_manifest(folder, listed, (path,))
    return path


def rollback(folder: Path) -> None:
    """Remove certificates that the manifest does not list: their recording was interrupted.

    Only the holder of the bundle's lock may do so. Raises SuiteError where the bundle is unfinished.
    """
    listed = read_manifest(folder)
    for name in certificate_files(folder):
        if name not in listed:
            (folder / name).unlink()
