"""What was drawn before: a folder of files that may be deleted at any time, and never changes a byte."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from cifar_report.data.searching import cache_folder
from cifar_report.report.figures.drawn import DrawnFigure

MOST_BYTES = 200_000_000
FOLDER = "figures"


T = TypeVar("T")


class FigureCache:
    """Finished figures by the key of their job, and formulas; each file has its own hash at its beginning.

    What is damaged, foreign or cannot be read counts as not there; what cannot be written is not kept.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        self.folder = folder
        self.most_bytes = most_bytes

    def figures(self, key: str) -> tuple[DrawnFigure, ...] | None:
        """Return the figures of a job, None where they have to be drawn."""
        return self.get(key, tuple[DrawnFigure, ...])

    def get(self, key: str, kind: type[T]) -> T | None:
        """Return what was put there, None where there is nothing of this kind."""
        path = self.folder / key
        try:
            content = path.read_bytes()
            digest, body = content[:32], content[32:]
            if hashlib.sha256(key.encode() + body).digest() != digest:
                return None
            os.utime(path)  # the files that nobody asks for go first
            return msgspec.msgpack.decode(body, type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def put(self, key: str, drawn: object) -> None:
        """Keep what was drawn."""
        body = msgspec.msgpack.encode(drawn, enc_hook=_plain)
        beside = self.folder / f".{key}.{os.getpid()}"
        with contextlib.suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(hashlib.sha256(key.encode() + body).digest() + body)
            beside.replace(self.folder / key)

    def prune(self) -> None:
        """Delete what was not asked for the longest, until the folder is as small as it is meant to be."""
        with contextlib.suppress(OSError):
            files = [(path.stat().st_mtime, path.stat().st_size, path) for path in self.folder.iterdir()]
            size = sum(bytes_ for _, bytes_, _ in files)
            for _, bytes_, path in sorted(files):
                if size <= self.most_bytes:
                    return
                path.unlink(missing_ok=True)
                size -= bytes_


def _plain(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise NotImplementedError(f"no figure holds a {type(value).__name__}")


def user_cache() -> FigureCache | None:
    """Return the figures beside the user's prepared datasets; None for a user without a home."""
    try:
        return FigureCache(cache_folder() / FOLDER)
    except RuntimeError:
        return None
