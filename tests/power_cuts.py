"""Cuts the power, or fills the disk, at one step of any code that writes files."""

import errno
import itertools
import os
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

CUT, REFUSED = 77, 78  # exit statuses of the process that wrote: its power was cut, or an OSError reached its caller
CALLS = {"open", "write", "flush", "close", "fsync", "rename", "replace", "unlink", "remove", "mkdir", "rmdir"}


def interrupt(act: Callable[[], object], step: int, way: str) -> bool:
    """Carry out ``act`` in a forked process that is interrupted at its ``step``-th call; whether it got that far.

    "power off" ends the process as SIGKILL does before or after one of the ``CALLS``, and what it did not flush is
    lost. "no space" lets nothing be opened for writing and no folder be made from one such call on.
    """
    with warnings.catch_warnings():  # libraries have threads of their own, of which the child uses none
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        os._exit(_child(act, step, way))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (os.EX_OK, CUT, REFUSED), f"{way} at step {step}: ended with status {status}"
    return status != os.EX_OK


def _child(act: Callable[[], object], step: int, way: str) -> int:
    sys.dont_write_bytecode = True
    places = itertools.count()

    def cut(_: object, event: str, function: object) -> None:
        if event in ("c_call", "c_return") and function.__name__ in CALLS and next(places) == step:
            os._exit(CUT)

    def refuse(event: str, arguments: tuple) -> None:
        writes = event == "open" and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if (writes or event == "os.mkdir") and next(places) >= step:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    try:
        if way == "power off":
            sys.setprofile(cut)
        else:
            sys.addaudithook(refuse)
        act()
    except OSError:
        return REFUSED
    finally:
        sys.setprofile(None)
    return os.EX_OK


def state(folder: Path) -> dict[str, bytes]:
    """Return the content of each file below a folder that is not hidden, by its path."""
    names = {path: path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file()}
    visible = {path: name for path, name in names.items() if not any(part.startswith(".") for part in name.parts)}
    return {name.as_posix(): path.read_bytes() for path, name in visible.items()}
