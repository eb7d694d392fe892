"""What a bundle says: immutable records that load from JSON and dump to it, strictly typed."""

from __future__ import annotations

from typing import Literal

import msgspec

from cifar_report.original import Original
from cifar_report.spec import AnyTrial, Experiment, Profile

SCHEMA_VERSION = 2
"""Of the records: 2 since a run's ``spec_hash`` leaves out fields that equal their default (see ``spec_hash``)."""

Weights = Literal["last", "best"]
"""Weights after the last epoch, or those of the epoch with the least validation loss."""


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is stored."""


class Scores(Record, frozen=True, kw_only=True):
    """How one set of weights does on one part of the split, in inference mode and without augmentation."""

    accuracy: float
    loss: float | None  # categorical cross-entropy; None where it was not a number


class Evaluation(Record, frozen=True, kw_only=True):
    """Scores of one set of weights on the three parts of the split."""

    train: Scores
    validation: Scores
    test: Scores

    @property
    def gap(self) -> float:
        """Return evaluated train accuracy minus test accuracy."""
        return self.train.accuracy - self.test.accuracy


class History(Record, frozen=True, kw_only=True):
    """One value an epoch; ``loss`` and ``accuracy`` are running means over the epoch, as Keras prints them."""

    loss: tuple[float | None, ...]
    accuracy: tuple[float, ...]
    val_loss: tuple[float | None, ...]
    val_accuracy: tuple[float, ...]


class EpochHashes(Record, frozen=True, kw_only=True):
    """What one epoch saw and left, as the first 16 hexadecimal digits of SHA-256: finds where two runs part."""

    order: str  # of the training images' indices, int32, in the order they were seen
    weights: str  # of all weights after the epoch, in Keras's order


class StageResult(Record, frozen=True, kw_only=True):
    """One finished stage of a run."""

    id: str
    history: History
    best_epoch: int  # counted from 1; least validation loss
    stopped_early: bool
    last: Evaluation
    best: Evaluation
    hashes: tuple[EpochHashes, ...] = ()  # one an epoch; empty in bundles older than this log

    @property
    def epochs(self) -> int:
        """Return how many epochs ran."""
        return len(self.history.loss)

    def evaluation(self, weights: Weights) -> Evaluation:
        """Return the evaluation of the last or of the best weights."""
        return self.last if weights == "last" else self.best


class ClassicalResult(Record, frozen=True, kw_only=True):
    """What a classifier without training by gradient reached."""

    training_images: int
    test_accuracy: float


class Run(Record, frozen=True, kw_only=True):
    """One trial under one seed: the scientific part, free of dates, hosts and seconds.

    ``trial`` is what was really trained (the profile's epochs applied); ``key`` changes when anything changes that
    could change the result, and ``key_parts`` says what went into it; the kind of processor decides how it rounds, and
    is no part of it, so that a suite can go on elsewhere. ``files`` holds the SHA-256 of the files
    beside the record. A failed run has an ``error`` (its traceback) and no results.
    """

    schema_version: int = SCHEMA_VERSION
    trial: AnyTrial
    seed: int | None  # None: the trial has no randomness
    status: Literal["done", "failed"]
    key: str
    key_parts: dict[str, str]
    spec_hash: str
    processor: str | None = None  # of the machine that finished it; None: from before it was recorded
    stages: tuple[StageResult, ...] = ()
    classical: ClassicalResult | None = None
    parameters_total: int | None = None  # counted by the built Keras model
    parameters_trainable: int | None = None
    macs: int | None = None
    streams: dict[str, str] = {}  # fingerprint of each random stream of the seed, by name
    files: dict[str, str] = {}
    error: str | None = None

    @property
    def id(self) -> str:
        """Return the run's name, for example ``baseline/seed-0``; also its folder below ``runs``."""
        return f"{self.trial.id}/{'once' if self.seed is None else f'seed-{self.seed}'}"

    @property
    def done(self) -> bool:
        """Whether it has results."""
        return self.status == "done"

    def stage(self, stage_id: str | None = None) -> StageResult:
        """Return a stage by id, or the last one; raises KeyError when the run has no such stage."""
        for stage in reversed(self.stages):
            if stage_id in (None, stage.id):
                return stage
        raise KeyError(f"run {self.id} has no stage {stage_id!r}")


class RunTiming(Record, frozen=True, kw_only=True):
    """The volatile side of a run: seconds, host and dates. Never a comparison: runs share the machine."""

    started: str  # ISO 8601, UTC
    finished: str
    host: str
    cores: tuple[int, ...]  # the processor numbers it was pinned to; empty where pinning is not possible
    total_seconds: float
    epoch_seconds: dict[str, tuple[float, ...]] = {}  # by stage; without validation
    validation_seconds: dict[str, tuple[float, ...]] = {}
    evaluation_seconds: float | None = None
    fit_seconds: float | None = None  # classical classifiers
    predict_seconds: float | None = None
    peak_memory_bytes: int | None = None  # of the worker process so far; it never falls in a reused worker


class Measurement(Record, frozen=True, kw_only=True):
    """One trial in one block of the exclusive timing pass, in a process of its own; of a network its first stage."""

    trial: str
    block: int
    replicas: int
    steps: int
    batch_size: int
    seconds: float  # for all steps, after warm-up
    portions: tuple[float, ...] = ()  # the same seconds by equal portions of the steps; empty where not split
    fit_seconds: float | None = None  # classical classifiers
    predict_seconds: float | None = None
    peak_memory_bytes: int | None = None
    load: float  # one-minute load average before it started
    steal: float  # share of processor time taken by other guests meanwhile
    throttled: bool
    processor_share: float | None = None  # of its one core; None on several devices
    other_work: float | None = None  # cores that other processes kept busy meanwhile
    attempts: int  # 1 = not repeated
    contended: bool  # still disturbed after the last attempt


class TimingPass(Record, frozen=True, kw_only=True):
    """The exclusive timing pass: blocks that hold every timed trial once, in random order.

    ``trials`` maps the timed trials to a hash of what decides their speed; like ``key_parts`` (the machine, the code,
    its versions, what is measured) it says when the pass is to be repeated.
    """

    schema_version: int = SCHEMA_VERSION
    warmup_steps: int
    order_seed: int | None = None  # of the blocks' random order
    key_parts: dict[str, str] = {}
    trials: dict[str, str] = {}
    measurements: tuple[Measurement, ...]


class DatasetRecord(Record, frozen=True, kw_only=True):
    """Which data the runs saw; never where they lay."""

    fingerprint: str  # SHA-256 over images and labels in order
    grade: Literal["canonical", "unverified", "stand-in"]
    canonical_labels: bool
    source: str
    counts: tuple[int, int, int]  # images of train, validation and test that the profile uses


class Environment(Record, frozen=True, kw_only=True):
    """The machine and the software of the last pass over the suite."""

    python: str
    platform: str
    processor: str
    cores: int
    memory_bytes: int
    packages: dict[str, str]
    variables: dict[str, str]  # environment variables that were set for the workers
    project_version: str
    project_commit: str | None = None


class BundleRecord(Record, frozen=True, kw_only=True):
    """``bundle.json``: what was planned, for which data, in which environment."""

    schema_version: int = SCHEMA_VERSION
    profile: Profile
    seeds: int  # as asked by the largest call so far; the profile holds the declared number
    dataset: DatasetRecord
    experiments: tuple[Experiment, ...]
    original: Original
    claims_hash: str
    claims_changed: bool = False  # whether a claim or its margin was changed after runs had been trained
    environment: Environment
    created: str  # ISO 8601, UTC
    finished: str | None = None  # end of the last whole pass
