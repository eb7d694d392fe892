"""What the analysis hands to the report: every number final, none formatted, each with its origin."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Literal

from cifar_report.analysis.results.numbers import Datum, Formula, Measure, Undefined, Unit
from cifar_report.analysis.results.trials import (
    Curve,
    PredictionMetrics,
    ReliabilityBin,
    StageSummary,
    Status,
    TrialResult,
    WeightScores,
)
from cifar_report.analysis.results.verdicts import (
    Lacking,
    Networks,
    OtherVerdict,
    Outcome,
    Reason,
    Sensitivity,
    SensitivityKind,
    TakenLook,
    Verdict,
)
from cifar_report.analysis.results.views import (
    AblationRow,
    Caution,
    CautionCode,
    ChangeKind,
    ChangeOfMind,
    Comparison,
    Determinism,
    Example,
    ParetoFront,
    ParetoPoint,
    RankRow,
    StatementTally,
    Study,
    TimingRow,
    VarianceRow,
    WeightsRow,
)
from cifar_report.spec import STATEMENTS


@dataclass(frozen=True)
class Seeds:
    """How many seeds were declared before anything ran, how many were asked for, and the least that a trial has."""

    declared: int
    asked: int
    least: int  # finished seeds of the seeded trial that has the fewest
    unseen: Datum | None  # bound of the rate of collapses where none of ``asked`` runs collapsed; None without seeds

    @property
    def differs(self) -> bool:
        """Whether the number of seeds is another than the declared one."""
        return self.asked != self.declared


@dataclass(frozen=True)
class Scope:
    """Whether this bundle can test claims that need training, and claims about absolute values."""

    comparisons: bool
    comparisons_reason: Literal["reduced_profile", "stand_in", "other_labels"] | None
    absolutes: bool
    absolutes_reason: Literal["reduced_profile", "stand_in", "other_labels", "other_pixels"] | None


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
        """Return every number of the report by its id, in the report's order.

        Raises ValueError when two different numbers carry one id.
        """
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
