"""From one quantity of one run or timing block to estimates: means with intervals, differences, and the original's."""

import math
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Literal

import numpy as np

from cifar_report.analysis.hypothesis_tests import TTest, all_equal, t_interval
from cifar_report.analysis.results import Scope
from cifar_report.analysis.results.trials import Compatibility, Datum, Formula, Measure, SeedValue, Undefined, Unit
from cifar_report.bundle import Bundle, Measurement, Run, StageResult
from cifar_report.bundle.arrays import Array
from cifar_report.bundle.records import primary_weights
from cifar_report.spec import Quantity, Side, Trial

ACCURACY_LEVEL = 0.55  # validation accuracy that counts as converged
LOSS_RISE = 1.02  # the least rise of the validation loss that counts as overfitting


def read(run: Run, side: Side, quantity: Quantity) -> SeedValue:
    """Return the quantity of a run at the side's stage or the last one; KeyError where it has no such stage."""
    value = _value(run, side, quantity)
    if quantity == "epochs_to_accuracy" and value is None and run.stages:
        return SeedValue(run.seed, run.id, run.stage(side.stage).epochs + 1, censored=True)
    return SeedValue(run.seed, run.id, value)


def _value(run: Run, side: Side, quantity: Quantity) -> float | None:
    counts = {"parameters": run.parameters_total, "trainable_parameters": run.parameters_trainable, "macs": run.macs}
    if quantity in counts:
        return counts[quantity]
    if run.classical is not None or not isinstance(run.trial, Trial):
        return run.classical.test_accuracy if run.classical is not None and quantity == "accuracy" else None
    stage = run.stage(side.stage)
    if quantity == "epochs_to_accuracy":
        return first_epoch_at_level(stage.history.val_accuracy)
    if quantity == "epoch_of_least_loss":
        return epoch_of_least_loss(stage)
    scores = stage.evaluation(primary_weights(run.trial, stage.id))
    known: dict[str, float | None] = {"loss": scores.test.loss, "gap": scores.gap, "dead_units": scores.dead_units}
    known |= {"accuracy": scores.test.accuracy, "validation_accuracy": scores.validation.accuracy}
    return finite(known[quantity])


def first_epoch_at_level(accuracies: tuple[float, ...]) -> float | None:
    """Return the first epoch, counted from 1, that reaches ACCURACY_LEVEL; None where none does."""
    return next((float(epoch) for epoch, value in enumerate(accuracies, 1) if value >= ACCURACY_LEVEL), None)


def epoch_of_least_loss(stage: StageResult) -> float | None:
    """Return the epoch of the least validation loss, the first of equal ones; None when no epoch had a number."""
    losses = _validation_losses(stage)
    return None if np.all(np.isnan(losses)) else float(np.nanargmin(losses) + 1)


def smoothed_loss(stage: StageResult) -> Array:
    """Return float [epochs]: the median of each epoch's validation loss and its two neighbours'; NaN at the ends."""
    losses = _validation_losses(stage)
    smooth = np.full(len(losses), np.nan)
    for place in range(1, len(losses) - 1):
        smooth[place] = np.median(losses[place - 1 : place + 2])
    return smooth


def _validation_losses(stage: StageResult) -> Array:
    return np.array([finite(loss) for loss in stage.history.val_loss], float)  # NaN where None


def overfits_from(stage: StageResult) -> float | None:
    """Return the epoch of least smoothed validation loss if a rise of 2 % follows while training loss falls."""
    smooth = smoothed_loss(stage)
    if np.all(np.isnan(smooth)):
        return None
    place = int(np.nanargmin(smooth))
    training = np.array(stage.history.loss, float)
    rises = (smooth[place + 1 :] >= LOSS_RISE * smooth[place]) & (training[place + 1 :] < training[place])
    return float(place + 1) if rises.any() else None


def finite(value: float | None) -> float | None:
    """Return the value, None where it is not a number or is infinite."""
    return value if value is not None and math.isfinite(value) else None


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


TIMES: dict[Quantity, Callable[[Measurement], float | None]] = {
    "seconds": seconds_per_step,
    "throughput": images_per_second,
    "fit_seconds": lambda each: each.fit_seconds,
    "predict_seconds": lambda each: each.predict_seconds,
}


def by_block(bundle: Bundle, trial: str, quantity: Quantity, *, disturbed: bool = False) -> dict[int, float]:
    """Return the median of a trial's positive values by block, of ``disturbed`` blocks only where asked for."""
    if bundle.timing_pass is None:
        return {}
    found: dict[int, list[float]] = {}
    for measurement in bundle.timing_pass.measurements:
        if measurement.trial != trial or (measurement.contended and not disturbed):
            continue
        value = TIMES[quantity](measurement)
        if value is not None and np.isfinite(value) and value > 0:
            found.setdefault(measurement.block, []).append(value)
    return {block: median(values) for block, values in sorted(found.items())}


def scope_of(bundle: Bundle) -> Scope:
    """Return what this bundle can test, by its profile and its data."""
    dataset = bundle.record.dataset
    if dataset.grade == "stand-in":
        return Scope("stand_in", absolutes=False)
    if not dataset.canonical_labels:
        return Scope("other_labels", absolutes=False)
    if bundle.record.profile.reduced:
        return Scope("reduced_profile", absolutes=False)
    return Scope(None, absolutes=dataset.grade == "canonical")


def measure(
    identity: str,
    unit: Unit,
    runs: Sequence[Run],
    values: Iterable[float | None],
    *,
    censored: bool = False,
    original: float | None = None,
    scope: Scope | None = None,
) -> Measure:
    """Return the measure of one value per run; ``original`` and ``scope`` add the comparison with the original's.

    Of a level None means that it was not reached (``censored``), elsewhere that the value is no number.
    """
    found = zip(runs, values, strict=True)
    entries = tuple(SeedValue(run.seed, run.id, value, censored and value is None) for run, value in found)
    datum = mean_datum(identity, unit, entries)
    published = original_datum(identity, unit, original)
    compatibility = None if scope is None else _compatible(datum, entries, published, scope)
    return Measure(datum, entries, published, compatibility)


def original_datum(identity: str, unit: Unit, value: float | None) -> Datum | None:
    """Return the original's number beside ours, None where it published none."""
    if value is None:
        return None
    return Datum(f"{identity}.original", value, unit, "original_value", origin="original")


def mean_datum(
    identity: str, unit: Unit, entries: Sequence[SeedValue], n_of: Literal["seeds", "blocks"] = "seeds"
) -> Datum:
    """Return the mean over seeds with its t interval; undefined as soon as one seed's value is."""
    # A mean over the seeds that have a value would drop the worst ones. The median stands in for it where a level was
    # not reached, as long as it exists.
    count, runs = len(entries), tuple(dict.fromkeys(entry.run for entry in entries if entry.run))
    values = [entry.value for entry in entries if entry.value is not None and not entry.censored]
    formula: Formula = "mean_over_seeds"
    reason: Undefined | None = None if entries else "not_run"
    value = low = high = None
    if any(entry.censored for entry in entries):
        middle = float(np.median(values + [np.inf] * (count - len(values))))
        value, formula = finite(middle), "median_over_seeds"
        reason = "not_reached" if value is None else None
    elif len(values) < count:
        reason = "not_a_number"
    elif count == 1:
        value, formula, reason = float(values[0]), "single_value", None if entries[0].seed is None else "one_seed"
    elif count:
        known = np.array(values, float)
        value, low, high = t_interval(known)
        reason = "no_spread" if all_equal(known) else None
    return Datum(identity, value, unit, formula, count, n_of, low, high, runs, reason)


def prediction_datum(identity: str, unit: Unit, formula: Formula, values: Array, runs: tuple[str, ...]) -> Datum:
    """Return the mean with the 95 % interval of one more value; ``values`` float [n >= 1], of a ratio logarithms."""
    bounds = t_interval(values, spread=len(values) + 1)  # mean ± t·s·√(1 + 1/n)
    mean, low, high = bounds.exponential() if unit == "ratio" else bounds
    reason: Undefined | None = "one_seed" if len(values) < 2 else None
    return Datum(identity, mean, unit, formula, len(values), "seeds", low, high, runs, reason)


def _compatible(datum: Datum, entries: Sequence[SeedValue], original: Datum | None, scope: Scope) -> Compatibility:
    """Say whether the original's one number lies in the 95 % prediction interval of one more run."""
    values = np.array([entry.value for entry in entries if entry.value is not None], float)
    identity = f"{datum.id}.prediction"
    if datum.value is None or not len(values):
        missing = Datum(identity, None, datum.unit, "prediction_interval", 0, reason=datum.reason or "not_run")
        return Compatibility("not_run", missing)
    found = prediction_datum(identity, datum.unit, "prediction_interval", values, datum.runs)
    if original is None or original.value is None:
        return Compatibility("no_original", found)
    if not scope.absolutes:
        return Compatibility("not_testable", found)
    if found.low is None or found.high is None:
        return Compatibility("one_seed", found)
    return Compatibility("inside" if found.low <= original.value <= found.high else "outside", found)


def mean_difference(identity: str, subject: Measure, comparator: Measure, *, paired: bool) -> Datum:
    """Return the difference of two means: by t of pairs over common seeds, else Welch's; None fits every seed."""
    sides = [{entry.seed: entry for entry in each.seeds} for each in (subject, comparator)]
    formula: Formula = "difference_of_means"
    if None in sides[0] or None in sides[1]:
        one, other = sides
        formula = "difference_over_images" if None in one and None in other else "difference_from_fixed"
        sides = [dict.fromkeys(other, one[None])] if None in one else [one]
        sides.append(dict.fromkeys(one, other[None]) if None in other else other)
    elif paired:
        formula, common = "mean_difference", [seed for seed in sides[0] if seed in sides[1]]
        sides = [{seed: each[seed] for seed in common} for each in sides]
    if not all(sides):
        reasons = [side.datum.reason for side in (subject, comparator) if side.datum.value is None]
        return Datum(identity, None, "points", formula, 0, reason=next(iter(reasons), None) or "not_run")
    entries = [entry for each in sides for entry in each.values()]
    runs, count = tuple(dict.fromkeys(entry.run for entry in entries)), min(map(len, sides))
    if any(entry.value is None for entry in entries):
        return Datum(identity, None, "points", formula, count, runs=runs, reason="not_a_number")
    first, second = (np.array([entry.value for entry in each.values()], float) for each in sides)
    if count < 2:
        value = float(first.mean() - second.mean())
        return Datum(identity, value, "points", formula, count, runs=runs, reason="one_seed")
    test = TTest(first, second) if formula == "difference_of_means" else TTest(first - second)
    reason: Undefined | None = None if test.error else "no_spread"
    value, low, high = test.interval()
    return Datum(identity, value, "points", formula, count, "seeds", low, high, runs, reason)
