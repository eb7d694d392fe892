"""Turns values by seed into data: the mean with its interval, the original's number, whether the two agree."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cifar_report.analysis.results import Compatibility, Datum, Formula, Measure, Scope, SeedValue, Undefined, Unit
from cifar_report.analysis.statistics import all_equal, prediction_interval, t_interval
from cifar_report.analysis.values import Value
from cifar_report.bundle import Bundle, Run


def scope_of(bundle: Bundle) -> Scope:
    """Return what this bundle can test, by its profile and its data."""
    dataset, profile = bundle.record.dataset, bundle.record.profile
    if dataset.grade == "stand-in":
        return Scope(False, "stand_in", False, "stand_in")
    if not dataset.canonical_labels:
        return Scope(False, "other_labels", False, "other_labels")
    if profile.reduced:
        return Scope(False, "reduced_profile", False, "reduced_profile")
    if dataset.grade != "canonical":
        return Scope(True, None, False, "other_pixels")
    return Scope(True, None, True, None)


def measure(
    identity: str,
    unit: Unit,
    runs: Sequence[Run],
    values: Sequence[Value],
    *,
    original: float | None = None,
    scope: Scope | None = None,
) -> Measure:
    """Return the measure of one value per run; ``original`` and ``scope`` add the comparison with the original's."""
    entries = tuple(
        SeedValue(run.seed, run.id, value.value, value.censored) for run, value in zip(runs, values, strict=True)
    )
    datum = mean_datum(identity, unit, entries)
    published = original_datum(identity, unit, original)
    compatibility = None if scope is None else compatible(datum, entries, published, scope)
    return Measure(datum, entries, published, compatibility)


def original_datum(identity: str, unit: Unit, value: float | None) -> Datum | None:
    """Return the original's number beside ours, None where it published none."""
    if value is None:
        return None
    return Datum(f"{identity}.original", value, unit, "original_value", origin="original")


def undefined(identity: str, unit: Unit, formula: Formula, reason: Undefined) -> Datum:
    """Return a number that does not exist, with the reason."""
    return Datum(identity, None, unit, formula, n=0, reason=reason)


def mean_datum(identity: str, unit: Unit, entries: Sequence[SeedValue], formula: Formula = "mean_over_seeds") -> Datum:
    """Return the mean over seeds with its t interval; undefined as soon as one seed's value is.

    A mean over the seeds that happen to have one would drop the worst of them. Where some never reached a level,
    the median stands in for the mean as long as it exists.
    """
    runs = tuple(dict.fromkeys(entry.run for entry in entries if entry.run))
    if not entries:
        return undefined(identity, unit, formula, "not_run")
    if any(entry.censored for entry in entries):
        return _median_datum(identity, unit, entries, runs)
    values = np.array([entry.value for entry in entries if entry.value is not None], float)
    if len(values) < len(entries):
        return Datum(identity, None, unit, formula, n=len(entries), runs=runs, reason="not_a_number")
    bounds = t_interval(values)
    if len(values) == 1:
        seeded = entries[0].seed is not None
        reason: Undefined | None = "one_seed" if seeded else None
        return Datum(identity, bounds.mean, unit, "single_value", n=1, runs=runs, reason=reason)
    reason = "no_spread" if all_equal(values) else None
    return Datum(identity, bounds.mean, unit, formula, len(values), "seeds", bounds.low, bounds.high, runs, reason)


def _median_datum(identity: str, unit: Unit, entries: Sequence[SeedValue], runs: tuple[str, ...]) -> Datum:
    values = sorted(np.inf if entry.value is None else entry.value for entry in entries)
    middle = (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2
    reached = bool(np.isfinite(middle))
    return Datum(
        identity,
        float(middle) if reached else None,
        unit,
        "median_over_seeds",
        n=len(entries),
        runs=runs,
        reason=None if reached else "not_reached",
    )


def compatible(datum: Datum, entries: Sequence[SeedValue], original: Datum | None, scope: Scope) -> Compatibility:
    """Say whether the original's one number lies in the 95 % prediction interval of one more run."""
    values = np.array([entry.value for entry in entries if entry.value is not None], float)
    identity = f"{datum.id}.prediction"
    if datum.value is None or not len(values):
        prediction = undefined(identity, datum.unit, "prediction_interval", datum.reason or "not_run")
        return Compatibility("not_run", None, original, prediction)
    bounds = prediction_interval(values)
    reason: Undefined | None = "one_seed" if len(values) < 2 else None
    prediction = Datum(
        identity, bounds.mean, datum.unit, "prediction_interval", len(values), "seeds", bounds.low, bounds.high,
        datum.runs, reason,
    )  # fmt: skip
    if original is None or original.value is None:
        return Compatibility("no_original", None, None, prediction)
    if not scope.absolutes:
        return Compatibility("not_testable", scope.absolutes_reason, original, prediction)
    if bounds.low is None or bounds.high is None:
        return Compatibility("one_seed", None, original, prediction)
    inside = bounds.low <= original.value <= bounds.high
    return Compatibility("inside" if inside else "outside", None, original, prediction)
