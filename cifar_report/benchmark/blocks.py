"""Blocks: in each, every way trains every slice in turn, so that what disturbs the machine disturbs all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Literal

import msgspec

from cifar_report.benchmark.processes import Probe
from cifar_report.benchmark.protocol import Request, Setting
from cifar_report.benchmark.workload import PEERS, Group
from cifar_report.errors import SuiteError

Way = Literal["engine", "notebook", "jax", "pytorch"]


class Sample(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long one part took one way in one block; of the engine, the sum over its workers."""

    block: int
    way: Way
    part: str
    train_rate: float  # images a second, over all workers
    evaluate_rate: float
    once_seconds: float = 0.0  # building and tracing; of the engine it is not measured here but in whole runs
    waited: float = 0.0  # share of the training time, 0 … 1, in which ``fit`` only waited for its input pipeline


class Machine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one block found out about the machine and the workers' memory."""

    block: int
    peak_one: float  # FLOP/s of float32 matrix products, one core alone
    peak_all: float  # summed over all cores at once
    start_seconds: float  # of one worker, to the end of TensorFlow's import
    memory_one: float | None = None  # bytes: proportional share of one worker alone
    memory_all: float | None = None  # and summed over all workers
    peak_memory: float = 0.0  # resident bytes, the largest of all workers; 0 in the blocks that did not look


class Blocks:
    """Carries out blocks on this machine's cores; ``missing`` names the ways that could not be had."""

    def __init__(self, folder: Path, cores: Sequence[int], peers: dict[Way, Path], tell: Callable[[str], None]) -> None:
        self._folder = str(folder)
        self._cores = tuple(cores)
        self._peers = dict(peers)
        self._tell = tell
        self.samples: list[Sample] = []
        self.machine: list[Machine] = []
        self.missing: dict[str, str] = {}

    def run(self, block: int, groups: Sequence[Group], steps: int | None = None) -> None:
        """Carry out one block in fresh processes; the order of the ways alternates between blocks.

        Raises SuiteError when the engine or the notebook way fails; nothing of such a block is kept.
        """
        try:
            self._carry_out(block, groups, steps)
        except SuiteError:
            self.samples = [sample for sample in self.samples if sample.block != block]
            self.machine = [machine for machine in self.machine if machine.block != block]
            raise

    def _carry_out(self, block: int, groups: Sequence[Group], steps: int | None) -> None:
        with ExitStack() as stack:
            others = self._start_others(stack)
            engines = [stack.enter_context(self._probe("engine", (core,))) for core in self._cores]
            self._machine(block, engines, groups, steps)
            single = [group for group in groups if not group.work.mirrored]
            for place, group in enumerate(single):
                self._tell(f"block {block + 1}: {group.work.name}")
                turns = [partial(self._engine, block, engines, group, steps)]
                turns += [
                    partial(self._other, block, probe, group, steps)
                    for probe in others
                    if probe.setting.way == "notebook" or _is_for_peers(group)
                ]
                for turn in turns if (block + place) % 2 == 0 else reversed(turns):
                    turn()
        for group in groups:
            if group.work.mirrored:
                self._tell(f"block {block + 1}: {group.work.name}")
                self._mirrored(block, group, steps)

    def _probe(self, way: Way, cores: tuple[int, ...], *, mirrored: bool = False) -> Probe:
        setting = Setting(way=way, folder=self._folder, cores=cores, mirrored=mirrored)
        return Probe(setting, self._peers.get(way))

    def _start_others(self, stack: ExitStack) -> list[Probe]:
        """Start the notebook way and the peers; a peer that does not start is named and left out from then on."""
        found = [stack.enter_context(self._probe("notebook", self._cores)).wait()]
        for way in list(self._peers):
            probe = stack.enter_context(self._probe(way, self._cores))
            try:
                found.append(probe.wait())
            except SuiteError as error:
                self._drop(way, error)
        return found

    def _drop(self, way: Way, error: SuiteError) -> None:
        self._peers.pop(way, None)
        self.missing[way] = str(error)
        self._tell(f"{way} is skipped: {error}")

    def _machine(self, block: int, engines: list[Probe], groups: Sequence[Group], steps: int | None) -> None:
        """Measure the peak of one core and of all, and in the first block the memory of one worker and of all."""
        for engine in engines:
            engine.wait()
        peak = Request(do="peak") if steps is None else Request(do="peak", repeats=1)
        alone = engines[0].ask(peak)["flops"]
        together = together_ask(engines, peak)
        memory = self._memory(engines, groups, steps) if block == 0 else []
        shares = [values["proportional"] for values in memory if "proportional" in values]
        self.machine.append(
            Machine(
                block=block,
                peak_one=alone,
                peak_all=sum(values["flops"] for values in together),
                start_seconds=max(engine.start_seconds for engine in engines),
                memory_one=shares[0] if shares else None,
                memory_all=sum(shares[1:]) if shares else None,
                peak_memory=max((values["peak"] for values in memory), default=0.0),
            )
        )

    @staticmethod
    def _memory(engines: list[Probe], groups: Sequence[Group], steps: int | None) -> list[dict[str, float]]:
        """Return what the first worker holds while it alone has trained the largest network, then what each holds."""
        largest = max((group for group in groups if not group.work.mirrored), key=lambda group: group.work.trial.macs)
        prepare, read = Request(do="prepare", slice=largest.slice(steps)), Request(do="memory")
        engines[0].ask(prepare)
        memory = [engines[0].ask(read)]
        together_ask(engines[1:], prepare)
        return memory + together_ask(engines, read)

    def _engine(self, block: int, engines: list[Probe], group: Group, steps: int | None) -> None:
        """Let every worker train the slice at the same time, as a suite's workers do."""
        together_ask(engines, Request(do="prepare", slice=group.slice(steps)))
        self._keep(block, "engine", group, together_ask(engines, Request(do="measure")))

    def _other(self, block: int, probe: Probe, group: Group, steps: int | None) -> None:
        way = probe.setting.way
        if way in self.missing:
            return
        part = group.epoch(steps) if way == "notebook" else group.slice(steps)
        try:
            probe.ask(Request(do="prepare", slice=part))
            self._keep(block, way, group, [probe.ask(Request(do="measure"))])
        except SuiteError as error:
            if way == "notebook":
                raise
            self._drop(way, error)

    def _mirrored(self, block: int, group: Group, steps: int | None) -> None:
        """Train under the strategy, each way in a process of its own; the engine's has two logical devices."""
        turns: list[Way] = ["engine", "notebook"]
        for way in turns if block % 2 == 0 else reversed(turns):
            with self._probe(way, self._cores, mirrored=True) as probe:
                probe.wait()
                if way == "engine":
                    self._engine(block, [probe], group, steps)
                else:
                    self._other(block, probe, group, steps)

    def _keep(self, block: int, way: Way, group: Group, answers: list[dict[str, float]]) -> None:
        train = sum(values["images"] / values["train_seconds"] for values in answers)
        evaluate = sum(values["evaluated"] / values["evaluate_seconds"] for values in answers)
        self.samples.append(
            Sample(
                block=block,
                way=way,
                part=group.work.name,
                train_rate=train,
                evaluate_rate=evaluate,
                once_seconds=max(values["once_seconds"] for values in answers),
                waited=max(values["waited_seconds"] / values["train_seconds"] for values in answers),
            )
        )


def together_ask(probes: Sequence[Probe], request: Request) -> list[dict[str, float]]:
    """Ask all probes at once and wait for all answers."""
    for probe in probes:
        probe.send(request)
    return [probe.receive() for probe in probes]


def _is_for_peers(group: Group) -> bool:
    return (group.work.trial.id, group.work.stage.id) in PEERS
