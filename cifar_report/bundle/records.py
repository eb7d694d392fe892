"""What a bundle says: immutable records that load from JSON and dump to it, strictly typed."""

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from cifar_report.published import Original
from cifar_report.spec import CIFAR10, AnyTrial, Dataset, Experiment, Profile, Study, Trial
from cifar_report.spec.experiments import MOST_SEEDS, ImageCount, SeedCount, SeedPlan, Share
from cifar_report.spec.trials import Paragraph, Word

SCHEMA_VERSION = 3
"""Of the records. In version 1 texts of experiments stood in both languages (``upgraded`` keeps the English one) and
``spec_hash`` covered every field; since version 2 it leaves out fields that equal their default. Until version 2 trials
named their key in the original's record, which is their id."""
METHOD_VERSION = 2
"""Version of the method behind the tables (``analysis``); raise it when numbers differ by more than rounding."""

Count = Annotated[int, Meta(ge=0, le=10**15)]  # parameters, bytes, operations
Loss = Annotated[float, Meta(ge=0, le=1e39)]  # any that a float32 can be
Seconds = Annotated[float, Meta(ge=0, le=1e9)]
Measured = Annotated[float, Meta(gt=0, le=1e9)]  # seconds that are divided by
Load = Annotated[float, Meta(ge=0, le=1e15)]
Losses = Annotated[tuple[Loss | None, ...], Meta(min_length=1, max_length=10_000)]  # one an epoch
Shares = Annotated[tuple[Share, ...], Meta(min_length=1, max_length=10_000)]
Weights = Literal["last", "best"]  # weights after the last epoch, or those of the epoch with the least validation loss
SETS: tuple[Weights, ...] = ("last", "best")


def upgraded(value: Any) -> Any:
    """Return decoded JSON of an older version: of a text in both languages the English one; trials without a key."""
    if isinstance(value, dict):
        if value.keys() == {"en", "el"}:
            return value["en"]
        dropped = "original" if value.get("kind") in ("network", "classical") else None
        return {name: upgraded(each) for name, each in value.items() if name != dropped}
    return [upgraded(each) for each in value] if isinstance(value, list) else value


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Base of everything that is stored."""


class Scores(Record, frozen=True, kw_only=True):
    """How one set of weights does on one part of the split, in inference mode and without augmentation."""

    accuracy: Share
    loss: Loss | None  # categorical cross-entropy; None where it was not a number


class Evaluation(Record, frozen=True, kw_only=True):
    """Scores of one set of weights on the three parts of the split."""

    train: Scores
    validation: Scores
    test: Scores
    dead_units: Share | None = None  # hidden units that are zero for every test image; None: not recorded

    @property
    def gap(self) -> float:
        """Return evaluated train accuracy minus test accuracy."""
        return self.train.accuracy - self.test.accuracy


class History(Record, frozen=True, kw_only=True):
    """One value an epoch; ``loss`` and ``accuracy`` are running means over the epoch, as Keras prints them.

    ``loss`` is what is minimised: with smoothed labels, and with what regularizers add, which is ``regularization``.
    ``val_loss`` is the cross-entropy alone, so that all networks compare.
    """

    loss: Losses
    accuracy: Shares
    val_loss: Losses
    val_accuracy: Shares
    regularization: Annotated[tuple[Loss | None, ...], Meta(max_length=10_000)] = ()  # empty without regularizers

    def __post_init__(self) -> None:
        curves = (self.loss, self.accuracy, self.val_loss, self.val_accuracy, self.regularization or self.loss)
        if len(set(map(len, curves))) != 1:
            raise ValueError("the curves of a history must have equally many epochs")


class EpochHashes(Record, frozen=True, kw_only=True):
    """What one epoch saw and left, as the first 16 hexadecimal digits of SHA-256: finds where two runs part."""

    order: Word  # of the training images' indices, int32, in the order they were seen
    weights: Word  # of all weights after the epoch, in Keras's order


class StageResult(Record, frozen=True, kw_only=True):
    """One finished stage of a run."""

    id: str
    history: History
    best_epoch: Annotated[int, Meta(ge=1, le=10_000)]  # counted from 1; least validation loss
    stopped_early: bool
    last: Evaluation
    best: Evaluation
    hashes: tuple[EpochHashes, ...] = ()  # one an epoch; empty in bundles older than this log

    def __post_init__(self) -> None:
        if self.best_epoch > self.epochs or len(self.hashes) not in (0, self.epochs):
            raise ValueError(f"best_epoch or hashes of stage {self.id} do not belong to its {self.epochs} epochs")

    @property
    def epochs(self) -> int:
        """Return how many epochs ran."""
        return len(self.history.loss)

    def evaluation(self, weights: Weights) -> Evaluation:
        """Return the evaluation of the last or of the best weights."""
        return self.last if weights == "last" else self.best


class ClassicalResult(Record, frozen=True, kw_only=True):
    """What a classifier without training by gradient reached."""

    training_images: ImageCount
    test_accuracy: Share


class Run(Record, frozen=True, kw_only=True):
    """One trial under one seed: the scientific part, free of dates, hosts and seconds.

    ``trial`` is what was really trained (the profile's epochs applied); ``key`` changes when anything in ``key_parts``
    does. The kind of processor is no part of it, so that a suite can go on elsewhere. ``files`` holds the SHA-256 of
    the files beside the record. A failed run has an ``error`` (its traceback) and no results.
    """

    schema_version: int = SCHEMA_VERSION
    trial: AnyTrial
    seed: Annotated[int, Meta(ge=0, lt=2**32)] | None  # None: the trial has no randomness
    status: Literal["done", "failed"]
    key: Word
    key_parts: dict[Word, Paragraph]
    spec_hash: Word
    processor: Word | None = None  # of the machine that finished it; None: from before it was recorded
    stages: tuple[StageResult, ...] = ()
    classical: ClassicalResult | None = None
    parameters_total: Count | None = None  # counted by the built Keras model
    parameters_trainable: Count | None = None
    macs: Count | None = None
    streams: dict[Word, Word] = {}  # fingerprint of each random stream of the seed, by name
    files: dict[Word, Word] = {}
    error: str | None = None

    def __post_init__(self) -> None:
        if self.trial.seeded != (self.seed is not None):
            raise ValueError("a network has a seed, and nothing else has one")
        if self.done != (self.error is None):
            raise ValueError("a run has results or an error, never both")
        if [stage.id for stage in self.stages] != (self.trial.stage_ids if self.done else []):
            raise ValueError("its results are not those of its trial's stages")
        if (self.classical is not None) != (self.done and not isinstance(self.trial, Trial)):
            raise ValueError("its results are not those of its kind of trial")

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


def primary_weights(trial: Trial, stage_id: str) -> Weights:
    """Return which weights the method judges: the restored best ones after early stopping, else the last ones."""
    stage = next(stage for stage in trial.stages if stage.id == stage_id)
    return "last" if stage.early_stopping is None else "best"


class RunTiming(Record, frozen=True, kw_only=True):
    """The volatile side of a run: seconds, host and dates. Never a comparison: runs share the machine."""

    started: Word  # ISO 8601, UTC
    finished: Word
    host: Word
    replicas: tuple[Word, ...] = ()  # the addresses of a run on several machines
    cores: tuple[Count, ...]  # the processor numbers it was pinned to; empty where pinning is not possible
    total_seconds: Seconds
    epoch_seconds: dict[Word, tuple[Seconds, ...]] = {}  # by stage; without validation
    validation_seconds: dict[Word, tuple[Seconds, ...]] = {}
    evaluation_seconds: Seconds | None = None
    fit_seconds: Seconds | None = None  # classical classifiers
    predict_seconds: Seconds | None = None
    peak_memory_bytes: Count | None = None  # of the worker process so far; it never falls in a reused worker


class Measurement(Record, frozen=True, kw_only=True):
    """One trial in one block of the exclusive timing pass, in a process of its own; of a network its first stage."""

    trial: Word
    block: Count
    replicas: Count
    steps: Count
    batch_size: Count
    seconds: Measured  # for all steps, after warm-up
    portions: tuple[Measured, ...] = ()  # the same seconds by equal portions of the steps; empty where not split
    until: dict[Word, Measured] = {}  # of several devices: seconds of a portion whose steps go no further
    fit_seconds: Measured | None = None  # classical classifiers
    predict_seconds: Measured | None = None
    peak_memory_bytes: Count | None = None
    load: Load  # one-minute load average before it started
    steal: Load  # share of processor time taken by other guests meanwhile
    throttled: bool
    processor_share: Load | None = None  # of its one core; None on several devices
    other_work: Load | None = None  # cores that other processes kept busy meanwhile
    attempts: Count  # 1 = not repeated
    contended: bool  # still disturbed after the last attempt

    def __post_init__(self) -> None:
        if self.fit_seconds is None and min(self.replicas, self.steps, self.batch_size) < 1:
            raise ValueError(f"the measurement of {self.trial} has no steps")


class TimingPass(Record, frozen=True, kw_only=True):
    """The exclusive timing pass: blocks that hold every timed trial once, in random order.

    ``trials`` maps them to a hash of what decides their speed; it and ``key_parts`` say when to repeat the pass.
    """

    schema_version: int = SCHEMA_VERSION
    warmup_steps: int
    order_seed: int | None = None  # of the blocks' random order
    key_parts: dict[Word, Paragraph] = {}
    trials: dict[Word, Word] = {}
    measurements: Annotated[tuple[Measurement, ...], Meta(max_length=100_000)]


class DatasetRecord(Record, frozen=True, kw_only=True):
    """Which data the runs saw; never where they lay."""

    fingerprint: Word  # SHA-256 over images and labels in order
    grade: Literal["canonical", "unverified", "stand-in"]
    canonical_labels: bool
    source: Word
    counts: tuple[ImageCount, ImageCount, ImageCount]  # images of train, validation and test that the profile uses
    about: Dataset = CIFAR10


class Environment(Record, frozen=True, kw_only=True):
    """The machine and the software of the last pass over the suite."""

    python: Word
    platform: Word
    processor: Word
    cores: Count
    memory_bytes: Count
    packages: dict[Word, Word]
    variables: dict[Word, Word]  # environment variables that were set for the workers
    project_version: Word
    project_commit: Word | None = None


class BundleRecord(Record, frozen=True, kw_only=True):
    """``bundle.json``: what was planned, for which data, in which environment."""

    schema_version: int = SCHEMA_VERSION
    profile: Profile
    seeds: Annotated[int, Meta(ge=0, le=MOST_SEEDS)]  # of each trial beside a plan's; the profile's are the declared
    plan: SeedPlan | None = None  # further seeds; None: one look at ``seeds`` of each trial
    asked: dict[Word, SeedCount] = {}  # trials that were asked for more so far, with the end of their seeds
    dataset: DatasetRecord
    experiments: tuple[Experiment, ...]
    original: Original | None = None  # None: a study of one's own
    study: Study | None = None  # None: the suite that tests what the original said
    claims_hash: Word
    claims_changed: bool = False  # whether a claim or its margin was changed after runs had been trained
    environment: Environment
    created: Word  # ISO 8601, UTC
    finished: Word | None = None  # end of the last whole pass
    method_version: int = 1  # of the method behind the tables, METHOD_VERSION then

    def __post_init__(self) -> None:
        for moment in (self.created, self.finished):
            datetime.fromisoformat(moment or self.created)
        trials = [trial for experiment in self.experiments for trial in experiment.trials]
        claims = [claim for experiment in self.experiments for claim in experiment.claims]
        for what, ids in (("experiments", self.experiments), ("trials", trials), ("claims", claims)):
            if len({each.id for each in ids}) < len(ids):
                raise ValueError(f"two {what} have the same id")
        known = {trial.id for trial in trials}
        if self.plan is not None and (strays := (self.plan.seeds.keys() | self.asked.keys()) - known):
            raise ValueError(f"its plan names trials that it does not have: {sorted(strays)!r:.80}")
        stages = {trial.id: (None, *trial.stage_ids) for trial in trials}
        for claim in claims:
            for side, _ in claim.sides:
                if side.stage not in stages.get(side.trial, ()):
                    raise ValueError(f"claim {claim.id} names a trial or a stage that the bundle does not plan")

    @property
    def trials(self) -> dict[str, AnyTrial]:
        """Return every planned trial by id, as the experiments define it (before the profile shortens it)."""
        return {trial.id: trial for experiment in self.experiments for trial in experiment.trials}

    def seeds_of(self, trial: str) -> int:
        """Return the end of the seeds that a trial was asked for so far."""
        return self.asked.get(trial, self.seeds)
