"""Work beside this process: figures drawn side by side, the HTML set while the PDF is. The bytes are the same anyhow.

With one process everything happens here, one after the other. Workers are spawned, so that they begin with nothing
of this process, and matplotlib lives in them alone.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from types import TracebackType
from typing import ParamSpec, TypeVar

from cifar_report.errors import SuiteError
from cifar_report.rendering.figures.cache import FigureCache
from cifar_report.rendering.figures.drawn import DrawnFigure
from cifar_report.rendering.figures.job import Job

P = ParamSpec("P")
T = TypeVar("T")
ENDED = "a process that drew figures or set the HTML ended early (is the memory exhausted?): build the report again"


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """``processes`` workers, or none for one; used in a ``with`` statement, at whose end they are gone."""

    def __init__(self, processes: int) -> None:
        context = get_context("spawn")
        self._pool = ProcessPoolExecutor(processes, mp_context=context) if processes > 1 else None
        for _ in range(processes if self._pool else 0):
            self.call(_prepare)  # they import what drawing needs while the results are still worked out

    def __bool__(self) -> bool:
        """Say whether there is anybody besides this process."""
        return self._pool is not None

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
        """Start ``function`` and return what waits for its result; without workers it runs when that is called.

        That raises what the function raised, and SuiteError when the worker died.
        """
        if self._pool is None:
            return lambda: function(*arguments, **options)
        try:
            future = self._pool.submit(function, *arguments, **options)
        except BrokenProcessPool as error:
            raise SuiteError(ENDED) from error
        return lambda: _result(future)

    def draw(self, jobs: Iterable[Job], cache: FigureCache | None) -> Callable[[], tuple[DrawnFigure, ...]]:
        """Start every job whose figures the cache does not hold; return what waits for all figures, in their order."""
        waiting = [self._figures(job, cache) for job in jobs]
        return lambda: tuple(figure for wait in waiting for figure in wait())

    def _figures(self, job: Job, cache: FigureCache | None) -> Callable[[], tuple[DrawnFigure, ...]]:
        key = None if cache is None else job.key()
        found = cache.get(key) if cache is not None and key is not None else None
        return self.call(_draw, job, cache, key) if found is None else lambda: found


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise SuiteError(ENDED) from error


def _prepare() -> None:
    import cifar_report.rendering.figures.curves
    import cifar_report.rendering.html  # noqa: F401 - most of what comes next


def _draw(job: Job, cache: FigureCache | None, key: str | None) -> tuple[DrawnFigure, ...]:
    figures = job.run()
    if cache is not None and key is not None:
        cache.put(key, figures)
    return figures
