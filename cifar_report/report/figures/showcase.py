"""Which networks are looked at closely: by their place in the write-up, never by what they reached."""

from __future__ import annotations

from dataclasses import dataclass

from cifar_report.analysis.results import PredictionMetrics, Results, StageSummary, TrialResult
from cifar_report.report.figures import words
from cifar_report.report.i18n import Translation


@dataclass(frozen=True)
class Shown:
    """A network with predictions: the trial, its last stage and what the predictions say."""

    result: TrialResult
    stage: StageSummary
    metrics: PredictionMetrics

    def title(self, translate: Translation) -> str:
        """Return the trial's title, with the stage where it has several."""
        return words.trial_name(self.result.trial, translate, self.stage.id)


def showcase(results: Results) -> tuple[Shown, ...]:
    """Return the reference network and the final one: the first trial, and the first with several stages.

    Either is left out where its predictions are missing; where both are, the first trial with predictions stands in.
    """
    shown = [shown for result in results.trials if (shown := _shown(result)) is not None]
    first = next((result.id for result in results.trials), None)
    picked = [each for each in shown if each.result.id == first]
    picked += [each for each in shown if len(each.result.stages) > 1][:1]
    return tuple(picked or shown[:1])


def _shown(result: TrialResult) -> Shown | None:
    stage = result.stage()
    return None if stage is None or stage.test is None else Shown(result, stage, stage.test)
