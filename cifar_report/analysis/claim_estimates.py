"""The numbers of one claim: estimate, margin, stated and original value, what more seeds could see; its networks."""

import math
from typing import Any, Literal, get_args

import numpy as np
from scipy import stats

from cifar_report.analysis.decisions import DIRECTIONS, RATIO_SLACK, Decision, limits_of, side_of
from cifar_report.analysis.estimates import finite, mean_datum, prediction_datum
from cifar_report.analysis.hypothesis_tests import RESAMPLES, HypothesisTest, McNemar, TTest, exact_interval
from cifar_report.analysis.power import detectable_effect, seeds_needed
from cifar_report.analysis.predictions import PredictionTable, StagePredictions, same_images
from cifar_report.analysis.results.trials import Datum, Formula, SeedValue, Undefined, Unit
from cifar_report.analysis.results.verdicts import LEVEL, Networks, NetworkTest, SeedDifference
from cifar_report.analysis.samples import Sample, onset_hits, planned_runs
from cifar_report.bundle import Bundle
from cifar_report.bundle.arrays import Array
from cifar_report.spec import Claim, Quantity, Side

VALUE_UNITS: dict[Quantity, Unit] = {
    "accuracy": "share", "validation_accuracy": "share", "gap": "points", "loss": "loss",
    "dead_units": "share", "unusual_runs": "count",
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
    if claim.relation == "ratio" or claim.exact_relation == "quarter" or (claim.timed and claim.comparator):
        return "ratio"
    return unit if claim.comparator is None else DIFFERENCE_UNITS.get(unit, unit)


def _formula_of(claim: Claim, sample: Sample | None) -> Formula:
    if claim.relation == "onset":
        return "share_of_seeds"
    if claim.comparator is None:
        return "mean_over_seeds"
    if unit_of(claim) == "ratio":
        return "geometric_mean_ratio"
    if claim.quantity == "loss":
        return "mean_relative_difference"
    if sample is not None and sample.images is not None:
        return "difference_over_images"
    if claim.comparison == "between_methods":
        return "difference_from_fixed"
    if sample is not None and sample.whole:
        return "difference_of_epochs"
    return "difference_of_means" if sample is None or not sample.paired else "mean_difference"


def number(
    claim: Claim, sample: Sample | None, name: str, value: float | None, unit: Unit, formula: Formula, **others: Any
) -> Datum:
    """Return a number of a claim; its n counts the sample's seeds, blocks or images."""
    counted = {} if sample is None else {"n": sample.count, "n_of": sample.n_of}
    return Datum(f"claim.{claim.id}.{name}", value, unit, formula, **(counted | others))


def estimate(claim: Claim, sample: Sample | Decision, coverage: float = 0.95, name: str = "estimate") -> Datum:
    """Return the estimate with its two-sided interval, by the claim's own test; of counts what is compared."""
    unit = unit_of(claim)
    if isinstance(sample, Decision):  # there are no values
        reason = sample.reason if sample.reason in get_args(Undefined) else "not_run"
        return number(claim, None, name, None, unit, _formula_of(claim, None), n=0, reason=reason)
    formula, runs = _formula_of(claim, sample), sample.runs
    if claim.relation == "exact":
        value, reference = counts(claim, sample)
        formula = "single_value"
        if claim.exact_relation == "quarter":
            value, formula = value / reference, "exact_ratio"
        elif claim.comparator is not None:
            value, formula = value - reference, "exact_difference"
        return number(claim, sample, name, value, unit, formula, n_of="seeds", runs=runs)
    if claim.relation == "onset":
        hits, count = sum(onset_hits(claim, sample)), sample.count
        low, high = exact_interval(hits, count)
        return number(claim, sample, name, hits / count, unit, formula, low=low, high=high, runs=runs)
    if not sample.defined:
        return number(claim, sample, name, None, unit, formula, runs=runs, reason="not_a_number")
    if sample.count < 2:
        values, others = sample.sides()
        value = float(np.mean(values) - (0.0 if others is None else np.mean(others)))
        value = math.exp(value) if unit == "ratio" else value
        return number(claim, sample, name, value, unit, formula, runs=runs, reason="one_seed")
    test = sample.test()
    bounds = test.interval(coverage).exponential() if unit == "ratio" else test.interval(coverage)
    interval: dict[str, Any] = {"low": bounds.low, "high": bounds.high, "coverage": coverage}
    if bounds.low is None and bounds.high is None:
        interval["reason"] = "too_few_seeds"
    elif test.procedure == "all_equal":
        interval["reason"] = "no_spread"
    return number(claim, sample, name, bounds.mean, unit, formula, runs=runs, **interval)


def counts(claim: Claim, sample: Sample) -> tuple[float, float]:
    """Return the two numbers that an exact claim compares; every seed counted the same network."""
    reference = sample.comparator[0].value if sample.comparator else claim.value
    return sample.subject[0].value or 0, reference or 0


def side_means(claim: Claim, sample: Sample) -> dict[str, Datum]:
    """Return the means of the subject and, where there is one, of the comparator, as fields of a verdict."""
    n_of: Literal["seeds", "blocks"] = "blocks" if sample.n_of == "blocks" else "seeds"
    return {
        f"{name}_mean": mean_datum(f"claim.{claim.id}.{name}", VALUE_UNITS[claim.quantity], values, n_of)
        for name, values in (("subject", sample.subject), ("comparator", sample.comparator))
        if values
    }


def differences(claim: Claim, sample: Sample) -> tuple[SeedDifference, ...]:
    """Return the two values of each seed or block, and of pairs the difference as it is shown."""
    if not sample.paired:
        one, other = ({each.seed: each.value for each in side} for side in (sample.subject, sample.comparator))
        seeds = sorted({*one, *other}, key=lambda seed: -1 if seed is None else seed)
        return tuple(SeedDifference(seed, one.get(seed), other.get(seed), None) for seed in seeds)
    shown = np.exp(sample.sides()[0]) if unit_of(claim) == "ratio" else sample.sides()[0]
    comparator = sample.comparator or (SeedValue(None, "", None),) * len(sample.subject)
    return tuple(
        SeedDifference(first.seed, first.value, second.value, finite(float(value)), first.censored or second.censored)
        for first, second, value in zip(sample.subject, comparator, shown, strict=True)
    )


def wins(claim: Claim, sample: Sample) -> Datum | None:
    """Return how often the data are as claimed: of the seeds or blocks, or of all pairs of two runs."""
    if sample.images is not None or not sample.defined:
        return None
    if claim.relation == "onset":
        return number(claim, sample, "wins", sum(onset_hits(claim, sample)), "count", "share_of_seeds")
    values, others = sample.sides()
    formula: Formula = "share_of_seeds" if others is None else "share_of_pairs"
    pairs = values if others is None else np.subtract.outer(values, others).ravel()
    if claim.relation == "not_better":
        hits = side_of(claim) * pairs <= 0
    elif claim.relation in DIRECTIONS:
        hits = side_of(claim) * pairs > 0
    else:
        low, high = limits_of(claim)
        hits = (pairs >= low) & (pairs <= high)
    of = "seeds" if others is None else "pairs"
    return number(claim, sample, "wins", int(np.sum(hits)), "count", formula, n=len(pairs), n_of=of)


def known_before(claim: Claim) -> dict[str, Any]:
    """Return margin, stated and original value of a claim, as far as it has them, as fields of its verdict."""
    unit: Unit = "epochs" if claim.relation == "onset" else unit_of(claim)
    found: dict[str, Any] = dict.fromkeys(("margin", "stated", "original"))
    if claim.relation == "ratio":
        found["margin"] = number(claim, None, "margin", RATIO_SLACK, "ratio", "margin", origin="spec")
    elif claim.relation not in ("exact", "onset"):
        relative = claim.timed or claim.quantity == "loss"
        scale: Unit = "relative" if relative else DIFFERENCE_UNITS.get(unit, unit)
        found["margin"] = number(claim, None, "margin", claim.margin, scale, "margin", origin="spec")
    if claim.value is not None:
        found["stated"] = number(claim, None, "stated", claim.value, unit, "stated_value", origin="spec")
    if claim.original_difference is not None:
        formula: Formula = "original_value" if claim.comparator is None else "original_difference"
        value = claim.original_difference
        found["original"] = number(claim, None, "original", value, unit, formula, origin="original")
    return found


def prediction(claim: Claim, sample: Sample) -> Datum | None:
    """Return the estimate with the 95 % interval of one more seed of each side; None where t does not apply."""
    censored = any(value.censored for value in sample.values)
    if claim.relation == "onset" or sample.n_of != "seeds" or not sample.defined or censored:
        return None
    formula: Formula = "prediction_interval" if claim.comparator is None else "prediction_interval_of_difference"
    identity, unit, (values, others) = f"claim.{claim.id}.prediction", unit_of(claim), sample.sides()
    if others is None:
        return prediction_datum(identity, unit, formula, values, sample.runs)
    if sample.count < 2:
        value = float(values.mean() - others.mean())
        return Datum(identity, value, unit, formula, 1, runs=sample.runs, reason="one_seed")
    test = TTest(values, others)  # the single numbers vary by s² each, and the means by s²/n
    spread = math.sqrt(test.error**2 + float(np.var(values, ddof=1) + np.var(others, ddof=1)))
    return Datum(identity, test.center, unit, formula, sample.count, "seeds", *_around(test, spread), sample.runs)


def _around(test: TTest, error: float) -> tuple[float, float]:
    """Return the 95 % interval around the test's center with another standard error."""
    half = float(stats.t.ppf(1 - LEVEL / 2, test.freedom)) * error
    return test.center - half, test.center + half


def margin_bound(claim: Claim, sample: Sample, test: HypothesisTest) -> Datum | None:
    """Return the bound on the side of the margin, as it is shown; None where there is none."""
    value = test.edge(side_of(claim), LEVEL * sample.share) if claim.relation in DIRECTIONS else math.inf
    if not math.isfinite(value):
        return None
    unit = unit_of(claim)
    value = math.exp(value) if unit == "ratio" else value
    return number(claim, sample, "bound", value, unit, "one_sided_bound", runs=sample.runs)


def detectable(claim: Claim, sample: Sample, test: HypothesisTest, level: float) -> Datum | None:
    """Return the difference that so many runs find at the corrected ``level``; None where t does not apply."""
    if not isinstance(test, TTest) or not test.error or claim.relation not in DIRECTIONS:
        return None
    value, unit = detectable_effect(round(test.freedom, 2), level) * test.error, unit_of(claim)
    value = math.exp(value) if unit == "ratio" else value
    unit = "points" if unit == "share" else unit  # it is a difference
    return number(claim, sample, "detectable", value, unit, "detectable_difference")


def needed(claim: Claim, sample: Sample, level: float) -> Datum | None:
    """Return how many seeds of each side would decide the claim, as a range; None where seeds play no part."""
    if sample.n_of != "seeds" or sample.count < 2 or any(each.seed is None for each in sample.subject):
        return None
    least, most = seeds_needed(claim, sample, level)
    reason: Undefined | None = None if least else "too_many_seeds"
    return number(claim, None, "seeds_needed", least, "count", "seeds_needed", low=least, high=most, reason=reason)


def networks_of(claim: Claim, sample: Sample, bundle: Bundle, predictions: PredictionTable) -> Networks | None:
    """Return McNemar's tests and bootstraps of the trained networks of each seed on the same images.

    None without predictions, and where no test accuracies are compared.
    """
    if claim.quantity != "accuracy" or claim.comparator is None:
        return None
    first, second = (_by_seed(side, bundle, predictions) for side in (claim.subject, claim.comparator))
    seeds = [each.seed for each in sample.subject if {each.seed, None} & second.keys()]
    tests, differences_by_image = [], []
    for seed in seeds:
        one, other = (found.get(seed, found.get(None)) for found in (first, second))
        if one is None or other is None or not same_images(one, other):
            return None
        tests.append(_test(claim, seed, McNemar.of(one.correct, other.correct)))
        differences_by_image.append(one.correct.astype(float) - other.correct)
    if not tests:
        return None
    by_image = np.array(differences_by_image)
    apart = sum((test.p.value or 0.0) < LEVEL for test in tests)
    return Networks(
        tuple(tests),
        Datum(f"claim.{claim.id}.networks_apart", apart, "count", "mcnemar", len(tests), runs=sample.runs),
        _pooled(f"claim.{claim.id}.networks", by_image.mean(axis=0), sample.runs),
        _beyond(f"claim.{claim.id}.beyond_images", by_image, sample),
    )


def _by_seed(side: Side, bundle: Bundle, predictions: PredictionTable) -> dict[int | None, StagePredictions | None]:
    return {
        seed: predictions.get((run.id, None if run.classical is not None else run.stage(side.stage).id))
        for seed, run in planned_runs(bundle, side.trial).items()
    }


def _test(claim: Claim, seed: int | None, test: McNemar) -> NetworkTest:
    def of_images(name: str, value: float, unit: Unit, formula: Formula, **bounds: Any) -> Datum:
        identity = f"claim.{claim.id}.network_{'once' if seed is None else seed}.{name}"
        return Datum(identity, value, unit, formula, test.total, "images", **bounds)

    mean, low, high = test.interval()
    return NetworkTest(
        of_images("only_subject", test.only_subject, "count", "count_of_images"),
        of_images("only_comparator", test.only_comparator, "count", "count_of_images"),
        of_images("difference", mean, "points", "difference_over_images", low=low, high=high),
        of_images("p", test.two_sided_p_value(), "probability", "mcnemar"),
    )


def _pooled(identity: str, by_image: Array, runs: tuple[str, ...]) -> Datum:
    """Bootstrap the images: few different values occur, so drawing images is drawing from these values."""
    count, mean = len(by_image), float(np.mean(by_image))
    values, counts = np.unique(np.round(by_image, 9), return_counts=True)
    drawn = np.random.default_rng(0).multinomial(count, counts / count, RESAMPLES)
    low, high = map(float, np.quantile(drawn @ values / count, [LEVEL / 2, 1 - LEVEL / 2]))
    return Datum(identity, mean, "points", "mean_difference_over_images", count, "images", low, high, runs)


def _beyond(identity: str, by_image: Array, sample: Sample) -> Datum:
    """Widen the interval over seeds by the spread between images, float [seeds, images]: SE² + Var over images / N."""
    count, images = by_image.shape
    mean, test = float(np.mean(by_image)), sample.test() if sample.count > 1 else None
    if count < 2 or not isinstance(test, TTest):
        return Datum(identity, mean, "points", "difference_beyond_images", count, runs=sample.runs, reason="one_seed")
    # What a seed adds to an image's difference is in the spread between seeds already, so it is taken out here.
    twice = float(np.mean(np.var(by_image, axis=0, ddof=1))) / count
    between = max(float(np.var(by_image.mean(axis=0), ddof=1)) - twice, 0.0) / images
    bounds = _around(test, math.hypot(test.error, math.sqrt(between)))
    return Datum(identity, test.center, "points", "difference_beyond_images", count, "seeds", *bounds, sample.runs)
