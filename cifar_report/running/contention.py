"""What else the machine did during a measurement: processor time lost to other guests and processes, throttling."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

PROCESSORS = Path("/sys/devices/system/cpu")
CONTROL_GROUPS = Path("/sys/fs/cgroup")
NOT_BUSY = ("idle", "iowait", "steal", "guest", "guest_nice")  # the time of guests is in "user" already


@dataclass(frozen=True)
class MachineState:
    """Counters that only grow; the difference of two states tells of the time between them."""

    clock: float  # seconds
    own: float  # processor seconds of this process
    busy: float  # processor seconds of all processes on the cores that this process may use
    stolen: float  # seconds for which another guest of the host had one of the cores that are timed
    throttles: int  # how often a core or this group of processes was slowed down


@dataclass(frozen=True)
class Disturbance:
    """What happened between two states."""

    seconds: float
    processor_share: float  # of one core, of this process
    other_work: float  # cores that other processes kept busy
    stolen_seconds: float
    steal: float  # share of the timed cores' time
    throttled: bool


def read_state(timed: Sequence[int], available: Sequence[int]) -> MachineState:
    """Return the counters now, for the cores that are ``timed`` and for all that are ``available``.

    Where a system has none of them they stay at zero.
    """
    cores = psutil.cpu_times(percpu=True)
    return MachineState(
        clock=time.perf_counter(),
        own=time.process_time(),
        busy=sum(_busy(cores[core]) for core in available if core < len(cores)),
        stolen=sum(getattr(cores[core], "steal", 0.0) for core in timed if core < len(cores)),
        throttles=_throttles(),
    )


def between(before: MachineState, after: MachineState, timed: int) -> Disturbance:
    """Return what happened meanwhile, on ``timed`` cores."""
    seconds = max(after.clock - before.clock, 1e-9)
    own, stolen = after.own - before.own, max(0.0, after.stolen - before.stolen)
    return Disturbance(
        seconds=seconds,
        processor_share=own / seconds,
        other_work=max(0.0, after.busy - before.busy - own) / seconds,
        stolen_seconds=stolen,
        steal=stolen / (seconds * max(1, timed)),
        throttled=after.throttles > before.throttles,
    )


def load() -> float:
    """Return the one-minute load average; zero where the system has none."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _busy(core: object) -> float:
    fields: dict[str, float] = core._asdict()  # type: ignore[attr-defined]
    return sum(value for name, value in fields.items() if name not in NOT_BUSY)


def _throttles() -> int:
    hot = PROCESSORS.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")
    slowed = (CONTROL_GROUPS / name / "cpu.stat" for name in (*_groups(), "cpu", "cpu,cpuacct"))
    return sum(_number(path.read_text()) for path in hot) + sum(_periods(path) for path in slowed)


def _groups() -> list[str]:
    """Return the names of this process's control group and of those above it; only the top one where none is known."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    own = Path(next((line[3:].lstrip("/") for line in lines if line.startswith("0::")), ""))
    return [str(group) for group in (own, *own.parents) if ".." not in group.parts]


def _periods(path: Path) -> int:
    """Return for how many periods a control group was held back; zero where it has no such count."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return sum(_number(line.split()[1]) for line in lines if line.startswith("nr_throttled "))


def _number(text: str) -> int:
    return int(text) if text.strip().isdigit() else 0
