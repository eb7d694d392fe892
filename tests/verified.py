"""Small bundles that verify, and what an attacker does to them: change something, then make all hashes fit again."""

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from shutil import copytree
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import numpy as np
from reports import few_experiments

from cifar_report.analysis import analyse
from cifar_report.bundle import BundleRecord, Run, encode, read_record, read_run, sha256, write_folder, write_record
from cifar_report.bundle.store import write_manifest
from cifar_report.report.tables import summary_tables
from cifar_report.simulation import Simulation, simulate_bundle
from cifar_report.spec import PROFILES, json_hash, spec_hash
from cifar_report.verify.integrity import verify_bundle
from cifar_report.verify.records import Report, check_files

SMOKE = PROFILES["smoke"]

_FOLDERS: list[TemporaryDirectory[str]] = []


@cache
def made(experiments: Sequence[str] = ("baseline", "classical"), *, derived: bool = True, **settings: Any) -> Path:
    """Return a finished simulated bundle, to be copied and not changed; ``derived``: with tables and a figure."""
    _FOLDERS.append(TemporaryDirectory())
    folder = Path(_FOLDERS[-1].name) / "bundle"
    simulation = Simulation(**{"profile": SMOKE, "seeds": 1, "timing": True} | settings)
    bundle = simulate_bundle(folder, few_experiments(*experiments), simulation)
    if derived:
        write_folder(folder / "tables", summary_tables(bundle, analyse(bundle)))
        write_folder(folder / "figures", {"costs.svg": b"<svg/>", "costs.csv": b"x\n1\n"})
    finish(folder)
    return folder


def copied(target: Path, source: Path | None = None) -> Path:
    """Return a copy of a bundle that a test may damage."""
    return copytree(source or made(), target / "bundle", symlinks=True)


def finish(folder: Path) -> None:
    """Write the manifest, as the end of a pass does."""
    write_manifest(folder)


def change_run(folder: Path, run_id: str, change: Callable[[Run], Run], **arrays: bytes) -> None:
    """Edit a run's record and files (``predictions=…``), then make every hash and key of the bundle fit."""
    run = change(read_run(folder, run_id))
    place = folder / "runs" / run.id
    for name, content in arrays.items():
        (place / f"{name}.npz").write_bytes(content)
    files = {path.name: sha256(path.read_bytes()) for path in sorted(place.glob("*.npz"))}
    run = msgspec.structs.replace(run, files=files, key=json_hash(run.key_parts), spec_hash=spec_hash(run.trial))
    (place / "run.json").write_bytes(encode(run))
    finish(folder)


def change_record(folder: Path, change: Callable[[BundleRecord], BundleRecord]) -> None:
    """Edit the bundle's own record, then make every hash of the bundle fit."""
    write_record(folder, change(read_record(folder)))
    finish(folder)


def set_in(part: Any, path: str, value: Any) -> Any:
    """Return a record with one field changed; ``path`` leads there, ``value`` may be a function of the old one."""
    name, _, rest = path.partition(".")
    if isinstance(part, tuple):
        return (*part[: int(name)], _changed(part[int(name)], rest, value), *part[int(name) + 1 :])
    if isinstance(part, dict):
        return part | {name: _changed(part.get(name), rest, value)}
    return msgspec.structs.replace(part, **{name: _changed(getattr(part, name), rest, value)})


def _changed(old: Any, rest: str, value: Any) -> Any:
    if rest:
        return set_in(old, rest, value)
    return value(old) if callable(value) else value


def flip(path: Path, bit: int) -> None:
    """Turn over one bit of a file, counted from its beginning and around its end."""
    content = bytearray(path.read_bytes())
    place = (bit // 8) % len(content)
    content[place] ^= 1 << bit % 8
    path.write_bytes(bytes(content))


def files_of(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def findings(folder: Path) -> dict[str, str]:
    """Verify a bundle and return all problems by file, in one text a file."""
    return _by_file(verify_bundle(folder))


def file_findings(folder: Path) -> dict[str, str]:
    """Compare the files of a bundle with its manifest and return all problems likewise."""
    report = Report(folder)
    check_files(report)
    return _by_file(report)


def _by_file(report: Report) -> dict[str, str]:
    found: dict[str, str] = {}
    for file, problem in report.findings:
        found[file] = found.get(file, "") + f"{problem}\n"
    return found


def edited(array: np.ndarray, place: Any, value: Any) -> np.ndarray:
    """Return a copy of an array with one entry changed."""
    copy = np.array(array)
    copy[place] = value
    return copy
