"""Every planned trial's result: what ran, what it reached, what it costs and how it stands to the original."""

from __future__ import annotations

from collections.abc import Sequence

from cifar_report.analysis.answers import AnswerTable
from cifar_report.analysis.classes import prediction_metrics
from cifar_report.analysis.measures import measure, original_datum, undefined
from cifar_report.analysis.results import (
    ClassicalSummary,
    Costs,
    Datum,
    FailedRun,
    Measure,
    Scope,
    StageSummary,
    Status,
    TrialResult,
    Undefined,
)
from cifar_report.analysis.stages import stage_summary
from cifar_report.analysis.statistics import wilson_interval
from cifar_report.analysis.values import Value, finite
from cifar_report.bundle import Bundle, Run
from cifar_report.published import OriginalTrial
from cifar_report.spec import AnyTrial, Change, Experiment, Trial, differences

MOST_CHARACTERS = 1_000  # of an error, as it is shown


def trial_results(bundle: Bundle, answers: AnswerTable, scope: Scope) -> tuple[TrialResult, ...]:
    """Return the results of all planned trials, in the order of the experiments."""
    return tuple(
        _trial_result(bundle, experiment, trial, answers, scope)
        for experiment in bundle.record.experiments
        for trial in experiment.trials
    )


def _trial_result(
    bundle: Bundle, experiment: Experiment, trial: AnyTrial, answers: AnswerTable, scope: Scope
) -> TrialResult:
    runs, failed = bundle.runs_of(trial.id), bundle.failed_of(trial.id)
    planned: tuple[int | None, ...] = tuple(range(bundle.record.seeds)) if trial.seeded else (None,)
    original = _original(bundle, trial)
    stages = _stages(trial, runs, answers, original, scope)
    classical = _classical(trial, runs, answers)
    return TrialResult(
        id=trial.id,
        trial=trial,
        trained=bundle.record.profile.apply(trial),
        experiment=experiment.id,
        section=experiment.section,
        status=_status(runs, failed, planned),
        seeds_planned=planned,
        seeds_run=tuple(run.seed for run in runs),
        failed=tuple(FailedRun(run.id, run.seed, _last_line(run.error)) for run in failed),
        runs=tuple(run.id for run in runs),
        stages=stages,
        classical=classical,
        costs=_costs(trial, original),
        primary=_primary(trial, stages, classical, failed),
        original_loss=original_datum(f"{trial.id}.loss", "loss", original.test_loss if original else None),
        original_seconds=original_datum(f"{trial.id}.seconds", "seconds", original.seconds if original else None),
        as_written_changes=_changes(bundle, trial.as_written, trial),
        one_change_changes=_changes(bundle, trial.one_change, trial),
    )


def _original(bundle: Bundle, trial: AnyTrial) -> OriginalTrial | None:
    return bundle.record.original.trial(trial.published) if trial.published is not None else None


def _stages(
    trial: AnyTrial, runs: Sequence[Run], answers: AnswerTable, original: OriginalTrial | None, scope: Scope
) -> tuple[StageSummary, ...]:
    if not isinstance(trial, Trial) or not runs:
        return ()
    return tuple(
        stage_summary(trial, stage.id, runs, answers, original.stage(stage.id) if original else None, scope)
        for stage in trial.stages
    )


def _classical(trial: AnyTrial, runs: Sequence[Run], answers: AnswerTable) -> ClassicalSummary | None:
    found = [run for run in runs if run.classical is not None]
    if isinstance(trial, Trial) or not found or found[0].classical is None:
        return None
    result, given = found[0].classical, answers.get((found[0].id, None))
    accuracy = finite(result.test_accuracy)
    entry = measure(f"{trial.id}.test_accuracy", "share", found[:1], [Value(accuracy)])
    if given is not None and accuracy is not None:
        low, high = wilson_interval(int(given.right.sum()), len(given.labels))
        datum = Datum(
            entry.datum.id, accuracy, "share", "share_of_images", len(given.labels), "images", low, high,
            entry.datum.runs,
        )  # fmt: skip
        entry = Measure(datum, entry.seeds)
    images = Datum(f"{trial.id}.training_images", result.training_images, "count", "single_value")
    metrics = prediction_metrics(trial.id, None, found[:1], [given]) if given is not None else None
    return ClassicalSummary(entry, images, metrics)


def _primary(
    trial: AnyTrial, stages: Sequence[StageSummary], classical: ClassicalSummary | None, failed: Sequence[Run]
) -> Measure:
    if stages:
        return stages[-1].primary.test_accuracy
    if classical is not None:
        return classical.test_accuracy
    reason: Undefined = "failed" if failed else "not_run"
    return Measure(undefined(f"{trial.id}.test_accuracy", "share", "mean_over_seeds", reason), ())


def _status(runs: Sequence[Run], failed: Sequence[Run], planned: Sequence[int | None]) -> Status:
    if not runs:
        return "failed" if failed else "missing"
    return "done" if {run.seed for run in runs} >= set(planned) else "partial"


def _costs(trial: AnyTrial, original: OriginalTrial | None) -> Costs | None:
    if not isinstance(trial, Trial):
        return None
    total, trainable, macs = (
        Datum(f"{trial.id}.{name}", value, "count", "counted_in_spec", origin="spec")
        for name, value in (
            ("parameters", trial.parameters_total),
            ("trainable_parameters", trial.parameters_trainable),
            ("macs", trial.macs),
        )
    )
    published = (original.parameters_total, original.parameters_trainable) if original else (None, None)
    return Costs(
        parameters=total,
        trainable_parameters=trainable,
        macs=macs,
        original_parameters=original_datum(total.id, "count", published[0]),
        original_trainable_parameters=original_datum(trainable.id, "count", published[1]),
    )


def _changes(bundle: Bundle, other: str | None, trial: AnyTrial) -> tuple[Change, ...]:
    return differences(bundle.trials[other], trial) if other is not None and other in bundle.trials else ()


def _last_line(error: str | None) -> str:
    """Return what an error says in the end; a character that no reader would see as one shows as a question mark."""
    lines = (error or "").strip().splitlines()
    line = lines[-1].strip()[:MOST_CHARACTERS] if lines else ""
    return "".join(each if each.isprintable() else "\ufffd" for each in line)
