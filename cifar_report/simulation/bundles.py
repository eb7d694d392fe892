"""Writes simulated bundles: the records of real runs, with results drawn around chosen accuracies."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any, Literal, NamedTuple

import numpy as np
from scipy.special import softmax

from cifar_report.bundle import Bundle, Predictions, Weights, encode, records, sha256, write_record, write_timing_pass
from cifar_report.bundle.arrays import dump_arrays
from cifar_report.bundle.store import recorded_parts
from cifar_report.published import load_original
from cifar_report.registry import load_study
from cifar_report.spec import CIFAR10, PROFILES, AnyTrial, Conv2D, Dataset, Experiment, Profile, Stage, Trial
from cifar_report.spec.claims import registry_hash
from cifar_report.spec.experiments import SeedPlan
from cifar_report.spec.trials import json_hash, spec_hash

Array = np.ndarray[Any, Any]
Generator = np.random.Generator

COUNTS = (800, 200, 200)  # images of train, validation and test, where the profile names none
LOSS_RISE = 0.02  # by which validation loss rises in each epoch behind the best one
BLOCKS = 5  # of the timing pass
STEPS = 200
UNTIL = {"read": 0.1, "passes": 0.7, "exchange": 0.8}  # shares of a mirrored step that ends there
TIMING_NOISE = 0.02  # standard deviation of the logarithm, of a block and of a measurement


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """The truth that a bundle is drawn from."""

    profile: Profile = PROFILES["full"]
    seeds: int = 5
    plan: SeedPlan | None = None
    ends: Mapping[str, int] = field(default_factory=dict)  # of the seeds of trials that have more
    trials: Collection[str] | None = None  # None: all
    # Expected test accuracy of a trial (``baseline``) or stage (``model_2/first``); else the original's number, or .60.
    accuracies: Mapping[str, float] = field(default_factory=dict)
    seed_noise: float = 0.006  # standard deviation between seeds
    image_noise: float = 0.5  # share (0 … 1) of an image's difficulty that every network draws anew
    predictions: bool = True
    timing: bool = False  # whether there is a timing pass
    seconds: Mapping[str, float] = field(default_factory=dict)  # of trials, per 200 steps in the timing pass
    failed: Collection[tuple[str, int]] = ()
    grade: Literal["canonical", "unverified", "stand-in"] = "canonical"
    canonical_labels: bool = True
    counts: tuple[int, int, int] | None = None
    about: Dataset = CIFAR10


class _World(NamedTuple):
    """What all runs share: the bundle's record, the test images, and how hard each is (standard normal)."""

    simulation: Simulation
    record: records.BundleRecord
    indices: Array  # places in the 60,000
    labels: Array
    difficulty: Array


def simulate_bundle(folder: Path, experiments: Sequence[Experiment], simulation: Simulation) -> Bundle:
    """Write drawn results to an empty ``folder``, the same bytes for the same arguments, and return the bundle."""
    record = _record(tuple(experiments), simulation)
    write_record(folder, record)
    generator, count = np.random.default_rng([0, 0]), record.dataset.counts[2]
    labels = generator.permutation(np.arange(count) % len(simulation.about.classes)).astype(np.uint8)
    indices = np.arange(count, dtype=np.int32) + np.int32(simulation.about.counts[0])
    world = _World(simulation, record, indices, labels, generator.standard_normal(count))
    trials = [trial for experiment in experiments for trial in experiment.trials]
    for trial in trials:
        if simulation.trials is None or trial.id in simulation.trials:
            for seed in range(simulation.ends.get(trial.id, simulation.seeds)) if trial.seeded else (None,):
                _write_run(folder, trial, seed, world)
    if simulation.timing:
        _write_timing_pass(folder, trials, simulation.seconds)
    return Bundle.load(folder)


def _record(experiments: tuple[Experiment, ...], simulation: Simulation) -> records.BundleRecord:
    return records.BundleRecord(
        method_version=records.METHOD_VERSION,
        profile=simulation.profile,
        seeds=simulation.seeds,
        plan=simulation.plan,
        asked=dict(simulation.ends),
        dataset=records.DatasetRecord(
            fingerprint=hashlib.sha256(b"simulated").hexdigest(),
            grade=simulation.grade,
            canonical_labels=simulation.canonical_labels and simulation.grade != "stand-in",
            source="simulation",
            counts=simulation.counts or simulation.profile.counts or COUNTS,
            about=simulation.about,
        ),
        experiments=experiments,
        original=load_original(),
        study=load_study(),
        claims_hash=registry_hash(claim for experiment in experiments for claim in experiment.claims),
        environment=records.Environment(
            python="3.12.0",
            platform="simulated",
            processor="simulated",
            cores=2,
            memory_bytes=8 * 2**30,
            packages={"keras": "3.15.0", "numpy": "2.4.0", "tensorflow": "2.20.0"},
            variables={"TF_ENABLE_ONEDNN_OPTS": "1"},
            project_version="0.1.0",
        ),
        created="2026-01-01T00:00:00Z",
        finished="2026-01-01T01:00:00Z",
    )


def _write_run(folder: Path, planned: AnyTrial, seed: int | None, world: _World) -> None:
    identity = int.from_bytes(hashlib.sha256(f"{planned.id}/{seed}".encode()).digest()[:8])
    trial = world.simulation.profile.apply(planned)
    network = trial if isinstance(trial, Trial) else None
    parts = {
        **recorded_parts(trial, seed, world.record.profile, world.record.dataset),
        "devices": "2 replicas" if network and network.strategy == "mirrored" else "1 replica, 1 thread",
        "version of keras": "3.15.0",
        "version of tensorflow": "2.20.0",
    }
    failed = (trial.id, seed) in world.simulation.failed
    files, results = ({}, {}) if failed else _draw_results(trial, world, np.random.default_rng([0, identity]))
    run = records.Run(
        trial=trial,
        seed=seed,
        status="failed" if failed else "done",
        key=json_hash(parts),
        key_parts=parts,
        spec_hash=spec_hash(trial),
        processor="simulated",
        macs=network.macs if network else None,
        error="Traceback (most recent call last):\nRuntimeError: simulated failure" if failed else None,
        files={name: sha256(files[name]) for name in sorted(files)},
        **results,
    )
    epochs = {stage.id: (1.0,) * stage.epochs for stage in run.stages}
    timing = records.RunTiming(
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:01:00Z",
        host="simulated",
        cores=(0,),
        total_seconds=float(sum(map(len, epochs.values()))) or 1.0,
        epoch_seconds=epochs,
    )
    place = folder / "runs" / run.id
    place.mkdir(parents=True)
    for name, content in {**files, "timing.json": encode(timing), "run.json": encode(run)}.items():
        (place / name).write_bytes(content)  # not flushed to the disk, which would take most of the time


def _draw_results(trial: AnyTrial, world: _World, generator: Generator) -> tuple[dict[str, bytes], dict[str, Any]]:
    files: dict[str, bytes] = {}
    predictions = Predictions(world.indices, world.labels)
    if isinstance(trial, Trial):
        stages = []
        for stage, level in zip(trial.stages, _levels(trial, world), strict=True):
            drawn = level + world.simulation.seed_noise * generator.standard_normal()
            result, tables = _draw_stage(stage, drawn, world, generator)
            stages.append(result)
            predictions.probabilities.update(tables)
        results: dict[str, Any] = {name: getattr(trial, name) for name in ("parameters_total", "parameters_trainable")}
        results["stages"] = tuple(stages)
        first = trial.layers[0]
        side, filters = (first.kernel_size, first.filters) if isinstance(first, Conv2D) else (1, 1)
        shape = (side, side, trial.input_shape[-1], filters)
        files["kernels.npz"] = dump_arrays({"kernels": generator.standard_normal(shape).astype(np.float32)})
    else:  # a classifier has no probabilities
        predicted = _draw_answers(world.simulation.accuracies.get(trial.id, 0.34), world, generator)
        predictions = Predictions(world.indices, world.labels, {}, predicted)
        train, validation, _ = world.record.dataset.counts
        images = train if trial.training_images == "train" else train + validation
        accuracy = float(np.mean(predicted == world.labels))
        results = {"classical": records.ClassicalResult(training_images=images, test_accuracy=accuracy)}
    if world.simulation.predictions:
        files["predictions.npz"] = predictions.dump()
    return files, results


def _levels(trial: Trial, world: _World) -> list[float]:
    chosen, original = world.simulation.accuracies, world.record.original
    known = original.find(trial.id) if original and trial.id not in chosen else None
    levels = []
    for place, stage in enumerate(trial.stages, start=1):
        level = chosen.get(trial.id, 0.60) - 0.03 * (len(trial.stages) - place)
        if known and (published := known.stage(stage.id)):
            level = published.test_accuracy or level
        levels.append(chosen.get(f"{trial.id}/{stage.id}", level))
    return levels


def _draw_stage(
    stage: Stage, level: float, world: _World, generator: Generator
) -> tuple[records.StageResult, dict[tuple[str, Weights], Array]]:
    """Draw a stage whose expected test accuracy is ``level``, with the probabilities of both sets of weights."""
    turning = max(1, round(min(8, stage.epochs * 0.6) + generator.integers(-1, 2)))
    epochs = stage.epochs
    if stage.early_stopping is not None:
        epochs = min(epochs, turning + stage.early_stopping.patience)
    history = _draw_history(epochs, min(turning, epochs), level, generator)
    best_epoch = int(np.argmin(np.array(history.val_loss, float))) + 1
    last = _draw_probabilities(level, world, generator)
    best = last if best_epoch == epochs else _draw_probabilities(level, world, generator)
    result = records.StageResult(
        id=stage.id,
        history=history,
        best_epoch=best_epoch,
        stopped_early=epochs < stage.epochs,
        last=_evaluation(last, world.labels, history, epochs),
        best=_evaluation(best, world.labels, history, best_epoch),
    )
    return result, {(stage.id, "last"): last, (stage.id, "best"): best}


def _draw_history(epochs: int, turning: int, level: float, generator: Generator) -> records.History:
    epoch = np.arange(1, epochs + 1)
    learned = 1 - np.exp(-epoch / 3.0)  # time constant, in epochs
    mean = 0.25 + (level - 0.25) * learned
    val_accuracy, accuracy = mean + generator.normal(0, 0.004, epochs), mean + 0.006 * epoch  # runs ahead
    least = 2.9 * (1 - level)
    val_loss = least + (2.3 - least) * (1 - learned) + LOSS_RISE * np.maximum(0, epoch - turning)
    val_loss += generator.normal(0, 0.004, epochs)
    curves = {"loss": 2.9 * (1 - accuracy), "accuracy": accuracy, "val_loss": val_loss, "val_accuracy": val_accuracy}
    rounded = {
        name: np.round(np.clip(curve, 0.01, 0.99 if curve.max() < 1 else None), 6) for name, curve in curves.items()
    }
    return records.History(**{name: tuple(map(float, curve)) for name, curve in rounded.items()})


def _evaluation(table: Array, labels: Array, history: records.History, epoch: int) -> records.Evaluation:
    accuracy = float(np.mean(table.argmax(axis=1) == labels))
    loss = float(np.mean(-np.log(table[np.arange(len(labels)), labels].astype(np.float64))))
    train_accuracy, train_loss = history.accuracy[epoch - 1], history.loss[epoch - 1]
    return records.Evaluation(
        train=records.Scores(accuracy=min(train_accuracy + 0.01, 1.0), loss=train_loss),
        validation=records.Scores(accuracy=history.val_accuracy[epoch - 1], loss=history.val_loss[epoch - 1]),
        test=records.Scores(accuracy=accuracy, loss=loss),
    )


def _draw_probabilities(level: float, world: _World, generator: Generator) -> Array:
    """Return float32 [N, 10] whose largest entry is right for a share of about ``level`` of the images."""
    answers = _draw_answers(level, world, generator)
    logits = generator.standard_normal((len(answers), len(world.simulation.about.classes)))
    rows = np.arange(len(answers))
    logits[rows, answers] = logits.max(axis=1) + 0.05 + generator.exponential(1.5, len(answers))
    return np.asarray(softmax(logits, axis=1), np.float32)


def _draw_answers(level: float, world: _World, generator: Generator) -> Array:
    """Return uint8 [N]: right where the image is easy enough for a network of this level."""
    noise, own = world.simulation.image_noise, generator.standard_normal(len(world.labels))
    hardness = np.sqrt(1 - noise) * world.difficulty + np.sqrt(noise) * own
    right = hardness < NormalDist().inv_cdf(min(max(level, 0.001), 0.999))
    classes = len(world.simulation.about.classes)
    wrong = (world.labels + generator.integers(1, classes, len(right))) % classes
    return np.where(right, world.labels, wrong).astype(np.uint8)


def _write_timing_pass(folder: Path, trials: Sequence[AnyTrial], seconds: Mapping[str, float]) -> None:
    generator = np.random.default_rng(7)
    measurements = []
    for block in range(BLOCKS):
        drift = generator.normal(0, TIMING_NOISE)
        for trial in (trials[place] for place in generator.permutation(len(trials))):
            factor = float(np.exp(drift + generator.normal(0, TIMING_NOISE)))
            measurements.append(_measurement(trial, block, factor, seconds.get(trial.id)))
    write_timing_pass(folder, records.TimingPass(warmup_steps=50, measurements=tuple(measurements)))


def _measurement(trial: AnyTrial, block: int, factor: float, seconds: float | None) -> records.Measurement:
    common: dict[str, Any] = {"trial": trial.id, "block": block, "peak_memory_bytes": 500_000_000, "attempts": 1}
    common |= {"load": 0.0, "steal": 0.0, "throttled": False, "contended": False}
    if not isinstance(trial, Trial):
        taken = factor * (1.0 if seconds is None else seconds)
        times: dict[str, Any] = {"seconds": taken, "fit_seconds": 0.1 * factor, "predict_seconds": taken}
        return records.Measurement(replicas=1, steps=0, batch_size=0, **times, **common)
    if seconds is None:
        seconds = STEPS * trial.batch_size * (trial.macs or 0) * 2e-9 + 0.5  # larger networks take longer
    common |= {"replicas": 1, "steps": STEPS, "batch_size": trial.batch_size, "seconds": seconds * factor}
    if trial.strategy == "mirrored":
        until = {part: share * common["seconds"] for part, share in UNTIL.items()}
        common |= {"replicas": 2, "portions": (common["seconds"],), "until": until}
    return records.Measurement(**common)
