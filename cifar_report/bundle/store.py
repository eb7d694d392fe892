"""The files of a bundle and their hashes: atomic writing, bounded reading, the manifest, and the keys of runs."""

import errno
import hashlib
import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path, PurePosixPath

from cifar_report.bundle.records import SCHEMA_VERSION, DatasetRecord, Run
from cifar_report.errors import SuiteError
from cifar_report.spec import AnyTrial, Profile, spec_hash

MANIFEST_FILE = "manifest-sha256.txt"
_LINE = re.compile(r"([0-9a-f]{64})  ([^\x00-\x1f\x7f]{1,1000})\n")  # as ``sha256sum --check`` reads it
ENGINE = "engine"
ENGINE_VERSION = "1"
"""Version of everything that computes a run's result: ``cifar_report/training`` and ``cifar_report.data.split``.

Raise it with every change after which the weights, histories, scores or predictions of a run may differ in a single
bit; the test that trains one tiny run of each kind against recorded hashes (``tests/test_golden.py``) fails when it
must rise. Runs of another version are outdated and run again; comments, names and structure are no reason to.
"""
SOURCE_HASHES = {
    "34903fe42270ab2fed91415db0e85e2e55828e683e827268aa4e2b91f3d4437a": "1",  # networks
    "cb92f4df2530ad1f3376acf564b748a8792bcacd7732d89bf9fa8ed23669d7d5": "1",  # scikit-learn's classifiers
}
"""Engine versions of runs from before they were numbered, which hold a hash over the source that trained them."""


def sha256(content: bytes) -> str:
    """Return the SHA-256 of ``content`` in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def write_file(path: Path, content: bytes) -> None:
    """Replace a file atomically: flushed to the disk under a temporary name, then renamed."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with naming(path), temporary.open("xb") as stream:
            stream.write(content)
            stream.flush()
            _flush_to_disk(stream.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextmanager
def naming(target: Path) -> Iterator[None]:
    """Let an OSError name what was written where it names nothing, or what was read, as for a full disk."""
    try:
        yield
    except OSError as error:
        if error.filename is None or error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename = str(target)
        raise


def _flush_to_disk(descriptor: int) -> None:
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # a file system that cannot
            raise


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    """Replace the files of a folder; the last of ``files`` is its commit: removed first, written last."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / list(files)[-1]).unlink(missing_ok=True)
    for path in sorted(folder.iterdir()):
        if path.name not in files:
            _remove(path)
    for name, content in files.items():
        write_file(folder / name, content)


def remove_leftovers(folder: Path) -> None:
    """Remove below ``folder`` what interrupted writers left; only the holder of the bundle's lock may do so."""
    for path in sorted(folder.rglob(".*.part")):
        _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def open_plain(path: Path) -> BufferedReader:
    """Open a regular file for reading; raises OSError, and ValueError for a link, a pipe, a device or a folder."""
    if not stat.S_ISREG(path.lstat().st_mode):
        raise ValueError("it is a link, a folder or a device, where a plain file must be")
    return path.open("rb")


def read_plain(path: Path, most_bytes: int) -> bytes:
    """Read a regular file whole; raises OSError, and ValueError where it is none or larger than ``most_bytes``."""
    with open_plain(path) as stream:
        content = stream.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise ValueError(f"it is larger than {most_bytes} bytes: this project writes no such file")
    return content


def write_manifest(folder: Path) -> None:
    """Write the list of all files of the bundle with their SHA-256, sorted by path."""
    update_manifest(folder, {}, bundle_files(folder))


def update_manifest(folder: Path, listed: dict[str, str], changed: Iterable[Path]) -> None:
    """Write the manifest as ``listed``, with new hashes of ``changed`` files alone, so that damage stays visible."""
    hashes = dict(listed)
    for path in changed:
        with path.open("rb") as stream:
            hashes[path.relative_to(folder).as_posix()] = hashlib.file_digest(stream, "sha256").hexdigest()
    names = sorted(hashes, key=PurePosixPath)  # as a walk through the folder goes
    write_file(folder / MANIFEST_FILE, "".join(f"{hashes[name]}  {name}\n" for name in names).encode())


def read_manifest(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file of a bundle by its path; raises SuiteError when it is missing or damaged."""
    path = folder / MANIFEST_FILE
    listed: dict[str, str] = {}
    try:
        for number, line in enumerate(read_plain(path, 16 * 2**20).decode().splitlines(keepends=True), 1):
            found = _LINE.fullmatch(line)
            if found is None or found[2] in listed:
                raise ValueError(f"line {number} is {'no hash with a path' if found is None else 'there twice'}")
            listed[found[2]] = found[1]
    except FileNotFoundError:
        missing = f"it holds no {MANIFEST_FILE}; let its suite come to the end first"
        raise SuiteError(f"{folder} is not finished: {missing}") from None
    except (OSError, ValueError) as error:
        raise SuiteError(f"{path} is no list of files with their SHA-256: {error}") from error
    return listed


def bundle_files(folder: Path) -> Iterator[Path]:
    """Yield the files that belong to a bundle: no hidden ones, no links, and not the manifest itself."""
    for path in sorted(folder.rglob("*")):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path != folder / MANIFEST_FILE:
            yield path


def recorded_parts(
    trial: AnyTrial, seed: int | None, profile: Profile, dataset: DatasetRecord, version: int = SCHEMA_VERSION
) -> dict[str, str]:
    """Return the parts of a key that say which run it is, as a record of that schema version holds them."""
    return {
        "spec": spec_hash(trial, version),
        "dataset": dataset.fingerprint,
        "split": f"{trial.split_seed}, {profile.fraction:g} of the images, counts {profile.counts or 'as they are'}",
        "seed": "none" if seed is None else str(seed),
    }


def current_parts(run: Run) -> dict[str, str]:
    """Return a stored run's key parts as they are written today: the hash of its trial, its engine's version."""
    parts = with_engine(run.key_parts)
    return parts | {"spec": spec_hash(run.trial)} if "spec" in parts else parts


def with_engine(parts: dict[str, str]) -> dict[str, str]:
    """Return key parts with the engine's version in place of a hash over its source; an unknown hash stays."""
    if "training code" not in parts:
        return dict(parts)
    versions = {SOURCE_HASHES.get(code, code) for code in parts["training code"].split(", ")}
    others = {name: value for name, value in parts.items() if name != "training code"}
    return {**others, ENGINE: ", ".join(sorted(versions))}
