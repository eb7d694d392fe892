"""Derives the findings and the table from blocks, fixed costs and the suite's plan."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from cifar_report.benchmark.blocks import Machine, Sample, Way
from cifar_report.benchmark.costs import FixedCosts
from cifar_report.benchmark.results import Finding, TableRow, finding
from cifar_report.benchmark.suite_time import efficiency, suite_time
from cifar_report.benchmark.workload import PEERS, Group
from cifar_report.running.plan import PlannedRun

SUITE_LIMIT, OVERHEAD_LIMIT, IDLE_LIMIT = 0.45, 0.10, 0.05
EFFICIENCY_AIMS = {"baseline": 0.45, "model_2/first": 0.60}
MEMORY_LIMIT, GROWTH_LIMIT = 1.5e9, 1.0e9  # bytes, a worker
PEER_NAMES: dict[Way, str] = {"pytorch": "a plain PyTorch loop", "jax": "Keras on JAX"}


def findings(
    runs: Sequence[PlannedRun],
    groups: Sequence[Group],
    samples: Sequence[Sample],
    machine: Sequence[Machine],
    costs: FixedCosts,
    workers: int,
) -> tuple[Finding, ...]:
    """Return every measure of the suite with its aim."""
    times = [suite_time(runs, groups, samples, block, costs, workers) for block in machine]
    found = [
        finding(
            "whole suite: this engine's time over the notebook way's",
            "ratio",
            [time.ratio for time in times],
            limit=SUITE_LIMIT,
            must=True,
        ),
        finding(
            "the same if the notebook way never waited for its input pipeline",
            "ratio",
            [time.ratio_without_waits for time in times],
        ),
        finding(
            "waiting for the input pipeline, of the notebook way's time",
            "share",
            [time.waited / time.notebook for time in times],
        ),
        *_efficiencies(groups, samples, machine),
        finding(
            "overhead around training (start, import, trace, evaluate, checkpoint, write), of the workers' time",
            "share",
            [time.overhead for time in times],
            limit=OVERHEAD_LIMIT,
            must=True,
        ),
        finding(
            "all but training steps: the overhead and the validation after each epoch",
            "share",
            [time.beyond_steps for time in times],
        ),
        finding("idle workers over the whole suite", "share", [time.idle for time in times], limit=IDLE_LIMIT),
        finding("the full suite, this engine", "seconds", [time.engine for time in times]),
        finding("the full suite, the notebook way", "seconds", [time.notebook for time in times]),
    ]
    return (*found, *_peers(groups, samples), *_memory(machine, costs, workers))


def table(groups: Sequence[Group], samples: Sequence[Sample], seeds: int, steps: int | None) -> tuple[TableRow, ...]:
    """Return one row for each timed part."""
    rows = []
    for group in groups:
        name = group.work.name
        engine, notebook = _rates(samples, "engine", name), _rates(samples, "notebook", name)
        ratios = [notebook[block] / engine[block] for block in engine if block in notebook]
        rows.append(
            TableRow(
                part=name,
                stands_for=tuple(work.name for work in group.stands_for),
                runs=group.runs,
                steps=sum(work.steps for work in group.stands_for) * seeds,
                slice_steps=group.slice(steps).steps,
                engine=median(engine.values()),
                notebook=median(notebook.values()) if notebook else None,
                ratio=finding(name, "ratio", ratios) if ratios else None,
            )
        )
    return tuple(rows)


def _efficiencies(groups: Sequence[Group], samples: Sequence[Sample], machine: Sequence[Machine]) -> list[Finding]:
    found = []
    peaks = {block.block: block.peak_all for block in machine}
    for group in groups:
        name, trial = group.work.name, group.work.trial
        if name not in EFFICIENCY_AIMS:
            continue
        rates = _rates(samples, "engine", name)
        for words, strict in (("three forward passes an image", False), ("without the gradient to the image", True)):
            values = [efficiency(trial, rate, peaks[block], strict=strict) for block, rate in rates.items()]
            limit = None if strict else EFFICIENCY_AIMS[name]
            label = f"{name}: FLOP/s over the matrix-product peak, {words}"
            found.append(finding(label, "share", values, limit=limit, more=True))
    return found


def _peers(groups: Sequence[Group], samples: Sequence[Sample]) -> list[Finding]:
    found = []
    for group in groups:
        if (group.work.trial.id, group.work.stage.id) not in PEERS:
            continue
        engine = _rates(samples, "engine", group.work.name)
        for way, name in PEER_NAMES.items():
            theirs = _rates(samples, way, group.work.name)
            if values := [theirs[block] / engine[block] for block in engine if block in theirs]:
                found.append(finding(f"{group.work.name}: this engine's time over that of {name}", "ratio", values))
    return found


def _memory(machine: Sequence[Machine], costs: FixedCosts, workers: int) -> list[Finding]:
    largest = max(costs.peak_memory, *(block.peak_memory for block in machine))
    found = [finding("most memory of a worker that trains networks", "bytes", [largest], limit=MEMORY_LIMIT)]
    if costs.peak_memory_any > largest:
        label = "most memory of any worker, classifiers included"
        found.append(finding(label, "bytes", [costs.peak_memory_any], limit=MEMORY_LIMIT))
    growth = [
        (block.memory_all - block.memory_one) / (workers - 1)
        for block in machine
        if block.memory_all is not None and block.memory_one is not None and workers > 1
    ]
    if growth:
        found.append(finding("memory that each further worker adds", "bytes", growth, limit=GROWTH_LIMIT))
    return found


def _rates(samples: Sequence[Sample], way: Way, part: str) -> dict[int, float]:
    """Return the images a second of each block."""
    return {each.block: each.train_rate for each in samples if (each.way, each.part) == (way, part)}
