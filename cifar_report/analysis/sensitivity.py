"""What other choices would have said: other margins, one seed less, Welch's test, sign flips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from cifar_report.analysis.alternatives import Flipped
from cifar_report.analysis.evidence import Evidence, Paired
from cifar_report.analysis.judging import DIRECTIONS, Families, judge, judge_onset, p_values
from cifar_report.analysis.results import Outcome, Sensitivity
from cifar_report.analysis.samples import Sample
from cifar_report.spec import Claim

Kind = Literal["margin_halved", "margin_doubled", "without_seed", "welch", "sign_flip"]

LEAST_SEEDS = 3  # below, leaving one out leaves too few to say anything


def sensitivities(claim: Claim, sample: Sample, families: Families, outcome: Outcome) -> tuple[Sensitivity, ...]:
    """Return the verdict under each other choice; ``outcome`` is the one under the method's own."""
    if claim.relation == "onset":
        return tuple(_onsets(claim, sample, outcome))
    evidence = sample.evidence()
    return (
        _under(claim, evidence, families, outcome, "margin_halved", 0.5),
        _under(claim, evidence, families, outcome, "margin_doubled", 2.0),
        *_without_seeds(claim, sample, evidence, families, outcome),
        *_other_tests(claim, sample, evidence, families, outcome),
    )


def stable(found: tuple[Sensitivity, ...]) -> bool | None:
    """Whether neither another margin nor one seed less changes the verdict; None where nothing was varied."""
    varied = [each for each in found if each.counts]
    return not any(each.changes for each in varied) if varied else None


def _under(
    claim: Claim,
    evidence: Evidence,
    families: Families,
    outcome: Outcome,
    kind: Kind,
    factor: float = 1.0,
    seed: int | None = None,
) -> Sensitivity:
    p, opposite = p_values(claim, evidence)
    corrected, other = families.corrected(claim, p), families.corrected(claim, opposite, "opposite")
    decided = judge(claim, evidence, p if corrected is None else corrected, other, factor).outcome
    return Sensitivity(kind, decided, p, seed, decided != outcome)


def _without_seeds(
    claim: Claim, sample: Sample, evidence: Evidence, families: Families, outcome: Outcome
) -> Iterator[Sensitivity]:
    if sample.n_of != "seeds" or sample.count < LEAST_SEEDS:
        return
    for place, seed in enumerate(sample.keys):
        yield _under(claim, evidence.without(place), families, outcome, "without_seed", seed=seed)


def _other_tests(
    claim: Claim, sample: Sample, evidence: Evidence, families: Families, outcome: Outcome
) -> Iterator[Sensitivity]:
    unpaired = sample.unpaired()
    if unpaired is not None and claim.relation in DIRECTIONS:
        yield _under(claim, unpaired, families, outcome, "welch")
    if isinstance(evidence, Paired) and claim.relation in DIRECTIONS:
        yield _under(claim, Flipped(evidence.values), families, outcome, "sign_flip")


def _onsets(claim: Claim, sample: Sample, outcome: Outcome) -> Iterator[Sensitivity]:
    if sample.count < LEAST_SEEDS:
        return
    for place, seed in enumerate(sample.keys):
        decision = judge_onset(claim, sample.without(place))
        if decision.reason != "too_few_seeds":  # which says nothing about the seed that was left out
            yield Sensitivity("without_seed", decision.outcome, None, seed, decision.outcome != outcome)
