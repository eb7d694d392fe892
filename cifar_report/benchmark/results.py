"""What the bench found: each measure with its spread beside its aim, as data."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Literal

import msgspec

from cifar_report.benchmark.blocks import Machine, Sample
from cifar_report.benchmark.costs import FixedCosts
from cifar_report.benchmark.growth import GrowthPoint
from cifar_report.bundle import Environment

Unit = Literal["ratio", "share", "bytes", "seconds", "exponent", "factor"]


class Finding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measure: the median of the blocks, the least and the largest of them, and what it should be.

    ``limit`` is the aim: at most that much, or at least with ``more``; None where there is no aim. Missing an aim
    that is a ``must`` makes the bench fail.
    """

    name: str
    unit: Unit
    value: float
    least: float
    largest: float
    limit: float | None = None
    more: bool = False
    must: bool = False

    @property
    def met(self) -> bool:
        """Whether the median keeps to the aim; True where there is none."""
        if self.limit is None:
            return True
        return self.value >= self.limit if self.more else self.value <= self.limit


class TableRow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One timed part: how much of the suite it stands for, and images a second in each way (medians of blocks)."""

    part: str
    stands_for: tuple[str, ...]
    runs: int  # stages of runs, over all seeds
    steps: int  # of the full suite, over all seeds
    slice_steps: int  # that were timed in each block
    engine: float
    notebook: float | None  # None where it was not measured
    ratio: Finding | None


class Benchmark(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that one call of the bench measured."""

    date: str  # ISO 8601, UTC
    environment: Environment
    workers: int
    findings: tuple[Finding, ...] = ()
    table: tuple[TableRow, ...] = ()
    samples: tuple[Sample, ...] = ()
    machine: tuple[Machine, ...] = ()
    costs: FixedCosts | None = None
    growth: tuple[GrowthPoint, ...] = ()
    missing: dict[str, str] = {}  # peers that could not be had, and why

    @property
    def failed(self) -> bool:
        """Whether an aim that is a must was missed."""
        return any(finding.must and not finding.met for finding in self.findings)


def finding(
    name: str,
    unit: Unit,
    values: Sequence[float],
    *,
    limit: float | None = None,
    more: bool = False,
    must: bool = False,
) -> Finding:
    """Return a measure from its values, one a block; raises ValueError without any."""
    if not values:
        raise ValueError(f"{name}: nothing was measured")
    return Finding(
        name=name,
        unit=unit,
        value=median(values),
        least=min(values),
        largest=max(values),
        limit=limit,
        more=more,
        must=must,
    )
