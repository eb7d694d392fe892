"""Finds the bundle that a report is made from when none is named."""

from __future__ import annotations

from pathlib import Path

from cifar_report.bundle.bundle import RECORD_FILE, read_record
from cifar_report.errors import UsageError

BUNDLES = Path("report") / "bundle"
"""Where bundles lie unless another folder is named: below the folder that the command is called in."""


def find_bundle(named: Path | None, profile: str | None = None) -> Path:
    """Return the named bundle, else the one below ``report/bundle`` that was written last.

    ``profile`` narrows the choice. Raises UsageError where there is none.
    """
    if named is not None:
        record = read_record(named)
        if profile is not None and record.profile.name != profile:
            raise UsageError(f"{named} was made with the profile {record.profile.name!r}, not {profile!r}")
        return named
    records = BUNDLES.glob(f"{profile}-*/{RECORD_FILE}" if profile else f"*/{RECORD_FILE}")
    written = sorted(records, key=lambda path: (path.stat().st_mtime_ns, path))
    if not written:
        which = f" of the profile {profile!r}" if profile else ""
        raise UsageError(f"there is no bundle{which} below {BUNDLES}: run the experiments first, or name one")
    return written[-1].parent
