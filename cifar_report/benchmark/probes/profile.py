"""Where the time of a training step goes: TensorFlow's own profiler around one timed part, its operations in kinds.

Called as ``python -m cifar_report.benchmark.probes.profile [PART ...]`` (by default the baseline and model 2) on a
quiet machine. Prints a table in Markdown; ``docs/performance.md`` holds the last one.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cifar_report.benchmark.protocol import Setting
from cifar_report.benchmark.workload import Group, group, works
from cifar_report.data import locate
from cifar_report.errors import SuiteError, UsageError
from cifar_report.registry import load_experiments, trials_of
from cifar_report.running.environment import WORKER_VARIABLES, available_cores

DEFAULT = ("baseline", "model_2/first")
SCHEDULING = "scheduling between operations"
KINDS: Mapping[str, tuple[str, ...]] = {  # by words in TensorFlow's names; the first kind that fits counts
    "convolutions, forward": ("Conv2D_", "FusedConv2D"),
    "convolutions, gradient to the weights": ("Conv2DBackpropFilter",),
    "convolutions, gradient to the inputs": ("Conv2DBackpropInput",),
    "dense layers, all three products": ("MatMul",),
    "pooling, both ways": ("MaxPool",),
    "batch normalization, both ways": ("FusedBatchNorm",),
    "fetching and scaling images": ("Gather", "Cast", "Transform"),
    SCHEDULING: ("Process",),  # the executor's own steps
}
REST = "element by element: activations, dropout, loss, Adam"

Event = tuple[int, int, str]
"""When an operation began, how long it took (picoseconds), and its type."""


def self_times(events: Iterable[Event]) -> Counter[str]:
    """Return the time of each type of operation without that of operations inside of it, in picoseconds."""
    times: Counter[str] = Counter()
    around: list[tuple[int, str]] = []  # the operations that are not over: their ends and types
    for begun, took, kind in sorted(events, key=lambda event: (event[0], -event[1])):
        while around and around[-1][0] <= begun:
            around.pop()
        if around:
            times[around[-1][1]] -= took
        times[kind] += took
        around.append((begun + took, kind))
    return times


def by_kind(times: Mapping[str, int]) -> dict[str, float]:
    """Return the share of each kind of operation; everything that has no kind is ``REST``."""
    total = sum(times.values())
    shares: Counter[str] = Counter()
    for name, time in times.items():
        shares[kind_of(name)] += time
    return {kind: time / total for kind, time in shares.items()}


def kind_of(name: str) -> str:
    """Return the kind of an operation by TensorFlow's name for its type."""
    return next((kind for kind, words in KINDS.items() if any(word in f"{name}_" for word in words)), REST)


def read_events(folder: Path) -> list[Event]:
    """Return what the one thread that computes did, from the profile that lies in ``folder``."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    for path in folder.rglob("*.xplane.pb"):
        space.MergeFromString(path.read_bytes())
    lines: list[list[Event]] = []
    for plane in space.planes:
        names = {key: value.name.rpartition(":")[2] for key, value in plane.event_metadata.items()}
        for line in plane.lines:
            if line.name.startswith("tf_Compute"):
                lines.append([(each.offset_ps, each.duration_ps, names[each.metadata_id]) for each in line.events])
    if not lines:
        raise SuiteError("the profile names no thread tf_Compute: this version of TensorFlow writes it in another way")
    return max(lines, key=len)


def profiled(part: Group, folder: str, core: int) -> tuple[list[Event], float]:
    """Train one timed part under the profiler; return its events, and its seconds over those without the profiler."""
    import tensorflow as tf

    from cifar_report.benchmark.probes.engine import EngineProbe

    probe: Any = EngineProbe(Setting(way="engine", folder=folder, cores=(core,)))
    probe.prepare(part.slice())
    alone = probe.measure().train
    with TemporaryDirectory() as target:
        tf.profiler.experimental.start(target)
        watched = probe.measure().train
        tf.profiler.experimental.stop()
        return read_events(Path(target)), watched / alone


def table(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Return the shares of each part, in per cent, as a table in Markdown."""
    kinds = sorted({kind for each in shares.values() for kind in each}, key=[*KINDS, REST].index)
    head = ["share of a worker's time", *shares]
    rows = [[kind, *(f"{100 * each.get(kind, 0.0):.1f} %" for each in shares.values())] for kind in kinds]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def main(names: Sequence[str]) -> int:
    """Profile the named parts, one after the other in this process on one core; print what took how much."""
    parts = {each.work.name: each for each in group(works(trials_of(load_experiments()).values()))}
    unknown = [name for name in names if name not in parts or parts[name].work.mirrored]
    if unknown:
        raise UsageError(f"no timed part on one core is called {', '.join(unknown)}: there are {', '.join(parts)}")
    core = available_cores()[0]
    os.environ.update(WORKER_VARIABLES)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {core})
    folder = locate(None, allow_stand_in=True, warn=print, notify=print).folder
    shares = {}
    for name in names or DEFAULT:
        events, slower = profiled(parts[name], str(folder), core)
        shares[name] = by_kind(self_times(events))
        print(f"{name}: {len(events)} operations; the profiler made it {slower:.2f} times as slow", file=sys.stderr)
    print(table(shares))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (SuiteError, UsageError) as problem:
        sys.exit(f"profile: {problem}")
