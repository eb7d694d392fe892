"""Facts about repeating the results: environments, equal predictions, one device against several."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from cifar_report.analysis.answers import FILE_NAME, AnswerTable, same_images
from cifar_report.analysis.measures import mean_datum
from cifar_report.analysis.results import Determinism, ReplicaAgreement, SeedValue, TrialResult
from cifar_report.analysis.studies import paired_difference
from cifar_report.bundle import Bundle, Run
from cifar_report.bundle.certificates import Certificate
from cifar_report.bundle.keys import with_engine
from cifar_report.spec import Trial

BY_DESIGN = frozenset({"spec", "split", "seed", "devices"})  # parts of a key in which runs of one suite differ


def determinism(bundle: Bundle, trials: dict[str, TrialResult], answers: AnswerTable) -> Determinism:
    """Return what keys, processors and predictions of the finished runs say."""
    done = [run for run in bundle.runs if run.done]
    networks = [run for run in done if isinstance(run.trial, Trial)]
    environments = {tuple(sorted(with_engine(_environment(run)).items())) for run in networks}
    processors = Counter(run.processor for run in networks if run.processor)
    parts: dict[str, set[str]] = {}
    for run in done:
        for name, value in _environment(run).items():
            parts.setdefault(name, set()).add(value)
    return Determinism(
        environments=len(environments),
        processors=tuple(sorted(processors.items())),
        unknown_processors=len(networks) - processors.total(),
        parts=tuple((name, tuple(sorted(values))) for name, values in sorted(parts.items())),
        identical=_identical(done),
        replicas=tuple(_replicas(bundle, trials, answers)),
        certificate=_certificate(bundle),
    )


def _environment(run: Run) -> dict[str, str]:
    return {name: value for name, value in run.key_parts.items() if name not in BY_DESIGN}


def _identical(runs: list[Run]) -> tuple[tuple[str, ...], ...]:
    groups: dict[str, list[str]] = {}
    for run in runs:
        if FILE_NAME in run.files:
            groups.setdefault(run.files[FILE_NAME], []).append(run.id)
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def _certificate(bundle: Bundle) -> Certificate | None:
    """Return the latest certificate, unless one of its runs is gone or has been trained with another key since."""
    keys = {run.id: run.key for run in bundle.runs if run.done}
    found = bundle.certificate
    return found if found is not None and all(keys.get(each.run) == each.key for each in found.reruns) else None


def _replicas(bundle: Bundle, trials: dict[str, TrialResult], answers: AnswerTable) -> Iterator[ReplicaAgreement]:
    for result in trials.values():
        if not isinstance(result.trial, Trial) or result.trial.strategy != "mirrored" or not result.stages:
            continue
        single = trials.get(result.trial.one_change or result.trial.as_written or "")
        stage = result.stages[-1]
        other = single.stage(stage.id) if single is not None else None
        if single is None or other is None:
            continue
        shares = list(_same_answers(bundle, result, single, stage.id, answers))
        yield ReplicaAgreement(
            trial=result.id,
            single=single.id,
            same_predictions=mean_datum(f"{result.id}.same_predictions", "share", shares),
            accuracy_difference=paired_difference(
                f"{result.id}.replica_difference", stage.primary.test_accuracy, other.primary.test_accuracy
            ),
        )


def _same_answers(
    bundle: Bundle, result: TrialResult, single: TrialResult, stage_id: str, answers: AnswerTable
) -> Iterator[SeedValue]:
    partners = {run.seed: run for run in bundle.runs_of(single.id)}
    for run in bundle.runs_of(result.id):
        partner = partners.get(run.seed)
        if partner is None:
            continue
        one, other = answers.get((run.id, stage_id)), answers.get((partner.id, stage_id))
        if one is not None and other is not None and same_images(one, other):
            yield SeedValue(run.seed, run.id, float(np.mean(one.predicted == other.predicted)))
