"""Work beside this process: figures drawn side by side, pages set while the HTML is written. The bytes are the same.

With one process everything happens here, one after the other. Workers are spawned, so that they begin with nothing
of this process, and what they import goes with them: statistics live in the one that works out the results, matplotlib
in those that draw, and the pages of a large report in those that set them.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from types import TracebackType
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from cifar_report.errors import SuiteError
from cifar_report.report import formulas
from cifar_report.report.errand import Errand
from cifar_report.report.figures.cache import FigureCache
from cifar_report.report.figures.drawn import DrawnFigure
from cifar_report.report.figures.job import Job
from cifar_report.report.formulas import Drawn
from cifar_report.report.processes import ENDED, begin_drawing, begin_setting, let_set
from cifar_report.report.typesetting.paper import Paper
from cifar_report.report.typesetting.setter import Begin, Setter, alone, set_paper

if TYPE_CHECKING:
    from cifar_report.analysis.results import Results
    from cifar_report.bundle import Bundle

P = ParamSpec("P")
T = TypeVar("T")
SETTERS = 2  # a printed report has parts for two


def usable_cores() -> int:
    """Return how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """``processes`` workers that draw, two that set pages, and one that works out the results.

    They are used in a ``with`` statement, whose end is theirs. With one process there are none, and where no ``pages``
    will be set, none but those that draw. What the cache holds is not drawn again.
    """

    def __init__(self, processes: int, cache: FigureCache | None = None, *, pages: bool = True) -> None:
        self._cache = cache
        beside = processes > 1
        pool = partial(ProcessPoolExecutor, mp_context=get_context("spawn"))
        self._drawing = pool(processes, initializer=begin_drawing) if beside else None
        # Each in a pool of its own: what a setter has laid out is finished by the same one.
        self._setters = [pool(1, initializer=begin_setting) for _ in range(SETTERS if beside and pages else 0)]
        self._foreman = ThreadPoolExecutor(1) if self._setters else None
        self._analysing: Errand[Results] | None = None
        self._formulas: Callable[[], dict[str, Drawn]] | None = None

    def analyse(self, bundle: Bundle) -> Callable[[], Results]:
        """Start working out the results, once; return what waits for them, and raises what ``analyse`` does.

        Meanwhile those that set pages import what they need, one by one: whoever works out the results needs a core.
        """
        if self._foreman is None:
            return partial(_analyse, bundle)
        self._analysing = Errand(_analyse, bundle)
        self._formulas = self._begin_formulas()
        _begin(self._foreman, self._begin_setters)
        return self._analysing.result

    def formulas(self) -> dict[str, Drawn]:
        """Return the pictures of all formulas; none where whoever needs one sets it."""
        return self._formulas() if self._formulas is not None else {}

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._analysing is not None:
            self._analysing.end()
        pools = [pool for pool in (self._foreman, self._drawing, *self._setters) if pool is not None]
        for pool in pools:
            pool.shutdown(wait=False, cancel_futures=True)
        for pool in pools:
            pool.shutdown()

    def call(self, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
        """Start ``function`` beside what draws, and return what waits for its result.

        Without workers it runs when that is called. That raises what the function raised, and SuiteError when the
        worker died.
        """
        return _begin(self._drawing, function, *arguments, **options)

    def set_pages(self, paper: Paper, *, last: bool = False) -> Callable[[], bytes]:
        """Start setting a printed report; return what waits for the PDF, and raises what ``set_paper`` does.

        Of the ``last`` one, a setter goes when it has done its part, and its memory with it.

        One is set after the other: two at a time would need the memory of both, as setters forget the one before.
        """
        setters = [_setter_in(pool) for pool in self._setters] or [alone(Setter())]
        return _begin(self._foreman, set_paper, paper, setters, self._dismiss if last else None)

    def _dismiss(self, setter: int) -> None:
        self._setters[setter].shutdown(wait=False)

    def draw(self, jobs: Iterable[Job]) -> Callable[[], tuple[DrawnFigure, ...]]:
        """Start every job whose figures the cache does not hold; return what waits for all figures, in their order.

        The last ones begin first: those on all trials take the longest, and short ones fill what is left of the time.
        """
        waiting = [self._figures(job) for job in reversed(list(jobs))][::-1]
        return lambda: tuple(figure for wait in waiting for figure in wait())

    def end_drawing(self) -> None:
        """Take no more figures: whoever drew the last one goes, and its memory with it."""
        if self._drawing is not None:
            self._drawing.shutdown(wait=False)

    def _begin_formulas(self) -> Callable[[], dict[str, Drawn]]:
        found = None if self._cache is None else self._cache.get(formulas.key(), dict[str, Drawn])
        return self.call(_draw_formulas, self._cache) if found is None else lambda: found

    def _begin_setters(self) -> None:
        with contextlib.suppress(SuiteError):  # which is raised again, and heard, when there is something to set
            for each in self._setters:
                _begin(each, _nothing)()

    def _figures(self, job: Job) -> Callable[[], tuple[DrawnFigure, ...]]:
        if self._cache is None:
            return self.call(job.run)
        key = job.key()
        found = self._cache.figures(key)
        return self.call(_draw, job, self._cache, key) if found is None else lambda: found


def _begin(pool: Executor | None, function: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> Callable[[], T]:
    if pool is None:
        return lambda: function(*arguments, **options)
    try:
        future = pool.submit(function, *arguments, **options)
    except BrokenProcessPool as error:
        raise SuiteError(ENDED) from error
    return lambda: _result(future)


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except BrokenProcessPool as error:
        raise SuiteError(ENDED) from error


def _nothing() -> None:
    """Be done at once: the first task makes a worker begin."""


def _setter_in(pool: Executor) -> Begin:
    """Return what lets the setter of a pool's only process work."""

    def begin(method: str, *arguments: Any) -> Callable[[], Any]:
        return _begin(pool, let_set, method, *arguments)

    return begin


def _analyse(bundle: Bundle) -> Results:
    from cifar_report.analysis import analyse

    return analyse(bundle)


def _draw(job: Job, cache: FigureCache, key: str) -> tuple[DrawnFigure, ...]:
    figures = job.run()
    cache.put(key, figures)
    return figures


def _draw_formulas(cache: FigureCache | None) -> dict[str, Drawn]:
    drawn = formulas.draw_all()
    if cache is not None:
        cache.put(formulas.key(), drawn)
    return drawn
