"""What would change the conclusions: other choices that flip a verdict, and what is missing for one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cifar_report.analysis.results import ChangeOfMind, Verdict
from cifar_report.analysis.results.views import ChangeKind

MISSING: dict[str, ChangeKind] = {
    "other_pixels": "canonical_pixels",
    "other_labels": "real_data",
    "stand_in": "real_data",
    "reduced_profile": "full_profile",
    "no_timing_pass": "timing_pass",
    "not_timed": "timing_pass",
    "disturbed": "timing_pass",
    "one_block": "timing_pass",
    "missing": "missing_runs",
    "failed": "missing_runs",
    "no_common_seeds": "missing_runs",
    "no_predictions": "missing_runs",
    "one_seed": "more_seeds",
    "too_few_seeds": "more_seeds",
    "undecided": "more_seeds",
}


def changes_of_mind(verdicts: Sequence[Verdict]) -> tuple[ChangeOfMind, ...]:
    """Return, claim by claim, what would or could change its verdict."""
    return tuple(change for verdict in verdicts for change in _changes(verdict))


def _changes(verdict: Verdict) -> Iterator[ChangeOfMind]:
    for other in verdict.sensitivity:
        if other.kind == "welch" or other.kind == "sign_flip":  # weaker tests, whatever the data are
            continue
        if other.changes:
            yield ChangeOfMind(verdict.id, other.kind, other.outcome, other.seed)
    kind = MISSING.get(verdict.reason)
    if kind == "more_seeds" and verdict.n_of == "blocks":
        return  # the timing pass has no seeds
    if kind is not None and verdict.n_of != "images":
        yield ChangeOfMind(verdict.id, kind, None, seeds_needed=verdict.seeds_needed if kind == "more_seeds" else None)
