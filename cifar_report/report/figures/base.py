"""What a drawn figure is, and the names and words in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from cifar_report.analysis.results import Datum, Measure, PredictionMetrics, Results, StageSummary, TrialResult, Verdict
from cifar_report.report import names
from cifar_report.report.i18n import Translation, load_messages
from cifar_report.report.names import QUANTITIES
from cifar_report.spec import AnyTrial, ClassicalTrial

Cell = str | float | int | None
Images = np.ndarray[Any, np.dtype[np.uint8]]
"""All images of the dataset, uint8 [60000, 32, 32, 3], usually a memory map."""
RELATIONS: dict[str, str] = {
    "greater": ">",
    "less": "<",
    "not_better": "\N{LESS-THAN OR EQUAL TO}",
    "equal": "\N{ALMOST EQUAL TO}",
    "ratio": "\N{ALMOST EQUAL TO}",
    "value": "\N{ALMOST EQUAL TO}",
    "onset": "",
    "exact": "\N{MIDDLE DOT}",
}
SEPARATOR = " \N{MIDDLE DOT} "
SAY = load_messages("figures")


@dataclass(frozen=True)
class DrawnFigure:
    """One figure of the report, in one language, with its texts and its data.

    ``id`` is unique and serves as HTML id and as file name; ``title`` and ``alt`` state the finding, the latter for
    people who do not see the picture; ``caption`` is one or two whole sentences. ``columns`` and ``rows`` are the
    numbers drawn. ``group`` is the experiment's id or the figure's own, by which sections ask for it. ``png`` is the
    figure with photographs in it; they must not be passed on with the numbers, so ``svg`` never holds them. ``inline``
    is the SVG for an HTML page, which gives it its colours.
    """

    id: str
    svg: bytes
    width_points: float
    height_points: float
    alt: str
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    group: str
    png: bytes | None = None
    title: str = ""
    inline: str = ""


@dataclass(frozen=True)
class Shown:
    """A network that is looked at closely: the trial, its last stage and the metrics of its predictions."""

    result: TrialResult
    stage: StageSummary
    metrics: PredictionMetrics

    def title(self, translate: Translation) -> str:
        """Return the trial's title, with the stage where it has several."""
        return trial_name(self.result.trial, translate, self.stage.id)


def showcase(results: Results) -> tuple[Shown, ...]:
    """Return the reference network and the final one: the first trial, and the first with several stages.

    They are chosen by their place in the write-up, never by what they reached. Either is left out where its
    predictions are missing; where both are, the first trial with predictions stands in.
    """
    shown = [
        Shown(result, stage, stage.test)
        for result in results.trials
        if (stage := result.stage()) is not None and stage.test is not None
    ]
    first = next((result.id for result in results.trials), None)
    picked = [each for each in shown if each.result.id == first]
    picked += [each for each in shown if len(each.result.stages) > 1][:1]
    return tuple(picked or shown[:1])


def seeds_text(count: int, translate: Translation) -> str:
    """Return, for example, "5 seeds"."""
    return translate.ngettext("%(count)s seed", "%(count)s seeds", count) % {"count": translate.numbers.integer(count)}


def comparable(measure: Measure) -> bool:
    """Whether the original's absolute value may be compared with ours: only canonical pixels allow that."""
    return measure.compatibility is None or measure.compatibility.outcome != "not_testable"


def class_names(translate: Translation) -> tuple[str, ...]:
    """Return the ten classes in the order of their labels."""
    return tuple(map(translate.gettext, names.CLASSES))


def stage_name(trial: AnyTrial, stage_id: str, translate: Translation) -> str:
    """Return what a stage is called: its place among the trial's stages, and whether images were augmented."""
    name = names.stage_name(trial, stage_id, translate.numbers, names.AS_TITLE)
    return re.sub(r" (?=\d)", "\N{NO-BREAK SPACE}", name)


def trial_name(trial: AnyTrial, translate: Translation, stage_id: str | None = None) -> str:
    """Return a trial's title, with the stage where it has several and one is meant."""
    title = translate.text(trial.title)
    if stage_id is None or isinstance(trial, ClassicalTrial) or len(trial.stages) == 1:
        return title
    return f"{title}{SEPARATOR}{stage_name(trial, stage_id, translate)}"


def reference(results: Results) -> TrialResult | None:
    """Return the reference model, the first trial, where it has an accuracy."""
    first = next(iter(results.trials), None)
    return first if first is not None and first.stages and first.primary.datum.value is not None else None


def written_trials(results: Results) -> list[TrialResult]:
    """Return the networks of the write-up that have finished runs; where none has, all others."""
    finished = [result for result in results.trials if result.stages]
    return [result for result in finished if result.section in ("trials", "model_2")] or finished


def percent(share: float, translate: Translation) -> str:
    """Return a share in per cent as a figure shows it, without the sign."""
    return translate.numbers.bare(share, "share")


def percent_interval(datum: Datum) -> tuple[float, float] | None:
    """Return the part of a share's interval that is possible, in per cent; None where it has none."""
    return (
        None if datum.low is None or datum.high is None else (max(0.0, 100 * datum.low), min(100.0, 100 * datum.high))
    )


def comparison_name(verdict: Verdict, results: Results, translate: Translation) -> str:
    """Return a claim in signs: the two sides and the relation between them."""
    claim = verdict.claim
    sides = (side for side in (claim.subject, claim.comparator) if side is not None)
    names = [trial_name(results.trial(side.trial).trial, translate, side.stage) for side in sides]
    if claim.comparator_quantity is not None:  # one trial's fitting and prediction, for example
        quantities = (claim.quantity, claim.comparator_quantity)
        names = [f"{translate.gettext(QUANTITIES[each])}, {name}" for each, name in zip(quantities, names, strict=True)]
    return f" {RELATIONS[claim.relation]} ".join(names)
