"""Refuses records that no suite could have written: sizes first, then what must hold between their parts."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from cifar_report.bundle.records import BundleRecord, Run, RunTiming, Scores, StageResult, TimingPass
from cifar_report.original import StageRecord, TrialRecord
from cifar_report.spec import AnyTrial, Claim, Trial

MOST_RUNS = 10_000
MOST_ANSWERS = 40_000_000  # runs by test images; the analysis holds about 14 bytes of each
MOST_SEEDS = 10_000
MOST_EPOCHS = 10_000  # of one stage
MOST_TRIALS = 1_000
MOST_CLAIMS = 1_000
MOST_LAYERS = 1_000  # of one network
MOST_TITLE = 200  # characters
MOST_TEXT = 20_000  # characters of one paragraph
MOST_COUNT = 10**15  # parameters, bytes, operations: whatever is counted
MOST_LOSS = 1e12
IMAGE_COUNT = 60_000

# XML has no place for the first ones; the others turn the direction of writing, so that a text reads as another one.
_NEVER_SHOWN = re.compile(
    "[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)


def check_record(record: BundleRecord) -> None:
    """Raise ValueError unless a bundle's record fits together."""
    _within("seeds", record.seeds, 0, MOST_SEEDS)
    _within("profile.seeds", record.profile.seeds, 0, MOST_SEEDS)
    for count in (*record.dataset.counts, *(record.profile.counts or ())):
        _within("a count of images", count, 0, IMAGE_COUNT)
    for share in (record.profile.fraction, record.profile.epochs_fraction):
        _within("a fraction of the profile", share, 0, 1)
    _within("environment.cores", record.environment.cores, 0, MOST_COUNT)
    _within("environment.memory_bytes", record.environment.memory_bytes, 0, MOST_COUNT)
    for moment in (record.created, record.finished):
        if moment is not None:
            _check_moment(moment)
    _check_original(record)
    _check_experiments(record)


def _check_original(record: BundleRecord) -> None:
    original = record.original
    _within("the number of the original's trials", len(original.trials), 0, MOST_TRIALS)
    _within("the number of the original's stages", len(original.model_2.stages), 1, MOST_TRIALS)
    parts: tuple[TrialRecord | StageRecord, ...] = (*original.trials, *original.model_2.stages)
    for part in parts:
        _within(f"the original's epochs of {part.id[:MOST_TITLE]}", len(part.history.loss), 1, MOST_EPOCHS)
        for curve in (part.history.loss, part.history.val_loss):
            _all_within("a loss of the original", curve, 0, MOST_LOSS)
        for curve in (part.history.accuracy, part.history.val_accuracy):
            _all_within("an accuracy of the original", curve, 0, 1)
        numbers = (part.test_accuracy, part.test_loss, part.train_seconds)
        _all_within("a number of the original", (each for each in numbers if each is not None), 0, MOST_LOSS)


def _check_experiments(record: BundleRecord) -> None:
    trials = [trial for experiment in record.experiments for trial in experiment.trials]
    claims = [claim for experiment in record.experiments for claim in experiment.claims]
    for what, ids, most in (
        ("experiments", [experiment.id for experiment in record.experiments], MOST_TRIALS),
        ("trials", [trial.id for trial in trials], MOST_TRIALS),
        ("claims", [claim.id for claim in claims], MOST_CLAIMS),
    ):
        _within(f"the number of {what}", len(ids), 0, most)
        if len(set(ids)) < len(ids):
            raise ValueError(f"two {what} have the same id")
    keys = set(record.original.keys())
    for trial in trials:
        _check_trial(trial)
        if trial.original is not None and trial.original not in keys:
            raise ValueError(
                f"trial {trial.id} names {trial.original[:MOST_TITLE]!r}, which the original does not have"
            )
    known = {trial.id: trial for trial in trials}
    for claim in claims:
        _check_claim(claim, known)
    for name, text, most in _texts(record):
        _check_text(name, text, most)


def _check_trial(trial: AnyTrial) -> None:
    if not isinstance(trial, Trial):
        return
    _within(f"the number of layers of {trial.id}", len(trial.layers), 1, MOST_LAYERS)
    _within(f"the number of stages of {trial.id}", len(trial.stages), 1, MOST_LAYERS)
    _all_within(f"the epochs of {trial.id}", (stage.epochs for stage in trial.stages), 1, MOST_EPOCHS)
    _within(f"the batch size of {trial.id}", trial.batch_size, 1, IMAGE_COUNT)
    for name, count in (("parameters", trial.parameters_total), ("operations", trial.macs)):
        _within(f"the {name} of {trial.id}", count, 0, MOST_COUNT)


def _check_claim(claim: Claim, trials: dict[str, AnyTrial]) -> None:
    for side in (claim.subject, claim.comparator):
        if side is None:
            continue
        trial = trials.get(side.trial)
        stages = [stage.id for stage in trial.stages] if isinstance(trial, Trial) else []
        if trial is None or (side.stage is not None and side.stage not in stages):
            raise ValueError(f"claim {claim.id[:MOST_TITLE]} names a trial or a stage that the bundle does not plan")
    numbers = (claim.margin, claim.value, claim.original_difference)
    _all_within(f"a number of claim {claim.id[:MOST_TITLE]}", (n for n in numbers if n is not None), -1e9, 1e9)


def _texts(record: BundleRecord) -> Iterator[tuple[str, str, int]]:
    """Yield what a text is, the text, and how long it may be."""
    for experiment in record.experiments:
        place = f"experiment {experiment.id}"
        yield from _both(f"{place}: title", experiment.title, MOST_TITLE)
        for text in (experiment.question, experiment.change, experiment.explanation):
            yield from _both(place, text, MOST_TEXT)
        for trial in experiment.trials:
            yield from _both(f"trial {trial.id}: title", trial.title, MOST_TITLE)
        for claim in experiment.claims:
            yield f"the id of a claim of {place}", claim.id, MOST_TITLE
            yield f"claim {claim.id}", claim.code, MOST_TITLE
            for each in (claim.statement, claim.said, claim.proxy):
                if each is not None:
                    yield from _both(f"claim {claim.id}", each, MOST_TEXT)
    environment = record.environment
    said = (environment.python, environment.platform, environment.processor, environment.project_version)
    yield from (("environment", word, MOST_TITLE) for word in (*said, environment.project_commit or ""))
    for table in (environment.packages, environment.variables):
        _within("the number of packages or variables", len(table), 0, MOST_TRIALS)
        for pair in table.items():
            yield from (("environment", word, MOST_TITLE) for word in pair)
    yield "dataset.source", record.dataset.source, MOST_TITLE
    yield "dataset.fingerprint", record.dataset.fingerprint, MOST_TITLE
    yield "claims_hash", record.claims_hash, MOST_TITLE


def _both(name: str, text: object, most: int) -> Iterator[tuple[str, str, int]]:
    for language in ("en", "el"):
        yield name, getattr(text, language), most


def check_run(run: Run, planned: AnyTrial | None) -> None:
    """Raise ValueError unless a run's record fits together, and to the trial that the bundle plans under its id."""
    trial = run.trial
    _check_trial(trial)
    if planned is not None and (type(planned) is not type(trial) or _stages(planned) != _stages(trial)):
        raise ValueError("it was trained in other stages than the bundle plans: run it again")
    if trial.seeded != (run.seed is not None):
        raise ValueError("a network has a seed, and nothing else has one")
    _within("seed", run.seed or 0, 0, 2**32 - 1)
    if run.done != (run.error is None):
        raise ValueError("a run has results or an error, never both")
    for name, count in (
        ("parameters_total", run.parameters_total),
        ("parameters_trainable", run.parameters_trainable),
        ("macs", run.macs),
    ):
        _within(name, count or 0, 0, MOST_COUNT)
    for name, text in (("key", run.key), ("spec_hash", run.spec_hash), *run.key_parts.items(), *run.streams.items()):
        _check_text(name[:MOST_TITLE], text, MOST_TEXT)
    _check_text("processor", run.processor or "", MOST_TITLE)
    _check_results(run)


def _stages(trial: AnyTrial) -> list[str]:
    return [stage.id for stage in trial.stages] if isinstance(trial, Trial) else []


def _check_results(run: Run) -> None:
    expected = _stages(run.trial) if run.done else []
    if [stage.id for stage in run.stages] != expected:
        raise ValueError("its results are not those of its trial's stages")
    if (run.classical is not None) != (run.done and not isinstance(run.trial, Trial)):
        raise ValueError("its results are not those of its kind of trial")
    if run.classical is not None:
        _within("test_accuracy", run.classical.test_accuracy, 0, 1)
        _within("training_images", run.classical.training_images, 0, IMAGE_COUNT)
    for stage in run.stages:
        _check_stage(stage)


def _check_stage(stage: StageResult) -> None:
    history, epochs = stage.history, stage.epochs
    _within(f"the epochs of stage {stage.id}", epochs, 1, MOST_EPOCHS)
    curves = (history.loss, history.accuracy, history.val_loss, history.val_accuracy)
    if any(len(curve) != epochs for curve in curves) or len(stage.hashes) not in (0, epochs):
        raise ValueError(f"the curves of stage {stage.id} are not equally long")
    _within("best_epoch", stage.best_epoch, 1, epochs)
    for losses in (history.loss, history.val_loss):
        _all_within("a loss", (loss for loss in losses if loss is not None), 0, MOST_LOSS)
    for accuracies in (history.accuracy, history.val_accuracy):
        _all_within("an accuracy", accuracies, 0, 1)
    for evaluation in (stage.last, stage.best):
        for scores in (evaluation.train, evaluation.validation, evaluation.test):
            _check_scores(scores)


def _check_scores(scores: Scores) -> None:
    _within("accuracy", scores.accuracy, 0, 1)
    _within("loss", scores.loss or 0, 0, MOST_LOSS)


def check_timing(timing: RunTiming) -> None:
    """Raise ValueError unless a run's seconds could have been measured."""
    tables = (timing.epoch_seconds, timing.validation_seconds)
    seconds = [each for table in tables for values in table.values() for each in values]
    single = (timing.total_seconds, timing.evaluation_seconds, timing.fit_seconds, timing.predict_seconds)
    _all_within("seconds", (*seconds, *(each for each in single if each is not None)), 0, 1e9)
    _within("peak_memory_bytes", timing.peak_memory_bytes or 0, 0, MOST_COUNT)
    _check_text("host", timing.host, MOST_TITLE)


def check_timing_pass(timing: TimingPass) -> None:
    """Raise ValueError unless a timing pass could have been measured."""
    _within("the number of measurements", len(timing.measurements), 0, MOST_TRIALS * 100)
    for each in timing.measurements:
        least = 1 if each.fit_seconds is None else 0  # what is fitted in one go has no steps
        for name, value in (("replicas", each.replicas), ("steps", each.steps), ("batch_size", each.batch_size)):
            _within(name, value, least, MOST_COUNT)
        for seconds in (each.seconds, each.fit_seconds, each.predict_seconds):
            if seconds is not None:
                _within("seconds", seconds, 1e-9, 1e9)
        _all_within("load and steal", (each.load, each.steal), 0, MOST_COUNT)
        _all_within("block and attempts", (each.block, each.attempts), 0, MOST_COUNT)
        _within("peak_memory_bytes", each.peak_memory_bytes or 0, 0, MOST_COUNT)
        _within("the number of portions", len(each.portions), 0, MOST_COUNT)
        _all_within("a portion's seconds", each.portions, 1e-9, 1e9)
        _all_within("processor_share and other_work", (each.processor_share or 0, each.other_work or 0), 0, MOST_COUNT)
    for name, text in (*timing.key_parts.items(), *timing.trials.items()):
        _check_text("a part of the pass's key", name, MOST_TITLE)
        _check_text("a part of the pass's key", text, MOST_TEXT)


def _check_text(name: str, text: str, most: int) -> None:
    if len(text) > most:
        raise ValueError(f"{name}: {len(text)} characters, where at most {most} are read")
    if found := _NEVER_SHOWN.search(text):
        raise ValueError(f"{name}: the character {found[0]!r} cannot stand in a text")


def _check_moment(moment: str) -> None:
    if len(moment) > MOST_TITLE or datetime.fromisoformat(moment).year < 1900:
        raise ValueError(f"{moment[:MOST_TITLE]!r} is no date of a run")


def _all_within(name: str, values: Iterable[float], least: float, most: float) -> None:
    for value in values:
        _within(name, value, least, most)


def _within(name: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} is {value!r:.60}, where it must lie between {least} and {most}")
