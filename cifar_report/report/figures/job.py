"""One thing to be drawn: it can be sent to another process, and its figures can be found again by what they show."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.i18n import Translation, catalogue_path

PACKAGE = Path(__file__).parents[2]
DRAWN_BY = ("report", "spec")  # parts of the package whose code decides what a figure looks like
DRAWN_WITH = ("*.py", "*.otf")
PACKAGES = ("babel", "matplotlib", "msgspec", "numpy", "pillow")


@dataclass(frozen=True)
class Job:
    """A function that draws no figure, one, or several, and everything that it draws from.

    ``draw`` is its name below this package (``curves.draw_curves``), because whoever only plans or finds figures in
    the cache does without matplotlib.
    """

    draw: str
    arguments: tuple[Any, ...]

    def run(self) -> tuple[DrawnFigure, ...]:
        """Draw, in this process."""
        module, _, function = self.draw.partition(".")
        drawn = getattr(import_module(f"{__package__}.{module}"), function)(*self.arguments)
        return () if drawn is None else (drawn,) if isinstance(drawn, DrawnFigure) else tuple(drawn)

    def key(self) -> str:
        """Return a fingerprint of data, code, words and versions: with the same one the same bytes would be drawn."""
        language = next(each.language for each in self.arguments if isinstance(each, Translation))
        # Only texts as keys can be sorted, and some tables are kept by number.
        plain = msgspec.to_builtins(self.arguments, enc_hook=_plain, builtin_types=(bytes,), str_keys=True)
        content = msgspec.msgpack.encode(plain, order="sorted")
        return hashlib.sha256(b"\0".join((self.draw.encode(), _surroundings(language), content))).hexdigest()


def _plain(value: object) -> object:
    if isinstance(value, Translation):
        return value.language
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.shape, value.tobytes())
    raise NotImplementedError(f"a figure cannot be drawn from {type(value).__name__}")


@cache
def _surroundings(language: str) -> bytes:
    files = [path for part in DRAWN_BY for kind in DRAWN_WITH for path in (PACKAGE / part).rglob(kind)]
    files += [path for path in (catalogue_path(language),) if path.is_file()]
    total = hashlib.sha256("\n".join(f"{name} {version(name)}" for name in PACKAGES).encode())
    for path in sorted(files):
        total.update(f"{path.relative_to(PACKAGE).as_posix()}\0".encode())
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.digest()
