"""The numbers of one claim: estimate, margin, stated and original value, what more seeds could see; its networks."""

from __future__ import annotations

import math
from typing import Any, Literal, get_args

import numpy as np
from scipy import stats

from cifar_report.analysis.decisions import DIRECTIONS, RATIO_SLACK, limits_of, side_of
from cifar_report.analysis.estimates import interval_datum, mean_datum, prediction_datum
from cifar_report.analysis.hypothesis_tests import RESAMPLES, HypothesisTest, McNemar, PairedT, SignTest
from cifar_report.analysis.predictions import PredictionTable, StagePredictions, same_images
from cifar_report.analysis.results import Datum, Formula, Networks, Undefined, Unit
from cifar_report.analysis.results.numbers import SeedValue
from cifar_report.analysis.results.verdicts import NetworkTest, SeedDifference
from cifar_report.analysis.samples import Sample
from cifar_report.analysis.statistics import SAME, all_equal, detectable_effect, exact_interval, seeds_for_effect
from cifar_report.analysis.values import LEVEL, Array, Value, is_time
from cifar_report.bundle import Bundle
from cifar_report.spec import Claim, Quantity, Side

ONSET_SLACK = 1  # epochs by which an onset may miss the stated one
VALUE_UNITS: dict[Quantity, Unit] = {
    "accuracy": "share", "validation_accuracy": "share", "gap": "points", "loss": "loss",
    "epochs_to_accuracy": "epochs", "epoch_of_least_loss": "epochs",
    "seconds": "seconds", "throughput": "throughput", "fit_seconds": "seconds", "predict_seconds": "seconds",
    "parameters": "count", "trainable_parameters": "count", "macs": "count",
}  # fmt: skip
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


def number(
    claim: Claim, sample: Sample | None, name: str, value: float | None, unit: Unit, formula: Formula, **others: Any
) -> Datum:
    """Return a number of a claim; its n counts the sample's seeds, blocks or images."""
    counted = {} if sample is None else {"n": sample.count, "n_of": sample.n_of}
    return Datum(f"claim.{claim.id}.{name}", value, unit, formula, **(counted | others))


def missing_estimate(claim: Claim, obstacle: str) -> Datum:
    """Return the estimate of a claim that has no values."""
    reason = obstacle if obstacle in get_args(Undefined) else "not_run"
    return number(claim, None, "estimate", None, unit_of(claim), _formula_of(claim), n=0, reason=reason)


def estimate(claim: Claim, sample: Sample) -> Datum:
    """Return the estimate with its two-sided 95 % interval."""
    unit, formula, runs = unit_of(claim), _formula_of(claim), sample.runs
    if claim.relation == "onset":
        hits, count = sum(onset_hits(claim, sample)), sample.count
        low, high = exact_interval(hits, count)
        return number(claim, sample, "estimate", hits / count, unit, formula, low=low, high=high, runs=runs)
    if not sample.defined:
        return number(claim, sample, "estimate", None, unit, formula, runs=runs, reason="not_a_number")
    test = sample.test()
    if isinstance(test, SignTest):
        reason = "not_reached" if test.center is None else None
        return number(claim, sample, "estimate", test.center, unit, "median_difference", runs=runs, reason=reason)
    if isinstance(test, McNemar):
        bounds = test.interval()._asdict()
        return number(
            claim, sample, "estimate", bounds.pop("mean"), unit, "difference_over_images", **bounds, runs=runs
        )
    return interval_datum(f"claim.{claim.id}.estimate", unit, formula, sample.differences(), runs, sample.n_of)


def counts(claim: Claim, sample: Sample) -> tuple[float, float]:
    """Return the two numbers that an exact claim compares; every seed counted the same network."""
    reference = sample.comparator[0].value if sample.comparator else claim.value
    return sample.subject[0].value or 0, reference or 0


def exact_estimate(claim: Claim, sample: Sample) -> Datum:
    """Return the ratio, difference or number that a claim about counts compares; nothing is estimated."""
    subject, reference = counts(claim, sample)
    formula: Formula = "single_value"
    value = subject
    if claim.exact_relation == "quarter":
        value, formula = subject / reference, "exact_ratio"
    elif claim.comparator is not None:
        value, formula = subject - reference, "exact_difference"
    return number(claim, sample, "estimate", value, unit_of(claim), formula, n_of="seeds", runs=sample.runs)


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
    found = []
    for key, one, other, value in zip(sample.keys, sample.subject, comparator, shown, strict=True):
        difference = float(value) if math.isfinite(value) else None
        found.append(SeedDifference(key, one.value, other.value, difference, one.censored or other.censored))
    return tuple(found)


def wins(claim: Claim, sample: Sample) -> Datum | None:
    """Return in how many seeds or blocks the data are as claimed; None for comparisons over images."""
    if sample.images is not None or not sample.defined:
        return None
    hits = onset_hits(claim, sample) if claim.relation == "onset" else _as_claimed(claim, sample.differences())
    return number(claim, sample, "wins", int(np.sum(hits)), "count", "share_of_seeds")


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
    if claim.relation in ("exact", "onset"):
        return None
    if claim.relation == "ratio":
        return number(claim, None, "margin", RATIO_SLACK, "ratio", "margin", origin="spec")
    unit = unit_of(claim)
    unit = "relative" if is_time(claim) or claim.quantity == "loss" else DIFFERENCE_UNITS.get(unit, unit)
    return number(claim, None, "margin", claim.margin, unit, "margin", origin="spec")


def stated_datum(claim: Claim) -> Datum | None:
    """Return the stated value, ratio, epoch or count; None where the claim states none."""
    if claim.value is None:
        return None
    unit: Unit = "epochs" if claim.relation == "onset" else unit_of(claim)
    return number(claim, None, "stated", claim.value, unit, "stated_value", origin="spec")


def original_datum(claim: Claim) -> Datum | None:
    """Return what the original's own numbers give; None where it printed none."""
    if claim.original_difference is None:
        return None
    unit: Unit = "epochs" if claim.relation == "onset" else unit_of(claim)
    formula: Formula = "original_value" if claim.comparator is None else "original_difference"
    return number(claim, None, "original", claim.original_difference, unit, formula, origin="original")


def prediction(claim: Claim, sample: Sample) -> Datum | None:
    """Return the estimate with the 95 % prediction interval of one more seed; None where t does not apply."""
    if claim.relation == "onset" or sample.n_of != "seeds" or not sample.defined or sample.censored:
        return None
    formula: Formula = "prediction_interval" if claim.comparator is None else "prediction_interval_of_difference"
    identity = f"claim.{claim.id}.prediction"
    return prediction_datum(identity, unit_of(claim), formula, sample.differences(), sample.runs)


def margin_bound(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return the bound on the side of the margin, as it is shown; None where the relation has no direction."""
    value = test.bound(side_of(claim)) if claim.relation in DIRECTIONS else None
    if value is None:
        return None
    unit = unit_of(claim)
    value = math.exp(value) if unit == "ratio" else value
    return number(claim, sample, "bound", value, unit, "one_sided_bound", runs=sample.runs)


def detectable(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return the difference that this many seeds would have found; None where t does not apply."""
    if not isinstance(test, PairedT) or sample.count < 2:
        return None
    effect = detectable_effect(sample.count, claim.relation not in DIRECTIONS) or 0.0
    value = 0.0 if all_equal(test.values) else effect * float(np.std(test.values, ddof=1))
    unit = unit_of(claim)
    if unit == "ratio":
        value = math.exp(value)
    unit = "points" if unit == "share" else unit  # it is a difference
    return number(claim, sample, "detectable", value, unit, "detectable_difference")


def seeds_needed(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return how many seeds would tell the observed difference from zero, at .05 and uncorrected.

    None where t does not apply, and for claims that say how near two values are: they do not ask about zero.
    """
    if not isinstance(test, PairedT) or sample.n_of != "seeds" or claim.relation not in DIRECTIONS:
        return None
    mean, needed, reason = abs(float(np.mean(test.values))), None, None
    if mean <= SAME:
        reason = "no_difference_observed"
    elif all_equal(test.values):
        reason = "no_spread"
    else:
        needed = seeds_for_effect(mean / float(np.std(test.values, ddof=1)))
        reason = None if needed else "too_many_seeds"
    return number(claim, None, "seeds_needed", needed, "count", "seeds_needed", reason=reason)


def networks_of(claim: Claim, sample: Sample, bundle: Bundle, predictions: PredictionTable) -> Networks | None:
    """Say what the trained networks of one seed do on the same images, whatever holds for the configuration.

    Returns McNemar's tests and bootstraps for a comparison of test accuracies; None without predictions.
    """
    if claim.quantity != "accuracy" or claim.comparator is None:
        return None
    first, second = (_by_seed(side, bundle, predictions) for side in (claim.subject, claim.comparator))
    right: list[tuple[Array, Array]] = []
    for seed in sample.keys:
        one, other = (found.get(seed, found.get(None)) for found in (first, second))
        if one is None or other is None or not same_images(one, other):
            return None
        right.append((one.correct, other.correct))
    tests = tuple(_test(claim, seed, *pair) for seed, pair in zip(sample.keys, right, strict=True))
    by_image = np.mean([one.astype(float) - other for one, other in right], axis=0)
    differences = np.array([np.mean(one) - np.mean(other) for one, other in right])
    apart = sum((test.p.value or 0.0) < LEVEL for test in tests)
    return Networks(
        tests,
        Datum(f"claim.{claim.id}.networks_apart", apart, "count", "mcnemar", len(tests), runs=sample.runs),
        _pooled(f"claim.{claim.id}.networks", by_image, sample.runs),
        _beyond(f"claim.{claim.id}.beyond_images", by_image, differences, sample.runs),
    )


def _by_seed(side: Side, bundle: Bundle, predictions: PredictionTable) -> dict[int | None, StagePredictions | None]:
    return {
        run.seed: predictions.get((run.id, None if run.classical is not None else run.stage(side.stage).id))
        for run in bundle.runs_of(side.trial)
    }


def _test(claim: Claim, seed: int | None, one: Array, other: Array) -> NetworkTest:
    prefix = f"claim.{claim.id}.network_{'once' if seed is None else seed}"
    test, count = McNemar.of(one, other), len(one)
    mean, low, high = test.interval()
    return NetworkTest(
        seed,
        Datum(f"{prefix}.only_subject", test.only_subject, "count", "count_of_images", count, "images"),
        Datum(f"{prefix}.only_comparator", test.only_comparator, "count", "count_of_images", count, "images"),
        Datum(f"{prefix}.difference", mean, "points", "difference_over_images", count, "images", low, high),
        Datum(f"{prefix}.p", test.two_sided_p_value(), "probability", "mcnemar", count, "images"),
    )


def _pooled(identity: str, by_image: Array, runs: tuple[str, ...]) -> Datum:
    """Bootstrap the images: few different values occur, so drawing images is drawing from these values."""
    count, mean = len(by_image), float(np.mean(by_image))
    values, counts = np.unique(np.round(by_image, 9), return_counts=True)
    drawn = np.random.default_rng(0).multinomial(count, counts / count, RESAMPLES)
    low, high = np.quantile(drawn @ values / count, [LEVEL / 2, 1 - LEVEL / 2])
    bounds = float(low), float(high)
    return Datum(identity, mean, "points", "mean_difference_over_images", count, "images", *bounds, runs)


def _beyond(identity: str, by_image: Array, differences: Array, runs: tuple[str, ...]) -> Datum:
    """Widen the interval over seeds by the spread between images: SE² = s²/n + Var over images / N."""
    count, mean = len(differences), float(np.mean(differences))
    if count < 2:
        return Datum(identity, mean, "points", "difference_beyond_images", count, runs=runs, reason="one_seed")
    error = np.sqrt(np.var(differences, ddof=1) / count + np.var(by_image, ddof=1) / len(by_image))
    half = float(stats.t.ppf(1 - LEVEL / 2, count - 1) * error)
    return Datum(identity, mean, "points", "difference_beyond_images", count, "seeds", mean - half, mean + half, runs)
