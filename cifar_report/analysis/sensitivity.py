"""What other choices would have said: other margins, one seed less, other tests; and what would change a verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np

from cifar_report.analysis.claim_estimates import onset_hits
from cifar_report.analysis.decisions import DIRECTIONS, Families, decide, decide_onset, p_values
from cifar_report.analysis.hypothesis_tests import HypothesisTest, PairedT, SignFlip, SignTest, Welch
from cifar_report.analysis.results import ChangeKind, ChangeOfMind, Outcome, Reason, Sensitivity, Verdict
from cifar_report.analysis.samples import Sample, floats
from cifar_report.spec import Claim

Kind = Literal["margin_halved", "margin_doubled", "without_seed", "welch", "sign_flip"]

LEAST_SEEDS = 3  # below, leaving one out leaves too few to say anything
MISSING: dict[ChangeKind, tuple[Reason, ...]] = {
    "canonical_pixels": ("other_pixels",),
    "real_data": ("other_labels", "stand_in"),
    "full_profile": ("reduced_profile",),
    "timing_pass": ("no_timing_pass", "not_timed", "disturbed", "one_block"),
    "missing_runs": ("missing", "failed", "no_common_seeds", "no_predictions"),
    "more_seeds": ("one_seed", "too_few_seeds", "undecided"),
}


def sensitivities(claim: Claim, sample: Sample, families: Families, outcome: Outcome) -> tuple[Sensitivity, ...]:
    """Return the verdict under each other choice; ``outcome`` is the one under the method's own."""
    if claim.relation == "exact":
        return ()
    if claim.relation == "onset":
        return tuple(_onsets(claim, sample, outcome))
    test = sample.test()

    def under(kind: Kind, other: HypothesisTest, factor: float = 1.0, seed: int | None = None) -> Sensitivity:
        p = p_values(claim, other)
        decided = decide(claim, other, families.corrected(claim, p), factor).outcome
        return Sensitivity(kind, decided, p.tested, seed, decided != outcome)

    found = [under("margin_halved", test, 0.5), under("margin_doubled", test, 2.0)]
    if isinstance(test, PairedT | SignTest) and sample.n_of == "seeds" and sample.count >= LEAST_SEEDS:
        for place, seed in enumerate(sample.keys):
            found.append(under("without_seed", type(test)(np.delete(test.values, place)), seed=seed))
    if isinstance(test, PairedT) and claim.relation in DIRECTIONS:
        if sample.comparator:
            found.append(under("welch", _unpaired(sample)))
        found.append(under("sign_flip", SignFlip(test.values)))
    return tuple(found)


def stable(found: Sequence[Sensitivity]) -> bool | None:
    """Whether neither another margin nor one seed less changes the verdict; None where nothing was varied."""
    varied = [each for each in found if each.counts]
    return not any(each.changes for each in varied) if varied else None


def _unpaired(sample: Sample) -> Welch:
    """Return Welch's test of the two groups, on the scale of the claim."""
    subject, comparator = floats(sample.subject), floats(sample.comparator)
    if sample.scale == "log_ratio":
        subject, comparator = np.log(subject), np.log(comparator)
    elif sample.scale == "relative":
        subject, comparator = subject / comparator.mean(), comparator / comparator.mean()
    return Welch(sample.differences(), subject, comparator)


def _onsets(claim: Claim, sample: Sample, outcome: Outcome) -> Iterator[Sensitivity]:
    hits = onset_hits(claim, sample)
    if len(hits) < LEAST_SEEDS:
        return
    for seed, hit in zip(sample.keys, hits, strict=True):
        decision = decide_onset(sum(hits) - hit, len(hits) - 1)
        if decision.reason != "too_few_seeds":  # which says nothing about the seed that was left out
            yield Sensitivity("without_seed", decision.outcome, None, seed, decision.outcome != outcome)


def changes_of_mind(verdicts: Sequence[Verdict]) -> tuple[ChangeOfMind, ...]:
    """Return, claim by claim, what would or could change its verdict: other choices, and what is missing for one."""
    return tuple(change for verdict in verdicts for change in _changes(verdict))


def _changes(verdict: Verdict) -> Iterator[ChangeOfMind]:
    for other in verdict.sensitivity:
        if other.changes and other.kind != "welch" and other.kind != "sign_flip":  # weaker tests, whatever the data
            yield ChangeOfMind(verdict.id, other.kind, other.outcome, other.seed)
    kind = next((kind for kind, reasons in MISSING.items() if verdict.reason in reasons), None)
    if kind is None or verdict.n_of == "images" or (kind == "more_seeds" and verdict.n_of == "blocks"):
        return  # neither images nor the blocks of the timing pass have seeds
    yield ChangeOfMind(verdict.id, kind, None, seeds_needed=verdict.seeds_needed if kind == "more_seeds" else None)
