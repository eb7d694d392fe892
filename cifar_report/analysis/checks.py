"""What a reader should know about the data: oddities, and how far results repeat on other machines and devices."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np

from cifar_report.analysis.estimates import finite, mean_datum, mean_difference, read
from cifar_report.analysis.hypothesis_tests import SAME
from cifar_report.analysis.predictions import FILE_NAME, PredictionTable, same_images
from cifar_report.analysis.results import Caution, Determinism, ReplicaAgreement, SeedValue, TimingRow, TrialResult
from cifar_report.analysis.trials import COLUMNS, PARTS
from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.certificates import Certificate
from cifar_report.bundle.store import with_engine
from cifar_report.spec import Side, Trial

BY_DESIGN = frozenset({"spec", "split", "seed", "devices"})  # parts of a key in which runs of one suite differ


def cautions(
    bundle: Bundle,
    trials: Sequence[TrialResult],
    predictions: PredictionTable,
    timing: Sequence[TimingRow],
    facts: Determinism,
) -> tuple[Caution, ...]:
    """Return everything odd, trial by trial."""
    found: list[Caution] = []
    for trial in trials:
        found += _of_trial(bundle, trial)
        for run in bundle.runs_of(trial.id):
            found += _of_run(run, predictions)
    found += [Caution("contended_timing", row.trial) for row in timing if row.contended]
    unplanned = [run for run in bundle.runs if run.trial.id not in bundle.trials]
    found += [Caution("unplanned_run", run.trial.id, run.id) for run in unplanned]
    if facts.environments > 1 or len(facts.processors) > 1:
        found.append(Caution("different_environments", None))
    return tuple(found)


def _of_trial(bundle: Bundle, trial: TrialResult) -> Iterator[Caution]:
    for failed in trial.failed:
        yield Caution("failed_run", trial.id, failed.run)
    if trial.runs and set(trial.seeds_planned) - set(trial.seeds_run) - {failed.seed for failed in trial.failed}:
        yield Caution("missing_seeds", trial.id)
    planned = bundle.record.profile.apply(trial.trial).configuration()
    for run in bundle.runs_of(trial.id):
        if run.trial.configuration() != planned:
            yield Caution("other_configuration", trial.id, run.id)
    for stage in trial.stages:
        for curve, name in product(stage.curves, COLUMNS):
            values = getattr(curve, name)
            known = [value for value in values if value is not None]
            if len(known) < len(values):
                yield Caution("not_a_number", trial.id, curve.run, stage.id, detail=name)
            if len(known) >= 3 and np.ptp(known) <= SAME:  # of fewer equal values in a column are no oddity
                yield Caution("constant_values", trial.id, curve.run, stage.id, detail=name)


def _of_run(run: Run, predictions: PredictionTable) -> Iterator[Caution]:
    for stage in run.stages:
        for weights, part, name in product(("last", "best"), PARTS, ("accuracy", "loss")):
            if finite(getattr(getattr(getattr(stage, weights), part), name)) is None:
                yield Caution("not_a_number", run.trial.id, run.id, stage.id, detail=f"{weights}.{part}_{name}")
    stages: list[str | None] = [stage.id for stage in run.stages] or [None]
    for stage_id in stages:
        given = predictions.get((run.id, stage_id))
        if given is None:
            continue
        for label in np.setdiff1d(given.labels, given.predicted):
            yield Caution("class_never_predicted", run.trial.id, run.id, stage_id, label=int(label))
        stored = read(run, Side(run.trial.id, stage_id), "accuracy").value
        if stored is not None and abs(stored - float(given.correct.mean())) > 0.5 / len(given.labels):
            yield Caution("test_mismatch", run.trial.id, run.id, stage_id)
    if isinstance(run.trial, Trial) and None not in (run.parameters_total, run.trial.parameters_total):
        expected = (run.trial.parameters_total, run.trial.parameters_trainable)
        if (run.parameters_total, run.parameters_trainable) != expected:
            yield Caution("parameter_mismatch", run.trial.id, run.id)


def determinism(bundle: Bundle, trials: dict[str, TrialResult], predictions: PredictionTable) -> Determinism:
    """Return what keys, processors and predictions of the finished runs say."""
    done = [run for run in bundle.runs if run.done]
    networks = [run for run in done if isinstance(run.trial, Trial)]
    processors = Counter(run.processor for run in networks if run.processor)
    parts: dict[str, set[str]] = {}
    same_file: dict[str, list[str]] = {}
    for run in done:
        for name, value in _environment(run).items():
            parts.setdefault(name, set()).add(value)
        if FILE_NAME in run.files:
            same_file.setdefault(run.files[FILE_NAME], []).append(run.id)
    return Determinism(
        environments=len({tuple(sorted(with_engine(_environment(run)).items())) for run in networks}),
        processors=tuple(sorted(processors.items())),
        unknown_processors=len(networks) - processors.total(),
        parts=tuple((name, tuple(sorted(values))) for name, values in sorted(parts.items())),
        identical=tuple(tuple(group) for group in same_file.values() if len(group) > 1),
        replicas=tuple(_replicas(bundle, trials, predictions)),
        certificate=_certificate(bundle),
    )


def _environment(run: Run) -> dict[str, str]:
    return {name: value for name, value in run.key_parts.items() if name not in BY_DESIGN}


def _certificate(bundle: Bundle) -> Certificate | None:
    """Return the latest certificate, unless one of its runs is gone or has been trained with another key since."""
    keys = {run.id: run.key for run in bundle.runs if run.done}
    found = bundle.certificate
    return found if found is not None and all(keys.get(each.run) == each.key for each in found.reruns) else None


def _replicas(
    bundle: Bundle, trials: dict[str, TrialResult], predictions: PredictionTable
) -> Iterator[ReplicaAgreement]:
    for result in trials.values():
        if not isinstance(result.trial, Trial) or result.trial.strategy != "mirrored" or not result.stages:
            continue
        single = trials.get(result.trial.one_change or result.trial.as_written or "")
        stage = result.stages[-1]
        other = single.stage(stage.id) if single is not None else None
        if single is None or other is None:
            continue
        shares = []
        partners = {run.seed: predictions.get((run.id, stage.id)) for run in bundle.runs_of(single.id)}
        for run in bundle.runs_of(result.id):
            mine, theirs = predictions.get((run.id, stage.id)), partners.get(run.seed)
            if mine is not None and theirs is not None and same_images(mine, theirs):
                shares.append(SeedValue(run.seed, run.id, float(np.mean(mine.predicted == theirs.predicted))))
        accuracies = stage.primary.test_accuracy, other.primary.test_accuracy
        yield ReplicaAgreement(
            trial=result.id,
            single=single.id,
            same_predictions=mean_datum(f"{result.id}.same_predictions", "share", shares),
            accuracy_difference=mean_difference(f"{result.id}.replica_difference", *accuracies, paired=True),
        )
