"""The loop of a probe: read a request, carry it out, answer; everything printed goes to the log."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
import psutil

from cifar_report.benchmark.protocol import Answer, Request, Setting, Slice, Timed
from cifar_report.data import Dataset

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


class Probe(Protocol):
    """One way of training."""

    def prepare(self, part: Slice) -> None:
        """Build the network and do whatever happens once: tracing, compiling, the first epoch."""

    def measure(self) -> Timed:
        """Train the slice and evaluate."""


def serve(setting: Setting, probe: Probe) -> None:
    """Answer requests from standard input until it closes."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if setting.cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, setting.cores)
    _answer(answers, Answer())
    state = _State(probe)
    for line in sys.stdin:
        try:
            values = state.carry_out(msgspec.json.decode(line, type=Request))
            _answer(answers, Answer(values=values))
        except Exception:  # noqa: BLE001 - the bench names what went wrong and goes on
            _answer(answers, Answer(error=traceback.format_exc()))


def open_images(folder: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Map a prepared dataset: images uint8 [60000, 32, 32, 3] and labels uint8 [60000]."""
    dataset = Dataset(Path(folder), "", "unverified", canonical_labels=False, source="", location="")
    return dataset.images("c"), dataset.labels()


class _State:
    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._slice: Slice | None = None

    def carry_out(self, request: Request) -> dict[str, float]:
        match request.do:
            case "prepare":
                if request.slice is None:
                    raise ValueError("nothing to prepare")
                self._slice = request.slice
                self._probe.prepare(request.slice)
                return {}
            case "measure":
                return self._measure()
            case "peak":
                from cifar_report.benchmark.probes.peak import peak_flops

                return {"flops": peak_flops(request.repeats)}
            case "memory":
                return _memory()

    def _measure(self) -> dict[str, float]:
        if self._slice is None:
            raise ValueError("nothing was prepared")
        timed = self._probe.measure()
        return {
            "train_seconds": timed.train,
            "images": float(self._slice.images),
            "evaluate_seconds": timed.evaluate,
            "evaluated": float(self._slice.evaluated),
            "once_seconds": timed.once,
            "waited_seconds": timed.waited,
        }


def _memory() -> dict[str, float]:
    """Return resident bytes, and the proportional share (shared pages divided among their users) where known."""
    from cifar_report.running.worker import peak_memory

    process = psutil.Process()
    found = {"resident": float(process.memory_info().rss), "peak": float(peak_memory(process))}
    share = getattr(process.memory_full_info(), "pss", None)
    return found if share is None else found | {"proportional": float(share)}


def _answer(stream: object, answer: Answer) -> None:
    stream.write(msgspec.json.encode(answer).decode() + "\n")  # type: ignore[attr-defined]
    stream.flush()  # type: ignore[attr-defined]
