"""Every planned trial's result: its runs, curves and scores by stage, its costs, the original's numbers."""

from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any, Literal

import numpy as np
from scipy import stats

from cifar_report.analysis.estimates import epoch_of_least_loss, finite, first_epoch_at_level, measure, original_datum
from cifar_report.analysis.hypothesis_tests import TRIM, exact_interval
from cifar_report.analysis.predictions import PredictionTable, prediction_metrics
from cifar_report.analysis.results import Scope
from cifar_report.analysis.results import trials as results
from cifar_report.analysis.results.trials import Curve, Datum, Measure, SeedValue, StageSummary, TrialResult, Unit
from cifar_report.analysis.results.verdicts import LEVEL
from cifar_report.bundle import Bundle, Run, StageResult, Weights
from cifar_report.bundle.records import primary_weights
from cifar_report.published import OriginalStage, OriginalTrial
from cifar_report.spec import AnyTrial, Change, Experiment, Trial, differences

COLUMNS: dict[str, Unit] = {"loss": "loss", "accuracy": "share", "val_loss": "loss", "val_accuracy": "share"}
PARTS = ("train", "validation", "test")
LEAST_RUNS = 3  # for a median that says something
UNUSUAL_POINTS, UNUSUAL_DEVIATIONS = 0.04, 4.0  # from the median, both


def trial_results(bundle: Bundle, predictions: PredictionTable, scope: Scope) -> tuple[TrialResult, ...]:
    """Return the results of all planned trials, in the order of the experiments."""
    pairs = [(experiment, trial) for experiment in bundle.record.experiments for trial in experiment.trials]
    return tuple(_trial_result(bundle, *pair, predictions, scope) for pair in pairs)


def _trial_result(
    bundle: Bundle, experiment: Experiment, trial: AnyTrial, predictions: PredictionTable, scope: Scope
) -> TrialResult:
    runs, failed = bundle.runs_of(trial.id), bundle.failed_of(trial.id)
    planned: tuple[int | None, ...] = tuple(bundle.seeds(trial.id)) if trial.seeded else (None,)
    known = bundle.record.original
    original = known.find(trial.id) if known is not None else None
    status: results.Status = "failed" if failed else "missing"
    if runs:
        status = "done" if {run.seed for run in runs} >= set(planned) else "partial"
    stages: tuple[StageSummary, ...] = ()
    if isinstance(trial, Trial) and runs:
        stages = tuple(_stage_summary(trial, stage.id, runs, predictions, original, scope) for stage in trial.stages)
    classical = _classical(trial, runs, predictions)
    if stages:
        primary = stages[-1].primary.test_accuracy
    elif classical is not None:
        primary = classical.test_accuracy
    else:
        reason: results.Undefined = "failed" if failed else "not_run"
        primary = Measure(Datum(f"{trial.id}.test_accuracy", None, "share", "mean_over_seeds", 0, reason=reason), ())
    return TrialResult(
        id=trial.id,
        trial=trial,
        trained=bundle.record.profile.apply(trial),
        experiment=experiment.id,
        section=experiment.section,
        status=status,
        seeds_planned=planned,
        seeds_run=tuple(run.seed for run in runs),
        failed=tuple(results.FailedRun(run.id, run.seed, _last_line(run.error)) for run in failed),
        runs=tuple(run.id for run in runs),
        stages=stages,
        classical=classical,
        costs=_costs(trial, runs, original) if isinstance(trial, Trial) else None,
        primary=primary,
        unusual=unusual_runs(primary),
        median=_center(trial.id, "median", primary),
        trimmed_mean=_center(trial.id, "trimmed_mean", primary),
        original_loss=original_datum(f"{trial.id}.loss", "loss", original.stages[-1].test_loss if original else None),
        original_seconds=original_datum(f"{trial.id}.seconds", "seconds", original.seconds if original else None),
        as_written_changes=_changes(bundle, trial.as_written, trial),
        one_change_changes=_changes(bundle, trial.one_change, trial),
    )


def _stage_summary(
    trial: Trial,
    stage_id: str,
    runs: Sequence[Run],
    predictions: PredictionTable,
    original_trial: OriginalTrial | None,
    scope: Scope,
) -> StageSummary:
    """Return the summary of one stage; ``runs`` are the finished ones and must not be empty."""
    prefix, primary = f"{trial.id}.{stage_id}", primary_weights(trial, stage_id)
    original = original_trial.stage(stage_id) if original_trial else None
    curves = tuple(_curve(run.id, run.seed, run.stage(stage_id)) for run in runs)
    given = [found for run in runs if (found := predictions.get((run.id, stage_id))) is not None]

    def over_runs(name: str, read: Callable[[StageResult], float | None], **others: Any) -> Measure:
        return measure(f"{prefix}.{name}", "epochs", runs, [read(run.stage(stage_id)) for run in runs], **others)

    def reached(stage: StageResult | OriginalStage) -> float | None:
        return first_epoch_at_level(stage.history.val_accuracy)

    def scores(weights: Weights) -> results.WeightScores:
        return _weight_scores(prefix, weights, runs, stage_id, original if primary == weights else None, scope)

    published = (original.epochs, reached(original)) if original else (None, None)
    return StageSummary(
        trial=trial.id,
        id=stage_id,
        primary_weights=primary,
        last=scores("last"),
        best=scores("best"),
        curves=curves,
        original_curve=_curve("original", None, original) if original else None,
        epochs_table=_epoch_rows(prefix, curves),
        epochs_run=over_runs("epochs_run", lambda stage: stage.epochs, original=published[0]),
        best_epoch=over_runs("best_epoch", lambda stage: stage.best_epoch),
        epochs_to_accuracy=over_runs("epochs_to_accuracy", reached, censored=True, original=published[1]),
        epoch_of_least_loss=over_runs("epoch_of_least_loss", epoch_of_least_loss),
        test=prediction_metrics(prefix, runs, given) if len(given) == len(runs) else None,
    )


def _weight_scores(
    prefix: str, weights: Weights, runs: Sequence[Run], stage_id: str, original: OriginalStage | None, scope: Scope
) -> results.WeightScores:
    evaluations = [run.stage(stage_id).evaluation(weights) for run in runs]

    def over_runs(part: str, name: str, unit: Unit) -> Measure:
        values = [finite(getattr(getattr(evaluation, part), name)) for evaluation in evaluations]
        identity, published = f"{prefix}.{weights}.{part}_{name}", getattr(original, f"{part}_{name}", None)
        return measure(identity, unit, runs, values, original=published, scope=scope if original else None)

    dead = {run.id: each.dead_units for run, each in zip(runs, evaluations, strict=True) if each.dead_units is not None}
    recorded = [run for run in runs if run.id in dead]
    return results.WeightScores(
        **{f"{part}_accuracy": over_runs(part, "accuracy", "share") for part in PARTS},
        **{f"{part}_loss": over_runs(part, "loss", "loss") for part in PARTS},
        gap=measure(f"{prefix}.{weights}.gap", "points", runs, [finite(evaluation.gap) for evaluation in evaluations]),
        dead_units=measure(f"{prefix}.{weights}.dead_units", "share", recorded, dead.values()) if dead else None,
    )


def _curve(run: str, seed: int | None, stage: StageResult | OriginalStage) -> Curve:
    return Curve(run, seed, **{name: tuple(map(finite, getattr(stage.history, name))) for name in COLUMNS})


def _epoch_rows(prefix: str, curves: Sequence[Curve]) -> tuple[results.EpochRow, ...]:
    """Return the means by epoch over the seeds that trained in it; a seed without a number makes a mean undefined."""

    def mean(name: str, epoch: int, running: Sequence[Curve]) -> Datum:
        values = [getattr(curve, name)[epoch - 1] for curve in running]
        value = None if None in values else fmean(values)  # sum rounds otherwise before Python 3.12
        identity, runs = f"{prefix}.epoch_{epoch}.{name}", tuple(curve.run for curve in running)
        reason: results.Undefined | None = "not_a_number" if value is None else None
        return Datum(identity, value, COLUMNS[name], "mean_over_running_seeds", len(runs), runs=runs, reason=reason)

    rows = []
    for epoch in range(1, max((len(curve.loss) for curve in curves), default=0) + 1):
        running = [curve for curve in curves if len(curve.loss) >= epoch]
        rows.append(results.EpochRow(epoch, len(running), **{name: mean(name, epoch, running) for name in COLUMNS}))
    return tuple(rows)


def _classical(trial: AnyTrial, runs: Sequence[Run], predictions: PredictionTable) -> results.ClassicalSummary | None:
    run = next((run for run in runs if run.classical is not None), None)
    if isinstance(trial, Trial) or run is None or run.classical is None:
        return None
    given, accuracy = predictions.get((run.id, None)), finite(run.classical.test_accuracy)
    reached = measure(f"{trial.id}.test_accuracy", "share", [run], [accuracy])
    if given is not None and accuracy is not None:
        count = len(given.labels)
        low, high = map(float, stats.binomtest(int(given.correct.sum()), count).proportion_ci(method="wilson"))
        datum = Datum(reached.datum.id, accuracy, "share", "share_of_images", count, "images", low, high, (run.id,))
        reached = Measure(datum, reached.seeds)
    images = Datum(f"{trial.id}.training_images", run.classical.training_images, "count", "single_value")
    metrics = prediction_metrics(trial.id, [run], [given]) if given is not None else None
    return results.ClassicalSummary(reached, images, metrics)


def unusual_runs(measure: Measure) -> tuple[SeedValue, ...]:
    """Return the runs more than 4 points and 4 robust standard deviations from the median; never dropped."""
    known = [each for each in measure.seeds if each.value is not None]
    return tuple(each for each, far in zip(known, are_unusual(measure.values), strict=True) if far)


def are_unusual(accuracies: Sequence[float]) -> list[bool]:
    """Return for each accuracy whether it is an unusual one; of fewer than three none is."""
    if len(accuracies) < LEAST_RUNS:
        return [False] * len(accuracies)
    spread = float(stats.median_abs_deviation(accuracies, scale="normal"))
    far, center = max(UNUSUAL_POINTS, UNUSUAL_DEVIATIONS * spread), float(np.median(accuracies))
    return [abs(each - center) > far for each in accuracies]


def unseen_collapses(count: int) -> Datum | None:
    """Return the one-sided 95 % bound of how often runs may collapse where none of ``count`` did; None without runs."""
    if not count:
        return None
    bound = exact_interval(0, count, 1 - 2 * LEVEL)[1]
    return Datum("unseen_collapses", bound, "share", "bound_of_unseen", count)


def _center(trial: str, name: Literal["median", "trimmed_mean"], measure: Measure) -> Datum | None:
    values = measure.values
    if len(values) < LEAST_RUNS:
        return None
    value = float(np.median(values) if name == "median" else stats.trim_mean(values, TRIM))
    formula: results.Formula = "median_over_seeds" if name == "median" else "trimmed_mean"
    return Datum(f"{trial}.{name}", value, "share", formula, len(values), runs=measure.datum.runs)


def _costs(trial: Trial, runs: Sequence[Run], original: OriginalTrial | None) -> results.Costs:
    """Return the counts of the description; where it does not tell, those that a run took from the built model."""

    def counted(name: str, field: str) -> Datum:
        identity, value = f"{trial.id}.{name}", getattr(trial, field)
        if value is not None:
            return Datum(identity, value, "count", "counted_in_spec", origin="spec")
        run = next((run for run in runs if getattr(run, field) is not None), None)
        if run is None:
            return Datum(identity, None, "count", "counted_in_model", reason="not_run")
        return Datum(identity, getattr(run, field), "count", "counted_in_model", runs=(run.id,))

    published = (original.parameters_total, original.parameters_trainable) if original else (None, None)
    return results.Costs(
        parameters=counted("parameters", "parameters_total"),
        trainable_parameters=counted("trainable_parameters", "parameters_trainable"),
        macs=counted("macs", "macs"),
        original_parameters=original_datum(f"{trial.id}.parameters", "count", published[0]),
        original_trainable_parameters=original_datum(f"{trial.id}.trainable_parameters", "count", published[1]),
    )


def _changes(bundle: Bundle, other: str | None, trial: AnyTrial) -> tuple[Change, ...]:
    return differences(bundle.trials[other], trial) if other is not None and other in bundle.trials else ()


def _last_line(error: str | None) -> str:
    """Return what an error says in the end, with a question mark for each character that cannot be seen."""
    lines = (error or "").strip().splitlines()
    line = lines[-1].strip()[:1_000] if lines else ""  # as much as is shown
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
