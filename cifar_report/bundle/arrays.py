"""Arrays in ``.npz`` files: the same bytes for the same arrays, and bounded, pickle-free reading."""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cifar_report.errors import SuiteError

MOST_BYTES = 512 * 2**20  # of one file, unpacked; the largest real one is about 20 MB
MOST_ARRAYS = 1_000
_NAME = re.compile(r"[a-z0-9_.]{1,120}\.npy")
_DTYPES = ("|u1", "<i4", "<i8", "<f4", "<f8", "|b1")


def dump_arrays(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Return a compressed ``.npz`` whose bytes depend on names and arrays alone (fixed dates, sorted names)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(arrays[name]), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def load_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read an ``.npz`` file; nothing is unpickled and no size is believed before it was bounded.

    Raises SuiteError naming the file when it is missing, damaged, too large or holds anything but plain arrays.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARRAYS or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise ValueError(f"declares more than {MOST_ARRAYS} arrays or {MOST_BYTES} bytes")
            return {entry.filename[: -len(".npy")]: _load_member(archive, entry) for entry in entries}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError) as error:
        raise SuiteError(f"{path} cannot be read as arrays: {error}") from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise SuiteError(f"{path} cannot be read as arrays: {error}") from error
        raise


def _load_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    if not _NAME.fullmatch(entry.filename):
        raise ValueError(f"unexpected member {entry.filename!r}")
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    member = io.BytesIO(content)
    version = np.lib.format.read_magic(member)
    if version != (1, 0):
        raise ValueError(f"{entry.filename}: array format {version} instead of (1, 0)")
    shape, fortran, dtype = np.lib.format.read_array_header_1_0(member)
    size = math.prod(shape) * dtype.itemsize
    if dtype.str not in _DTYPES or fortran or min(shape, default=0) < 0:
        raise ValueError(f"{entry.filename}: unexpected array of {dtype.str} and shape {shape}")
    if size != len(content) - member.tell():
        raise ValueError(f"{entry.filename}: {len(content) - member.tell()} bytes for shape {shape}")
    return np.frombuffer(content, dtype, offset=member.tell()).reshape(shape)
