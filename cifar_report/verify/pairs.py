"""Sets the runs that two bundles have in common beside each other: the same bytes, or from which epoch on not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest

from cifar_report.bundle import Bundle, Run, StageResult


@dataclass(frozen=True)
class RunPair:
    """One run that is finished in both bundles.

    ``predictions`` and ``weights`` say whether the files are the same bytes (None: one bundle has none).
    ``first`` names the first epoch that differs and in what; None where no epoch does.
    """

    run: str
    predictions: bool | None
    weights: bool | None
    first: str | None

    @property
    def same(self) -> bool:
        """Whether nothing differs in what could be compared."""
        return self.first is None and self.predictions is not False and self.weights is not False


def common_runs(one: Bundle, other: Bundle) -> tuple[RunPair, ...]:
    """Return every run that is finished in both bundles, in the order of the first."""
    partners = {run.id: run for run in other.runs if run.done}
    return tuple(_pair(run, partners[run.id]) for run in one.runs if run.done and run.id in partners)


def _pair(one: Run, other: Run) -> RunPair:
    first = next(_differing_epochs(one, other), None)
    if first is None and (one.stages, one.classical) != (other.stages, other.classical):
        first = "the evaluation after the last epoch" if one.stages else "the test accuracy"
    return RunPair(
        run=one.id,
        predictions=_same_file(one, other, "predictions.npz"),
        weights=_same_file(one, other, "weights.npz"),
        first=first,
    )


def _same_file(one: Run, other: Run, name: str) -> bool | None:
    if name not in one.files or name not in other.files:
        return None
    return one.files[name] == other.files[name]


def _differing_epochs(one: Run, other: Run) -> Iterator[str]:
    """Yield the epochs that differ, the first one first."""
    for stage, partner in zip_longest(one.stages, other.stages):
        if stage is None or partner is None or stage.id != partner.id:
            yield "the stages themselves"
            return
        for epoch in range(1, max(stage.epochs, partner.epochs) + 1):
            if epoch > min(stage.epochs, partner.epochs):
                yield f"{stage.id}, epoch {epoch}: trained in one of them only"
                return
            if what := _differing_parts(stage, partner, epoch - 1):
                yield f"{stage.id}, epoch {epoch}: {what}"


def _differing_parts(one: StageResult, other: StageResult, place: int) -> str:
    parts = []
    if one.hashes and other.hashes:
        mine, theirs = one.hashes[place], other.hashes[place]
        parts += ["data order"] if mine.order != theirs.order else []
        parts += ["weights"] if mine.weights != theirs.weights else []
    if any(
        _rows(one, place, name) != _rows(other, place, name)
        for name in ("loss", "accuracy", "val_loss", "val_accuracy")
    ):
        parts.append("history")
    return ", ".join(parts)


def _rows(stage: StageResult, place: int, name: str) -> float | None:
    value: float | None = getattr(stage.history, name)[place]
    return value
