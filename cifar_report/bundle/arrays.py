"""Arrays in ``.npz`` files: the same bytes for the same arrays, and bounded, pickle-free reading."""

from __future__ import annotations

import io
import math
import re
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from cifar_report.bundle.reading import open_plain
from cifar_report.errors import SuiteError

MOST_BYTES = 128 * 2**20  # of one file, unpacked; the largest real one is about 20 MB
MOST_ARRAYS = 1_000
_NAME = re.compile(r"[a-z0-9_.]{1,120}\.npy")
# The one form in which NumPy writes such arrays (format 1.0); its own reader would evaluate the header's text.
_HEADER = re.compile(
    rb"\x93NUMPY\x01\x00(?s:..)\{'descr': '(?P<dtype>\|u1|\|b1|<i4|<i8|<f4|<f8)', 'fortran_order': False, "
    rb"'shape': \((?P<shape>[0-9, ]{0,200})\), \} *\n"
)
_ENCRYPTED = 0x1  # flag bit of a zip archive's entry
_UNREADABLE = (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error)


def dump_arrays(arrays: Mapping[str, np.ndarray[Any, Any]], *, compress: bool = True) -> bytes:
    """Return an ``.npz`` whose bytes depend on names and arrays alone (fixed dates, sorted names)."""
    method = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in sorted(arrays):
            member = io.BytesIO()
            np.lib.format.write_array(member, np.asarray(arrays[name], order="C"), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = method
            archive.writestr(entry, member.getvalue())
    return buffer.getvalue()


def load_arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    """Read an ``.npz`` file; nothing is unpickled and no size is believed before it was bounded.

    Raises SuiteError naming the file when it is missing, damaged, too large or holds anything but plain arrays.
    """
    try:
        with open_plain(path) as stream, zipfile.ZipFile(stream) as archive:
            entries = archive.infolist()
            if len(entries) > MOST_ARRAYS or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise ValueError(f"declares more than {MOST_ARRAYS} arrays or {MOST_BYTES} bytes")
            if len({entry.filename for entry in entries}) < len(entries):
                raise ValueError("two arrays have the same name")
            return {entry.filename[: -len(".npy")]: _load_member(archive, entry) for entry in entries}
    except _UNREADABLE as error:
        raise SuiteError(f"{path} cannot be read as arrays: {error}") from error


def _load_member(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    if not _NAME.fullmatch(entry.filename):
        raise ValueError(f"unexpected member {entry.filename!r}")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & _ENCRYPTED:
        raise ValueError(f"{entry.filename} is packed or encrypted in an unexpected way")
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    header = _HEADER.match(content)
    if header is None or int.from_bytes(content[8:10], "little") != header.end() - 10:
        raise ValueError(f"{entry.filename}: not the header of an array that this project writes")
    shape = tuple(int(side) for side in header["shape"].replace(b",", b" ").split())
    dtype = np.dtype(header["dtype"].decode())
    size = len(content) - header.end()
    if math.prod(shape) * dtype.itemsize != size:
        raise ValueError(f"{entry.filename}: {size} bytes for {dtype} of shape {shape}")
    return np.frombuffer(content, dtype, offset=header.end()).reshape(shape)
