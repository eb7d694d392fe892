"""Writes what came of all faults as a table that a person reads."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime

import psutil

from cifar_report import __version__
from cifar_report.faults.outcome import Outcome

INTRODUCTION = """\
# What was broken, and what was lost

Each row is a fault that was really brought about: processes were killed, writes failed, power cuts were simulated by
ending the process, emptying every file that had not been flushed, and in one way taking back every unflushed name.
`nox -s faults` tries them again and writes this file; `nox -s faults -- --times N` tries each random one N times.
"""


def to_markdown(outcomes: Sequence[Outcome], command: str, seconds: float) -> str:
    """Return the table of all faults, with the machine, the day and the command that made it."""
    lost = sum(len(outcome.lost) for outcome in outcomes)
    tried = sum(outcome.tried for outcome in outcomes)
    lines = [
        INTRODUCTION,
        (
            f"- machine: {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
            f"{psutil.virtual_memory().total / 2**30:.0f} GiB of memory, Python {platform.python_version()}"
        ),
        f"- day: {datetime.now(UTC):%Y-%m-%d}, cifar-report {__version__}",
        f"- command: `{command}`, {seconds:.0f} s",
        f"- {tried} faults, {'nothing lost' if not lost else f'{lost} LOSSES'}",
        "",
        "| fault | tried | what must hold | lost |",
        "|---|---:|---|---|",
        *(f"| {each.fault} | {each.tried} | {each.expected} | {_losses(each)} |" for each in outcomes),
        "",
    ]
    return "\n".join(lines)


def _losses(outcome: Outcome) -> str:
    if not outcome.tried:
        return "not tried on this system"
    return "; ".join(loss.replace("|", "\\|").replace("\n", " ") for loss in outcome.lost) or "nothing"
