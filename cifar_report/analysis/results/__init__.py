"""What the analysis hands to the report: every number final, none formatted, each with its origin."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal, NamedTuple

from cifar_report.analysis.results.trials import Datum, Measure, SeedValue, StageSummary, TrialResult, Unit
from cifar_report.analysis.results.verdicts import Outcome, Reason, Sensitivity, SensitivityKind, Verdict
from cifar_report.bundle.certificates import Certificate
from cifar_report.spec import STATEMENTS, Change


@dataclass(frozen=True)
class RankRow:
    """One trial in the order of mean primary accuracies."""

    trial: str
    accuracy: Datum
    tied: bool | None  # no significant difference from the first one; None where too few runs speak


StatementKind = Literal["every", "counts", "times", "accuracy", "convergence", "gap"]


class StatementTally(NamedTuple):
    """How the statements of one kind fared, and the tests of them: all, some or none of a statement's reproduced."""

    kind: StatementKind
    all: int
    some: int
    none: int
    refuted: int  # of those: a test contradicts them
    tests: tuple[tuple[Outcome, int], ...]

    @property
    def statements(self) -> int:
        """Return the number of statements."""
        return self.all + self.some + self.none


class Study(NamedTuple):
    """The trials that one experiment shows, among themselves."""

    experiment: str
    ranking: tuple[RankRow, ...]
    only_splits: bool  # whether they differ in the division of the images alone


class ParetoPoint(NamedTuple):
    """A trial's cost; on the front when no other mean accuracy is as high at the same cost or a lower one."""

    trial: str
    cost: Datum
    on_front: bool


class ParetoFront(NamedTuple):
    """Mean accuracy against one cost, cheapest first; empty where the cost was not measured."""

    cost: Literal["parameters", "macs", "seconds"]
    points: tuple[ParetoPoint, ...]


class Comparison(NamedTuple):
    """A trial against another one: the difference of primary accuracies and what differs in the spec."""

    comparator: str
    difference: Datum
    changes: tuple[Change, ...]

    @property
    def confounded(self) -> bool:
        """Whether more than one thing differs."""
        return len(self.changes) > 1


class AblationRow(NamedTuple):
    """One trial as the write-up compared it and by one change alone."""

    trial: str
    as_written: Comparison | None
    one_change: Comparison | None


class VarianceRow(NamedTuple):
    """Where a trial's spread comes from: standard deviations in points and the seeds' share of the variance."""

    trial: str
    observed: Datum  # between seeds, net of the noise of the images within each run
    sampling: Datum  # what drawing other test images would add to the mean of the seeds
    seed_share: Datum


class WeightsRow(NamedTuple):
    """Last epoch and validation-selected weights of one stage side by side; nothing is selected on test images."""

    trial: str
    stage: str
    last: Datum
    best: Datum
    difference: Datum  # best - last


class Example(NamedTuple):
    """A test image by the fixed rule: the most confident predictions of one run, per class and per confusion."""

    kind: Literal["right", "wrong", "confused"]
    image: int  # place in the 60,000 images
    label: int
    predicted: int
    probability: Datum
    run: str
    trial: str
    stage: str


class ReplicaAgreement(NamedTuple):
    """The same configuration and seeds on one device and on several: how near the results are."""

    trial: str
    single: str
    same_predictions: Datum  # share of test images with the same prediction, mean over seeds
    accuracy_difference: Datum


@dataclass(frozen=True)
class Determinism:
    """Facts that bound what may be claimed about repeating the results bit for bit."""

    environments: int  # different sets of versions and threads among the finished runs
    processors: tuple[tuple[str, int], ...]  # each recorded kind, and how many networks it trained
    unknown_processors: int  # networks whose record names none
    parts: tuple[tuple[str, tuple[str, ...]], ...]  # what went into the keys, each with all its values
    identical: tuple[tuple[str, ...], ...]  # runs whose prediction files are equal byte for byte
    replicas: tuple[ReplicaAgreement, ...]
    certificate: Certificate | None = None  # the latest, where it speaks of runs that the bundle still holds


class TimingRow(NamedTuple):
    """One trial in the exclusive timing pass, alone on the machine."""

    trial: str
    replicas: int
    seconds_per_step: Datum | None  # None for classical classifiers
    images_per_second: Datum | None
    fit_seconds: Datum | None
    predict_seconds: Datum | None
    peak_memory: Datum | None
    blocks: int
    contended: int  # blocks that stayed disturbed
    step_parts: dict[str, Datum]  # shares of a step's time on several devices; empty where they were not recorded


ChangeKind = Literal[
    "margin_halved", "margin_doubled", "without_run", "missing_seed", "trimmed_mean",
    "more_seeds", "canonical_pixels", "timing_pass", "full_profile", "real_data", "missing_runs",
]  # fmt: skip


class ChangeOfMind(NamedTuple):
    """Something that would change, or could change, a verdict."""

    claim: str
    kind: ChangeKind


CautionCode = Literal[
    "not_a_number", "constant_values", "class_never_predicted", "failed_run", "missing_seeds",
    "unplanned_run", "other_configuration", "parameter_mismatch", "different_environments", "contended_timing",
    "test_mismatch",
]  # fmt: skip


class Caution(NamedTuple):
    """Something odd in the data that a reader should know."""

    code: CautionCode
    trial: str | None
    run: str | None = None
    stage: str | None = None
    label: int | None = None  # of class_never_predicted
    detail: str | None = None  # a name (of a column, for example), no prose


class Seeds(NamedTuple):
    """How many seeds were declared before anything ran, how many were asked for, and the least that a trial has."""

    declared: int
    asked: int
    least: int  # finished seeds of the seeded trial that has the fewest
    unseen: Datum | None  # bound of the rate of collapses where none of ``asked`` runs collapsed; None without seeds

    @property
    def differs(self) -> bool:
        """Whether the number of seeds is another than the declared one."""
        return self.asked != self.declared


class Scope(NamedTuple):
    """Whether this bundle can test claims that need training, and claims about absolute values."""

    obstacle: Literal["reduced_profile", "stand_in", "other_labels"] | None  # to all claims that need training
    absolutes: bool


@dataclass(frozen=True)
class Results:
    """Everything the report shows, in the order of the experiments; ``analyse`` makes it from a bundle."""

    seeds: Seeds
    scope: Scope
    trials: tuple[TrialResult, ...]
    verdicts: tuple[Verdict, ...]
    statements: tuple[StatementTally, ...]
    studies: tuple[Study, ...]
    ranking: tuple[RankRow, ...]
    pareto: tuple[ParetoFront, ...]
    ablation: tuple[AblationRow, ...]
    variance: tuple[VarianceRow, ...]
    weights: tuple[WeightsRow, ...]
    examples: tuple[Example, ...]
    timing: tuple[TimingRow, ...]
    determinism: Determinism
    changes_of_mind: tuple[ChangeOfMind, ...]
    cautions: tuple[Caution, ...]
    dead_units: Datum | None = None  # rank correlation with the accuracy, within trials; None where not recorded

    @property
    def tallied(self) -> tuple[Verdict, ...]:
        """Return the verdicts on what the original stated; on every claim where it stated none of them."""
        return tuple(each for each in self.verdicts if each.claim.code in STATEMENTS) or self.verdicts

    def trial(self, trial_id: str) -> TrialResult:
        """Return a planned trial's result; raises KeyError when there is no such trial."""
        return {trial.id: trial for trial in self.trials}[trial_id]

    def verdict(self, claim_id: str) -> Verdict:
        """Return a claim's verdict; raises KeyError when there is no such claim."""
        return {verdict.claim.id: verdict for verdict in self.verdicts}[claim_id]

    def data(self) -> dict[str, Datum]:
        """Return every number by its id, in the report's order; ValueError where two different ones carry one id."""
        found: dict[str, Datum] = {}
        for datum in _walk(self):
            if found.setdefault(datum.id, datum) != datum:
                raise ValueError(f"two numbers of the report carry the id {datum.id!r}")
        return found


def _walk(part: Any) -> Iterator[Datum]:
    if isinstance(part, Datum):
        yield part
    elif isinstance(part, tuple):
        for item in part:
            yield from _walk(item)
    elif is_dataclass(part):
        for field in fields(part):
            yield from _walk(getattr(part, field.name))
