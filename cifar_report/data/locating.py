"""Find CIFAR-10 for a command: what was named, else what the machine has, else the network."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cifar_report.data.dataset import Dataset
from cifar_report.data.release import CIFAR10
from cifar_report.errors import UsageError

FOLDER_VARIABLE = "CIFAR10_DIR"
CACHE_VARIABLE = "CIFAR_REPORT_CACHE"
SYNTHETIC = "synthetic"


@dataclass(frozen=True)
class Places:
    """Where to look: the folder that the environment names, our cache, and Keras's datasets."""

    named: str | None
    cache: Path
    keras: Path

    @classmethod
    def of(cls, environment: Mapping[str, str], home: Path) -> Places:
        """Read the environment variables; an empty one counts as not set."""
        base = environment.get("XDG_CACHE_HOME")
        # The XDG specification: a relative path there is to be ignored.
        parent = Path(base) if base and Path(base).is_absolute() else home / ".cache"
        cache = environment.get(CACHE_VARIABLE)
        keras = environment.get("KERAS_HOME")
        return cls(
            named=environment.get(FOLDER_VARIABLE) or None,
            cache=Path(cache).absolute() if cache else parent / "cifar-report",
            keras=(Path(keras) if keras else home / ".keras") / "datasets",
        )


def locate(
    path: str | None,
    *,
    allow_stand_in: bool,
    warn: Callable[[str], None],
    notify: Callable[[str], None] | None = None,
    download: bool = True,
) -> Dataset:
    """Find, verify and prepare the dataset; a source that has not changed is not read again.

    Raises UsageError where what was named is not CIFAR-10, or nothing was found and no stand-in allowed, and
    SuiteError where the cache cannot be written.

    - ``path`` is a folder or an archive; ``synthetic`` for the stand-in; None to look in ``CIFAR10_DIR``,
      the cache and Keras's cache, then to download.
    - ``allow_stand_in`` is whether the stand-in may replace data that cannot be found or downloaded.
    - ``warn`` is called with a sentence when the stand-in does replace it.
    - ``notify`` is called with a sentence before something that takes long.
    - ``download`` is whether the archive may be fetched when nothing else is found.
    """
    # Imported here because a command's --help must not wait for what only a search needs.
    from cifar_report.data.searching import Search

    try:
        places = Places.of(os.environ, Path.home())
    except RuntimeError as error:
        raise UsageError("This account has no home folder. Set HOME to a folder that can be written.") from error
    search = Search(places, CIFAR10, warn, notify or (lambda _: None), download)
    return search.find(path, allow_stand_in=allow_stand_in)
