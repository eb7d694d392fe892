"""The exclusive timing pass: medians by block, rates, and the paired values that claims about time compare."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median

import numpy as np

from cifar_report.analysis.results import Datum, TimingRow, Unit
from cifar_report.analysis.statistics import exponential, t_interval
from cifar_report.bundle import Bundle, Measurement
from cifar_report.spec import Quantity

Reader = Callable[[Measurement], float | None]


def seconds_per_step(measurement: Measurement) -> float | None:
    """Return the seconds of one training step: the median over the equal portions that were timed one by one."""
    if not measurement.steps:
        return None
    portions = measurement.portions or (measurement.seconds,)
    return median(portions) * len(portions) / measurement.steps


def images_per_second(measurement: Measurement) -> float | None:
    """Return how many images a network is trained on in a second."""
    seconds = seconds_per_step(measurement)
    return measurement.batch_size / seconds if seconds else None


READERS: dict[Quantity, Reader] = {
    "seconds": seconds_per_step,
    "throughput": images_per_second,
    "fit_seconds": lambda each: each.fit_seconds,
    "predict_seconds": lambda each: each.predict_seconds,
}


def by_block(bundle: Bundle, trial: str, quantity: Quantity, *, disturbed: bool = False) -> dict[int, float]:
    """Return the median of a trial's positive values by block; empty without a pass that holds it.

    Blocks in which its measurement stayed disturbed by other work are left out, unless ``disturbed`` asks for them.
    """
    if bundle.timing_pass is None:
        return {}
    found: dict[int, list[float]] = {}
    for measurement in bundle.timing_pass.measurements:
        if measurement.trial != trial or (measurement.contended and not disturbed):
            continue
        value = READERS[quantity](measurement)
        if value is not None and np.isfinite(value) and value > 0:
            found.setdefault(measurement.block, []).append(value)
    return {block: median(values) for block, values in sorted(found.items())}


def timing_rows(bundle: Bundle) -> tuple[TimingRow, ...]:
    """Return a row for each timed trial, in the order of the experiments; none without a timing pass."""
    if bundle.timing_pass is None:
        return ()
    groups: dict[str, list[Measurement]] = {}
    for measurement in bundle.timing_pass.measurements:
        groups.setdefault(measurement.trial, []).append(measurement)
    return tuple(_row(bundle, trial, groups[trial]) for trial in bundle.trials if trial in groups)


def _row(bundle: Bundle, trial: str, measurements: list[Measurement]) -> TimingRow:
    """Return a trial's row; it speaks of disturbed blocks only where no other is left, and counts them."""

    def rate(quantity: Quantity, name: str, unit: Unit) -> Datum | None:
        values = by_block(bundle, trial, quantity) or by_block(bundle, trial, quantity, disturbed=True)
        if not values:
            return None
        mean, low, high = exponential(t_interval(np.log([*values.values()])))
        identity = f"timing.{trial}.{name}"
        return Datum(identity, mean, unit, "geometric_mean_of_blocks", len(values), "blocks", low, high)

    memory = [each.peak_memory_bytes for each in measurements if each.peak_memory_bytes]
    blocks = {each.block for each in measurements}
    peak = f"timing.{trial}.peak_memory"
    return TimingRow(
        trial=trial,
        replicas=max(each.replicas for each in measurements),
        seconds_per_step=rate("seconds", "seconds_per_step", "seconds"),
        images_per_second=rate("throughput", "images_per_second", "throughput"),
        fit_seconds=rate("fit_seconds", "fit_seconds", "seconds"),
        predict_seconds=rate("predict_seconds", "predict_seconds", "seconds"),
        peak_memory=Datum(peak, max(memory), "bytes", "largest_over_blocks", len(blocks), "blocks") if memory else None,
        blocks=len(blocks),
        contended=len({each.block for each in measurements if each.contended}),
    )
