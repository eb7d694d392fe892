"""Views that put trials side by side: studies, ranking, costs, ablation, weights, variance, times, and examples."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Literal

import numpy as np
from scipy import stats

from cifar_report.analysis import results
from cifar_report.analysis.estimates import by_block, mean_difference
from cifar_report.analysis.hypothesis_tests import TTest, all_equal, t_interval
from cifar_report.analysis.predictions import PredictionTable, surest, surest_of_pair
from cifar_report.analysis.results import Datum, Measure, StageSummary, TimingRow, TrialResult
from cifar_report.analysis.results.trials import Undefined
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.bundle import Bundle, Measurement
from cifar_report.spec import Change, Quantity, Trial, same_network

STEP_PARTS = ("read", "passes", "exchange", "update")  # the engine's, and the rest


def studies(bundle: Bundle, trials: Mapping[str, TrialResult]) -> Iterator[results.Study]:
    """Yield how the trials that an experiment shows compare among themselves, in the order of the experiments."""
    for experiment in bundle.record.experiments:
        shown = [trials[name] for name in dict.fromkeys(experiment.shown) if name in trials]
        compared = [trial for trial in shown if trial.one_change_changes]
        yield results.Study(experiment.id, ranked(shown), bool(compared) and all(map(_other_split, compared)))


def _other_split(trial: TrialResult) -> bool:
    return {change.place for change in trial.one_change_changes} == {"split_seed"}


def ranked(trials: Sequence[TrialResult]) -> tuple[results.RankRow, ...]:
    """Return all trials that have a primary accuracy, best first, each tied with the first one or not."""
    order = [trial for trial in trials if trial.primary.datum.value is not None]
    order.sort(key=lambda trial: -(trial.primary.datum.value or 0.0))
    rows = zip(order, ties([trial.primary for trial in order]), strict=True)
    return tuple(results.RankRow(trial.id, trial.primary.datum, tied) for trial, tied in rows)


def ties(order: Sequence[Measure]) -> list[bool | None]:
    """Return of measures, the best first, whether each is tied with the first; None where too few runs speak."""
    # The first is chosen by the data that it is tested on, so each of its tests stands for one of every two trials:
    # from the least p-value on, p is multiplied by the pairs among the first and the trials that are left.
    p_values = [_p_value(order[0], other) for other in order[1:]]
    known = sorted((p, place) for place, p in enumerate(p_values, start=1) if p is not None)
    found: list[bool | None] = [None if p is None else True for p in (1.0, *p_values)][: len(order)]
    for left, (p, place) in zip(range(len(known), 0, -1), known, strict=True):
        if p * left * (left + 1) / 2 >= LEVEL:
            break
        found[place] = False
    return found


def _p_value(first: Measure, second: Measure) -> float | None:
    """Return Welch's two-sided p-value, of two without seeds Fisher's over the images; None below two runs."""
    sides, alone = (first, second), [None in {each.seed for each in side.seeds} for side in (first, second)]
    if all(alone):  # correct and wrong predictions, unpaired, so a little conservative
        if {side.datum.n_of for side in sides} != {"images"}:
            return None
        counts = [(round((side.datum.value or 0.0) * (side.datum.n or 0)), side.datum.n or 0) for side in sides]
        return float(stats.fisher_exact([[right, count - right] for right, count in counts]).pvalue)
    samples = [np.array(side.values) for side, fixed in zip(sides, alone, strict=True) if not fixed]
    if min(map(len, samples)) < 2:
        return None
    value = sum(side.values[0] for side, fixed in zip(sides, alone, strict=True) if fixed)
    test = TTest(samples[0] - value, samples[1] if len(samples) > 1 else None)
    return min(1.0, 2 * min(test.p_value(0.0, 1), test.p_value(0.0, -1)))


def pareto_fronts(
    trials: Sequence[TrialResult], timing: Sequence[TimingRow], images: int
) -> tuple[results.ParetoFront, ...]:
    """Return accuracy against parameters, multiply-accumulates and seconds for one epoch of ``images`` images."""
    # A trial that repeats another one's configuration, on another split or on several devices, is left out.
    networks = {
        trial.id: trial
        for trial in trials
        if isinstance(trial.trial, Trial) and trial.trial.strategy == "single" and not _other_split(trial)
    }
    costs = {name: trial.costs for name, trial in networks.items() if trial.costs}
    seconds = {row.trial: datum for row in timing if (datum := _epoch_seconds(row, images)) is not None}
    return (
        _front("parameters", networks, {name: cost.parameters for name, cost in costs.items()}),
        _front("macs", networks, {name: cost.macs for name, cost in costs.items()}),
        _front("seconds", networks, seconds),
    )


def _epoch_seconds(row: TimingRow, images: int) -> Datum | None:
    rate = row.images_per_second
    if rate is None or not rate.value:
        return None
    low, high = (None if edge is None else images / edge for edge in (rate.high, rate.low))
    identity = f"timing.{row.trial}.epoch_seconds"
    return Datum(identity, images / rate.value, "seconds", "seconds_of_an_epoch", rate.n, "blocks", low, high)


def _front(
    cost: Literal["parameters", "macs", "seconds"], trials: Mapping[str, TrialResult], costs: Mapping[str, Datum]
) -> results.ParetoFront:
    accuracies = {name: trial.primary.datum.value for name, trial in trials.items() if name in costs}
    known = [(costs[name].value or 0.0, value, name) for name, value in accuracies.items() if value is not None]
    best, points = -1.0, []
    for _, accuracy, name in sorted(known, key=lambda point: (point[0], -point[1])):
        # The cheapest comes first: on the front is whoever is more accurate than all cheaper ones.
        points.append(results.ParetoPoint(name, costs[name], on_front=accuracy > best))
        best = max(best, accuracy)
    return results.ParetoFront(cost, tuple(points))


def ablation(trials: Mapping[str, TrialResult]) -> tuple[results.AblationRow, ...]:
    """Return each trial that is compared with another one, as written and by one change."""
    return tuple(
        results.AblationRow(
            result.id,
            _comparison(trials, result.trial.as_written, result, result.as_written_changes),
            _comparison(trials, result.trial.one_change, result, result.one_change_changes),
        )
        for result in trials.values()
        if result.trial.as_written is not None or result.trial.one_change is not None
    )


def _comparison(
    trials: Mapping[str, TrialResult], other: str | None, result: TrialResult, changes: tuple[Change, ...]
) -> results.Comparison | None:
    if other is None or other not in trials:
        return None
    paired = same_network(result.trial, trials[other].trial)
    identity = f"{result.id}.against.{other}"
    difference = mean_difference(identity, result.primary, trials[other].primary, paired=paired)
    return results.Comparison(other, difference, changes)


def weights_rows(trials: Sequence[TrialResult]) -> tuple[results.WeightsRow, ...]:
    """Return last epoch and validation-selected weights of every stage side by side."""
    rows = []
    for stage in (stage for trial in trials for stage in trial.stages):
        last, best = stage.last.test_accuracy, stage.best.test_accuracy
        difference = mean_difference(f"{stage.trial}.{stage.id}.best_against_last", best, last, paired=True)
        rows.append(results.WeightsRow(stage.trial, stage.id, last.datum, best.datum, difference))
    return tuple(rows)


def variance(trial: TrialResult, predictions: PredictionTable) -> results.VarianceRow | None:
    """Split the variance of one run into that between seeds and that of other images; None below two seeds."""
    # The noise of the images within each run, p(1 - p) / N, is in the spread of the seeds' accuracies and is taken out;
    # what a seed adds to single images is in the mean over the seeds and is taken out of theirs.
    if not trial.stages or len(trial.runs) < 2:
        return None
    given = [predictions.get((run, trial.stages[-1].id)) for run in trial.runs]
    right = [each.correct for each in given if each is not None]
    if len(right) < len(trial.runs) or len({len(each) for each in right}) != 1 or len(right[0]) < 2:
        return None
    table, runs = np.array(right, float), trial.runs
    count, images_count = table.shape
    within = float(np.mean(np.var(table, axis=0, ddof=1)))  # p(1 - p) of each image over the runs, without bias
    seeds = max(float(np.var(table.mean(axis=1), ddof=1)) - within / images_count, 0.0)
    images = max(float(np.var(table.mean(axis=0), ddof=1)) - within / count, 0.0) / images_count
    total = seeds + images

    def spread(name: str, variance: float) -> Datum:
        identity = f"{trial.id}.variance.{name}"
        return Datum(identity, float(np.sqrt(variance)), "points", "standard_deviation", count, runs=runs)

    identity, share = f"{trial.id}.variance.seed_share", seeds / total if total else None
    reason: Undefined | None = None if total else "no_spread"
    seed_share = Datum(identity, share, "share", "variance_share", count, runs=runs, reason=reason)
    return results.VarianceRow(trial.id, spread("seeds", seeds), spread("images", images), seed_share)


def examples(trials: Sequence[TrialResult], predictions: PredictionTable) -> tuple[results.Example, ...]:
    """Return per class the surest correct and wrong prediction of one run, and those of its commonest mistakes."""
    # It is the median run of the trial with the best mean validation accuracy, by that accuracy too, so that nothing is
    # selected on the test set; ties go to the earlier trial and the lower seed.
    candidates = [found for trial in trials for found in _median_run(trial, predictions)]
    if not candidates:
        return ()
    _, stage, run = max(candidates, key=lambda candidate: candidate[0])
    given = predictions[run, stage.id]
    top = given.top if given.top is not None else np.zeros(len(given.labels))

    def example(kind: Literal["right", "wrong", "confused"], identity: str, place: int) -> results.Example:
        probability = Datum(identity, float(top[place]), "share", "run_probability", 1, "images", runs=(run,))
        image, label, predicted = (int(each[place]) for each in (given.indices, given.labels, given.predicted))
        return results.Example(kind, image, label, predicted, probability, run, stage.trial, stage.id)

    shown = []
    for label, surely, place in surest(given.labels, given.predicted, top):
        shown.append(example(surely, f"example.{surely}_{label}", place))
    for pair in stage.test.most_confused[:5] if stage.test else ():  # the commonest
        places = surest_of_pair(given.labels, given.predicted, top, (pair.label, pair.predicted))
        names = (f"example.confused_{pair.label}_{pair.predicted}_{rank}" for rank in range(len(places)))
        shown += [example("confused", identity, place) for identity, place in zip(names, places, strict=True)]
    return tuple(shown)


def _median_run(trial: TrialResult, predictions: PredictionTable) -> Iterator[tuple[float, StageSummary, str]]:
    """Yield mean validation accuracy, stage and the run with the median one of those with probabilities, if any."""
    stage = trial.stage()
    if stage is None:
        return
    accuracy = stage.primary.validation_accuracy
    given = {each.run: predictions.get((each.run, stage.id)) for each in accuracy.seeds if each.value is not None}
    known = [each for each in accuracy.seeds if (found := given.get(each.run)) is not None and found.top is not None]
    if known:
        ordered = sorted(known, key=lambda each: (each.value or 0.0, each.seed or 0))
        mean = accuracy.datum.value
        yield -1.0 if mean is None else mean, stage, ordered[(len(ordered) - 1) // 2].run


def dead_units(trials: Sequence[TrialResult]) -> Datum | None:
    """Return how accuracy and share of dead hidden units go together within trials; None where nothing was recorded."""
    deviations, runs = [], []
    for trial in trials:
        recorded = stage.primary.dead_units if (stage := trial.stage()) else None
        accuracies = {each.run: each.value for each in trial.primary.seeds}
        pairs = [(each.value, accuracies.get(each.run), each.run) for each in recorded.seeds] if recorded else []
        values = np.array([pair[:2] for pair in pairs if None not in pair], float).reshape(-1, 2)
        if len(values) > 1 and not all_equal(values[:, 0]):  # without a spread there is nothing to go together
            deviations.append(values - values.mean(axis=0))
            runs += [pair[2] for pair in pairs if None not in pair]
    if not deviations:
        return None
    both = np.concatenate(deviations).T
    known = not any(map(all_equal, both))
    value = float(stats.spearmanr(*both).statistic) if known else None
    reason: Undefined | None = None if known else "no_spread"
    identity = "dead_units.rank_correlation"
    return Datum(identity, value, "score", "rank_correlation", len(runs), "runs", runs=tuple(runs), reason=reason)


def timing_rows(bundle: Bundle) -> tuple[TimingRow, ...]:
    """Return a row for each timed trial, in the order of the experiments; none without a timing pass."""
    if bundle.timing_pass is None:
        return ()
    measured = bundle.timing_pass.measurements
    groups = {trial: [each for each in measured if each.trial == trial] for trial in bundle.trials}
    return tuple(_timing_row(bundle, trial, found) for trial, found in groups.items() if found)


def _timing_row(bundle: Bundle, trial: str, measurements: list[Measurement]) -> TimingRow:
    """Return a trial's row; it speaks of disturbed blocks only where no other is left, and counts them."""

    def rate(quantity: Quantity, name: str, unit: results.Unit) -> Datum | None:
        values = by_block(bundle, trial, quantity) or by_block(bundle, trial, quantity, disturbed=True)
        if not values:
            return None
        bounds = t_interval(np.log([*values.values()]))
        mean, low, high = (None if edge is None else float(np.exp(edge)) for edge in bounds)
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
        step_parts=_step_parts(trial, measurements),
    )


def _step_parts(trial: str, measurements: Sequence[Measurement]) -> dict[str, Datum]:
    """Return the shares of a step's time: what each part adds to a step that ends before it."""
    recorded = [each for each in measurements if each.until.keys() == {*STEP_PARTS[:-1]}]
    if not (used := [each for each in recorded if not each.contended] or recorded):
        return {}
    ends = [[0.0, *(each.until[part] for part in STEP_PARTS[:-1]), median(each.portions)] for each in used]
    seconds = np.maximum(np.diff(ends), 0.0)  # a measured difference may fall below
    found = {}
    for part, shares in zip(STEP_PARTS, (seconds / seconds.sum(axis=1, keepdims=True)).T, strict=True):
        mean, low, high = t_interval(shares)
        found[part] = Datum(f"timing.{trial}.{part}", mean, "share", "share_of_a_step", len(used), "blocks", low, high)
    return found
