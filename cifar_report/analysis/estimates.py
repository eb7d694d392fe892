"""The descriptive numbers of a claim: its estimate, margin, the original's difference and the values by seed."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from cifar_report.analysis.decisions import RATIO_SLACK
from cifar_report.analysis.evidence import Images, Paired, Signs
from cifar_report.analysis.judging import DIRECTIONS, is_time, limits_of, onset_successes, side_of
from cifar_report.analysis.results import Datum, Formula, SeedDifference, SeedValue, Undefined, Unit
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import Bounds, all_equal, exact_interval, prediction_interval
from cifar_report.analysis.values import Value
from cifar_report.spec import Claim, Quantity

VALUE_UNITS: dict[Quantity, Unit] = {
    "accuracy": "share",
    "validation_accuracy": "share",
    "loss": "loss",
    "gap": "points",
    "epochs_to_accuracy": "epochs",
    "epoch_of_least_loss": "epochs",
    "seconds": "seconds",
    "throughput": "throughput",
    "fit_seconds": "seconds",
    "predict_seconds": "seconds",
    "parameters": "count",
    "trainable_parameters": "count",
    "macs": "count",
}
DIFFERENCE_UNITS: dict[Unit, Unit] = {"share": "points", "loss": "relative"}


def unit_of(claim: Claim) -> Unit:
    """Return the unit of the claim's estimate."""
    unit = VALUE_UNITS[claim.quantity]
    if claim.relation == "onset":
        return "share"
    if claim.relation == "ratio" or claim.exact_relation == "quarter" or (is_time(claim) and claim.comparator):
        return "ratio"
    return unit if claim.comparator is None else DIFFERENCE_UNITS.get(unit, unit)


def formula_of(claim: Claim) -> Formula:
    """Return how the claim's estimate is computed from seeds or blocks."""
    if claim.relation == "onset":
        return "share_of_seeds"
    if claim.comparator is None:
        return "mean_over_seeds"
    if unit_of(claim) == "ratio":
        return "geometric_mean_ratio"
    return "mean_relative_difference" if claim.quantity == "loss" else "mean_difference"


def estimate(claim: Claim, sample: Sample) -> Datum:
    """Return the estimate with its two-sided 95 % interval."""
    identity, unit, formula = f"claim.{claim.id}.estimate", unit_of(claim), formula_of(claim)
    count, runs = sample.count, sample.runs
    if claim.relation == "onset":
        return _onset_estimate(identity, claim, sample)
    if not sample.defined:
        return Datum(identity, None, unit, formula, count, sample.n_of, runs=runs, reason="not_a_number")
    evidence = sample.evidence()
    if isinstance(evidence, Signs):
        center = evidence.center
        missing: Undefined | None = "not_reached" if center is None else None
        return Datum(identity, center, unit, "median_difference", count, runs=runs, reason=missing)
    bounds = evidence.interval()
    if bounds is None:
        raise ValueError(f"claim {claim.id}: its evidence has no interval")
    if isinstance(evidence, Images):
        return Datum(identity, bounds.mean, unit, "difference_over_images", count, "images", *bounds[1:], runs)
    mean, low, high = shown(claim, bounds)
    reason: Undefined | None = "one_seed" if count < 2 else None
    if isinstance(evidence, Paired) and count > 1 and all_equal(evidence.values):
        reason = "no_spread"
    return Datum(identity, mean, unit, formula, count, sample.n_of, low, high, runs, reason)


def shown(claim: Claim, bounds: Bounds) -> Bounds:
    """Bring bounds from the scale of the test to the one that is shown: log ratios become ratios."""
    if unit_of(claim) != "ratio":
        return bounds
    low, high = (None if edge is None else math.exp(edge) for edge in (bounds.low, bounds.high))
    return Bounds(math.exp(bounds.mean), low, high)


def _onset_estimate(identity: str, claim: Claim, sample: Sample) -> Datum:
    successes = onset_successes(claim, sample)
    low, high = exact_interval(successes, sample.count)
    share = successes / sample.count
    return Datum(identity, share, "share", "share_of_seeds", sample.count, "seeds", low, high, sample.runs)


def entries_of(sample: Sample, values: Sequence[Value], runs: Sequence[str]) -> tuple[SeedValue, ...]:
    """Return one side's values by seed or block; timing blocks belong to no run."""
    names = runs or [""] * len(values)
    return tuple(SeedValue(key, name, *value) for key, name, value in zip(sample.keys, names, values, strict=True))


def differences(claim: Claim, sample: Sample) -> tuple[SeedDifference, ...]:
    """Return the two values of each seed or block and their difference as it is shown."""
    raw = sample.differences()
    ratio = unit_of(claim) == "ratio"
    pairs = []
    for place, key in enumerate(sample.keys):
        subject = sample.subject[place]
        comparator = sample.comparator[place] if sample.comparator else Value(None)
        value = float(raw[place])
        pairs.append(
            SeedDifference(
                key,
                subject.value,
                comparator.value,
                (math.exp(value) if ratio else value) if math.isfinite(value) else None,
                subject.censored or comparator.censored,
            )
        )
    return tuple(pairs)


def wins(claim: Claim, sample: Sample) -> Datum | None:
    """Return in how many seeds or blocks the data are as claimed; None for comparisons over images."""
    if sample.images is not None or not sample.defined:
        return None
    if claim.relation == "onset":
        number = onset_successes(claim, sample)
    else:
        values = sample.differences()
        number = int(np.sum(_as_claimed(claim, values[~np.isnan(values)])))
    return Datum(f"claim.{claim.id}.wins", number, "count", "share_of_seeds", sample.count, sample.n_of)


def _as_claimed(
    claim: Claim, values: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    if claim.relation == "not_better":
        return side_of(claim) * values <= 0
    if claim.relation in DIRECTIONS:
        return side_of(claim) * values > 0
    low, high = limits_of(claim)
    return (values >= low) & (values <= high)


def margin_datum(claim: Claim) -> Datum | None:
    """Return the margin: in points or epochs, as a share for losses and times, as a factor for ratios."""
    identity = f"claim.{claim.id}.margin"
    if claim.relation in ("exact", "onset"):
        return None
    if claim.relation == "ratio":
        return Datum(identity, RATIO_SLACK, "ratio", "margin", origin="spec")
    unit = unit_of(claim)
    relative = is_time(claim) or claim.quantity == "loss"
    shown_unit: Unit = "relative" if relative else DIFFERENCE_UNITS.get(unit, unit)
    return Datum(identity, claim.margin, shown_unit, "margin", origin="spec")


def stated_datum(claim: Claim) -> Datum | None:
    """Return the stated value, ratio, epoch or count; None where the claim states none."""
    if claim.value is None:
        return None
    unit: Unit = "epochs" if claim.relation == "onset" else unit_of(claim)
    return Datum(f"claim.{claim.id}.stated", claim.value, unit, "stated_value", origin="spec")


def original_datum(claim: Claim) -> Datum | None:
    """Return what the original's own numbers give; None where it printed none."""
    if claim.original_difference is None:
        return None
    unit: Unit = "epochs" if claim.relation == "onset" else unit_of(claim)
    identity = f"claim.{claim.id}.original"
    formula: Formula = "original_value" if claim.comparator is None else "original_difference"
    return Datum(identity, claim.original_difference, unit, formula, origin="original")


def prediction(claim: Claim, sample: Sample) -> Datum | None:
    """Return the estimate with the 95 % prediction interval of one more seed; None where t does not apply."""
    if claim.relation == "onset" or sample.n_of != "seeds" or not sample.defined or sample.censored:
        return None
    bounds = shown(claim, prediction_interval(sample.differences()))
    reason: Undefined | None = "one_seed" if sample.count < 2 else None
    identity = f"claim.{claim.id}.prediction"
    formula: Formula = "prediction_interval" if claim.comparator is None else "prediction_interval_of_difference"
    return Datum(identity, bounds.mean, unit_of(claim), formula, sample.count, "seeds",
                 bounds.low, bounds.high, sample.runs, reason)  # fmt: skip
