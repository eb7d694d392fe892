"""How a process that helps with a report begins, and how it ends."""

from __future__ import annotations

import atexit
import os
import signal
import sys
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Thread
from typing import Any

from cifar_report.collecting import collect_rarely
from cifar_report.report.typesetting.setter import Setter, prepare

ENDED = "a process that helped with the report ended early (is the memory exhausted?): build the report again"

_setter: Setter | None = None


def begin_drawing() -> None:
    """Begin a process that draws figures."""
    begin()
    collect_rarely()
    import cifar_report.report.figures.curves  # noqa: F401 - most of what comes next


def begin_setting() -> None:
    """Begin a process that sets pages, whose setter is called with ``let_set``."""
    global _setter  # noqa: PLW0603 - what this process has laid out
    # To free each box would take a second. What is registered from here on is done before it; nothing else is lost.
    atexit.register(os._exit, 0)
    begin()
    prepare()
    _setter = Setter()


def let_set(method: str, *arguments: Any) -> Any:
    """Call a method of this process's setter."""
    return getattr(_setter, method)(*arguments)


def begin() -> None:
    """Begin a process that is told what to do, and when to end, by the one that started it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the business of the process that waits
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when the one that started it was killed: nobody else would ever tell it to."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        if setting := sys.modules.get("cifar_report.report.typesetting.light"):
            setting.forget_fonts()
        os._exit(1)
