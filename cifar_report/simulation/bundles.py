"""Writes simulated bundles: the records of real runs, with results drawn around chosen accuracies."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from cifar_report.bundle import (
    Bundle,
    BundleRecord,
    DatasetRecord,
    Environment,
    Run,
    RunTiming,
    encode,
    sha256,
    write_record,
)
from cifar_report.bundle.arrays import dump_arrays
from cifar_report.bundle.keys import key_of, recorded_parts
from cifar_report.published import Original, load_original
from cifar_report.simulation.drawing import Images, draw_classical, draw_stage
from cifar_report.simulation.timing import simulate_timing
from cifar_report.spec import PROFILES, AnyTrial, Conv2D, Experiment, Profile, Trial, registry_hash, spec_hash

COUNTS = (800, 200, 200)  # images of train, validation and test, where the profile names none


@dataclass(frozen=True, kw_only=True)
class Simulation:
    """The truth that a bundle is drawn from.

    ``accuracies`` maps a trial (``baseline``) or one stage (``model_2/first``) to its expected test accuracy; the
    others have the original's number, or .60. ``seed_noise`` is the standard deviation between seeds;
    ``image_noise`` the share (0 … 1) of an image's difficulty that every network draws anew. ``seconds`` maps a
    trial to its seconds per 200 steps in the timing pass, which is written only with ``timing``.
    """

    profile: Profile = PROFILES["full"]
    seeds: int = 5
    trials: Collection[str] | None = None  # None: all
    accuracies: Mapping[str, float] = field(default_factory=dict)
    seed_noise: float = 0.006
    image_noise: float = 0.5
    predictions: bool = True
    timing: bool = False
    seconds: Mapping[str, float] = field(default_factory=dict)
    failed: Collection[tuple[str, int]] = ()
    grade: Literal["canonical", "unverified", "stand-in"] = "canonical"
    canonical_labels: bool = True
    counts: tuple[int, int, int] | None = None
    labels: np.ndarray[Any, Any] | None = None  # uint8 [N]: of the test images; drawn when None
    indices: np.ndarray[Any, Any] | None = None  # int32 [N]: their places in the 60,000 images
    random_seed: int = 0


def simulate_bundle(folder: Path, experiments: Sequence[Experiment], simulation: Simulation) -> Bundle:
    """Write a bundle of drawn results to ``folder`` (which must not hold one) and return it, loaded.

    The same arguments write the same bytes. Nothing is trained, so thousands of runs take seconds.
    """
    original = load_original()
    record = _record(tuple(experiments), simulation, original)
    write_record(folder, record)
    images = _images(simulation, record.dataset.counts[2])
    for experiment in experiments:
        for trial in experiment.trials:
            if simulation.trials is None or trial.id in simulation.trials:
                _write_runs(folder, trial, simulation, original, images)
    if simulation.timing:
        simulate_timing(folder, [trial for each in experiments for trial in each.trials], simulation.seconds)
    return Bundle.load(folder)


def _record(experiments: tuple[Experiment, ...], simulation: Simulation, original: Original) -> BundleRecord:
    claims = [claim for experiment in experiments for claim in experiment.claims]
    return BundleRecord(
        profile=simulation.profile,
        seeds=simulation.seeds,
        dataset=_dataset(simulation),
        experiments=experiments,
        original=original,
        claims_hash=registry_hash(claims),
        environment=Environment(
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


def _dataset(simulation: Simulation) -> DatasetRecord:
    return DatasetRecord(
        fingerprint=hashlib.sha256(b"simulated").hexdigest(),
        grade=simulation.grade,
        canonical_labels=simulation.canonical_labels and simulation.grade != "stand-in",
        source="simulation",
        counts=simulation.counts or simulation.profile.counts or COUNTS,
    )


def _images(simulation: Simulation, count: int) -> Images:
    generator = np.random.default_rng([simulation.random_seed, 0])
    labels = simulation.labels
    if labels is None:
        labels = generator.permutation(np.arange(count) % 10).astype(np.uint8)
    indices = simulation.indices
    if indices is None:
        indices = np.arange(50_000, 50_000 + len(labels), dtype=np.int32)
    return Images(indices, labels, generator.standard_normal(len(labels)), simulation.image_noise)


def _write_runs(folder: Path, trial: AnyTrial, simulation: Simulation, original: Original, images: Images) -> None:
    seeds: Sequence[int | None] = range(simulation.seeds) if trial.seeded else [None]
    for seed in seeds:
        trained = simulation.profile.apply(trial)
        identity = int.from_bytes(hashlib.sha256(f"{trial.id}/{seed}".encode()).digest()[:8])
        generator = np.random.default_rng([simulation.random_seed, identity])
        files: dict[str, bytes] = {}
        if (trial.id, seed) in simulation.failed:
            run = _failed_run(trained, seed, simulation)
        else:
            run, files = _done_run(trained, seed, simulation, original, images, generator)
        _write(folder, run, files)


def _done_run(
    trial: AnyTrial,
    seed: int | None,
    simulation: Simulation,
    original: Original,
    images: Images,
    generator: np.random.Generator,
) -> tuple[Run, dict[str, bytes]]:
    base = _failed_run(trial, seed, simulation)
    files: dict[str, bytes] = {}
    if not isinstance(trial, Trial):
        train, validation, _ = _dataset(simulation).counts
        images_seen = train if trial.training_images == "train" else train + validation
        classical, predictions = draw_classical(
            simulation.accuracies.get(trial.id, 0.34), images_seen, images, generator
        )
        run = msgspec.structs.replace(base, status="done", error=None, classical=classical)
    else:
        levels = _levels(trial, simulation, original)
        drawn = [
            draw_stage(stage, level + simulation.seed_noise * generator.standard_normal(), images, generator)
            for stage, level in zip(trial.stages, levels, strict=True)
        ]
        stages, predictions = tuple(stage for stage, _ in drawn), drawn[0][1]
        for _, more in drawn[1:]:
            predictions.probabilities.update(more.probabilities)
        run = msgspec.structs.replace(
            base,
            status="done",
            error=None,
            stages=stages,
            parameters_total=trial.parameters_total,
            parameters_trainable=trial.parameters_trainable,
        )
        files["kernels.npz"] = dump_arrays({"kernels": _kernels(trial, generator)})
    if simulation.predictions:
        files["predictions.npz"] = predictions.dump()
    return run, files


def _levels(trial: Trial, simulation: Simulation, original: Original) -> list[float]:
    """Return the expected accuracy of each stage."""
    known = original.trial(trial.published) if trial.published else None
    last = simulation.accuracies.get(trial.id, 0.60)
    levels = []
    for place, stage in enumerate(trial.stages, start=1):
        level = last - 0.03 * (len(trial.stages) - place)
        if trial.id not in simulation.accuracies and known and (published := known.stage(stage.id)):
            level = published.test_accuracy or level
        levels.append(simulation.accuracies.get(f"{trial.id}/{stage.id}", level))
    return levels


def _kernels(trial: Trial, generator: np.random.Generator) -> np.ndarray[Any, Any]:
    first = trial.layers[0]
    size, filters = (first.kernel_size, first.filters) if isinstance(first, Conv2D) else (1, 1)
    return generator.standard_normal((size, size, 3, filters)).astype(np.float32)


def _failed_run(trial: AnyTrial, seed: int | None, simulation: Simulation) -> Run:
    parallel = isinstance(trial, Trial) and trial.strategy == "mirrored"
    parts = {
        **recorded_parts(trial, seed, simulation.profile, _dataset(simulation)),
        "devices": "2 replicas" if parallel else "1 replica, 1 thread",
        "version of keras": "3.15.0",
        "version of tensorflow": "2.20.0",
    }
    return Run(
        trial=trial,
        seed=seed,
        status="failed",
        key=key_of(parts),
        key_parts=parts,
        spec_hash=spec_hash(trial),
        processor="simulated",
        macs=trial.macs if isinstance(trial, Trial) else None,
        error="Traceback (most recent call last):\nRuntimeError: simulated failure",
    )


def _write(folder: Path, run: Run, files: dict[str, bytes]) -> None:
    """Write a run's folder; unlike a real run's it is not flushed to the disk, which would take most of the time."""
    epochs = {stage.id: (1.0,) * stage.epochs for stage in run.stages}
    timing = RunTiming(
        started="2026-01-01T00:00:00Z",
        finished="2026-01-01T00:01:00Z",
        host="simulated",
        cores=(0,),
        total_seconds=float(sum(len(seconds) for seconds in epochs.values())) or 1.0,
        epoch_seconds=epochs,
    )
    run = msgspec.structs.replace(run, files={name: sha256(files[name]) for name in sorted(files)})
    place = folder / "runs" / run.id
    place.mkdir(parents=True)
    for name, content in {**files, "timing.json": encode(timing), "run.json": encode(run)}.items():
        (place / name).write_bytes(content)
