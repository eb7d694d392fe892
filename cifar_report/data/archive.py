"""Read members of a ``.tar.gz`` in memory: nothing is extracted, no link followed, no size trusted."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol, cast

from cifar_report.data.files import open_regular, wrong_size
from cifar_report.errors import UsageError

# Room for the archive's other files (class names, a page of HTML) and for the headers.
OTHER_BYTES = 4 << 20
LARGEST_MEMBER_COUNT = 64


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


class _Capped:
    """A readable stream that refuses to give more bytes than a limit, so no archive can fill the memory."""

    def __init__(self, stream: _Readable, limit: int, where: Path) -> None:
        self._stream = stream
        self._left = limit
        self._where = where

    def read(self, size: int) -> bytes:
        content = self._stream.read(min(size, self._left + 1))
        self._left -= len(content)
        if self._left < 0:
            raise UsageError(
                f"{self._where} unpacks to more than CIFAR-10 holds. Fetch the archive again, or name another."
            )
        return content


def archive_batches(path: Path, wanted: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, bytes]]:
    """Yield name and bytes of each wanted member, in the archive's order, whatever folder it stands in.

    Raises UsageError where the archive is truncated, damaged, unreadable, holds links in place of wanted files,
    or holds more than CIFAR-10 does.

    - ``path`` is a gzip-compressed tar archive.
    - ``wanted`` is the smallest and the largest size in bytes of each wanted file name.
    """
    file, _ = open_regular(path)
    with file:
        try:
            yield from _members(file, path, wanted)
        except (EOFError, OSError, zlib.error, tarfile.TarError) as error:
            raise UsageError(
                f"{path} is no whole gzip-compressed tar archive ({error}): it is truncated or damaged. "
                "Fetch it again, or name another copy of CIFAR-10."
            ) from error


def _members(file: BinaryIO, path: Path, wanted: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, bytes]]:
    limit = sum(largest for _, largest in wanted.values()) + OTHER_BYTES
    with (
        gzip.GzipFile(fileobj=file, mode="rb") as unpacked,
        tarfile.open(fileobj=cast(IO[bytes], _Capped(unpacked, limit, path)), mode="r|") as archive,
    ):
        for number, member in enumerate(archive):
            if number >= LARGEST_MEMBER_COUNT:
                raise UsageError(f"{path} holds too many files to be CIFAR-10. Name another archive.")
            name = PurePosixPath(member.name).name
            if name in wanted:
                yield name, _content(archive, member, path, wanted[name])


def _content(archive: tarfile.TarFile, member: tarfile.TarInfo, path: Path, bounds: tuple[int, int]) -> bytes:
    where = f"{member.name!r} in {path}"
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise UsageError(f"{where} is no regular file. Fetch the archive again, or name another.")
    if not bounds[0] <= member.size <= bounds[1]:
        raise UsageError(wrong_size(where, member.size, *bounds))
    stream = archive.extractfile(member)
    if stream is None:
        raise UsageError(f"{where} cannot be read. Fetch the archive again, or name another.")
    return stream.read(member.size)
