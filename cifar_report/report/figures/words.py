"""Names in figures, captions and alternative texts, as one language writes them."""

from __future__ import annotations

from cifar_report.analysis.results import Measure
from cifar_report.report.i18n import Translation, mark
from cifar_report.report.names import CLASSES
from cifar_report.report.numbers import Numbers
from cifar_report.spec import AnyTrial, ClassicalTrial

SEPARATOR = " \N{MIDDLE DOT} "
ORIGINAL_APART = mark(
    "The original's values are shown for orientation and not held against ours: that would need the canonical pixels"
    " and the full profile."
)


def seeds(count: int, translate: Translation) -> str:
    """Return, for example, "5 seeds"."""
    return translate.ngettext("%(count)s seed", "%(count)s seeds", count) % {"count": Numbers(translate).integer(count)}


def share(value: float, translate: Translation) -> str:
    """Return a share of one as a percentage."""
    return f"{Numbers(translate).bare(value, 'share')}%"


def held_against(measure: Measure) -> bool:
    """Whether the original's absolute value may be held against ours: only canonical pixels allow that."""
    return measure.compatibility is None or measure.compatibility.outcome != "not_testable"


def class_names(translate: Translation) -> tuple[str, ...]:
    """Return the ten classes in the order of their labels."""
    return tuple(map(translate.gettext, CLASSES))


def stage_name(trial: AnyTrial, stage_id: str, translate: Translation) -> str:
    """Return what a stage is called: its place among the trial's stages, and whether images were augmented."""
    stages = () if isinstance(trial, ClassicalTrial) else trial.stages
    for place, stage in enumerate(stages, start=1):
        if stage.id == stage_id:
            values = {"place": Numbers(translate).integer(place)}
            plain, augmented = mark("Training %(place)s"), mark("Training %(place)s, augmented")
            name = translate.plain(plain if stage.augmentation is None else augmented, values)
            return name.replace(f" {values['place']}", f"\N{NO-BREAK SPACE}{values['place']}")
    return stage_id


def trial_name(trial: AnyTrial, translate: Translation, stage_id: str | None = None) -> str:
    """Return a trial's title, with the stage where it has several and one is meant."""
    title = translate.text(trial.title)
    if stage_id is None or isinstance(trial, ClassicalTrial) or len(trial.stages) == 1:
        return title
    return f"{title}{SEPARATOR}{stage_name(trial, stage_id, translate)}"
