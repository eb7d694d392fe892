"""The numbers of one claim: estimate, bound, margin, stated and original value, and what more seeds could see."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from cifar_report.analysis.decisions import DIRECTIONS, RATIO_SLACK, limits_of, side_of
from cifar_report.analysis.estimates import mean_datum
from cifar_report.analysis.hypothesis_tests import HypothesisTest, McNemar, PairedT, SignTest
from cifar_report.analysis.results import Datum, Formula, Undefined, Unit
from cifar_report.analysis.results.numbers import SeedValue
from cifar_report.analysis.results.verdicts import SeedDifference
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import (
    SAME,
    Bounds,
    all_equal,
    detectable_effect,
    exact_interval,
    prediction_interval,
    seeds_for_effect,
    t_interval,
)
from cifar_report.analysis.values import Array, Value, is_time
from cifar_report.spec import Claim, Quantity

ONSET_SLACK = 1  # epochs by which an onset may miss the stated one
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


def _formula_of(claim: Claim) -> Formula:
    if claim.relation == "onset":
        return "share_of_seeds"
    if claim.comparator is None:
        return "mean_over_seeds"
    if unit_of(claim) == "ratio":
        return "geometric_mean_ratio"
    return "mean_relative_difference" if claim.quantity == "loss" else "mean_difference"


def missing_estimate(claim: Claim, reason: Undefined, sample: Sample | None = None) -> Datum:
    """Return the estimate of a claim that has no values, or not all of them."""
    identity, unit, formula = f"claim.{claim.id}.estimate", unit_of(claim), _formula_of(claim)
    if sample is None:
        return Datum(identity, None, unit, formula, 0, reason=reason)
    return Datum(identity, None, unit, formula, sample.count, sample.n_of, runs=sample.runs, reason=reason)


def estimate(claim: Claim, sample: Sample) -> Datum:
    """Return the estimate with its two-sided 95 % interval."""
    identity, unit, count, runs = f"claim.{claim.id}.estimate", unit_of(claim), sample.count, sample.runs
    if claim.relation == "onset":
        hits = sum(onset_hits(claim, sample))
        bounds = exact_interval(hits, count)
        return Datum(identity, hits / count, "share", "share_of_seeds", count, "seeds", *bounds, runs)
    if not sample.defined:
        return missing_estimate(claim, "not_a_number", sample)
    test = sample.test()
    if isinstance(test, SignTest):
        reason: Undefined | None = "not_reached" if test.center is None else None
        return Datum(identity, test.center, unit, "median_difference", count, runs=runs, reason=reason)
    if isinstance(test, McNemar):
        mean, low, high = test.interval()
        return Datum(identity, mean, unit, "difference_over_images", count, "images", low, high, runs)
    values = sample.differences()
    mean, low, high = _shown(claim, t_interval(values))
    reason = "one_seed" if count < 2 else "no_spread" if all_equal(values) else None
    return Datum(identity, mean, unit, _formula_of(claim), count, sample.n_of, low, high, runs, reason)


def _shown(claim: Claim, bounds: Bounds) -> Bounds:
    """Bring bounds from the scale of the test to the one that is shown: log ratios become ratios."""
    if unit_of(claim) != "ratio":
        return bounds
    low, high = (None if edge is None else math.exp(edge) for edge in (bounds.low, bounds.high))
    return Bounds(math.exp(bounds.mean), low, high)


def exact_estimate(claim: Claim, sample: Sample, subject: float, reference: float) -> Datum:
    """Return the ratio, difference or number that a claim about counts compares."""
    formula: Formula = "single_value"
    value = subject
    if claim.exact_relation == "quarter":
        value, formula = subject / reference, "exact_ratio"
    elif claim.comparator is not None:
        value, formula = subject - reference, "exact_difference"
    return Datum(f"claim.{claim.id}.estimate", value, unit_of(claim), formula, sample.count, runs=sample.runs)


def side_means(claim: Claim, sample: Sample) -> tuple[Datum, Datum | None]:
    """Return the means of the subject and, where there is one, of the comparator."""
    n_of: Literal["seeds", "blocks"] = "blocks" if sample.n_of == "blocks" else "seeds"

    def mean(side: str, values: tuple[Value, ...], runs: tuple[str, ...]) -> Datum:
        names = runs or [""] * len(values)  # timing blocks belong to no run
        entries = [SeedValue(key, name, *value) for key, name, value in zip(sample.keys, names, values, strict=True)]
        return mean_datum(f"claim.{claim.id}.{side}", VALUE_UNITS[claim.quantity], entries, n_of)

    comparator = mean("comparator", sample.comparator, sample.comparator_runs) if sample.comparator else None
    return mean("subject", sample.subject, sample.subject_runs), comparator


def differences(claim: Claim, sample: Sample) -> tuple[SeedDifference, ...]:
    """Return the two values of each seed or block and their difference as it is shown."""
    shown = np.exp(sample.differences()) if unit_of(claim) == "ratio" else sample.differences()
    comparator = sample.comparator or (Value(None),) * len(sample.keys)
    return tuple(
        SeedDifference(
            key, one.value, other.value, float(value) if math.isfinite(value) else None, one.censored or other.censored
        )
        for key, one, other, value in zip(sample.keys, sample.subject, comparator, shown, strict=True)
    )


def wins(claim: Claim, sample: Sample) -> Datum | None:
    """Return in how many seeds or blocks the data are as claimed; None for comparisons over images."""
    if sample.images is not None or not sample.defined:
        return None
    hits = onset_hits(claim, sample) if claim.relation == "onset" else _as_claimed(claim, sample.differences())
    return Datum(f"claim.{claim.id}.wins", int(np.sum(hits)), "count", "share_of_seeds", sample.count, sample.n_of)


def _as_claimed(claim: Claim, values: Array) -> Array:
    """Return bool [n]; False for a seed that says nothing (NaN)."""
    if claim.relation == "not_better":
        return np.asarray(side_of(claim) * values <= 0)
    if claim.relation in DIRECTIONS:
        return np.asarray(side_of(claim) * values > 0)
    low, high = limits_of(claim)
    return np.asarray((values >= low) & (values <= high))


def onset_hits(claim: Claim, sample: Sample) -> list[bool]:
    """Return by seed whether it overfits from within one epoch of the stated one."""
    stated = claim.value or 0.0
    return [each.value is not None and abs(each.value - stated) <= ONSET_SLACK + SAME for each in sample.subject]


def margin_datum(claim: Claim) -> Datum | None:
    """Return the margin: in points or epochs, as a share for losses and times, as a factor for ratios."""
    identity = f"claim.{claim.id}.margin"
    if claim.relation in ("exact", "onset"):
        return None
    if claim.relation == "ratio":
        return Datum(identity, RATIO_SLACK, "ratio", "margin", origin="spec")
    unit = unit_of(claim)
    relative = is_time(claim) or claim.quantity == "loss"
    return Datum(
        identity, claim.margin, "relative" if relative else DIFFERENCE_UNITS.get(unit, unit), "margin", origin="spec"
    )


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
    formula: Formula = "original_value" if claim.comparator is None else "original_difference"
    return Datum(f"claim.{claim.id}.original", claim.original_difference, unit, formula, origin="original")


def prediction(claim: Claim, sample: Sample) -> Datum | None:
    """Return the estimate with the 95 % prediction interval of one more seed; None where t does not apply."""
    if claim.relation == "onset" or sample.n_of != "seeds" or not sample.defined or sample.censored:
        return None
    mean, low, high = _shown(claim, prediction_interval(sample.differences()))
    reason: Undefined | None = "one_seed" if sample.count < 2 else None
    formula: Formula = "prediction_interval" if claim.comparator is None else "prediction_interval_of_difference"
    identity, unit = f"claim.{claim.id}.prediction", unit_of(claim)
    return Datum(identity, mean, unit, formula, sample.count, "seeds", low, high, sample.runs, reason)


def margin_bound(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return the bound on the side of the margin, as it is shown; None where the relation has no direction."""
    value = test.bound(side_of(claim)) if claim.relation in DIRECTIONS else None
    if value is None:
        return None
    value, identity = _shown(claim, Bounds(value, None, None)).mean, f"claim.{claim.id}.bound"
    return Datum(identity, value, unit_of(claim), "one_sided_bound", sample.count, sample.n_of, runs=sample.runs)


def detectable(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return the difference that this many seeds would have found; None where t does not apply."""
    if not isinstance(test, PairedT) or sample.count < 2:
        return None
    effect = detectable_effect(sample.count, claim.relation not in DIRECTIONS) or 0.0
    value = 0.0 if all_equal(test.values) else effect * float(np.std(test.values, ddof=1))
    unit: Unit = unit_of(claim)
    if unit == "ratio":
        value = math.exp(value)
    unit = "points" if unit == "share" else unit  # it is a difference
    return Datum(f"claim.{claim.id}.detectable", value, unit, "detectable_difference", sample.count, sample.n_of)


def seeds_needed(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return how many seeds would tell the observed difference from zero, at .05 and uncorrected.

    None where t does not apply, and for claims that say how near two values are: they do not ask about zero.
    """
    if not isinstance(test, PairedT) or sample.n_of != "seeds" or claim.relation not in DIRECTIONS:
        return None
    identity, mean = f"claim.{claim.id}.seeds_needed", abs(float(np.mean(test.values)))
    if mean <= SAME or all_equal(test.values):
        reason: Undefined = "no_difference_observed" if mean <= SAME else "no_spread"
        return Datum(identity, None, "count", "seeds_needed", reason=reason)
    needed = seeds_for_effect(mean / float(np.std(test.values, ddof=1)))
    return Datum(identity, needed, "count", "seeds_needed", reason=None if needed else "too_many_seeds")
