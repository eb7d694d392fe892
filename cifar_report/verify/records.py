"""Whether the records of a bundle agree with its plan and one another, and the results with the arrays beside them."""

import hashlib
import math
import re
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from cifar_report.analysis.values import primary_weights
from cifar_report.bundle import Bundle, Predictions, Run, Scores, StageResult, planned_trials, read_record, read_run
from cifar_report.bundle.arrays import COMPACT_FILE, PREDICTIONS_FILE, Array, load_arrays, weight_place
from cifar_report.bundle.bundle import MOST_JSON_BYTES, RECORD_FILE, TIMING_FILE, decode, in_order
from cifar_report.bundle.certificates import CERTIFICATES, Certificate
from cifar_report.bundle.records import SETS
from cifar_report.bundle.store import ENGINE, key_of, read_plain, recorded_parts, with_engine
from cifar_report.data.dataset import TEST_COUNT, TRAIN_COUNT
from cifar_report.errors import SuiteError, UsageError
from cifar_report.spec import Stage, Trial, registry_hash, spec_hash
from cifar_report.verify.files import Files, Report

RUN_RECORD = re.compile(r"runs/([^/]+/[^/]+)/run\.json")
COUNTED = ("macs", "parameters_total", "parameters_trainable")  # they follow from the trial's layers
NOT_RECOMPUTED = (
    "their Brier scores, calibration and examples' probabilities are as recorded before the others were left out, and "
    "the test scores of the weights that no verdict is about are as trained: neither can be computed again"
)
SUM_TOLERANCE = 1e-5  # of an image's ten probabilities, each a float32
LOSS_TOLERANCE = 1e-6  # relative; TensorFlow takes the loss from the logits, and the two agree to about 1e-9
# TensorFlow flushes smaller numbers to zero, so that a probability of zero means no more than "less than this".
LEAST_PROBABILITY = float(np.finfo(np.float32).tiny)

_T = TypeVar("_T")


def readable(name: str, read: Callable[[], _T], folder: Path, report: Report) -> _T | None:
    """Return what ``read`` returns; None, with a finding about the file ``name``, where it cannot be read."""
    try:
        return read()
    except (SuiteError, UsageError) as error:
        report.find(name, str(error).removeprefix(f"{folder / name} "))
        return None


def read_bundle(files: Files, report: Report) -> Bundle | None:
    """Return the bundle with every run whose record can be read; None without a readable ``bundle.json``."""
    folder = files.folder
    record = readable(RECORD_FILE, lambda: read_record(folder), folder, report)
    if record is None:
        report.notes.append("the runs were not checked: without bundle.json nothing says what they should be")
        return None
    planned = {trial.id: trial for trial in planned_trials(record)}
    runs = []
    for name in sorted(files.digests):
        if found := RUN_RECORD.fullmatch(name):
            runs.append(readable(name, partial(read_run, folder, found[1], planned), folder, report))
        elif name.startswith(f"{CERTIFICATES}/"):
            readable(name, partial(decode, folder / name, Certificate), folder, report)
    bundle = Bundle(folder, record, in_order(record, [run for run in runs if run is not None]))
    if TIMING_FILE in files.digests:
        readable(TIMING_FILE, lambda: bundle.timing_pass, folder, report)
    return bundle


def check_records(bundle: Bundle, files: Files, report: Report) -> None:
    """Check the bundle's own record, and each run's against it and its files; no result is recomputed here."""
    record = bundle.record
    stored = msgspec.json.decode(read_plain(files.folder / RECORD_FILE, MOST_JSON_BYTES))  # with its version's names
    claims = [claim for experiment in stored["experiments"] for claim in experiment.get("claims", ())]
    if record.claims_hash != registry_hash(claims):
        problem = "claims_hash is not the hash of the claims that it holds: a claim or its margin was edited"
        report.find(RECORD_FILE, problem)
    plan = record.plan
    ends = plan.seeds if plan is not None else {}
    if any(end not in ends.get(trial, ()) for trial, end in record.asked.items()):
        report.find(RECORD_FILE, "trials are asked for other seeds than a plan declares")
    if plan is not None and (plan.hash != plan.sealed_hash() or not plan.holds_for(bundle.claims)):
        report.find(RECORD_FILE, "the plan of its seeds was edited, or was declared for other claims")
    for run in bundle.runs:
        name, timing = f"runs/{run.id}/run.json", f"runs/{run.id}/timing.json"
        report.find(name, *plan_problems(run, bundle))
        for what, found, expected in _expected(run, bundle):
            if found != expected:
                report.find(name, f"{what} is {found!r:.100}, but the records give {expected!r:.100}")
        if isinstance(run.trial, Trial):
            for planned, stage in zip(run.trial.stages, run.stages, strict=False):
                report.find(name, *(f"stage {stage.id}: {problem}" for problem in _stage_problems(planned, stage)))
        _check_run_files(run, files, report)
        if timing in files.digests:
            readable(timing, partial(bundle.timing, run), files.folder, report)
    _check_streams(bundle, report)
    report.counts["runs"] += len(bundle.runs)
    report.counts["planned runs"] = sum(
        len(bundle.seeds(trial.id)) if trial.seeded else 1 for trial in bundle.trials.values()
    )
    report.counts["failed runs"] = sum(not run.done for run in bundle.runs)


def _check_streams(bundle: Bundle, report: Report) -> None:
    """Find runs of one seed and engine whose random streams, or the orders of whose images, are not the same."""
    seen: dict[tuple[object, ...], dict[str, list[str]]] = {}
    for run in bundle.runs:
        engine, split = with_engine(run.key_parts).get(ENGINE), run.key_parts.get("split")
        drawn: dict[tuple[object, ...], str] = {
            (f"the random stream {name!r:.40}", run.seed, engine): known for name, known in run.streams.items()
        }
        for place, stage in enumerate(run.stages, 1):
            for epoch, hashes in enumerate(stage.hashes, 1):
                which = f"the order of the images in stage {place}, epoch {epoch}"
                drawn[which, run.seed, engine, split, getattr(run.trial, "data_order", "")] = hashes.order
        for key, found in drawn.items():
            seen.setdefault(key, {}).setdefault(found, []).append(run.id)
    for key, groups in seen.items():
        usual = max(groups.values(), key=len)
        for run_id in (run_id for runs in groups.values() if runs is not usual for run_id in runs):
            report.find(f"runs/{run_id}/run.json", f"{key[0]} is another than that of {usual[0]}")


def plan_problems(run: Run, bundle: Bundle) -> Iterator[str]:
    """Yield in what a run is none that the bundle plans."""
    planned = bundle.trials.get(run.trial.id)
    if planned is None:
        yield f"{RECORD_FILE} plans no trial {run.trial.id}"
    elif bundle.record.profile.apply(planned).configuration() != run.trial.configuration():
        yield f"its trial is not the one that {RECORD_FILE} plans"
    if run.seed is not None and run.seed not in bundle.seeds(run.trial.id):
        yield f"seed {run.seed} is not among the {len(bundle.seeds(run.trial.id))} seeds of {RECORD_FILE}"


def _expected(run: Run, bundle: Bundle) -> Iterator[tuple[str, object, object]]:
    """Yield what of a run's record follows from other records: its name, what it is, and what they give."""
    record, trial = bundle.record, run.trial
    yield "key", run.key, key_of(run.key_parts)
    yield "spec_hash", run.spec_hash, spec_hash(trial, run.schema_version)
    parts = recorded_parts(trial, run.seed, record.profile, record.dataset, run.schema_version)
    yield from ((f"key part {name!r}", run.key_parts.get(name), part) for name, part in parts.items())
    if run.done and isinstance(trial, Trial):
        counted = ((name, getattr(trial, name)) for name in COUNTED)  # None: the built model alone tells
        yield from ((name, getattr(run, name), count) for name, count in counted if count is not None)


def _stage_problems(planned: Stage, stage: StageResult) -> Iterator[str]:
    stopped = stage.stopped_early and planned.early_stopping is not None and stage.epochs < planned.epochs
    if stage.epochs != planned.epochs and not stopped:
        yield f"{stage.epochs} epochs, where {planned.epochs} were to be trained"
    losses = [(loss, epoch) for epoch, loss in enumerate(stage.history.val_loss, 1) if loss is not None]
    best = min(losses)[1] if losses else stage.epochs
    if stage.best_epoch != best:
        yield f"best_epoch is {stage.best_epoch}, but the validation loss is least in epoch {best}"
    for name, evaluation, epoch in (("last", stage.last, stage.epochs), ("best", stage.best, best)):
        scores = evaluation.validation
        accuracy, loss = stage.history.val_accuracy[epoch - 1], stage.history.val_loss[epoch - 1]
        if not (_close(scores.accuracy, accuracy) and _close(scores.loss, loss)):
            yield f"the {name} weights' validation scores are not those of epoch {epoch} of its history"


def _close(one: float | None, other: float | None) -> bool:
    """Whether two evaluations of the same weights agree: the same computation, but not always in the same process."""
    return one == other or (one is not None and other is not None and math.isclose(one, other, rel_tol=1e-6))


def _check_run_files(run: Run, files: Files, report: Report) -> None:
    """Compare a run's result files with the hashes in its record; weights may be left out, or compact."""
    record, compact = (f"runs/{run.id}/{name}" for name in ("run.json", COMPACT_FILE))
    if run.done and "predictions.npz" not in run.files:
        report.find(record, "lists no predictions.npz, so nothing shows that its scores are right")
    for name, digest in run.files.items():
        path = f"runs/{run.id}/{name}"
        if path in files.digests:
            if files.digests[path] != digest:
                report.find(path, f"its SHA-256 is not the one in {record}")
        elif name == "weights.npz" and path not in (files.listed or {}):
            report.counts["runs without weights"] += 1
        elif name == PREDICTIONS_FILE and compact in files.digests and path not in (files.listed or {}):
            report.counts["compact runs"] += 1
        elif not report.names(path):
            report.find(path, f"is missing, though {record} lists it")


def check_scores(bundle: Bundle, files: Files, report: Report) -> None:
    """Recompute the test scores of every finished run whose predictions can be read."""
    images: dict[str, dict[bytes, list[str]]] = {}  # files by their runs' split, then by their test images with labels
    for run in bundle.runs:
        whole, compact = (f"runs/{run.id}/{each}" for each in (PREDICTIONS_FILE, COMPACT_FILE))
        name = compact if compact in files.digests else whole
        if not run.done or name not in files.digests:
            continue
        if {whole, compact} <= files.digests.keys():
            report.find(compact, f"stands beside {PREDICTIONS_FILE}: a run has the one or the other")
            continue
        predictions = readable(name, partial(bundle.predictions, run), files.folder, report)
        if predictions is None:
            continue
        both = np.stack([predictions.indices, predictions.labels]).astype(np.int64).tobytes()
        images.setdefault(run.key_parts.get("split", ""), {}).setdefault(both, []).append(name)
        report.find(name, *_table_problems(run, predictions))
        report.find(f"runs/{run.id}/run.json", *score_problems(run, predictions))
        of_networks = len(predictions.compact or predictions.probabilities)
        report.counts["test scores recomputed"] += 1 if run.classical else of_networks
    for groups in images.values():
        usual = max(groups.values(), key=len)
        for name in (name for names in groups.values() if names is not usual for name in names):
            report.find(name, f"its test images or their labels are others than those of {usual[0]}")
    if count := report.counts["compact runs"]:
        report.notes.append(f"compact runs: {count}; {NOT_RECOMPUTED}")


def _table_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    indices = predictions.indices
    of_test = (indices >= TRAIN_COUNT) & (indices < TRAIN_COUNT + TEST_COUNT)
    if len(np.unique(indices)) < len(indices) or not np.all(of_test):
        yield "must hold test images, each of them once"
    trial = run.trial
    tables = {(stage.id, weights) for stage in run.stages for weights in SETS}
    if isinstance(trial, Trial) and predictions.compact:
        tables = {(stage.id, primary_weights(trial, stage.id)) for stage in run.stages}
    found = {*predictions.probabilities, *predictions.compact}
    if found != tables or (predictions.predicted is None) != isinstance(trial, Trial):
        yield "must hold the last and the best weights' probabilities of each stage, or a classifier's predictions"
    for (stage, weights), table in predictions.probabilities.items():
        if not np.all(np.abs(table.sum(axis=1, dtype=np.float64) - 1) <= SUM_TOLERANCE):
            yield f"stage {stage}, {weights}: the probabilities of an image do not add up to 1"


def score_problems(run: Run, predictions: Predictions) -> Iterator[str]:
    """Yield which test accuracies and losses of a run do not follow from its predictions."""
    labels = predictions.labels
    if run.classical is not None and predictions.predicted is not None:
        yield from _accuracy_problem(run.classical.test_accuracy, predictions.predicted, labels)
    for stage in run.stages:
        for weights in SETS:
            answers, stored = predictions.answers(stage.id, weights), stage.evaluation(weights).test
            if answers is not None and len(labels):
                predicted, chosen = answers
                problems = (*_accuracy_problem(stored.accuracy, predicted, labels), *_loss_problem(stored, chosen))
                yield from (f"stage {stage.id}, {weights}: {problem}" for problem in problems)


def _accuracy_problem(stored: float, predicted: Array, labels: Array) -> Iterator[str]:
    accuracy = float(np.mean(predicted == labels)) if len(labels) else 0.0
    if stored != accuracy:
        yield f"test accuracy is {stored!r}, but its predictions give {accuracy!r}"


def _loss_problem(stored: Scores, chosen: Array) -> Iterator[str]:
    """Compare a loss with the probabilities of the labels; those flushed to zero bound it from below alone."""
    least = float(np.mean(-np.log(np.maximum(chosen.astype(np.float64), LEAST_PROBABILITY))))
    found = math.nan if stored.loss is None else stored.loss
    same = math.isclose(found, least, rel_tol=LOSS_TOLERANCE, abs_tol=LOSS_TOLERANCE)
    bounded = bool((chosen < LEAST_PROBABILITY).any()) and found > least
    if not (same or bounded or (math.isnan(found) and math.isnan(least))):
        yield f"test loss is {stored.loss!r}, but its predictions give {least!r}"


def check_weights(bundle: Bundle, files: Files, report: Report) -> None:
    """Compare the weights of every finished network with the log of their hashes, and read its kernels."""
    for run in bundle.runs:
        name, kernels = (f"runs/{run.id}/{each}.npz" for each in ("weights", "kernels"))
        shown = (
            readable(kernels, partial(bundle.kernels, run), files.folder, report) if kernels in files.digests else None
        )
        if run.done and name in files.digests:
            weights = readable(name, partial(load_arrays, files.folder / name), files.folder, report)
            if weights is not None:
                report.find(name, *_weight_problems(run, weights))
                firsts = [
                    array for each, array in weights.items() if ".network.00_" in each and each.endswith("kernel")
                ]
                if shown is not None and not any(np.array_equal(shown, array) for array in firsts):
                    report.find(kernels, "holds other kernels than those of the first layer in weights.npz")
                report.counts["runs with weights"] += 1


def _weight_problems(run: Run, weights: dict[str, Array]) -> Iterator[str]:
    for stage in run.stages:
        for kind, epoch in (("last", stage.epochs), ("best", stage.best_epoch)):
            start = f"{stage.id}.{kind}."
            own = {name.removeprefix(start): array for name, array in weights.items() if name.startswith(start)}
            count = sum(array.size for array in own.values())
            if count != run.parameters_total:
                yield f"{stage.id}.{kind}: holds {count} parameters, but the network has {run.parameters_total}"
            if stage.hashes and weights_hash(own) != stage.hashes[epoch - 1].weights:
                yield f"{stage.id}.{kind}: are not the weights that the log of hashes has for epoch {epoch}"


def weights_hash(arrays: dict[str, Array]) -> str:
    """Return the first 16 hexadecimal digits of SHA-256 over a network's variables in Keras's order."""
    total = hashlib.sha256()
    for name in sorted(arrays, key=lambda name: weight_place(name) or (0, 0)):
        total.update(np.ascontiguousarray(arrays[name]).tobytes())
    return total.hexdigest()[:16]
