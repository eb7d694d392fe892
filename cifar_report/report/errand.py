"""A call in a process of its own, which goes with all that it has imported when the result is handed over."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from cifar_report.collecting import collect_rarely
from cifar_report.errors import SuiteError
from cifar_report.report.processes import ENDED, begin

T = TypeVar("T")


class Errand(Generic[T]):
    """``function`` called with ``arguments`` elsewhere, from now on. All of it must be fit for being sent."""

    def __init__(self, function: Callable[..., T], *arguments: Any) -> None:
        context = get_context("spawn")
        self._received, sent = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(sent, function, arguments), daemon=True)
        self._process.start()
        sent.close()  # the only one left ends with the process: who waits hears of it

    def result(self) -> T:
        """Wait for the result; raise what the function raised, and SuiteError when the process died."""
        try:
            value, raised = self._received.recv()
        except EOFError as error:
            raise SuiteError(ENDED) from error
        finally:
            self.end()
        if raised is not None:
            raise raised
        return value  # type: ignore[no-any-return]

    def end(self) -> None:
        """Give up what is still going on: it has written nothing."""
        self._process.terminate()
        self._process.join()
        self._received.close()


def _run(sent: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    begin()
    collect_rarely()
    value, raised = None, None
    try:
        value = function(*arguments)
    except BaseException as error:  # noqa: BLE001 - it is raised again where somebody waits
        if not isinstance(error, (SuiteError, ImportError)):
            error.add_note(traceback.format_exc())
        raised = error
    with contextlib.suppress(BrokenPipeError):  # nobody waits any more
        sent.send((value, raised))
