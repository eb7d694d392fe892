"""Recompute every verdict of a results bundle from its files, by the written method alone.

A second implementation: it imports nothing of the project, so that an error would have to be made twice. Comments that
begin with "Open:" mark what the written method leaves undecided and how it is taken here.

Columns: estimate and 90 % interval (5 % beyond each end) of subject minus comparator, or of their ratio for times;
accuracies are shares; p is one-sided, for the claimed direction; n counts runs, pairs, blocks of timing or images.
"""

import json
import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from scipy import stats

ALPHA = 0.05
TIMED = {"seconds", "throughput", "fit_seconds", "predict_seconds"}
EPOCHS = {"epochs_to_accuracy", "epoch_of_least_loss"}
DIRECTED = {"greater", "less", "not_better"}
COUNTS = {"parameters": "parameters_total", "trainable_parameters": "parameters_trainable", "macs": "macs"}
TINY = 1e-12  # two numbers this near are equal
COLUMNS = ["claim", "outcome", "reason", "estimate", "low", "high", "p", "p_corrected", "n", "fragile", "test"]


def read_bundle(path):
    """Read a bundle; a run counts if it is done and its seed was planned (classifiers have none)."""
    plan = json.loads((path / "bundle.json").read_text())
    claims = [claim for experiment in plan["experiments"] for claim in experiment["claims"]]
    trials = {trial["id"]: trial for experiment in plan["experiments"] for trial in experiment["trials"]}
    runs = {trial: {} for trial in trials}
    for file in sorted(path.glob("runs/*/*/run.json")):
        run, trial = json.loads(file.read_text()), file.parts[-3]
        if trial in runs and run["status"] == "done" and (run["seed"] is None or run["seed"] < plan["seeds"]):
            runs[trial][run["seed"]] = run
    timing, timing_file = {}, path / "timing" / "timing.json"
    # Open: a block that is marked as disturbed is kept, since the method says "marked" and not "dropped".
    for measured in json.loads(timing_file.read_text())["measurements"] if timing_file.exists() else []:
        timing.setdefault(measured["trial"], {})[measured["block"]] = measured
    return SimpleNamespace(path=path, plan=plan, claims=claims, trials=trials, runs=runs, timing=timing)


def find_stage(stages, name):
    """Return the stage of this name, or the last one if the claim names none."""
    return next((stage for stage in reversed(stages) if name in (None, stage["id"])), None)


def run_value(run, quantity, stage_name):
    """Return a quantity of one run as `run.json` records it."""
    if not run["stages"]:
        return run["classical"]["test_accuracy"]
    stage = find_stage(run["stages"], stage_name)
    history = stage["history"]
    if quantity == "epochs_to_accuracy":
        # Open: the history's validation accuracy, not smoothed; "not reached" is this stage's last epoch + 1.
        reached = [epoch for epoch, value in enumerate(history["val_accuracy"], 1) if value >= 0.55 - TINY]
        return min(reached, default=len(history["val_accuracy"]) + 1)
    if quantity == "epoch_of_least_loss":
        # Open: medians of three epochs belong to onsets only; here the raw minimum, the first of equal ones.
        return int(np.argmin(history["val_loss"])) + 1
    if quantity == "onset":
        return onset_epoch(np.array(history["val_loss"]), np.array(history["loss"]))
    # Open: "restored best-validation weights for model 2" is read as: of every stage that may stop early.
    early = find_stage(run["trial"]["stages"], stage["id"])["early_stopping"] is not None
    evaluated = stage["best" if early else "last"]
    if quantity == "gap":
        return evaluated["train"]["accuracy"] - evaluated["test"]["accuracy"]
    if quantity == "dead_units":
        return evaluated.get("dead_units")  # None: from before they were recorded
    part = "validation" if quantity == "validation_accuracy" else "test"
    return evaluated[part]["loss" if quantity == "loss" else "accuracy"]


def onset_epoch(validation, training):
    """Return the epoch of least median validation loss, infinity unless overfitting follows it."""
    if len(validation) < 3:
        return math.inf
    # Open: the median is centred and needs three epochs, so that the first and the last epoch have none.
    smooth = np.median([validation[:-2], validation[1:-1], validation[2:]], axis=0)
    best = int(np.argmin(smooth))
    # Open: the rise, of the same medians, may come at any later epoch whose running training loss is lower than at e*.
    overfitted = (smooth[best:] >= 1.02 * smooth[best]) & (training[best + 1 : -1] < training[best + 1])
    return best + 2 if overfitted.any() else math.inf


def log_time(measured, quantity):
    """Return the logarithm of a time or throughput from one measurement of the timing pass."""
    if quantity in ("fit_seconds", "predict_seconds"):
        return math.log(measured[quantity])
    # Open: "medians" are those of the portions within a measurement. Equal numbers of steps are compared, not whole
    # trainings (each registered pair has equal epochs and batches), and `batch_size` is that of all replicas together.
    seconds = np.median(measured["portions"]) / (measured["steps"] / len(measured["portions"]))
    return math.log(measured["batch_size"] / seconds if quantity == "throughput" else seconds)


def side_values(bundle, side, quantity):
    """Return the values of one side of a claim by seed (None where there is no seed) or by block."""
    if quantity in TIMED:
        return {block: log_time(measured, quantity) for block, measured in bundle.timing[side["trial"]].items()}
    return {seed: run_value(run, quantity, side["stage"]) for seed, run in bundle.runs[side["trial"]].items()}


def same_network(bundle, sides):
    """Say whether both sides are one network continued or run again: only epochs or devices may differ."""
    if sides[0]["trial"] == sides[1]["trial"]:
        return True
    trials = [bundle.trials[side["trial"]] for side in sides]
    merged = [trial | find_stage(trial["stages"], side["stage"]) for trial, side in zip(trials, sides, strict=True)]
    kept = ("layers", "batch_size", "learning_rate", "split_seed", "augmentation", "early_stopping", "data_order")
    return all(merged[0].get(key) == merged[1].get(key) for key in kept)


class Comparison(NamedTuple):
    """An estimate, the p-values of "the true value is above (below) a bound", and the 90 % interval."""

    estimate: float
    above: Any
    below: Any
    interval: Any
    n: str
    least_p: float = 0.0  # the least p that so many runs can give


def t_test(x, y, trim=0.0):
    """Compare the mean of `x` with that of `y` (Welch) or with a number `y` (Student), trimmed or not."""
    means, variances, dfs = [], [], []
    for side in (x, y):
        if np.ndim(side) == 0:  # a number without a seed has no variance
            means.append(side)
            continue
        values, n, cut = np.sort(side), len(side), int(trim * len(side) + TINY)
        kept = n - 2 * cut
        if n < 2 or (trim and not cut):
            return None
        means.append(values[cut : n - cut].mean())
        winsorized = np.clip(values, values[cut], values[n - 1 - cut])
        # The two named tests differ in their error when trimmed: Yuen's for two samples, Tukey-McLaughlin's for one.
        share = (n - 1) / (kept * (kept - 1)) if np.ndim(y) else n / kept**2
        variances.append(winsorized.var(ddof=1) * share)
        dfs.append(kept - 1)
    sizes = "+".join(str(np.size(side)) for side in (x, y) if np.ndim(side))
    estimate, error = float(means[0] - means[1]), math.sqrt(sum(variances))
    if error < TINY:
        # Open: values that are all equal are "decided exactly", read as p = 0 or 1.
        above, below = lambda b: float(estimate <= b + TINY), lambda b: float(estimate >= b - TINY)
        return Comparison(estimate, above, below, (estimate, estimate), sizes)
    df = sum(variances) ** 2 / sum(v**2 / d for v, d in zip(variances, dfs, strict=True))
    if not trim and min(dfs) < 3:  # two and three runs: no more than the smaller side has alone
        df = min(df, *dfs)
    t = df, estimate, error
    interval = stats.t.interval(1 - 2 * ALPHA, *t)
    return Comparison(estimate, lambda b: stats.t.cdf(b, *t), lambda b: stats.t.sf(b, *t), interval, sizes)


def share_of_sums(values, size, least):
    """Return the share of the subsets of whole numbers ≥ 0 (of `size`, None: any) with a sum of `least` or more."""
    total = sum(values)
    counts = np.zeros((len(values) + 1, total + 1))  # number of subsets by size and sum
    counts[0, 0] = 1
    for value in values:
        counts[1:, value:] += counts[:-1, : total + 1 - value].copy()
    counts = counts if size is None else counts[size : size + 1]
    return counts[:, max(least, 0) :].sum() / counts.sum()


def epoch_test(x, y, paired):
    """Compare whole epochs exactly, by permutations of the runs or, paired, of the signs of the differences."""
    if min(len(x), len(y)) < 2:
        return None

    def greater(x, y, bound):
        x, y = [round(2 * (value - bound)) for value in x], [round(2 * value) for value in y]  # half epochs are whole
        if paired:
            # Open: "by signs" is read as flipping the signs of the differences, not as the sign test.
            differences = [a - b for a, b in zip(x, y, strict=True)]
            return share_of_sums([abs(d) for d in differences], None, sum(d for d in differences if d > 0))
        least = min(x + y)
        return share_of_sums([value - least for value in x + y], len(x), sum(x) - least * len(x))

    above, below = lambda bound: greater(x, y, bound), lambda bound: greater(y, x, -bound)
    # Open: how this interval is shown; here the shifts, in half epochs, that neither one-sided test rejects.
    span = max(x + y) - min(x + y) + 1
    shifts = np.arange(-span, span + 0.5, 0.5)
    low = next((shift for shift in shifts if above(shift) >= ALPHA), span)
    high = next((shift for shift in shifts[::-1] if below(shift) >= ALPHA), -span)
    interval = -math.inf if low == -span else float(low), math.inf if high == span else float(high)
    least_p = 0.5 ** len(x) if paired else 1 / math.comb(len(x) + len(y), len(x))
    n = str(len(x)) if paired else f"{len(x)}+{len(y)}"
    return Comparison(float(np.mean(x) - np.mean(y)), above, below, interval, n, least_p)


def image_test(x, y):
    """Compare two classifiers on the same images: McNemar's exact test at zero, else a paired bootstrap."""
    only_x, only_y, n = int(np.sum(x & ~y)), int(np.sum(y & ~x)), len(x)
    # To draw images with replacement is to draw these three counts from a multinomial distribution.
    shares = np.array([only_x, only_y, n - only_x - only_y]) / n
    drawn = np.random.default_rng(0).multinomial(n, shares, size=20_000)
    resampled = (drawn[:, 0] - drawn[:, 1]) / n
    # Open: McNemar's test is taken one-sided, like the claim.
    mcnemar = stats.binomtest(only_x, max(only_x + only_y, 1), 0.5, "greater").pvalue
    above, below = lambda b: mcnemar if b == 0 else np.mean(resampled <= b), lambda b: np.mean(resampled >= b)
    interval = np.quantile(resampled, [ALPHA, 1 - ALPHA])
    return Comparison((only_x - only_y) / n, above, below, interval, str(n))


def onset_test(epochs, claimed, margin):
    """Test the share of runs whose onset lies within the margin of the claimed epoch, by the exact binomial test."""
    if not epochs:
        return None
    hits, n = sum(abs(epoch - claimed) <= margin for epoch in epochs), len(epochs)

    def p_of(alternative):
        return lambda bound: stats.binomtest(hits, n, bound, alternative).pvalue

    interval = stats.binomtest(hits, n).proportion_ci(1 - 2 * ALPHA)
    return Comparison(hits / n, p_of("greater"), p_of("less"), interval, str(n))


class Case(NamedTuple):
    """A claim, its kind of test, and the values and trials of its sides; the one claimed to be larger comes first."""

    claim: dict
    kind: str
    sides: list
    trials: list


def unusual_runs(bundle, side):
    """Count a trial's runs that lie both 4 points and 4 robust standard deviations from the median accuracy."""
    values = np.array([run_value(run, "accuracy", side["stage"]) for run in bundle.runs[side["trial"]].values()])
    distances = np.abs(values - np.median(values))
    return int(np.sum(distances > max(0.04, 4 * 1.482602218505602 * np.median(distances))))


def make_case(bundle, claim):
    """Collect the values of a claim and choose its kind of test."""
    quantity = "onset" if claim["relation"] == "onset" else claim["quantity"]
    sides = [claim["subject"]] if claim["comparator"] is None else [claim["subject"], claim["comparator"]]
    quantities = [quantity, claim["comparator_quantity"] or quantity]
    values = [side_values(bundle, side, wanted) for side, wanted in zip(sides, quantities, strict=False)]
    if quantity == "onset":
        kind = "onset"
    elif quantity in TIMED:
        kind = "paired by block"
    elif all(None in side for side in values):
        kind = "images"
        for side, value in zip(sides, values, strict=True):
            with np.load(bundle.path / "runs" / side["trial"] / "once" / "predictions.npz") as arrays:
                value[None] = arrays["predicted"] == arrays["labels"]
    elif len(sides) == 1 or any(None in side for side in values):
        # Open: networks against a classifier without seeds are one sample against that classifier's fixed accuracy.
        kind = "one sample"
    else:
        kind = ("paired" if same_network(bundle, sides) else "Welch") + (", epochs" if quantity in EPOCHS else "")
    order = -1 if claim["relation"] == "less" else 1
    return Case(claim, kind, values[::order], [side["trial"] for side in sides][::order])


def make_test(case, factor=1.0, trim=0.0):
    """Return the test of a case, None with fewer than two runs on a side."""
    sides = case.sides
    if case.claim["quantity"] == "loss" and case.kind == "Welch":  # losses are compared as shares of the comparator's
        unit = np.mean(list(sides[0 if case.claim["relation"] == "less" else 1].values()))
        sides = [{key: value / unit for key, value in side.items()} for side in sides]
    if case.kind == "onset":
        return onset_test(sides[0].values(), case.claim["value"], case.claim["margin"] * factor)
    if case.kind == "images":
        return image_test(sides[0][None], sides[1][None])
    if case.kind.startswith("paired"):
        common = sorted(sides[0].keys() & sides[1].keys())
        sides = [{key: side[key] for key in common} for side in sides]
    x, y = [side[None] if None in side else list(side.values()) for side in (*sides, {None: 0.0})[:2]]
    if case.kind.endswith("epochs"):
        return epoch_test(x, y, case.kind.startswith("paired"))
    return t_test(np.subtract(x, y), 0.0, trim) if case.kind.startswith("paired") else t_test(x, y, trim)


def bounds(claim, factor=1.0):
    """Return the bounds of equivalence on the scale of the test; those of a direction are minus and plus its margin."""
    value, width = claim["value"] or 0.0, (claim["margin"] or 0.0) * factor
    if claim["relation"] == "onset":
        return 0.5, 1.0
    if claim["relation"] == "ratio":
        ratio = 1 + 0.25 * factor
        low, high = value / ratio, value * ratio
        # A claimed increase or decrease must be one: the band ends at 1, so that one of its tests is that against 1.
        return math.log(max(low, 1.0) if value > 1 else low), math.log(min(high, 1.0) if value < 1 else high)
    if claim["quantity"] in TIMED:
        width = math.log1p(width)  # Open: 10 % is log 1.1 in both directions, so that "less" is below 1 / 1.1
    if claim["quantity"] == "loss" and claim["comparator"] is None:
        width *= value
    return value - width, value + width


def p_value(claim, test, factor=1.0):
    """Return the p that decides for the claim; of "not better", the p of an improvement."""
    if test is None:
        return 1.0
    low, high = bounds(claim, factor)
    if claim["relation"] in DIRECTED:
        return test.above(0)
    return test.above(low) if claim["relation"] == "onset" else max(test.above(low), test.below(high))


def holm(p, others):
    """Correct `p` by Holm's method, beside the p-values of the other claims of its family."""
    ordered = sorted([p, *others])
    steps = [(len(ordered) - rank) * value for rank, value in enumerate(ordered)]
    return min(1.0, max(steps[: ordered.index(p) + 1]))


def decide(claim, test, others, factor=1.0):
    """Return the outcome and its reason."""
    if test is None:
        return "inconclusive", "fewer than two runs"
    p, (low, high) = p_value(claim, test, factor), bounds(claim, factor)
    if claim["relation"] not in DIRECTED:
        if p < ALPHA:
            return "reproduced", ""
        # Outside: of onsets the one-sided 95 % bound, of all others the whole 95 % interval, so .025 at each end.
        level = ALPHA if claim["relation"] == "onset" else ALPHA / 2
        outside = min(test.above(high), test.below(low)) < level
        return ("not_reproduced", "outside the bounds") if outside else ("inconclusive", "power")
    # Open: the level that an exact test must be able to reach is that of Holm's first step, .05 / m; where it cannot,
    # an effect of the margin can still be ruled out, at .05.
    reachable = test.least_p < ALPHA / (1 + len(others))
    significant = reachable and holm(p, others) < ALPHA
    large = test.estimate >= high - TINY
    # "The opposite sign Holm-significant" adds nothing: it implies that the upper bound is below the margin.
    ruled_out = test.below(high) < ALPHA
    fits = ["reproduced", "not_reproduced"][:: -1 if claim["relation"] == "not_better" else 1]
    if significant and large:
        return fits[0], ""
    if ruled_out:
        return fits[1], "margin ruled out" + (", direction only" if significant else "")
    if significant:
        return "inconclusive", "margin, direction only"
    if not reachable:
        return "inconclusive", "not decidable with so few seeds"
    return "inconclusive", "correction" if p < ALPHA and large else "power"


def decide_exact(bundle, claim):
    """Return outcome and estimate for a count, which needs no test."""
    # Open: counts are those that the first run records; the layers of the plan are not counted again.
    sides = [side for side in (claim["subject"], claim["comparator"]) if side]
    if claim["quantity"] == "unusual_runs":
        counts = [unusual_runs(bundle, side) for side in sides]
    else:
        counts = [next(iter(bundle.runs[side["trial"]].values()))[COUNTS[claim["quantity"]]] for side in sides]
    subject, other = counts if len(counts) == 2 else (counts[0], claim["value"])
    # Open: "about a quarter" has no stated tolerance; taken as a ratio near 1/4, within the factor 1.25.
    quarter = 0.8 * other <= 4 * subject <= 1.25 * other
    relations = {"less": subject < other, "greater": subject > other, "equal": subject == other, "quarter": quarter}
    estimate = subject / other if claim["exact_relation"] == "quarter" else subject - other
    return "reproduced" if relations[claim["exact_relation"]] else "not_reproduced", estimate if len(
        counts
    ) == 2 else subject


def why_untested(bundle, claim):
    """Return outcome and reason of a claim that cannot be tested, else None."""
    dataset, profile = bundle.plan["dataset"], bundle.plan["profile"]
    # Open: "needs training" is taken as all but exact counts, times too. What is reported first where two reasons hold.
    if claim["relation"] != "exact":
        if not dataset["canonical_labels"] or dataset["grade"] == "stand-in":
            return "not_testable", "stand-in data"
        if profile["counts"] or profile["most_epochs"] or {profile["fraction"], profile["epochs_fraction"]} != {1.0}:
            return "not_testable", "reduced profile"
    # Open: several devices that a machine does not have leave no runs, and so read "not run"; nothing else tells them.
    source, word = (bundle.timing, "timed") if claim["quantity"] in TIMED else (bundle.runs, "run")
    for side in (claim["subject"], claim["comparator"]):
        if side and not source.get(side["trial"]):
            return "not_run", f"{side['trial']} not {word}"
    # Open: which grades mean canonical pixels; "unverified" does not.
    if claim["relation"] == "value" and dataset["grade"] == "unverified":
        return "not_testable", "other pixels"
    sides = [side for side in (claim["subject"], claim["comparator"]) if side]
    if claim["quantity"] == "dead_units" and any(
        None in side_values(bundle, side, "dead_units").values() for side in sides
    ):
        return "not_testable", "not recorded"
    if claim["quantity"] == "unusual_runs" and any(len(bundle.runs[side["trial"]]) < 3 for side in sides):
        return "inconclusive", "no run of fewer than three is unusual"
    return None


def find_fragile(bundle, case, others, outcome):
    """Name the changes of margin, runs or estimator that change the outcome."""
    tried = {"half margin": (make_test(case, 0.5), 0.5), "twice margin": (make_test(case, 2.0), 2.0)}
    paired = case.kind.startswith("paired")
    # Open: timing blocks are left out like runs; and tests that lose their power at n = 4 by that alone are fragile.
    for index, side in enumerate(case.sides):
        for key in sorted(side.keys() - {None}):
            left = [dict(values) for values in case.sides]
            for values in left if paired else [left[index]]:
                values.pop(key, None)
            name = "pair" if paired else case.trials[index]
            tried[f"without {name} {key}"] = make_test(case._replace(sides=left)), 1.0
    # Open: the trimmed mean replaces t tests only; exact tests of epochs, onsets and images stay as they are.
    if (trimmed := make_test(case, trim=0.2)) is not None:
        tried["trimmed mean"] = trimmed, 1.0
    for number, filled in enumerate(fill_missing(bundle, case)):
        tried["missing seed" + " (other way)" * number] = make_test(filled), 1.0
    # Open: only the p of this claim changes; those of the other claims in its family stay.
    return [name for name, (test, factor) in tried.items() if decide(case.claim, test, others, factor)[0] != outcome]


def fill_missing(bundle, case):
    """Return the case with missing seeds counted against the claim, one of equality in both directions."""
    planned = set(range(bundle.plan["seeds"]))
    if case.claim["quantity"] in TIMED or all(None in side or planned <= side.keys() for side in case.sides):
        return []
    # Open: the value of a missing run: the worst of that quantity in any network of the bundle. (With the worst of its
    # own trial the method's example, `filters_32` without its bad run, would pass unnoticed.)
    quantity = "onset" if case.kind == "onset" else case.claim["quantity"]
    networks = [{"trial": name, "stage": None} for name, trial in bundle.trials.items() if trial["kind"] == "network"]
    seen = [value for side in networks for value in side_values(bundle, side, quantity).values()]
    against = [(min(seen), max(seen)), (max(seen), min(seen))]
    if case.claim["relation"] in DIRECTED:
        against = against[1:] if case.claim["relation"] == "not_better" else against[:1]
    elif case.kind == "onset":
        against = [(math.inf, math.inf)]
    both = [zip(case.sides, values, strict=False) for values in against]
    filled = [[s if None in s else dict.fromkeys(planned, value) | s for s, value in sides] for sides in both]
    return [case._replace(sides=sides) for sides in filled]


def family(claim):
    """Return what a claim is corrected with: its family, of which each code of one's own has its own."""
    return claim["family"], claim["code"] if claim["family"] == "own" else ""


def judge(bundle):
    """Return one row of the table for each claim, as dictionaries by column."""
    untested = {claim["id"]: why_untested(bundle, claim) for claim in bundle.claims}
    cases, tests, p_values = {}, {}, {}
    for claim in bundle.claims:
        name = claim["id"]
        if claim["relation"] != "exact" and (untested[name] is None or untested[name][1] == "other pixels"):
            cases[name] = make_case(bundle, claim)
            tests[name] = make_test(cases[name])
        # Holm's m is the registry's count: what was not tested stays in its family with p = 1.
        p_values.setdefault(family(claim), {})[name] = p_value(claim, tests.get(name))
    rows = []
    for claim in bundle.claims:
        name, test = claim["id"], tests.get(claim["id"])
        row = dict.fromkeys(COLUMNS, "") | {"claim": name, "fragile": "no"}
        others = [p for other, p in p_values[family(claim)].items() if claim["family"] and other != name]
        if untested[name]:
            row["outcome"], row["reason"] = untested[name]
        elif claim["relation"] == "exact":
            row["outcome"], row["estimate"] = decide_exact(bundle, claim)
            row["test"] = "exact"
        else:
            row["outcome"], row["reason"] = decide(claim, test, others)
            row["fragile"] = "; ".join(find_fragile(bundle, cases[name], others, row["outcome"])) or "no"
            row["p"] = p_value(claim, test)
            row["p_corrected"] = holm(row["p"], others)
        if test is not None:
            sign = -1 if claim["relation"] == "less" else 1
            numbers = [sign * test.estimate, *sorted(sign * bound for bound in test.interval)]
            numbers = [math.exp(number) for number in numbers] if claim["quantity"] in TIMED else numbers
            row |= dict(zip(COLUMNS[3:6], numbers, strict=True)) | {"n": test.n, "test": cases[name].kind}
        rows.append(row)
    return rows
